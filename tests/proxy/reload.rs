//! A new configuration or certificate without a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::support::client::{Http, get, login, read_quiet};
use crate::support::config::{Config, Instance, Site};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;
use crate::support::upstream::Upstream;

/// The gatekeeper before `first`, and the configuration that adds a site before `second`.
async fn growing() -> (Upstream, Upstream, Gatekeeper, Config) {
    let (first, second) = (Upstream::saying("first").await, Upstream::saying("second").await);
    let config = Config::http(&[("a", &first.url())]);
    let mut more = config.clone();
    more.instances.push(Instance::new("b", &second.url()));
    more.sites.push(Site {
        name: "branch".into(),
        hosts: vec!["localhost".into()],
        primary: "b".into(),
        ..more.sites[0].clone()
    });
    (first, second, Gatekeeper::ready(config).await, more)
}

async fn branch(gatekeeper: &Gatekeeper) -> Option<String> {
    let reply = gatekeeper.h1().named("localhost").send(get("/x")).await.ok()?;
    (reply.status == 200).then(|| reply.text().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_site_is_served_after_sighup() {
    let (_first, _second, mut gatekeeper, more) = growing().await;
    assert_eq!(branch(&gatekeeper).await, None);
    gatekeeper.rewrite(more);
    gatekeeper.process.signal("HUP");
    until("the new site is served", async || branch(&gatekeeper).await.as_deref() == Some("second")).await;
    assert_eq!(gatekeeper.h1().send(get("/x")).await.unwrap().expect(200).text(), "first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_is_noticed_without_a_signal() {
    let (_first, _second, mut gatekeeper, more) = growing().await;
    gatekeeper.rewrite(more);
    until("the new site is served", async || branch(&gatekeeper).await.as_deref() == Some("second")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_interrupts_nobody() {
    let (go, wait) = tokio::sync::watch::channel(false);
    let slow = Upstream::start(move |mut link, _| {
        let mut wait = wait.clone();
        Box::pin(async move {
            link.read_body().await?;
            wait.wait_for(|go| *go).await.ok()?;
            link.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow").await?;
            Some(link)
        })
    })
    .await;
    let mut gatekeeper = Gatekeeper::ready(Config::http(&[("a", &slow.url())])).await;
    let http = gatekeeper.h1();
    let mut open = http.connect().await.unwrap();
    let running = tokio::spawn(async move {
        let reply = open.send("vms.test", get("/slow")).await.unwrap();
        (reply.expect(200).text().to_owned(), open)
    });
    until("the request is at the instance", async || slow.seen().len() == 1).await;
    let config = gatekeeper.config.clone().hosts(&["vms.test", "localhost"]);
    gatekeeper.rewrite(config);
    gatekeeper.process.signal("HUP");
    until("the reload is counted", async || {
        gatekeeper.metric("gatekeeper_config_reloads_total", &[]).await >= 1.0
    })
    .await;
    go.send(true).unwrap();
    let (text, mut open) = running.await.unwrap();
    assert_eq!(text, "slow");
    assert_eq!(open.send("vms.test", get("/again")).await.unwrap().expect(200).text(), "slow", "still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_file_changes_nothing_and_says_why() {
    let (_first, _second, gatekeeper, more) = growing().await;
    let more = Config { certificate: gatekeeper.config.certificate.clone(), ..more };
    for (bad, word) in [
        (more.text().replace("primary = \"b\"", "primary = \"nobody\""), "nobody"),
        (format!("{}\n[nonsense]\nx = 1\n", more.text()), "nonsense"),
        ("this is not toml".to_owned(), "gatekeeper.toml"),
    ] {
        gatekeeper.rewrite_text(&bad);
        gatekeeper.process.signal("HUP");
        gatekeeper.wait_log(&[word]).await;
        until("the status says why", async || gatekeeper.status().await.to_string().contains(word)).await;
        assert_eq!(gatekeeper.h1().send(get("/x")).await.unwrap().expect(200).text(), "first");
        assert_eq!(branch(&gatekeeper).await, None);
    }
    gatekeeper.rewrite_text(&more.text());
    until("the good file is taken", async || branch(&gatekeeper).await.as_deref() == Some("second")).await;
}

/// The leaf that a new connection is shown.
async fn leaf(gatekeeper: &Gatekeeper) -> Option<Vec<u8>> {
    let tcp = tokio::net::TcpStream::connect(gatekeeper.listener()).await.ok()?;
    let connector = tokio_rustls::TlsConnector::from(gatekeeper.ca.client(&["http/1.1"]));
    let stream = connector.connect("vms.test".try_into().unwrap(), tcp).await.ok()?;
    Some(stream.get_ref().1.peer_certificates()?[0].to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_shown_and_open_connections_stay() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let old = leaf(&gatekeeper).await.unwrap();
    let http = gatekeeper.h1();
    let mut open = http.connect().await.unwrap();
    open.send("vms.test", get("/x")).await.unwrap().expect(200);
    gatekeeper.ca.issue(gatekeeper.dir.path(), "server", &["vms.test", "127.0.0.1"]);
    gatekeeper.process.signal("HUP");
    until("the new certificate is shown", async || leaf(&gatekeeper).await.is_some_and(|l| l != old)).await;
    open.send("vms.test", get("/y")).await.unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_fit_is_not_taken() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let old = leaf(&gatekeeper).await.unwrap();
    let stray = gatekeeper.ca.issue(gatekeeper.dir.path(), "stray", &["vms.test"]);
    std::fs::copy(stray.key, gatekeeper.dir.path().join("server.key")).unwrap();
    gatekeeper.process.signal("HUP");
    gatekeeper.wait_log(&["private_key", "does not belong"]).await;
    assert_eq!(leaf(&gatekeeper).await.unwrap(), old);
    // A connection without a byte of HTTP still gets its answer afterwards.
    let mut socket = gatekeeper.h1().raw().await.unwrap();
    socket.write_all(b"GET /x HTTP/1.1\r\nHost: vms.test\r\nConnection: close\r\n\r\n").await.unwrap();
    socket.flush().await.unwrap();
    assert!(read_quiet(&mut socket, crate::support::PATIENCE).await.starts_with(b"HTTP/1.1 200"));
}

/// Requests with one token, several at any time, each on a connection of its own. They note what was not answered.
struct Strangers {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
    tasks: JoinSet<Vec<String>>,
}

impl Strangers {
    fn start(http: &Http, token: &str) -> Self {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (http, token, stop, sent) = (http.clone(), token.to_owned(), stop.clone(), sent.clone());
            tasks.spawn(async move {
                let mut unanswered = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    sent.fetch_add(1, Ordering::Relaxed);
                    let reply = http.send(get("/API/rest/v1/cameras").bearer(&token)).await;
                    unanswered.extend(reply.err().map(|e| e.to_string()));
                    // Leaves the two cores some air.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                unanswered
            });
        }
        Self { stop, sent, tasks }
    }

    /// Some of them wait at any time from now on.
    async fn are_there(&self) {
        until("strangers ask", async || self.sent.load(Ordering::Relaxed) >= 8).await;
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.concat()
    }
}

async fn reload(gatekeeper: &mut Gatekeeper, config: Config, times: f64) {
    gatekeeper.rewrite(config);
    gatekeeper.process.signal("HUP");
    until("the reload is counted", async || {
        gatekeeper.metric("gatekeeper_config_reloads_total", &[]).await >= times
    })
    .await;
}

/// C4: a token that nobody knows waits for keys that were never read. A reload in that time met it with numbers of sites
/// and instances from the old configuration: an index out of bounds, which ends the process of a release build.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_removes_a_site_while_an_unknown_token_waits_harms_nobody() {
    let a = Sim::start("a", &[]);
    let small = Config::xprotect(&[&a]);
    let mut large = small.clone();
    // Nothing listens there, so its keys are never read.
    large.instances.push(Instance::new("c", "http://127.0.0.1:1"));
    large.sites.push(Site {
        name: "branch".into(),
        hosts: vec!["localhost".into()],
        primary: "c".into(),
        ..large.sites[0].clone()
    });
    let mut gatekeeper = Gatekeeper::start(large.clone());
    gatekeeper.wait_serving("config", "a").await;
    let strangers = Strangers::start(&gatekeeper.h1().named("localhost"), "x.y.z");
    let mut times = 0.0;
    for _ in 0..3 {
        for config in [&small, &large] {
            strangers.are_there().await;
            times += 1.0;
            reload(&mut gatekeeper, config.clone(), times).await;
        }
    }
    assert_eq!(strangers.end().await, Vec::<String>::new(), "requests that were not answered");
    assert!(gatekeeper.process.running());
    assert!(!gatekeeper.process.log().contains("panicked"), "{}", gatekeeper.process.log());
    let token = login(&gatekeeper.h1()).await;
    gatekeeper.h1().send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
}

/// C4: where a reload put the instances in another order, the number that the new keys gave for `a` meant `b` in the old
/// configuration, and the token of `a` was sent to `b`.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_reorders_the_instances_shows_no_token_to_the_other() {
    let (mut a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    // Good after a restart of `a` as well: its key is a function of its name and seed.
    let token = login(&a.http()).await;
    let one = Config::xprotect(&[&a, &b]);
    let mut other = one.clone();
    other.instances.reverse();
    for _ in 0..3 {
        a.kill();
        let mut gatekeeper = Gatekeeper::start(one.clone());
        gatekeeper.wait_serving("config", "b").await;
        let strangers = Strangers::start(&gatekeeper.h1(), &token);
        strangers.are_there().await;
        a.restart();
        reload(&mut gatekeeper, other.clone(), 1.0).await;
        let http = gatekeeper.h1();
        until("the token is known", async || {
            let reply = http.send(get("/API/rest/v1/cameras").bearer(&token)).await;
            reply.is_ok_and(|r| r.status == 200)
        })
        .await;
        assert_eq!(strangers.end().await, Vec::<String>::new(), "requests that were not answered");
        assert!(!gatekeeper.process.log().contains("panicked"), "{}", gatekeeper.process.log());
    }
    assert_eq!(b.requests_with(&token).await, 0, "b was shown a token of a");
}
