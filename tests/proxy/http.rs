//! HTTP itself: framing, streaming, the odd methods and statuses, headers that must or must not pass.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::support::client::{call, get, read_quiet};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::upstream::Upstream;
use crate::support::{PATIENCE, until};

/// The gatekeeper before one web server.
async fn before(upstream: &Upstream) -> Gatekeeper {
    Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn head_204_and_304_have_no_body_and_keep_the_connection() {
    let upstream = Upstream::start(|mut link, seen| {
        Box::pin(async move {
            let answer: &[u8] = match seen.line().split(' ').nth(1)? {
                "/204" => b"HTTP/1.1 204 No Content\r\n\r\n",
                "/304" => b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
                _ if seen.line().starts_with("HEAD") => b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
                _ => b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            };
            link.write(answer).await?;
            Some(link)
        })
    })
    .await;
    let gatekeeper = before(&upstream).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let mut conn = http.connect().await.unwrap();
        let head = conn.send(&http.host, call("HEAD", "/x")).await.unwrap().expect(200);
        assert_eq!((head.header("content-length"), head.body.len()), ("5", 0));
        assert!(conn.send(&http.host, get("/204")).await.unwrap().expect(204).body.is_empty());
        let not_modified = conn.send(&http.host, get("/304")).await.unwrap().expect(304);
        assert_eq!((not_modified.header("etag"), not_modified.body.len()), ("\"x\"", 0));
        assert_eq!(conn.send(&http.host, get("/x")).await.unwrap().expect(200).text(), "hello");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_streams_both_ways_without_being_held() {
    const PIECE: usize = 1 << 20;
    const PIECES: usize = 64;
    let upstream = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.write(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", PIECE * PIECES).as_bytes())
                .await?;
            let mut echoed = 0;
            while echoed < PIECE * PIECES {
                let part = link.take().await?;
                echoed += part.len();
                link.write(&part).await?;
            }
            Some(link)
        })
    })
    .await;
    let gatekeeper = before(&upstream).await;
    let before = peak_memory(&gatekeeper);
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let (feed, pieces) = mpsc::channel::<Bytes>(1);
        let stream = futures_util::stream::unfold(pieces, |mut p| async {
            p.recv().await.map(|bytes| (Ok(Frame::data(bytes)), p))
        });
        let body = BodyExt::boxed(StreamBody::new(sync(stream)));
        let length = (PIECE * PIECES).to_string();
        let request = call("POST", "/echo").header("content-length", &length);
        let mut conn = http.connect().await.unwrap();
        feed.send(vec![0; PIECE].into()).await.unwrap();
        let mut answer = conn.stream(&http.host, request, body).await.unwrap();
        // The next piece is sent only when the last came back: nothing waits for the whole.
        for n in 0..PIECES {
            let mut left = PIECE;
            while left > 0 {
                let frame = tokio::time::timeout(PATIENCE, answer.body_mut().frame()).await;
                let frame = frame.expect("the echo in time").expect("more of the echo").unwrap();
                let data = frame.into_data().unwrap();
                assert!(data.iter().all(|b| usize::from(*b) == n), "piece {n} is intact");
                left -= data.len();
            }
            if n + 1 < PIECES {
                feed.send(vec![u8::try_from(n + 1).unwrap(); PIECE].into()).await.unwrap();
            }
        }
    }
    let grown = peak_memory(&gatekeeper) - before;
    assert!(grown < 32 << 20, "{grown} bytes more for 64 MiB");
}

/// Makes a stream shareable, which a boxed body has to be.
fn sync<S: futures_util::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + 'static>(
    stream: S,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send + Sync + 'static {
    let stream = std::sync::Mutex::new(Box::pin(stream));
    futures_util::stream::poll_fn(move |cx| stream.lock().unwrap().as_mut().poll_next(cx))
}

