//! NTLM and Negotiate over HTTP/1.1: a user who logs in by the connection (fact sheet 2.9).

use std::future::pending;
use std::sync::atomic::Ordering;

use http_body_util::{BodyExt, StreamBody};

use crate::support::client::{Http, call, get};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::ntlm::{Client, Iis, message};
use crate::support::until;

/// One core, so that all clients share one pool.
pub fn one_core(servers: &[(&str, &Iis)]) -> Config {
    let urls: Vec<_> = servers.iter().map(|(name, iis)| (*name, iis.url())).collect();
    let urls: Vec<_> = urls.iter().map(|(name, url)| (*name, url.as_str())).collect();
    Config::http(&urls).table("runtime", "workers = 1")
}

pub async fn pair() -> (Iis, Iis, Gatekeeper) {
    let (a, b) = (Iis::start("a").await, Iis::start("b").await);
    let gatekeeper = Gatekeeper::ready(one_core(&[("a", &a), ("b", &b)])).await;
    gatekeeper.wait_up("b", "http", true).await;
    (a, b, gatekeeper)
}

/// A client that has logged in.
pub async fn user(http: &Http, name: &str) -> Client {
    let mut client = Client::connect(http).await.unwrap();
    let nonce = client.begin(get("/login")).await.unwrap();
    let reply = client.finish(get("/login"), &nonce, name).await.unwrap().expect(200);
    assert_eq!(reply.text(), name);
    client
}

pub async fn pinned(gatekeeper: &Gatekeeper) -> f64 {
    gatekeeper.metric("gatekeeper_pinned_connections", &[]).await
}

