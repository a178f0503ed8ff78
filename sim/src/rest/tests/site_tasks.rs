use serde_json::{Value, json};

use crate::testing::{Client, api};

fn admin() -> Client {
    Client::new(api(|_| {}), "admin")
}

/// Invokes a task and gives its result.
fn run(client: &Client, path: &str, task: &str, body: &Value) -> Value {
    client.call("POST", &format!("{path}?task={task}"), body).expect(200)["result"].clone()
}

fn self_id(object: &Value) -> &str {
    object["relations"]["self"]["id"].as_str().unwrap()
}

#[test]
fn roles_have_profiles_and_say_who_has_access() {
    let admin = admin();
    let role = format!("roles/{}", admin.id_of("roles", "Guards"));
    let always = "timeProfiles/00000000-0000-0000-0000-000000000000";
    assert_eq!(run(&admin, &role, "GetClientTimeProfile", &json!({}))["itemSelection"], always);
    let profile =
        admin.call("POST", "timeProfiles", &json!({ "name": "x" })).expect(201)["result"]["path"].clone();
    run(&admin, &role, "SetClientTimeProfile", &json!({ "itemSelection": profile }));
    let path = format!("timeProfiles/{}", profile["id"].as_str().unwrap());
    assert_eq!(run(&admin, &role, "GetClientTimeProfile", &json!({}))["itemSelection"], path);
    assert!(admin.call("DELETE", &path, &Value::Null).error(400).contains("is used by roles/"));
    run(&admin, &role, "SetClientTimeProfile", &json!({ "itemSelection": always }));
    admin.call("DELETE", &path, &Value::Null).expect(200);
    let client =
        json!({ "itemSelection": format!("clientProfiles/{}", admin.id_of("clientProfiles", "Guards")) });
    run(&admin, &role, "SetClientProfile", &client);

    let cameras = admin.ids("cameras?disabled");
    let users = |camera: &str, administrators: bool| {
        let body = json!({
            "queryUsersWithAccessPath": format!("cameras/{camera}"), "includeAdministrators": administrators });
        run(&admin, "roles", "QueryUsersWithAccess", &body)["users"].as_array().unwrap().len()
    };
    let (near, far) = (users(&cameras[0], false), users(&cameras[30], false));
    assert!(near > far && far > 0, "guards see only half");
    assert_eq!(users(&cameras[30], true), far + 1);
    let guard = Client::new(admin.api.clone(), "user2");
    let ask =
        json!({ "actionId": "VIEW_LIVE", "relatedObjectPath": { "type": "cameras", "id": cameras[0] } });
    assert_eq!(run(&guard, "roles", "QueryIsPermittedTimeBasedAction", &ask)["isPermitted"], true);
}

#[test]
fn time_profiles_get_appointments() {
    let admin = admin();
    let path = format!("timeProfiles/{}", admin.id_of("timeProfiles", "Office hours"));
    let appointment = json!({ "subject": "Party", "startDateTime": "2025-06-01T18:00:00Z",
        "endDateTime": "2025-06-01T23:00:00Z", "allDayEvent": false });
    run(&admin, &path, "AddAppointment", &appointment);
    let backwards = json!({ "subject": "x", "startDateTime": "2025-06-02T18:00:00Z", "endDateTime": "2025-06-01T18:00:00Z" });
    admin.call("POST", &format!("{path}?task=AddAppointment"), &backwards).error(400);
    let recurring = json!({ "subject": "Cleaning", "recurrenceOccurrenceStartTime": "05:00:00",
        "recurrenceOccurrenceDuration": "01:30:00", "recurrencePatternFrequency": "Daily",
        "recurrenceRangeStartDate": "2025-01-31T00:00:00Z" });
    run(&admin, &path, "AddRecurringAppointment", &recurring);
    let data = admin.get(&path).expect(200)["data"].clone();
    assert_eq!(data["timeProfileAppointmentRoot"][1]["subject"], "Party");
    let cleaning = &data["timeProfileAppointmentRecur"][1];
    assert_eq!(cleaning["endDateTime"], "2025-01-31T06:30:00.0000000Z");
    assert_eq!(cleaning["recurrenceRangeLimit"], "NoLimit");
    let data =
        admin.call("PATCH", &path, &json!({ "timeProfileAppointmentRoot": [] })).expect(200)["data"].clone();
    assert_eq!(
        data["timeProfileAppointmentRoot"].as_array().unwrap().len(),
        2,
        "only tasks change the number"
    );
}

