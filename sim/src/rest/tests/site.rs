use serde_json::{Value, json};

use crate::testing::{Client, api, shared};

fn admin() -> Client {
    Client::new(api(|_| {}), "admin")
}

/// Makes an object and gives its id.
fn make(client: &Client, path: &str, body: &Value) -> String {
    let made = client.call("POST", path, body).expect(201);
    made["result"]["path"]["id"].as_str().unwrap().to_owned()
}

/// The id that `relations.self` names; few types have no other (sheet 8.12).
fn id_of(object: &Value) -> String {
    object["relations"]["self"]["id"].as_str().unwrap().to_owned()
}

fn first(client: &Client, path: &str) -> String {
    id_of(&client.list(path)[0])
}

#[test]
fn everything_is_there_and_says_what_it_is() {
    let admin = Client::new(shared(), "admin");
    let site = first(&admin, "sites");
    for kind in [
        "accessControlGroups",
        "accessControlSystems",
        "alarmDefinitions",
        "analyticsEvents",
        "audioMessages",
        "basicUsers",
        "childSites",
        "clientProfiles",
        "compressors",
        "eventTypeGroups",
        "evidenceLockProfiles",
        "genericEventDataSources",
        "genericEvents",
        "gisMapLocations",
        "layoutGroups",
        "licenseInformations",
        "licenseDetails",
        "licenseInstalledProducts",
        "licenseOverviewAll",
        "loginProviders",
        "lprMatchLists",
        "mailNotificationProfiles",
        "matrix",
        "mipKinds",
        "owner",
        "roles",
        "rules",
        "saveSearches",
        "servers",
        "stateGroups",
        "systemAddresses",
        "timeProfiles",
        "toolOptions",
        "userDefinedEvents",
        "videoWalls",
        "viewGroups",
    ] {
        let list = admin.list(&format!("{kind}?disabled"));
        assert!(!list.is_empty(), "{kind}");
        for object in &list {
            assert_eq!(object["relations"]["self"]["type"], kind);
            assert!(object["displayName"].as_str().is_some_and(|name| !name.is_empty()), "{kind}");
        }
        assert!(!admin.list(&format!("sites/{site}/{kind}?disabled")).is_empty(), "below the site: {kind}");
    }
    for path in ["views", "eventTypes", "registeredServices", "securityNamespaces"] {
        assert!(!admin.list(path).is_empty(), "{path}");
    }
    let embedded = admin.list("sites?includeChildren=rules,timeProfiles");
    assert!(!embedded[0]["rules"].as_array().unwrap().is_empty());
}

#[test]
fn objects_are_made_changed_and_deleted() {
    let admin = admin();
    for (kind, body, change) in [
        ("accessControlGroups", json!({ "name": "x" }), json!({ "description": "d" })),
        ("alarmDefinitions", json!({ "name": "x" }), json!({ "description": "d" })),
        ("analyticsEvents", json!({ "name": "x" }), json!({ "description": "d" })),
        ("audioMessages", json!({ "name": "x" }), json!({ "description": "d" })),
        ("clientProfiles", json!({ "name": "x" }), json!({ "description": "d" })),
        ("evidenceLockProfiles", json!({ "name": "x" }), json!({ "retentionTimeOptions": ["1 day"] })),
        ("genericEventDataSources", json!({ "name": "x" }), json!({ "dataSourcePort": 99 })),
        ("genericEvents", json!({ "name": "x" }), json!({ "expression": "a" })),
        ("gisMapLocations", json!({ "name": "x" }), json!({ "positionX": 1.5 })),
        ("loginProviders", json!({ "name": "x", "authority": "https://x" }), json!({ "clientId": "c" })),
        ("lprMatchLists", json!({ "name": "x" }), json!({ "customFields": "A;B" })),
        ("mailNotificationProfiles", json!({ "name": "x" }), json!({ "recipients": ["a@b"] })),
        ("matrix", json!({ "name": "x", "password": "p" }), json!({ "port": 7 })),
        ("mipKinds", json!({ "name": "x" }), json!({ "pluginName": "p" })),
        ("roles", json!({ "name": "x" }), json!({ "description": "d" })),
        ("saveSearches", json!({ "name": "x" }), json!({ "searchQuery": "q" })),
        ("stateGroups", json!({ "name": "x" }), json!({ "states": ["a", "b"] })),
        ("timeProfiles", json!({ "name": "x" }), json!({ "description": "d" })),
        ("userDefinedEvents", json!({ "name": "x" }), json!({ "name": "y" })),
        ("videoWalls", json!({ "name": "x" }), json!({ "statusText": false })),
        ("viewGroups", json!({ "name": "x" }), json!({ "viewGroupDataXml": "<x />" })),
    ] {
        admin.call("POST", kind, &json!({})).error(400);
        let path = format!("{kind}/{}", make(&admin, kind, &body));
        let changed = admin.call("PATCH", &path, &change).expect(200)["data"].clone();
        for (name, value) in change.as_object().unwrap() {
            assert_eq!(&changed[name], value, "{kind}");
        }
        let whole = admin.get(&path).expect(200)["data"].clone();
        admin.call("PUT", &path, &whole).expect(200);
        admin.call("DELETE", &path, &Value::Null).expect(200);
        admin.get(&path).error(404);
    }
}

