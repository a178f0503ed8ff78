use serde_json::{Value, json};

use crate::testing::{Client, api, grant};

fn admin() -> Client {
    Client::new(api(|settings| settings.switches.set("task-time=60000").unwrap()), "admin")
}

#[test]
fn missing_parameters_are_named() {
    let admin = admin();
    let hardware = admin.ids("hardware").remove(0);
    let path = format!("hardware/{hardware}?task=MoveHardware");
    let reply = admin.call("POST", &path, &json!({}));
    assert_eq!(reply.error(400), "Bad request: parameters missing");
    assert_eq!(reply.json()["params"], json!({ "destinationRecordingServer": "" }));
    assert!(reply.json().get("definitions").is_none());
    let reply = admin.call("POST", &format!("{path}&definitions"), &json!({}));
    assert_eq!(reply.json()["definitions"]["destinationRecordingServer"]["valueType"], "path");
    admin.call("POST", &format!("hardware/{hardware}?task=Explode"), &json!({})).error(400);
    admin.call("POST", &format!("hardware/{hardware}"), &json!({})).error(400);
}

#[test]
fn an_immediate_task_changes_a_password() {
    let admin = admin();
    let user = admin.id_of("basicUsers", "user1");
    let path = format!("basicUsers/{user}?task=ChangePasswordBasicUser");
    let body = admin.call("POST", &path, &json!({ "password": "new" })).expect(200);
    assert_eq!(body, json!({ "result": { "state": "Success" } }), "secrets are not echoed");
    let form =
        |password| format!("grant_type=password&username=user1&password={password}&client_id=VmsClient");
    assert_eq!(grant(&admin.api, &form("user1-password")).status, 400);
    assert_eq!(grant(&admin.api, &form("new")).status, 200);
    assert_eq!(admin.api.writes().last().unwrap().body, json!({ "password": "***" }));
}

#[test]
fn a_queued_task_runs_takes_effect_and_is_cleaned_up() {
    let admin = admin();
    let servers = admin.ids("recordingServers");
    let hardware = admin.ids(&format!("recordingServers/{}/hardware", servers[0])).remove(0);
    let path = format!("hardware/{hardware}?task=MoveHardware");
    let target = format!("recordingServers/{}", servers[1]);
    let body = admin.call("POST", &path, &json!({ "destinationRecordingServer": target })).expect(201);
    assert_eq!(body["result"]["path"], json!({ "type": "tasks", "id": "1" }));
    let task = |state: &str| {
        let data = admin.get("tasks/1").expect(200)["data"].clone();
        assert_eq!(data["state"], state, "{data}");
        data
    };
    admin.api.set_clock_offset(30);
    let progress = task("InProgress")["progress"].as_i64().unwrap();
    assert!((50..60).contains(&progress), "{progress}");
    let parent = || {
        admin.get(&format!("hardware/{hardware}")).expect(200)["data"]["relations"]["parent"]["id"].clone()
    };
    assert_eq!(parent(), servers[0]);
    admin.api.set_clock_offset(61);
    assert_eq!(task("Success")["progress"], 100);
    assert_eq!(parent(), servers[1]);
    assert_eq!(admin.list("tasks").len(), 1);
    let other = Client::new(admin.api.clone(), "user1");
    assert_eq!(other.get("tasks/1").status, 404, "someone else's task");
    let cleaned = admin.call("POST", "tasks/1?task=TaskCleanup", &json!({})).expect(200);
    assert_eq!(cleaned, json!({ "result": { "state": "Success" } }));
    assert_eq!(admin.get("tasks/1").status, 404);
    assert_eq!(admin.api.writes().len(), 1);
}

#[test]
fn a_stopped_task_has_no_effect() {
    let admin = admin();
    let hardware = admin.ids("hardware").remove(0);
    let path = format!("hardware/{hardware}?task=ChangePasswordHardware");
    admin.call("POST", &path, &json!({ "password": "new" })).expect(201);
    admin.call("POST", "tasks/1?task=TaskStop", &Value::Null).expect(200);
    admin.api.set_clock_offset(61);
    assert_eq!(admin.get("tasks/1").expect(200)["data"]["state"], "Error");
    let read =
        admin.call("POST", &format!("hardware/{hardware}?task=ReadPasswordHardware"), &json!({})).expect(200);
    assert_eq!(read["result"]["password"], "camera-password");
}

