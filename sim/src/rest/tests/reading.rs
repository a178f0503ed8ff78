use proptest::prelude::*;
use serde_json::{Value, json};

use crate::testing::{Client, api, login, send, shared};

fn admin() -> Client {
    Client::new(shared(), "admin")
}

#[test]
fn collections_and_items() {
    let admin = admin();
    let reply = admin.get("Cameras");
    assert!(reply.text.starts_with("{ \"array\" : [ { \"displayName\" : "), "{}", &reply.text[..60]);
    assert_eq!(reply.headers["server"], "Microsoft-IIS/10.0");
    let cameras = admin.list("cameras");
    assert_eq!(cameras.len(), 48, "two are disabled");
    assert_eq!(admin.list("cameras?disabled").len(), 50);
    assert_eq!(admin.list("cameras?disabled=true").len(), 50);
    let camera = &cameras[0];
    let id = camera["id"].as_str().unwrap();
    let item = admin.get(&format!("cameras/{}", id.to_uppercase())).expect(200);
    assert_eq!(&item["data"], camera);
    assert_eq!(camera["relations"]["self"], json!({ "type": "cameras", "id": id }));
    assert_eq!(camera["relations"]["parent"]["type"], "hardware");
    assert!(camera["channel"].is_i64() && camera["enabled"].is_boolean() && camera["coverageDepth"].is_f64());
    assert!(camera["gisPoint"].as_str().unwrap().starts_with("POINT ("));
    let parent = camera["relations"]["parent"]["id"].as_str().unwrap();
    let hardware = admin.get(&format!("hardware/{parent}")).expect(200);
    let server = hardware["data"]["relations"]["parent"].clone();
    assert_eq!(server["type"], "recordingServers");
    admin.get(&format!("recordingServers/{}", server["id"].as_str().unwrap())).expect(200);
    assert!(admin.list(&format!("hardware/{parent}/cameras")).iter().any(|below| below["id"] == id));
    admin.get(&format!("hardware/{parent}/cameras/{id}")).expect(200);
    assert_eq!(admin.list("eventTypeGroups")[0].get("id"), None);
    assert_eq!(admin.list("systemAddresses")[0]["url"], "http://127.0.0.1:8080/");
    assert_eq!(admin.list("sites")[0]["platform"], "[Not Available]");
}

#[test]
fn errors_have_the_observed_texts() {
    let admin = admin();
    let camera = admin.ids("cameras").remove(0);
    let missing = "00000000-0000-0000-0000-000000000001";
    for (path, status, text) in [
        ("nonsense", 404, "Unknown resource: nonsense".to_owned()),
        (&format!("cameras/{missing}"), 404, format!("Device not found. cameras/{missing}")),
        (
            &format!("cameras/{camera}/userDefinedEvents"),
            400,
            format!("Invalid parent. cameras/{camera}/UserDefinedEventFolder"),
        ),
        ("storages", 400, "Bad request: Unknown request".to_owned()),
        ("alarmStates/x", 404, "Item not found. alarmStates/x".to_owned()),
        ("a/b/c/d/e", 404, "Unknown resource: e".to_owned()),
    ] {
        assert_eq!(admin.get(path).error(status), text, "{path}");
    }
    assert_eq!(admin.call("DELETE", "cameras", &Value::Null).error(400), "Bad request: Unknown request");
    assert_eq!(admin.call("OPTIONS", "cameras", &Value::Null).error(400), "Bad request: Unknown request");
}

#[test]
fn old_versions_know_less_and_write_booleans_as_text() {
    let old = Client::new(api(|settings| settings.version = "22.1".parse().unwrap()), "admin");
    let camera = &old.list("cameras")[0];
    assert_eq!((camera["enabled"].as_str(), camera["coverageDepth"].as_str()), (Some("True"), Some("0")));
    assert!(camera["channel"].is_i64());
    for missing in ["registeredServices", "securityNamespaces", "alarmStates", "effectivePermissions/x"] {
        assert!(old.get(missing).error(404).starts_with("Unknown resource"), "{missing}");
    }
}

