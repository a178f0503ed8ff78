//! A login is good on the other instance, too.

use std::process::Command;

use serde_json::json;

use crate::support::client::{call, get};
use crate::support::gatekeeper::{Gatekeeper, text};
use crate::support::ws::Events;
use crate::world::{World, cameras, issued, log_in, login, password, status, token_requests};

#[tokio::test(flavor = "multi_thread")]
async fn tokens_outlive_their_home() {
    let mut world = World::start().await;
    let (h1, h2) = (world.gatekeeper.h1(), world.gatekeeper.h2());
    let mut clients = Vec::new();
    for (n, (http, door)) in
        [(&h1, "/IDP"), (&h1, "/API/IDP"), (&h2, "/idp"), (&h2, "/api/idp")].iter().enumerate()
    {
        let user = format!("user{}", n + 1);
        let form = password(&user, &format!("{user}-password"), "GrantValidatorClient");
        let reply = http.send(call("POST", &format!("{door}/connect/token")).form(&form)).await.unwrap();
        clients.push((*http, login(&reply.expect(200)).token));
    }
    world.twins(4).await;
    world.a.kill();
    for (http, token) in &clients {
        http.send(cameras(token)).await.unwrap().expect(200);
        assert_eq!(world.b.requests_with(token).await, 0, "b was shown a token of a");
    }
    assert_eq!(token_requests(&world.b).await.len(), 4, "nobody logged in again");
}

#[tokio::test(flavor = "multi_thread")]
async fn service_tokens_outlive_their_home() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let in_form =
        "grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret&scope=managementserver";
    let in_form =
        login(&http.send(call("POST", "/IDP/connect/token").form(in_form)).await.unwrap().expect(200));
    world.twins(1).await;
    // "svc1:svc1-secret".
    let in_header = call("POST", "/API/IDP/connect/token")
        .form("grant_type=client_credentials&scope=managementserver")
        .header("authorization", "Basic c3ZjMTpzdmMxLXNlY3JldA==");
    let in_header = login(&http.send(in_header).await.unwrap().expect(200));
    world.twins(2).await;
    world.a.kill();
    for token in [in_form.token, in_header.token] {
        http.send(cameras(&token)).await.unwrap().expect(200);
    }
    assert_eq!(issued(&world.b).await, 2);
}

