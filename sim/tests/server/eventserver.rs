//! Events and alarms over REST, as the official samples use them (protocol sheet 7.1, exchanges 2, 2b and 3).

use serde_json::{Value, json};

use super::socket::{Socket, everything};
use super::support::{Client, Sim, eventually};

/// A site in which nothing happens unless the test says so.
pub fn quiet() -> Sim {
    Sim::start(&["--cameras", "4", "--users", "2", "--event-rate", "0"])
}

/// One client of the REST API, on a connection that it keeps.
pub struct Rest {
    client: Client,
    token: String,
}

impl Rest {
    pub fn new(sim: &Sim, token: String) -> Self {
        Self { client: sim.client(), token }
    }

    fn ask(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        // The samples send the content type with GET too.
        self.client.send(&format!(
            "{method} /API/rest/v1/{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\
             Content-type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        ));
        let response = self.client.receive().unwrap();
        assert!(response.body.starts_with("{ \""), "spaced JSON: {}", response.body);
        (response.status, serde_json::from_str(&response.body).unwrap())
    }

    pub fn expect(&mut self, status: u16, method: &str, path: &str, body: &Value) -> Value {
        let (got, answer) = self.ask(method, path, body);
        assert_eq!(got, status, "{method} {path}: {answer}");
        answer
    }

    pub fn get(&mut self, path: &str) -> Value {
        self.expect(200, "GET", path, &Value::Null)
    }
}

/// A token of the OAuth client, without a scope as the sample asks for it.
fn service_token(sim: &Sim) -> String {
    sim.granted("grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret")
}

/// Exchanges 2 and 2b: the same four calls behind different tokens.
fn events_sample(rest: &mut Rest) {
    let defined = rest.get("userDefinedEvents");
    let own = defined["array"].as_array().unwrap().get(3).expect("more than the three that ship with it");
    let event = rest.expect(202, "POST", "events", &json!({ "type": own["id"] }));
    assert_eq!(event["data"]["type"], own["id"]);
    let listed = rest.get("events?page=0&size=10&include=data");
    let last = listed["array"].as_array().unwrap().last().expect("not empty").clone();
    let one = rest.get(&format!("events/{}", last["id"].as_str().unwrap()));
    assert_eq!(one["data"], last);
}

#[test]
fn the_events_sample() {
    let sim = quiet();
    events_sample(&mut Rest::new(&sim, sim.token("user1")));
}

#[test]
fn the_events_sample_of_a_service() {
    let sim = quiet();
    events_sample(&mut Rest::new(&sim, service_token(&sim)));
}

#[test]
fn the_alarms_sample() {
    let sim = quiet();
    for full in [false, true] {
        let mut rest = Rest::new(&sim, sim.token("user1"));
        let camera = rest.get("cameras")["array"][0]["id"].as_str().unwrap().to_owned();
        let source = if full { format!("cameras/{camera}") } else { camera.clone() };
        let body = json!({ "name": "Python alarm", "message": "raised by a sample", "source": source });
        let raised = rest.expect(202, "POST", "alarms", &body);
        let path = format!("alarms/{}", raised["data"]["id"].as_str().unwrap());
        let alarm = rest.get(&format!("{path}?include=data"));
        assert_eq!(alarm["data"]["source"], format!("cameras/{camera}"));
        let state = rest.get("alarmStates")["array"][0]["id"].clone();
        let priority = rest.get("alarmPriorities")["array"].as_array().unwrap().last().unwrap()["id"].clone();
        let change = json!({
            "state": state, "priority": priority,
            "comment": null, "assignedTo.displayName": null, "reasonForClosing": null,
        });
        let changed = rest.expect(202, "PATCH", &path, &change);
        assert_eq!((&changed["data"]["state"], &changed["data"]["priority"]), (&state, &priority));
        let listed = rest.get("alarms?page=0&size=10");
        assert_eq!(listed["array"][0], changed["data"]);
    }
    let writes = sim.get("/writes");
    let methods: Vec<&str> =
        writes.as_array().unwrap().iter().map(|write| write["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["POST", "PATCH", "POST", "PATCH"]);
    assert_eq!(sim.get("/state")["objects"]["alarms"], 2);
}

#[test]
fn posted_events_reach_the_sockets_of_those_who_see_their_source() {
    let sim = quiet();
    let mut service = Rest::new(&sim, service_token(&sim));
    let mut sockets = ["admin", "user2"].map(|user| {
        let mut socket = Socket::open(&sim, "/api/ws/events/v1", Some(&sim.token(user))).ok().unwrap();
        socket.start("", "");
        socket.subscribe(&everything());
        socket
    });
    let cameras = service.get("cameras")["array"].as_array().unwrap().clone();
    let kind = service.get("analyticsEvents")["array"][0]["id"].clone();
    let mut post = |camera: &Value| {
        let source = format!("cameras/{}", camera["id"].as_str().unwrap());
        let body = json!({ "type": kind, "source": source, "data": { "Description": "a line" } });
        service.expect(202, "POST", "events", &body)["data"].clone()
    };
    let (hidden, seen) = (post(&cameras[3]), post(&cameras[0]));
    let [admin, guard] = &mut sockets;
    let mut events = Vec::new();
    while events.len() < 2 {
        events.extend(admin.receive()["events"].as_array().unwrap().clone());
    }
    assert_eq!(events, [hidden, seen.clone()]);
    assert_eq!(seen["data"], json!({ "Description": "a line" }));
    assert_eq!(guard.receive(), json!({ "events": [seen] }));
    guard.assert_silent();
}

#[test]
fn what_happens_on_the_site_is_listed() {
    let sim = Sim::start(&["--cameras", "4", "--users", "2", "--event-rate", "100", "--jitter", "0ms"]);
    let mut guard = Rest::new(&sim, sim.token("user2"));
    let mine = guard.get("cameras?disabled")["array"].clone();
    let mine: Vec<String> =
        mine.as_array().unwrap().iter().map(|c| format!("cameras/{}", c["id"].as_str().unwrap())).collect();
    let listed = eventually(|| {
        let listed = guard.get("events?size=2000")["array"].as_array().unwrap().clone();
        (listed.len() > 50).then_some(listed)
    });
    let times: Vec<&str> = listed.iter().map(|event| event["time"].as_str().unwrap()).collect();
    assert!(times.iter().rev().is_sorted(), "newest first");
    let sources = listed.iter().map(|event| event["source"].as_str().unwrap());
    let sources: Vec<&str> = sources.filter(|source| source.starts_with("cameras/")).collect();
    assert!(!sources.is_empty() && sources.iter().all(|source| mine.iter().any(|own| own == source)));
    let oracle = sim.get("/events");
    let known = |event: &Value| oracle.as_array().unwrap().iter().any(|seen| seen["id"] == event["id"]);
    assert!(listed.iter().all(known));
}

#[test]
fn they_fail_with_their_service() {
    let sim = quiet();
    let mut rest = Rest::new(&sim, sim.token("admin"));
    sim.fault("events", "page503");
    for path in ["events", "alarms", "alarmPriorities", "eventSessions/x/events", "alarmStatistics"] {
        assert_eq!(sim.status(&format!("/api/rest/v1/{path}")), 503, "{path}");
    }
    rest.get("cameras");
    sim.heal();
    rest.get("events");
}

#[test]
fn a_lost_camera_raises_an_alarm_before_anybody_looks() {
    let sim = quiet();
    let lost = json!({ "physical": 1, "camera": 2, "type": "communication-error" });
    let (status, event) = sim.post("/events", &lost);
    assert_eq!(status, 200, "{event}");
    eventually(|| (sim.get("/state")["objects"]["alarms"] == 1).then_some(()));
    let alarms = Rest::new(&sim, sim.token("admin")).get("alarms")["array"].clone();
    assert_eq!((&alarms[0]["source"], &alarms[0]["time"]), (&event["source"], &event["time"]));
}
