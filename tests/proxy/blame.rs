//! Whom a fault is blamed on. What a client breaks says nothing about an instance, and one poisoned URL says nothing
//! about a service: a stranger must not be able to take a healthy instance away from the others.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::io::AsyncWriteExt;

use crate::support::client::{Http, call, get, read_quiet};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::until;
use crate::support::upstream::{Upstream, ok};

/// Longer than the window of passive observation needs for a verdict (one second and five faults).
const ATTACK: Duration = Duration::from_millis(2500);

const LENGTH: &str = "POST /up HTTP/1.1\r\nHost: vms.test\r\nContent-Length: 100\r\n\r\nhello";
const CHUNKED: &str =
    "POST /up HTTP/1.1\r\nHost: vms.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";

struct Pair {
    a: Upstream,
    b: Upstream,
    gatekeeper: Gatekeeper,
}

impl Pair {
    async fn of(a: Upstream, b: Upstream) -> Self {
        let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url()), ("b", &b.url())])).await;
        gatekeeper.wait_up("b", "http", true).await;
        Self { a, b, gatekeeper }
    }

    async fn healthy() -> Self {
        Self::of(Upstream::saying("a").await, Upstream::saying("b").await).await
    }

    fn arrived(&self) -> usize {
        self.a.seen().len() + self.b.seen().len()
    }

    /// One more request has reached an instance.
    async fn one_more_than(&self, before: usize) {
        until("the upload is at an instance", async || self.arrived() > before).await;
    }

    /// Both instances are up and have been all the time, and the primary serves.
    async fn assert_untroubled(&self) {
        let reply = self.gatekeeper.h1().send(get("/afterwards")).await.unwrap().expect(200);
        assert_eq!(reply.text(), "a", "the service has moved");
        let log = self.gatekeeper.process.log();
        let down: Vec<&str> = log.lines().filter(|l| l.contains("service is down")).collect();
        assert!(down.is_empty(), "declared down: {down:?}");
        for instance in ["a", "b"] {
            let labels = [("instance", instance), ("service", "http")];
            let up = self.gatekeeper.metric("gatekeeper_upstream_up", &labels).await;
            assert!(up > 0.0, "{instance} is not up");
        }
    }
}

/// Repeats `attack` for [`ATTACK`], and often enough for a verdict.
async fn attack(mut attack: impl AsyncFnMut()) {
    let start = Instant::now();
    let mut times = 0;
    while start.elapsed() < ATTACK || times < 12 {
        attack().await;
        times += 1;
    }
}

