//! Tokens at the edge (D9): what is wrong is answered in the VMS's voice, and nothing of it reaches an instance; what is
//! good reaches its home and nobody else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod bad;
mod keys;
mod modes;

use aws_lc_rs::rsa::KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use support::client::{Call, Reply, get, login};
use support::config::Config;
use support::gatekeeper::Gatekeeper;
use support::signer::Signer;
use support::sim::Sim;
use support::until;
use xprotect_sim::identity::Identity;
use xprotect_sim::settings::Settings;

const CAMERAS: &str = "/API/rest/v1/cameras";

/// Two instances and the gatekeeper, which has read the keys of both.
struct Stage {
    a: Sim,
    b: Sim,
    gatekeeper: Gatekeeper,
}

impl Stage {
    async fn new() -> Self {
        Self::with(&[], |config| config).await
    }

    async fn with(options_of_a: &[&str], change: impl FnOnce(Config) -> Config) -> Self {
        let (a, b) = (Sim::start("a", options_of_a), Sim::start("b", &[]));
        let gatekeeper = Gatekeeper::ready(change(Config::xprotect(&[&a, &b]))).await;
        for instance in ["a", "b"] {
            gatekeeper.wait_up(instance, "identity", true).await;
            gatekeeper.wait_log(&["discovery documents read", &format!("\"instance\":\"{instance}\"")]).await;
        }
        Self { a, b, gatekeeper }
    }

    /// A request that is told apart from all others.
    async fn send(&self, call: Call) -> Reply {
        self.gatekeeper.h1().send(call).await.unwrap()
    }

    /// How often requests with this mark have reached (a, b).
    async fn arrived(&self, mark: &str) -> (usize, usize) {
        (self.a.requests_with(mark).await, self.b.requests_with(mark).await)
    }
}

/// A request for the cameras that is told apart from all others by its query.
fn cameras(mark: &str, token: &str) -> Call {
    get(&format!("{CAMERAS}?mark={mark}")).bearer(token)
}

/// The signing key of the simulated instance with this name: a function of name and seed.
fn key_of(name: &str) -> Signer {
    let identity = Identity::new(&Settings { name: name.to_owned(), ..Settings::default() }).unwrap();
    let keys = &identity.keys;
    Signer::with(&keys.kid, KeyPair::from_der(keys.signing.as_bytes()).unwrap())
}

/// What a token says.
fn claims(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_reaches_its_home_and_nobody_else() {
    let stage = Stage::new().await;
    let (of_a, of_b) = (login(&stage.a.http()).await, login(&stage.b.http()).await);
    for (n, http) in [stage.gatekeeper.h1(), stage.gatekeeper.h2()].iter().enumerate() {
        let (at_a, at_b) = (format!("ga{n}"), format!("gb{n}"));
        for _ in 0..3 {
            http.send(cameras(&at_a, &of_a)).await.unwrap().expect(200);
            http.send(cameras(&at_b, &of_b)).await.unwrap().expect(200);
        }
        assert_eq!(stage.arrived(&at_a).await, (3, 0));
        assert_eq!(stage.arrived(&at_b).await, (0, 3));
    }
    // Made by the test with the instance's own key: what the cases of `bad` start from is good.
    let again = key_of("a").token("RS256", &claims(&of_a));
    stage.send(cameras("again", &again)).await.expect(200);
    assert_eq!(stage.arrived("again").await, (1, 0));
}

/// The keys of an instance that is down are kept, and what is wrong is still known to be.
#[tokio::test(flavor = "multi_thread")]
async fn keys_outlive_their_instance() {
    let mut stage = Stage::new().await;
    let of_a = login(&stage.a.http()).await;
    stage.a.kill();
    stage.gatekeeper.wait_serving("config", "b").await;
    let lost = stage.send(cameras("lost", &of_a)).await.expect(401);
    assert_eq!(lost.header("gatekeeper-reason"), "sign-in-again");
    let (rest, _) = of_a.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", "A".repeat(342));
    let refused = stage.send(cameras("lost", &forged)).await.expect(401);
    assert_eq!(refused.header("gatekeeper-reason"), "unknown-token");
    stage.a.restart();
    until("its tokens are good again", async || stage.send(cameras("back", &of_a)).await.status == 200).await;
    assert_eq!(stage.b.requests_with("mark=").await, 0);
}