/// The most memory it ever had resident, in bytes.
fn peak_memory(gatekeeper: &Gatekeeper) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", gatekeeper.process.id())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_request_arrives_whole_with_one_framing_header() {
    let upstream = Upstream::saying("thanks").await;
    let gatekeeper = before(&upstream).await;
    let request = b"POST /in HTTP/1.1\r\nHost: vms.test\r\nTransfer-Encoding: chunked\r\n\r\n\
                    5;ext=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let answer = gatekeeper.h1().bytes(request, Duration::from_secs(1)).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    let seen = upstream.seen().remove(0);
    assert_eq!(
        seen.values("transfer-encoding").len() + seen.values("content-length").len(),
        1,
        "{}",
        seen.head
    );
    assert_eq!(unchunk(&seen.body), b"hello world");
}

/// The content of a chunked body that is known to be well-formed.
fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    loop {
        let end = body.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return content;
        }
        content.extend_from_slice(&body[end + 2..end + 2 + size]);
        body = &body[end + 4 + size..];
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_answer_and_its_trailers_reach_the_client() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 42\r\n\r\n",
    )
    .await;
    let gatekeeper = before(&upstream).await;
    let http = gatekeeper.h2();
    let mut conn = http.connect().await.unwrap();
    let answer = conn.start(&http.host, get("/t").header("te", "trailers")).await.unwrap();
    let all = answer.into_body().collect().await.unwrap();
    assert_eq!(all.trailers().and_then(|t| t.get("x-sum")).map(|v| v.as_bytes()), Some(&b"42"[..]));
    assert_eq!(all.to_bytes(), "abcde");
    assert_eq!(gatekeeper.h1().send(get("/t")).await.unwrap().expect(200).text(), "abcde");
}

#[tokio::test(flavor = "multi_thread")]
async fn expect_100_continue_is_answered_before_the_body_is_sent() {
    let upstream = Upstream::saying("got it").await;
    let gatekeeper = before(&upstream).await;
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    let head = b"PUT /in HTTP/1.1\r\nHost: vms.test\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    socket.write_all(head).await.unwrap();
    socket.flush().await.unwrap();
    let first = read_quiet(&mut socket, Duration::from_secs(2)).await;
    assert!(first.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&first));
    socket.write_all(b"body").await.unwrap();
    socket.flush().await.unwrap();
    let rest = read_quiet(&mut socket, Duration::from_secs(2)).await;
    assert!(rest.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&rest));
    assert_eq!(upstream.seen()[0].body, b"body");
}

