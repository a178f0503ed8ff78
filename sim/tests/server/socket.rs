use std::net::TcpStream;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket, client};

use super::support::{PATIENCE, SILENCE, Sim, eventually};

const MOTION_STARTED: &str = "6eb95dd6-7ccc-4bce-99f8-af0d0b582d77";
const MOTION_STOPPED: &str = "6f55a7a7-d21c-4629-ac18-af1975e395a2";

/// A site in which nothing happens unless the test says so.
pub fn quiet(more: &[&str]) -> Sim {
    Sim::start(&[&["--cameras", "4", "--users", "2", "--event-rate", "0"], more].concat())
}

pub fn inject(sim: &Sim, physical: i64, camera: usize, kind: &str) -> Value {
    let (status, event) =
        sim.post("/events", &json!({ "physical": physical, "camera": camera, "type": kind }));
    assert_eq!(status, 200, "{event}");
    event
}

pub struct Socket(pub WebSocket<TcpStream>);

impl Socket {
    /// The status of a refused upgrade.
    pub fn open(sim: &Sim, path: &str, token: Option<&str>) -> Result<Self, u16> {
        let mut request = format!("ws://{}{path}", sim.listener).into_client_request().unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        let stream = TcpStream::connect(sim.listener).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match client(request, stream) {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    pub fn login(sim: &Sim) -> Self {
        Self::open(sim, "/api/ws/events/v1/", Some(&sim.token("admin"))).ok().unwrap()
    }

    pub fn ask(&mut self, command: Value) -> Value {
        self.0.send(Message::text(command.to_string())).unwrap();
        self.receive()
    }

    pub fn receive(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub fn start(&mut self, session: &str, event: &str) -> (u64, String) {
        let command =
            json!({ "command": "startSession", "commandId": 1, "sessionId": session, "eventId": event });
        let answer = self.ask(command);
        assert_eq!(answer["commandId"], 1);
        assert_eq!(answer["inactiveTimeoutSeconds"], 30);
        (answer["status"].as_u64().unwrap(), answer["sessionId"].as_str().unwrap().to_owned())
    }

    pub fn subscribe(&mut self, filters: &Value) -> String {
        let answer = self.ask(json!({ "command": "addSubscription", "commandId": 2, "filters": filters }));
        assert_eq!(answer["status"], 200, "{answer}");
        answer["subscriptionId"].as_str().unwrap().to_owned()
    }

    /// The ids of the next events, until there are `count`.
    pub fn events(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            let frame = self.receive();
            let frame = frame["events"].as_array().unwrap();
            assert!(!frame.is_empty());
            events.extend(frame.iter().map(|event| event["id"].clone()));
        }
        assert_eq!(events.len(), count);
        events
    }

    pub fn assert_silent(&mut self) {
        self.0.get_ref().set_read_timeout(Some(SILENCE)).unwrap();
        assert!(matches!(self.0.read(), Err(Error::Io(_))));
        self.0.get_ref().set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// Reads up to the end; the close code, if there was one.
    pub fn closed(&mut self) -> Option<u16> {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.map(|frame| frame.code.into()),
                Ok(_) => {}
                Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("not closed")
                }
                Err(_) => return None,
            }
        }
    }
}

pub fn everything() -> Value {
    json!([{ "modifier": "include", "resourceTypes": ["*"], "sourceIds": ["*"], "eventTypes": ["*"] }])
}

#[test]
fn upgrades_that_are_refused() {
    let sim = quiet(&[]);
    let status =
        |path: &str, token| Socket::open(&sim, path, token).map(|_| 101).unwrap_or_else(|status| status);
    assert_eq!(status("/API/WS/Events/V1", None), 101);
    assert_eq!(status("/api/ws/events/v1/", Some("nonsense")), 401);
    assert_eq!(status("/api/ws/events", None), 404);
    assert_eq!(status("/api/ws/messages", None), 404);
    assert_eq!(status("/api/ws/alarms/v1", None), 404);
    sim.fault("events", "page503");
    assert_eq!(status("/api/ws/events/v1", None), 503);
    assert_eq!(sim.status("/api/ws/alarms/v1"), 503);
    let old = quiet(&["--version", "23.2"]);
    assert_eq!(Socket::open(&old, "/api/ws/events/v1", None).err(), Some(404));
}

