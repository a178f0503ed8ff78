use serde_json::{Value, json};

use crate::testing::{Client, api, shared};

#[test]
fn there_is_one_with_the_id_of_its_parent() {
    let admin = Client::new(shared(), "admin");
    let camera = admin.ids("cameras").remove(0);
    let data = admin.get(&format!("settings/{}", camera.to_uppercase())).expect(200)["data"].clone();
    assert_eq!(data.get("id"), None, "no id of its own");
    assert_eq!(data["relations"]["self"], json!({ "type": "settings", "id": camera }));
    assert_eq!(data["relations"]["parent"], json!({ "type": "cameras", "id": camera }));
    assert_eq!(admin.list(&format!("cameras/{camera}/settings")), std::slice::from_ref(&data));
    assert_eq!(admin.list("cameras?includeChildren=settings")[0]["settings"][0], data);
    admin.get(&format!("cameras/{camera}/settings/{camera}")).error(400);
    admin.get("settings").error(400);
    admin.get("settings/00000000-0000-0000-0000-000000000001").error(404);
    let guard = Client::new(shared(), "user2");
    assert_eq!(guard.get(&format!("settings/{camera}")).status, 200);
    let hidden = admin.ids("cameras").pop().unwrap();
    assert_eq!(guard.get(&format!("settings/{hidden}")).status, 404);
}

#[test]
fn writes_change_only_what_they_name() {
    let admin = Client::new(api(|_| {}), "admin");
    let cameras = admin.ids("cameras");
    let path = format!("settings/{}", cameras[0]);
    let before = admin.get(&path).expect(200)["data"].clone();
    let body = json!({
        "ptzSessionTimeouts": { "manualPTZTimeout": 30 },
        "stream": [{ "FPS": 12, "anything": { "of": ["the", "driver"] } }, { "FPS": 1 }],
    });
    let data = admin.call("PATCH", &path, &body).expect(200)["data"].clone();
    assert_eq!(data["ptzSessionTimeouts"]["manualPTZTimeout"], 30);
    assert_eq!(data["ptzSessionTimeouts"]["reservedPTZTimeout"], 3600);
    assert_eq!(data["stream"].as_array().unwrap().len(), 1, "items cannot be added");
    assert_eq!(data["stream"][0]["FPS"], 12.0);
    assert_eq!(data["stream"][0]["resolution"], before["stream"][0]["resolution"]);
    assert_eq!(data["stream"][0]["anything"]["of"][1], "driver");
    assert_eq!(admin.get(&path).expect(200)["data"], data);
    let refused = admin.call("PATCH", &path, &json!({ "stream": [{ "FPS": "12" }] }));
    refused.error(400);
    assert_eq!(refused.json()["error"]["details"][0]["property"], "FPS");
    let other = admin.get(&format!("settings/{}", cameras[1])).expect(200)["data"].clone();
    assert_eq!(other["stream"][0]["FPS"], before["stream"][0]["FPS"], "nobody else's");
}

#[test]
fn they_go_with_their_parent() {
    let admin = Client::new(api(|_| {}), "admin");
    let hardware = admin.ids("hardware").remove(0);
    let camera = admin.ids(&format!("hardware/{hardware}/cameras")).remove(0);
    let path = format!("settings/{camera}");
    admin.call("PATCH", &path, &json!({ "ptz": { "ptzDeviceID": 2 } })).expect(200);
    assert_eq!(admin.get(&path).status, 200);
    admin.call("DELETE", &format!("hardware/{hardware}"), &Value::Null).expect(200);
    assert_eq!(admin.get(&path).status, 404);
}
