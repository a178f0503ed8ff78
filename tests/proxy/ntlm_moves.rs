//! NTLM when instances come and go, and on connections that cannot carry it.

use std::error::Error;
use std::sync::atomic::Ordering;

use crate::ntlm::{one_core, pair, pinned, user};
use crate::support::client::{Http, call, get, password_grant};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::ntlm::{Client, Iis, message};
use crate::support::sim::Sim;
use crate::support::until;

/// The reason with which the gatekeeper has reset a stream.
fn reset(error: &(dyn Error + 'static)) -> Option<h2::Reason> {
    std::iter::successors(Some(error), |e| (*e).source())
        .find_map(|e| e.downcast_ref::<h2::Error>())
        .and_then(h2::Error::reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_told_to_come_again_over_http11() {
    let (a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h2();
    let mut conn = http.connect().await.unwrap();
    let with = |authorization: &str| get("/mine").header("authorization", authorization);
    for request in [
        with(&message(1, "")),
        with(&message(3, "a-0 ann")),
        with("Negotiate YIIFVwYGKwYBBQUC"),
        // The instance challenges it.
        get("/challenged"),
    ] {
        let error = conn.send(&http.host, request).await.unwrap_err();
        assert_eq!(reset(&*error), Some(h2::Reason::HTTP_1_1_REQUIRED), "{error:?}");
        // Only the stream has ended.
        conn.send(&http.host, get("/public")).await.unwrap().expect(200);
    }
    assert!(a.connections("/mine").is_empty());
    let challenged = a.connections("/challenged");
    assert!(!a.connections("/public")[3..].contains(&challenged[0]));
    assert_eq!(pinned(&gatekeeper).await, 0.0);
}

/// A challenge that cannot be answered would cost the instance a connection each, so none is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_windows_login_over_http2_does_not_reach_an_instance() {
    let a = Sim::start("a", &[]);
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a])).await;
    let http = gatekeeper.h2();
    let mut conn = http.connect().await.unwrap();
    for grant in
        ["windows_credentials&client_id=GrantValidatorClient", "windows_auth&client_id=winauthclient"]
    {
        let login = call("POST", "/IDP/connect/token").form(&format!("grant_type={grant}"));
        let error = conn.send(&http.host, login).await.unwrap_err();
        assert_eq!(reset(&*error), Some(h2::Reason::HTTP_1_1_REQUIRED), "{error:?}");
    }
    conn.send(&http.host, password_grant("user1", "user1-password")).await.unwrap().expect(200);
    // The probes have no account here: the password is the only login that has come.
    assert_eq!(a.requests_with("/connect/token").await, 1);
}

/// A proxy that may carry many users over one connection would make them one.
#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_cannot_log_in_for_its_clients() {
    let a = Iis::start("a").await;
    let config = one_core(&[("a", &a)]).table("listener", "trusted_proxies = [\"127.0.0.0/8\"]");
    let gatekeeper = Gatekeeper::ready(config).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let mut client = Client::connect(&http).await.unwrap();
        client.send(get("/mine")).await.unwrap().expect(401);
        let message = get("/mine").header("authorization", &message(1, ""));
        let refused = client.send(message).await.unwrap().expect(403);
        assert_eq!(refused.header("gatekeeper-reason"), "ntlm-through-proxy");
        client.send(get("/public")).await.unwrap().expect(200);
    }
    let (mine, public) = (a.connections("/mine"), a.connections("/public"));
    assert_eq!((mine.len(), public.len()), (2, 2));
    assert!(mine.iter().zip(&public).all(|(m, p)| m != p), "{mine:?} {public:?}");
    assert_eq!(pinned(&gatekeeper).await, 0.0);
}

