//! What we answer ourselves has the shape that clients of the VMS parse (D13).

use crate::support::client::{call, get, login, password_grant};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::upstream::Upstream;

/// A site whose only instance is gone.
async fn orphaned() -> Gatekeeper {
    let mut a = Sim::start("a", &[]);
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a])).await;
    a.kill();
    for service in ["identity", "config", "events", "soap"] {
        gatekeeper.wait_up("a", service, false).await;
    }
    gatekeeper
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_speak_the_language_of_their_service() {
    let gatekeeper = orphaned().await;
    for http in [gatekeeper.h1(), gatekeeper.h2()] {
        for path in ["/API/rest/v1/cameras", "/API/rest/v1/alarms", "/API/rest/v1/WebRTC/Session"] {
            let reply = http.send(get(path)).await.unwrap().expect(503);
            assert!(reply.header("content-type").starts_with("application/json"), "{path}");
            let error = &reply.json()["error"];
            assert_eq!(error["httpCode"], 503, "{path}");
            assert!(error["details"][0]["errorText"].as_str().is_some_and(|t| !t.is_empty()), "{path}");
            assert!(reply.header("retry-after").parse::<u32>().is_ok(), "{path}: {:?}", reply.headers);
            assert!(!reply.header("gatekeeper-reason").is_empty(), "{path}");
        }
        let reply = http.send(password_grant("admin", "admin-password")).await.unwrap().expect(503);
        assert!(reply.json()["error"].is_string(), "{}", reply.text());
        assert!(!reply.text().contains("\": "), "compact, please: {}", reply.text());
        let soap = call("POST", "/ManagementServer/ServerCommandServiceOAuth.svc")
            .header("content-type", "text/xml; charset=utf-8")
            .header(
                "soapaction",
                "\"http://videoos.net/2/XProtectCSServerCommand/IServerCommandService/GetVersion\"",
            )
            .body("<x/>");
        let reply = http.send(soap).await.unwrap();
        assert!([500, 503].contains(&reply.status), "{}", reply.status);
        assert!(reply.header("content-type").starts_with("text/xml"), "{:?}", reply.headers);
        assert!(reply.text().contains("Fault") && reply.text().contains("faultstring"), "{}", reply.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_token_is_answered_by_the_instance() {
    let a = Sim::start("a", &[]);
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a])).await;
    let through = gatekeeper.h1().send(get("/API/rest/v1/cameras")).await.unwrap();
    let direct = a.http().send(get("/API/rest/v1/cameras")).await.unwrap();
    assert_eq!((through.status, &through.body), (direct.status, &direct.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_site_gets_a_plain_503_with_a_reason() {
    let upstream = Upstream::saying("ok").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    upstream.stop();
    gatekeeper.wait_up("a", "http", false).await;
    let reply = gatekeeper.h1().send(get("/x")).await.unwrap();
    assert!([502, 503].contains(&reply.status), "{}", reply.status);
    assert!(!reply.header("gatekeeper-reason").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_on_a_standby_can_be_refused() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let failback = "mode = \"manual\"\nstandby_writes = \"refuse\"";
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b]).table("failback", failback)).await;
    gatekeeper.wait_up("b", "config", true).await;
    a.fault("all", "page503").await;
    gatekeeper.wait_serving("config", "b").await;
    gatekeeper.wait_serving("identity", "b").await;
    let http = gatekeeper.h1();
    let token = crate::support::client::login(&http).await;
    let post = call("POST", "/API/rest/v1/userDefinedEvents").bearer(&token).body("{\"name\":\"x\"}");
    let reply = http.send(post.header("content-type", "application/json")).await.unwrap().expect(503);
    assert_eq!(reply.json()["error"]["httpCode"], 503);
    assert!(b.writes().await.is_empty());
    http.send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
}

/// The page of the web server before a dead VMS is nothing that a client of the VMS can read. Its session is lost; it has
/// to sign in again, and is told so by the first request already.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_lost_its_home_to_an_error_page_is_told_to_sign_in_again() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    for service in ["config", "identity"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    let http = gatekeeper.h1();
    let token = login(&http).await;
    http.send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
    a.fault("all", "page503").await;
    for http in [gatekeeper.h1(), gatekeeper.h2(), gatekeeper.h1()] {
        let reply = http.send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(401);
        assert_eq!(reply.header("gatekeeper-reason"), "sign-in-again");
        assert!(reply.header("content-type").starts_with("application/json"), "{:?}", reply.headers);
        assert_eq!(reply.json()["error"]["httpCode"], 401);
    }
    let token = login(&http).await;
    http.send(get("/API/rest/v1/cameras").bearer(&token)).await.unwrap().expect(200);
    assert_eq!(a.requests_with(&token).await, 0, "the new session is at home on b");
}
