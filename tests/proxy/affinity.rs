//! Who belongs to which instance (D9, D10): by token, by cookie.

use std::time::Duration;

use crate::support::client::{Call, Http, Reply, get, login};
use crate::support::config::{Config, Instance};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;
use crate::support::upstream::{Upstream, ok};

const COOKIE: &str = "gatekeeper_affinity";
const CAMERAS: &str = "/API/rest/v1/cameras";

/// A server that sets a cookie of its own on every answer.
async fn with_cookie(name: &str) -> Upstream {
    let answer =
        format!("HTTP/1.1 200 OK\r\nSet-Cookie: app={name}; Path=/\r\nContent-Length: 1\r\n\r\n{name}");
    Upstream::answering(answer).await
}

async fn pair() -> (Upstream, Upstream, Gatekeeper) {
    let (a, b) = (with_cookie("a").await, with_cookie("b").await);
    let config = Config::http(&[("a", &a.url()), ("b", &b.url())]).table("failback", "mode = \"immediate\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    (a, b, gatekeeper)
}

/// The affinity cookie of an answer, attributes included.
fn affinity(reply: &Reply) -> Option<String> {
    let all = reply.headers.get_all("set-cookie").iter().filter_map(|v| v.to_str().ok());
    all.map(str::to_owned).find(|c| c.starts_with(COOKIE))
}

/// `name=value` alone.
fn pair_of(cookie: &str) -> String {
    cookie.split(';').next().unwrap().to_owned()
}

async fn ask(http: &Http, cookies: &str) -> Reply {
    http.send(get("/x").header("cookie", cookies)).await.unwrap().expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_affinity_cookie_is_safe_and_says_nothing() {
    let (a, _b, gatekeeper) = pair().await;
    let reply = gatekeeper.h1().send(get("/x")).await.unwrap().expect(200);
    let cookie = affinity(&reply).expect("an affinity cookie beside the instance's own");
    let flat = cookie.to_lowercase().replace(' ', "");
    for attribute in [";secure", ";httponly", ";samesite=lax"] {
        assert!(flat.contains(attribute), "{attribute} is missing in {cookie}");
    }
    let address = a.address.to_string();
    assert!(!cookie.contains(&address) && !cookie.contains("127.0.0.1"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_go_to_the_instance_that_set_them_without_ours() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mine = pair_of(&affinity(&http.send(get("/x")).await.unwrap()).unwrap());
    ask(&http, &format!("app=a; {mine}; other=1")).await;
    let seen = a.seen().pop().unwrap();
    let cookie = seen.values("cookie").join("; ");
    assert!(cookie.contains("app=a") && cookie.contains("other=1"), "{cookie}");
    assert!(!cookie.contains(COOKIE), "ours went through: {cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cookies_without_a_genuine_affinity_reach_nobody() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let genuine = pair_of(&affinity(&http.send(get("/x")).await.unwrap()).unwrap());
    let mut bent = genuine.clone().into_bytes();
    let last = bent.last_mut().unwrap();
    *last = if *last == b'A' { b'B' } else { b'A' };
    // The last character of unpadded base64 may carry unused bits: bend one in the middle, too.
    let middle = COOKIE.len() + (bent.len() - COOKIE.len()) / 2;
    bent[middle] = if bent[middle] == b'A' { b'B' } else { b'A' };
    let bent = String::from_utf8(bent).unwrap();
    for forged in ["app=a".to_owned(), format!("app=a; {COOKIE}=a"), format!("app=a; {bent}")] {
        ask(&http, &forged).await;
        let seen = a.seen().pop().unwrap();
        assert!(seen.values("cookie").is_empty(), "{forged} went through as {:?}", seen.values("cookie"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_a_dead_instance_is_not_shown_to_the_other() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mine = pair_of(&affinity(&http.send(get("/x")).await.unwrap()).unwrap());
    a.stop();
    let reply = ask(&http, &format!("app=a; {mine}")).await;
    assert_eq!(reply.text(), "b");
    assert!(b.seen().iter().all(|s| s.values("cookie").is_empty()), "b saw a cookie of a");
    let renewed = pair_of(&affinity(&reply).expect("the cookie of b renews the affinity"));
    assert_ne!(mine, renewed);
    ask(&http, &format!("app=b; {renewed}")).await;
    assert_eq!(b.seen().pop().unwrap().values("cookie"), ["app=b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_session_stays_on_its_home_after_failback() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    a.set_healthy(false);
    gatekeeper.wait_serving("http", "b").await;
    let reply = http.send(get("/x")).await.unwrap().expect(200);
    assert_eq!(reply.text(), "b");
    let mine = pair_of(&affinity(&reply).unwrap());
    a.set_healthy(true);
    gatekeeper.wait_serving("http", "a").await;
    assert_eq!(ask(&http, &format!("app=b; {mine}")).await.text(), "b", "the session lives there");
    assert_eq!(http.send(get("/x")).await.unwrap().text(), "a", "new clients go to the primary");
}

async fn vms_pair(options: &[&str], failback: &str) -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", options), Sim::start("b", options));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b]).table("failback", failback)).await;
    for service in ["identity", "config"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    (a, b, gatekeeper)
}

fn cameras(token: &str) -> Call {
    get(CAMERAS).bearer(token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_knows_its_home_even_after_a_restart_of_ours() {
    let (_a, b, mut gatekeeper) = vms_pair(&[], "mode = \"manual\"").await;
    let token = login(&gatekeeper.h1()).await;
    let foreign = login(&b.http()).await;
    gatekeeper.restart("TERM");
    gatekeeper.wait_ready().await;
    gatekeeper.h1().send(cameras(&token)).await.unwrap().expect(200);
    // A token that b issued, never seen by us, goes to b: its `kid` says so.
    gatekeeper.h1().send(cameras(&foreign)).await.unwrap().expect(200);
    assert!(b.requests_with(&foreign).await >= 1);
    assert_eq!(b.requests_with(&token).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_is_not_guessed_while_no_key_is_known_yet() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let token = login(&b.http()).await;
    for sim in [&a, &b] {
        let slow = sim.try_fault(&serde_json::json!({"service": "all", "mode": "slow", "ms": 120})).await;
        assert!(slow.status < 300, "{}", slow.text());
    }
    let gatekeeper = Gatekeeper::start(Config::xprotect(&[&a, &b]));
    let http = gatekeeper.h1();
    until("the token is served", async || http.send(cameras(&token)).await.unwrap().status == 200).await;
    assert_eq!(a.requests_with(&token).await, 0, "a was shown a token of b");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_the_standby_stay_there_after_failback() {
    let (a, b, gatekeeper) = vms_pair(&[], "mode = \"immediate\"").await;
    let http = gatekeeper.h1();
    a.fault("all", "page503").await;
    gatekeeper.wait_serving("config", "b").await;
    gatekeeper.wait_serving("identity", "b").await;
    let token = login(&http).await;
    a.heal().await;
    gatekeeper.wait_serving("config", "a").await;
    gatekeeper.wait_serving("identity", "a").await;
    http.send(cameras(&token)).await.unwrap().expect(200);
    assert_eq!(a.requests_with(&token).await, 0, "a was shown a token of b");
    let fresh = login(&http).await;
    http.send(cameras(&fresh)).await.unwrap().expect(200);
    assert_eq!(b.requests_with(&fresh).await, 0, "a new login goes to the primary");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_token_is_refused_and_shown_to_no_stranger() {
    let (a, b, gatekeeper) = vms_pair(&[], "mode = \"manual\"").await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let bent: String = signature.chars().rev().collect();
    let payload = head.split('.').nth(1).unwrap();
    // Header {"alg":"none","typ":"JWT"}.
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{payload}.");
    let bent = format!("{head}.{bent}");
    for forged in [&bent, &none, "not-a-token"] {
        let reply = http.send(cameras(forged)).await.unwrap().expect(401);
        assert_eq!(reply.json()["error"]["httpCode"], 401);
        assert_eq!(b.requests_with(forged).await, 0, "{forged}");
    }
    // The instance that `kid` or `iss` names may judge the signature itself; nobody is asked about the rest.
    assert_eq!(a.requests_with("not-a-token").await, 0);
    http.send(cameras(&token)).await.unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_refused_in_the_words_that_clients_know() {
    let (_a, _b, gatekeeper) = vms_pair(&["--token-lifetime", "3s"], "mode = \"manual\"").await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    http.send(cameras(&token)).await.unwrap().expect(200);
    until("the token expires", async || http.send(cameras(&token)).await.unwrap().status == 401).await;
    let text = http.send(cameras(&token)).await.unwrap().expect(401).json();
    let text = text["error"]["details"][0]["errorText"].as_str().unwrap().to_owned();
    assert!(text.contains("token is expired"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged() {
    let (_a, _b, gatekeeper) = vms_pair(&[], "mode = \"manual\"").await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    http.send(cameras(&token)).await.unwrap().expect(200);
    tokio::time::timeout(Duration::from_secs(10), gatekeeper.status()).await.unwrap();
    let metrics = gatekeeper.open("/metrics").await;
    let signature = token.rsplit('.').next().unwrap();
    for secret in [signature, "admin-password", gatekeeper.token().as_str()] {
        assert!(!gatekeeper.process.log().contains(secret), "the log holds a secret");
        assert!(!metrics.text().contains(secret), "the metrics hold a secret");
    }
}

/// A VMS that publishes the signing key of another, and the token of a user of the other.
async fn thief(a: &Sim, b: &Sim) -> (Upstream, String) {
    let token = login(&a.http()).await;
    let keys =
        a.http().send(get("/API/IDP/.well-known/openid-configuration/jwks")).await.unwrap().expect(200);
    assert!(keys.text().contains("\"kid\""), "{}", keys.text());
    let (keys, to) = (ok(keys.text()), b.http().address);
    let thief = Upstream::start(move |mut link, seen| {
        let keys = keys.clone();
        Box::pin(async move {
            if !seen.line().contains("/jwks") {
                return link.relay(to).await;
            }
            link.write(&keys).await?;
            Some(link)
        })
    })
    .await;
    (thief, token)
}

fn shown_to(thief: &Upstream, token: &str) -> usize {
    thief.seen().iter().filter(|s| s.value("authorization").contains(token)).count()
}

/// M8: the first instance that published a key id had it, and was sent the tokens of the instance whose key it was.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_claims_the_key_of_another_does_not_get_its_tokens() {
    let (mut a, b) = (Sim::start("a", &[]), Sim::plain("b", &[]));
    let (thief, token) = thief(&a, &b).await;
    let mut config = Config::xprotect(&[&a, &b]);
    config.instances[1] = Instance::new("b", &thief.url());
    // Its documents are read first.
    a.kill();
    let gatekeeper = Gatekeeper::start(config);
    gatekeeper.wait_log(&["discovery documents read", "\"b\""]).await;
    a.restart();
    gatekeeper.wait_log(&["discovery documents read", "\"a\""]).await;
    let http = gatekeeper.h1();
    gatekeeper.wait_up("a", "config", true).await;
    for _ in 0..5 {
        http.send(cameras(&token)).await.unwrap().expect(200);
    }
    assert_eq!(shown_to(&thief, &token), 0, "the thief was shown a token");
}

/// M8, while the instance that the key belongs to has not been read since our start: the token names its issuer, and that
/// is not the thief.
#[tokio::test(flavor = "multi_thread")]
async fn a_claimed_key_is_not_enough_while_its_owner_is_unknown() {
    let (mut a, b) = (Sim::start("a", &[]), Sim::plain("b", &[]));
    let (thief, token) = thief(&a, &b).await;
    let mut config = Config::xprotect(&[&a, &b]);
    config.instances[1] = Instance::new("b", &thief.url());
    a.kill();
    let gatekeeper = Gatekeeper::start(config);
    gatekeeper.wait_log(&["discovery documents read", "\"b\""]).await;
    gatekeeper.h1().send(cameras(&token)).await.unwrap().expect(401);
    assert_eq!(shown_to(&thief, &token), 0, "the thief was shown a token");
}
