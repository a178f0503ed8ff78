use std::io::ErrorKind;
use std::net::TcpStream;

use serde_json::json;

use super::support::{Client, SILENCE, Sim};

const CONFIG: &str = "/API/rest/v1/sites";
const IDENTITY: &str = "/IDP/.well-known/openid-configuration";
const EVENTS: &str = "/api/REST/v1/alarmStates";
const SOAP: &str = "/ManagementServer/ServerCommandService.svc";

fn sim() -> Sim {
    Sim::start(&["--cameras", "3", "--event-rate", "0"])
}

#[test]
fn a_stopped_service_shows_the_page_of_iis() {
    let sim = sim();
    let before = sim.status(CONFIG);
    for mode in ["page503", "stop"] {
        sim.fault("config", mode);
        assert_eq!(sim.get("/state")["services"]["config"], mode);
        let mut client = sim.client();
        client.send_get(CONFIG);
        let response = client.receive().unwrap();
        assert_eq!(response.status, 503);
        assert!(response.head.to_lowercase().contains("content-type: text/html"));
        assert!(response.body.contains("The service is unavailable."));
        assert_ne!(sim.status(IDENTITY), 503);
        assert_ne!(sim.status(EVENTS), 503);
    }
    sim.heal();
    assert_eq!(sim.status(CONFIG), before);
}

#[test]
fn stop_refuses_connections_and_resets_open_ones() {
    let sim = sim();
    let mut open = sim.client();
    open.send_get(CONFIG);
    open.receive().unwrap();
    sim.fault("all", "stop");
    assert_eq!(open.end(), ErrorKind::ConnectionReset);
    assert_eq!(TcpStream::connect(sim.listener).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    sim.heal();
    assert_ne!(sim.status(CONFIG), 503);
}

#[test]
fn hang_reads_and_never_answers() {
    let sim = sim();
    for (service, path) in [("identity", IDENTITY), ("all", "/API/.well-known/uris")] {
        let before = sim.get("/requests").as_array().unwrap().len();
        sim.fault(service, "hang");
        let mut client = sim.client();
        client.send_get(path);
        sim.wait_requests(before + 1);
        client.assert_silent();
        sim.heal();
        assert_eq!(client.end(), ErrorKind::UnexpectedEof);
        assert_ne!(sim.status(path), 503);
    }
}

#[test]
fn idle_connections_survive_a_hang() {
    let sim = sim();
    let mut client = sim.client();
    for round in 0..3 {
        client.send_get(CONFIG);
        client.receive().unwrap();
        // Where the system has no filters the second is refused, and nothing is broken.
        sim.post(
            "/faults",
            &json!({ "service": "all", "mode": if round == 0 { "hang" } else { "blackhole" } }),
        );
        sim.heal();
    }
    client.send_get(CONFIG);
    client.receive().unwrap();
}

#[test]
fn hang_swallows_what_waits_already() {
    let sim = sim();
    sim.post("/faults", &json!({ "service": "events", "mode": "slow", "ms": 600_000 }));
    let mut client = sim.client();
    client.send_get(EVENTS);
    sim.wait_requests(1);
    sim.fault("events", "hang");
    sim.heal();
    assert_eq!(client.end(), ErrorKind::UnexpectedEof);
}

#[test]
fn slow_waits_and_ends_with_the_fault() {
    let sim = sim();
    sim.post("/faults", &json!({ "service": "all", "mode": "slow", "ms": 600_000 }));
    let mut client = sim.client();
    client.send_get(SOAP);
    sim.wait_requests(1);
    client.assert_silent();
    sim.heal();
    client.receive().unwrap();
    sim.post("/faults", &json!({ "service": "soap", "mode": "slow", "ms": 1 }));
    sim.status(SOAP);
}

#[test]
fn wrong_body_is_200_of_something_else() {
    let sim = sim();
    sim.fault("all", "wrong-body");
    for path in [IDENTITY, CONFIG, SOAP] {
        let mut client = sim.client();
        client.send_get(path);
        let response = client.receive().unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.body.contains("<html>"), path != SOAP);
    }
}

