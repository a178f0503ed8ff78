//! The death of an instance, in every way the simulator knows how to die.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::client::{Http, Reply, get, login, password_grant};
use crate::support::config::{Config, Instance, Site};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;
use crate::support::upstream::Upstream;

/// An open document that names the instance it came from.
const OPEN: &str = "/API/.well-known/uris";

/// Clients that ask without a pause, each on a connection of its own, and note every failure.
struct Load {
    stop: Arc<AtomicBool>,
    good: Arc<AtomicUsize>,
    tasks: JoinSet<Vec<String>>,
}

impl Load {
    fn start(http: &Http, clients: usize) -> Self {
        let (stop, good) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut tasks = JoinSet::new();
        for _ in 0..clients {
            let (http, stop, good) = (http.clone(), stop.clone(), good.clone());
            tasks.spawn(async move {
                let mut failures = Vec::new();
                let mut conn = http.connect().await.unwrap();
                while !stop.load(Ordering::Relaxed) {
                    match conn.send(&http.host, get(OPEN)).await {
                        Ok(Reply { status: 200, .. }) => {
                            good.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(reply) => failures.push(format!("{} {}", reply.status, reply.text())),
                        Err(e) => {
                            failures.push(e.to_string());
                            conn = http.connect().await.unwrap();
                        }
                    }
                    // Leaves the two cores some air.
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
                failures
            });
        }
        Self { stop, good, tasks }
    }

    async fn more(&self, n: usize) {
        let from = self.good.load(Ordering::Relaxed);
        until("more good answers", async || self.good.load(Ordering::Relaxed) >= from + n).await;
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await.concat()
    }
}

async fn http_pair() -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::http_sims(&[&a, &b])).await;
    gatekeeper.wait_up("b", "http", true).await;
    (a, b, gatekeeper)
}

