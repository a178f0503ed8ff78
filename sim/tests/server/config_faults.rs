use std::io::ErrorKind;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::support::{Client, Response, Sim};

/// A simulator and its administrator.
struct Site {
    sim: Sim,
    token: String,
}

impl Site {
    fn new(more: &[&str]) -> Self {
        Self::with_cameras("6", more)
    }

    fn with_cameras(count: &str, more: &[&str]) -> Self {
        let sim = Sim::start(&[&["--cameras", count, "--users", "2", "--event-rate", "0"], more].concat());
        let token = sim.token("admin");
        Self { sim, token }
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Client {
        let mut client = self.sim.client();
        client.send(&format!(
            "{method} /API/rest/v1/{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        ));
        client
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Response {
        self.send(method, path, &body.to_string()).receive().unwrap()
    }

    fn raw(&self, path: &str) -> Response {
        self.send("GET", path, "").receive().unwrap()
    }

    fn get(&self, path: &str) -> Value {
        let response = self.raw(path);
        assert_eq!(response.status, 200, "{}", response.body);
        serde_json::from_str(&response.body).unwrap()
    }

    fn list(&self, path: &str) -> Vec<Value> {
        self.get(path)["array"].as_array().unwrap().clone()
    }

    fn fault(&self, mode: &str, members: Value) {
        self.sim.fault_with("config", mode, members);
    }

    fn write(&self, method: &str, path: &str, body: &Value) {
        let response = self.ask(method, path, body);
        assert!(matches!(response.status, 200 | 201), "{}", response.body);
    }

    fn writes(&self) -> usize {
        self.sim.get("/writes").as_array().unwrap().len()
    }
}

fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

#[test]
fn lists_that_fail_and_lists_that_are_empty() {
    let site = Site::new(&[]);
    let camera = format!("cameras/{}", site.list("cameras")[0]["id"].as_str().unwrap());
    let hardware = format!("hardware/{}/cameras", site.list("hardware")[0]["id"].as_str().unwrap());
    assert!(!site.list(&hardware).is_empty());
    site.fault("list-error", json!({ "type": "Cameras" }));
    site.fault("list-empty", json!({ "type": "hardware" }));
    for list in ["cameras", "cameras?page=0", &hardware] {
        let response = site.raw(list);
        assert_eq!(response.status, 500);
        let body: Value = serde_json::from_str(&response.body).unwrap();
        assert_eq!(body["error"]["httpCode"], 500);
    }
    assert_eq!(site.raw(&camera).status, 200, "an item is no list");
    assert_eq!(site.list("hardware"), [] as [Value; 0]);
    assert!(!site.list("recordingServers").is_empty(), "another type");
    assert_eq!(site.raw("alarmStates").status, 200, "another service");
    site.fault("list-error", json!({}));
    assert_eq!(site.raw("hardware").status, 500);
    assert_eq!(site.raw("recordingServers").status, 500);
    assert_eq!(site.raw("alarmStates").status, 200, "another service");
    site.sim.heal();
    assert_eq!(site.list("cameras").len(), 6);
}

#[test]
fn pages_end_after_the_second() {
    let site = Site::new(&[]);
    let pages = || -> Vec<usize> {
        (0..4).map(|page| site.list(&format!("cameras?page={page}&size=2")).len()).collect()
    };
    assert_eq!(pages(), [2, 2, 2, 0]);
    site.fault("page-cut", json!({ "type": "cameras" }));
    assert_eq!(pages(), [2, 2, 0, 0]);
    assert_eq!(site.list("cameras").len(), 6, "not read page by page");
}

#[test]
fn half_a_body_and_no_json() {
    let site = Site::new(&[]);
    let camera = format!("cameras/{}", site.list("cameras")[0]["id"].as_str().unwrap());
    for (mode, start) in [("truncated-json", "{ \""), ("html", "<!DOCTYPE html>")] {
        site.fault(mode, json!({ "type": "cameras" }));
        for path in ["cameras", &camera] {
            let response = site.raw(path);
            assert_eq!(response.status, 200);
            assert!(response.body.starts_with(start), "{}", response.body);
            assert!(serde_json::from_str::<Value>(&response.body).is_err());
        }
        assert_eq!(site.raw("cameras/00000000-0000-0000-0000-000000000000").status, 404);
        site.get("hardware");
        site.sim.heal();
        site.get("cameras");
    }
}

#[test]
fn fields_that_are_not_as_they_should_be() {
    let site = Site::new(&[]);
    let good = site.list("cameras");
    let change = |field: &str, how: &str| {
        site.fault("schema", json!({ "type": "cameras", "field": field, "how": how }))
    };
    change("name", "missing");
    change("shortName", "null");
    change("enabled", "retyped");
    change("relations", "retyped");
    change("colour", "unknown");
    let id = good[0]["id"].as_str().unwrap();
    let embedded = site.list("hardware?includeChildren=cameras");
    let embedded: Vec<Value> =
        embedded.iter().flat_map(|one| one["cameras"].as_array().unwrap().clone()).collect();
    assert_eq!(embedded.len(), good.len());
    for camera in site
        .list("cameras")
        .into_iter()
        .chain(embedded)
        .chain([site.get(&format!("cameras/{id}"))["data"].clone()])
    {
        assert!(camera.get("name").is_none());
        assert_eq!(camera["shortName"], Value::Null);
        assert!(camera.get("shortName").is_some());
        assert!(
            camera["enabled"].is_string() && camera["relations"].is_array() && camera["colour"].is_string()
        );
    }
    assert!(site.list("hardware").iter().all(|one| one["name"].is_string()), "another type");
    site.sim.heal();
    assert_eq!(site.list("cameras"), good);
}

#[test]
fn some_names_are_noise() {
    let site = Site::with_cameras("100", &[]);
    let good = site.list("cameras");
    site.fault("encrypted", json!({ "share": 0.3 }));
    let bad = site.list("cameras");
    assert_eq!(bad, site.list("cameras"), "the same noise every time");
    let changed: Vec<&Value> =
        bad.iter().zip(&good).filter(|(bad, good)| bad["name"] != good["name"]).map(|(bad, _)| bad).collect();
    assert!((10..55).contains(&changed.len()), "{}", changed.len());
    for camera in changed {
        assert_eq!(camera["displayName"], camera["name"]);
        let item = site.get(&format!("cameras/{}", camera["id"].as_str().unwrap()));
        assert_eq!(item["data"]["name"], camera["name"]);
    }
    site.sim.heal();
    assert_eq!(site.list("cameras"), good);
}

#[test]
fn writes_that_fail_change_nothing() {
    let site = Site::new(&[]);
    let camera = site.list("cameras")[0].clone();
    let path = format!("cameras/{}", camera["id"].as_str().unwrap());
    site.fault("write-error", json!({ "status": 503 }));
    for (method, path) in [("PATCH", path.as_str()), ("DELETE", &path), ("POST", "userDefinedEvents")] {
        let response = site.ask(method, path, &json!({ "name": "new" }));
        assert_eq!(response.status, 503);
        assert_eq!(serde_json::from_str::<Value>(&response.body).unwrap()["error"]["httpCode"], 503);
    }
    assert_eq!((site.get(&path)["data"].clone(), site.writes()), (camera, 0));
    site.sim.token("admin");
    // Beside a fault that hits lists; each can be lifted alone.
    site.fault("list-error", json!({ "type": "roles" }));
    let (_, left) = site.sim.lift_where("service=config&mode=write-error");
    assert_eq!(left, json!([{ "service": "config", "mode": "list-error", "type": "roles" }]));
    site.write("PATCH", &path, &json!({ "name": "new" }));
    assert_eq!((site.raw("roles").status, site.writes()), (500, 1));
}

#[test]
fn the_answer_is_lost_and_the_change_is_done() {
    let site = Site::new(&[]);
    let path = format!("cameras/{}", site.list("cameras")[0]["id"].as_str().unwrap());
    site.fault("lost-answer", json!({}));
    let mut client = site.send("PATCH", &path, r#"{ "name": "new" }"#);
    assert_eq!(client.end(), ErrorKind::ConnectionReset);
    assert_eq!(site.get(&path)["data"]["name"], "new");
    // Nothing is done, so nothing is lost.
    assert_eq!(site.ask("PATCH", "cameras/none", &json!({ "name": "new" })).status, 404);
    assert_eq!(site.writes(), 1);
}

#[test]
fn the_server_rewrites_a_field() {
    let site = Site::new(&[]);
    let path = format!("cameras/{}", site.list("cameras")[0]["id"].as_str().unwrap());
    site.fault("normalise", json!({ "type": "cameras", "field": "name" }));
    let answer = site.ask("PATCH", &path, &json!({ "name": " Gate 1 " }));
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer["data"]["name"], " Gate 1 ");
    assert_eq!(site.get(&path)["data"]["name"], "GATE 1");
    site.fault("normalise", json!({ "type": "userDefinedEvents", "field": "name" }));
    site.write("POST", "userDefinedEvents", &json!({ "name": "Panic" }));
    let names: Vec<Value> = site.list("userDefinedEvents").iter().map(|one| one["name"].clone()).collect();
    assert!(names.contains(&json!("PANIC")) && !names.contains(&json!("Panic")), "{names:?}");
    site.sim.heal();
    site.write("PATCH", &path, &json!({ "name": "Gate 1" }));
    assert_eq!(site.get(&path)["data"]["name"], "Gate 1");
}

#[test]
fn the_clock_is_wrong() {
    let site = Site::new(&[]);
    let path = format!("cameras/{}", site.list("cameras")[0]["id"].as_str().unwrap());
    let written = || {
        site.write("PATCH", &path, &json!({ "shortName": "x" }));
        site.get(&path)["data"]["lastModified"].as_str().unwrap().to_owned()
    };
    let before = written();
    site.fault("clock", json!({ "offset_s": -86_400 }));
    let wrong = written();
    assert!(wrong < before, "{wrong} {before}");
    site.fault("clock", json!({ "offset_s": 3_700 }));
    assert_eq!(site.raw("cameras").status, 401, "the token has expired");
    site.sim.heal();
    assert!(written() > before);
}

#[test]
fn the_configuration_goes_back_in_time() {
    let site = Site::new(&["--set", "task-time=0"]);
    let cameras = site.list("cameras");
    let path = format!("cameras/{}", cameras[0]["id"].as_str().unwrap());
    let name = || site.get(&path)["data"]["name"].clone();
    site.write("PATCH", &path, &json!({ "name": "one" }));
    site.write("POST", "basicUsers", &json!({ "name": "guest", "password": "guest-password" }));
    let one = unix_time();
    site.write("PATCH", &path, &json!({ "name": "two" }));
    let user = site.list("basicUsers").into_iter().find(|user| user["name"] == "guest").unwrap();
    site.write("DELETE", &format!("basicUsers/{}", user["id"].as_str().unwrap()), &json!({}));
    site.write("POST", "userDefinedEvents", &json!({ "name": "Panic" }));
    let two = unix_time();
    let events = site.list("userDefinedEvents");

    site.fault("restore", json!({ "to": one }));
    assert_eq!(site.sim.get("/faults"), json!([]), "it is done, not active");
    assert_eq!(name(), "one");
    assert!(site.list("basicUsers").contains(&user));
    site.sim.token("guest");
    assert_eq!(site.list("userDefinedEvents").len(), events.len() - 1);
    assert_eq!(site.writes(), 5, "the record is not rewritten");
    site.write("PATCH", &path, &json!({ "description": "later" }));
    site.sim.heal();
    assert_eq!((name(), site.get(&path)["data"]["description"].clone()), (json!("one"), json!("later")));

    site.fault("restore", json!({ "to": two }));
    assert_eq!(name(), "two");
    assert_eq!(site.list("userDefinedEvents"), events);
    assert!(!site.list("basicUsers").contains(&user));
    for to in [unix_time() + 60.0, 1_000_000.0] {
        let (status, answer) =
            site.sim.post("/faults", &json!({ "service": "config", "mode": "restore", "to": to }));
        assert_eq!((status, answer["error"]["field"].as_str()), (400, Some("to")), "{answer}");
    }
}
