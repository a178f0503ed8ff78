use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::socket::{Socket, quiet};
use super::support::{Sim, eventually};

const PATH: &str = "/API/ws/messages/v1";

struct Chat(Socket);

impl Chat {
    /// A socket that has said hello.
    fn login(sim: &Sim, user: &str) -> Self {
        let mut chat = Self(Socket::open(sim, PATH, None).ok().unwrap());
        let hello = chat.ask("auth.v1", &json!({ "token": format!("Bearer {}", sim.token(user)) }));
        assert_eq!(hello["type"], "hello.v1", "{hello}");
        assert!(hello["id"].is_string() && hello["body"]["pulsePeriodSeconds"].is_u64());
        chat
    }

    fn send(&mut self, kind: &str, body: &Value) {
        let frame = json!({ "id": format!("id of {kind}"), "type": kind, "body": body });
        self.0.0.send(Message::text(frame.to_string())).unwrap();
    }

    fn ask(&mut self, kind: &str, body: &Value) -> Value {
        self.send(kind, body);
        self.0.receive()
    }

    fn subscribe(&mut self, topic: &str) {
        let ack = self.ask("sub.v1", &json!({ "topic": topic }));
        assert_eq!((&ack["type"], &ack["body"]), (&json!("ack.v1"), &json!({ "id": "id of sub.v1" })));
    }

    fn refused(&mut self, kind: &str, body: &Value) -> Value {
        let answer = self.ask(kind, body);
        assert_eq!(
            (&answer["type"], &answer["body"]["id"]),
            (&json!("err.v1"), &json!(format!("id of {kind}")))
        );
        answer["body"]["message"].clone()
    }

    fn message(&mut self) -> (Value, i64) {
        let frame = self.0.receive();
        assert_eq!(frame["type"], "msg.v1", "{frame}");
        (frame["body"]["data"].clone(), frame["body"]["seq"].as_i64().unwrap())
    }
}

fn post(topic: &str, data: &Value) -> Value {
    json!({ "topic": topic, "data": data })
}

#[test]
fn everybody_on_the_topic_gets_it_the_publisher_too() {
    let sim = quiet(&[]);
    let (mut a, mut b, mut other) =
        (Chat::login(&sim, "admin"), Chat::login(&sim, "user1"), Chat::login(&sim, "user2"));
    a.subscribe("samples.chat");
    b.subscribe("samples.chat");
    b.subscribe("samples.chat");
    other.subscribe("elsewhere");
    for n in 0..3 {
        let data = json!({ "textMessage": n });
        assert_eq!(a.ask("pub.v1", &post("samples.chat", &data))["type"], "ack.v1");
        for chat in [&mut a, &mut b] {
            assert_eq!(chat.message(), (data.clone(), n));
        }
    }
    b.send("pulse.v1", &json!({ "seq": 2 }));
    other.0.assert_silent();
    assert_eq!(b.refused("pulse.v1", &json!({ "seq": 3 })), "Invalid value for seq.");
    assert_eq!(sim.get("/state")["messages"], json!({ "sockets": 3, "slow": 0 }));
    drop((a, b, other));
    eventually(|| (sim.get("/state")["messages"]["sockets"] == 0).then_some(()));
}

#[test]
fn first_the_token_in_a_frame() {
    let sim = quiet(&[]);
    let token = sim.token("admin");
    assert_eq!(Socket::open(&sim, PATH, Some("nonsense")).err(), Some(401));
    // The header alone opens the door, no more.
    let mut chat = Chat(Socket::open(&sim, PATH, Some(&token)).ok().unwrap());
    assert_eq!(chat.refused("sub.v1", &json!({ "topic": "a" })), "Not authenticated.");
    assert_eq!(chat.ask("auth.v1", &json!({ "token": format!("Bearer {token}") }))["type"], "hello.v1");
    chat.refused("auth.v1", &json!({ "token": format!("Bearer {token}") }));
    assert_eq!(chat.refused("unsub.v1", &json!({})), "Unknown type: unsub.v1");
    chat.refused("pub.v1", &json!({ "topic": "a" }));

    let mut chat = Chat(Socket::open(&sim, PATH, None).ok().unwrap());
    chat.refused("auth.v1", &json!({ "token": "Bearer nonsense" }));
    assert_eq!(chat.0.closed(), Some(1008));
}

