#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::{Value, json};

use super::shelf::{Mark, Shelf};
use crate::{
    api::Api,
    settings::Settings,
    testing::{Client, Reply, api},
};

/// An instance with few cameras: guards see the first two.
fn site() -> Arc<Api> {
    api(|settings: &mut Settings| settings.cameras = 4)
}

fn device(api: &Api, camera: usize) -> Value {
    json!({ "type": "cameras", "id": api.cameras()[camera].id })
}

/// The text of an error in the form that the vendor documents for marks.
fn error(reply: &Reply, status: u16) -> String {
    let body = reply.expect(status);
    assert_eq!(body["httpCode"], status.to_string());
    assert!(body.get("error").is_none());
    body["details"][0]["errorText"].as_str().unwrap().to_owned()
}

/// Makes a mark and gives its lower-case id.
fn make(client: &Client, kind: &str, body: &Value) -> String {
    let result = client.call("POST", kind, body).expect(201)["result"].clone();
    assert_eq!((&result["state"], &result["path"]["type"]), (&json!("Success"), &json!(kind)));
    let id = result["path"]["id"].as_str().unwrap();
    assert_eq!(result["id"], id.to_uppercase());
    id.to_owned()
}

fn bookmark(client: &Client, camera: usize, second: u32) -> String {
    let body = json!({
        "header": format!("at {second}"),
        "devicePath": device(&client.api, camera),
        "timeTriggered": format!("2025-01-31T08:15:{second:02}Z"),
    });
    make(client, "bookmarks", &body)
}

