//! Documents that carry addresses lead back to us (D11).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::client::{Http, get, login};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;
use crate::support::upstream::Upstream;

const URIS: &str = "/API/.well-known/uris";
const OPENID: [&str; 2] =
    ["/IDP/.well-known/openid-configuration", "/API/IDP/.well-known/openid-configuration"];

async fn pair() -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    for service in ["identity", "config"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    for path in [OPENID[0], URIS] {
        // What is answered before that has a test of its own.
        until("the instance's documents are known", async || {
            gatekeeper.h1().send(get(path)).await.unwrap().text().contains("https://vms.test/")
        })
        .await;
    }
    (a, b, gatekeeper)
}

/// A client that names the port, as clients of odd ports do.
fn with_port(gatekeeper: &Gatekeeper) -> (Http, String) {
    let host = format!("vms.test:{}", gatekeeper.listener().port());
    (gatekeeper.h1().named(&host), format!("https://{host}"))
}

async fn read(http: &Http, path: &str) -> Value {
    http.send(get(path)).await.unwrap().expect(200).json()
}

fn check_uris(uris: &Value, origin: &str) {
    assert_eq!(uris["ApiGateways"], serde_json::json!([format!("{origin}/API/")]));
    assert_eq!(uris["IdentityProvider"], format!("{origin}/IDP"));
    assert_eq!(uris["SecureManagementServer"], format!("{origin}/"));
    let version = uris["ProductVersion"].as_str().unwrap();
    assert!(version.starts_with("25.2"), "{version}");
}

