use serde_json::{Value, json};

use super::{cameras, site};
use crate::{
    journal::Event,
    testing::{Client, api},
};

const LOST: &str = "a334af1c-4b4b-4957-9e5f-ab8ca07feab6";
const MOTION: &str = "6eb95dd6-7ccc-4bce-99f8-af0d0b582d77";

/// Something happens at a camera.
fn happen(client: &Client, id: &str, camera: &str, kind: &str) {
    client.api.journal().push(Event {
        n: 0,
        physical: Some(1),
        id: id.to_owned(),
        resource: "cameras",
        object: camera.to_owned(),
        kind: kind.to_owned(),
        time: crate::stamp::Stamp::now().ticks(),
        state_group: None,
        injected: false,
        data: None,
    });
}

fn names(client: &Client) -> Vec<Value> {
    client.list("alarms").iter().map(|alarm| alarm["name"].clone()).collect()
}

#[test]
fn a_lost_camera_raises_an_alarm_of_its_own_instance() {
    let admin = Client::new(site(), "admin");
    let (camera, _) = cameras(&admin.api);
    happen(&admin, "e-1", &camera, LOST);
    happen(&admin, "e-2", &camera, MOTION);
    let alarms = admin.list("alarms");
    assert_eq!(names(&admin), ["Camera lost"]);
    assert_eq!(alarms[0]["source"], format!("cameras/{camera}"));
    assert_eq!(alarms[0]["message"], "Communication Error (Device)");
    assert_eq!(alarms[0]["state"], admin.id_of("alarmStates", "New"));
    assert_eq!(admin.list("alarms").len(), 1, "once");
    let other = Client::new(api(|settings| settings.name = "B".to_owned()), "admin");
    happen(&other, "e-9", &cameras(&other.api).0, LOST);
    assert_eq!(names(&other), ["Camera lost"]);
    assert_ne!(other.ids("alarms"), admin.ids("alarms"), "ids are no common knowledge");
    assert!(admin.api.writes().is_empty());
}

#[test]
fn definitions_of_administrators_count_from_then_on() {
    let admin = Client::new(site(), "admin");
    let (one, other) = cameras(&admin.api);
    let low = admin.id_of("alarmPriorities", "Low");
    happen(&admin, "e-1", &one, MOTION);
    admin.api.raise_alarms();
    let define = |name: &str, sources: Value, more: Value| {
        let mut body = json!({ "name": name, "eventType": MOTION, "sourceList": sources, "priority": low });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        admin.call("POST", "alarmDefinitions", &body).expect(201);
    };
    define("one", json!([{ "type": "cameras", "id": one }]), json!({}));
    define("all", json!([{ "type": "cameraFolder", "id": admin.ids("sites")[0] }]), json!({}));
    define("none", json!([]), json!({}));
    define("off", json!([{ "type": "cameras", "id": one }]), json!({ "enabled": false }));
    define("profile", json!([{ "type": "cameras", "id": one }]), json!({ "enableRule": "1" }));
    happen(&admin, "e-2", &one, MOTION);
    happen(&admin, "e-3", &other, MOTION);
    assert_eq!(names(&admin), ["all", "all", "one"], "newest first");
    assert!(admin.list("alarms").iter().all(|alarm| alarm["priority"] == low));
    let guard = Client::new(admin.api.clone(), "user2");
    assert_eq!(names(&guard), ["all", "one"]);
}