#[test]
fn reset_hits_the_connection_that_asks() {
    let sim = sim();
    let mut idle = sim.client();
    idle.send_get(CONFIG);
    idle.receive().unwrap();
    sim.post("/faults", &json!({ "service": "events", "mode": "slow", "ms": 600_000 }));
    let mut waiting = sim.client();
    waiting.send_get(EVENTS);
    sim.wait_requests(2);
    sim.fault("events", "reset");
    assert_eq!(waiting.end(), ErrorKind::ConnectionReset);
    let mut client = sim.client();
    client.send_get(EVENTS);
    assert_eq!(client.end(), ErrorKind::ConnectionReset);
    idle.send_get(CONFIG);
    idle.receive().unwrap();
}

#[test]
fn blackhole_answers_no_packet() {
    let sim = sim();
    let mut open = sim.client();
    open.send_get(CONFIG);
    open.receive().unwrap();
    let (status, body) = sim.post("/faults", &json!({ "service": "all", "mode": "blackhole" }));
    if status == 501 {
        assert!(body["error"]["text"].as_str().unwrap().contains("filter"), "{body}");
        assert_eq!(sim.get("/faults"), json!([]));
        return;
    }
    assert_eq!(status, 200, "{body}");
    assert_eq!(TcpStream::connect_timeout(&sim.listener, SILENCE).unwrap_err().kind(), ErrorKind::TimedOut);
    open.send_get(CONFIG);
    open.assert_silent();
    assert_eq!(sim.get("/requests").as_array().unwrap().len(), 1);
    sim.heal();
    // The client's kernel sends again what was lost.
    open.receive().unwrap();
    Client::connect(sim.listener).send_get(CONFIG);
    sim.wait_requests(3);
}

#[test]
fn one_fault_after_another() {
    let sim = sim();
    for mode in ["stop", "hang", "stop", "page503", "hang"] {
        sim.fault("all", mode);
    }
    assert_eq!(sim.get("/faults"), json!([{ "service": "all", "mode": "hang" }]));
    sim.fault("config", "page503");
    let (status, left) = sim.lift("all");
    assert_eq!((status, left), (200, json!([{ "service": "config", "mode": "page503" }])));
    assert_eq!(sim.status(CONFIG), 503);
    sim.heal();
}

#[test]
fn bad_input_is_explained() {
    let sim = sim();
    let wrong = |path: &str, body: serde_json::Value, field: &str| {
        let (status, answer) = sim.post(path, &body);
        assert_eq!(status, 400, "{answer}");
        assert_eq!(answer["error"]["field"], field, "{answer}");
        answer
    };
    let answer = wrong("/faults", json!({ "service": "config", "mode": "melt" }), "mode");
    assert!(answer["error"]["allowed"].as_array().unwrap().contains(&json!("page503")));
    let answer = wrong("/faults", json!({ "service": "mail", "mode": "stop" }), "service");
    assert!(answer["error"]["allowed"].as_array().unwrap().contains(&json!("webrtc")));
    wrong("/faults", json!({ "service": "config", "mode": "blackhole" }), "service");
    wrong("/faults", json!({ "service": "config", "mode": "slow" }), "ms");
    wrong("/faults", json!("x"), "body");
    wrong("/events", json!({ "camera": 0, "type": "motion-started" }), "physical");
    wrong("/events", json!({ "physical": 1, "camera": 99, "type": "motion-started" }), "camera");
    wrong("/events", json!({ "physical": 1, "camera": 0, "type": "earthquake" }), "type");
    let mut client = Client::connect(sim.control);
    client.send_get("/requests?since=x");
    assert_eq!(client.receive().unwrap().status, 400);
    client.send_get("/nothing");
    assert_eq!(client.receive().unwrap().status, 404);
}
