//! Recorders, storages, hardware, devices and their groups: what the sheet's lists 3.5 and 3.6 say of each.

use serde_json::{Value, json};

use crate::testing::{Client, api, shared};

/// Type, verbs of the collection, verbs of the item, sub-collections with their verbs (sheet 3.5).
type Listed = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const LISTED: &[Listed] = &[
    (
        "recordingServers",
        "G",
        "GUAD",
        &[
            ("hardwareDrivers", "G/G"),
            ("hardware", "G/D"),
            ("recordingServerFailovers", "G/G"),
            ("recordingServerMulticasts", "G/G"),
            ("storages", "GP/D"),
        ],
    ),
    ("storages", "", "GUAD", &[("archiveStorages", "GP/D")]),
    ("storageInformation", "", "GUA", &[]),
    ("archiveStorages", "", "GUAD", &[]),
    ("archiveStorageInformation", "", "GUA", &[]),
    ("failoverGroups", "GP", "GUAD", &[("failoverRecorders", "G/")]),
    ("failoverRecorders", "G", "GUA", &[]),
    (
        "hardware",
        "G",
        "GUAD",
        &[
            ("cameras", "G/G"),
            ("customProperties", "G/G"),
            ("hardwareDeviceEvents", "G/G"),
            ("hardwareDriverSettings", "G/G"),
            ("hardwarePtzSettings", "G/G"),
            ("inputEvents", "G/G"),
            ("metadata", "G/G"),
            ("microphones", "G/G"),
            ("outputs", "G/G"),
            ("speakers", "G/G"),
        ],
    ),
    (
        "cameras",
        "G",
        "GUA",
        &[
            ("clientSettings", "G/G"),
            ("customProperties", "G/G"),
            ("settings", "G/"),
            ("fisheyeLens", "G/G"),
            ("hardwareDeviceEvents", "G/G"),
            ("motionDetections", "G/G"),
            ("patrollingProfiles", "GP/D"),
            ("privacyProtections", "G/G"),
            ("ptzPresets", "GP/GD"),
            ("streams", "G/"),
        ],
    ),
    ("microphones", "G", "GUA", MEDIA),
    ("speakers", "G", "GUA", MEDIA),
    ("metadata", "G", "GUA", MEDIA),
    ("inputEvents", "G", "GUA", SIGNAL),
    ("outputs", "G", "GUA", SIGNAL),
    ("settings", "", "GUA", &[]),
    ("streams", "", "GUA", &[]),
    ("motionDetections", "", "GUA", &[]),
    ("patrollingProfiles", "", "GUAD", &[]),
    ("cameraGroups", "GP", "GUAD", &[("cameras", "GP/GD"), ("cameraGroups", "G/")]),
    ("microphoneGroups", "GP", "GUAD", &[("microphones", "GP/GD"), ("microphoneGroups", "G/")]),
    ("speakerGroups", "GP", "GUAD", &[("speakers", "GP/GD"), ("speakerGroups", "G/")]),
    ("metadataGroups", "GP", "GUAD", &[("metadata", "GP/GD"), ("metadataGroups", "G/")]),
    ("inputEventGroups", "GP", "GUAD", &[("inputEvents", "GP/GD"), ("inputEventGroups", "G/")]),
    ("outputGroups", "GP", "GUAD", &[("outputs", "GP/GD"), ("outputGroups", "G/")]),
];
const MEDIA: &[(&str, &str)] = &[
    ("clientSettings", "G/G"),
    ("customProperties", "G/G"),
    ("settings", "G/"),
    ("hardwareDeviceEvents", "G/G"),
];
const SIGNAL: &[(&str, &str)] =
    &[("customProperties", "G/G"), ("settings", "G/"), ("hardwareDeviceEvents", "G/G")];

const UNKNOWN: &str = "Bad request: Unknown request";
const NOBODY: &str = "00000000-0000-0000-0000-000000000001";

/// Whether the answer is that there is no such verb.
fn refuses(client: &Client, method: &str, path: &str) -> bool {
    let reply = client.call(method, path, &Value::Null);
    reply.status == 400 && reply.json()["error"]["details"][0]["errorText"] == UNKNOWN
}

/// The id of one object of a type, found as a client would.
fn any(client: &Client, kind: &str) -> String {
    let below = |parent: &str, kind: &str| {
        let found = client.ids(&format!("{parent}?disabled")).into_iter();
        let mut found = found.flat_map(|id| client.list(&format!("{parent}/{id}/{kind}")));
        found.next().unwrap()["relations"]["self"]["id"].as_str().unwrap().to_owned()
    };
    match kind {
        "storages" | "storageInformation" => below("recordingServers", "storages"),
        "archiveStorages" | "archiveStorageInformation" => {
            let storage = below("recordingServers", "storages");
            client.ids(&format!("storages/{storage}/archiveStorages")).remove(0)
        }
        "settings" | "streams" | "motionDetections" => client.ids("cameras").remove(0),
        "patrollingProfiles" | "ptzPresets" => below("cameras", kind),
        listed => client.ids(listed).remove(0),
    }
}