#[test]
fn views_are_copied_and_cleared() {
    let admin = admin();
    let views = admin.list("views");
    let id = |name: &str| self_id(views.iter().find(|view| view["name"] == name).unwrap()).to_owned();
    let (gates, parking) = (id("Gates"), id("Parking"));
    let path = format!("views/{parking}");
    run(&admin, &path, "ApplyViewToView", &json!({ "viewToApply": { "type": "views", "id": gates } }));
    let items = admin.get(&path).expect(200)["data"]["viewItem"].clone();
    let originals = admin.get(&format!("views/{gates}")).expect(200)["data"]["viewItem"].clone();
    assert_eq!(items.as_array().unwrap().len(), 4);
    assert_eq!(items[3]["viewItemDefinitionXml"], originals[3]["viewItemDefinitionXml"]);
    assert_ne!(items[3]["id"], originals[3]["id"]);
    assert_eq!(items[3]["viewItemPosition"], 3);
    run(&admin, &path, "ClearViewItem", &json!({ "viewItemId": items[3]["id"] }));
    let data = admin.get(&path).expect(200)["data"].clone();
    assert_ne!(data["viewItem"][3]["viewItemDefinitionXml"], items[3]["viewItemDefinitionXml"]);
    assert_eq!(data["viewItem"][2], items[2]);
    let group = data["relations"]["parent"]["id"].as_str().unwrap();
    let new = json!({ "name": "New", "viewItem": [{ "viewItemDefinitionXml": "<a />" }] });
    let made = admin.call("POST", &format!("viewGroups/{group}/views"), &new).expect(201)["result"].clone();
    assert_eq!(
        (made["viewItem"][0]["viewItemPosition"].as_i64(), made["viewItem"][0]["id"].is_string()),
        (Some(0), true)
    );
    let id = made["path"]["id"].as_str().unwrap();
    admin.call("DELETE", &format!("viewGroups/{group}/views/{id}"), &Value::Null).expect(200);
}

#[test]
fn client_profiles_are_maps_in_an_order() {
    let admin = admin();
    let names = || -> Vec<Value> { admin.list("clientProfiles").iter().map(|p| p["name"].clone()).collect() };
    assert_eq!(names()[..2], ["Guards", "Supervisors"]);
    let path = format!("clientProfiles/{}", admin.id_of("clientProfiles", "Guards"));
    run(&admin, &path, "ClientProfileDownPriority", &json!({}));
    assert_eq!(names()[..2], ["Supervisors", "Guards"]);
    admin.call("POST", &format!("{path}?task=ClientProfileDownPriority"), &json!({})).error(400);
    let mut whole = admin.get(&path).expect(200)["data"].clone();
    let maps = whole.as_object().unwrap().keys().filter(|name| name.starts_with("clientProfile")).count();
    assert_eq!(maps, 11);
    whole["name"] = "Copy".into();
    whole["clientProfileExport"]["somethingNew"] = "Yes".into();
    let copy = admin.call("POST", "clientProfiles", &whole).expect(201)["result"]["path"]["id"].clone();
    let copy = admin.get(&format!("clientProfiles/{}", copy.as_str().unwrap())).expect(200)["data"].clone();
    for (name, value) in
        whole.as_object().unwrap().iter().filter(|(name, _)| name.starts_with("clientProfile"))
    {
        assert_eq!(&copy[name], value, "{name}");
    }
    let layout = whole["clientProfileViewLayouts"]["disabledViewLayouts"][0]["id"].as_str().unwrap();
    let group = admin.list("layoutGroups")[0]["id"].clone();
    let layout = format!("layoutGroups/{}/layouts/{layout}", group.as_str().unwrap());
    admin.get(&layout).expect(200);
    assert!(admin.call("DELETE", &layout, &Value::Null).error(400).contains("is used by clientProfiles/"));
}

