use serde_json::{Value, json};

use crate::api::Api;
use crate::settings::Version;
use crate::testing::{Client, Reply, api, shared};

const ANSWER: &str = r#"{"type":"answer","sdp":"v=0\r\n"}"#;
const CANDIDATE: &str = r#"{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0"}"#;

fn start(client: &Client, camera: &str) -> Reply {
    client.call("POST", "WebRTC/Session", &json!({ "deviceId": camera, "resolution": "notInUse" }))
}

fn sessions(api: &Api) -> usize {
    api.webrtc_sessions()
}

#[test]
fn the_exchange_of_the_browser_sample() {
    let client = Client::new(api(|_| {}), "admin");
    let camera = client.ids("cameras")[0].clone();
    let body = json!({ "deviceId": camera.to_uppercase(), "resolution": "notInUse", "includeAudio": true,
        "iceServers": [{ "url": "stun:127.0.0.1" }], "playbackTimeNode": { "playbackTime": "x", "skipGaps": true } });
    let session = client.call("POST", "WebRTC/Session", &body).expect(200);
    let id = session["sessionId"].as_str().unwrap().to_owned();
    assert_eq!(session["deviceId"], camera.as_str());
    assert_eq!((&session["answerSDP"], &session["token"]), (&json!("Uninitialised"), &Value::Null));
    for wish in ["resolution", "includeAudio", "iceServers", "playbackTimeNode"] {
        assert_eq!(session[wish], body[wish]);
    }
    assert_eq!(session["streamId"], Value::Null);
    let offer: Value = serde_json::from_str(session["offerSDP"].as_str().unwrap()).unwrap();
    assert_eq!(offer["type"], "offer");

    let candidates = format!("webrtc/icecandidates/{id}");
    assert_eq!(client.get(&candidates).expect(200), json!({ "candidates": [] }));
    let path = format!("WebRTC/Session/{id}");
    let answered = client.call("PATCH", &path, &json!({ "answerSDP": ANSWER })).expect(200);
    assert_eq!(answered["answerSDP"], ANSWER);
    client.call("PATCH", &path, &json!({ "answerSDP": ANSWER })).error(409);
    let told = client.get(&candidates).expect(200);
    let one: Value = serde_json::from_str(told["candidates"][0].as_str().unwrap()).unwrap();
    assert!(one["candidate"].as_str().unwrap().starts_with("candidate:"));
    let heard = client.call("POST", &candidates, &json!({ "candidates": [CANDIDATE] })).expect(200);
    assert_eq!(heard["candidates"], json!([CANDIDATE]));
    assert_eq!(client.get(&path).expect(200), answered);
}

#[test]
fn errors_are_json() {
    let client = Client::new(shared(), "admin");
    let camera = client.ids("cameras")[0].clone();
    let unknown = "webrtc/session/00000000-0000-0000-0000-000000000000";
    client.get(unknown).error(404);
    client.call("PATCH", unknown, &json!({ "answerSDP": ANSWER })).error(404);
    client.get("webrtc/icecandidates/nonsense").error(404);
    client.get("webrtc/nonsense").error(404);
    client.get("webrtc/session").error(400);
    client.call("POST", "webrtc/session", &json!({})).error(400);
    client.call("POST", "webrtc/session", &json!([])).error(400);
    client.call("POST", "webrtc/session", &json!({ "cameraId": camera })).error(400);
    start(&client, "nonsense").error(404);
    let id = start(&client, &camera).expect(200)["sessionId"].as_str().unwrap().to_owned();
    let patch = |body: Value| client.call("PATCH", &format!("WebRTC/Session/{id}"), &body).error(400);
    for bad in ["", "{}", r#"{"type":"offer","sdp":"v=0"}"#, r#"{"type":"answer","sdp":""}"#] {
        patch(json!({ "answerSDP": bad }));
    }
    patch(json!({}));
    patch(json!({ "token": "nonsense" }));
    patch(json!({ "token": 1 }));
    let hear = |body: Value| client.call("POST", &format!("WebRTC/IceCandidates/{id}"), &body).error(400);
    hear(json!({}));
    hear(json!({ "candidates": [1] }));
    hear(json!({ "candidates": ["x"] }));
    hear(json!({ "candidates": vec![CANDIDATE; 201] }));
    client.call("DELETE", &format!("WebRTC/Session/{id}"), &Value::Null).error(400);
    // Another user's session is none.
    Client::new(shared(), "user1").get(&format!("WebRTC/Session/{id}")).error(404);
}

