//! Bookmarks and evidence locks over real sockets: they belong to the configuration service.

use serde_json::{Value, json};

use super::eventserver::{Rest, quiet};

#[test]
fn they_live_and_fail_with_the_configuration() {
    let sim = quiet();
    let mut rest = Rest::new(&sim, sim.token("user1"));
    assert_eq!(rest.expect(400, "GET", "bookmarks", &Value::Null)["httpCode"], "400");
    let camera = rest.get("cameras")["array"][0]["id"].clone();
    let body = json!({ "header": "look", "devicePath": { "type": "cameras", "id": camera } });
    let made = rest.expect(201, "POST", "bookmarks", &body);
    let path = format!("bookmarks/{}", made["result"]["path"]["id"].as_str().unwrap());
    assert_eq!(rest.get(&path)["data"]["header"], "look");
    assert_eq!(sim.get("/state")["objects"]["bookmarks"], 1);
    assert_eq!(sim.get("/writes").as_array().unwrap().len(), 1);
    sim.fault("config", "page503");
    for path in [path.as_str(), "evidenceLocks/x"] {
        assert_eq!(sim.status(&format!("/api/rest/v1/{path}")), 503);
    }
    sim.heal();
    rest.expect(200, "DELETE", &path, &Value::Null);
    assert_eq!(sim.status(&format!("/api/rest/v1/{path}")), 401, "not without a token");
}