#[test]
fn pages_and_filters() {
    let admin = admin();
    let all = admin.ids("cameras");
    let pages: Vec<String> =
        (0..6).flat_map(|page| admin.ids(&format!("cameras?page={page}&size=10"))).collect();
    assert_eq!(pages, all);
    assert_eq!(admin.list("cameras?page=4&size=10").len(), 8);
    assert_eq!(admin.list("cameras?name=startsWith:%27Main%20gate%27").len(), 6, "of seven one is disabled");
    assert_eq!(admin.list("cameras?channel=gt:'2'").len(), 4);
    assert_eq!(admin.list("cameras?disabled&enabled='false'").len(), 2);
    admin.get("cameras?page=x").error(400);
    admin.get("cameras?colour='red'").error(400);
}

#[test]
fn switches_change_lists() {
    let client = |switch: &str| {
        let api = api(|settings| settings.switches.set(switch).unwrap());
        Client::new(api, "admin")
    };
    assert_eq!(client("max-page-size=7").list("cameras?size=100").len(), 7);
    assert_eq!(client("page-size=5").list("cameras?page=0").len(), 5);
    let all = admin().list("cameraGroups").len();
    assert_eq!(all - client("nested-groups=top").list("cameraGroups").len(), 4);
    let deep = client("include-depth=2").list("recordingServers?includeChildren=hardware,cameras");
    assert!(deep[0]["hardware"][0]["cameras"].is_array());
}

#[test]
fn a_large_list_is_whole() {
    let admin = Client::new(api(|settings| settings.cameras = 5000), "admin");
    assert_eq!(admin.list("cameras?disabled").len(), 5000);
}

#[test]
fn flags_add_keys() {
    let admin = admin();
    let camera = admin.ids("cameras").remove(0);
    let body = admin.get(&format!("cameras/{camera}?tasks&noData")).expect(200);
    assert!(body.get("data").is_none());
    assert!(body["tasks"].as_array().unwrap().iter().any(|task| task["id"] == "GetSequences"));
    let server = admin.ids("recordingServers").remove(0);
    let body = admin.get(&format!("recordingServers/{server}?resources&definitions")).expect(200);
    assert!(body["resources"].as_array().unwrap().iter().any(|sub| sub["type"] == "hardware"));
    assert_eq!(body["definitions"]["hostName"]["canSet"], "false");
    assert_eq!(
        body["definitions"]["enabled"],
        json!({ "canSet": "true", "valueType": "bool", "translationId": "PropertyName_enabled" })
    );
    assert!(body.get("data").is_some());
    let users = admin.get("basicUsers?definitions").expect(200);
    assert!(users["definitions"].get("password").is_none() && users["array"][0].get("password").is_none());
}

#[test]
fn children_are_embedded_for_what_the_caller_sees() {
    let admin = admin();
    let hardware = admin.list("hardware?includeChildren=cameras,microphones&disabled");
    let cameras: usize = hardware.iter().map(|hardware| hardware["cameras"].as_array().unwrap().len()).sum();
    assert_eq!(cameras, 50);
    let guard = Client::new(shared(), "user2");
    let hardware = guard.list("hardware?includeChildren=cameras&disabled");
    let cameras: usize = hardware.iter().map(|hardware| hardware["cameras"].as_array().unwrap().len()).sum();
    assert_eq!(cameras, 25);
    let server = admin.ids("recordingServers").remove(0);
    let below = admin.list(&format!("recordingServers/{server}/hardware?includeChildren=cameras"));
    assert!(below[0].get("cameras").is_none(), "no effect below an item");
    let deep = admin.list("recordingServers?includeChildren=hardware,cameras");
    assert!(deep[0]["hardware"][0].get("cameras").is_none(), "one level by default");
    let site = admin.ids("sites").remove(0);
    assert!(admin.list(&format!("sites/{site}/cameraGroups")).len() > 1);
}

#[test]
fn guards_see_half_and_the_other_half_does_not_exist() {
    let (admin, guard) = (admin(), Client::new(shared(), "user2"));
    let all = admin.ids("cameras?disabled");
    let seen = guard.ids("cameras?disabled");
    assert_eq!(seen, all[..25]);
    assert_eq!(guard.get(&format!("cameras/{}", all[30])).status, 404);
    let group = "0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8";
    assert_eq!(guard.list(&format!("cameraGroups/{group}/cameras?disabled")).len(), 25);
    assert_eq!(guard.list("basicUsers").len(), 0);
    assert_eq!(Client::new(shared(), "user1").ids("cameras?disabled"), all);
    let strict = Client::new(api(|settings| settings.switches.set("hidden=403").unwrap()), "user2");
    let reply = strict.get(&format!("cameras/{}", all[30]));
    reply.error(403);
    assert_eq!(reply.json()["error"]["details"][0]["errorTextId"], "VMO61008");
}

