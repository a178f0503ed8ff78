use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::socket::{Socket, quiet};
use super::support::{Sim, eventually};

const PATH: &str = "/API/ws/webrtc/v1";
const ANSWER: &str = r#"{"type":"answer","sdp":"v=0\r\n"}"#;
const CANDIDATE: &str = r#"{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host"}"#;

fn open(sim: &Sim) -> Socket {
    Socket::open(sim, PATH, None).ok().unwrap()
}

fn call(method: &str, params: &Value, id: u64) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": id })
}

fn cameras(sim: &Sim, token: &str) -> Vec<String> {
    let mut client = sim.client();
    client.send(&format!(
        "GET /API/rest/v1/cameras HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    let body: Value = serde_json::from_str(&client.receive().unwrap().body).unwrap();
    body["array"].as_array().unwrap().iter().map(|camera| camera["id"].as_str().unwrap().to_owned()).collect()
}

/// Registers and connects; the session, and the invitation.
fn invited(socket: &mut Socket, token: &str, camera: &str) -> (String, Value) {
    let registered = socket.ask(call("register", &json!({ "authorization": token }), 1));
    assert_eq!((&registered["id"], registered["result"].is_object()), (&json!(1), true), "{registered}");
    let connect = json!({ "authorization": token, "peer": camera, "includeAudio": true });
    let connected = socket.ask(call("connect", &connect, 2));
    assert_eq!(connected["id"], 2, "{connected}");
    let invite = socket.receive();
    let session = connected["result"]["session"].as_str().unwrap().to_owned();
    assert_eq!((&invite["method"], &invite["params"]["session"]), (&json!("invite"), &json!(session)));
    let offer: Value = serde_json::from_str(invite["params"]["offer"].as_str().unwrap()).unwrap();
    assert_eq!(offer["type"], "offer");
    (session, invite["id"].clone())
}

fn sessions(sim: &Sim) -> Value {
    sim.get("/state")["webrtc"]["sessions"].clone()
}

#[test]
fn the_exchange_of_the_browser_sample() {
    let sim = quiet(&[]);
    let token = sim.token("admin");
    let camera = cameras(&sim, &token)[0].clone();
    let mut socket = open(&sim);
    let (session, invitation) = invited(&mut socket, &token, &camera);
    let trickle = json!({ "jsonrpc": "2.0", "method": "trickle", "params": { "session": session, "candidate": CANDIDATE } });
    socket.0.send(Message::text(trickle.to_string())).unwrap();
    let trickled = socket.ask(json!({ "jsonrpc": "2.0", "result": { "answer": ANSWER }, "id": invitation }));
    assert_eq!((&trickled["method"], &trickled["params"]["session"]), (&json!("trickle"), &json!(session)));
    assert!(trickled.get("id").is_none());
    // An object, because the sample hands it to addIceCandidate as it is.
    assert!(trickled["params"]["candidate"]["candidate"].as_str().unwrap().starts_with("candidate:"));
    assert_eq!(socket.receive()["method"], "trickle");
    assert_eq!(sessions(&sim), 1);
    drop(socket);
    eventually(|| (sessions(&sim) == 0).then_some(()));
}

#[test]
fn refusals() {
    for (errors, member) in [("notify", "params"), ("reply", "error")] {
        let sim = quiet(&["--set", &format!("webrtc-errors={errors}")]);
        let mut socket = open(&sim);
        let mut refused = |frame: Value| {
            let answer = socket.ask(frame);
            assert_eq!(answer.get("id").is_some(), errors == "reply", "{answer}");
            answer[member]["message"].as_str().unwrap().to_owned()
        };
        assert_eq!(refused(call("connect", &json!({}), 2)), "Not registered.");
        assert!(refused(call("register", &json!({ "authorization": "x" }), 1)).contains("invalid"));
        assert_eq!(refused(call("dance", &json!({}), 3)), "Unknown method: dance");
        let (admin, guard) = (sim.token("admin"), sim.token("user2"));
        let seen = cameras(&sim, &guard);
        let hidden = cameras(&sim, &admin).into_iter().find(|id| !seen.contains(id)).unwrap();
        assert!(socket.ask(call("register", &json!({ "authorization": guard }), 1)).get("result").is_some());
        let mut refused = |frame: Value| socket.ask(frame)[member]["message"].as_str().unwrap().to_owned();
        assert_eq!(
            refused(call("connect", &json!({ "peer": hidden }), 2)),
            format!("Device not found. cameras/{hidden}")
        );
        assert_eq!(
            refused(call("trickle", &json!({ "session": "x", "candidate": CANDIDATE }), 4)),
            "Session not found."
        );
        refused(json!({ "jsonrpc": "2.0", "result": { "answer": ANSWER }, "id": "x" }));
        assert_eq!(sessions(&sim), 0);
        socket.0.send(Message::text(r#"{"jsonrpc":"1.0","method":"register","id":1}"#)).unwrap();
        assert_eq!(socket.closed(), Some(1007));
    }
}

#[test]
fn the_session_ends_and_the_client_is_told() {
    let sim = quiet(&["--set", "webrtc-lifetime=1"]);
    let token = sim.token("admin");
    let mut socket = open(&sim);
    let (session, _) = invited(&mut socket, &token, &cameras(&sim, &token)[0]);
    let end = socket.receive();
    assert_eq!((&end["method"], &end["params"]["session"]), (&json!("error"), &json!(session)));
    assert!(end.get("id").is_none() && end["params"]["message"].is_string());
    assert_eq!(sessions(&sim), 0);
}

#[test]
fn faults_and_releases() {
    let sim = quiet(&[]);
    for mode in ["stop", "reset"] {
        let mut socket = open(&sim);
        sim.fault("webrtc", mode);
        assert_eq!(socket.closed(), None);
        sim.heal();
    }
    sim.fault("webrtc", "page503");
    assert_eq!(Socket::open(&sim, PATH, None).err(), Some(503));
    sim.heal();
    sim.fault("events", "stop");
    let token = sim.token("admin");
    let mut socket = open(&sim);
    invited(&mut socket, &token, &cameras(&sim, &token)[0]);
    let old = quiet(&["--version", "24.2"]);
    assert_eq!(Socket::open(&old, PATH, None).err(), Some(404));
}