#[test]
fn only_cameras_that_the_user_sees() {
    let instance = api(|settings| settings.cameras = 4);
    let admin = Client::new(instance.clone(), "admin");
    let guard = Client::new(instance.clone(), "user2");
    let seen = guard.ids("cameras");
    let hidden = admin.ids("cameras").into_iter().find(|id| !seen.contains(id)).unwrap();
    start(&guard, &seen[0]).expect(200);
    start(&guard, &hidden).error(404);
    let open = api(|settings| {
        settings.cameras = 4;
        settings.switches.set("hidden=403").unwrap();
    });
    start(&Client::new(open.clone(), "user2"), &hidden).error(403);
    assert_eq!((sessions(&instance), sessions(&open)), (1, 0));
}

#[test]
fn a_session_lives_as_long_as_its_token() {
    let client = Client::new(api(|_| {}), "admin");
    let camera = client.ids("cameras")[0].clone();
    let id = start(&client, &camera).expect(200)["sessionId"].as_str().unwrap().to_owned();
    let path = format!("WebRTC/Session/{id}");
    // The clock of the first token has nearly run out when the client renews it.
    client.api.set_clock_offset(3_000);
    let later = Client::new(client.api.clone(), "admin");
    let renewed = client.call("PATCH", &path, &json!({ "token": later.token })).expect(200);
    assert_eq!(renewed["token"], Value::Null);
    client.api.set_clock_offset(5_000);
    later.get(&path).expect(200);
    client.api.set_clock_offset(7_000);
    Client::new(client.api.clone(), "admin").get(&path).error(404);
    assert_eq!(sessions(&client.api), 0);
}

#[test]
fn limits_and_ends_are_switches() {
    let set = |assignments: &[&str]| {
        api(|settings| assignments.iter().for_each(|one| settings.switches.set(one).unwrap()))
    };
    let client = Client::new(set(&["webrtc-sessions=1", "webrtc-delete=on", "webrtc-lifetime=60"]), "admin");
    let camera = client.ids("cameras")[0].clone();
    let id = start(&client, &camera).expect(200)["sessionId"].as_str().unwrap().to_owned();
    start(&client, &camera).error(503);
    client.call("DELETE", &format!("WebRTC/Session/{id}"), &Value::Null).expect(200);
    start(&client, &camera).expect(200);
    client.api.set_clock_offset(61);
    start(&client, &camera).expect(200);
}

#[test]
fn names_and_releases() {
    let version = |major, minor| api(move |settings| settings.version = Version { major, minor });
    let old = Client::new(version(25, 1), "admin");
    let camera = old.ids("cameras")[0].clone();
    start(&old, &camera).error(400);
    let session = old.call("POST", "WebRTC/Session", &json!({ "cameraId": camera })).expect(200);
    assert_eq!(session["cameraId"], camera.as_str());
    start(&Client::new(version(22, 3), "admin"), &camera).error(404);
}

#[test]
fn what_a_session_keeps_is_bounded() {
    let client = Client::new(api(|_| {}), "admin");
    let camera = client.ids("cameras")[0].clone();
    let large = json!({ "deviceId": camera, "iceServers": [{ "url": "x".repeat(64 << 10) }] });
    client.call("POST", "WebRTC/Session", &large).error(400);
    let id = start(&client, &camera).expect(200)["sessionId"].as_str().unwrap().to_owned();
    let candidate = json!({ "candidate": "x".repeat(2 << 10) }).to_string();
    client
        .call("POST", &format!("WebRTC/IceCandidates/{id}"), &json!({ "candidates": [candidate] }))
        .error(400);
    let session = client.get(&format!("WebRTC/Session/{id}")).expect(200);
    assert_eq!((&session["answerSDP"], sessions(&client.api)), (&json!("Uninitialised"), 1));
}