#[test]
fn effective_permissions_agree() {
    let (admin, guard) = (admin(), Client::new(shared(), "user2"));
    let namespace = "623d03f8-c5d5-46bc-a2f4-4c03562d4f85";
    let all = admin.ids("cameras?disabled");
    let path = format!("effectivePermissions/{namespace}?objectIds={},{}", all[0], all[30]);
    let data = &admin.get(&path).expect(200)["data"];
    assert_eq!(
        (&data["isAdministrator"], &data["objectPermissions"][1]["mask"]),
        (&json!(true), &json!(255))
    );
    let data = &guard.get(&path).expect(200)["data"];
    assert_eq!(data["isAdministrator"], false);
    assert_eq!(data["objectPermissions"][1], json!({ "id": all[30], "mask": 0 }));
    assert!(data["objectPermissions"][0]["mask"].as_u64().unwrap() & 1 == 1);
    let whole = &guard.get(&format!("effectivePermissions/{namespace}")).expect(200)["data"];
    assert_eq!(whole["objectPermissions"].as_array().unwrap().len(), 25);
    let other = admin.id_of("roles", "Guards");
    let data = &admin.get(&format!("{path}&roleId={other}")).expect(200)["data"];
    assert_eq!(data["objectPermissions"][1]["mask"], 0);
    guard.get(&format!("{path}&roleId={other}")).error(403);
    admin.get(&format!("effectivePermissions/{namespace}?objectIds=x")).error(400);
}

#[test]
fn alarm_states_are_there_and_their_ids_are_a_switch() {
    let states = admin().list("alarmStates");
    assert_eq!(states[0]["name"], "New");
    assert_eq!(
        states.iter().map(|state| state["level"].as_i64().unwrap()).collect::<Vec<_>>(),
        [1, 4, 9, 11]
    );
    let levels = |kind: &str| -> Vec<(String, i64)> {
        let row = |row: &Value| (row["name"].as_str().unwrap().to_owned(), row["level"].as_i64().unwrap());
        admin().list(kind).iter().map(row).collect()
    };
    assert_eq!(levels("alarmPriorities"), [("High".into(), 1), ("Medium".into(), 2), ("Low".into(), 3)]);
    for list in ["alarmCategories", "alarmSounds", "alarmMessages", "alarmSettings", "closeReasons"] {
        assert!(!admin().list(list).is_empty(), "{list}");
    }
    for list in ["alarmSuppressions", "alarmDisables"] {
        assert!(admin().list(list).is_empty(), "{list}");
    }
    let shared_ids = |name: &str| {
        let name = name.to_owned();
        let api = api(|settings| {
            settings.name = name;
            settings.switches.set("alarm-ids=shared").unwrap();
        });
        Client::new(api, "admin").ids("alarmStates")
    };
    assert_eq!(shared_ids("B"), shared_ids("C"));
}

fn segment() -> impl Strategy<Value = String> {
    let words = [
        "cameras",
        "hardware",
        "cameraGroups",
        "roles",
        "users",
        "tasks",
        "storages",
        "sites",
        "basicUsers",
        "1",
        "effectivePermissions",
        "623d03f8-c5d5-46bc-a2f4-4c03562d4f85",
        "0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8",
        "registeredServices",
        "eventTypeGroups",
        "recordingServers",
        "userDefinedEvents",
        "events",
        "bulk",
        "eventSessions",
        "alarms",
        "alarmSessions",
        "alarmStatistics",
        "history",
        "bookmarks",
        "evidenceLocks",
    ];
    prop_oneof![
        4 => proptest::sample::select(words.to_vec()).prop_map(str::to_owned),
        1 => "[a-zA-Z0-9%._~-]{1,12}",
        1 => "%[0-9a-f]{2}",
    ]
}

