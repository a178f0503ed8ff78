use serde_json::{Value, json};

use super::{cameras, ids, service, site};
use crate::{
    journal::Event,
    testing::{Client, api, send},
};

const MOTION: &str = "6eb95dd6-7ccc-4bce-99f8-af0d0b582d77";

/// The id of a user-defined event of the site.
fn user_defined(client: &Client) -> String {
    client.id_of("userDefinedEvents", "Gate opened")
}

fn analytics(client: &Client) -> String {
    client.id_of("analyticsEvents", "Line crossed")
}

#[test]
fn a_user_defined_event_is_its_own_source_and_is_in_the_journal() {
    let admin = Client::new(site(), "admin");
    let kind = user_defined(&admin);
    let event =
        admin.call("POST", "events", &json!({ "type": kind.to_uppercase() })).expect(202)["data"].clone();
    assert_eq!(event["source"], format!("userDefinedEvents/{kind}"));
    assert_eq!(event["type"], kind);
    assert_eq!(event["time"].as_str().unwrap().len(), 28);
    assert!(event.get("data").is_none());
    let journal = admin.api.journal().after(0, 10);
    assert_eq!(journal[0].to_cloud_event(), event);
    assert_eq!(journal[0].to_oracle()["physical"], Value::Null, "no other instance saw it");
    assert_eq!(admin.list("events"), std::slice::from_ref(&event));
    let path = format!("events/{}", event["id"].as_str().unwrap().to_uppercase());
    assert_eq!(admin.get(&path).expect(200)["data"], event);
    assert!(admin.api.writes().is_empty(), "no object was changed");
}

#[test]
fn data_is_opaque_and_listed_on_demand() {
    let admin = Client::new(site(), "admin");
    let (camera, _) = cameras(&admin.api);
    let data = json!({ "Description": "x", "ObjectList": [{ "a": 1.5 }] });
    let body = json!({ "type": analytics(&admin), "source": format!("Cameras/{}", camera.to_uppercase()), "data": data });
    let event = admin.call("POST", "events", &body).expect(202)["data"].clone();
    assert_eq!((&event["data"], &event["source"]), (&data, &json!(format!("cameras/{camera}"))));
    assert_eq!(event["datacontenttype"], "application/json");
    assert!(admin.list("events")[0].get("data").is_none());
    assert_eq!(admin.list("events?page=0&size=10&include=data"), [event]);
}

#[test]
fn users_trigger_what_people_and_plug_ins_trigger_and_services_anything() {
    let api = site();
    let (camera, _) = cameras(&api);
    let motion = json!({ "type": MOTION, "source": format!("cameras/{camera}") });
    for user in ["admin", "user1", "user2"] {
        let user = Client::new(api.clone(), user);
        user.call("POST", "events", &json!({ "type": user_defined(&user) })).expect(202);
        user.call("POST", "events", &json!({ "type": analytics(&user), "source": camera })).expect(202);
        assert!(user.call("POST", "events", &motion).error(403).contains("VMO61008"));
    }
    let event = service(&api).call("POST", "events", &motion).expect(202)["data"].clone();
    assert!(event["stategroupid"].is_string());
    assert_eq!(api.journal().states().last().unwrap().id, event["id"], "it moves the camera's state");
}

#[test]
fn what_cannot_be_read_is_told() {
    let admin = Client::new(site(), "admin");
    let kind = user_defined(&admin);
    let missing = "00000000-0000-0000-0000-000000000001";
    for (body, property) in [
        (json!({}), "type"),
        (json!({ "type": null }), "type"),
        (json!({ "type": 5 }), "type"),
        (json!({ "type": missing }), "type"),
        (json!({ "type": "x" }), "type"),
        (json!({ "type": kind, "source": missing }), "source"),
        (json!({ "type": kind, "source": "cameras/x" }), "source"),
        (json!({ "type": kind, "source": format!("nonsense/{missing}") }), "source"),
        (json!({ "type": kind, "source": [] }), "source"),
        (json!({ "type": analytics(&admin) }), "source"),
    ] {
        let error = admin.call("POST", "events", &body).expect(400);
        assert_eq!(error["error"]["details"][0]["property"], property, "{body}");
    }
    for body in ["[]", "{", "\"x\"", "\u{0}"] {
        send(&admin.api, "POST", "/API/rest/v1/events", Some(&admin.token), body).error(400);
    }
    let large = json!({ "type": kind, "data": "x".repeat(1 << 20) });
    admin.call("POST", "events", &large).error(400);
    assert!(admin.list("events").is_empty());
}

