//! Tokens inside messages: the instance at the other end gets its own, or nothing.

use serde_json::{Value, json};

use crate::support::client::{Http, call, login};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;
use crate::support::ws::{Ended, Events};

const EVENTS: &str = "/API/ws/events/v1";
const MESSAGES: &str = "/API/ws/messages/v1";
const WEBRTC: &str = "/API/ws/webrtc/v1";

struct Site {
    a: Sim,
    b: Sim,
    gatekeeper: Gatekeeper,
    http: Http,
    /// Of a login at a.
    token: String,
}

impl Site {
    /// A site with a login; with its twin if there are any.
    async fn new(config: impl FnOnce(&[&Sim]) -> Config, twins: bool) -> Self {
        let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
        let gatekeeper = Gatekeeper::ready(config(&[&a, &b])).await;
        for service in ["identity", "config", "events", "webrtc"] {
            gatekeeper.wait_up("b", service, true).await;
        }
        let http = gatekeeper.h1();
        let token = login(&http).await;
        if twins {
            let ready = [("site", "hq"), ("twin", "ready")];
            until("the twin is there", async || {
                gatekeeper.metric("gatekeeper_sessions", &ready).await == 1.0
            })
            .await;
        }
        Self { a, b, gatekeeper, http, token }
    }

    /// These services are served by b from now on.
    async fn move_to_b(&self, services: &[&str]) {
        for service in services {
            self.a.fault(service, "page503").await;
        }
        for service in services {
            self.gatekeeper.wait_serving(service, "b").await;
        }
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    async fn open(&self, path: &str) -> Events {
        Events::connect(&self.http, path, None).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_inside_a_socket_becomes_that_of_whoever_serves() {
    let site = Site::new(Config::twinned, true).await;
    site.move_to_b(&["events", "webrtc"]).await;

    let mut socket = site.open(EVENTS).await;
    let reply =
        socket.command(json!({"command": "authenticate", "commandId": 0, "token": site.bearer()})).await;
    assert_eq!(reply["status"], 200, "{reply}");
    socket.subscribe().await;
    let event = socket.events().await.remove(0);
    assert!(site.b.events().await.iter().any(|e| e["id"] == event["id"]), "{event} is not of b");

    let mut socket = site.open(MESSAGES).await;
    socket.send(&json!({"id": "1", "type": "auth.v1", "body": {"token": site.bearer()}})).await;
    assert_eq!(socket.next().await.unwrap()["type"], "hello.v1");

    let mut socket = site.open(WEBRTC).await;
    for id in [1, 2] {
        // Again, as clients renew it.
        let params = json!({"authorization": site.token});
        socket.send(&json!({"jsonrpc": "2.0", "method": "register", "params": params, "id": id})).await;
        let reply = socket.next().await.unwrap();
        assert!(reply["id"] == id && reply["error"].is_null(), "{reply}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_a_twin_never_reaches_another_instance() {
    let site = Site::new(Config::xprotect, false).await;
    site.move_to_b(&["events", "webrtc"]).await;
    let text = "Token validation failed: the token is expired.";
    let asked: [(&str, Value, Value); 3] = [
        (
            EVENTS,
            json!({"command": "authenticate", "commandId": 7, "token": site.bearer()}),
            json!({"commandId": 7, "status": 401, "error": {"errorText": text}}),
        ),
        (
            MESSAGES,
            json!({"id": "x", "type": "auth.v1", "body": {"token": site.bearer()}}),
            json!({"id": "x", "type": "err.v1", "body": {"id": "x", "message": text}}),
        ),
        (
            WEBRTC,
            json!({"jsonrpc": "2.0", "method": "register", "params": {"authorization": site.token}, "id": 1}),
            json!({"jsonrpc": "2.0", "method": "error", "params": {"message": text}}),
        ),
    ];
    for (path, message, answer) in asked {
        let mut socket = site.open(path).await;
        socket.send(&message).await;
        assert_eq!(socket.next().await, Some(answer), "{path}");
        assert_eq!(socket.end().await, Ended::Closed(1008), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_two_tokens_is_not_passed_on() {
    let site = Site::new(Config::twinned, false).await;
    let mut socket = site.open(EVENTS).await;
    let token = site.bearer();
    let text = format!(r#"{{"command":"authenticate","commandId":1,"token":"{token}","Token":"Bearer x"}}"#);
    socket.send_text(&text).await;
    assert_eq!(socket.end().await, Ended::Closed(1007));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_whose_service_moves_is_closed_so_that_its_client_comes_again() {
    let site = Site::new(Config::twinned, true).await;
    let mut socket = site.open(EVENTS).await;
    let authenticate = json!({"command": "authenticate", "commandId": 0, "token": site.bearer()});
    assert_eq!(socket.command(authenticate.clone()).await["status"], 200);
    socket.subscribe().await;
    assert!(!socket.events().await.is_empty());
    // Requests fail there now, while the socket still carries events.
    site.move_to_b(&["events"]).await;
    assert_eq!(socket.end().await, Ended::Closed(1012));
    let mut socket = site.open(EVENTS).await;
    assert_eq!(socket.command(authenticate).await["status"], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_says_why_it_ends() {
    for (what, code) in [("kill", 1012), ("hang", 1012), ("quarantine", 1012), ("stop", 1001)] {
        let mut site = Site::new(Config::twinned, false).await;
        let mut socket = site.open(EVENTS).await;
        let authenticate = json!({"command": "authenticate", "commandId": 0, "token": site.bearer()});
        assert_eq!(socket.command(authenticate).await["status"], 200);
        match what {
            "kill" => site.a.kill(),
            "hang" => site.a.fault("all", "hang").await,
            "quarantine" => drop(site.gatekeeper.succeed(&["quarantine", "a", "--reason", "test"])),
            _ => site.gatekeeper.process.signal("TERM"),
        }
        assert_eq!(socket.end().await, Ended::Closed(code), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_closes_and_long_messages_pass() {
    let site = Site::new(Config::twinned, false).await;
    let mut socket = site.open(MESSAGES).await;
    socket.send(&json!({"id": "1", "type": "auth.v1", "body": {"token": site.bearer()}})).await;
    assert_eq!(socket.next().await.unwrap()["type"], "hello.v1");
    socket.send(&json!({"id": "2", "type": "sub.v1", "body": {"topic": "t"}})).await;
    assert_eq!(socket.next().await.unwrap()["type"], "ack.v1");
    socket.ping(b"are you there?").await;
    // Short enough to be read, and in many frames.
    let data = "é".repeat(50_000);
    let message = json!({"id": "3", "type": "pub.v1", "body": {"topic": "t", "data": data}}).to_string();
    socket.send_in_frames(&message, 7_001).await;
    let got = [socket.next().await.unwrap(), socket.next().await.unwrap()];
    assert!(got.iter().any(|frame| frame["body"]["data"] == data));
    socket.close(1000).await;
    assert_eq!(socket.end().await, Ended::Closed(1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_webrtc_request_is_exchanged_or_refused() {
    for twins in [true, false] {
        let site = Site::new(if twins { Config::twinned } else { Config::xprotect }, twins).await;
        let other = login(&site.http).await;
        site.move_to_b(&["webrtc"]).await;
        let camera = site
            .b
            .events()
            .await
            .iter()
            .find_map(|e| e["source"].as_str()?.strip_prefix("cameras/").map(str::to_owned));
        let camera = camera.expect("an event of a camera");
        // A token of b starts the session, that of a is to renew it.
        site.a.fault("identity", "page503").await;
        site.gatekeeper.wait_serving("identity", "b").await;
        let of_b = login(&site.http).await;
        let post = call("POST", "/API/REST/v1/WebRTC/Session").bearer(&of_b);
        let post = post.json(&json!({"deviceId": camera, "resolution": "notInUse"}));
        let session = site.http.send(post).await.unwrap().expect(200).json()["sessionId"].clone();
        let path = format!("/API/REST/v1/WebRTC/Session/{}", session.as_str().unwrap());
        if twins {
            until("both twins", async || {
                site.gatekeeper.metric("gatekeeper_sessions", &[("twin", "ready")]).await >= 2.0
            })
            .await;
        }
        let patch = call("PATCH", &path).bearer(&of_b).json(&json!({"token": other}));
        let reply = site.http.send(patch).await.unwrap();
        assert_eq!(reply.status, if twins { 200 } else { 401 }, "{}", reply.text());
        let patch = call("PATCH", &path).bearer(&of_b).json(&json!({"token": of_b, "answerSDP": null}));
        site.http.send(patch).await.unwrap().expect(200);
        let patch = call("PATCH", &path).bearer(&of_b).body(r#"{"token":"x","token":"y"}"#);
        assert_eq!(site.http.send(patch).await.unwrap().status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_without_a_token_hears_what_the_instance_says() {
    let site = Site::new(Config::twinned, false).await;
    let mut socket = site.open(EVENTS).await;
    let reply = socket.command(json!({"command": "getState", "commandId": 3})).await;
    assert_eq!((&reply["commandId"], &reply["status"]), (&json!(3), &json!(401)), "{reply}");
}
