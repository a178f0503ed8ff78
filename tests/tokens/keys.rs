//! Key sets that change, and key sets of a hostile instance.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::cameras;
use crate::support::config::{Config, Instance};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::signer::{Signer, claims};
use crate::support::until;
use crate::support::upstream::{Upstream, ok};

/// An instance whose documents a test writes.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Documents>>);

#[derive(Clone, Default)]
struct Documents {
    issuer: String,
    /// Status line and headers, then the body of the key set.
    keys: (String, String),
}

impl Script {
    fn publish(&self, issuer: &str, jwks: &Value) {
        self.answer(issuer, "200 OK\r\nContent-Type: application/json", &jwks.to_string());
    }

    fn answer(&self, issuer: &str, head: &str, body: &str) {
        *self.0.lock().unwrap() = Documents { issuer: issuer.into(), keys: (head.into(), body.into()) };
    }

    async fn start(&self) -> Upstream {
        let script = self.clone();
        Upstream::start(move |mut link, seen| {
            let documents = script.0.lock().unwrap().clone();
            Box::pin(async move {
                link.read_body().await?;
                let path = seen.line().split(' ').nth(1).unwrap_or_default().to_owned();
                let issuer = documents.issuer;
                let openid = json!({
                    "issuer": issuer, "token_endpoint": format!("{issuer}/connect/token"),
                    "jwks_uri": format!("{issuer}/keys"), "server_version": "25.2",
                });
                let answer = match path.as_str() {
                    p if p.ends_with("/openid-configuration") => ok(&openid.to_string()),
                    p if p.ends_with("/keys") => {
                        let (head, body) = documents.keys;
                        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                            .into_bytes()
                    }
                    p if p.ends_with("/uris") => ok(r#"{"ProductVersion":"25.2.1.1"}"#),
                    _ => ok(r#"{"array":[]}"#),
                };
                link.write(&answer).await?;
                Some(link)
            })
        })
        .await
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    since.as_secs() as i64
}

fn arrived(upstream: &Upstream, mark: &str) -> usize {
    upstream.seen().iter().filter(|s| s.line().contains(mark)).count()
}

fn key_readings(upstream: &Upstream) -> usize {
    arrived(upstream, "/keys")
}

const A: &str = "https://a.test/IDP";
const B: &str = "https://b.test/IDP";

struct Pair {
    scripts: [Script; 2],
    a: Upstream,
    b: Upstream,
    gatekeeper: Gatekeeper,
}

async fn pair(keys_a: &Value, keys_b: &Value) -> Pair {
    let scripts = [Script::default(), Script::default()];
    scripts[0].publish(A, keys_a);
    scripts[1].publish(B, keys_b);
    let (a, b) = (scripts[0].start().await, scripts[1].start().await);
    let mut config = Config::http(&[("a", &a.url())]);
    config.instances.push(Instance::new("b", &b.url()));
    config.sites[0].standby = vec!["b".into()];
    (config.sites[0].profile, config.sites[0].extra) = ("xprotect", String::new());
    let gatekeeper = Gatekeeper::ready(config).await;
    for issuer in [A, B] {
        gatekeeper.wait_log(&["discovery documents read", issuer]).await;
    }
    Pair { scripts, a, b, gatekeeper }
}

/// An instance that was set up anew has new keys: its first tokens are good within one refresh, and the old ones are
/// not any more, though they were a moment ago.
#[tokio::test(flavor = "multi_thread")]
async fn new_keys_are_read_and_old_ones_end() {
    let (old, new, other) = (Signer::rsa("OLD"), Signer::rsa("NEW"), Signer::p256("B"));
    let pair = pair(&old.jwks(), &other.jwks()).await;
    let http = pair.gatekeeper.h1();
    let (before, after) = (old.token("RS256", &claims(A, now())), new.token("PS256", &claims(A, now())));
    http.send(cameras("old", &before)).await.unwrap().expect(200);
    http.send(cameras("b", &other.token("ES256", &claims(B, now())))).await.unwrap().expect(200);
    pair.scripts[0].publish(A, &new.jwks());
    until("new keys are known", async || http.send(cameras("new", &after)).await.unwrap().status == 200)
        .await;
    http.send(cameras("late", &before)).await.unwrap().expect(401);
    assert_eq!((arrived(&pair.a, "mark=new"), arrived(&pair.a, "mark=late")), (1, 0));
    assert_eq!((arrived(&pair.b, "mark=b"), arrived(&pair.b, "mark=")), (1, 1));
}

/// Hundreds of unknown keys do not make hundreds of readings.
#[tokio::test(flavor = "multi_thread")]
async fn unknown_keys_do_not_make_the_gatekeeper_ask_and_ask() {
    let (a, b) = (Signer::rsa("A"), Signer::p256("B"));
    let pair = pair(&a.jwks(), &b.jwks()).await;
    let started = std::time::Instant::now();
    let before = key_readings(&pair.a);
    let http = pair.gatekeeper.h2();
    let mut conn = http.connect().await.unwrap();
    for n in 0..300 {
        let strange = Signer::p256(&format!("K{n}")).token("ES256", &claims(A, now()));
        conn.send(&http.host, cameras("strange", &strange)).await.unwrap().expect(401);
    }
    let most = 2 + started.elapsed().as_secs() as usize / 10 * 2;
    let readings = key_readings(&pair.a) - before;
    assert!(readings <= most, "{readings} readings in {:?}", started.elapsed());
    assert_eq!(arrived(&pair.a, "mark=") + arrived(&pair.b, "mark="), 0);
}

/// An instance that publishes the other's key, or its name, attracts none of its tokens.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_key_set_attracts_nothing() {
    let (a, b) = (Signer::rsa("A"), Signer::p256("B"));
    let pair = pair(&a.jwks(), &json!({"keys": [b.jwk(), a.jwk()]})).await;
    let http = pair.gatekeeper.h1();
    let of_a = a.token("RS256", &claims(A, now()));
    http.send(cameras("own", &of_a)).await.unwrap().expect(200);
    assert_eq!((arrived(&pair.a, "mark=own"), arrived(&pair.b, "mark=own")), (1, 0));
    // B mints tokens in A's name.
    let minted = b.token("ES256", &claims(A, now()));
    http.send(cameras("minted", &minted)).await.unwrap().expect(401);
    pair.scripts[1].publish(A, &json!({"keys": [b.jwk(), a.jwk()]}));
    pair.gatekeeper.wait_log(&["WARN", "two instances publish the same signing key"]).await;
    let log = ["discovery documents read", "\"instance\":\"b\"", A];
    pair.gatekeeper.wait_log(&log).await;
    http.send(cameras("doubtful", &of_a)).await.unwrap().expect(401);
    assert_eq!((arrived(&pair.a, "mark=minted"), arrived(&pair.a, "mark=doubtful")), (0, 0));
    assert_eq!(arrived(&pair.b, "mark="), 0);
    pair.gatekeeper.succeed(&["quarantine", "b", "--reason", "it claims to be a"]);
    http.send(cameras("freed", &of_a)).await.unwrap().expect(200);
    assert_eq!(arrived(&pair.b, "mark="), 0);
}

/// What is no key set is no news: the keys that were read before stay.
#[tokio::test(flavor = "multi_thread")]
async fn broken_key_sets_change_nothing() {
    let (a, b) = (Signer::rsa("A"), Signer::p256("B"));
    let text = a.jwks().to_string();
    let json = "200 OK\r\nContent-Type: application/json";
    let huge = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(4 << 20));
    let cases = [
        (json, &text[..text.len() / 2]),
        (json, huge.as_str()),
        ("200 OK\r\nContent-Type: text/html", "<html>The service is unavailable.</html>"),
        ("503 Service Unavailable", "{\"keys\":[]}"),
    ];
    // Each waits for the next reading, so they wait together.
    let played = cases.map(async |(head, body)| {
        let pair = pair(&a.jwks(), &b.jwks()).await;
        let http = pair.gatekeeper.h1();
        pair.scripts[0].answer(A, head, body);
        let before = key_readings(&pair.a);
        let strange = Signer::p256("X").token("ES256", &claims(A, now()));
        until("the keys are read again", async || {
            http.send(cameras("strange", &strange)).await.unwrap();
            key_readings(&pair.a) > before
        })
        .await;
        // The reading itself is over when the next unknown key is.
        http.send(cameras("strange", &strange)).await.unwrap().expect(401);
        http.send(cameras("good", &a.token("RS256", &claims(A, now())))).await.unwrap().expect(200);
    });
    futures_util::future::join_all(played).await;
}