#[test]
fn commands_and_answers() {
    let sim = quiet(&[]);
    let mut socket = Socket::open(&sim, "/api/ws/events/v1", None).ok().unwrap();
    let early = socket.ask(json!({ "command": "getState", "commandId": 7 }));
    assert_eq!((&early["commandId"], &early["status"]), (&json!(7), &json!(401)));
    assert!(early["error"]["errorText"].is_string());
    let token = sim.token("admin");
    let wrong = socket.ask(json!({ "command": "authenticate", "commandId": 0, "token": "Bearer x" }));
    assert_eq!(wrong["status"], 401);
    let right =
        socket.ask(json!({ "command": "authenticate", "commandId": 0, "token": format!("Bearer {token}") }));
    assert_eq!(right, json!({ "commandId": 0, "status": 200 }));
    assert_eq!(socket.ask(json!({ "command": "getState", "commandId": 3 }))["status"], 400);
    let (status, session) = socket.start("", "");
    assert_eq!((status, session.len()), (201, 36));
    let again = socket.ask(json!({ "command": "startSession", "commandId": 4 }));
    assert_eq!(again["status"], 409);
    let bad =
        socket.ask(json!({ "command": "addSubscription", "commandId": 5, "filters": [{ "modifier": "x" }] }));
    assert_eq!(bad["status"], 400);
    let subscription = socket.subscribe(&Value::Null);
    let remove = |id: &str| json!({ "command": "removeSubscription", "commandId": 6, "subscriptionId": id });
    assert_eq!(socket.ask(remove(&subscription)), json!({ "commandId": 6, "status": 200 }));
    assert_eq!(socket.ask(remove(&subscription))["status"], 404);
    socket.0.send(Message::Ping("p".into())).unwrap();
    assert_eq!(socket.0.read().unwrap(), Message::Pong("p".into()));
    socket.0.send(Message::text("{")).unwrap();
    assert_eq!(socket.closed(), Some(1007));
}