#[test]
fn only_with_a_token() {
    let api = site();
    for (method, path) in
        [("GET", "events"), ("POST", "events"), ("POST", "eventSessions"), ("GET", "alarms")]
    {
        send(&api, method, &format!("/API/rest/v1/{path}"), None, "{}").error(401);
    }
}

#[test]
fn guards_neither_see_nor_use_hidden_sources() {
    let api = site();
    let (guard, admin) = (Client::new(api.clone(), "user2"), Client::new(api.clone(), "admin"));
    let (seen, hidden) = cameras(&api);
    let kind = analytics(&admin);
    let post = |camera: &str| {
        let event = admin.call("POST", "events", &json!({ "type": kind, "source": camera })).expect(202);
        event["data"]["id"].as_str().unwrap().to_owned()
    };
    let (seen_event, hidden_event) = (post(&seen), post(&hidden));
    assert_eq!(guard.ids("events"), [seen_event.as_str()]);
    assert_eq!(admin.ids("events"), [hidden_event.as_str(), seen_event.as_str()], "newest first");
    guard.get(&format!("events/{seen_event}")).expect(200);
    let path = format!("events/{hidden_event}");
    assert_eq!(guard.get(&path).error(404), format!("Item not found. {path}"));
    guard.call("POST", "events", &json!({ "type": kind, "source": hidden })).error(400);
}

#[test]
fn hidden_can_be_forbidden() {
    let api = api(|settings| {
        settings.cameras = 4;
        settings.switches.set("hidden=403").unwrap();
    });
    let (guard, admin) = (Client::new(api.clone(), "user2"), Client::new(api.clone(), "admin"));
    let body = json!({ "type": analytics(&admin), "source": cameras(&api).1 });
    let event = admin.call("POST", "events", &body).expect(202)["data"]["id"].clone();
    guard.get(&format!("events/{}", event.as_str().unwrap())).error(403);
    guard.call("POST", "events", &body).error(403);
}

