use serde_json::{Value, json};

use crate::testing::{Client, api};

fn admin() -> Client {
    Client::new(api(|_| {}), "admin")
}

#[test]
fn the_life_of_a_user_defined_event() {
    // The exchange of the official Python sample (sheet 7.1).
    let admin = admin();
    let made = admin.call("POST", "userDefinedEvents", &json!({ "name": "my Python event" })).expect(201);
    let result = &made["result"];
    let (upper, id) = (result["id"].as_str().unwrap(), result["path"]["id"].as_str().unwrap());
    assert_eq!((upper, upper.to_lowercase().as_str()), (id.to_uppercase().as_str(), id));
    assert_eq!((&result["state"], &result["path"]["type"]), (&json!("Success"), &json!("userDefinedEvents")));
    let path = format!("userDefinedEvents/{id}");
    let first = admin.get(&path).expect(200);
    let second = admin.call("PUT", &path, &json!({ "name": "other" })).expect(200);
    assert_eq!(second["data"]["name"], "other");
    assert!(second["data"]["lastModified"].as_str() > first["data"]["lastModified"].as_str());
    assert!(admin.api.user_defined_events().iter().any(|(event, name)| event == id && name == "other"));
    assert_eq!(admin.call("DELETE", &path, &Value::Null).expect(200), json!({ "state": "Success" }));
    assert_eq!(admin.get(&path).status, 404);
    let writes = admin.api.writes();
    let methods: Vec<&str> = writes.iter().map(|write| write.method.as_str()).collect();
    assert_eq!(methods, ["POST", "PUT", "DELETE"]);
    assert_eq!(
        (writes[0].path.as_str(), writes[0].who.as_str()),
        ("/API/rest/v1/userDefinedEvents", "admin")
    );
}

#[test]
fn whole_objects_may_be_sent_back() {
    let admin = admin();
    let camera = admin.list("cameras").remove(0);
    let path = format!("cameras/{}", camera["id"].as_str().unwrap());
    let mut changed = camera.clone();
    changed["name"] = "renamed".into();
    changed["channel"] = 7.into();
    changed["unknown"] = true.into();
    let data = admin.call("PUT", &path, &changed).expect(200)["data"].clone();
    assert_eq!(
        (&data["name"], &data["channel"]),
        (&json!("renamed"), &camera["channel"]),
        "read-only is ignored"
    );
    assert!(data.get("unknown").is_none());
    assert_eq!(data["recordingFramerate"], camera["recordingFramerate"]);
}

#[test]
fn put_can_reset_what_it_leaves_out() {
    let strict = Client::new(api(|settings| settings.switches.set("put-missing=reset").unwrap()), "admin");
    let camera = strict.ids("cameras").remove(0);
    let data = strict.call("PUT", &format!("cameras/{camera}"), &json!({ "enabled": true })).expect(200);
    assert_eq!(data["data"]["shortName"], "");
}

#[test]
fn values_are_checked_and_nothing_is_written() {
    let admin = admin();
    let camera = format!("cameras/{}", admin.ids("cameras").remove(0));
    let gone = json!({ "type": "storages", "id": "00000000-0000-0000-0000-000000000001" });
    for (property, value) in [
        ("enabled", json!("True")),
        ("recordingFramerate", json!("5")),
        ("prebufferSeconds", json!(1.5)),
        ("failoverSetting", json!("Sometimes")),
        ("name", Value::Null),
        ("recordingStorage", gone),
    ] {
        let reply = admin.call("PATCH", &camera, &json!({ property: value }));
        reply.error(400);
        assert_eq!(reply.json()["error"]["details"][0]["property"], property);
    }
    admin.call("POST", "userDefinedEvents", &json!({})).error(400);
    admin.call("POST", "userDefinedEvents", &json!([])).error(400);
    assert!(admin.api.writes().is_empty());
}

#[test]
fn only_administrators_write() {
    let api = api(|_| {});
    let admin = Client::new(api.clone(), "admin");
    let event = admin.id_of("userDefinedEvents", "Gate opened");
    for user in ["user1", "user2"] {
        let client = Client::new(api.clone(), user);
        for (method, path) in [
            ("POST", "userDefinedEvents".to_owned()),
            ("PATCH", format!("userDefinedEvents/{event}")),
            ("DELETE", format!("userDefinedEvents/{event}")),
        ] {
            let reply = client.call(method, &path, &json!({ "name": "x" }));
            assert!(reply.error(403).contains("permission"));
        }
        assert_eq!(client.call("PATCH", &format!("cameras/{event}"), &json!({})).status, 404);
    }
    assert!(api.writes().is_empty());
}

