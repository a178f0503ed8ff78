//! What is sent once is never sent twice (D3, D4).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::client::{Http, call, get, login, password_grant};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;
use crate::support::upstream::Upstream;

/// A server that reads a whole request and then cuts the connection, and a healthy standby.
async fn cut_after_reading() -> (Upstream, Upstream, Gatekeeper) {
    let a = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.read_body().await?;
            None
        })
    })
    .await;
    let b = Upstream::saying("from b").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url()), ("b", &b.url())])).await;
    gatekeeper.wait_up("b", "http", true).await;
    (a, b, gatekeeper)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_request_that_was_cut_has_an_unknown_outcome_and_is_not_repeated() {
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let (a, b, gatekeeper) = cut_after_reading().await;
        for http in [gatekeeper.h1(), gatekeeper.h2()] {
            let reply = http.send(call(method, "/thing").body("x=1")).await.unwrap();
            assert!([502, 504].contains(&reply.status), "{method}: {}", reply.status);
            assert!(reply.header("gatekeeper-reason").contains("unknown"), "{method}: {:?}", reply.headers);
            assert!(reply.text().to_lowercase().contains("unknown"), "{method}: {}", reply.text());
        }
        assert_eq!(b.seen().len(), 0, "{method} was replayed on b");
        assert_eq!(a.seen().len(), 2, "{method} was replayed on a");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_request_that_was_cut_goes_to_the_standby() {
    let (a, b, gatekeeper) = cut_after_reading().await;
    assert_eq!(gatekeeper.h1().send(get("/thing")).await.unwrap().expect(200).text(), "from b");
    assert_eq!((a.seen().len(), b.seen().len()), (1, 1));
    assert!(gatekeeper.metric("gatekeeper_retries_total", &[]).await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_which_nothing_was_written_may_go_elsewhere_whatever_its_method() {
    let (a, b) = (Upstream::saying("from a").await, Upstream::saying("from b").await);
    let config = Config::http(&[("a", &a.url()), ("b", &b.url())])
        // Probes must not notice before the request does.
        .table("health", "interval = \"60s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    a.stop();
    let reply = gatekeeper.h1().send(call("POST", "/thing").body("x=1")).await.unwrap().expect(200);
    assert_eq!(reply.text(), "from b");
    assert_eq!(b.seen().len(), 1);
    assert_eq!(b.seen()[0].body, b"x=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_does_not_use_a_connection_that_was_idle() {
    // The instance may be closing it at this moment, and a POST could not be repeated.
    let a = Upstream::saying("ok").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url())])).await;
    let http = gatekeeper.h1();
    let mut conn = http.connect().await.unwrap();
    conn.send(&http.host, get("/1")).await.unwrap().expect(200);
    let idle = Instant::now();
    until("more than a second has passed", async || idle.elapsed() > Duration::from_millis(1100)).await;
    conn.send(&http.host, call("POST", "/2").body("1")).await.unwrap().expect(200);
    conn.send(&http.host, call("POST", "/3").body("1")).await.unwrap().expect(200);
    let used: Vec<usize> = a.seen().iter().map(|s| s.connection).collect();
    assert_ne!(used[0], used[1], "a connection that was idle for 1.1 s");
    assert_eq!(used[1], used[2], "one that has just answered is used again");
}

async fn writes_of(sim: &Sim, name: &str) -> usize {
    sim.writes().await.iter().filter(|w| w.to_string().contains(name)).count()
}

async fn create(http: &Http, token: &str, name: &str) -> Option<u16> {
    let post = call("POST", "/API/rest/v1/userDefinedEvents").bearer(token).json(&json!({ "name": name }));
    http.send(post).await.ok().map(|r| r.status)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_accepted_write_exists_exactly_once_while_the_primary_dies() {
    let (mut a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    gatekeeper.wait_up("b", "config", true).await;
    let http = gatekeeper.h1();
    let mut token = login(&http).await;
    let mut accepted = Vec::new();
    let mut before = Vec::new();
    for n in 0..40 {
        if n == 20 {
            before = a.writes().await;
            a.kill();
        }
        let name = format!("once-{n:03}");
        match create(&http, &token, &name).await {
            Some(201) => accepted.push(name),
            Some(401) => {
                token = login(&http).await;
                if create(&http, &token, &name).await == Some(201) {
                    accepted.push(name);
                }
            }
            _ => {}
        }
    }
    assert!(accepted.len() >= 38, "only {} of 40", accepted.len());
    for name in &accepted {
        let at_a = before.iter().filter(|w| w.to_string().contains(name.as_str())).count();
        assert_eq!(at_a + writes_of(&b, name).await, 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_into_a_hanging_instance_is_a_504_or_502_and_nothing_more() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    gatekeeper.wait_up("b", "config", true).await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    a.fault("config", "hang").await;
    let status = create(&http, &token, "into-the-dark").await;
    // 401: it was noticed before the write was sent, and the token has no twin.
    assert!(status.is_some_and(|s| [502, 504, 401].contains(&s)), "{status:?}");
    assert_eq!((writes_of(&a, "into-the-dark").await, writes_of(&b, "into-the-dark").await), (0, 0));
}

/// M1: some servers take the method from a header, so that a GET deletes; it was repeated on the standby.
#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_says_it_is_something_else_is_not_repeated() {
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let (a, b, gatekeeper) = cut_after_reading().await;
        let reply = gatekeeper.h1().send(get("/thing").header(name, "DELETE")).await.unwrap();
        assert!([502, 504].contains(&reply.status), "{name}: {}", reply.status);
        assert!(reply.header("gatekeeper-reason").contains("unknown"), "{name}: {:?}", reply.headers);
        assert_eq!((a.seen().len(), b.seen().len()), (1, 0), "{name}");
    }
}

/// M6: unsafe requests went on into an instance that was known to be silent, until it was declared down, and ended as
/// "outcome unknown". Nothing of them was written yet: the standby may have them.
#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_request_does_not_enter_an_instance_that_is_known_to_be_silent() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    // No probe decides anything while this test runs.
    let config = Config::http_sims(&[&a, &b]).table("health", "interval = \"60s\"\ntimeout = \"60s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    let http = gatekeeper.h1();
    a.fault("all", "hang").await;
    // Its hedge is answered by the standby; from here on the silence is known.
    http.send(get("/API/.well-known/uris")).await.unwrap().expect(200);
    for _ in 0..5 {
        http.send(password_grant("admin", "admin-password")).await.unwrap().expect(200);
    }
    assert_eq!(b.requests_with("/connect/token").await, 5);
    assert_eq!(gatekeeper.metric("gatekeeper_failovers_total", &[]).await, 0.0, "it was not declared down");
}