#[test]
fn bulk_has_a_status_for_each() {
    let api = site();
    let guard = Client::new(api.clone(), "user2");
    let (seen, hidden) = cameras(&api);
    let kind = analytics(&guard);
    let items = json!([
        { "type": kind, "source": seen },
        { "type": kind, "source": hidden },
        { "type": MOTION, "source": seen },
        7,
    ]);
    let answer = guard.call("POST", "events/bulk", &items).expect(207);
    let statuses: Vec<i64> =
        answer["array"].as_array().unwrap().iter().map(|item| item["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [202, 400, 403, 400]);
    assert_eq!(answer["array"][0]["data"]["source"], format!("cameras/{seen}"));
    assert_eq!(answer["array"][2]["error"]["httpCode"], 403);
    assert_eq!(guard.ids("events").len(), 1);
    guard.call("POST", "events/bulk", &json!({})).error(400);
    guard.call("POST", "events/bulk", &json!(vec![0; 2001])).error(400);
}

#[test]
fn pages_end_and_have_limits() {
    let admin = Client::new(site(), "admin");
    let item = json!({ "type": user_defined(&admin) });
    admin.call("POST", "events/bulk", &json!(vec![item; 25])).expect(207);
    let all = admin.ids("events?size=2000");
    assert_eq!(all.len(), 25);
    let pages: Vec<String> =
        (0..4).flat_map(|page| admin.ids(&format!("events?page={page}&size=10"))).collect();
    assert_eq!(pages, all);
    for bad in ["size=0", "size=2001", "size=x", "page=-1"] {
        admin.get(&format!("events?{bad}")).error(400);
    }
    assert!(admin.ids(&format!("events?page={}&size=2000", usize::MAX)).is_empty());
}

#[test]
fn what_has_no_retention_is_sent_but_not_stored() {
    let with = |retention: &str| {
        let api = api(|settings| settings.switches.set(&format!("event-retention={retention}")).unwrap());
        let client = service(&api);
        let camera = cameras(&api).0;
        let events: Vec<String> = [MOTION.to_owned(), user_defined(&client)]
            .iter()
            .map(|kind| {
                let event =
                    client.call("POST", "events", &json!({ "type": kind, "source": camera })).expect(202);
                event["data"]["id"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(api.journal().last(), 2);
        let stored = events.iter().map(|id| client.get(&format!("events/{id}")).status.as_u16());
        let stored: Vec<u16> = stored.collect();
        assert_eq!(client.ids("events").len(), stored.iter().filter(|status| **status == 200).count());
        stored
    };
    assert_eq!(with("all"), [200, 200]);
    assert_eq!(with("no-motion"), [404, 200]);
    assert_eq!(with("none"), [404, 404]);
}

#[test]
fn stored_for_a_day() {
    let api = api(|settings| settings.token_lifetime = std::time::Duration::from_secs(200_000));
    let admin = Client::new(api.clone(), "admin");
    admin.call("POST", "events", &json!({ "type": user_defined(&admin) })).expect(202);
    api.set_clock_offset(86_390);
    assert_eq!(admin.ids("events").len(), 1);
    api.set_clock_offset(86_401);
    assert!(admin.ids("events").is_empty());
}

#[test]
fn a_session_tells_what_came_and_what_left() {
    let api = site();
    let (guard, admin) = (Client::new(api.clone(), "user2"), Client::new(api.clone(), "admin"));
    let (seen, hidden) = cameras(&api);
    let post = |camera: &str| {
        let body = json!({ "type": analytics(&admin), "source": camera });
        admin.call("POST", "events", &body).expect(202)["data"]["id"].as_str().unwrap().to_owned()
    };
    post(&seen);
    let opened = guard.call("POST", "eventSessions", &Value::Null).expect(201);
    let path = format!("eventSessions/{}/events", opened["data"]["id"].as_str().unwrap());
    let poll = || guard.get(&path).expect(200)["data"].clone();
    assert_eq!(poll(), json!({ "addedToSession": [], "deletedFromSession": [] }));
    let (first, _) = (post(&seen), post(&hidden));
    assert_eq!(ids(&poll()["addedToSession"]), [first.as_str()]);
    assert_eq!(poll(), json!({ "addedToSession": [], "deletedFromSession": [] }));

    assert!(admin.get(&path).error(404).contains("eventSessions/"), "another user's");
    guard.get("eventSessions/x/events").error(404);

    // More than the view holds: it moves on, a window at a time.
    let event = (*api.journal().get(&first).unwrap()).clone();
    for n in 0..1500 {
        api.journal().push(Event { id: format!("more-{n}"), ..event.clone() });
    }
    let data = poll();
    assert_eq!(ids(&data["addedToSession"]).len(), 1000);
    assert_eq!(data["deletedFromSession"], json!([first]));
    let data = poll();
    assert_eq!(ids(&data["addedToSession"]).len(), 500);
    assert_eq!(data["deletedFromSession"].as_array().unwrap().len(), 500);
    assert_eq!(data["deletedFromSession"][0], "more-0");

    api.set_clock_offset(301);
    guard.get(&path).error(404);
}

#[test]
fn old_versions_do_not_know_them_and_verbs_are_checked() {
    let old = api(|settings| settings.version = "23.1".parse().unwrap());
    let old = Client::new(old, "admin");
    for path in ["events", "eventSessions", "alarms", "alarmSessions", "alarmStatistics", "alarmPriorities"] {
        assert_eq!(old.get(path).error(404), format!("Unknown resource: {path}"));
    }
    let admin = Client::new(site(), "admin");
    for (method, path) in [
        ("PUT", "events"),
        ("DELETE", "events/x"),
        ("GET", "eventSessions"),
        ("DELETE", "alarms/x"),
        ("POST", "alarmStatistics"),
        ("POST", "alarms/x/history"),
        ("PATCH", "alarmStates"),
    ] {
        assert_eq!(admin.call(method, path, &Value::Null).error(400), "Bad request: Unknown request");
    }
    admin.get("events/a/b/c").error(404);
}