#[test]
fn what_is_no_frame_ends_the_socket() {
    let sim = quiet(&[]);
    let bad =
        [Message::text("{"), Message::text(r#"{"type":"sub.v1","body":{}}"#), Message::binary(vec![1_u8])];
    for bad in bad {
        let mut chat = Chat::login(&sim, "admin");
        chat.0.0.send(bad).unwrap();
        assert_eq!(chat.0.closed(), Some(1007));
    }
    let mut chat = Chat::login(&sim, "admin");
    chat.send("pub.v1", &post("a", &json!("x".repeat(300 << 10))));
    assert_eq!(chat.0.closed(), Some(1009));
}

#[test]
fn acknowledgements_and_errors_are_switches() {
    let sim = quiet(&["--set", "messages-acks=off", "--set", "messages-errors=close"]);
    let mut chat = Chat::login(&sim, "admin");
    chat.send("sub.v1", &json!({ "topic": "a" }));
    chat.send("pub.v1", &post("a", &json!(1)));
    assert_eq!(chat.message(), (json!(1), 0));
    chat.send("sub.v1", &json!({}));
    assert_eq!(chat.0.closed(), Some(1008));
}

#[test]
fn who_gives_no_sign_of_life_is_closed() {
    let sim = quiet(&["--set", "messages-pulse-timeout=1", "--set", "ess-auth-timeout=1"]);
    let mut stranger = Socket::open(&sim, PATH, None).ok().unwrap();
    let mut chat = Chat::login(&sim, "admin");
    assert_eq!(stranger.closed(), Some(1008));
    assert_eq!(chat.0.closed(), Some(1008));
}

#[test]
fn a_slow_reader_is_cut_and_holds_up_nobody() {
    let sim = quiet(&["--set", "messages-room=8"]);
    let (mut reader, mut idler) = (Chat::login(&sim, "admin"), Chat::login(&sim, "user1"));
    reader.subscribe("a");
    idler.subscribe("a");
    let data = json!("x".repeat(200 << 10));
    let mut count = 0;
    // More than the sockets' own buffers take.
    while sim.get("/state")["messages"]["slow"] == 0 {
        reader.send("pub.v1", &post("a", &data));
        assert_eq!(reader.0.receive()["type"], "ack.v1");
        assert_eq!(reader.message(), (data.clone(), count));
        count += 1;
        assert!(count < 1_000, "nobody was slow");
    }
    assert_eq!(idler.0.closed(), None);
    eventually(|| (sim.get("/state")["messages"] == json!({ "sockets": 1, "slow": 1 })).then_some(()));
    reader.send("pub.v1", &post("a", &json!(1)));
    assert_eq!(reader.0.receive()["type"], "ack.v1");
    assert_eq!(reader.message(), (json!(1), count));
}

#[test]
fn faults_of_the_event_server_reach_it() {
    let sim = quiet(&[]);
    for (service, mode) in [("events", "stop"), ("events", "reset"), ("all", "stop")] {
        let mut chat = Chat::login(&sim, "admin");
        sim.fault(service, mode);
        assert_eq!(chat.0.closed(), None);
        sim.heal();
    }
    let mut chat = Chat::login(&sim, "admin");
    sim.fault("webrtc", "stop");
    chat.subscribe("a");
    sim.fault("events", "hang");
    chat.send("pub.v1", &post("a", &json!(1)));
    chat.0.assert_silent();
    sim.heal();
    assert_eq!(chat.0.receive()["type"], "ack.v1");
    assert_eq!(chat.message(), (json!(1), 0));
    let old = quiet(&["--version", "23.2"]);
    assert_eq!(Socket::open(&old, PATH, None).err(), Some(404));
    let other = quiet(&["--set", "alarms-socket=501"]);
    assert_eq!(Socket::open(&other, "/API/ws/alarms/v1/", None).err(), Some(501));
}
