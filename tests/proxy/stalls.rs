//! Every wait has an end: for the head of an answer, and for the rest of it.

use std::future::pending;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::support::client::{Call, Http, call, get, password_grant};
use crate::support::config::{Config, Instance};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;
use crate::support::upstream::Upstream;

/// Takes requests and says nothing; answers probes.
async fn silent() -> Upstream {
    Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.read_body().await?;
            pending().await
        })
    })
    .await
}

/// H1: a request that waited for both instances at once, or for its second one, did not look whether they were declared
/// down, and had a `response_timeout` of its own for each. It waited for minutes.
#[tokio::test(flavor = "multi_thread")]
async fn waiting_requests_end_when_the_last_instance_is_declared_down() {
    let (a, b) = (silent().await, silent().await);
    let config =
        Config::http(&[("a", &a.url()), ("b", &b.url())]).table("upstream", "response_timeout = \"120s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    let mut waiting = Vec::new();
    for request in [get("/1"), get("/2"), get("/3"), call("POST", "/4").body("x"), call("DELETE", "/5")] {
        for http in [gatekeeper.h1(), gatekeeper.h2()] {
            let request = Call {
                headers: request.headers.clone(),
                body: request.body.clone(),
                ..call(request.method.as_str(), &request.path)
            };
            waiting.push(tokio::spawn(async move { http.send(request).await }));
        }
    }
    until("all wait at an instance", async || !a.seen().is_empty() && a.seen().len() + b.seen().len() >= 10)
        .await;
    a.set_healthy(false);
    b.set_healthy(false);
    gatekeeper.wait_up("a", "http", false).await;
    gatekeeper.wait_up("b", "http", false).await;
    for request in waiting {
        let reply = timeout(Duration::from_secs(8), request).await.expect("it still waits").unwrap().unwrap();
        assert!([502, 503, 504].contains(&reply.status), "{}", reply.status);
        assert!(!reply.header("gatekeeper-reason").is_empty(), "{:?}", reply.headers);
    }
}

/// H1: one deadline for all attempts. Two instances made it twice, a race thrice.
#[tokio::test(flavor = "multi_thread")]
async fn all_attempts_share_one_deadline() {
    let (a, b) = (silent().await, silent().await);
    let limit = Duration::from_secs(4);
    let config =
        Config::http(&[("a", &a.url()), ("b", &b.url())]).table("upstream", "response_timeout = \"4s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    for request in [get("/x"), call("POST", "/x").body("x")] {
        let begun = Instant::now();
        let reply = gatekeeper.h1().send(request).await.unwrap().expect(504);
        let took = begun.elapsed();
        assert!(!reply.header("gatekeeper-reason").is_empty(), "{:?}", reply.headers);
        assert!(took >= limit && took < limit * 2, "{took:?} with a response_timeout of {limit:?}");
    }
}

const SHORT: &str = "response_timeout = \"2s\"";
/// Much more than the time above, much less than for ever.
const SOON: Duration = Duration::from_secs(15);

/// H2: nothing limited the time after the head.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_stands_still_is_cut() {
    for head in ["Content-Length: 100\r\n\r\nfirst", "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"] {
        let a = Upstream::start(move |mut link, _| {
            Box::pin(async move {
                link.read_body().await?;
                link.write(format!("HTTP/1.1 200 OK\r\n{head}").as_bytes()).await?;
                pending().await
            })
        })
        .await;
        let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url())]).table("upstream", SHORT)).await;
        for http in [gatekeeper.h1(), gatekeeper.h2()] {
            let outcome =
                timeout(SOON, http.send(get("/x"))).await.expect("the answer stands still for ever");
            assert!(outcome.is_err(), "half an answer looks complete: {outcome:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_comes_slowly_is_not_cut() {
    // Twice as long as `response_timeout`, but never still for so long.
    let a = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.write(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n").await?;
            for _ in 0..16 {
                tokio::time::sleep(Duration::from_millis(250)).await;
                link.write(b"x").await?;
            }
            Some(link)
        })
    })
    .await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url())]).table("upstream", SHORT)).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        assert_eq!(http.send(get("/x")).await.unwrap().expect(200).text(), "x".repeat(16));
    }
}

/// A VMS, except that paths with `needle` get the head of an answer and then nothing.
async fn stalling(needle: &'static str) -> (Sim, Upstream, Gatekeeper) {
    let sim = Sim::plain("a", &[]);
    let to = sim.http().address;
    let a = Upstream::start(move |mut link, seen| {
        Box::pin(async move {
            if !seen.line().contains(needle) {
                return link.relay(to).await;
            }
            link.read_body().await?;
            link.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"array\":",
            )
            .await?;
            pending().await
        })
    })
    .await;
    let mut config = Config::xprotect(&[&sim]).table("upstream", SHORT);
    config.instances = vec![Instance::new("a", &a.url())];
    let gatekeeper = Gatekeeper::ready(config).await;
    (sim, a, gatekeeper)
}

/// 502 or 504: the manual leaves open which of them an answer is that began and then stood still.
async fn ends_with_an_error(http: Http, request: Call) {
    let reply = timeout(SOON, http.send(request)).await.expect("no end in sight").unwrap();
    assert!([502, 504].contains(&reply.status), "{}", reply.status);
    assert!(!reply.header("gatekeeper-reason").is_empty(), "{:?}", reply.headers);
}

/// H2: answers that we have to read ourselves before the client gets anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_stands_still_is_an_error() {
    let (_sim, _a, gatekeeper) = stalling("/connect/token").await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        ends_with_an_error(http, password_grant("admin", "admin-password")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_stands_still_is_an_error() {
    let (_sim, _a, gatekeeper) = stalling("/registeredServices").await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        ends_with_an_error(http, get("/API/rest/v1/registeredServices")).await;
    }
}
