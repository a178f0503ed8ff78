use serde_json::{Value, json};

use crate::testing::{Client, api};

/// Namespace of cameras.
const CAMERAS: &str = "623d03f8-c5d5-46bc-a2f4-4c03562d4f85";

fn admin() -> Client {
    Client::new(api(|_| {}), "admin")
}

/// What `effectivePermissions` says to the caller about an object.
fn mask(client: &Client, id: &str) -> u64 {
    let path = format!("effectivePermissions/{CAMERAS}?objectIds={id}");
    client.get(&path).expect(200)["data"]["objectPermissions"][0]["mask"].as_u64().unwrap()
}

#[test]
fn rights_on_an_object_are_shown_and_set() {
    let admin = admin();
    let guard = Client::new(admin.api.clone(), "user2");
    let cameras = admin.ids("cameras?disabled");
    let (hidden, path) = (&cameras[30], format!("cameras/{}?task=ChangeSecurityPermissions", cameras[30]));
    let missing = admin.call("POST", &path, &json!({}));
    assert_eq!(missing.error(400), "Bad request: parameters missing");
    assert_eq!(missing.json()["params"]["GENERIC_READ"], "");
    let role = json!({ "type": "roles", "id": admin.id_of("roles", "Guards") });
    let shown = admin.call("POST", &path, &json!({ "userPath": role })).expect(200);
    assert_eq!(
        (&shown["result"]["GENERIC_READ"], &shown["result"]["state"]),
        (&json!(false), &json!("Success"))
    );
    assert!(admin.api.writes().is_empty(), "showing changes nothing");
    assert_eq!((mask(&guard, hidden), guard.get(&format!("cameras/{hidden}")).status.as_u16()), (0, 404));

    let set = json!({ "userPath": role, "GENERIC_READ": true, "PLAYBACK": true });
    let shown = admin.call("POST", &path, &set).expect(200);
    assert_eq!((&shown["result"]["PLAYBACK"], &shown["result"]["EXPORT"]), (&json!(true), &json!(false)));
    assert_eq!(mask(&guard, hidden), 9);
    guard.get(&format!("cameras/{hidden}")).expect(200);
    assert_eq!(guard.list("cameras?disabled").len(), 26, "the others as before");
    assert_eq!(admin.api.writes().len(), 1);
    guard.call("PATCH", &format!("cameras/{hidden}"), &json!({ "shortName": "x" })).error(403);
    guard.call("POST", &path, &set).error(403);
    let write = json!({ "userPath": role, "GENERIC_WRITE": true, "GENERIC_READ": true });
    admin.call("POST", &path, &write).expect(200);
    guard.call("PATCH", &format!("cameras/{hidden}"), &json!({ "shortName": "x" })).expect(200);
    let none = json!({ "userPath": role, "GENERIC_READ": false });
    admin.call("POST", &format!("cameras/{}?task=ChangeSecurityPermissions", cameras[0]), &none).expect(200);
    guard.get(&format!("cameras/{}", cameras[0])).error(404);
}

#[test]
fn a_new_role_has_the_rights_that_it_is_given() {
    let admin = admin();
    admin.call("POST", "basicUsers", &json!({ "name": "Jo", "password": "Jo-password" })).expect(201);
    let sid = admin.list("basicUsers?name='Jo'")[0]["sid"].clone();
    let made = admin.call("POST", "roles", &json!({ "name": "Night" })).expect(201);
    let role = made["result"]["path"]["id"].as_str().unwrap().to_owned();
    admin.call("POST", &format!("roles/{role}/users?task=AddRoleMember"), &json!({ "sid": sid })).expect(200);
    let jo = Client::new(admin.api.clone(), "Jo");
    assert_eq!(jo.list("cameras?disabled").len(), 0);
    let path = format!("roles/{role}?task=ChangeOverallSecurityPermissions");
    let allow = json!({ "securityNamespace": CAMERAS, "GENERIC_READ": "Allow" });
    assert_eq!(admin.call("POST", &path, &allow).expect(200)["result"]["EXPORT"], "None");
    assert_eq!(jo.list("cameras?disabled").len(), 50);
    assert_eq!(jo.list("hardware").len(), 0, "of another type");
    let camera = jo.ids("cameras").remove(0);
    assert_eq!(mask(&jo, &camera), 1);
    jo.get(&format!("settings/{camera}")).expect(200);
    let copy = json!({ "itemSelection": format!("roles/{role}"), "name": "Day" });
    let copy = admin.call("POST", "roles?task=CopyRole", &copy).expect(200)["result"]["path"]["id"].clone();
    admin.call("DELETE", &format!("roles/{role}"), &Value::Null).expect(200);
    assert_eq!(jo.list("cameras?disabled").len(), 50, "a copy has the rights");
    let deny = json!({ "securityNamespace": CAMERAS, "GENERIC_READ": "Deny" });
    let path = format!("roles/{}?task=ChangeOverallSecurityPermissions", copy.as_str().unwrap());
    admin.call("POST", &path, &deny).expect(200);
    assert_eq!(jo.list("cameras?disabled").len(), 0);
}

#[test]
fn administrators_keep_their_rights() {
    let admin = admin();
    let role = admin.id_of("roles", "Administrators");
    let camera = admin.ids("cameras").remove(0);
    let path = format!("cameras/{camera}?task=ChangeSecurityPermissions");
    let body = json!({ "userPath": format!("roles/{role}") });
    assert_eq!(admin.call("POST", &path, &body).expect(200)["result"]["ADMIN_SECURITY"], true);
    let body = json!({ "userPath": format!("roles/{role}"), "GENERIC_READ": false });
    assert!(admin.call("POST", &path, &body).error(400).contains("cannot be changed"));
    let path = format!("roles/{role}?task=ChangeOverallSecurityPermissions");
    assert_eq!(
        admin.call("POST", &path, &json!({ "securityNamespace": CAMERAS })).expect(200)["result"]["EXPORT"],
        "Allow"
    );
    admin.call("POST", &path, &json!({ "securityNamespace": CAMERAS, "EXPORT": "Deny" })).error(400);
    admin.call("POST", &path, &json!({ "securityNamespace": role })).error(400);
}

#[test]
fn plug_ins_bring_namespaces() {
    let admin = admin();
    let actions = json!([{ "name": "LOOK", "securityMask": 1, "visible": true }]);
    let body = json!({ "name": "Mine", "structure": 1, "resourceTypes": "x", "securityActions": actions });
    let made = admin.call("POST", "securityNamespaces", &body).expect(201)["result"].clone();
    assert_eq!((&made["userDefined"], &made["securityActions"]), (&json!(true), &actions));
    let id = made["path"]["id"].as_str().unwrap();
    let data = admin.get(&format!("effectivePermissions/{id}")).expect(200)["data"].clone();
    assert_eq!(data["objectPermissions"], json!([]));
    admin.call("POST", "securityNamespaces", &body).error(400);
    admin.call("DELETE", &format!("securityNamespaces/{id}"), &Value::Null).error(400);
}