/// A client with its wits: it begins anew whenever its connection breaks.
async fn log_in(http: &Http, name: &str) -> Client {
    loop {
        if let Ok(mut client) = Client::connect(http).await
            && let Ok(nonce) = client.begin(get("/login")).await
            && let Ok(reply) = client.finish(get("/login"), &nonce, name).await
            && reply.status == 200
        {
            assert_eq!(reply.text(), name);
            return client;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_begins_elsewhere_when_its_instance_is_gone() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mut idle = user(&http, "bob").await;
    let mut client = Client::connect(&http).await.unwrap();
    let nonce = client.begin(get("/mine")).await.unwrap();
    // Between type 1 and type 3.
    a.upstream.stop();
    let lost = client.finish(get("/mine"), &nonce, "ann").await;
    // Whoever was quicker: the message was never written, or nobody knows what became of it.
    assert!(lost.is_err() || lost.is_ok_and(|reply| reply.status == 502));
    let mut client = log_in(&http, "ann").await;
    assert_eq!(client.send(get("/mine")).await.unwrap().expect(200).text(), "ann");
    // Whoever was logged in there is a stranger here.
    idle.send(get("/idle")).await.unwrap().expect(401);
    let nonce = idle.begin(get("/idle")).await.unwrap();
    assert_eq!(idle.finish(get("/idle"), &nonce, "bob").await.unwrap().expect(200).text(), "bob");
    assert_eq!(b.misplaced.load(Ordering::SeqCst), 0);
    // The stranger's request may have come over any connection; both halves of the login share one.
    let [_, begun, finished] = b.connections("/idle")[..] else { panic!("{:?}", b.connections("/idle")) };
    assert_eq!(begun, finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_instance_keeps_its_users_and_gets_no_new_ones() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let mut ann = user(&http, "ann").await;
    let mut half = Client::connect(&http).await.unwrap();
    let nonce = half.begin(get("/half")).await.unwrap();
    gatekeeper.succeed(&["drain", "a", "--reason", "test"]);
    gatekeeper.wait_serving("http", "b").await;
    assert_eq!(ann.send(get("/mine")).await.unwrap().expect(200).text(), "ann");
    assert_eq!(half.finish(get("/half"), &nonce, "bob").await.unwrap().expect(200).text(), "bob");
    user(&http, "eve").await;
    // A new handshake of an old user is a new one.
    let nonce = ann.begin(get("/again")).await.unwrap();
    assert_eq!(ann.finish(get("/again"), &nonce, "ann").await.unwrap().expect(200).text(), "ann");
    assert_eq!((a.connections("/mine").len(), a.connections("/half").len()), (1, 2));
    assert_eq!((a.connections("/login").len(), b.connections("/login").len()), (2, 2));
    assert_eq!(b.connections("/again").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_ends_only_what_belongs_to_a_removed_instance() {
    let (a, b, mut gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let (mut ann, mut half) = (user(&http, "ann").await, Client::connect(&http).await.unwrap());
    let nonce = half.begin(get("/half")).await.unwrap();
    let reloads = async |gatekeeper: &Gatekeeper, n: f64| {
        let applied = [("result", "applied")];
        until("the reload is applied", async || {
            gatekeeper.metric("gatekeeper_config_reloads_total", &applied).await == n
        })
        .await;
    };
    gatekeeper.rewrite(one_core(&[("b", &b), ("a", &a)]).table("failback", "mode = \"immediate\""));
    reloads(&gatekeeper, 1.0).await;
    assert_eq!(ann.send(get("/mine")).await.unwrap().expect(200).text(), "ann");
    assert_eq!(half.finish(get("/half"), &nonce, "bob").await.unwrap().expect(200).text(), "bob");
    assert_eq!(pinned(&gatekeeper).await, 2.0);

    let nonce = half.begin(get("/half")).await;
    gatekeeper.rewrite(one_core(&[("b", &b)]));
    reloads(&gatekeeper, 2.0).await;
    until("its connections have ended", async || pinned(&gatekeeper).await <= 1.0).await;
    ann.send(get("/mine")).await.unwrap().expect(401);
    drop((half, nonce));
    let mut ann = user(&http, "ann").await;
    assert_eq!(ann.send(get("/mine")).await.unwrap().expect(200).text(), "ann");
}
