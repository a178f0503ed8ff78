//! Instances and clients that keep the rules, but only just.

use std::time::Duration;

use crate::support::client::{call, get};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::until;
use crate::support::upstream::{Upstream, ok};

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_closes_without_a_word_costs_nothing() {
    let upstream = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.read_body().await?;
            link.write(&ok("once")).await?;
            None
        })
    })
    .await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let http = gatekeeper.h1();
    let mut conn = http.connect().await.unwrap();
    for n in 0..50 {
        conn.send(&http.host, get(&format!("/get/{n}"))).await.unwrap().expect(200);
    }
    for n in 0..50 {
        // A close that crosses the request leaves its outcome unknown; more than once it is never sent.
        let reply = conn.send(&http.host, call("POST", &format!("/post/{n}")).body("x")).await.unwrap();
        assert!([200, 502].contains(&reply.status), "{}", reply.status);
    }
    let posts: Vec<String> =
        upstream.seen().iter().map(|s| s.line().to_owned()).filter(|l| l.starts_with("POST")).collect();
    let mut once = posts.clone();
    once.dedup();
    assert_eq!(posts, once, "a POST was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_before_the_end_of_the_request_reaches_the_client() {
    let upstream = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")
                .await?;
            // Reads on for a while, so that the answer is not lost to a reset.
            for _ in 0..1000 {
                tokio::time::timeout(Duration::from_secs(1), link.take()).await.ok()??;
            }
            None
        })
    })
    .await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let reply = http.send(call("POST", "/big").body(vec![b'x'; 300_000])).await.unwrap().expect(413);
        assert_eq!(reply.text(), "no!");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_http_1_0_gets_an_answer_it_understands() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let upstream = Upstream::answering(chunked).await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let request = b"GET /x HTTP/1.0\r\nHost: vms.test\r\n\r\n";
    let answer = gatekeeper.h1().bytes(request, Duration::from_secs(3)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains(" 200 ") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    assert!(!answer.to_lowercase().contains("transfer-encoding"), "{answer}");
    assert_eq!(upstream.seen()[0].line(), "GET /x HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_length_ends_with_its_connection() {
    let upstream = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.write(b"HTTP/1.1 200 OK\r\n\r\nuntil the end").await?;
            None
        })
    })
    .await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let mut conn = http.connect().await.unwrap();
        for _ in 0..2 {
            let reply = conn.send(&http.host, get("/x")).await.unwrap().expect(200);
            assert_eq!(reply.text(), "until the end");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let upstream = Upstream::start(|mut link, seen| {
        Box::pin(async move {
            let path = seen.line().split(' ').nth(1)?.to_owned();
            link.write(&ok(&path)).await?;
            Some(link)
        })
    })
    .await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let mut requests = String::new();
    for n in 0..20 {
        requests.push_str(&format!("GET /n/{n} HTTP/1.1\r\nHost: vms.test\r\n\r\n"));
    }
    requests.push_str("GET /last HTTP/1.1\r\nHost: vms.test\r\nConnection: close\r\n\r\n");
    let answer = gatekeeper.h1().bytes(requests.as_bytes(), Duration::from_secs(5)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let bodies: Vec<&str> =
        answer.split("HTTP/1.1 200 OK").filter_map(|a| a.split("\r\n\r\n").nth(1)).collect();
    let wanted: Vec<String> = (0..20).map(|n| format!("/n/{n}")).chain(["/last".into()]).collect();
    assert_eq!(bodies, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_in_single_bytes_is_a_head() {
    use tokio::io::AsyncWriteExt;
    let upstream = Upstream::saying("patient").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    for byte in b"GET /x HTTP/1.1\r\nHost: vms.test\r\nConnection: close\r\n\r\n" {
        socket.write_all(&[*byte]).await.unwrap();
        socket.flush().await.unwrap();
    }
    let answer = crate::support::client::read_quiet(&mut socket, Duration::from_secs(5)).await;
    assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(b"patient"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_dies_inside_an_answer_is_not_hidden() {
    // The first half is with the client already: neither a repeat nor a clean end would be honest.
    let (a, b) = (
        Upstream::start(|mut link, _| {
            Box::pin(async move {
                link.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n").await?;
                None
            })
        })
        .await,
        Upstream::saying("from b").await,
    );
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url()), ("b", &b.url())])).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let outcome = http.send(get("/x")).await;
        match outcome {
            Err(_) => {}
            Ok(reply) => assert_ne!(reply.text(), "first", "half an answer looks complete"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_after_a_death_does_not_wait_for_a_probe() {
    let (a, b) = (Upstream::saying("a").await, Upstream::saying("b").await);
    let config = Config::http(&[("a", &a.url()), ("b", &b.url())]).table("health", "interval = \"30s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    let http = gatekeeper.h1();
    let mut conn = http.connect().await.unwrap();
    assert_eq!(conn.send(&http.host, get("/x")).await.unwrap().expect(200).text(), "a");
    a.stop();
    // Its last connection ends when its task does.
    let mut last = "a".to_owned();
    while last == "a" {
        last = conn.send(&http.host, get("/x")).await.unwrap().expect(200).text().to_owned();
    }
    for _ in 0..10 {
        assert_eq!(conn.send(&http.host, get("/x")).await.unwrap().expect(200).text(), "b");
    }
    // The refused connection started a burst of probes: the table knows long before the next round.
    until("the table says so", async || gatekeeper.serving("hq", "http").await.as_deref() == Some("b")).await;
}

/// M3: without a length, hyper sent no body with a GET, and nobody was told.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_a_length_arrives_whatever_the_method() {
    use bytes::Bytes;
    use http_body::Frame;
    use http_body_util::{BodyExt, StreamBody};
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    for method in ["GET", "OPTIONS", "DELETE", "POST", "PUT"] {
        for http in [gatekeeper.h1(), gatekeeper.h2()] {
            let parts = ["first", "second"].map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes()))));
            let body = BodyExt::boxed(StreamBody::new(futures_util::stream::iter(parts)));
            let request = call(method, "/x").header("transfer-encoding", "chunked");
            // HTTP/2 has no such header, and needs none.
            let request = if http.h2 { call(method, "/x") } else { request };
            let reply = http.connect().await.unwrap().stream(&http.host, request, body).await.unwrap();
            assert_eq!(reply.status(), 200, "{method}");
            let seen = upstream.seen().pop().unwrap();
            let text = String::from_utf8(seen.body.clone()).unwrap();
            assert!(text.contains("first") && text.contains("second"), "{method}: {text:?} of {}", seen.head);
        }
    }
}
