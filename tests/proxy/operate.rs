//! What an operator and a service manager rely on: ready line, health endpoints, metrics, start and stop.

use std::time::Duration;

use crate::support::client::{call, get};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::upstream::{Upstream, ok};
use crate::support::{PATIENCE, until};

#[tokio::test(flavor = "multi_thread")]
async fn the_ready_line_names_every_socket() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = Gatekeeper::start(Config::http(&[("a", &upstream.url())]));
    for key in ["listener", "plain", "admin", "metrics"] {
        let address = gatekeeper.process.address(key);
        tokio::net::TcpStream::connect(address).await.unwrap_or_else(|e| panic!("{key} {address}: {e}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_instance_at_start_means_alive_but_not_ready() {
    let mut a = Sim::start("a", &[]);
    a.kill();
    let gatekeeper = Gatekeeper::start(Config::xprotect(&[&a]));
    assert_eq!(gatekeeper.open("/healthz").await.status, 200);
    gatekeeper.wait_up("a", "identity", false).await;
    assert_eq!(gatekeeper.open("/readyz").await.status, 503);
    a.restart();
    gatekeeper.wait_ready().await;
    assert_eq!(
        gatekeeper.admin().send(get("/healthz")).await.unwrap().status,
        200,
        "open on the admin listener, too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_needs_every_site_and_every_essential_service() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    a.fault("config", "page503").await;
    gatekeeper.wait_serving("config", "b").await;
    gatekeeper.wait_ready().await;
    b.fault("config", "page503").await;
    until("not ready without config", async || gatekeeper.open("/readyz").await.status == 503).await;
    b.heal().await;
    b.fault("events", "page503").await;
    a.fault("events", "page503").await;
    gatekeeper.wait_ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_are_there() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    gatekeeper.h1().send(get("/API/.well-known/uris")).await.unwrap().expect(200);
    let text = gatekeeper.open("/metrics").await.expect(200);
    let names = [
        "gatekeeper_requests_total",
        "gatekeeper_request_duration_seconds_bucket",
        "gatekeeper_upstream_up",
        "gatekeeper_serving",
        "gatekeeper_config_reloads_total",
        "gatekeeper_certificate_expiry_timestamp_seconds",
        "process_resident_memory_bytes",
    ];
    for name in names {
        assert!(text.text().contains(name), "{name} is missing in\n{}", text.text());
    }
    let all = gatekeeper.samples("gatekeeper_serving", &[("site", "hq")]).await;
    assert_eq!(all.len(), 10, "one sample for every service and instance");
    assert_eq!(all.iter().map(|(_, v)| v).sum::<f64>(), 5.0, "each service is served once");
    let expiry = gatekeeper.metric("gatekeeper_certificate_expiry_timestamp_seconds", &[]).await;
    assert!(expiry > 1.7e9, "{expiry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_ends_it_with_a_clear_message() {
    let upstream = Upstream::saying("ok").await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (table, key) in [("listener", "address"), ("admin", "address"), ("metrics", "address")] {
        let config = Config::http(&[("a", &upstream.url())]).table(table, &format!("{key} = \"{address}\""));
        let ended = Gatekeeper::try_start(config).err().expect("it must not start");
        assert_eq!(ended.code, Some(1), "{table}: {}", ended.log);
        assert!(ended.log.contains(&address), "{table}: the address is not named in {}", ended.log);
        assert!(ended.log.contains("in use"), "{table}: {}", ended.log);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_do_not_share_a_state_directory() {
    let upstream = Upstream::saying("ok").await;
    let first = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let state = first.dir.path().join("state");
    let text = Config::http(&[("a", &upstream.url())]).text();
    let text = text.replace("state_dir = \"state\"", &format!("state_dir = {state:?}"));
    let other = tempfile::TempDir::new().unwrap();
    let file = other.path().join("gatekeeper.toml");
    std::fs::write(&file, text).unwrap();
    let mut command = std::process::Command::new(crate::support::gatekeeper::BINARY);
    let ended =
        crate::support::process::Process::start("second", command.args(["run", "--config"]).arg(&file));
    let ended = ended.err().expect("the second must not start");
    assert_eq!(ended.code, Some(1), "{}", ended.log);
    assert!(ended.log.contains(state.to_str().unwrap()), "the directory is not named: {}", ended.log);
    first.h1().send(get("/x")).await.unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_running_requests_finish() {
    let (go, wait) = tokio::sync::watch::channel(false);
    let upstream = Upstream::start(move |mut link, _| {
        let mut wait = wait.clone();
        Box::pin(async move {
            link.read_body().await?;
            wait.wait_for(|go| *go).await.ok()?;
            link.write(&ok("finished")).await?;
            Some(link)
        })
    })
    .await;
    let mut gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let (h1, h2) = (gatekeeper.h1(), gatekeeper.h2());
    let mut idle = h1.connect().await.unwrap();
    let running =
        [h1.clone(), h2].map(|http| tokio::spawn(async move { http.send(get("/slow")).await.unwrap() }));
    until("both requests are at the instance", async || upstream.seen().len() == 2).await;
    gatekeeper.process.signal("TERM");
    until("the listener is closed", async || h1.connect().await.is_err()).await;
    assert!(idle.send("vms.test", get("/late")).await.is_err(), "an idle connection is closed");
    assert!(gatekeeper.process.running(), "it waits for the running requests");
    go.send(true).unwrap();
    for request in running {
        assert_eq!(request.await.unwrap().expect(200).text(), "finished");
    }
    assert_eq!(gatekeeper.process.exit(PATIENCE).code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_ever() {
    let upstream = Upstream::start(|mut link, _| {
        Box::pin(async move {
            while link.read_some().await.is_some() {}
            None
        })
    })
    .await;
    let config = Config::http(&[("a", &upstream.url())]).table("listener", "drain_timeout = \"1s\"");
    let mut gatekeeper = Gatekeeper::ready(config).await;
    let http = gatekeeper.h1();
    let stuck = tokio::spawn(async move { http.send(call("POST", "/never")).await });
    until("the request is at the instance", async || upstream.seen().len() == 1).await;
    gatekeeper.process.signal("TERM");
    gatekeeper.process.exit(Duration::from_secs(10));
    let outcome = stuck.await.unwrap();
    assert!(outcome.is_err() || outcome.is_ok_and(|r| r.status >= 500));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_plane_asks_for_a_token_and_keeps_it_private() {
    use std::os::unix::fs::PermissionsExt;
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let admin = gatekeeper.admin();
    assert_eq!(admin.send(get("/v1/status")).await.unwrap().status, 401);
    assert_eq!(admin.send(get("/v1/status").bearer("wrong")).await.unwrap().status, 401);
    let status = gatekeeper.status().await;
    assert!(status.is_object());
    let mode = std::fs::metadata(gatekeeper.token_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let rebound =
        admin.named("attacker.example").send(get("/v1/status").bearer(&gatekeeper.token())).await.unwrap();
    assert!(
        rebound.status >= 400,
        "a foreign Host on the admin listener (DNS rebinding): {}",
        rebound.status
    );
}
