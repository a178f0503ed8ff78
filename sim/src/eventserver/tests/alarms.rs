use serde_json::{Map, Value, json};

use super::{cameras, ids, site};
use crate::{
    eventserver::{alarm::Alarm, alarms::Alarms},
    settings::Settings,
    stamp::Stamp,
    testing::Client,
    world::World,
};

fn raise(client: &Client, camera: &str) -> String {
    let body = json!({ "name": "Door", "message": "forced", "source": camera });
    client.call("POST", "alarms", &body).expect(202)["data"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn raised_with_a_bare_or_a_full_source() {
    let admin = Client::new(site(), "admin");
    let (camera, _) = cameras(&admin.api);
    for source in [camera.clone(), format!("cameras/{camera}")] {
        let id = raise(&admin, &source);
        let alarm = &admin.get(&format!("alarms/{id}?include=data")).expect(200)["data"];
        assert_eq!(alarm["source"], format!("cameras/{camera}"));
        assert_eq!((&alarm["name"], &alarm["message"]), (&json!("Door"), &json!("forced")));
        assert_eq!(alarm["state"], admin.id_of("alarmStates", "New"));
        assert_eq!(alarm["priority"], admin.id_of("alarmPriorities", "High"));
        assert_eq!(alarm["assignedTo.displayName"], Value::Null);
    }
    assert_eq!(admin.ids("alarms?page=0&size=10").len(), 2);
    let writes = admin.api.writes();
    assert_eq!((writes.len(), writes[0].method.as_str()), (2, "POST"));
    assert_eq!(admin.api.object_counts()["alarms"], 2);
}

#[test]
fn handled_with_the_keys_of_the_sample() {
    let user = Client::new(site(), "user1");
    let id = raise(&user, &cameras(&user.api).0);
    let path = format!("alarms/{}", id.to_uppercase());
    let (state, priority) = (user.id_of("alarmStates", "In progress"), user.id_of("alarmPriorities", "Low"));
    let nulls = json!({
        "state": state, "priority": priority,
        "comment": null, "assignedTo.displayName": null, "reasonForClosing": null,
    });
    let alarm = user.call("PATCH", &path, &nulls).expect(202)["data"].clone();
    assert_eq!((&alarm["state"], &alarm["priority"]), (&json!(state), &json!(priority)));
    let change = json!({ "comment": "seen", "assignedTo.displayName": "user1", "name": "ignored" });
    user.call("PATCH", &path, &change).expect(202);
    let alarm = user.get(&path).expect(200)["data"].clone();
    assert_eq!((&alarm["comment"], &alarm["state"]), (&json!("seen"), &json!(state)), "null changes nothing");
    assert_eq!((&alarm["assignedTo.displayName"], &alarm["name"]), (&json!("user1"), &json!("Door")));
    let history = user.list(&format!("{path}/history"));
    assert_eq!(history.len(), 3);
    assert_eq!(history[1]["changes"], json!({ "state": state, "priority": priority }));
    assert_eq!(history[2]["user"], "user1");
    let statistics = user.list("alarmStatistics");
    let counts: Vec<_> = statistics.iter().map(|row| row["count"].as_i64().unwrap()).collect();
    assert_eq!(counts, [0, 1, 0, 0]);
    assert_eq!(user.api.writes().len(), 3);

    for bad in [json!({ "state": priority }), json!({ "priority": "High" }), json!({ "comment": 1 })] {
        user.call("PATCH", &path, &bad).error(400);
    }
    user.call("PATCH", &path, &json!({ "comment": "x".repeat(9000) })).error(400);
    assert_eq!(user.get(&path).expect(200)["data"], alarm, "a refused change changes nothing");
}

#[test]
fn what_an_alarm_needs() {
    let admin = Client::new(site(), "admin");
    let camera = cameras(&admin.api).0;
    for (body, property) in [
        (json!({ "source": camera }), "name"),
        (json!({ "name": "", "source": camera }), "name"),
        (json!({ "name": "x" }), "source"),
        (json!({ "name": "x", "source": "nowhere" }), "source"),
        (json!({ "name": "x", "source": camera, "state": "x" }), "state"),
    ] {
        let error = admin.call("POST", "alarms", &body).expect(400);
        assert_eq!(error["error"]["details"][0]["property"], property);
    }
    assert!(admin.list("alarms").is_empty() && admin.api.writes().is_empty());
    for path in ["alarms/x", "alarms/x/history", "alarms/x/snapshots"] {
        assert_eq!(admin.get(path).error(404), "Item not found. alarms/x");
    }
}

#[test]
fn guards_see_and_handle_only_their_own() {
    let api = site();
    let (guard, admin) = (Client::new(api.clone(), "user2"), Client::new(api.clone(), "admin"));
    let (seen, hidden) = cameras(&api);
    let (seen_alarm, hidden_alarm) = (raise(&guard, &seen), raise(&admin, &hidden));
    assert_eq!(guard.ids("alarms"), [seen_alarm.as_str()]);
    assert_eq!(admin.ids("alarms"), [hidden_alarm.as_str(), seen_alarm.as_str()]);
    guard.call("POST", "alarms", &json!({ "name": "x", "source": hidden })).error(400);
    let path = format!("alarms/{hidden_alarm}");
    for (method, path) in [
        ("GET", path.clone()),
        ("PATCH", path.clone()),
        ("GET", format!("{path}/history")),
        ("GET", format!("{path}/snapshots")),
        ("POST", format!("{path}/snapshots")),
    ] {
        assert_eq!(
            guard.call(method, &path, &Value::Null).error(404),
            format!("Item not found. alarms/{hidden_alarm}")
        );
    }
    let statistics = guard.list("alarmStatistics");
    assert_eq!(statistics[0]["count"], 1);
}

#[test]
fn snapshots_are_kept() {
    let admin = Client::new(site(), "admin");
    let path = format!("alarms/{}/snapshots", raise(&admin, &cameras(&admin.api).0));
    assert!(admin.list(&path).is_empty());
    for image in ["aGVsbG8=", "d29ybGQ="] {
        admin.call("POST", &path, &json!({ "image": image })).expect(202);
    }
    let images: Vec<Value> = admin.list(&path).iter().map(|snapshot| snapshot["image"].clone()).collect();
    assert_eq!(images, ["aGVsbG8=", "d29ybGQ="]);
    admin.call("POST", &path, &json!({ "image": "%" })).error(400);
    admin.call("POST", &path, &json!({})).error(400);
}

#[test]
fn a_session_tells_what_is_new_and_what_changed() {
    let api = site();
    let (guard, admin) = (Client::new(api.clone(), "user2"), Client::new(api.clone(), "admin"));
    let (seen, hidden) = cameras(&api);
    raise(&admin, &seen);
    let opened = guard.call("POST", "alarmSessions", &Value::Null).expect(201);
    let path = format!("alarmSessions/{}/alarms", opened["data"]["id"].as_str().unwrap());
    let poll = || guard.get(&path).expect(200)["data"].clone();
    let nothing = json!({ "addedToSession": [], "updatedInSession": [], "deletedFromSession": [] });
    assert_eq!(poll(), nothing);
    let (alarm, _) = (raise(&admin, &seen), raise(&admin, &hidden));
    assert_eq!(ids(&poll()["addedToSession"]), [alarm.as_str()]);
    guard.call("PATCH", &format!("alarms/{alarm}"), &json!({ "comment": "x" })).expect(202);
    let data = poll();
    assert!(ids(&data["addedToSession"]).is_empty());
    assert_eq!(data["updatedInSession"][0]["comment"], "x");
    assert_eq!(poll(), nothing);
    admin.get(&path).error(404);
}

#[test]
fn the_list_is_bounded() {
    let world = World::new(&Settings::default());
    let (camera, now) = (world.store.all("cameras").next().unwrap(), Stamp::now());
    let body = Map::from_iter([("name".to_owned(), json!("x"))]);
    let alarm = Alarm::posted(&world, camera, &body, String::new(), now, "admin").unwrap();
    let mut alarms = Alarms::default();
    for n in 0..10_005 {
        let mut alarm = alarm.clone();
        alarm.id = format!("id-{n}");
        alarms.raise(alarm);
    }
    assert_eq!(alarms.len(), 10_000);
    assert!(alarms.get("id-4").is_none());
    assert_eq!(alarms.get("ID-5").map(|alarm| alarm.number), Some(6));
    assert!(alarms.update("id-10004", |_| {}).is_some_and(|alarm| alarm.change == 10_006));
}
