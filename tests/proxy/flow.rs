//! The daily life of a client: log in, list, create, read, update, delete.

use serde_json::json;

use crate::support::client::{Http, call, get, login, password_grant};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;

const EVENTS: &str = "/API/rest/v1/userDefinedEvents";

async fn pair() -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    (a, b, gatekeeper)
}

async fn day(http: &Http, token: &str, name: &str) {
    let cameras =
        http.send(get("/API/rest/v1/cameras?disabled").bearer(token)).await.unwrap().expect(200).json();
    assert_eq!(cameras["array"].as_array().map(Vec::len), Some(50));
    let created = http.send(call("POST", EVENTS).bearer(token).json(&json!({ "name": name }))).await.unwrap();
    let created = created.expect(201).json();
    let id = created["result"]["id"].as_str().unwrap().to_owned();
    let item = format!("{EVENTS}/{id}");
    let read = http.send(get(&item).bearer(token)).await.unwrap().expect(200).json();
    assert_eq!(read["data"]["name"], name);
    let renamed = format!("{name} renamed");
    let patch = call("PATCH", &item).bearer(token).json(&json!({ "name": renamed }));
    assert_eq!(http.send(patch).await.unwrap().expect(200).json()["data"]["name"], renamed);
    http.send(call("DELETE", &item).bearer(token)).await.unwrap().expect(200);
    http.send(get(&item).bearer(token)).await.unwrap().expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_over_http_1_and_http_2() {
    let (a, b, gatekeeper) = pair().await;
    for (http, name) in [(gatekeeper.h1(), "over h1"), (gatekeeper.h2(), "over h2")] {
        let token = login(&http).await;
        day(&http, &token, name).await;
    }
    assert_eq!((a.writes().await.len(), b.writes().await.len()), (6, 0), "all went to the primary, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_day_without_us_gives_the_same() {
    let a = Sim::start("a", &[]);
    let token = login(&a.http()).await;
    day(&a.http(), &token, "direct").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_byte_for_byte_those_of_the_instance() {
    let (a, _b, gatekeeper) = pair().await;
    let token = login(&gatekeeper.h1()).await;
    for path in
        ["/API/rest/v1/cameras?size=3", "/API/rest/v1/roles", "/API/rest/v1/cameras?name=startsWith:%27C%27"]
    {
        let direct = a.http().send(get(path).bearer(&token)).await.unwrap().expect(200);
        let through = gatekeeper.h1().send(get(path).bearer(&token)).await.unwrap().expect(200);
        assert_eq!(direct.body, through.body, "{path}");
        assert_eq!(direct.header("content-type"), through.header("content-type"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_counts_once() {
    let (a, b, gatekeeper) = pair().await;
    let reply = gatekeeper.h1().send(password_grant("user1", "wrong-one")).await.unwrap().expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
    assert_eq!((login_tries(&a).await, login_tries(&b).await), (1, 0));
}

/// Token requests that arrived.
async fn login_tries(sim: &Sim) -> usize {
    sim.requests_with("POST /API/IDP/connect/token").await
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_those_of_the_instance() {
    let (_a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let reply = http.send(password_grant("user2", "user2-password")).await.unwrap().expect(200);
    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
    let seen =
        http.send(get("/API/rest/v1/cameras?disabled").bearer(&token)).await.unwrap().expect(200).json();
    assert_eq!(seen["array"].as_array().map(Vec::len), Some(25), "a guard sees the first half");
    let write = call("POST", EVENTS).bearer(&token).json(&json!({"name": "not allowed"}));
    assert!(http.send(write).await.unwrap().expect(403).text().contains("VMO61008"));
}

#[tokio::test(flavor = "multi_thread")]
async fn service_and_refresh_grants_work_through_us() {
    let (_a, _b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let token = |form: &str| call("POST", "/api/idp/connect/token").form(form);
    let service =
        "grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret&scope=managementserver";
    let service = http.send(token(service)).await.unwrap().expect(200).json();
    let bearer = service["access_token"].as_str().unwrap();
    http.send(get("/API/rest/v1/sites").bearer(bearer)).await.unwrap().expect(200);
    let password = "grant_type=password&username=user1&password=user1-password&client_id=VmsClient";
    let first = http.send(token(password)).await.unwrap().expect(200).json();
    let refresh = first["refresh_token"].as_str().unwrap();
    let second = format!("grant_type=refresh_token&client_id=VmsClient&refresh_token={refresh}");
    let second = http.send(token(&second)).await.unwrap().expect(200).json();
    let bearer = second["access_token"].as_str().unwrap();
    http.send(get("/API/rest/v1/cameras").bearer(bearer)).await.unwrap().expect(200);
    let unknown = token("grant_type=refresh_token&client_id=VmsClient&refresh_token=never-issued");
    assert_eq!(http.send(unknown).await.unwrap().expect(400).json()["error"], "invalid_grant");
}