fn query() -> impl Strategy<Value = String> {
    let parts = [
        "disabled",
        "page=1",
        "size=3",
        "page=99999999999999999999",
        "tasks",
        "resources",
        "definitions",
        "noData",
        "includeChildren=cameras,x",
        "task=CopyRole",
        "task=AddHardware",
        "task=TaskStop",
        "removeMembers",
        "name='a'",
        "name=lt:'",
        "id=gt:'0'",
        "objectIds=,",
        "userSid=%ff",
        "task=GetSequences",
        "task=QueryUsersWithAccess",
        "task=FindSaveSearches",
        "task=GetMIPOptionProperty",
        "includeChildren=views,rules,monitors",
        "include=data",
        "task=newReference",
        "task=searchTime",
        "task=search",
        "lastModified=contains:'%27'",
    ];
    proptest::collection::vec(
        prop_oneof![3 => proptest::sample::select(parts.to_vec()).prop_map(str::to_owned), 1 => "[a-z%=':,+]{0,12}"],
        0..4,
    )
    .prop_map(|parts| parts.join("&"))
}

fn body() -> impl Strategy<Value = String> {
    let parts = [
        "",
        "{}",
        "[]",
        "null",
        "{\"name\":\"x\"}",
        "{\"name\":1}",
        "{\"name\":\"\",\"enabled\":\"True\"}",
        "{\"a\":",
        "{\"type\":\"85867627-b287-4439-9e55-a63701e1715b\",\"data\":[1e400]}",
        "{\"type\":\"85867627-b287-4439-9e55-a63701e1715b\",\"data\":7}",
        "[{},1]",
        "{\"time\":\"9999-12-31T23:59:59Z\",\"timeLimit\":-9223372036854775808,\"countLimit\":1,\"deviceTypes\":[]}",
        "{\"pageIndex\":18446744073709551615,\"pageSize\":9}",
        "{\"type\":\"cameras\",\"id\":\"0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8\"}",
        "{\"relations\":{\"parent\":7},\"name\":\"q\"}",
        "{\"stream\":[{\"FPS\":1,\"x\":null},7],\"ptz\":[],\"primaryFailoverGroup\":\"FailoverGroup[\"}",
        "{\"width\":9999999999,\"height\":-1,\"sessionDataId\":0,\"_password\":\"x\",\"stream\":[]}",
        "{\"sequenceType\":\"MotionSequence\",\"time\":\"9999-12-31T23:59:59Z\",\"timeBefore\":\"36500.00:00:00\",\
         \"timeAfter\":\"1.00:00:00\",\"maxCountBefore\":9223372036854775807,\"maxCountAfter\":-1}",
    ];
    prop_oneof![4 => proptest::sample::select(parts.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,40}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_request_is_answered_with_json(
        method in proptest::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"]),
        path in proptest::collection::vec(segment(), 1..5),
        query in query(),
        body in body(),
    ) {
        // One instance for all cases: what one case breaks, the next ones meet.
        static CLIENT: std::sync::LazyLock<Client> = std::sync::LazyLock::new(|| Client::new(api(|_| {}), "admin"));
        let path = format!("/API/rest/v1/{}?{query}", path.join("/"));
        prop_assume!(path.parse::<http::Uri>().is_ok());
        let token = login(&CLIENT.api, "admin");
        let reply = send(&CLIENT.api, method, &path, Some(&token), &body);
        prop_assert!(!reply.status.is_server_error());
        prop_assert!(serde_json::from_str::<Value>(&reply.text).is_ok(), "{path}: {}", reply.text);
    }

    #[test]
    fn nothing_tells_a_guard_what_is_hidden(
        path in proptest::collection::vec(segment(), 1..4),
        query in query(),
        post in any::<bool>(),
        body in body(),
    ) {
        static GUARD: std::sync::LazyLock<Client> = std::sync::LazyLock::new(|| Client::new(api(|_| {}), "user2"));
        let path = format!("/API/rest/v1/{}?disabled&{query}", path.join("/"));
        prop_assume!(path.parse::<http::Uri>().is_ok());
        let reply = send(&GUARD.api, if post { "POST" } else { "GET" }, &path, Some(&GUARD.token), &body);
        let hidden = GUARD.api.cameras().split_off(25);
        prop_assert!(hidden.iter().all(|camera| !reply.text.contains(&camera.id)), "{path}: {}", reply.text);
        prop_assert!(GUARD.api.writes().is_empty());
    }
}
