//! Cookies of one instance never reach the other, also after a switch, when a browser holds cookies of both (D10, D12).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::client::{Call, Http, Reply, call, get};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::upstream::Upstream;

/// A browser's: what was set is sent.
#[derive(Default)]
struct Jar(BTreeMap<String, String>);

impl Jar {
    async fn send(&mut self, http: &Http, request: Call) -> Reply {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if pairs.is_empty() { request } else { request.header("cookie", &pairs.join("; ")) };
        let reply = http.send(request).await.unwrap();
        for cookie in reply.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.0.insert(name.to_owned(), value.to_owned());
        }
        reply
    }
}

/// A web server with sessions. Its answers set one cookie of its own name, and one whose name both use.
async fn sessions(name: &'static str) -> (Upstream, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(false));
    let says = broken.clone();
    let upstream = Upstream::start(move |mut link, _| {
        let broken = says.load(Ordering::SeqCst);
        Box::pin(async move {
            link.read_body().await?;
            let answer = match broken {
                true => "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_owned(),
                false => format!(
                    "HTTP/1.1 200 OK\r\nSet-Cookie: session-{name}=secret-of-{name}; Path=/; HttpOnly\r\n\
                     Set-Cookie: session=secret-of-{name}; Path=/\r\nContent-Length: 1\r\n\r\n{name}"
                ),
            };
            link.write(answer.as_bytes()).await?;
            Some(link)
        })
    })
    .await;
    (upstream, broken)
}

#[track_caller]
fn assert_knows_only_its_own(upstream: &Upstream, other: &str) {
    for request in upstream.seen() {
        let cookies = request.values("cookie").join("; ");
        assert!(!cookies.contains(&format!("secret-of-{other}")), "{} came with {cookies}", request.line());
    }
}

#[track_caller]
fn last_cookies(upstream: &Upstream) -> String {
    upstream.seen().pop().unwrap().values("cookie").join("; ")
}

/// H6: the affinity cookie moved with the first cookie of the standby, and with it went all the cookies that the primary
/// had set.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_switch_each_instance_sees_its_own_cookies_only() {
    let ((a, a_broken), (b, b_broken)) = (sessions("a").await, sessions("b").await);
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url()), ("b", &b.url())])).await;
    gatekeeper.wait_up("b", "http", true).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let mut jar = Jar::default();
        assert_eq!(jar.send(&http, get("/1")).await.expect(200).text(), "a");
        assert_eq!(jar.send(&http, get("/2")).await.expect(200).text(), "a");
        assert_eq!(last_cookies(&a), "session=secret-of-a; session-a=secret-of-a", "its own reach it");

        // One error page does not end a session that lives in cookies; an instance that is down does.
        a_broken.store(true, Ordering::SeqCst);
        a.set_healthy(false);
        gatekeeper.wait_up("a", "http", false).await;
        assert_eq!(jar.send(&http, get("/3")).await.expect(200).text(), "b");
        assert!(jar.0.len() >= 3, "a jar with cookies of both: {:?}", jar.0);
        a_broken.store(false, Ordering::SeqCst);
        a.set_healthy(true);
        gatekeeper.wait_up("a", "http", true).await;
        for request in [get("/4"), call("POST", "/5").body("x")] {
            assert_eq!(jar.send(&http, request).await.expect(200).text(), "b", "the session stays");
            assert_eq!(last_cookies(&b), "session=secret-of-b; session-b=secret-of-b");
        }

        b_broken.store(true, Ordering::SeqCst);
        b.set_healthy(false);
        gatekeeper.wait_up("b", "http", false).await;
        assert_eq!(jar.send(&http, get("/6")).await.expect(200).text(), "a");
        b_broken.store(false, Ordering::SeqCst);
        b.set_healthy(true);
        gatekeeper.wait_up("b", "http", true).await;
        assert_eq!(jar.send(&http, get("/7")).await.expect(200).text(), "a");
        assert_eq!(last_cookies(&a), "session=secret-of-a; session-a=secret-of-a", "back with its own");
    }
    assert_knows_only_its_own(&a, "b");
    assert_knows_only_its_own(&b, "a");
}

/// H6: the same for a request of which nothing was written, which may go elsewhere whatever its method.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_moves_unsent_leaves_its_cookies_behind() {
    let ((a, _), (b, _)) = (sessions("a").await, sessions("b").await);
    let config = Config::http(&[("a", &a.url()), ("b", &b.url())]).table("health", "interval = \"60s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    let (http, mut jar) = (gatekeeper.h1(), Jar::default());
    assert_eq!(jar.send(&http, get("/1")).await.expect(200).text(), "a");
    a.stop();
    assert_eq!(jar.send(&http, call("POST", "/2").body("x")).await.expect(200).text(), "b");
    assert_eq!(last_cookies(&b), "");
    for _ in 0..5 {
        jar.send(&http, call("POST", "/3").body("x")).await.expect(200);
    }
    assert_knows_only_its_own(&b, "a");
}