/// A client that nobody here wrote.
fn curl(gatekeeper: &Gatekeeper, version: &str, path: &str, more: &[&str]) -> (String, String) {
    let ca = gatekeeper.ca.write(gatekeeper.dir.path());
    let port = gatekeeper.listener().port();
    let output = Command::new("curl")
        .args(["-sS", version, "--cacert"])
        .arg(ca)
        .args(["--resolve", &format!("vms.test:{port}:127.0.0.1"), "-w", "\n%{http_code} %{http_version}"])
        .args(more)
        .arg(format!("https://vms.test:{port}{path}"))
        .output()
        .unwrap();
    let out = text(&output.stdout);
    let (body, status) = out.rsplit_once('\n').unwrap_or_else(|| panic!("{}", text(&output.stderr)));
    (body.to_owned(), status.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_does_not_notice() {
    let mut world = World::start().await;
    let form = password("user1", "user1-password", "GrantValidatorClient");
    let mut tokens = Vec::new();
    for (version, spoken) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let (body, status) = curl(&world.gatekeeper, version, "/API/IDP/connect/token", &["-d", &form]);
        assert_eq!(status, format!("200 {spoken}"), "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        tokens.push((version, format!("Authorization: Bearer {}", body["access_token"].as_str().unwrap())));
    }
    world.twins(2).await;
    world.a.kill();
    for (version, header) in &tokens {
        let (body, status) = curl(&world.gatekeeper, version, crate::world::CAMERAS, &["-H", header]);
        assert!(status.starts_with("200"), "{version}: {status} {body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_is_the_same_user() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let (operator, guard) = (world.twinned("user1").await, world.twinned("user2").await);
    let list = async |token: &str| {
        let all =
            http.send(get("/API/rest/v1/cameras?page=0&size=9").bearer(token)).await.unwrap().expect(200);
        all.json()["array"].as_array().unwrap().clone()
    };
    world.a.kill();
    let (all, half) = (list(&operator.token).await, list(&guard.token).await);
    assert_eq!((all.len(), half.len()), (4, 2), "a guard sees the first half");
    for (login, name, camera) in [(&operator, "user1", &all[3]), (&guard, "user2", &half[0])] {
        let bookmark = json!({"devicePath": {"type": "cameras", "id": camera["id"]}, "header": name});
        let made = call("POST", "/API/rest/v1/bookmarks").bearer(&login.token).json(&bookmark);
        let made = http.send(made).await.unwrap().expect(201).json();
        assert_eq!(made["result"]["user"], name);
    }
    let writes = world.b.writes().await;
    let who: Vec<_> =
        writes.iter().map(|w| (w["who"].as_str().unwrap(), w["body"]["header"].as_str().unwrap())).collect();
    assert_eq!(who, [("user1", "user1"), ("user2", "user2")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn soap_and_sockets_know_the_twin() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let login = world.twinned("user1").await;
    world.a.kill();
    world.gatekeeper.wait_serving("soap", "b").await;
    world.gatekeeper.wait_serving("events", "b").await;
    let envelope = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <Login xmlns=\"http://videoos.net/2/XProtectCSServerCommand\">\
         <instanceId>6f1a0f0e-0d6e-4b0a-9a55-2f3f7d1f6a11</instanceId><currentToken></currentToken></Login>\
         </s:Body></s:Envelope>";
    let soap = call("POST", "/ManagementServer/ServerCommandServiceOAuth.svc")
        .bearer(&login.token)
        .header("content-type", "text/xml; charset=utf-8")
        .header("soapaction", "\"http://videoos.net/2/XProtectCSServerCommand/IServerCommandService/Login\"")
        .body(envelope);
    let reply = http.send(soap).await.unwrap().expect(200);
    assert!(reply.text().contains("LoginResult"), "{}", reply.text());
    let mut socket = Events::connect(&http, "/API/ws/events/v1", Some(&login.token)).await.expect("a socket");
    socket.subscribe().await;
    assert_eq!(world.b.requests_with(&login.token).await, 0, "b was shown a token of a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_home_is_left_like_a_dead_one() {
    let world = World::with(&[], |c| c.table("health", "interval = \"500ms\"\ntimeout = \"500ms\"")).await;
    let http = world.gatekeeper.h1();
    let login = world.twinned("user1").await;
    world.a.fault("all", "hang").await;
    http.send(cameras(&login.token)).await.unwrap().expect(200);
    world.gatekeeper.wait_serving("config", "b").await;
    assert_eq!(status(&http, &login.token).await, 200);
    assert_eq!(world.b.requests_with(&login.token).await, 0);
}

/// Also back, and with logins that were made meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn sessions_go_back_with_the_service() {
    let mut world = World::with(&[], |c| c.table("failback", "mode = \"immediate\"")).await;
    let http = world.gatekeeper.h1();
    let before = world.twinned("user1").await;
    world.a.kill();
    assert_eq!(status(&http, &before.token).await, 200);
    for service in ["identity", "config"] {
        world.gatekeeper.wait_serving(service, "b").await;
    }
    let meanwhile = log_in(&http, "user2").await;
    world.a.restart();
    for service in ["identity", "config"] {
        world.gatekeeper.wait_serving(service, "a").await;
    }
    // The same instance again: it knows its own token.
    let seen = world.b.requests_with("GET /API/rest/v1/cameras").await;
    assert_eq!(status(&http, &before.token).await, 200);
    assert_eq!(world.b.requests_with("GET /API/rest/v1/cameras").await, seen, "it went back to a");
    assert!(world.a.requests_with(&before.token).await > 0);
    assert_eq!(status(&http, &meanwhile.token).await, 200);
    assert_eq!(world.a.requests_with(&meanwhile.token).await, 0, "a was shown a token of b");
}