#[test]
fn older_versions() {
    let sim = quiet(&["--version", "23.3"]);
    let mut socket = Socket::open(&sim, "/api/ws/events/v1", None).ok().unwrap();
    socket.0.send(Message::text(r#"{"command":"authenticate","commandId":0,"token":"Bearer x"}"#)).unwrap();
    assert_eq!(socket.closed(), Some(1007));
    let mut socket = Socket::login(&sim);
    let answer =
        socket.ask(json!({ "command": "startSession", "commandId": 1, "sessionId": "", "eventId": "" }));
    assert_eq!(answer["status"], 201);
    assert!(answer.get("inactiveTimeoutSeconds").is_none());
}

#[test]
fn filters_and_one_delivery() {
    let sim = quiet(&[]);
    let camera = inject(&sim, 1, 0, "motion-started")["source"].as_str().unwrap().to_uppercase();
    let camera = camera.strip_prefix("CAMERAS/").unwrap().to_owned();
    let mut socket = Socket::login(&sim);
    socket.start("", "");
    socket.subscribe(&json!([]));
    inject(&sim, 2, 0, "motion-stopped");
    let include = json!({ "modifier": "Include", "resourceTypes": ["Cameras"], "sourceIds": [camera], "eventTypes": ["*"] });
    let exclude = json!({ "modifier": "exclude", "resourceTypes": ["*"], "sourceIds": ["*"], "eventTypes": [MOTION_STOPPED] });
    socket.subscribe(&json!([include, exclude]));
    socket.subscribe(&json!([include, exclude]));
    inject(&sim, 3, 0, "motion-stopped");
    let wanted = [inject(&sim, 4, 0, "motion-started"), inject(&sim, 5, 0, "recording-started")];
    inject(&sim, 6, 1, "motion-started");
    let ids: Vec<Value> = wanted.iter().map(|event| event["id"].clone()).collect();
    assert_eq!(socket.events(2), ids);
    socket.assert_silent();
}

#[test]
fn events_look_like_cloud_events() {
    let sim = quiet(&[]);
    let mut socket = Socket::login(&sim);
    socket.start("", "");
    socket.subscribe(&everything());
    let oracle = inject(&sim, 1, 2, "motion-started");
    let frame = socket.receive();
    let event = &frame["events"][0];
    assert_eq!(event["specversion"], "1.0");
    for member in ["id", "source", "type", "time"] {
        assert_eq!(event[member], oracle[member]);
    }
    assert_eq!(event["type"], MOTION_STARTED);
    assert_eq!(event["stategroupid"], "720ef62a-78be-418a-8e4c-ee04ffca6429");
}

#[test]
fn a_session_is_resumed_without_a_gap() {
    let sim = quiet(&[]);
    let mut socket = Socket::login(&sim);
    let (_, session) = socket.start("", "");
    socket.subscribe(&everything());
    let first = inject(&sim, 1, 0, "motion-started")["id"].clone();
    let second = inject(&sim, 2, 0, "motion-stopped")["id"].clone();
    assert_eq!(socket.events(2), [first.clone(), second.clone()]);
    drop(socket);
    let third = inject(&sim, 3, 0, "motion-started")["id"].clone();

    let mut socket = Socket::login(&sim);
    assert_eq!(socket.start(&session.to_uppercase(), first.as_str().unwrap()), (200, session.clone()));
    assert_eq!(socket.events(2), [second, third.clone()]);

    // The newer connection takes the session over; the older one is closed.
    let mut newer = Socket::login(&sim);
    assert_eq!(newer.start(&session, third.as_str().unwrap()).0, 200);
    assert_eq!(socket.closed(), Some(1000));
    let fourth = inject(&sim, 4, 0, "motion-stopped")["id"].clone();
    assert_eq!(newer.events(1), [fourth]);

    // Not another user's, and not an unknown one: a new session, no error.
    let mut other = Socket::open(&sim, "/api/ws/events/v1", Some(&sim.token("user1"))).ok().unwrap();
    let (status, id) = other.start(&session, "");
    assert_eq!(status, 201);
    assert_ne!(id, session);
}

#[test]
fn a_session_ends_with_its_window() {
    let sim = quiet(&["--set", "ess-resume-window=0"]);
    let mut socket = Socket::login(&sim);
    let answer = socket.ask(json!({ "command": "startSession", "commandId": 1 }));
    let session = answer["sessionId"].as_str().unwrap().to_owned();
    drop(socket);
    // The server needs a moment to see that the socket is gone.
    eventually(|| {
        let mut socket = Socket::login(&sim);
        let answer = socket.ask(json!({ "command": "startSession", "commandId": 1, "sessionId": session }));
        (answer["status"] == 201).then_some(())
    });
}

#[test]
fn switches_of_a_resume() {
    let sim = quiet(&["--set", "ess-two-sockets=refuse", "--set", "ess-buffer=2"]);
    let mut socket = Socket::login(&sim);
    let (_, session) = socket.start("", "");
    socket.subscribe(&everything());
    let mut second = Socket::login(&sim);
    let command = json!({ "command": "startSession", "commandId": 9, "sessionId": session });
    assert_eq!(second.ask(command.clone())["status"], 409);
    drop(socket);
    let ids: Vec<Value> = (0..5).map(|n| inject(&sim, n, 0, "motion-started")["id"].clone()).collect();
    // The server needs a moment to see that the first socket is gone.
    let answer = eventually(|| Some(second.ask(command.clone())).filter(|answer| answer["status"] != 409));
    assert_eq!(answer["status"], 200);
    assert_eq!(second.events(2), ids[3..]);
}

#[test]
fn state_is_the_last_event_of_each_source() {
    let sim = quiet(&[]);
    inject(&sim, 1, 0, "motion-started");
    let stopped = inject(&sim, 2, 0, "motion-stopped")["id"].clone();
    let other = inject(&sim, 3, 1, "motion-started")["id"].clone();
    let mut socket = Socket::login(&sim);
    socket.start("", "");
    let get = json!({ "command": "getState", "commandId": 4 });
    assert_eq!(socket.ask(get.clone()), json!({ "commandId": 4, "status": 200, "states": [] }));
    socket.subscribe(&everything());
    let states = socket.ask(get);
    let ids: Vec<&Value> = states["states"].as_array().unwrap().iter().map(|state| &state["id"]).collect();
    assert_eq!(ids, [&stopped, &other]);
}

#[test]
fn state_before_the_start_comes_from_the_clock() {
    let sim = Sim::start(&["--cameras", "4", "--event-rate", "50"]);
    let mut socket = Socket::login(&sim);
    socket.start("", "");
    let one = json!([{ "modifier": "include", "resourceTypes": ["cameras"], "sourceIds": ["*"], "eventTypes": [MOTION_STARTED, MOTION_STOPPED] }]);
    socket
        .0
        .send(Message::text(
            json!({ "command": "addSubscription", "commandId": 2, "filters": one }).to_string(),
        ))
        .unwrap();
    socket.0.send(Message::text(r#"{"command":"getState","commandId":3}"#)).unwrap();
    let states = loop {
        let frame = socket.receive();
        if frame["commandId"] == 3 {
            break frame["states"].as_array().unwrap().clone();
        }
    };
    let mut sources: Vec<&str> = states.iter().map(|state| state["source"].as_str().unwrap()).collect();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!((states.len(), sources.len()), (4, 4));
}

#[test]
fn guards_get_their_cameras_only() {
    let sim = quiet(&[]);
    let mut socket = Socket::open(&sim, "/api/ws/events/v1", Some(&sim.token("user2"))).ok().unwrap();
    socket.start("", "");
    socket.subscribe(&everything());
    inject(&sim, 1, 3, "motion-started");
    let seen = inject(&sim, 2, 0, "motion-started")["id"].clone();
    assert_eq!(socket.events(1), [seen]);
    let states = socket.ask(json!({ "command": "getState", "commandId": 4 }));
    assert_eq!(states["states"].as_array().unwrap().len(), 1);
}

#[test]
fn faults_reach_open_sockets() {
    let sim = quiet(&[]);
    for (service, mode) in [("events", "stop"), ("events", "reset"), ("all", "stop")] {
        let mut socket = Socket::login(&sim);
        socket.start("", "");
        sim.fault(service, mode);
        assert_eq!(socket.closed(), None);
        sim.heal();
    }
    let mut socket = Socket::login(&sim);
    let (_, session) = socket.start("", "");
    socket.subscribe(&everything());
    sim.fault("events", "hang");
    let id = inject(&sim, 1, 0, "motion-started")["id"].clone();
    socket.assert_silent();
    sim.heal();
    assert_eq!(socket.events(1), [id]);
    drop(socket);
    assert_eq!(Socket::login(&sim).start(&session, "").0, 200);
}

#[test]
fn a_socket_that_never_authenticates_is_closed() {
    let sim = quiet(&["--set", "ess-auth-timeout=1"]);
    let mut socket = Socket::open(&sim, "/api/ws/events/v1", None).ok().unwrap();
    assert_eq!(socket.closed(), Some(1008));
}

#[test]
fn bursts_come_whole_and_in_small_frames() {
    let sim = Sim::start(&["--cameras", "50", "--event-rate", "5000", "--jitter", "0ms"]);
    let mut socket = Socket::login(&sim);
    socket.start("", "");
    socket.subscribe(&everything());
    let mut got = Vec::new();
    while got.len() < 3_000 {
        let Message::Text(text) = socket.0.read().unwrap() else { continue };
        assert!(text.len() <= 30 * 1024);
        let frame: Value = serde_json::from_str(&text).unwrap();
        got.extend(frame["events"].as_array().unwrap().iter().map(|event| event["id"].clone()));
    }
    let oracle = sim.get("/events");
    let mut oracle =
        oracle.as_array().unwrap().iter().map(|event| &event["id"]).skip_while(|id| **id != got[0]);
    assert!(got.iter().all(|id| oracle.next() == Some(id)));
}