fn check_openid(document: &Value, origin: &str, issuer: &Value) {
    let mut checked = 0;
    for (key, value) in document.as_object().unwrap() {
        if key.ends_with("_endpoint") || key.ends_with("_uri") {
            let value = value.as_str().unwrap();
            assert!(value.starts_with(&format!("{origin}/")), "{key} is {value}");
            checked += 1;
        }
    }
    assert!(checked >= 3, "{document}");
    assert_eq!(&document["issuer"], issuer, "the issuer is left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_leads_back_to_the_name_that_the_client_used() {
    let (a, _b, gatekeeper) = pair().await;
    let (http, origin) = with_port(&gatekeeper);
    let issuer = read(&a.http(), OPENID[0]).await["issuer"].clone();
    check_uris(&read(&http, URIS).await, &origin);
    check_uris(&read(&gatekeeper.h1(), URIS).await, "https://vms.test");
    check_uris(&read(&http, "/api/.WELL-KNOWN/URIS").await, &origin);
    for path in OPENID {
        check_openid(&read(&http, path).await, &origin, &issuer);
        let body = http.send(get(path)).await.unwrap();
        assert!(
            !body.text().contains("\": "),
            "bodies of the identity provider are compact: {}",
            body.text()
        );
    }
    let token = login(&http).await;
    for path in ["/API/rest/v1/registeredServices", "/API/rest/v1/systemAddresses"] {
        let reply = http.send(get(path).bearer(&token)).await.unwrap().expect(200);
        assert!(!reply.text().contains(&a.url()), "{path} still leads to the instance: {}", reply.text());
        assert!(reply.text().contains(&origin), "{path}: {}", reply.text());
        reply.json();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plain_listener_leads_back_to_itself() {
    let (_a, _b, gatekeeper) = pair().await;
    let host = format!("vms.test:{}", gatekeeper.process.address("plain").port());
    let http = gatekeeper.plain().named(&host);
    let uris = read(&http, URIS).await;
    assert_eq!(uris["ApiGateways"], serde_json::json!([format!("http://{host}/API/")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_are_those_of_both_instances() {
    let (a, b, gatekeeper) = pair().await;
    let kids = async |http: &Http| -> BTreeSet<String> {
        let document = read(http, OPENID[0]).await;
        let uri = document["jwks_uri"].as_str().unwrap();
        let path = &uri[uri.find("/IDP").or_else(|| uri.find("/API")).unwrap()..];
        let keys = read(http, path).await;
        keys["keys"].as_array().unwrap().iter().map(|k| k["kid"].as_str().unwrap().to_owned()).collect()
    };
    let both: BTreeSet<String> = kids(&a.http()).await.union(&kids(&b.http()).await).cloned().collect();
    assert_eq!(both.len(), 2);
    until("the keys are those of both", async || kids(&gatekeeper.h1()).await == both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_is_answered_while_the_primary_dies() {
    let (mut a, _b, gatekeeper) = pair().await;
    let (http, origin) = with_port(&gatekeeper);
    let issuer_a = read(&a.http(), OPENID[0]).await["issuer"].clone();
    until("the documents of a are known", async || read(&http, OPENID[0]).await["issuer"] == issuer_a).await;
    read(&http, URIS).await;
    a.kill();
    // At once, before any probe has noticed, and after.
    for _ in 0..20 {
        check_uris(&read(&http, URIS).await, &origin);
        let document = read(&http, OPENID[0]).await;
        check_openid(&document, &origin, &document["issuer"].clone());
    }
    gatekeeper.wait_serving("identity", "b").await;
    let document = read(&http, OPENID[0]).await;
    assert_ne!(document["issuer"], issuer_a, "the document is that of the instance which serves now");
    check_uris(&read(&http, URIS).await, &origin);
}

/// A client that discovers an instance's own address goes around us from then on.
#[tokio::test(flavor = "multi_thread")]
async fn no_address_of_an_instance_gets_out_before_its_documents_are_known() {
    let a = Sim::start("a", &[]);
    // Each document takes a while, so there is a time in which requests come and nothing is known yet.
    let slow = a.try_fault(&serde_json::json!({"service": "all", "mode": "slow", "ms": 120})).await;
    assert!(slow.status < 300, "{}", slow.text());
    let gatekeeper = Gatekeeper::start(Config::xprotect(&[&a]));
    let (http, origin) = with_port(&gatekeeper);
    until("discovery leads to us", async || {
        let mut ours = true;
        for path in [URIS, OPENID[0]] {
            let reply = http.send(get(path)).await.unwrap();
            assert!(!reply.text().contains(&a.url()), "{path} leads around us: {}", reply.text());
            ours &= reply.status == 200 && reply.text().contains(&origin);
        }
        ours
    })
    .await;
}

/// A scripted server is never healthy as a VMS; here nobody asks for its health.
fn unjudged(upstream: &Upstream, extra: &str) -> Config {
    let mut config = Config::http(&[("a", &upstream.url())]);
    config.instances[0].extra = extra.into();
    config.sites[0].profile = "xprotect";
    config.sites[0].extra = String::new();
    config.table("health", "interval = \"1min\"\nfall = 100")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_the_instance_becomes_one_to_us_and_others_stay() {
    let upstream = Upstream::start(|mut link, seen| {
        Box::pin(async move {
            let target = match seen.line().split(' ').nth(1)? {
                "/IDP/own" => "http://INSTANCE/IDP/Account/Login?ReturnUrl=%2FIDP".to_owned(),
                "/IDP/alias" => "https://vms-a.internal/IDP/x".to_owned(),
                "/IDP/path" => "/IDP/relative".to_owned(),
                _ => "https://login.other.example/cb?u=https://vms-a.internal/".to_owned(),
            };
            let address = link.socket.local_addr().ok()?.to_string();
            let target = target.replace("INSTANCE", &address);
            link.write(
                format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
            )
            .await?;
            Some(link)
        })
    })
    .await;
    let gatekeeper = Gatekeeper::start(unjudged(&upstream, "aliases = [\"https://vms-a.internal\"]"));
    let location = async |path: &str| {
        gatekeeper.h1().send(get(path)).await.unwrap().expect(302).header("location").to_owned()
    };
    assert_eq!(location("/IDP/own").await, "https://vms.test/IDP/Account/Login?ReturnUrl=%2FIDP");
    assert_eq!(location("/IDP/alias").await, "https://vms.test/IDP/x");
    assert_eq!(location("/IDP/path").await, "/IDP/relative");
    assert_eq!(location("/IDP/else").await, "https://login.other.example/cb?u=https://vms-a.internal/");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_on_other_hosts_are_left_alone() {
    let body = r#"{"array":[{"uris":["http://recorder.example:7563/","HTTPS://vms-a.internal/API/"]}]}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let upstream = Upstream::answering(answer).await;
    let config = unjudged(&upstream, "aliases = [\"https://vms-a.internal\"]")
        // The scripted server has no keys, so its tokens are opaque.
        .table("session", "validate = \"never\"");
    let gatekeeper = Gatekeeper::start(config);
    let reply = gatekeeper.h1().send(get("/API/rest/v1/registeredServices")).await.unwrap().expect(200);
    let uris = &reply.json()["array"][0]["uris"];
    assert_eq!(uris, &serde_json::json!(["http://recorder.example:7563/", "https://vms.test/API/"]));
    assert_eq!(reply.header("content-length"), reply.body.len().to_string());
}
