//! WebSockets and other upgrades: tunnelled after a correct 101 only, and no longer than their instance lives.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::client::{get, login, read_quiet};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::upstream::Upstream;
use crate::support::ws::Events;

const EVENTS: &str = "/API/ws/events/v1";
const SOON: Duration = Duration::from_secs(5);

async fn pair() -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    for service in ["identity", "config", "events"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    (a, b, gatekeeper)
}

#[tokio::test(flavor = "multi_thread")]
async fn events_flow_through_a_socket() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    for path in [EVENTS, "/api/WS/events/v1/"] {
        let mut socket = Events::connect(&http, path, Some(&token)).await.unwrap();
        socket.subscribe().await;
        let event = socket.events().await.remove(0);
        let id = event["id"].as_str().unwrap().to_lowercase();
        let oracle = a.events().await;
        assert!(oracle.iter().any(|e| e["id"].as_str().is_some_and(|i| i.to_lowercase() == id)), "{event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_may_authenticate_inside() {
    let (_a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let mut socket = Events::connect(&http, EVENTS, None).await.unwrap();
    let bearer = format!("Bearer {token}");
    let reply = socket.command(json!({"command": "authenticate", "commandId": 0, "token": bearer})).await;
    assert_eq!(reply["status"], 200, "{reply}");
    socket.subscribe().await;
    assert!(!socket.events().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_with_a_bad_token_is_refused() {
    let (_a, _b, gatekeeper) = pair().await;
    let refused = Events::connect(&gatekeeper.h1(), EVENTS, Some("no.such.token")).await.err();
    assert_eq!(refused.map(|r| r.0), Some(401));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_its_instance_and_opens_again_on_the_other() {
    for mode in ["kill", "hang"] {
        let (mut a, b, gatekeeper) = pair().await;
        let http = gatekeeper.h1();
        let token = login(&http).await;
        let mut socket = Events::connect(&http, EVENTS, Some(&token)).await.unwrap();
        socket.subscribe().await;
        match mode {
            "kill" => a.kill(),
            _ => a.fault("all", mode).await,
        }
        assert!(socket.ends_within(SOON).await, "{mode}: the socket is still open");
        gatekeeper.wait_serving("events", "b").await;
        gatekeeper.wait_serving("identity", "b").await;
        let token = login(&http).await;
        let mut socket = Events::connect(&http, EVENTS, Some(&token)).await.unwrap();
        socket.subscribe().await;
        let event = socket.events().await.remove(0);
        let oracle = b.events().await;
        assert!(oracle.iter().any(|e| e["id"] == event["id"]), "{mode}: {event} is not of b");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_still_carries_events_is_not_cut_because_others_fail() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let mut socket = Events::connect(&http, EVENTS, Some(&token)).await.unwrap();
    socket.subscribe().await;
    a.fault("config", "page503").await;
    gatekeeper.wait_serving("config", "b").await;
    assert!(!socket.events().await.is_empty());
    assert!(!socket.events().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_sockets_and_does_not_wait_for_them() {
    let (_a, _b, mut gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let mut socket = Events::connect(&http, EVENTS, Some(&token)).await.unwrap();
    socket.subscribe().await;
    gatekeeper.process.signal("TERM");
    assert!(socket.ends_within(SOON).await, "the socket is still open");
    assert_eq!(gatekeeper.process.exit(SOON).code(), Some(0));
}

/// A server that answers upgrades with these headers and then echoes bytes.
async fn upgrading(head: &'static str) -> (Upstream, Gatekeeper) {
    let upstream = Upstream::start(move |mut link, seen| {
        Box::pin(async move {
            if seen.value("upgrade").is_empty() {
                link.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain").await?;
                return Some(link);
            }
            link.write(head.as_bytes()).await?;
            while let Some(bytes) = link.take().await {
                link.write(&bytes).await?;
            }
            None
        })
    })
    .await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    (upstream, gatekeeper)
}

const REQUEST: &[u8] = b"GET /ws HTTP/1.1\r\nHost: vms.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_correct_101_opens_a_tunnel_for_any_bytes() {
    let (_upstream, gatekeeper) = upgrading(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    )
    .await;
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    socket.write_all(REQUEST).await.unwrap();
    socket.flush().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    let sent: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let (mut read, mut write) = tokio::io::split(socket);
    let writer = tokio::spawn({
        let sent = sent.clone();
        async move {
            write.write_all(&sent).await.unwrap();
            write.flush().await.unwrap();
            write
        }
    });
    let mut echo = vec![0; sent.len()];
    tokio::time::timeout(SOON, read.read_exact(&mut echo)).await.expect("the echo in time").unwrap();
    assert_eq!(echo, sent);
    writer.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_101_opens_nothing() {
    let wrong = [
        (
            "a wrong key",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n",
        ),
        ("no key", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
        (
            "another protocol",
            "Connection: Upgrade\r\nUpgrade: other\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
        ),
    ];
    for (what, headers) in wrong {
        let head = format!("HTTP/1.1 101 Switching Protocols\r\n{headers}\r\n");
        let (_upstream, gatekeeper) = upgrading(Box::leak(head.into_boxed_str())).await;
        let answer = gatekeeper.h1().bytes(REQUEST, Duration::from_secs(2)).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 502"), "{what}: {}", String::from_utf8_lossy(&answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_upgrade_is_an_ordinary_answer() {
    let (upstream, gatekeeper) = upgrading("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    socket.write_all(REQUEST).await.unwrap();
    // Whoever thinks that a tunnel is open now would pass this on as it is.
    socket.write_all(b"GET /second HTTP/1.1\r\nHost: vms.test\r\n\r\n").await.unwrap();
    socket.flush().await.unwrap();
    let answer = String::from_utf8(read_quiet(&mut socket, Duration::from_secs(1)).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    for seen in upstream.seen().iter().filter(|s| s.line().contains("/second")) {
        assert_eq!(seen.values("x-forwarded-for"), ["127.0.0.1"], "it passed as a request or not at all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h2c_is_not_offered_to_instances() {
    let (upstream, gatekeeper) =
        upgrading("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").await;
    let request = get("/x")
        .header("connection", "Upgrade, HTTP2-Settings")
        .header("upgrade", "h2c")
        .header("http2-settings", "AAMAAABkAARAAAAAAAIAAAAA");
    let reply = gatekeeper.h1().send(request).await.unwrap();
    assert!([200, 400].contains(&reply.status), "{}", reply.status);
    for seen in upstream.seen() {
        assert!(
            seen.values("upgrade").is_empty() && seen.values("http2-settings").is_empty(),
            "{}",
            seen.head
        );
    }
}