#[test]
fn switches_change_writes() {
    let id = "11111111-2222-3333-4444-555555555555";
    let own = Client::new(api(|settings| settings.switches.set("client-ids=on").unwrap()), "admin");
    let made = own.call("POST", "userDefinedEvents", &json!({ "name": "x", "id": id })).expect(201);
    assert_eq!(made["result"]["path"]["id"], id);
    let service = |switch: &str| {
        let api = api(|settings| settings.switches.set(switch).unwrap());
        let form = "grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret";
        let token =
            crate::testing::grant(&api, form).expect(200)["access_token"].as_str().unwrap().to_owned();
        Client { api, token }.call("POST", "userDefinedEvents", &json!({ "name": "x" })).status.as_u16()
    };
    assert_eq!((service("service-writes=off"), service("service-writes=on")), (403, 201));
}

#[test]
fn what_ships_with_the_product_stays() {
    let admin = admin();
    let role = admin.id_of("roles", "Administrators");
    let user = admin.id_of("basicUsers", "admin");
    for path in [
        "userDefinedEvents/85867627-b287-4439-9e55-a63701e1715b".to_owned(),
        "cameraGroups/0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8?removeMembers".to_owned(),
        format!("roles/{role}"),
        format!("basicUsers/{user}"),
    ] {
        assert!(admin.call("DELETE", &path, &Value::Null).error(400).contains("built in"), "{path}");
    }
    admin.call("PATCH", &format!("roles/{role}"), &json!({ "name": "x" })).error(400);
}

#[test]
fn groups_have_members() {
    let admin = admin();
    let made = admin.call("POST", "cameraGroups", &json!({ "name": "Mine" })).expect(201);
    let group = made["result"]["path"]["id"].as_str().unwrap();
    let camera = admin.ids("cameras").remove(0);
    let path = format!("cameraGroups/{group}/cameras");
    let member = json!({ "type": "cameras", "id": camera });
    assert_eq!(admin.call("POST", &path, &member).expect(201), json!({ "state": "Success" }));
    admin.call("POST", &path, &member).error(400);
    admin.call("POST", &path, &json!({ "type": "hardware", "id": camera })).error(400);
    admin.call("POST", &path, &json!({ "type": "cameras", "id": group })).error(400);
    assert_eq!(admin.ids(&path), std::slice::from_ref(&camera));
    assert!(
        admin
            .call("DELETE", &format!("cameraGroups/{group}"), &Value::Null)
            .error(400)
            .contains("removeMembers")
    );
    admin.call("DELETE", &format!("{path}/{camera}"), &Value::Null).expect(200);
    admin.call("DELETE", &format!("{path}/{camera}"), &Value::Null).error(404);
    admin.call("POST", &path, &member).expect(201);
    admin.call("DELETE", &format!("cameraGroups/{group}?removeMembers"), &Value::Null).expect(200);
    assert_eq!(admin.get(&format!("cameras/{camera}")).status, 200);
}

#[test]
fn groups_nest() {
    let admin = admin();
    let parent = admin.id_of("cameraGroups", "Buildings");
    let body =
        json!({ "name": "Attic", "relations": { "parent": { "type": "cameraGroups", "id": parent } } });
    let made = admin.call("POST", "cameraGroups", &body).expect(201);
    let id = made["result"]["path"]["id"].as_str().unwrap().to_owned();
    assert!(admin.ids(&format!("cameraGroups/{parent}/cameraGroups")).contains(&id));
    let reply = admin.get(&format!("cameraGroups/{id}")).expect(200);
    assert_eq!(reply["data"]["relations"]["parent"]["id"], parent);
    admin.call("DELETE", &format!("cameraGroups/{parent}?removeMembers"), &Value::Null).expect(200);
    assert_eq!(admin.get(&format!("cameraGroups/{id}")).status, 404, "with everything below");
}

