//! Which service a path belongs to, which site a name belongs to.

use std::collections::HashMap;

use crate::support::client::{Http, get, login};
use crate::support::config::{Config, Instance, Site};
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::upstream::Upstream;

/// A server that tells its name for every path, probes of all services included.
async fn named(name: &'static str) -> Upstream {
    Upstream::saying(name).await
}

fn site(name: &str, hosts: &[&str], primary: &str) -> Site {
    Site {
        name: name.into(),
        hosts: hosts.iter().map(|h| (*h).to_owned()).collect(),
        profile: "http",
        primary: primary.into(),
        standby: Vec::new(),
        extra: "probe = \"/probe\"".into(),
    }
}

async fn two_sites(first: &[&str], second: &[&str]) -> (Gatekeeper, Upstream, Upstream) {
    let (a, b) = (named("first").await, named("second").await);
    let mut config = Config::http(&[("a", &a.url())]);
    config.instances.push(Instance::new("b", &b.url()));
    config.sites = vec![site("one", first, "a"), site("two", second, "b")];
    (Gatekeeper::ready(config).await, a, b)
}

async fn ask(http: &Http, host: &str) -> (u16, String) {
    let reply = http.named(host).send(get("/x")).await.unwrap();
    (reply.status, reply.text().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_name_has_its_site() {
    let (gatekeeper, _a, _b) = two_sites(&["one.test"], &["two.test", "zwei.test"]).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        assert_eq!(ask(&http, "one.test").await, (200, "first".into()));
        assert_eq!(ask(&http, "two.test").await, (200, "second".into()));
        assert_eq!(ask(&http, "zwei.test").await, (200, "second".into()));
        assert_eq!(ask(&http, "TWO.Test").await, (200, "second".into()), "names have no case");
        let port = gatekeeper.listener().port();
        assert_eq!(ask(&http, &format!("two.test:{port}")).await, (200, "second".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_has_is_refused_by_us() {
    let (gatekeeper, a, b) = two_sites(&["one.test"], &["two.test"]).await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        let reply = http.named("other.unknown").send(get("/x")).await.unwrap();
        assert!([404, 421].contains(&reply.status), "{}", reply.status);
        assert!(!reply.header("gatekeeper-reason").is_empty());
    }
    assert_eq!((a.seen().len(), b.seen().len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_star_takes_the_names_that_no_other_site_has() {
    let (gatekeeper, _a, _b) = two_sites(&["one.test"], &["*"]).await;
    assert_eq!(ask(&gatekeeper.h1(), "one.test").await.1, "first");
    assert_eq!(ask(&gatekeeper.h1(), "any.unknown").await.1, "second");
}

/// How many requests each service has had, by the metric.
async fn by_service(gatekeeper: &Gatekeeper) -> HashMap<String, u64> {
    let mut counts = HashMap::new();
    for (labels, value) in gatekeeper.samples("gatekeeper_requests_total", &[("site", "hq")]).await {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let value = value as u64;
        *counts.entry(labels["service"].clone()).or_default() += value;
    }
    counts.retain(|_, v| *v > 0);
    counts
}

async fn before_a_vms() -> (Sim, Gatekeeper) {
    let a = Sim::start("a", &[]);
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a]).in_site("pass = [\"/Portal\"]")).await;
    (a, gatekeeper)
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_belong_to_services_by_whole_segments_in_any_case() {
    let (_a, gatekeeper) = before_a_vms().await;
    let table = [
        ("identity", "/IDP/connect/authorize"),
        ("identity", "/idp/account/x"),
        ("identity", "/API/IDP/x"),
        ("identity", "/api/idp/x"),
        ("identity", "/portal/page"),
        ("config", "/API/rest/v1/cameras"),
        ("config", "/api/REST/V1/Hardware"),
        ("config", "/API/rest/v1/eventTypes"),
        ("config", "/API/rest/v1/eventsX"),
        ("config", "/API/rest/v1/alarmDefinitions"),
        ("events", "/API/rest/v1/events"),
        ("events", "/API/rest/v1/EVENTS/6a0e?include=data"),
        ("events", "/API/rest/v1/eventSessions"),
        ("events", "/API/rest/v1/alarms/1/history"),
        ("events", "/api/rest/v1/alarmStates"),
        ("events", "/API/rest/v1/closeReasons"),
        ("webrtc", "/API/REST/v1/WebRTC/Session"),
        ("soap", "/ManagementServer/ServerCommandService.svc"),
        ("soap", "/serverapi/ServerCommandService.asmx"),
    ];
    let http = gatekeeper.h1();
    let token = login(&http).await;
    for (service, path) in table {
        let before = by_service(&gatekeeper).await.get(service).copied().unwrap_or(0);
        let reply = http.send(get(path).bearer(&token)).await.unwrap();
        let after = by_service(&gatekeeper).await;
        assert_eq!(after.get(service), Some(&(before + 1)), "{path} ({}) counted in {after:?}", reply.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_of_no_service_are_404_from_us() {
    let (a, gatekeeper) = before_a_vms().await;
    for path in
        ["/", "/index.html", "/IDPX/x", "/API", "/API/rest/v2/cameras", "/Portals", "/ManagementServerX"]
    {
        let reply = gatekeeper.h1().send(get(path)).await.unwrap();
        assert_eq!(reply.status, 404, "{path}: {}", reply.text());
        assert!(!reply.header("gatekeeper-reason").is_empty(), "{path} was not answered by us");
        assert_eq!(a.requests_with(&format!("GET {path} ")).await, 0, "{path} went through");
    }
    gatekeeper.h1().send(get("/portal/x")).await.unwrap();
    assert_eq!(a.requests_with("GET /portal/x ").await, 1, "what `pass` lists goes through");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_passes_untouched() {
    let a = named("a").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url())])).await;
    let raw = "/x?name=contains:%27a%2Bb%27&q=a+b&empty=&=v&%C3%A9=~!*()";
    gatekeeper.h1().send(get(raw)).await.unwrap().expect(200);
    assert_eq!(a.seen()[0].line(), format!("GET {raw} HTTP/1.1"));
}

/// M2: on a dual-stack socket our own address is `::ffff:127.0.0.1`, which was not recognised as the client's 127.0.0.1.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_a_listener_for_both_families_leads_to_the_first_site() {
    let a = named("first").await;
    let config = Config::http(&[("a", &a.url())])
        .hosts(&["vms.test"])
        .table("listener", "address = \"[::]:0\"\nplain_address = \"[::]:0\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    let port = gatekeeper.process.address("plain").port();
    for address in ["127.0.0.1", "[::1]"] {
        let host = format!("{address}:{port}");
        let http = Http { address: host.parse().unwrap(), host, ..gatekeeper.plain() };
        assert_eq!(http.send(get("/x")).await.unwrap().expect(200).text(), "first", "{address}");
        assert_eq!(ask(&http, "198.51.100.1").await.0, 421, "an address that is not ours");
    }
}
