//! An instance in quarantine is treated as hostile: nothing goes to it, and what is connected ends.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::client::{Reply, call, get, login};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::ntlm::{Client, message};
use crate::support::sim::Sim;
use crate::support::upstream::{Link, Seen, Upstream, ok};
use crate::support::ws::Events;
use crate::support::{sockets_to, until};

/// An instance that holds on to whatever it has: endless answers, tunnels that never fall silent, requests that are
/// never answered, NTLM for everything else.
async fn greedy() -> Upstream {
    Upstream::start(|link, seen| Box::pin(hold_on(link, seen))).await
}

async fn hold_on(mut link: Link, seen: Seen) -> Option<Link> {
    let path = seen.line().split(' ').nth(1)?.to_owned();
    if path == "/flow" {
        link.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
        loop {
            link.write(b"5\r\nflow \r\n").await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    if path == "/tunnel" {
        link.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: talk\r\n\r\n")
            .await?;
        loop {
            link.write(b"talk ").await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    link.read_body().await?;
    match path.as_str() {
        "/hang" => std::future::pending().await,
        "/mine" if seen.value("authorization").is_empty() => {
            link.write(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n")
                .await?;
        }
        _ => link.write(&ok("a")).await?,
    }
    Some(link)
}

/// The end of an answer: complete, or cut.
async fn rest(body: hyper::body::Incoming) -> Result<usize, hyper::Error> {
    body.collect().await.map(|all| all.to_bytes().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_under_way_ends_at_once() {
    let (a, b) = (greedy().await, Upstream::saying("b").await);
    let mut gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url()), ("b", &b.url())])).await;
    gatekeeper.wait_up("b", "http", true).await;
    let http = gatekeeper.h1();
    let (mut flows, mut tunnels, mut users) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..12 {
        let response = http.connect().await.unwrap().start(&http.host, get("/flow")).await.unwrap();
        flows.push(tokio::spawn(rest(response.into_body())));
        let mut socket = http.raw().await.unwrap();
        let ask = "GET /tunnel HTTP/1.1\r\nHost: vms.test\r\nConnection: upgrade\r\nUpgrade: talk\r\n\r\n";
        socket.write_all(ask.as_bytes()).await.unwrap();
        let mut start = [0; 16];
        socket.read_exact(&mut start).await.unwrap();
        assert!(start.starts_with(b"HTTP/1.1 101"));
        tunnels.push(socket);
        let mut user = Client::connect(&http).await.unwrap();
        user.send(get("/mine")).await.unwrap().expect(401);
        user.send(get("/mine").header("authorization", &message(1, ""))).await.unwrap().expect(200);
        users.push(user);
    }
    let hang = |method: &str| {
        let (http, call) = (http.clone(), call(method, "/hang"));
        tokio::spawn(async move { http.send(call).await.unwrap() })
    };
    let hung: Vec<_> = (0..7).map(|_| (hang("GET"), hang("POST"))).collect();
    until("all requests are at a", async || a.seen().len() == 12 * 4 + 14).await;
    // Idle ones: used before, pooled now.
    let pooled: Vec<_> =
        (0..4).map(|_| http.clone()).map(|h| tokio::spawn(async move { h.send(get("/x")).await })).collect();
    for one in pooled {
        one.await.unwrap().unwrap().expect(200);
    }
    assert!(sockets_to(a.address) >= 50, "{} sockets", sockets_to(a.address));

    let ordered = Instant::now();
    gatekeeper.succeed(&["quarantine", "a", "--reason", "encrypts its files"]);
    let obeyed = Instant::now();
    until("nothing is connected to a", async || sockets_to(a.address) == 0).await;
    println!(
        "50 clients cut off {:?} after the order, {:?} after its confirmation",
        ordered.elapsed(),
        obeyed.elapsed()
    );
    let (seen, connections) = (a.seen().len(), a.connections());

    for flow in flows {
        assert!(flow.await.unwrap().is_err(), "a cut answer looks complete");
    }
    for mut tunnel in tunnels {
        until("the tunnel has ended", async || !matches!(tunnel.read(&mut [0; 4096]).await, Ok(1..))).await;
    }
    for (read, write) in hung {
        assert_eq!(read.await.unwrap().expect(200).text(), "b");
        let unknown: Reply = write.await.unwrap().expect(504);
        assert_eq!(unknown.header("gatekeeper-reason"), "outcome-unknown");
    }
    for mut user in users {
        assert_eq!(user.send(get("/mine")).await.unwrap().expect(200).text(), "b");
    }
    stays_out(&a, &http_interval(), (seen, connections)).await;

    gatekeeper.restart("KILL");
    gatekeeper.wait_serving("http", "b").await;
    assert_eq!(gatekeeper.h1().send(get("/x")).await.unwrap().expect(200).text(), "b");
    stays_out(&a, &http_interval(), (seen, connections)).await;
    let status = gatekeeper.status().await;
    let held = &status["overrides"][0];
    assert_eq!(
        (&held["instance"], &held["kind"], &held["reason"]),
        (&json!("a"), &json!("quarantine"), &json!("encrypts its files"))
    );
    assert!(held["by"].is_string() && held["since"].is_string(), "{held}");

    gatekeeper.succeed(&["release", "a", "--reason", "installed anew"]);
    gatekeeper.wait_up("a", "http", true).await;
    assert_eq!(gatekeeper.h1().send(get("/x")).await.unwrap().expect(200).text(), "b", "not back by itself");
    let failback = || gatekeeper.command(&["failback", "--reason", "looks well"]).status.code();
    until("it is proven healthy", async || failback() == Some(0)).await;
    assert_eq!(gatekeeper.h1().send(get("/x")).await.unwrap().expect(200).text(), "a");
}

fn http_interval() -> Duration {
    Duration::from_millis(2_500)
}

/// Through several probe intervals nothing comes to `a`, neither request nor connection.
async fn stays_out(a: &Upstream, while_: &Duration, before: (usize, usize)) {
    let since = Instant::now();
    until("some time has passed", async || {
        assert_eq!((a.seen().len(), a.connections()), before, "{:?}", a.seen().last());
        since.elapsed() > *while_
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_vms_gets_neither_requests_nor_credentials() {
    let (a, b) = (Sim::start("a", &["--event-rate", "20"]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b]).with_accounts()).await;
    for service in ["identity", "config", "events"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    until("deep probes log in at a", async || a.requests_with("/connect/token").await > 0).await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let mut events = Events::connect(&http, "/API/ws/events/v1", Some(&token)).await.unwrap();
    events.subscribe().await;
    events.events().await;
    a.fault("config", "hang").await;
    let hung = {
        let (http, token) = (http.clone(), token.clone());
        tokio::spawn(async move { http.send(get("/API/rest/v1/sites").bearer(&token)).await.unwrap() })
    };
    until("it hangs", async || a.requests_with("/API/rest/v1/sites").await > 0).await;

    let ordered = Instant::now();
    gatekeeper.succeed(&["quarantine", "a", "--reason", "test"]);
    until("nothing is connected to a", async || sockets_to(a.address()) == 0).await;
    println!("cut off {:?} after the order", ordered.elapsed());
    let seen = a.requests().await.len();
    while events.next().await.is_some() {}
    // Its session has no other home.
    let told = hung.await.unwrap();
    assert!(told.status >= 400, "{}", told.text());
    http.send(get("/API/rest/v1/sites").bearer(&token)).await.unwrap().expect(401);
    let other = login(&http).await;
    http.send(get("/API/rest/v1/sites").bearer(&other)).await.unwrap().expect(200);
    let keys = http.send(get("/IDP/.well-known/openid-configuration/jwks")).await.unwrap().expect(200).json();
    let own = b.http().send(get("/IDP/.well-known/openid-configuration/jwks")).await.unwrap().json();
    assert_eq!(keys["keys"], own["keys"], "keys of the one in quarantine are published");
    let since = Instant::now();
    until("some time has passed", async || {
        assert_eq!(a.requests().await.len(), seen);
        since.elapsed() > Duration::from_secs(6)
    })
    .await;
    a.heal().await;
    gatekeeper.succeed(&["release", "--all", "--reason", "was a mistake"]);
    gatekeeper.wait_up("a", "config", true).await;
    http.send(get("/API/rest/v1/sites").bearer(&token)).await.unwrap().expect(200);
}