#[test]
fn every_type_has_the_listed_verbs_and_no_others() {
    let admin = Client::new(shared(), "admin");
    for (kind, collection, item, subs) in LISTED {
        for (method, verb) in [("GET", 'G'), ("POST", 'P'), ("PUT", 'U'), ("DELETE", 'D')] {
            assert_eq!(refuses(&admin, method, kind), !collection.contains(verb), "{method} {kind}");
        }
        let id = any(&admin, kind);
        admin.get(&format!("{kind}/{id}")).expect(200);
        // An object that is not there tells as much about verbs, and stays as it is.
        assert_eq!(admin.get(&format!("{kind}/{NOBODY}")).status, 404, "{kind}");
        for (method, verb) in [("PUT", 'U'), ("PATCH", 'A')] {
            let reply = admin.call(method, &format!("{kind}/{id}"), &json!({ "unknown": 1 }));
            let fine = item.contains(verb) == (reply.status == 200) || reply.text.contains("built in");
            assert!(fine, "{method} {kind}: {}", reply.text);
        }
        if !item.contains('D') {
            assert!(refuses(&admin, "DELETE", &format!("{kind}/{id}")), "DELETE {kind}");
        }
        for (sub, verbs) in *subs {
            let (on_all, on_one) = verbs.split_once('/').unwrap();
            let path = format!("{kind}/{id}/{sub}");
            assert_eq!(admin.get(&path).status, 200, "{path}");
            assert_eq!(refuses(&admin, "POST", &path), !on_all.contains('P'), "POST {path}");
            let Some(found) = admin.list(&path).into_iter().next() else { continue };
            let path = format!("{path}/{}", found["relations"]["self"]["id"].as_str().unwrap());
            assert_eq!(refuses(&admin, "GET", &path), !on_one.contains('G'), "GET {path}");
            if !on_one.contains('D') {
                assert!(refuses(&admin, "DELETE", &path), "DELETE {path}");
            }
        }
        let resources = admin.get(&format!("{kind}/{id}?resources&noData")).expect(200)["resources"].clone();
        let names: Vec<&str> =
            resources.as_array().unwrap().iter().map(|sub| sub["type"].as_str().unwrap()).collect();
        assert!(
            subs.iter().all(|(sub, _)| names.contains(sub)) && names.len() == subs.len(),
            "{kind}: {names:?}"
        );
    }
}

#[test]
fn every_task_asks_for_its_parameters_or_answers() {
    let admin = Client::new(api(|_| {}), "admin");
    for (kind, ..) in LISTED {
        let path = format!("{kind}/{}", any(&admin, kind));
        for task in admin.get(&format!("{path}?tasks&noData")).expect(200)["tasks"].as_array().unwrap() {
            let task = task["id"].as_str().unwrap();
            let reply = admin.call("POST", &format!("{path}?task={task}"), &json!({}));
            let body = reply.json();
            let asks = reply.status == 400 && body["params"].is_object();
            let answers = matches!(reply.status.as_u16(), 200 | 201) && body["result"]["state"].is_string();
            let refused = reply.status == 400 && body["error"]["details"][0]["errorText"] != UNKNOWN;
            assert!(asks || answers || refused, "{path} {task}: {}", reply.text);
        }
    }
}

#[test]
fn guards_see_devices_of_every_type_for_their_half_only() {
    let (admin, guard) = (Client::new(shared(), "admin"), Client::new(shared(), "user2"));
    let cameras = admin.list("cameras?disabled");
    let (seen, hidden) = cameras.split_at(25);
    for kind in ["microphones", "speakers", "metadata", "inputEvents", "outputs", "hardware"] {
        let (all, some) = (admin.ids(kind), guard.ids(kind));
        assert!(!some.is_empty() && some.len() < all.len(), "{kind}");
        assert!(all.starts_with(&some), "{kind}");
        let path = format!("customProperties/{}", all.last().unwrap());
        assert_eq!(guard.get(&path).status, 404, "{path}");
    }
    for kind in ["clientSettings", "motionDetections", "streams", "privacyProtections", "fisheyeLens"] {
        let id = |camera: &Value| camera["id"].as_str().unwrap().to_owned();
        assert_eq!(guard.get(&format!("{kind}/{}", id(&seen[0]))).status, 200, "{kind}");
        assert_eq!(guard.get(&format!("{kind}/{}", id(&hidden[0]))).status, 404, "{kind}");
    }
    let moving = hidden.iter().find(|camera| camera["ptzEnabled"] == true).unwrap();
    let presets = admin.ids(&format!("cameras/{}/ptzPresets", moving["id"].as_str().unwrap()));
    assert_eq!(guard.get(&format!("ptzPresets/{}", presets[0])).status, 404);
}

