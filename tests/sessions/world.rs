//! Two instances of one site, the gatekeeper before them, and what a client does there.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::client::{Call, Http, Reply, call, get};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;

pub const TOKEN: &str = "/API/IDP/connect/token";
/// Needs a token, says nothing of ids.
pub const CAMERAS: &str = "/API/rest/v1/cameras?page=0&size=1";

pub struct World {
    pub a: Sim,
    pub b: Sim,
    pub gatekeeper: Gatekeeper,
}

/// What a client keeps of a login.
#[derive(Clone, Debug)]
pub struct Login {
    pub token: String,
    pub refresh: Option<String>,
    /// Our cookie, if there was one.
    pub cookie: Option<String>,
}

impl World {
    /// `a` is the primary, both are up.
    pub async fn start() -> Self {
        Self::with(&[], |config| config).await
    }

    /// The same with options of both instances and another configuration.
    pub async fn with(options: &[&str], configure: impl FnOnce(Config) -> Config) -> Self {
        Self::of(options, options, configure).await
    }

    /// The same with options of each instance.
    pub async fn of(of_a: &[&str], of_b: &[&str], configure: impl FnOnce(Config) -> Config) -> Self {
        Self::launch(of_a, of_b, |a, b| Gatekeeper::start(configure(patient(a, b)))).await
    }

    pub async fn launch(of_a: &[&str], of_b: &[&str], start: impl FnOnce(&Sim, &Sim) -> Gatekeeper) -> Self {
        let usual: &[&str] = &["--cameras", "4", "--event-rate", "0"];
        let (a, b) = (Sim::start("a", &[usual, of_a].concat()), Sim::start("b", &[usual, of_b].concat()));
        let gatekeeper = start(&a, &b);
        gatekeeper.wait_ready().await;
        let world = Self { a, b, gatekeeper };
        world.both_up().await;
        world
    }

    pub async fn both_up(&self) {
        for (instance, service) in [("a", "identity"), ("a", "config"), ("b", "identity"), ("b", "config")] {
            self.gatekeeper.wait_up(instance, service, true).await;
        }
    }

    /// Waits until `b` has answered so many token requests with 200, all those of clients that went there included.
    pub async fn twins(&self, wanted: usize) {
        until(&format!("b has issued {wanted} tokens"), async || issued(&self.b).await == wanted).await;
        // What b has answered, the gatekeeper reads before it answers this.
        self.gatekeeper.status().await;
    }

    /// Logs in at `a` over HTTP/1.1 and waits for the twin.
    pub async fn twinned(&self, user: &str) -> Login {
        let before = issued(&self.b).await;
        let login = log_in(&self.gatekeeper.h1(), user).await;
        assert!(is_from(&login.token, &self.a).await, "{user} logged in at b");
        self.twins(before + 1).await;
        login
    }
}

/// Many tests share a machine: an instance that is slow to answer, or to shake hands, is no reason to leave it.
pub fn patient(a: &Sim, b: &Sim) -> Config {
    Config::twinned(&[a, b])
        .table("health", "interval = \"2s\"\ntimeout = \"2s\"\nrise = 2\nfall = 2")
        .table("upstream", "connect_timeout = \"5s\"")
}

pub fn password(user: &str, password: &str, client: &str) -> String {
    format!("grant_type=password&username={user}&password={password}&client_id={client}")
}

/// As the seeded user, with the client that gets refresh tokens.
pub async fn log_in(http: &Http, user: &str) -> Login {
    let form = password(user, &format!("{user}-password"), "VmsClient");
    login(&http.send(call("POST", TOKEN).form(&form)).await.unwrap().expect(200))
}

/// What a client keeps of the answer to a token request.
pub fn login(reply: &Reply) -> Login {
    let body = reply.json();
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let cookies = reply.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let ours =
        cookies.filter_map(|value| value.split(';').next()).find(|c| c.starts_with("gatekeeper_affinity="));
    Login {
        token: text("access_token").expect("a token"),
        refresh: text("refresh_token"),
        cookie: ours.map(str::to_owned),
    }
}

pub fn cameras(token: &str) -> Call {
    get(CAMERAS).bearer(token)
}

/// A request with this token; gives the status.
pub async fn status(http: &Http, token: &str) -> u16 {
    http.send(cameras(token)).await.unwrap().status
}

/// The 401 that clients understand.
#[track_caller]
pub fn is_expired(reply: Reply) {
    let body = reply.expect(401).json();
    assert_eq!(body["error"]["httpCode"], 401, "{body}");
    let text = body["error"]["details"][0]["errorText"].as_str().unwrap_or_default();
    assert!(text.contains("token is expired"), "{body}");
}

/// Token requests that an instance got.
pub async fn token_requests(sim: &Sim) -> Vec<Value> {
    posts(sim, "/connect/token").await
}

pub async fn posts(sim: &Sim, to: &str) -> Vec<Value> {
    let is = |r: &Value| {
        r["method"] == "POST" && r["path"].as_str().is_some_and(|p| p.to_lowercase().ends_with(to))
    };
    sim.requests().await.into_iter().filter(is).collect()
}

/// Token requests that an instance answered with 200.
pub async fn issued(sim: &Sim) -> usize {
    token_requests(sim).await.iter().filter(|r| r["answer"]["status"] == 200).count()
}

/// Whether an instance got a request with exactly this body.
pub async fn got_body(sim: &Sim, body: &str) -> bool {
    let hash: String = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    sim.requests().await.iter().any(|r| r["bodySha256"] == *hash)
}

/// Who issued a token.
fn issuer(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["iss"].as_str().unwrap().to_owned()
}

/// Whether this instance issued a token.
pub async fn is_from(token: &str, sim: &Sim) -> bool {
    let document = sim.http().send(get("/IDP/.well-known/openid-configuration")).await.unwrap().expect(200);
    document.json()["issuer"] == issuer(token)
}