// C1: hyper ends the connection to the instance when the client's body fails; that was counted as a reset by the
// instance, and five of them took it down, ten both.

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_during_its_upload_blames_nobody() {
    let pair = Pair::healthy().await;
    let http = pair.gatekeeper.h1();
    attack(async || {
        let before = pair.arrived();
        let mut socket = http.raw().await.unwrap();
        socket.write_all(LENGTH.as_bytes()).await.unwrap();
        socket.flush().await.unwrap();
        pair.one_more_than(before).await;
        drop(socket);
    })
    .await;
    pair.assert_untroubled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_closes_its_half_during_its_upload_blames_nobody() {
    let pair = Pair::healthy().await;
    let http = pair.gatekeeper.h1();
    attack(async || {
        let before = pair.arrived();
        let mut socket = http.raw().await.unwrap();
        socket.write_all(LENGTH.as_bytes()).await.unwrap();
        socket.flush().await.unwrap();
        pair.one_more_than(before).await;
        let _ = socket.shutdown().await;
        read_quiet(&mut socket, Duration::from_secs(5)).await;
    })
    .await;
    pair.assert_untroubled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_breaks_its_chunks_is_told_so_and_blames_nobody() {
    let pair = Pair::healthy().await;
    let http = pair.gatekeeper.h1();
    attack(async || {
        let before = pair.arrived();
        let mut socket = http.raw().await.unwrap();
        socket.write_all(CHUNKED.as_bytes()).await.unwrap();
        socket.flush().await.unwrap();
        pair.one_more_than(before).await;
        socket.write_all(b"ZZ\r\n").await.unwrap();
        socket.flush().await.unwrap();
        let answer = read_quiet(&mut socket, Duration::from_secs(5)).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 400 "), "not told that its body is broken: {answer}");
    })
    .await;
    pair.assert_untroubled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_resets_its_stream_during_its_upload_blames_nobody() {
    let pair = Pair::healthy().await;
    let http = pair.gatekeeper.h2();
    let mut conn = http.connect().await.unwrap();
    attack(async || {
        let before = pair.arrived();
        let (broken, wait) = tokio::sync::oneshot::channel();
        let first = stream::iter([Ok(Frame::data(Bytes::from_static(b"hello")))]);
        let then = stream::once(async move {
            let _: Result<(), _> = wait.await;
            Err(std::io::Error::other("the client has changed its mind"))
        });
        let body = StreamBody::new(stream::StreamExt::chain(first, then)).map_err(|e| e);
        let sending = {
            let (mut conn, host) = (conn.share(), http.host.clone());
            let upload = call("POST", "/up").header("content-length", "100");
            tokio::spawn(async move { conn.stream(&host, upload, BodyExt::boxed(body)).await.is_ok() })
        };
        pair.one_more_than(before).await;
        let _ = broken.send(());
        let _ = sending.await;
    })
    .await;
    conn.send(&http.host, get("/on-the-same-connection")).await.unwrap().expect(200);
    pair.assert_untroubled().await;
}

// C2: five answers 502, 503 or 504 without JSON for one URL took the instance down although all probes passed, and the
// retry of each such request carried the poison to the standby.

/// Everything is fine but what begins with `/poison`, which is answered with these bytes, or cut.
async fn poisoned(name: &'static str, poison: &'static str) -> Upstream {
    Upstream::start(move |mut link, seen| {
        Box::pin(async move {
            link.read_body().await?;
            if !seen.line().contains(" /poison") {
                link.write(&ok(name)).await?;
            } else if poison.is_empty() {
                return None;
            } else {
                link.write(poison.as_bytes()).await?;
            }
            Some(link)
        })
    })
    .await
}

const PAGE_504: &str =
    "HTTP/1.1 504 Gateway Timeout\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";

/// One user asks for the poison, another for something else; the other must not notice.
async fn one_user_among_others(poison: &'static str) {
    let pair = Pair::of(poisoned("a", poison).await, poisoned("b", poison).await).await;
    let http: Http = pair.gatekeeper.h1();
    let mut others = http.connect().await.unwrap();
    attack(async || {
        let bad = http.send(get("/poison")).await.unwrap();
        assert!([502, 503, 504].contains(&bad.status), "{}", bad.status);
        let good = others.send(&http.host, get("/good")).await.unwrap().expect(200);
        assert_eq!(good.text(), "a", "the service has moved");
    })
    .await;
    pair.assert_untroubled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_times_out_behind_the_web_server_condemns_no_instance() {
    one_user_among_others(PAGE_504).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_is_always_cut_condemns_no_instance() {
    one_user_among_others("").await;
}

/// What it means for the others: the standby has to be there when the primary really dies.
#[tokio::test(flavor = "multi_thread")]
async fn after_the_poison_the_standby_still_stands_by() {
    let pair = Pair::of(poisoned("a", PAGE_504).await, poisoned("b", PAGE_504).await).await;
    let http = pair.gatekeeper.h1();
    attack(async || {
        http.send(get("/poison")).await.unwrap();
        http.send(get("/good")).await.unwrap().expect(200);
    })
    .await;
    pair.a.stop();
    for _ in 0..20 {
        assert_eq!(http.send(get("/good")).await.unwrap().expect(200).text(), "b");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_on_a_quiet_site_never_takes_the_last_instance() {
    // Nobody else asks for anything, so the window hears of nothing that works: the service may move, but not go.
    for poison in [PAGE_504, ""] {
        let pair = Pair::of(poisoned("a", poison).await, poisoned("b", poison).await).await;
        let http = pair.gatekeeper.h1();
        attack(async || {
            http.send(get("/poison")).await.unwrap();
        })
        .await;
        // At once, and not after a quiet time.
        for _ in 0..20 {
            http.send(get("/good")).await.unwrap().expect(200);
        }
    }
}