/// Profile http: clients never notice, and the standby serves afterwards.
async fn no_get_fails(mode: &str) {
    let (mut a, b, gatekeeper) = http_pair().await;
    let load = Load::start(&gatekeeper.h1(), 4);
    load.more(50).await;
    if mode == "kill" {
        a.kill();
    } else {
        a.fault("all", mode).await;
    }
    gatekeeper.wait_serving("http", "b").await;
    load.more(50).await;
    let failures = load.end().await;
    assert!(failures.is_empty(), "{mode}: {} failures, first: {:?}", failures.len(), failures.first());
    let reply = gatekeeper.h1().send(get(OPEN)).await.unwrap().expect(200);
    assert!(reply.text().contains(&b.url()), "not from b: {}", reply.text());
    assert!(gatekeeper.metric("gatekeeper_failovers_total", &[("from", "a"), ("to", "b")]).await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_survives_kill() {
    no_get_fails("kill").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_survives_stop() {
    no_get_fails("stop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_survives_page503() {
    no_get_fails("page503").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_survives_reset() {
    no_get_fails("reset").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_survives_hang() {
    no_get_fails("hang").await;
}

/// A page with status 200 that is not what the instance usually says.
#[tokio::test(flavor = "multi_thread")]
async fn http_notices_another_page_within_two_probe_intervals() {
    let (a, _b, gatekeeper) = http_pair().await;
    // More than `rise` answers have been seen when the next one goes out.
    until("probes of a", async || a.requests_with(OPEN).await >= 5).await;
    a.fault("all", "wrong-body").await;
    let broken = Instant::now();
    gatekeeper.wait_serving("http", "b").await;
    // Two intervals of 500 ms, and what a busy machine adds.
    assert!(broken.elapsed() < Duration::from_secs(2), "{:?}", broken.elapsed());
    a.heal().await;
    gatekeeper.wait_up("a", "http", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_survives_blackhole() {
    let probe = Sim::start("probe", &[]);
    let reply = probe.try_fault(&json!({"service": "all", "mode": "blackhole"})).await;
    if reply.status == 501 {
        eprintln!("skipped http_survives_blackhole: this system refuses socket filters: {}", reply.text());
        return;
    }
    no_get_fails("blackhole").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_requests_are_answered_by_the_standby_at_once() {
    let (a, b, gatekeeper) = http_pair().await;
    let http = gatekeeper.h2();
    let mut warm = http.connect().await.unwrap();
    for _ in 0..20 {
        warm.send(&http.host, get(OPEN)).await.unwrap().expect(200);
    }
    a.fault("all", "hang").await;
    let start = std::time::Instant::now();
    let all = futures_util::future::join_all((0..30).map(|_| async {
        let mut conn = warm.share();
        conn.send(&http.host, get(OPEN)).await.unwrap()
    }));
    for reply in all.await {
        assert!(reply.expect(200).text().contains(&b.url()));
    }
    assert!(
        start.elapsed().as_secs() < 5,
        "{:?} for requests that a hedge should have saved",
        start.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_but_healthy_primary_keeps_its_clients() {
    let (a, _b, gatekeeper) = http_pair().await;
    let load = Load::start(&gatekeeper.h1(), 4);
    load.more(50).await;
    let slow = a.try_fault(&json!({"service": "all", "mode": "slow", "ms": 200})).await;
    assert!(slow.status < 300, "{}", slow.text());
    load.more(60).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    assert_eq!(gatekeeper.serving("hq", "http").await.as_deref(), Some("a"));
    assert_eq!(gatekeeper.metric("gatekeeper_failovers_total", &[]).await, 0.0);
}

pub async fn xprotect_pair() -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    for service in ["identity", "config"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    (a, b, gatekeeper)
}

/// Every single answer takes 250 ms, well within the time of a probe (400 ms).
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_vms_keeps_its_clients() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    // The default limits.
    let limits = "interval = \"500ms\"\ntimeout = \"400ms\"";
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b]).table("health", limits)).await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    let slow = a.try_fault(&json!({"service": "all", "mode": "slow", "ms": 250})).await;
    assert!(slow.status < 300, "{}", slow.text());
    for _ in 0..12 {
        http.send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
    }
    assert_eq!(gatekeeper.metric("gatekeeper_failovers_total", &[]).await, 0.0);
}

/// Profile xprotect: a clean 401, one login, and on with the standby; the first token stays where it was.
async fn one_login_carries_on(service: &str, mode: &str) {
    let (mut a, b, gatekeeper) = xprotect_pair().await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    http.send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
    match mode {
        "kill" => a.kill(),
        _ => a.fault(service, mode).await,
    }
    gatekeeper.wait_serving("config", "b").await;
    let refused = http.send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(401);
    let error = refused.json();
    assert_eq!(error["error"]["httpCode"], 401);
    let text = error["error"]["details"][0]["errorText"].as_str().unwrap();
    assert!(text.contains("token is expired"), "{text}");
    let second = login(&http).await;
    assert_ne!(token, second);
    let reply = http.send(get("/API/rest/v1/cameras").bearer(&second)).await.unwrap().expect(200);
    let direct = b.http().send(get("/API/rest/v1/cameras").bearer(&second)).await.unwrap().expect(200);
    assert_eq!(reply.body, direct.body);
    assert_eq!(b.requests_with(&token).await, 0, "b was shown a token of a");
    if mode != "kill" {
        assert_eq!(a.requests_with(&second).await, 0, "a was shown a token of b");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xprotect_after_kill() {
    one_login_carries_on("all", "kill").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn xprotect_after_stop() {
    one_login_carries_on("all", "stop").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn xprotect_after_page503() {
    one_login_carries_on("all", "page503").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn xprotect_after_hang() {
    one_login_carries_on("all", "hang").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn xprotect_after_reset() {
    one_login_carries_on("all", "reset").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn xprotect_after_wrong_body() {
    one_login_carries_on("all", "wrong-body").await;
}

/// D7: identity is healthy, but who logs in there could do nothing with the token.
#[tokio::test(flavor = "multi_thread")]
async fn logins_go_where_everything_essential_is_served() {
    one_login_carries_on("config", "page503").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_fail_over_one_by_one() {
    let (a, _b, gatekeeper) = xprotect_pair().await;
    for (service, others) in
        [("events", ["identity", "config", "webrtc"]), ("webrtc", ["identity", "config", "events"])]
    {
        a.fault(service, "page503").await;
        gatekeeper.wait_up("a", service, false).await;
        gatekeeper.wait_serving(service, "b").await;
        for other in others {
            assert_eq!(
                gatekeeper.serving("hq", other).await.as_deref(),
                Some("a"),
                "{other} moved with {service}"
            );
        }
        a.heal().await;
        gatekeeper.wait_up("a", service, true).await;
        gatekeeper.succeed(&["failback", "hq", service, "--reason", "test"]);
        gatekeeper.wait_serving(service, "a").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_while_the_primary_hangs_is_answered_by_the_standby() {
    let (a, b, gatekeeper) = xprotect_pair().await;
    a.fault("all", "hang").await;
    let reply = gatekeeper.h1().send(password_grant("user1", "user1-password")).await.unwrap().expect(200);
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    b.http().send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
    assert!(b.requests_with("POST /API/IDP/connect/token").await <= 1, "sent to the standby more than once");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_down_is_said_plainly_and_recovers() {
    let (mut a, mut b, gatekeeper) = xprotect_pair().await;
    a.kill();
    b.kill();
    gatekeeper.wait_up("a", "config", false).await;
    gatekeeper.wait_up("b", "config", false).await;
    let http = gatekeeper.h1();
    let reply = http.send(get("/API/rest/v1/cameras")).await.unwrap();
    assert!([502, 503].contains(&reply.status), "{}", reply.status);
    assert!(!reply.header("gatekeeper-reason").is_empty());
    a.restart();
    let recovered = async || {
        let reply = http.send(password_grant("admin", "admin-password")).await;
        reply.is_ok_and(|r| r.status == 200)
    };
    until("a login works again", recovered).await;
}

/// A web server that is up, but is no VMS: a 200 with a page proves nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_answers_html_is_not_healthy() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\n<html>hello</html>";
    let (a, b) = (Upstream::answering(page).await, Sim::start("b", &[]));
    let mut config = Config::xprotect(&[&b]);
    config.instances.insert(0, Instance::new("a", &a.url()));
    config.sites[0].primary = "a".into();
    config.sites[0].standby = vec!["b".into()];
    let gatekeeper = Gatekeeper::start(config);
    for service in ["identity", "config"] {
        gatekeeper.wait_up("a", service, false).await;
        gatekeeper.wait_serving(service, "b").await;
    }
    let token = login(&gatekeeper.h1()).await;
    gatekeeper.h1().send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_primaries_share_one_standby() {
    let names = ["one", "two", "three", "spare"];
    let mut servers = Vec::new();
    for name in names {
        servers.push(Upstream::saying(name).await);
    }
    let mut config = Config::http(&[("one", &servers[0].url())]);
    config.instances = names.iter().zip(&servers).map(|(n, s)| Instance::new(n, &s.url())).collect();
    let site = |name: &str| Site {
        name: format!("site-{name}"),
        hosts: vec![format!("{name}.test")],
        profile: "http",
        primary: name.into(),
        standby: vec!["spare".into()],
        extra: "probe = \"/probe\"".into(),
    };
    config.sites = names[..3].iter().map(|n| site(n)).collect();
    let gatekeeper = Gatekeeper::ready(config).await;
    let who = async |host: &str| {
        let http = gatekeeper.h1().named(&format!("{host}.test"));
        http.send(get("/x")).await.unwrap().expect(200).text().to_owned()
    };
    for name in &names[..3] {
        assert_eq!(who(name).await, *name);
    }
    servers[1].stop();
    assert_eq!(who("two").await, "spare", "the first request already");
    until("the table says so", async || {
        gatekeeper.serving("site-two", "http").await.as_deref() == Some("spare")
    })
    .await;
    servers[2].stop();
    assert_eq!([who("one").await, who("two").await, who("three").await], ["one", "spare", "spare"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_down_changes_nothing() {
    let (a, mut b, gatekeeper) = http_pair().await;
    let load = Load::start(&gatekeeper.h1(), 2);
    b.kill();
    gatekeeper.wait_up("b", "http", false).await;
    load.more(50).await;
    assert_eq!(load.end().await, Vec::<String>::new());
    let reply = gatekeeper.h1().send(get(OPEN)).await.unwrap().expect(200);
    assert!(reply.text().contains(&a.url()));
}