#[test]
fn permissions_on_devices_agree_with_what_is_seen() {
    let (admin, guard) = (Client::new(shared(), "admin"), Client::new(shared(), "user2"));
    let namespaces = admin.list("securityNamespaces");
    for kind in ["microphones", "speakers", "metadata", "inputEvents", "outputs"] {
        let namespace = namespaces.iter().find(|namespace| namespace["resourceTypes"] == kind).unwrap();
        let path = format!("effectivePermissions/{}", namespace["id"].as_str().unwrap());
        let ids = |client: &Client| -> Vec<Value> {
            let list = client.get(&path).expect(200)["data"]["objectPermissions"].clone();
            list.as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
        };
        assert_eq!(ids(&guard), guard.ids(&format!("{kind}?disabled")), "{kind}");
        assert!(ids(&admin).len() > ids(&guard).len(), "{kind}");
    }
}

#[test]
fn a_recorder_goes_with_everything_below() {
    let admin = Client::new(api(|settings| settings.cameras = 3), "admin");
    let server = admin.ids("recordingServers").remove(0);
    let (hardware, camera) = (admin.ids("hardware").remove(0), admin.ids("cameras").remove(0));
    for path in [format!("recordingServerMulticasts/{server}"), format!("settings/{camera}")] {
        admin.call("PATCH", &path, &json!({})).expect(200);
    }
    // What refers to its cameras goes first.
    for kind in ["alarmDefinitions", "rules"] {
        for id in admin.ids(&format!("{kind}?disabled")) {
            admin.call("DELETE", &format!("{kind}/{id}"), &Value::Null).expect(200);
        }
    }
    let path = format!("recordingServers/{server}");
    let reply = admin.call("DELETE", &path, &Value::Null);
    reply.error(400);
    assert_eq!(reply.json()["params"], json!({ "userAccept": "" }));
    admin.call("DELETE", &format!("{path}?userAccept=true"), &Value::Null).expect(200);
    for path in [
        path,
        format!("recordingServerMulticasts/{server}"),
        format!("recordingServerFailovers/{server}"),
        format!("hardware/{hardware}"),
        format!("settings/{camera}"),
        format!("streams/{camera}"),
    ] {
        assert_eq!(admin.get(&path).status, 404, "{path}");
    }
}

#[test]
fn two_sites_share_devices_but_no_ids() {
    let client = |name: &str| {
        let name = name.to_owned();
        Client::new(api(|settings| settings.name = name), "admin")
    };
    let (one, two) = (client("a"), client("b"));
    let types = [
        "speakers",
        "metadata",
        "inputEvents",
        "outputs",
        "failoverGroups",
        "failoverRecorders",
        "microphoneGroups",
        "speakerGroups",
        "metadataGroups",
        "inputEventGroups",
        "outputGroups",
    ];
    for kind in types {
        let names = |client: &Client| -> Vec<Value> {
            client.list(kind).iter().map(|object| object["name"].clone()).collect()
        };
        assert_eq!(names(&one), names(&two), "{kind}");
        let others = two.ids(kind);
        assert!(one.ids(kind).iter().all(|id| !others.contains(id)), "{kind}");
    }
    let mac = |client: &Client, place: usize| {
        let hardware = client.ids("hardware").remove(place);
        client.get(&format!("hardwareDriverSettings/{hardware}")).expect(200)["data"]["macAddress"].clone()
    };
    assert_eq!(mac(&one, 3), mac(&two, 3), "one device");
    assert_ne!(mac(&one, 3), mac(&one, 4));
}

#[test]
fn groups_of_every_type_take_members() {
    let admin = Client::new(api(|_| {}), "admin");
    for (group, kind) in [
        ("microphoneGroups", "microphones"),
        ("speakerGroups", "speakers"),
        ("metadataGroups", "metadata"),
        ("inputEventGroups", "inputEvents"),
        ("outputGroups", "outputs"),
    ] {
        let all = admin.list(group).into_iter().find(|group| group["builtIn"] == true).unwrap();
        let all = format!("{group}/{}", all["id"].as_str().unwrap());
        assert_eq!(admin.ids(&format!("{all}/{kind}")), admin.ids(kind), "{kind}");
        admin.call("PATCH", &all, &json!({ "name": "x" })).error(400);
        let member = json!({ "type": kind, "id": admin.ids(kind)[0] });
        admin.call("POST", &format!("{all}/{kind}"), &member).error(400);
        let made = admin.call("POST", group, &json!({ "name": "Mine" })).expect(201);
        let id = made["result"]["path"]["id"].as_str().unwrap();
        assert_eq!(made["result"]["id"], id.to_uppercase());
        admin.call("POST", &format!("{group}/{id}/{kind}"), &member).expect(201);
        assert!(
            admin.call("DELETE", &format!("{group}/{id}"), &Value::Null).error(400).contains("removeMembers")
        );
        admin.call("DELETE", &format!("{group}/{id}?removeMembers"), &Value::Null).expect(200);
    }
}