#[test]
fn a_rule_is_copied_as_a_whole() {
    // The official sample (sheet 7.1): the whole object goes back with another name and an id of the client.
    let admin = admin();
    for rule in admin.list("rules?disabled") {
        let mut copy = admin.get(&format!("rules/{}", id_of(&rule))).expect(200)["data"].clone();
        copy["name"] = format!("Copy of {}", copy["name"].as_str().unwrap()).into();
        copy["id"] = "11111111-2222-3333-4444-555555555555".into();
        let id = make(&admin, "rules", &copy);
        assert_ne!(id, "11111111-2222-3333-4444-555555555555", "not honoured by default");
        let made = admin.get(&format!("rules/{id}")).expect(200)["data"].clone();
        let members = copy.as_object().unwrap().iter();
        for (name, value) in
            members.filter(|(name, _)| !["id", "relations", "displayName"].contains(&name.as_str()))
        {
            assert_eq!(&made[name], value, "{name}");
        }
    }
    let incomplete = json!({ "name": "x", "startRuleType": "Event", "startActions": "StartRecording" });
    let reply = admin.call("POST", "rules", &incomplete);
    assert_eq!(reply.error(400), "Bad request: parameters missing");
    assert!(reply.json()["params"].get("startEventType").is_some());
}

#[test]
fn references_hold() {
    let admin = admin();
    let definitions = admin.list("alarmDefinitions");
    let motion = definitions.iter().find(|definition| definition["name"] == "Motion at night").unwrap();
    let profile = motion["timeProfile"]["id"].as_str().unwrap();
    admin.get(&format!("timeProfiles/{profile}")).expect(200);
    admin.get(&format!("cameras/{}", motion["sourceList"][0]["id"].as_str().unwrap())).expect(200);
    let priority = motion["priority"].as_str().unwrap();
    assert!(admin.ids("alarmPriorities").iter().any(|id| id == priority));
    let refused = |path: &str| admin.call("DELETE", path, &Value::Null).error(400);
    assert!(refused(&format!("timeProfiles/{profile}")).contains("is used by"));
    let drill = admin.id_of("userDefinedEvents", "Fire drill");
    assert!(refused(&format!("userDefinedEvents/{drill}")).contains("is used by rules/"));
    let barrier = admin.id_of("genericEvents", "Barrier raised");
    assert!(
        refused(&format!("genericEvents/{barrier}")).contains("is used by rules/"),
        "by its hidden event"
    );
    let gone = json!({ "type": "timeProfiles", "id": barrier });
    admin.call("POST", "alarmDefinitions", &json!({ "name": "x", "timeProfile": gone })).error(400);
    admin.call("POST", "alarmDefinitions", &json!({ "name": "x", "eventType": profile })).error(400);
    let shadow = admin.list("genericEvents?name='Barrier%20raised'")[0]["shadowId"].clone();
    let sources =
        json!([{ "type": "userDefinedEvents", "id": shadow }, { "type": "CameraFolder", "id": UNNAMED }]);
    let whole = json!({ "name": "x", "eventType": shadow, "sourceList": sources,
        "timeProfile": { "type": "timeProfiles", "id": UNNAMED } });
    make(&admin, "alarmDefinitions", &whole);
    assert_eq!(
        admin.get(&format!("userDefinedEvents/{}", shadow.as_str().unwrap())).status,
        404,
        "it is hidden"
    );
    let rule = admin.id_of("rules", "Log fire drills");
    admin.call("DELETE", &format!("rules/{rule}"), &Value::Null).expect(200);
    assert!(refused(&format!("userDefinedEvents/{drill}")).contains("is used by alarmDefinitions/"));
}

const UNNAMED: &str = "00000000-0000-0000-0000-000000000000";