#[test]
fn walls_show_cameras_and_presets() {
    let admin = admin();
    let wall = format!("videoWalls/{}", admin.id_of("videoWalls", "Control room wall"));
    let monitors = admin.list(&format!("{wall}/monitors"));
    assert_eq!(monitors.len(), 3);
    let monitor = format!("monitors/{}", self_id(&monitors[0]));
    let camera = admin.ids("cameras").remove(3);
    let state = || admin.get(&monitor).expect(200)["data"]["monitorState"].as_str().unwrap().to_owned();
    run(
        &admin,
        &monitor,
        "ApplyCameras",
        &json!({ "beginPosition": 2, "cameraPaths": [format!("cameras/{camera}")] }),
    );
    assert!(state().contains(&format!("position=\"2\" id=\"{camera}\"")));
    let far = json!({ "beginPosition": 1_000_000_000_000_u64, "cameraPaths": [] });
    admin.call("POST", &format!("{monitor}?task=ApplyCameras"), &far).error(400);
    run(&admin, &monitor, "RemoveCameras", &json!({ "cameraPaths": [{ "type": "cameras", "id": camera }] }));
    assert!(!state().contains(&camera));
    let presets = format!("{wall}/videoWallPresets");
    let made = admin.call("POST", &presets, &json!({ "name": "Now" })).expect(201);
    let preset = made["result"]["path"]["id"].as_str().unwrap().to_owned();
    let parts = format!("{monitor}/monitorPresets");
    let (before, part) =
        (state(), admin.list(&parts).into_iter().find(|part| part["name"] == "Now").unwrap());
    assert_eq!(part["definitionXml"], before);
    run(&admin, &monitor, "ApplyMonitorState", &json!({ "monitorState": "<other />" }));
    run(&admin, &format!("videoWallPresets/{preset}"), "Activate", &json!({}));
    assert_eq!(state(), before);
    admin.call("DELETE", &format!("{presets}/{preset}"), &Value::Null).expect(200);
    assert!(admin.list(&parts).iter().all(|part| part["name"] != "Now"));
    let made = admin.call("POST", &format!("{wall}/monitors"), &json!({ "name": "Fourth" })).expect(201);
    let fourth = made["result"]["path"]["id"].as_str().unwrap();
    assert_eq!(admin.list(&format!("monitors/{fourth}/monitorPresets")).len(), 2, "one for each preset");
}

#[test]
fn plates_items_and_options() {
    let admin = admin();
    let list = format!("lprMatchLists/{}", admin.id_of("lprMatchLists", "Staff"));
    let number = json!({ "registrationNumber": "ab12345" });
    let fields = run(&admin, &list, "MethodIdGetCustomFieldsForRegistrationNumber", &number);
    assert_eq!(fields["customFields"], "Owner=Jo;Department=Sales");
    let new = json!({ "registrationNumbers": "EF11111,Bo,Sales;AB12345,Jo,Security" });
    run(&admin, &list, "MethodIdAddOrEditRegistrationNumbersInfo", &new);
    let all = run(&admin, &list, "MethodIdGetRegistrationNumbersInfo", &json!({}));
    assert_eq!(all["registrationNumbers"], "AB12345,Jo,Security;CD67890,Kim,Security;EF11111,Bo,Sales");
    run(&admin, &list, "MethodIdDeleteRegistrationNumbers", &json!({ "registrationNumbers": "CD67890" }));
    assert_eq!(admin.get(&list).expect(200)["data"]["registrationNumbers"], "AB12345;EF11111");

    let kind = format!("mipKinds/{}/mipItems", admin.id_of("mipKinds", "Incident categories"));
    let made = admin.call("POST", &kind, &json!({ "Name": "Fire", "Severity": "5" })).expect(201);
    let item = admin.get(&format!("{kind}/{}", made["result"]["path"]["id"].as_str().unwrap())).expect(200);
    let item = &item["data"];
    assert_eq!(
        (&item["Name"], &item["Severity"], &item["displayName"]),
        (&json!("Fire"), &json!("5"), &json!("Fire"))
    );
    assert!(item["Id"].is_string() && item.get("id").is_none());
    let option = json!({ "optionId": "o", "userPrivate": true });
    let mut set = option.clone();
    set["xML"] = "<x />".into();
    run(&admin, "mipKinds", "SetMIPOptionProperty", &set);
    assert_eq!(run(&admin, "mipKinds", "GetMIPOptionProperty", &option)["xML"], "<x />");
    let other = Client::new(admin.api.clone(), "user1");
    assert_eq!(run(&other, "mipKinds", "GetMIPOptionProperty", &option)["xML"], "");

    let system =
        format!("accessControlSystems/{}", admin.list("accessControlSystems")[0]["id"].as_str().unwrap());
    let path =
        run(&admin, &system, "GetInternalUnitPath", &json!({ "externalId": "garage door" }))["unitPath"]
            .clone();
    admin.get(path.as_str().unwrap()).expect(200);
    let group = admin.ids("accessControlGroups").remove(0);
    assert_eq!(admin.list(&format!("accessControlGroups/{group}/accessControlUnits")).len(), 4);
}