#[test]
fn users_are_made_log_in_and_go() {
    let admin = admin();
    let made =
        admin.call("POST", "basicUsers", &json!({ "name": "Jo", "password": "Jo-password" })).expect(201);
    assert!(made["result"].get("password").is_none());
    assert_eq!(admin.api.writes()[0].body["password"], "***");
    admin.call("POST", "basicUsers", &json!({ "name": "jo", "password": "x" })).error(400);
    admin.call("POST", "basicUsers", &json!({ "name": "other" })).error(400);
    let jo = Client::new(admin.api.clone(), "Jo");
    assert_eq!(jo.list("cameras").len(), 0, "no role yet");
    let role = admin.id_of("roles", "Operators");
    let sid = made["result"]["sid"].as_str().unwrap();
    let path = format!("roles/{role}/users");
    admin.call("POST", &format!("{path}?task=AddRoleMember"), &json!({ "sid": sid })).expect(200);
    assert_eq!(jo.list("cameras").len(), 48);
    let member = json!({ "itemSelection": { "type": "users", "id": sid.to_lowercase() } });
    admin.call("POST", &format!("{path}?task=RemoveRoleMember"), &member).expect(200);
    assert_eq!(jo.list("cameras").len(), 0);
    let id = made["result"]["path"]["id"].as_str().unwrap();
    let data = admin
        .call("PATCH", &format!("basicUsers/{id}"), &json!({ "name": "Bo", "description": "d" }))
        .expect(200);
    assert_eq!((&data["data"]["name"], &data["data"]["description"]), (&json!("Jo"), &json!("d")));
    admin.call("DELETE", &format!("basicUsers/{id}"), &Value::Null).expect(200);
    let form = "grant_type=password&username=Jo&password=Jo-password&client_id=VmsClient";
    assert_eq!(crate::testing::grant(&admin.api, form).status, 400);
}

#[test]
fn analytics_events_are_listed_below_their_group() {
    let admin = admin();
    let groups = admin.list("eventTypeGroups");
    let group = groups.iter().find(|group| group["displayName"] == "Analytics Events").unwrap();
    let path =
        format!("eventTypeGroups/{}/analyticsEvents", group["relations"]["self"]["id"].as_str().unwrap());
    let before = admin.ids("analyticsEvents");
    assert_eq!(admin.ids(&path), before);
    let made =
        admin.call("POST", "analyticsEvents", &json!({ "name": "Smoke", "description": "d" })).expect(201);
    let id = made["result"]["path"]["id"].as_str().unwrap().to_owned();
    assert!(admin.ids(&path).contains(&id));
    admin.call("DELETE", &format!("analyticsEvents/{id}"), &Value::Null).expect(200);
    assert_eq!(admin.ids(&path), before);
}

#[test]
fn what_is_in_use_stays() {
    let admin = admin();
    let server = admin.ids("recordingServers").remove(0);
    let storages = admin.list(&format!("recordingServers/{server}/storages"));
    let used = storages.iter().find(|storage| storage["isDefault"] == true).unwrap()["id"].as_str().unwrap();
    assert!(
        admin
            .call("DELETE", &format!("storages/{used}"), &Value::Null)
            .error(400)
            .contains("is used by cameras/")
    );
    let made = json!({ "name": "New", "diskPath": "E:\\x", "maxSize": 5 });
    let made = admin.call("POST", &format!("recordingServers/{server}/storages"), &made).expect(201);
    let id = made["result"]["path"]["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("storages/{id}")).expect(200)["data"]["relations"]["parent"]["id"], server);
    admin.call("DELETE", &format!("recordingServers/{server}/storages/{id}"), &Value::Null).expect(200);
    let hardware = admin.list("hardware").remove(0);
    let id = hardware["id"].as_str().unwrap();
    let camera = admin.ids(&format!("hardware/{id}/cameras")).remove(0);
    admin.call("DELETE", &format!("hardware/{id}"), &Value::Null).expect(200);
    assert_eq!(admin.get(&format!("cameras/{camera}")).status, 404);
}

#[test]
fn registered_services_take_ids() {
    let admin = admin();
    let id = "11111111-2222-3333-4444-555555555555";
    let service = json!({ "id": id, "name": "Mine", "uris": ["http://x/"], "endpoints": [{ "uri": "http://x/" }], "enabled": false });
    admin.call("POST", "registeredServices", &service).expect(200);
    assert_eq!(admin.get(&format!("registeredServices/{id}")).expect(200)["data"]["uris"][0], "http://x/");
    assert!(!admin.ids("registeredServices").contains(&id.to_owned()));
    assert!(admin.ids("registeredServices?includeDisabled").contains(&id.to_owned()));
    admin.call("POST", "registeredServices", &service).error(400);
    let ude = admin.call("POST", "userDefinedEvents", &json!({ "name": "x", "id": id })).expect(201);
    assert_ne!(ude["result"]["path"]["id"], id, "not honoured by default");
}