#[test]
fn what_ships_with_the_product_stays() {
    let admin = admin();
    for path in [
        "genericEventDataSources/b867db0c-be9e-422b-b934-6fc7fa98c5d8".to_owned(),
        format!("clientProfiles/{}", admin.id_of("clientProfiles", "Default Smart Client profile")),
        format!(
            "evidenceLockProfiles/{}",
            admin.id_of("evidenceLockProfiles", "Default evidence lock profile")
        ),
        format!("lprMatchLists/{}", admin.id_of("lprMatchLists", "Unlisted license plate")),
    ] {
        assert!(admin.call("DELETE", &path, &Value::Null).error(400).contains("built in"), "{path}");
    }
}

#[test]
fn secrets_are_kept_to_itself() {
    let admin = admin();
    let id = make(&admin, "loginProviders", &json!({ "name": "x", "authority": "https://x" }));
    let path = format!("loginProviders/{id}");
    assert_eq!(admin.get(&path).expect(200)["data"]["clientSecretHasValue"], false);
    let data = admin.call("PATCH", &path, &json!({ "clientSecret": "s3cret" })).expect(200)["data"].clone();
    assert_eq!((&data["clientSecretHasValue"], data.get("clientSecret")), (&json!(true), None));
    assert!(!format!("{:?}", admin.api.writes()).contains("s3cret"));
    let claims = format!("{path}/registeredClaims");
    let made = admin.call("POST", &claims, &json!({ "name": "role", "caseSensitive": true })).expect(201);
    let number = made["result"]["id"].as_u64().unwrap();
    assert_eq!(admin.list(&claims)[0]["id"], number);
    assert_eq!(admin.get(&format!("{claims}/{number}")).expect(200)["data"]["caseSensitive"], true);
    admin.call("DELETE", &format!("{claims}/{number}"), &Value::Null).expect(200);
    assert!(admin.list("matrix")[0].get("password").is_none());
}

#[test]
fn notations_are_switches() {
    let client = |switch: &str| {
        let api = api(|settings| settings.switches.set(switch).unwrap());
        Client::new(api, "admin")
    };
    let admin = admin();
    let text =
        |client: &Client, field: &str| client.list("genericEvents")[1][field].as_str().unwrap().to_owned();
    assert_eq!(text(&admin, "dataSource"), "GenericEventDataSource[b867db0c-be9e-422b-b934-6fc7fa98c5d8]");
    assert!(text(&admin, "lastModified").ends_with("0000+01:00"));
    assert!(admin.list("analyticsEvents")[0]["lastModified"].as_str().unwrap().ends_with("+01:00"));
    assert!(admin.list("rules").iter().all(|rule| rule.get("lastModified").is_none()));
    assert!(text(&client("local-times=off"), "lastModified").ends_with('Z'));
    let path = client("item-notation=path");
    assert_eq!(text(&path, "dataSource"), "genericEventDataSources/b867db0c-be9e-422b-b934-6fc7fa98c5d8");
    let body = json!({ "name": "x", "dataSource": text(&admin, "dataSource") });
    let id = make(&path, "genericEvents", &body);
    let data = path.get(&format!("genericEvents/{id}")).expect(200)["data"].clone();
    assert_eq!(data["dataSource"], text(&path, "dataSource"));
    assert_ne!(data["shadowId"], "");
    let source = make(&path, "genericEventDataSources", &json!({ "name": "y" }));
    let body = json!({ "name": "z", "dataSource": format!("genericEventDataSources/{source}") });
    make(&path, "genericEvents", &body);
    path.call("DELETE", &format!("genericEventDataSources/{source}"), &Value::Null).error(400);
}

#[test]
fn versions_know_less() {
    let old = Client::new(api(|settings| settings.version = "25.1".parse().unwrap()), "admin");
    let view = format!("views/{}", first(&old, "views"));
    let tasks = old.get(&format!("{view}?tasks&noData")).expect(200);
    assert_eq!(tasks["tasks"], json!([]));
    assert!(old.get(&view).expect(200)["data"]["viewItem"][0].get("id").is_none());
    old.call("POST", &format!("{view}?task=ClearView"), &json!({ "clientId": "" })).error(400);
}

#[test]
fn translations_are_the_names_of_properties() {
    let admin = Client::new(shared(), "admin");
    let all = admin.list("translations?language=de");
    let name =
        admin.get("rules?definitions").expect(200)["definitions"]["startRuleType"]["translationId"].clone();
    let found = all.iter().find(|text| text["id"] == name).unwrap();
    assert_eq!(found["text"], "Start rule type");
    assert_eq!(admin.list("translations?page=1&size=10").len(), 10);
    admin.call("DELETE", "translations", &Value::Null).error(400);
}