#[test]
fn the_site_its_owner_and_its_licence() {
    let admin = admin();
    let owner = format!("owner/{}", self_id(&admin.list("owner")[0]));
    let added =
        run(&admin, &owner, "AddBasicOwnerInfo", &json!({ "tagType": "admin.Email", "tagValue": "a@b" }));
    let key = added["itemSelection"].as_str().unwrap().to_owned();
    assert_eq!(admin.get(&owner).expect(200)["data"][&key], "a@b");
    let data = admin.call("PATCH", &owner, &json!({ (&key): "c@d" })).expect(200)["data"].clone();
    assert_eq!(data[&key], "c@d");
    run(&admin, &owner, "RemoveBasicOwnerInfo", &json!({ "itemSelection": key }));
    assert!(admin.get(&owner).expect(200)["data"].get(&key).is_none());

    let site = format!("sites/{}", admin.ids("sites").remove(0));
    let ask = |user: &str| json!({ "clientApplicationType": "SmartClient", "userName": user });
    assert_eq!(run(&admin, &site, "ClientLogOnSupported", &ask("user1"))["supported"], true);
    assert_eq!(run(&admin, &site, "ClientLogOnSupported", &ask("nobody"))["supported"], false);
    let chunk = |offset: u32| json!({ "transferId": "t", "offset": offset, "size": 3, "chunkData": "YWJj" });
    assert_eq!(run(&admin, &site, "UploadFileChunk", &chunk(0))["received"], 3);
    admin.call("POST", &format!("{site}?task=UploadFileChunk"), &chunk(7)).error(400);

    let licence = format!("licenseInformations/{}", self_id(&admin.list("licenseInformations")[0]));
    let changed = json!({ "license": "M01-NEW" });
    admin.call("POST", &format!("{licence}?task=ChangeLicense"), &changed).expect(201);
    admin.api.set_clock_offset(100);
    assert_eq!(admin.get(&licence).expect(200)["data"]["slc"], "M01-NEW");
    assert_eq!(admin.list("licenseInstalledProducts")[0]["slc"], "M01-NEW");
    let options = format!("toolOptions/{}", self_id(&admin.list("toolOptions")[0]));
    admin.call("PATCH", &options, &json!({ "deviceErrorTimeoutSec": "7" })).error(400);
    admin.call("PATCH", &options, &json!({ "deviceErrorTimeoutSec": "60" })).expect(200);
}

#[test]
fn messages_and_searches() {
    let admin = admin();
    let message = format!("audioMessages/{}", admin.id_of("audioMessages", "Fire drill"));
    run(
        &admin,
        &message,
        "SetAudioMessageContent",
        &json!({ "audioMessageContent": "UklGRg==", "originalFileName": "f.wav" }),
    );
    assert_eq!(
        run(&admin, &message, "GetAudioMessageContent", &json!({}))["audioMessageContent"],
        "UklGRg=="
    );
    assert_eq!(admin.get(&message).expect(200)["data"]["originalFileName"], "f.wav");
    let find = |body: Value| {
        run(&admin, "saveSearches", "FindSaveSearches", &body)["saveSearches"].as_array().unwrap().clone()
    };
    let found = find(json!({ "keywordFilter": "gate" }));
    assert_eq!(found.len(), 1);
    assert!(find(json!({ "keywordFilter": "gate", "privateOnly": true })).is_empty());
    run(
        &admin,
        "saveSearches",
        "UpdateSaveSearch",
        &json!({ "id": found[0]["id"], "availability": "Private" }),
    );
    let search = run(&admin, "saveSearches", "GetSaveSearch", &json!({ "id": found[0]["id"] }));
    assert_eq!((&search["availability"], &search["name"]), (&json!("Private"), &found[0]["name"]));
}