fn lock(client: &Client, cameras: &[usize], more: &Value) -> String {
    let paths: Vec<Value> = cameras.iter().map(|camera| device(&client.api, *camera)).collect();
    let mut body = json!({
        "header": "theft",
        "devicePaths": paths,
        "startTime": "2025-01-31T08:00:00Z",
        "endTime": "2025-01-31T09:00:00Z",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    make(client, "evidenceLocks", &body)
}

/// The ids that a search task gives.
fn found(client: &Client, path: &str, parameters: &Value) -> Vec<String> {
    let kind = path.split('?').next().unwrap();
    let result = client.call("POST", path, parameters).expect(200)["result"].clone();
    assert_eq!(result["state"], "Success");
    result[kind].as_array().unwrap().iter().map(|mark| mark["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_life_of_a_bookmark() {
    let user = Client::new(site(), "user1");
    let id = bookmark(&user, 0, 30);
    let path = format!("bookmarks/{}", id.to_uppercase());
    let data = user.get(&path).expect(200)["data"].clone();
    assert_eq!(data["timeTriggered"], "2025-01-31T08:15:30.0000000Z");
    assert_eq!(data["timeBegin"], data["timeTriggered"]);
    assert_eq!((&data["user"], &data["devicePath"]), (&json!("user1"), &device(&user.api, 0)));
    let camera = user.get(&format!("cameras/{}?disabled", user.api.cameras()[0].id)).expect(200);
    assert_eq!(data["deviceName"], camera["data"]["name"]);
    assert_eq!(data["relations"]["self"], json!({ "type": "bookmarks", "id": id }));
    let change =
        json!({ "header": "x", "timeEnd": "2025-01-31T08:16:00Z", "user": "ignored", "description": null });
    let changed = user.call("PATCH", &path, &change).expect(200)["data"].clone();
    assert_eq!((&changed["header"], &changed["user"]), (&json!("x"), &json!("user1")));
    assert_eq!(changed["timeEnd"], "2025-01-31T08:16:00.0000000Z");
    assert_eq!(user.get(&path).expect(200)["data"], changed);
    assert_eq!(user.api.object_counts()["bookmarks"], 1);
    assert_eq!(user.call("DELETE", &path, &Value::Null).expect(200), json!({ "state": "Success" }));
    assert!(error(&user.get(&path), 404).starts_with("Item not found. bookmarks/"));
    let methods: Vec<String> = user.api.writes().into_iter().map(|write| write.method).collect();
    assert_eq!(methods, ["POST", "PATCH", "DELETE"]);
}

#[test]
fn there_is_no_list_and_errors_are_not_wrapped() {
    let admin = Client::new(site(), "admin");
    for kind in ["bookmarks", "evidenceLocks"] {
        assert_eq!(error(&admin.get(kind), 400), "Bad request: Unknown request");
        assert_eq!(
            error(&admin.call("PUT", &format!("{kind}/x"), &Value::Null), 400),
            "Bad request: Unknown request"
        );
        assert_eq!(
            error(&admin.call("POST", &format!("{kind}?task=nonsense"), &Value::Null), 400),
            "Bad request: Unknown request"
        );
        assert_eq!(error(&admin.get(&format!("{kind}/x")), 404), format!("Item not found. {kind}/x"));
    }
    let wrapped = Client::new(api(|settings| settings.switches.set("mark-errors=wrapped").unwrap()), "admin");
    assert_eq!(wrapped.get("bookmarks").error(400), "Bad request: Unknown request");
    let old = Client::new(api(|settings| settings.version = "24.1".parse().unwrap()), "admin");
    assert_eq!(old.get("bookmarks/x").error(404), "Unknown resource: bookmarks");
}

#[test]
fn bad_bodies_make_nothing() {
    let admin = Client::new(site(), "admin");
    let path = device(&admin.api, 0);
    let site = json!({ "type": "sites", "id": admin.ids("sites")[0] });
    let time = "2025-01-31T08:15:30Z";
    for (kind, body, property) in [
        ("bookmarks", json!({}), "devicePath"),
        ("bookmarks", json!({ "devicePath": "cameras/x" }), "devicePath"),
        ("bookmarks", json!({ "devicePath": site }), "devicePath"),
        ("bookmarks", json!({ "devicePath": path, "timeBegin": "x" }), "timeBegin"),
        (
            "bookmarks",
            json!({ "devicePath": path, "timeTriggered": time, "timeEnd": "2024-01-01T00:00:00Z" }),
            "timeTriggered",
        ),
        ("bookmarks", json!({ "devicePath": path, "header": "x".repeat(9000) }), "header"),
        ("evidenceLocks", json!({ "startTime": time, "endTime": time }), "devicePaths"),
        ("evidenceLocks", json!({ "devicePaths": [], "startTime": time, "endTime": time }), "devicePaths"),
        ("evidenceLocks", json!({ "devicePaths": [path], "endTime": time }), "startTime"),
        (
            "evidenceLocks",
            json!({ "devicePaths": [path], "startTime": time, "endTime": time, "retentionOption": { "retentionType": "Days" } }),
            "retentionOption",
        ),
    ] {
        let reply = admin.call("POST", kind, &body).expect(400);
        assert_eq!(reply["details"][0]["property"], property, "{body}");
    }
    assert!(admin.api.writes().is_empty());
    assert_eq!(admin.api.object_counts()["bookmarks"] + admin.api.object_counts()["evidenceLocks"], 0);
}

#[test]
fn guards_neither_see_nor_mark_hidden_cameras() {
    let api = site();
    let (guard, admin) = (Client::new(api.clone(), "user2"), Client::new(api.clone(), "admin"));
    error(&guard.call("POST", "bookmarks", &json!({ "devicePath": device(&api, 3) })), 400);
    let (seen, hidden) = (bookmark(&admin, 0, 1), bookmark(&admin, 3, 2));
    let (own, mixed) = (lock(&admin, &[0, 1], &json!({})), lock(&admin, &[0, 3], &json!({})));
    guard.get(&format!("bookmarks/{seen}")).expect(200);
    guard.get(&format!("evidenceLocks/{own}")).expect(200);
    for path in [format!("bookmarks/{hidden}"), format!("evidenceLocks/{mixed}")] {
        for method in ["GET", "PATCH", "DELETE"] {
            assert_eq!(
                error(&guard.call(method, &path, &Value::Null), 404),
                format!("Item not found. {path}")
            );
        }
    }
    let everywhere = json!({ "time": "2025-01-31T08:00:00Z", "timeLimit": "1.00:00:00", "countLimit": 10, "deviceTypes": [] });
    assert_eq!(found(&guard, "bookmarks?task=searchTime", &everywhere), [seen]);
    assert_eq!(
        found(&guard, "evidenceLocks?task=search", &json!({ "pageIndex": 0, "pageSize": 9 })),
        [own.as_str()]
    );
    let path = format!("evidenceLocks/{own}");
    error(&guard.call("PATCH", &path, &json!({ "devicePaths": [device(&api, 3)] })), 400);
    guard.call("PATCH", &path, &json!({ "header": "mine" })).expect(200);
}

#[test]
fn bookmarks_are_found_by_time_and_from_each_other() {
    let admin = Client::new(site(), "admin");
    let user = Client::new(admin.api.clone(), "user1");
    let marks =
        [bookmark(&admin, 0, 10), bookmark(&user, 1, 20), bookmark(&admin, 0, 30), bookmark(&admin, 1, 40)];
    let search = |more: Value| {
        let mut parameters = json!({
            "time": "2025-01-31T08:15:15Z", "timeLimit": 20, "countLimit": 10, "deviceTypes": ["cameras"],
        });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let ids = found(&admin, "bookmarks?task=searchTime", &parameters);
        ids.iter().map(|id| marks.iter().position(|mark| mark == id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(search(json!({})), [1, 2]);
    assert_eq!(search(json!({ "timeLimit": "00:01:00", "countLimit": 2 })), [1, 2]);
    assert_eq!(search(json!({ "time": "2025-01-31T08:16:00Z", "timeLimit": "-0.00:00:45" })), [3, 2, 1]);
    assert_eq!(search(json!({ "deviceTypes": ["Microphone"] })), [0; 0]);
    assert_eq!(search(json!({ "users": ["USER1"] })), [1]);
    assert_eq!(search(json!({ "searchText": "AT 30" })), [2]);
    assert_eq!(search(json!({ "deviceIds": [admin.api.cameras()[0].id] })), [2]);
    let from =
        json!({ "bookmarkId": marks[1].to_uppercase(), "timeLimit": 10, "countLimit": 5, "deviceTypes": [] });
    assert_eq!(found(&admin, "bookmarks?task=SearchFromBookmark", &from), [marks[2].as_str()]);
    let missing = admin.call("POST", "bookmarks?task=searchTime", &json!({ "time": "x" })).expect(400);
    assert_eq!(missing["details"][0]["errorText"], "Bad request: parameters missing");
    assert_eq!(missing["params"].as_object().unwrap().len(), 4);
    assert_eq!(admin.api.writes().len(), 4, "a search changes nothing");
}

#[test]
fn a_reserved_reference_is_not_given_again_and_nothing_is_stored() {
    let admin = Client::new(site(), "admin");
    for kind in ["bookmarks", "evidenceLocks"] {
        let reply = admin.call("POST", &format!("{kind}?task=newReference"), &json!({})).expect(200);
        let reserved = reply["result"]["reference"].clone();
        let id = if kind == "bookmarks" { bookmark(&admin, 0, 1) } else { lock(&admin, &[0], &json!({})) };
        assert_ne!(admin.get(&format!("{kind}/{id}")).expect(200)["data"]["reference"], reserved);
    }
    let named = lock(&admin, &[0], &json!({ "reference": "case 7" }));
    assert_eq!(admin.get(&format!("evidenceLocks/{named}")).expect(200)["data"]["reference"], "case 7");
    assert_eq!(admin.api.object_counts()["bookmarks"], 1);
}

#[test]
fn a_lock_lasts_as_long_as_its_retention() {
    let api = api(|settings| settings.token_lifetime = std::time::Duration::from_secs(200_000));
    let admin = Client::new(api.clone(), "admin");
    let for_ever = format!("evidenceLocks/{}", lock(&admin, &[0, 1], &json!({})));
    let data = admin.get(&for_ever).expect(200)["data"].clone();
    assert_eq!(data["retentionOption"], json!({ "retentionType": "Indefinite", "retentionUnits": -1 }));
    assert_eq!((data["retentionSize"].as_i64(), &data["tagTime"]), (Some(1_800_000_000), &data["startTime"]));
    let day = json!({ "retentionOption": { "retentionType": "days", "retentionUnits": 1 } });
    let short = format!("evidenceLocks/{}", lock(&admin, &[0], &day));
    api.set_clock_offset(86_000);
    let expire = admin.get(&short).expect(200)["data"]["retentionExpire"].clone();
    let renewed = admin.call("PATCH", &short, &day).expect(200)["data"].clone();
    assert!(renewed["retentionExpire"].as_str() > expire.as_str());
    assert_eq!(renewed["retentionOption"]["retentionType"], "Days");
    api.set_clock_offset(86_500);
    admin.get(&short).expect(200);
    api.set_clock_offset(172_500);
    error(&admin.get(&short), 404);
    admin.get(&for_ever).expect(200);
}

#[test]
fn locks_are_found_sorted_and_in_pages() {
    let admin = Client::new(site(), "admin");
    let locks: Vec<String> =
        ["b", "c", "a"].iter().map(|name| lock(&admin, &[0], &json!({ "header": name }))).collect();
    let search = |more: Value| {
        let mut parameters = json!({ "pageIndex": 0, "pageSize": 2, "sortOrder": "header" });
        parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let ids = found(&admin, "evidenceLocks?task=search", &parameters);
        ids.iter().map(|id| locks.iter().position(|mark| mark == id).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(search(json!({})), [2, 0]);
    assert_eq!(search(json!({ "pageIndex": 1 })), [1]);
    assert_eq!(search(json!({ "sortAscending": false })), [1, 0]);
    assert_eq!(search(json!({ "startTimeFrom": "2026-01-01T00:00:00Z" })), [0; 0]);
    assert_eq!(search(json!({ "endTimeTo": "2025-01-31T09:00:00Z", "searchText": "B" })), [0]);
    error(&admin.call("POST", "evidenceLocks?task=search", &json!({})), 400);
    error(
        &admin.call(
            "POST",
            "evidenceLocks?task=search",
            &json!({ "pageIndex": 0, "pageSize": 1, "sortOrder": "x" }),
        ),
        400,
    );
}

#[test]
fn a_full_shelf_takes_no_more() {
    let mark = Mark { id: String::new(), devices: Vec::new(), fields: serde_json::Map::new(), expires: None };
    let mut shelf = Shelf::default();
    let named = |n: usize| Mark { id: format!("id-{n}"), ..mark.clone() };
    for n in 0..10_000 {
        shelf.put(named(n)).unwrap();
    }
    assert!(shelf.put(named(10_000)).is_err());
    shelf.put(named(7)).unwrap();
    assert_eq!(shelf.len(), 10_000, "a change needs no room");
    shelf.remove("id-8");
    shelf.put(named(10_000)).unwrap();
    let wide = |n: usize, devices| Mark { devices: vec![("cameras", String::new()); devices], ..named(n) };
    shelf.put(wide(1, 60_000)).unwrap();
    shelf.put(wide(1, 100_000)).unwrap();
    assert!(shelf.put(wide(2, 1)).is_err(), "a change may need room");
}
