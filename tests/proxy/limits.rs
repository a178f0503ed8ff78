//! Clients that begin and do not finish: handshakes, heads. They must cost nobody else anything, and hold up no stop.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::client::{Socket, call, get, read_quiet, read_until};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::until;
use crate::support::upstream::{Upstream, ok};

/// File descriptors of the gatekeeper. Its connections may take up less than half of them.
const FILES: u32 = 400;

/// H3: connections counted only after their handshake. Strangers who said nothing used up the file descriptors, and then
/// the gatekeeper could not connect to its healthy instances and declared them down.
#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_never_end_leave_room_for_the_instances() {
    // Closes after each answer, so that every request needs a new connection.
    let closing = |name: &'static str| {
        Upstream::start(move |mut link, _| {
            Box::pin(async move {
                link.read_body().await?;
                link.write(&ok(name)).await?;
                None
            })
        })
    };
    let (a, b) = (closing("a").await, closing("b").await);
    let config = Config::http(&[("a", &a.url()), ("b", &b.url())]).table("runtime", "workers = 1");
    let gatekeeper = Gatekeeper::with_files(FILES, config);
    gatekeeper.wait_ready().await;
    gatekeeper.wait_up("b", "http", true).await;
    let http = gatekeeper.h1();
    let mut client = http.connect().await.unwrap();
    client.send(&http.host, get("/before")).await.unwrap().expect(200);
    let mut silent = Vec::new();
    for _ in 0..500 {
        silent.push(TcpStream::connect(gatekeeper.listener()).await.unwrap());
    }
    until("no more connections are taken", async || {
        gatekeeper.metric("gatekeeper_refused_total", &[("reason", "too-many-connections")]).await >= 1.0
    })
    .await;
    for n in 0..40 {
        let request = if n % 2 == 0 { get("/get") } else { call("POST", "/post").body("1") };
        let reply = client.send(&http.host, request).await.unwrap().expect(200);
        assert_eq!(reply.text(), "a", "the service has moved");
    }
    let open = std::fs::read_dir(format!("/proc/{}/fd", gatekeeper.process.id())).unwrap().count();
    assert!(open < 300, "{open} of {FILES} file descriptors are in use");
    let log = gatekeeper.process.log();
    assert!(!log.contains("service is down"), "{log}");
    drop(silent);
    until("new clients are served", async || http.send(get("/after")).await.is_ok_and(|r| r.status == 200))
        .await;
}

const WHOLE: &str = "GET /whole HTTP/1.1\r\nHost: vms.test\r\n\r\n";
const WHOLE_POST: &str = "POST /whole HTTP/1.1\r\nHost: vms.test\r\nContent-Length: 4\r\n\r\nbody";
const HALF: &str = "GET /half HTTP/1.1\r\nHo";

/// A connection in the middle of a head; before it, `first` was answered. Both are sent at once.
async fn half_a_head(gatekeeper: &Gatekeeper, first: &str) -> Box<dyn Socket> {
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    socket.write_all(format!("{first}{HALF}").as_bytes()).await.unwrap();
    socket.flush().await.unwrap();
    if !first.is_empty() {
        read_until(&mut socket, "the answer").await;
    }
    socket
}

/// M4: half a head behind a finished request lay in hyper's buffer, where nobody saw it, and had five minutes instead of
/// ten seconds. (Behind a request with a body it still has: where the body ends cannot be told from its bytes.)
async fn half_a_head_is_cut(first: &str) {
    let upstream = Upstream::saying("the answer").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let mut socket = half_a_head(&gatekeeper, first).await;
    is_cut(&gatekeeper, &mut socket, first).await;
}

async fn is_cut(gatekeeper: &Gatekeeper, socket: &mut Box<dyn Socket>, first: &str) {
    let rest = timeout(Duration::from_secs(18), read_quiet(socket, Duration::from_secs(60))).await;
    assert!(rest.is_ok(), "half a head behind {first:?} is still waited for");
    let refused = gatekeeper.metric("gatekeeper_refused_total", &[("reason", "head-timeout")]).await;
    assert_eq!(refused, 1.0, "it ended for another reason");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_has_ten_seconds() {
    half_a_head_is_cut("").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_behind_a_whole_request_has_ten_seconds() {
    half_a_head_is_cut(WHOLE).await;
}

/// M4, with the half head not beside the request, but while it is being served.
#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_that_came_during_a_request_has_ten_seconds() {
    let (go, wait) = tokio::sync::watch::channel(false);
    let upstream = Upstream::start(move |mut link, _| {
        let mut wait = wait.clone();
        Box::pin(async move {
            wait.wait_for(|go| *go).await.ok()?;
            link.write(&ok("the answer")).await?;
            Some(link)
        })
    })
    .await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    socket.write_all(WHOLE.as_bytes()).await.unwrap();
    socket.flush().await.unwrap();
    until("the request is at the instance", async || upstream.seen().len() == 1).await;
    socket.write_all(HALF.as_bytes()).await.unwrap();
    socket.flush().await.unwrap();
    // A round trip on another connection: what was written before has been read, or will be next.
    gatekeeper.h1().bytes(b"GET nonsense\r\n\r\n", Duration::from_secs(5)).await.unwrap();
    go.send(true).unwrap();
    read_until(&mut socket, "the answer").await;
    is_cut(&gatekeeper, &mut socket, "a request in progress").await;
}

/// M5: a stop waited for heads and handshakes that nobody finishes.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_what_has_not_begun() {
    let upstream = Upstream::saying("the answer").await;
    let config = Config::http(&[("a", &upstream.url())])
        .table("runtime", "workers = 1")
        .table("listener", "drain_timeout = \"60s\"");
    let mut gatekeeper = Gatekeeper::ready(config).await;
    let silent = TcpStream::connect(gatekeeper.listener()).await.unwrap();
    let mut hello = TcpStream::connect(gatekeeper.listener()).await.unwrap();
    // The beginning of a TLS record.
    hello.write_all(&[0x16, 0x03, 0x01, 0x02]).await.unwrap();
    let mut open = vec![half_a_head(&gatekeeper, "").await];
    // Answered after those above were read: there is only one core.
    for first in [WHOLE, WHOLE_POST] {
        open.push(half_a_head(&gatekeeper, first).await);
    }
    gatekeeper.process.signal("TERM");
    // Before any of the limits of ten seconds helps.
    let status = gatekeeper.process.exit(Duration::from_secs(7));
    assert_eq!(status.code(), Some(0));
    drop((silent, hello, open));
}