#[test]
fn new_hardware_is_disabled_and_its_task_names_it() {
    let admin = admin();
    let server = admin.ids("recordingServers").remove(0);
    let driver = admin.ids(&format!("recordingServers/{server}/hardwareDrivers")).remove(0);
    let body = json!({
        "hardwareAddress": "http://10.99.0.1/",
        "hardwareDriverPath": { "type": "hardwareDrivers", "id": driver },
        "userName": "root",
        "password": "secret",
    });
    let before = admin.ids("hardware?disabled").len();
    admin.call("POST", &format!("recordingServers/{server}?task=AddHardware"), &body).expect(201);
    admin.api.set_clock_offset(61);
    let task = admin.get("tasks/1").expect(200);
    let id = task["data"]["relations"]["hardware"]["id"].as_str().unwrap().to_owned();
    assert_eq!(admin.list(&format!("recordingServers/{server}/tasks")).len(), 1);
    admin.get(&format!("recordingServers/{server}/tasks/1")).expect(200);
    admin.get(&format!("hardware/{id}/tasks")).error(400);
    assert_eq!(admin.ids("hardware?disabled").len(), before + 1);
    let item = admin.get(&format!("hardware/{id}")).expect(200)["data"].clone();
    assert_eq!((&item["enabled"], item.get("_password")), (&json!(false), None));
    assert_eq!(admin.list(&format!("hardware/{id}/cameras?disabled")).len(), 1);
    admin.call("POST", &format!("recordingServers/{server}?task=AddHardware"), &body).expect(201);
    admin.api.set_clock_offset(200);
    let again = admin.get("tasks/2").expect(200)["data"].clone();
    assert_eq!((&again["state"], &again["errorCode"]), (&json!("Error"), &json!(60277)));
}

#[test]
fn storages_and_sequences() {
    let admin = admin();
    let camera = admin.list("cameras").remove(0);
    let path = format!("cameras/{}", camera["id"].as_str().unwrap());
    let storage = camera["recordingStorage"]["id"].as_str().unwrap();
    let using = admin
        .call("POST", &format!("storages/{storage}?task=GetDevicesUsingStorage"), &json!({}))
        .expect(200);
    assert!(!using["result"]["devices"].as_array().unwrap().is_empty());
    let query = json!({
        "sequenceType": "RecordingSequence", "time": "2025-01-31T08:15:30.1230000Z", "timeBefore": "01:00:00",
        "timeAfter": "01:00:00", "maxCountBefore": 3, "maxCountAfter": 2,
    });
    let guard = Client::new(admin.api.clone(), "user2");
    let body = guard.call("POST", &format!("{path}?task=GetSequences"), &query).expect(200);
    assert_eq!(body["result"]["items"].as_array().unwrap().len(), 5);
    assert_eq!(body["result"]["items"][3]["timeBegin"], "2025-01-31T08:10:00.0000000Z");
    let server = admin.ids("recordingServers").remove(0);
    let other = admin.list(&format!("recordingServers/{server}/storages")).remove(1);
    let selection = json!({ "itemSelection": { "type": "storages", "id": other["id"] }, "moveData": false });
    admin.call("POST", &format!("{path}?task=ChangeDeviceRecordingStorage"), &selection).expect(201);
    admin.api.set_clock_offset(61);
    assert_eq!(admin.get(&path).expect(200)["data"]["recordingStorage"]["id"], other["id"]);
    let id = other["id"].as_str().unwrap();
    admin.call("POST", &format!("storages/{id}?task=SetStorageAsDefault"), &json!({})).expect(200);
    let defaults = admin.list(&format!("recordingServers/{server}/storages"));
    assert_eq!(defaults.iter().map(|storage| &storage["isDefault"]).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn roles_are_copied() {
    let admin = admin();
    let operators = admin.id_of("roles", "Operators");
    let body = json!({ "itemSelection": format!("roles/{operators}"), "name": "Copies", "description": "" });
    let made = admin.call("POST", "roles?task=CopyRole", &body).expect(200);
    let id = made["result"]["path"]["id"].as_str().unwrap();
    assert_eq!(
        admin.list(&format!("roles/{id}/users")).len(),
        20,
        "half of the basic and of the Windows users"
    );
    admin.call("POST", "roles?task=CopyRole", &body).error(400);
}
