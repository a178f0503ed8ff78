//! HTTP/2 frames by hand: malformed requests and floods.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::client::{Socket, get};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::upstream::Upstream;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = vec![length[1], length[2], length[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// Literal fields, no table, no Huffman code: what is written is what is meant.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in fields {
        out.push(0);
        for text in [name, value] {
            out.push(u8::try_from(text.len()).expect("short enough for one byte of length") & 0x7f);
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

fn good(path: &str) -> Vec<(&str, &str)> {
    vec![(":method", "GET"), (":scheme", "https"), (":authority", "vms.test"), (":path", path)]
}

async fn setup() -> (Upstream, Gatekeeper) {
    let upstream = Upstream::saying("fine").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    (upstream, gatekeeper)
}

/// A connection past the preface.
async fn open(gatekeeper: &Gatekeeper) -> Box<dyn Socket> {
    let mut socket = gatekeeper.h2().raw().await.unwrap();
    socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    socket.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    socket.flush().await.unwrap();
    socket
}

#[derive(Debug, PartialEq)]
enum Outcome {
    /// The first byte of the header block: 0x88 is `:status 200`.
    Answered(u8),
    Reset,
    GoAway,
    Closed,
    Silent,
}

/// What becomes of stream 1.
async fn outcome(socket: &mut Box<dyn Socket>) -> Outcome {
    loop {
        let mut head = [0; 9];
        match tokio::time::timeout(Duration::from_secs(5), socket.read_exact(&mut head)).await {
            Err(_) => return Outcome::Silent,
            Ok(Err(_)) => return Outcome::Closed,
            Ok(Ok(_)) => {}
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let mut payload = vec![0; length];
        if socket.read_exact(&mut payload).await.is_err() {
            return Outcome::Closed;
        }
        match head[3] {
            // A table size update may stand before the status.
            HEADERS => return Outcome::Answered(payload.into_iter().find(|b| b & 0xe0 != 0x20).unwrap()),
            RST_STREAM => return Outcome::Reset,
            GOAWAY => return Outcome::GoAway,
            _ => {}
        }
    }
}

async fn one(gatekeeper: &Gatekeeper, fields: &[(&str, &str)], data: Option<&[u8]>) -> Outcome {
    let mut socket = open(gatekeeper).await;
    let end = if data.is_none() { END_STREAM } else { 0 };
    socket.write_all(&frame(HEADERS, END_HEADERS | end, 1, &block(fields))).await.unwrap();
    if let Some(data) = data {
        let _ = socket.write_all(&frame(DATA, END_STREAM, 1, data)).await;
    }
    let _ = socket.flush().await;
    outcome(&mut socket).await
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_by_hand_are_understood() {
    let (upstream, gatekeeper) = setup().await;
    assert_eq!(one(&gatekeeper, &good("/x"), None).await, Outcome::Answered(0x88));
    assert_eq!(upstream.seen()[0].line(), "GET /x HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_do_not_reach_the_instance() {
    let (upstream, gatekeeper) = setup().await;
    let with = |name: &'static str, value: &'static str| {
        let mut fields = good("/x");
        fields.push((name, value));
        fields
    };
    let replaced = |at: usize, value: &'static str| {
        let mut fields = good("/x");
        fields[at].1 = value;
        fields
    };
    let without = |at: usize| {
        let mut fields = good("/x");
        fields.remove(at);
        fields
    };
    let smuggle = " HTTP/1.1\r\nHost: vms.test\r\n\r\nGET /smuggled";
    let table = [
        ("connection header", with("connection", "close")),
        ("transfer-encoding header", with("transfer-encoding", "chunked")),
        ("upgrade header", with("upgrade", "websocket")),
        ("keep-alive header", with("keep-alive", "timeout=5")),
        ("te other than trailers", with("te", "gzip")),
        ("upper-case name", with("X-Upper", "1")),
        ("line break in a value", with("x-a", "1\r\nX-Smuggled: 1")),
        ("bare line feed in a value", with("x-a", "1\nX-Smuggled: 1")),
        ("NUL in a value", with("x-a", "a\0b")),
        ("line break in a name", with("x-a: 1\r\nx-b", "1")),
        ("space in a name", with("x a", "1")),
        ("colon in a name", with("x-a:", "1")),
        ("empty name", with("", "1")),
        ("pseudo-header at the end", with(":path", "/y")),
        ("unknown pseudo-header", with(":proto", "x")),
        ("pseudo-header of answers", with(":status", "200")),
        ("no method", without(0)),
        ("no path", without(3)),
        ("empty path", replaced(3, "")),
        ("space in the path", replaced(3, "/x y")),
        ("request line in the path", replaced(3, Box::leak(format!("/x{smuggle}").into_boxed_str()))),
        ("line break in the method", replaced(0, "GET / HTTP/1.1\r\nHost: vms.test\r\n\r\nGET")),
        ("line break in the authority", replaced(2, "vms.test\r\nX-Smuggled: 1")),
        ("user in the authority", replaced(2, "admin@vms.test")),
        ("path without a slash", replaced(3, "x")),
        ("dots in the path", replaced(3, "/a/../x")),
        ("TRACE", replaced(0, "TRACE")),
        ("another host beside the authority", with("host", "evil.unknown")),
        ("two content-lengths", {
            let mut fields = with("content-length", "0");
            fields.push(("content-length", "5"));
            fields
        }),
    ];
    let mut wrong = Vec::new();
    for (what, fields) in &table {
        let seen = upstream.seen().len();
        let outcome = one(&gatekeeper, fields, None).await;
        if outcome == Outcome::Answered(0x88) || outcome == Outcome::Silent || upstream.seen().len() > seen {
            let reached = upstream.seen().split_off(seen);
            wrong.push(format!("{what}: {outcome:?}, at the instance {reached:?}"));
        }
    }
    let long = one(&gatekeeper, &with("content-length", "5"), Some(b"longer than five")).await;
    if upstream.seen().iter().any(|s| s.body.len() > 5) || long == Outcome::Silent {
        wrong.push(format!("more data than announced: {long:?}, {:?}", upstream.seen().last()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    gatekeeper.h2().send(get("/well-behaved")).await.unwrap().expect(200);
}

/// Sends `flood` until it is refused or all is sent, while another client is served.
async fn survives(flood: impl Iterator<Item = Vec<u8>> + Send + 'static) {
    let (_upstream, gatekeeper) = setup().await;
    let mut socket = open(&gatekeeper).await;
    let attacker = tokio::spawn(async move {
        for bytes in flood {
            if socket.write_all(&bytes).await.is_err() {
                return true;
            }
        }
        let _ = socket.flush().await;
        // Not one byte was read until now; whoever gave up has closed by the end of this.
        let mut sink = vec![0; 64 * 1024];
        let end = async { while socket.read(&mut sink).await.is_ok_and(|n| n > 0) {} };
        tokio::time::timeout(Duration::from_secs(5), end).await.is_ok()
    });
    let start = Instant::now();
    let (h1, h2) = (gatekeeper.h1(), gatekeeper.h2());
    while !attacker.is_finished() {
        for http in [&h1, &h2] {
            let asked = Instant::now();
            http.send(get("/other")).await.unwrap().expect(200);
            assert!(asked.elapsed() < Duration::from_secs(5), "another client waited {:?}", asked.elapsed());
        }
        assert!(start.elapsed() < Duration::from_secs(60), "the flood never ended");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", gatekeeper.process.id())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    let peak: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(peak < 150 * 1024, "{peak} KiB at the most");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rapid_reset_flood_hurts_nobody_else() {
    survives((0..20_000_u32).map(|n| {
        let stream = 2 * n + 1;
        let mut bytes = frame(HEADERS, END_HEADERS | END_STREAM, stream, &block(&good("/flood")));
        bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        bytes
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuation_flood_hurts_nobody_else() {
    let first = frame(HEADERS, END_STREAM, 1, &block(&good("/flood")));
    let more = (0..20_000).map(|n| {
        let value = "v".repeat(100);
        frame(CONTINUATION, 0, 1, &block(&[(&format!("x-{n}"), &value)]).repeat(10))
    });
    survives(std::iter::once(first).chain(more)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settings_flood_hurts_nobody_else() {
    survives((0..100_000).map(|_| frame(SETTINGS, 0, 0, &[]))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_flood_hurts_nobody_else() {
    survives((0..100_000_u64).map(|n| frame(PING, 0, 0, &n.to_be_bytes()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_data_flood_hurts_nobody_else() {
    let mut fields = good("/flood");
    fields[0].1 = "POST";
    let first = frame(HEADERS, END_HEADERS, 1, &block(&fields));
    survives(std::iter::once(first).chain((0..100_000).map(|_| frame(DATA, 0, 1, &[])))).await;
}
