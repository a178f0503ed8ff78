//! What lives in one instance only (D10): tasks and sessions stay with their maker, and are gone with it.

use serde_json::{Value, json};

use crate::support::client::{Call, Http, Reply, call, get, login, password_grant};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;

const REST: &str = "/API/rest/v1";

async fn pair() -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::twinned(&[&a, &b])).await;
    for service in ["identity", "config", "events", "webrtc"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    (a, b, gatekeeper)
}

async fn ask(http: &Http, token: &str, call: Call) -> Reply {
    http.send(call.bearer(token)).await.unwrap()
}

/// Has a task made, and gives its path.
async fn task(http: &Http, token: &str) -> String {
    let cameras = ask(http, token, get(&format!("{REST}/cameras"))).await.expect(200).json();
    let camera = cameras["array"][0]["id"].as_str().unwrap().to_owned();
    let make = call("POST", &format!("{REST}/cameras/{camera}/ptzPresets?task=GetDevicePresets"));
    let made = ask(http, token, make.json(&json!({"sessionDataId": 0}))).await;
    assert!((200..300).contains(&made.status), "{} {}", made.status, made.text());
    let made: Value = made.json();
    format!("{REST}/tasks/{}", made["result"]["path"]["id"].as_str().unwrap())
}

fn is_gone(reply: &Reply) -> bool {
    let ours = reply.header("gatekeeper-reason") == "gone-with-instance";
    assert!(!ours || (reply.status == 404 && reply.json()["error"]["httpCode"] == 404), "{}", reply.text());
    ours
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_stays_with_its_maker_and_is_gone_with_it() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    until("the twin is there", async || b.requests_with("/connect/token").await >= 1).await;
    let path = task(&http, &token).await;
    ask(&http, &token, get(&path)).await.expect(200);
    // The session moves with the service, the task does not.
    gatekeeper.succeed(&["drain", "a", "--reason", "test"]);
    gatekeeper.wait_serving("config", "b").await;
    until("the session has moved", async || {
        ask(&http, &token, get(&format!("{REST}/sites"))).await.expect(200);
        b.requests_with(&format!("{REST}/sites")).await > 0
    })
    .await;
    ask(&http, &token, get(&path)).await.expect(200);
    assert_eq!(b.requests_with(&path).await, 0);
    // Another user's task of that number is another task.
    let other = http.send(password_grant("user1", "user1-password")).await.unwrap().expect(200).json();
    let theirs = ask(&http, other["access_token"].as_str().unwrap(), get(&path)).await;
    assert!(theirs.status >= 400 && !is_gone(&theirs), "{}", theirs.text());
    let seen = b.requests_with(&path).await;
    // The maker is gone, and so is what it made; nobody else is asked.
    a.fault("all", "page503").await;
    gatekeeper.wait_up("a", "config", false).await;
    for method in ["GET", "POST"] {
        let query = if method == "GET" { "" } else { "?task=TaskCleanup" };
        let reply = ask(&http, &token, call(method, &format!("{path}{query}"))).await;
        assert!(is_gone(&reply), "{method} {} {}", reply.status, reply.text());
    }
    assert_eq!(b.requests_with(&path).await, seen);
    // A task that the user has made at the other meanwhile is found there, whatever its number.
    let newer = task(&http, &token).await;
    ask(&http, &token, get(&newer)).await.expect(200);
    a.heal().await;
    gatekeeper.wait_up("a", "config", true).await;
    ask(&http, &token, get(&newer)).await.expect(200);
    if newer != path {
        ask(&http, &token, get(&path)).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_stay_with_their_maker_and_are_gone_with_it() {
    let (a, b, gatekeeper) = pair().await;
    let http = gatekeeper.h1();
    let token = login(&http).await;
    until("the twin is there", async || b.requests_with("/connect/token").await >= 1).await;
    let mut paths = Vec::new();
    for kind in ["eventSessions", "alarmSessions"] {
        let made = ask(&http, &token, call("POST", &format!("{REST}/{kind}")).json(&json!({}))).await;
        assert!((200..300).contains(&made.status), "{kind} {} {}", made.status, made.text());
        let items = kind.replace("Session", "");
        paths.push(format!("{REST}/{kind}/{}/{items}", made.json()["data"]["id"].as_str().unwrap()));
    }
    let cameras = ask(&http, &token, get(&format!("{REST}/cameras"))).await.expect(200).json();
    let offer = json!({"deviceId": cameras["array"][0]["id"], "resolution": "notInUse"});
    let made = ask(&http, &token, call("POST", "/API/REST/v1/WebRTC/Session").json(&offer)).await;
    assert!((200..300).contains(&made.status), "{} {}", made.status, made.text());
    let id = made.json()["sessionId"].clone();
    paths.push(format!("/API/REST/v1/WebRTC/IceCandidates/{}", id.as_str().unwrap()));
    gatekeeper.succeed(&["drain", "a", "--reason", "test"]);
    for service in ["events", "webrtc"] {
        gatekeeper.wait_serving(service, "b").await;
    }
    for path in &paths {
        ask(&http, &token, get(path)).await.expect(200);
    }
    a.fault("all", "page503").await;
    for service in ["events", "webrtc"] {
        gatekeeper.wait_up("a", service, false).await;
    }
    for path in &paths {
        let reply = ask(&http, &token, get(path)).await;
        assert!(is_gone(&reply), "{path} {} {}", reply.status, reply.text());
        assert_eq!(b.requests_with(path).await, 0);
    }
}