/// Ends the connections of all clients to `server`.
async fn cut(server: &Iis, gatekeeper: &Gatekeeper) {
    server.upstream.cut();
    until("the connections are known to have ended", async || pinned(gatekeeper).await == 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_with_the_challenge_is_the_clients_own() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mut client = Client::connect(&http).await.unwrap();
    let first = client.send(get("/mine")).await.unwrap().expect(401);
    let challenges: Vec<_> = first.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Negotiate", "NTLM"]);
    assert_eq!(first.text(), "log in");
    let nonce = client.begin(get("/mine")).await.unwrap();
    assert_eq!(client.finish(get("/mine"), &nonce, "ann").await.unwrap().expect(200).text(), "ann");
    // The user stays, also without a word about it, while strangers come and go.
    for n in 0..5 {
        assert_eq!(client.send(get("/mine")).await.unwrap().expect(200).text(), "ann");
        assert_eq!(http.send(get("/public")).await.unwrap().expect(200).text(), "anonymous");
        http.send(get("/stranger")).await.unwrap().expect(401);
        let mut other = user(&http, &format!("bob{n}")).await;
        assert_eq!(other.send(get("/other")).await.unwrap().expect(200).text(), format!("bob{n}"));
    }
    let mine = a.connections("/mine");
    assert!(mine.len() == 8 && mine.iter().all(|c| *c == mine[0]), "{mine:?}");
    for needle in ["/public", "/stranger", "/other", "/login"] {
        assert!(!a.connections(needle).contains(&mine[0]), "{needle} on the connection of ann");
    }
    assert!(b.upstream.seen().is_empty(), "{:?}", b.upstream.seen());
    drop(client);
    until("no connection is pinned", async || pinned(&gatekeeper).await == 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_leg_carries_the_request_as_it_is() {
    let (a, _b, gatekeeper) = pair().await;
    for http in [gatekeeper.h1(), gatekeeper.plain()] {
        for (n, request) in [
            || get("/mine"),
            || call("HEAD", "/mine"),
            || call("POST", "/mine").body("a=b"),
            || call("PUT", "/mine").body(vec![b'x'; 300_000]),
            || call("DELETE", "/mine"),
        ]
        .iter()
        .enumerate()
        {
            let mut client = Client::connect(&http).await.unwrap();
            client.send(request()).await.unwrap().expect(401);
            let nonce = client.begin(request()).await.unwrap();
            client.finish(request(), &nonce, "ann").await.unwrap().expect(200);
            client.send(request()).await.unwrap().expect(200);
            let seen = a.upstream.seen();
            let last = &seen[seen.len() - 4..];
            assert!(last.iter().all(|s| s.body == request().body), "request {n}");
            assert!(last.iter().all(|s| s.connection == last[0].connection), "request {n}");
        }
    }
}

/// What curl does: the type-1 request has an empty body, the type-3 request the real one.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_may_come_with_the_last_leg_only() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mut client = Client::connect(&http).await.unwrap();
    let nonce = client.begin(call("POST", "/mine").header("content-length", "0")).await.unwrap();
    let mut conn = client.into_conn();
    let authorization = message(3, &format!("{nonce} ann"));
    let parts = ["one", "two"].map(|p| Ok(hyper::body::Frame::data(p.into())));
    let body = BodyExt::boxed(StreamBody::new(futures_util::stream::iter(parts)));
    let request = call("POST", "/mine").header("authorization", &authorization);
    let reply = conn.stream("vms.test", request, body).await.unwrap();
    assert_eq!(reply.status(), 200);
    let text = reply.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(text, "ann");
    let seen = a.upstream.seen();
    assert!(seen.last().unwrap().body.windows(3).any(|w| w == b"two"), "{seen:?}");
}

/// The instance answers before it has read the request; the client's connection to it carries the rest of the request
/// and then the next one.
#[tokio::test(flavor = "multi_thread")]
async fn an_early_challenge_keeps_the_connection() {
    let (a, _b, gatekeeper) = pair().await;
    let mut client = Client::connect(&gatekeeper.h1()).await.unwrap();
    client.send(call("POST", "/early").body(vec![b'x'; 2_000_000])).await.unwrap().expect(401);
    let nonce = client.begin(get("/mine")).await.unwrap();
    client.finish(get("/mine"), &nonce, "ann").await.unwrap().expect(200);
    let early = a.connections("/early");
    assert_eq!(a.connections("/mine"), vec![early[0]; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_lost_handshake_is_sent_anywhere() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    for opaque in [false, true] {
        let mut client = Client::connect(&http).await.unwrap();
        let nonce = client.begin(get("/mine")).await.unwrap();
        cut(&a, &gatekeeper).await;
        // Without an answer, as if the instance itself had died: clients begin anew.
        let lost = if opaque {
            client.send(get("/lost").header("authorization", "Negotiate YIIFVwYGKwYBBQUC")).await
        } else {
            client.finish(get("/lost"), &nonce, "ann").await
        };
        assert!(lost.is_err(), "{lost:?}");
        user(&http, "ann").await;
    }
    // The last leg without the ones before.
    let stray = get("/lost").header("authorization", &message(3, "a-0 ann"));
    assert!(http.send(stray).await.is_err());
    // An answer in between: it is no longer the answer to the challenge.
    let mut client = Client::connect(&http).await.unwrap();
    let nonce = client.begin(get("/mine")).await.unwrap();
    client.send(get("/mine")).await.unwrap().expect(401);
    assert!(client.finish(get("/lost"), &nonce, "ann").await.is_err());

    for server in [&a, &b] {
        assert!(server.connections("/lost").is_empty());
        assert_eq!(server.misplaced.load(Ordering::SeqCst), 0);
    }
    assert_eq!(gatekeeper.metric("gatekeeper_refused_total", &[("reason", "ntlm")]).await, 4.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_connection_a_client_is_a_stranger_again() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mut others = user(&http, "bob").await;
    for request in [|| get("/mine"), || call("POST", "/mine").body("1")] {
        let mut client = user(&http, "ann").await;
        cut(&a, &gatekeeper).await;
        client.send(request()).await.unwrap().expect(401);
        assert_eq!(client.send(get("/public")).await.unwrap().expect(200).text(), "anonymous");
        let nonce = client.begin(request()).await.unwrap();
        assert_eq!(client.finish(request(), &nonce, "ann").await.unwrap().expect(200).text(), "ann");
        others.send(get("/others")).await.unwrap().expect(401);
    }
}

/// What we cannot read is the instance's to judge, but on a connection of the client's own.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_passed_privately() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let odd = ["NTLM", "NTLM !!!!", "Negotiate YIIFVwYGKwYBBQUC", "NTLM TlRMTVNTUAAJAAAA", "negotiate\tx"];
    for authorization in odd {
        http.send(get("/public")).await.unwrap().expect(200);
        http.send(get("/odd").header("authorization", authorization)).await.unwrap();
        http.send(get("/public")).await.unwrap().expect(200);
    }
    let (private, shared) = (a.connections("/odd"), a.connections("/public"));
    assert_eq!(private.len(), odd.len());
    assert!(private.iter().all(|c| !shared.contains(c)), "{private:?} {shared:?}");
}

/// A client that breaks off takes its connection to the instance along, whatever it was doing.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_ends_takes_its_connection_along() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    for abandoned in ["idle", "waiting", "sending"] {
        let mut conn = user(&http, "ann").await.into_conn();
        let using = tokio::spawn(async move {
            let endless = BodyExt::boxed(StreamBody::new(futures_util::stream::pending()));
            match abandoned {
                "waiting" => drop(conn.start("vms.test", get("/hang")).await),
                "sending" => drop(conn.stream("vms.test", call("POST", "/sending"), endless).await),
                _ => pending::<()>().await,
            }
        });
        if abandoned != "idle" {
            let path = if abandoned == "waiting" { "/hang" } else { "/sending" };
            until("the request has arrived", async || a.connections(path).len() == 1).await;
        }
        assert_eq!(pinned(&gatekeeper).await, 1.0, "{abandoned}");
        using.abort();
        until("no connection is pinned", async || pinned(&gatekeeper).await == 0.0).await;
    }
}
