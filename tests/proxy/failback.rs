//! When a service returns to its primary (D6), and what an operator can do about it.

use std::time::{Duration, Instant};

use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::upstream::Upstream;
use crate::support::{client::get, until};

async fn pair(failback: &str) -> (Upstream, Upstream, Gatekeeper) {
    let (a, b) = (Upstream::saying("a").await, Upstream::saying("b").await);
    let config = Config::http(&[("a", &a.url()), ("b", &b.url())])
        .table("failback", failback)
        .table("health", "interval = \"300ms\"\ntimeout = \"300ms\"\nrise = 2\nfall = 2");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    (a, b, gatekeeper)
}

async fn who(gatekeeper: &Gatekeeper) -> String {
    gatekeeper.h1().send(get("/x")).await.unwrap().expect(200).text().to_owned()
}

async fn fail_a(a: &Upstream, gatekeeper: &Gatekeeper) {
    a.set_healthy(false);
    gatekeeper.wait_serving("http", "b").await;
    assert_eq!(who(gatekeeper).await, "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn immediate_returns_as_soon_as_the_primary_is_up() {
    let (a, _b, gatekeeper) = pair("mode = \"immediate\"").await;
    fail_a(&a, &gatekeeper).await;
    a.set_healthy(true);
    gatekeeper.wait_serving("http", "a").await;
    assert_eq!(who(&gatekeeper).await, "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_stable_waits_for_a_quiet_time() {
    let (a, _b, gatekeeper) = pair("mode = \"after-stable\"\nstable_for = \"2s\"").await;
    fail_a(&a, &gatekeeper).await;
    a.set_healthy(true);
    let healthy = Instant::now();
    gatekeeper.wait_up("a", "http", true).await;
    gatekeeper.wait_serving("http", "a").await;
    assert!(healthy.elapsed() >= Duration::from_secs(2), "back after {:?}", healthy.elapsed());
    assert_eq!(who(&gatekeeper).await, "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relapse_starts_the_quiet_time_again() {
    let (a, _b, gatekeeper) = pair("mode = \"after-stable\"\nstable_for = \"2s\"").await;
    fail_a(&a, &gatekeeper).await;
    a.set_healthy(true);
    gatekeeper.wait_up("a", "http", true).await;
    a.set_healthy(false);
    gatekeeper.wait_up("a", "http", false).await;
    a.set_healthy(true);
    let healthy = Instant::now();
    gatekeeper.wait_serving("http", "a").await;
    assert!(healthy.elapsed() >= Duration::from_secs(2), "back after {:?}", healthy.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn manual_returns_when_an_operator_says_so_and_not_before() {
    let (a, _b, gatekeeper) = pair("mode = \"manual\"").await;
    fail_a(&a, &gatekeeper).await;
    let refused = gatekeeper.command(&["failback", "--reason", "too early"]);
    assert_ne!(refused.status.code(), Some(0), "the primary is down");
    assert_eq!(who(&gatekeeper).await, "b");
    a.set_healthy(true);
    gatekeeper.wait_up("a", "http", true).await;
    // Several probe rounds pass without a switch.
    let probes = Instant::now();
    until("some time has passed", async || probes.elapsed() > Duration::from_secs(1)).await;
    assert_eq!(who(&gatekeeper).await, "b");
    gatekeeper.succeed(&["failback", "hq", "http", "--reason", "works again"]);
    gatekeeper.wait_serving("http", "a").await;
    assert_eq!(who(&gatekeeper).await, "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flapping_primary_moves_its_clients_less_and_less() {
    let (a, _b, gatekeeper) = pair("mode = \"after-stable\"\nstable_for = \"1s\"").await;
    // 12 s of half a second down, 1.6 s up: undamped, each round would switch there and back.
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < Duration::from_secs(12) {
        a.set_healthy(false);
        gatekeeper.wait_up("a", "http", false).await;
        a.set_healthy(true);
        let up = Instant::now();
        until("1.6 s up", async || up.elapsed() > Duration::from_millis(1600)).await;
        rounds += 1;
    }
    let switches = gatekeeper.metric("gatekeeper_failovers_total", &[]).await;
    // Returns after 1 s, then 2 s, 4 s, 8 s of health: none of the later ones is reached here.
    assert!((1.0..=4.0).contains(&switches), "{switches} switches in {rounds} rounds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_instance_serves_nobody_until_it_is_released_even_across_a_restart() {
    let (_a, _b, mut gatekeeper) = pair("mode = \"immediate\"").await;
    assert_eq!(who(&gatekeeper).await, "a");
    gatekeeper.succeed(&["drain", "a", "--reason", "patch day"]);
    gatekeeper.wait_serving("http", "b").await;
    assert_eq!(who(&gatekeeper).await, "b");
    for signal in ["TERM", "KILL"] {
        gatekeeper.restart(signal);
        gatekeeper.wait_ready().await;
        assert_eq!(who(&gatekeeper).await, "b", "the override is gone after {signal}");
    }
    gatekeeper.succeed(&["release", "a", "--reason", "patched"]);
    gatekeeper.wait_serving("http", "a").await;
    assert_eq!(who(&gatekeeper).await, "a");
    gatekeeper.restart("TERM");
    gatekeeper.wait_ready().await;
    assert_eq!(who(&gatekeeper).await, "a", "the release is gone after a restart");
}