#[tokio::test(flavor = "multi_thread")]
async fn interim_answers_of_the_instance_do_not_disturb() {
    let upstream = Upstream::answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone",
    )
    .await;
    let gatekeeper = before(&upstream).await;
    let http = gatekeeper.h1();
    let mut conn = http.connect().await.unwrap();
    for _ in 0..3 {
        assert_eq!(conn.send(&http.host, get("/x")).await.unwrap().expect(200).text(), "done");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_shorter_than_announced_is_an_error_for_the_client() {
    let upstream = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this").await?;
            None
        })
    })
    .await;
    let gatekeeper = before(&upstream).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let outcome = http.send(get("/short")).await;
        assert!(outcome.as_ref().map_or(true, |r| r.status == 502), "a cut body looks complete: {outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_longer_than_announced_does_not_leak_into_the_next_answer() {
    let upstream = Upstream::start(|mut link, seen| {
        Box::pin(async move {
            if seen.line().contains("/long") {
                let poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
                link.write(format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok{poison}").as_bytes())
                    .await?;
            } else {
                link.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean").await?;
            }
            Some(link)
        })
    })
    .await;
    let gatekeeper = before(&upstream).await;
    let http = gatekeeper.h1();
    let mut conn = http.connect().await.unwrap();
    for _ in 0..10 {
        assert_eq!(conn.send(&http.host, get("/long")).await.unwrap().expect(200).text(), "ok");
        assert_eq!(conn.send(&http.host, get("/next")).await.unwrap().expect(200).text(), "clean");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_arrives_as_it_comes() {
    let upstream = Upstream::start(|mut link, _| {
        Box::pin(async move {
            link.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n").await?;
            // The client shows that it has a byte by asking for the next.
            for n in 0..8_u8 {
                link.write(&[b'0' + n]).await?;
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            Some(link)
        })
    })
    .await;
    let gatekeeper = before(&upstream).await;
    let http = gatekeeper.h1();
    let mut conn = http.connect().await.unwrap();
    let mut body = conn.start(&http.host, get("/slow")).await.unwrap().into_body();
    let mut parts = Vec::new();
    while let Some(frame) = body.frame().await {
        parts.push(frame.unwrap().into_data().unwrap());
    }
    assert!(parts.len() > 1, "it was collected: {parts:?}");
    assert_eq!(parts.concat(), b"01234567");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_html_answer_passes_as_it_is() {
    let upstream = Upstream::answering(
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>no</html>",
    )
    .await;
    let gatekeeper = before(&upstream).await;
    let reply = gatekeeper.h1().send(get("/nothing")).await.unwrap().expect(404);
    assert_eq!((reply.header("content-type"), reply.text()), ("text/html", "<html>no</html>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_http_is_a_502() {
    let upstream = Upstream::answering("this is not HTTP at all\r\n\r\n").await;
    let gatekeeper = before(&upstream).await;
    let reply = gatekeeper.h1().send(call("POST", "/x").body("1")).await.unwrap().expect(502);
    assert!(!reply.header("gatekeeper-reason").is_empty(), "{:?}", reply.headers);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_passed_on_and_never_followed() {
    let other = Upstream::saying("should not be asked").await;
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {}/x\r\nContent-Length: 0\r\n\r\n", other.url());
    let upstream = Upstream::answering(answer).await;
    let gatekeeper = before(&upstream).await;
    let reply = gatekeeper.h1().send(get("/go")).await.unwrap().expect(302);
    assert_eq!(reply.header("location"), format!("{}/x", other.url()), "a foreign host is left alone");
    assert_eq!((upstream.seen().len(), other.seen().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn hop_by_hop_headers_end_here() {
    let upstream = Upstream::answering(
        "HTTP/1.1 200 OK\r\nConnection: X-Back\r\nX-Back: 1\r\nKeep-Alive: timeout=9\r\nX-Stays: 2\r\nContent-Length: 0\r\n\r\n",
    )
    .await;
    let gatekeeper = before(&upstream).await;
    let request = get("/x")
        .header("connection", "keep-alive, X-Mine")
        .header("x-mine", "1")
        .header("keep-alive", "timeout=5")
        .header("proxy-connection", "keep-alive")
        .header("proxy-authorization", "Basic c2VjcmV0")
        .header("x-stays", "2");
    let reply = gatekeeper.h1().send(request).await.unwrap().expect(200);
    let seen = upstream.seen().remove(0);
    for gone in ["x-mine", "keep-alive", "proxy-connection", "proxy-authorization"] {
        assert!(seen.values(gone).is_empty(), "{gone} in\n{}", seen.head);
    }
    assert_eq!(seen.value("x-stays"), "2");
    assert_eq!((reply.header("x-back"), reply.header("keep-alive"), reply.header("x-stays")), ("", "", "2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarding_headers_are_ours_alone() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = before(&upstream).await;
    let lies =
        ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "proxy"];
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let request = lies.iter().fold(get("/x"), |r, name| r.header(name, "6.6.6.6"));
        http.send(request).await.unwrap().expect(200);
    }
    for seen in upstream.seen() {
        assert!(!seen.head.contains("6.6.6.6"), "{}", seen.head);
        assert_eq!(seen.values("x-forwarded-for"), ["127.0.0.1"]);
        assert_eq!(seen.values("x-forwarded-proto"), ["https"]);
        assert_eq!(seen.values("x-forwarded-host"), ["vms.test"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_may_say_who_the_client_is() {
    let upstream = Upstream::saying("ok").await;
    let config =
        Config::http(&[("a", &upstream.url())]).table("listener", "trusted_proxies = [\"127.0.0.1/32\"]");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.h1().send(get("/x").header("x-forwarded-for", "192.0.2.7")).await.unwrap().expect(200);
    let chain = upstream.seen()[0].values("x-forwarded-for").join(", ");
    assert!(chain.starts_with("192.0.2.7"), "{chain}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_protocol_is_believed_from_trusted_peers_and_demanded_of_them() {
    let upstream = Upstream::saying("ok").await;
    let listener = "trusted_proxies = [\"127.0.0.1/32\"]\nproxy_protocol = true";
    let gatekeeper =
        Gatekeeper::ready(Config::http(&[("a", &upstream.url())]).table("listener", listener)).await;
    let request = "GET /x HTTP/1.1\r\nHost: vms.test\r\nConnection: close\r\n\r\n";
    let send = async |preface: &str| {
        let bytes = format!("{preface}{request}");
        gatekeeper.plain().bytes(bytes.as_bytes(), Duration::from_secs(3)).await.unwrap()
    };
    let answer = send("PROXY TCP4 192.0.2.9 127.0.0.1 5000 80\r\n").await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    assert_eq!(upstream.seen()[0].values("x-forwarded-for"), ["192.0.2.9"]);
    for bad in ["", "PROXY TCP4 nonsense\r\n", "PROXY TCP4 192.0.2.9\r\nX: 1\r\n"] {
        assert!(!send(bad).await.starts_with(b"HTTP/1.1 200"), "{bad:?}");
    }
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_clients_share_few_connections_to_the_instance() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = before(&upstream).await;
    let (clients, each) = (40, 25);
    let http = gatekeeper.h1();
    join_all((0..clients).map(|_| async {
        let mut conn = http.connect().await.unwrap();
        for _ in 0..each {
            conn.send(&http.host, get("/x")).await.unwrap().expect(200);
        }
    }))
    .await;
    let http = gatekeeper.h2();
    let conn = http.connect().await.unwrap();
    join_all((0..100).map(|_| async {
        let mut conn = conn.share();
        conn.send(&http.host, get("/x")).await.unwrap().expect(200);
    }))
    .await;
    assert_eq!(upstream.seen().len(), clients * each + 100);
    assert!(upstream.connections() < 400, "{} connections for 1100 requests", upstream.connections());
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_head_is_given_up_after_the_head_limit() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = before(&upstream).await;
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    socket.write_all(b"GET /x HTTP/1.1\r\nHost: vms.te").await.unwrap();
    socket.flush().await.unwrap();
    // The limit is 10 s; silence for 15 s would mean that it is not kept.
    let start = std::time::Instant::now();
    let answer = read_quiet(&mut socket, Duration::from_secs(15)).await;
    assert!(start.elapsed() < Duration::from_secs(15), "still open");
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 408"), "{}", String::from_utf8_lossy(&answer));
    assert!(upstream.seen().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_never_comes_is_given_up() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = before(&upstream).await;
    let mut socket = tokio::net::TcpStream::connect(gatekeeper.listener()).await.unwrap();
    let start = std::time::Instant::now();
    read_quiet(&mut socket, Duration::from_secs(15)).await;
    assert!(start.elapsed() < Duration::from_secs(15), "still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_takes_its_request_with_it() {
    let (gone, mut left) = mpsc::channel::<()>(1);
    let upstream = Upstream::start(move |mut link, _| {
        let gone = gone.clone();
        Box::pin(async move {
            // Nothing more comes; the end of the stream is what we wait for.
            while link.read_some().await.is_some() {}
            let _ = gone.send(()).await;
            None
        })
    })
    .await;
    let gatekeeper = before(&upstream).await;
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    socket.write_all(b"POST /x HTTP/1.1\r\nHost: vms.test\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    socket.flush().await.unwrap();
    until("the request is at the instance", async || upstream.seen().len() == 1).await;
    drop(socket);
    tokio::time::timeout(PATIENCE, left.recv()).await.expect("the connection to the instance is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_listener_serves_the_same() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = before(&upstream).await;
    assert_eq!(gatekeeper.plain().send(get("/x")).await.unwrap().expect(200).text(), "ok");
    assert_eq!(upstream.seen()[0].values("x-forwarded-proto"), ["http"]);
}
