use serde_json::{Value, json};

use crate::testing::{Client, api};

fn admin() -> Client {
    Client::new(api(|settings| settings.switches.set("task-time=60000").unwrap()), "admin")
}

/// A camera that moves or one that does not.
fn camera(client: &Client, moves: bool) -> String {
    let found = client.list("cameras").into_iter().find(|camera| camera["ptzEnabled"] == moves).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

fn task(client: &Client, path: &str, task: &str, body: Value) -> Value {
    client.call("POST", &format!("{path}?task={task}"), &body).expect(200)["result"].clone()
}

/// What the official sample does (sheet 7.1).
#[test]
fn presets_are_fetched_from_the_device() {
    let admin = admin();
    let path = format!("cameras/{}/ptzpresets", camera(&admin, true));
    let offered = admin.get(&format!("{path}?tasks&noData")).expect(200);
    assert!(offered["tasks"].as_array().unwrap().iter().any(|task| task["id"] == "GetDevicePresets"));
    assert!(offered.get("array").is_none());
    let before = admin.ids(&path).len();
    let body = json!({ "sessionDataId": 0 });
    for round in [1, 2] {
        let queued = admin.call("POST", &format!("{path}?task=GetDevicePresets"), &body).expect(201);
        let id = queued["result"]["path"]["id"].as_str().unwrap();
        admin.api.set_clock_offset(61 * round);
        assert_eq!(admin.get(&format!("tasks/{id}")).expect(200)["data"]["state"], "Success");
        assert_eq!(admin.ids(&path).len(), before + 3, "fetched again, they are the same");
    }
    let fixed = format!("cameras/{}/ptzPresets", camera(&admin, false));
    admin.call("POST", &format!("{fixed}?task=GetDevicePresets"), &body).expect(201);
    admin.api.set_clock_offset(200);
    assert_eq!(admin.get("tasks/3").expect(200)["data"]["state"], "Error");
    admin.call("POST", &fixed, &json!({ "name": "x" })).error(400);
}

#[test]
fn cameras_remember_where_they_look() {
    let admin = admin();
    let camera = camera(&admin, true);
    let path = format!("cameras/{camera}");
    let position = || task(&admin, &path, "GetPtzAbsolutePosition", json!({}));
    let to = json!({ "pan": -0.25, "tilt": 0.5, "zoom": 1 });
    task(&admin, &path, "SetPtzAbsolutePosition", to);
    assert_eq!(position(), json!({ "pan": -0.25, "tilt": 0.5, "zoom": 1.0, "state": "Success" }));
    let far = json!({ "pan": 2, "tilt": 0, "zoom": 0 });
    admin.call("POST", &format!("{path}?task=SetPtzAbsolutePosition"), &far).error(400);
    let made = json!({ "name": "Door", "pan": 0.75, "tilt": -0.5, "zoom": 0.5 });
    let made = admin.call("POST", &format!("{path}/ptzPresets"), &made).expect(201);
    let preset = made["result"]["path"]["id"].as_str().unwrap();
    task(&admin, &format!("{path}/ptzPresets/{preset}"), "Goto", Value::Null);
    assert_eq!(position()["pan"], 0.75);
    let home = admin.list(&format!("{path}/ptzPresets")).remove(0);
    task(&admin, &format!("ptzPresets/{}", home["id"].as_str().unwrap()), "Goto", Value::Null);
    assert_eq!(position()["pan"], 0.0);
    let selection = json!({ "itemSelection": { "type": "ptzPresets", "id": preset } });
    task(&admin, &format!("{path}/ptzPresets"), "DefaultPtzPreset", selection);
    let presets = admin.list(&format!("{path}/ptzPresets"));
    let default: Vec<&Value> = presets.iter().filter(|preset| preset["defaultPreset"] == true).collect();
    assert_eq!((default.len(), &default[0]["name"]), (1, &json!("Door")));
    admin.call("PATCH", &format!("ptzPresets/{preset}"), &json!({ "pan": 7 })).error(400);
    admin.call("DELETE", &format!("{path}/ptzPresets/{preset}"), &Value::Null).expect(200);
    let fixed = self::camera(&admin, false);
    let asked = format!("cameras/{fixed}?task=GetPtzAbsolutePosition");
    admin.call("POST", &asked, &json!({})).error(400);
    let on = json!({ "ptz": { "ptzEnabled": true } });
    admin.call("PATCH", &format!("settings/{fixed}"), &on).expect(200);
    assert_eq!(admin.get(&format!("cameras/{fixed}")).expect(200)["data"]["ptzEnabled"], true);
    admin.call("POST", &asked, &json!({})).expect(200);
    assert!(!admin.get(&path).text.contains("_position"));
}

#[test]
fn a_reserved_camera_obeys_one_user() {
    let admin = admin();
    let guard = Client::new(admin.api.clone(), "user2");
    let path = format!("cameras/{}", camera(&admin, true));
    task(&guard, &path, "ReservePTZ", json!({}));
    let to = json!({ "pan": 0, "tilt": 0, "zoom": 0 });
    let set = format!("{path}?task=SetPtzAbsolutePosition");
    assert!(admin.call("POST", &set, &to).error(400).contains("reserved"));
    admin.call("POST", &format!("{path}?task=ExtendPTZ"), &json!({})).error(400);
    guard.call("POST", &set, &to).expect(200);
    let session = task(&admin, &path, "GetPTZSessionInfo", json!({}));
    assert_eq!((&session["reserved"], &session["userName"]), (&json!(true), &json!("user2")));
    task(&guard, &path, "ReleasePTZ", json!({}));
    admin.call("POST", &set, &to).expect(200);
    let timeouts = json!({ "ptzSessionTimeouts": { "reservedPTZTimeout": 10 } });
    admin.call("PATCH", &path.replace("cameras", "settings"), &timeouts).expect(200);
    task(&guard, &path, "ReservePTZ", json!({}));
    admin.call("POST", &set, &to).error(400);
    admin.api.set_clock_offset(11);
    admin.call("POST", &set, &to).expect(200);
    assert!(guard.api.writes().len() == 1, "moving a camera is no change of configuration");
}

#[test]
fn patrols_go_through_the_presets_of_their_camera() {
    let admin = admin();
    let moving: Vec<String> = admin
        .list("cameras")
        .iter()
        .filter(|camera| camera["ptzEnabled"] == true)
        .map(|camera| camera["id"].as_str().unwrap().to_owned())
        .collect();
    let path = format!("cameras/{}", moving[0]);
    let presets = |camera: &str| admin.ids(&format!("cameras/{camera}/ptzPresets"));
    let (own, other) = (presets(&moving[0]).remove(2), presets(&moving[1]).remove(0));
    let with =
        |preset: &str| json!({ "name": "Night", "patrollingEntry": [{ "order": 1, "presetId": preset }] });
    admin.call("POST", &format!("{path}/patrollingProfiles"), &with(&other)).error(400);
    let made = admin.call("POST", &format!("{path}/patrollingProfiles"), &with(&own)).expect(201);
    let profile = format!("patrollingProfiles/{}", made["result"]["path"]["id"].as_str().unwrap());
    let entry = |preset: &str| json!({ "presetId": preset, "order": 0, "waitTime": 5 });
    admin.call("POST", &format!("{profile}?task=AddPatrollingEntry"), &entry(&other)).error(400);
    task(&admin, &profile, "AddPatrollingEntry", entry(&own));
    let entries = admin.get(&profile).expect(200)["data"]["patrollingEntry"].clone();
    assert_eq!(entries[0], json!({ "order": 0, "presetId": own, "waitTime": 5.0 }));
    assert_eq!(entries[1]["waitTime"], 10.0, "the default");
    task(&admin, &profile, "RemovePatrollingEntry", json!({ "order": 1 }));
    admin.call("POST", &format!("{profile}?task=RemovePatrollingEntry"), &json!({ "order": 1 })).error(400);
    assert!(
        admin.call("DELETE", &format!("ptzPresets/{own}"), &Value::Null).error(400).contains("is used by")
    );
    let start = |camera: &str| {
        let body = json!({ "itemSelection": profile });
        admin.call("POST", &format!("cameras/{camera}?task=PTZStartPatrolling"), &body)
    };
    start(&moving[1]).error(400);
    start(&moving[0]).expect(200);
    let running =
        |path: &str| task(&admin, path, "GetPTZSessionInfo", json!({}))["patrollingProfileId"].clone();
    assert!(profile.ends_with(running(&path).as_str().unwrap()) && running(&path) != "");
    task(&admin, &path, "SetPtzAbsolutePosition", json!({ "pan": 0, "tilt": 0, "zoom": 0 }));
    assert_eq!(running(&path), "", "a hand at the wheel ends it");
    admin.call("DELETE", &format!("cameras/{}/{profile}", moving[0]), &Value::Null).expect(200);
}

#[test]
fn old_versions_do_not_move_cameras() {
    let old = Client::new(api(|settings| settings.version = "24.1".parse().unwrap()), "admin");
    let path = format!("cameras/{}", camera(&old, true));
    let offered = old.get(&format!("{path}?tasks&noData")).expect(200)["tasks"].clone();
    let names: Vec<&str> =
        offered.as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap()).collect();
    assert!(
        names.contains(&"GetSequences")
            && !names.contains(&"AuxOn")
            && !names.iter().any(|name| name.contains('@'))
    );
    old.call("POST", &format!("{path}?task=GetPtzAbsolutePosition"), &json!({})).error(400);
    let output = old.ids("outputs").remove(0);
    old.call("POST", &format!("outputs/{output}?task=Activate"), &json!({})).error(400);
}
