use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    stamp::Stamp,
    testing::{Client, api},
};

fn admin() -> Client {
    Client::new(api(|settings| settings.switches.set("task-time=1000").unwrap()), "admin")
}

fn now(client: &Client, path: &str, body: Value) -> Value {
    client.call("POST", path, &body).expect(200)["result"].clone()
}

/// Queues a task, lets it end, and gives what `/tasks/{id}` says.
fn later(client: &Client, path: &str, body: Value) -> Value {
    let queued = client.call("POST", path, &body).expect(201);
    let id: i64 = queued["result"]["path"]["id"].as_str().unwrap().parse().unwrap();
    client.api.set_clock_offset(id * 10);
    client.get(&format!("tasks/{id}")).expect(200)["data"].clone()
}

#[test]
fn storages_are_encrypted_and_moved() {
    let admin = admin();
    let server = admin.ids("recordingServers").remove(0);
    let path = format!("storages/{}", admin.ids(&format!("recordingServers/{server}/storages"))[0]);
    let task = |name: &str, body: Value| admin.call("POST", &format!("{path}?task={name}"), &body);
    let method = || admin.get(&path).expect(200)["data"]["encryptionMethod"].clone();
    task("DisableEncryption", json!({ "password": "a" })).error(400);
    task("EnableEncryption", json!({ "encryptionMethod": "Rot13", "password": "a" })).error(400);
    let done = task("EnableEncryption", json!({ "encryptionMethod": "Light", "password": "a" })).expect(200);
    assert!(done["result"].get("password").is_none());
    assert_eq!(admin.api.writes().last().unwrap().body["password"], "***");
    assert_eq!(method(), "Light");
    task("ChangeEncryptionMethod", json!({ "encryptionMethod": "Strong", "password": "b" })).error(400);
    task("ChangeEncryptionMethod", json!({ "encryptionMethod": "Strong", "password": "a" })).expect(200);
    assert_eq!(method(), "Strong");
    let change = json!({ "password": "a", "newPassword": "b" });
    task("ChangePasswordStorageEncryption", change).expect(200);
    assert!(!admin.api.writes().last().unwrap().body.to_string().contains("\"b\""));
    task("ValidateStorageEncryptionPassword", json!({ "password": "a" })).error(400);
    task("ValidateStorageEncryptionPassword", json!({ "password": "b" })).expect(200);
    task("DisableEncryption", json!({ "password": "b" })).expect(200);
    assert_eq!(method(), "None");
    let moved = later(&admin, &format!("{path}?task=MoveRecordingStorage"), json!({ "diskPath": "E:\\New" }));
    assert_eq!(moved["state"], "Success");
    assert_eq!(admin.get(&path).expect(200)["data"]["diskPath"], "E:\\New");
}

#[test]
fn archives_are_made_mounted_and_deleted() {
    let admin = admin();
    let server = admin.ids("recordingServers").remove(0);
    let storage = admin.ids(&format!("recordingServers/{server}/storages")).remove(1);
    let below = format!("storages/{storage}/archiveStorages");
    let body = json!({
        "name": "Long", "diskPath": "F:\\Long", "targetFramerate": 2,
        "archiveSchedules": { "frequencyType": "Weekly", "frequencyInterval": 2 },
    });
    let wrong = json!({ "name": "x", "diskPath": "x", "archiveSchedules": { "frequencyType": "Sometimes" } });
    let refused = admin.call("POST", &below, &wrong);
    refused.error(400);
    assert_eq!(refused.json()["error"]["details"][0]["property"], "frequencyType");
    let made = admin.call("POST", &below, &body).expect(201);
    let path = format!("archiveStorages/{}", made["result"]["path"]["id"].as_str().unwrap());
    let data = || admin.get(&path).expect(200)["data"].clone();
    assert_eq!(data()["archiveSchedules"]["frequencyType"], "Weekly");
    assert_eq!(data()["archiveSchedules"]["frequencyRelativeInterval"], "First", "the default");
    let change = json!({ "archiveSchedules": { "frequencyInterval": 3 }, "name": "Longer" });
    admin.call("PATCH", &path, &change).expect(200);
    assert_eq!(data()["archiveSchedules"]["frequencyType"], "Weekly", "kept");
    let task = |name: &str, body: Value| now(&admin, &format!("{path}?task={name}"), body);
    task("SetFramerateReductionArchiveStorage", json!({ "framerateReductionEnabled": true }));
    assert_eq!(
        (&data()["framerateReductionEnabled"], &data()["targetFramerate"]),
        (&json!(true), &json!(2.0))
    );
    task("UnmountArchiveStorage", json!({}));
    assert_eq!(data()["mounted"], false);
    let information = task("ReadArchiveStorageInformation", json!({}));
    assert_eq!(information["archiveStorageInformation"]["isMounted"], false);
    let reply = admin.call("DELETE", &path, &Value::Null);
    reply.error(400);
    assert_eq!(reply.json()["params"], json!({ "deleteIfOffline": "" }));
    admin.call("DELETE", &format!("{below}/{}?deleteIfOffline=true", &path[16..]), &Value::Null).expect(200);
    assert_eq!(admin.get(&path).status, 404);
    assert_eq!(admin.get(&path.replace("archiveStorages", "archiveStorageInformation")).status, 404);
}

#[test]
fn recordings_that_stay_behind_are_found_and_deleted() {
    let admin = admin();
    let servers = admin.ids("recordingServers");
    let hardware = admin.list(&format!("recordingServers/{}/hardware", servers[0])).remove(0);
    let hardware = hardware["id"].as_str().unwrap();
    let camera = admin.ids(&format!("hardware/{hardware}/cameras")).remove(0);
    let storages = admin.ids(&format!("recordingServers/{}/storages", servers[0]));
    let path = |task: &str| format!("cameras/{camera}?task={task}");
    let others = |task: &str, list: &str| now(&admin, &path(task), json!({}))[list].clone();
    assert_eq!(others("GetOtherRecordingStoragesWithMedia", "storages"), json!([]));
    let selection = json!({ "itemSelection": format!("storages/{}", storages[1]), "moveData": false });
    later(&admin, &path("ChangeDeviceRecordingStorage"), selection);
    let first = json!([{ "type": "storages", "id": storages[0] }]);
    assert_eq!(others("GetOtherRecordingStoragesWithMedia", "storages"), first);
    assert_eq!(others("GetOtherRecordingServersWithMedia", "recordingServers"), json!([]));
    let target = json!({ "destinationRecordingServer": format!("recordingServers/{}", servers[1]) });
    later(&admin, &format!("hardware/{hardware}?task=MoveHardware"), target);
    let server = json!([{ "type": "recordingServers", "id": servers[0] }]);
    assert_eq!(others("GetOtherRecordingServersWithMedia", "recordingServers"), server);
    let left = now(
        &admin,
        &format!("recordingServers/{}?task=GetOtherDevicesWithMediaOnRecorder", servers[0]),
        json!({}),
    );
    assert!(left["devices"].as_array().unwrap().contains(&json!({ "type": "cameras", "id": camera })));
    let one = json!({ "itemSelection": { "type": "storages", "id": storages[0] } });
    assert_eq!(later(&admin, &path("TruncateStorage"), one.clone())["state"], "Success");
    assert_eq!(later(&admin, &path("TruncateStorage"), one)["state"], "Error", "nothing is left there");
    let all = json!({ "itemSelection": format!("recordingServers/{}", servers[0]) });
    assert_eq!(later(&admin, &path("TruncateStorageOnOtherRecordingServer"), all)["state"], "Success");
    assert_eq!(others("GetOtherRecordingServersWithMedia", "recordingServers"), json!([]));
}

#[test]
fn edge_storage_must_be_on() {
    let admin = admin();
    let camera = admin.ids("cameras").remove(0);
    let path = format!("cameras/{camera}?task=RetrieveEdgeStorage");
    let span = json!({ "startTime": "2025-01-01T00:00:00Z", "endTime": "2025-01-01T01:00:00Z" });
    assert_eq!(later(&admin, &path, span.clone())["state"], "Error");
    admin.call("PATCH", &format!("cameras/{camera}"), &json!({ "edgeStorageEnabled": true })).expect(200);
    assert_eq!(later(&admin, &path, span)["state"], "Success");
}

#[test]
fn recorders_scan_and_have_directories() {
    let admin = admin();
    let path = format!("recordingServers/{}", admin.ids("recordingServers")[0]);
    let scan = |address: &str| {
        later(&admin, &format!("{path}?task=HardwareScan"), json!({ "hardwareAddress": address }))
    };
    let found = scan("http://10.77.0.1/");
    assert_eq!((&found["state"], &found["macAddressExistGlobal"]), (&json!("Success"), &json!(false)));
    let hardware = admin.list(&format!("{path}/hardware")).remove(0);
    let known = scan(hardware["address"].as_str().unwrap());
    assert_eq!(known["macAddressExistLocal"], true);
    let settings = format!("hardwareDriverSettings/{}", hardware["id"].as_str().unwrap());
    assert_eq!(known["macAddress"], admin.get(&settings).expect(200)["data"]["macAddress"]);
    assert_eq!(scan("no address")["state"], "Error");
    let express =
        later(&admin, &format!("{path}?task=HardwareScanExpress"), json!({ "useDefaultCredentials": true }));
    assert_eq!(express["hardware"].as_array().unwrap().len(), 3);
    let directories = |at: &str| {
        let list = now(&admin, &format!("{path}?task=ReadDirectoriesOnRecorder"), json!({ "path": at }));
        list["directories"].clone()
    };
    assert!(directories("D:\\").as_array().unwrap().contains(&json!("MediaDatabase1")));
    let create = format!("{path}?task=CreateDirectoryOnRecorder");
    admin.call("POST", &create, &json!({ "path": "D:\\A\\B" })).error(400);
    now(&admin, &create, json!({ "path": "D:\\A" }));
    now(&admin, &create, json!({ "path": "D:\\A\\B" }));
    assert_eq!(directories("D:\\A\\"), json!(["B"]));
    admin.call("POST", &create, &json!({ "path": "D:\\A" })).error(400);
    assert_eq!(
        now(&admin, &format!("{path}?task=ReadDrivesOnRecorder"), json!({}))["drives"][1]["name"],
        "D:\\"
    );
}

#[test]
fn hardware_is_added_whole_and_replaced() {
    let admin = admin();
    let server = admin.ids("recordingServers").remove(0);
    let drivers = admin.list(&format!("recordingServers/{server}/hardwareDrivers"));
    let body = |address: &str, driver: usize| {
        json!({
            "hardwareAddress": address, "userName": "root", "password": "secret",
            "hardwareDriverPath": format!("hardwareDrivers/{}", drivers[driver]["id"].as_str().unwrap()),
        })
    };
    let add = format!("recordingServers/{server}?task=AddHardware");
    let made = later(&admin, &add, body("http://10.99.0.1/", 2));
    let id = made["relations"]["hardware"]["id"].as_str().unwrap().to_owned();
    for (kind, group, count) in [
        ("cameras", "cameraGroups", 4),
        ("microphones", "microphoneGroups", 1),
        ("speakers", "speakerGroups", 1),
        ("metadata", "metadataGroups", 1),
        ("inputEvents", "inputEventGroups", 1),
        ("outputs", "outputGroups", 1),
    ] {
        assert!(admin.ids(&format!("hardware/{id}/{kind}")).is_empty(), "{kind} start disabled");
        let devices = admin.ids(&format!("hardware/{id}/{kind}?disabled"));
        assert_eq!(devices.len(), count, "{kind}");
        let all = admin.list(group).into_iter().find(|group| group["builtIn"] == true).unwrap();
        let members = admin.ids(&format!("{group}/{}/{kind}?disabled", all["id"].as_str().unwrap()));
        assert!(members.contains(&devices[0]), "{kind}");
    }
    let path = format!("hardware/{id}?task=ReplaceHardware");
    let taken = admin.list("hardware")[0]["address"].as_str().unwrap().to_owned();
    assert_eq!(later(&admin, &path, body(&taken, 0))["state"], "Error");
    assert_eq!(later(&admin, &path, body("http://10.99.0.2/", 1))["state"], "Success");
    let hardware = admin.get(&format!("hardware/{id}")).expect(200)["data"].clone();
    assert_eq!(hardware["address"], "http://10.99.0.2/");
    assert_eq!(hardware["hardwareDriverPath"]["id"], drivers[1]["id"]);
    let firmware =
        || admin.get(&format!("hardwareDriverSettings/{id}")).expect(200)["data"]["firmwareVersion"].clone();
    let mac = || admin.get(&format!("hardwareDriverSettings/{id}")).expect(200)["data"]["macAddress"].clone();
    let (before, old) = (firmware(), mac());
    later(&admin, &format!("hardware/{id}?task=UpdateFirmwareHardware"), json!({ "transferId": "1" }));
    assert_ne!(firmware(), before);
    assert_eq!(later(&admin, &path, body("http://10.99.0.3/", 1))["state"], "Success");
    assert!(firmware() == before && mac() != old, "another device");
    admin.call("PATCH", &format!("hardware/{id}"), &json!({ "address": taken })).error(400);
    let foreign =
        admin.ids(&format!("recordingServers/{}/hardwareDrivers", admin.ids("recordingServers")[1]));
    let foreign = json!({ "hardwareDriverPath": { "type": "hardwareDrivers", "id": foreign[0] } });
    admin.call("PATCH", &format!("hardware/{id}"), &foreign).error(400);
}

#[test]
fn devices_answer_unless_they_are_off() {
    let admin = admin();
    let camera = format!("cameras/{}", admin.ids("cameras")[0]);
    let size = json!({ "width": 33, "height": 16 });
    let shot = now(&admin, &format!("{camera}?task=JpegGetLive"), size.clone());
    let picture = STANDARD.decode(shot["jpegData"].as_str().unwrap()).unwrap();
    assert!(picture.starts_with(&[0xFF, 0xD8]) && picture.windows(4).any(|part| part == [0, 16, 0, 33]));
    admin.call("POST", &format!("{camera}?task=JpegGetLive"), &json!({ "width": 0, "height": 9 })).error(400);
    now(&admin, &format!("{camera}?task=StartRecording"), json!({}));
    admin.call("PATCH", &camera, &json!({ "recordingEnabled": false })).expect(200);
    admin.call("POST", &format!("{camera}?task=StartRecording"), &json!({})).error(400);
    let hardware = admin.get(&camera).expect(200)["data"]["relations"]["parent"]["id"].clone();
    let hardware = format!("hardware/{}", hardware.as_str().unwrap());
    admin.call("PATCH", &hardware, &json!({ "enabled": false })).expect(200);
    let reply = admin.call("POST", &format!("{camera}?task=JpegGetLive"), &size);
    assert!(reply.error(502).starts_with("Device not responding. hardware/"));
    admin.call("POST", &format!("{camera}?task=GetOtherRecordingStoragesWithMedia"), &json!({})).expect(200);
    let output = format!("outputs/{}", admin.ids("outputs")[1]);
    let state = |expected: &str| {
        assert_eq!(now(&admin, &format!("{output}?task=GetState"), json!({}))["outputState"], expected);
    };
    state("Deactivated");
    now(&admin, &format!("{output}?task=Activate"), json!({}));
    state("Activated");
    now(&admin, &format!("{output}?task=Trigger"), json!({}));
    admin.api.set_clock_offset(5);
    state("Deactivated");
    let longer = json!({ "generalSettings": [{ "outputTriggerTime": 100 }] });
    admin.call("PATCH", &output.replace("outputs", "settings"), &longer).expect(200);
    now(&admin, &format!("{output}?task=Trigger"), json!({}));
    admin.api.set_clock_offset(50);
    state("Activated");
    now(&admin, &format!("{output}?task=Deactivate"), json!({}));
    state("Deactivated");
}

#[test]
fn what_is_recorded_by_hand_is_a_sequence() {
    let admin = admin();
    let camera = format!("cameras/{}", admin.ids("cameras")[0]);
    let task = |name: &str, body: Value| now(&admin, &format!("{camera}?task={name}"), body);
    let seconds = |time: &Value| Stamp::parse(time.as_str().unwrap()).unwrap().seconds();
    // Lengths of the sequences around now that are not the two minutes of the simulation.
    let by_hand = |kind: &str| -> Vec<i64> {
        let around = json!({
            "sequenceType": kind, "time": Stamp::now().wire(), "timeBefore": "00:30:00",
            "timeAfter": "03:00:00", "maxCountBefore": 100, "maxCountAfter": 100,
        });
        let found = task("GetSequences", around)["items"].clone();
        let lengths = found.as_array().unwrap().iter();
        lengths
            .map(|item| seconds(&item["timeEnd"]) - seconds(&item["timeBegin"]))
            .filter(|length| *length != 120)
            .collect()
    };
    assert!(by_hand("RecordingSequence").is_empty());
    task("StartRecording", json!({}));
    task("StartRecording", json!({}));
    admin.api.set_clock_offset(20);
    let first = by_hand("RecordingSequence");
    assert!(first.len() == 1 && (19..60).contains(&first[0]), "{first:?}");
    task("StopRecording", json!({}));
    admin.api.set_clock_offset(600);
    task("StartRecording", json!({}));
    admin.api.set_clock_offset(1800);
    let both = by_hand("RecordingSequence");
    assert!((19..60).contains(&both[0]), "stopped: {both:?}");
    assert_eq!(both[1], 300, "five minutes are the most");
    assert!(by_hand("MotionSequence").is_empty());
}

#[test]
fn streams_come_and_go() {
    let admin = admin();
    let path = format!("streams/{}", admin.ids("cameras")[0]);
    let streams = || admin.get(&path).expect(200)["data"]["stream"].as_array().unwrap().clone();
    let first = streams()[0]["streamReferenceId"].clone();
    let added = now(&admin, &format!("{path}?task=AddStream"), json!({ "name": "Mobile" }));
    assert_eq!(streams()[1]["name"], "Mobile");
    let two = |first: bool, second: bool| json!({ "stream": [{ "liveDefault": first }, { "liveDefault": second }] });
    admin.call("PATCH", &path, &two(true, true)).error(400);
    admin.call("PATCH", &path, &two(false, true)).expect(200);
    assert_eq!((&streams()[1]["liveDefault"], &streams()[1]["name"]), (&json!(true), &json!("Mobile")));
    let remove = |id: &Value| {
        let body = json!({ "streamReferenceId": id });
        admin.call("POST", &format!("{path}?task=RemoveStream"), &body)
    };
    remove(&first).error(400);
    remove(&added["streamReferenceId"]).error(400);
    admin.call("PATCH", &path, &two(true, false)).expect(200);
    remove(&added["streamReferenceId"]).expect(200);
    assert_eq!(streams().len(), 1);
    let settings = admin.get(&path.replace("streams", "settings")).expect(200);
    assert_eq!(settings["data"]["stream"][0]["streamReferenceId"], first);
}

#[test]
fn failover_servers_are_referred_to_and_moved() {
    let admin = admin();
    let group = admin.id_of("failoverGroups", "Failover");
    let server = admin.ids("recordingServers").remove(0);
    let path = format!("recordingServerFailovers/{server}");
    let primary = |name: &str| json!({ "primaryFailoverGroup": name });
    assert_eq!(
        admin.get(&path).expect(200)["data"]["primaryFailoverGroup"],
        format!("FailoverGroup[{group}]")
    );
    let recorder = admin.ids(&format!("failoverGroups/{group}/failoverRecorders")).remove(0);
    assert!(
        admin
            .call("DELETE", &format!("failoverGroups/{group}"), &Value::Null)
            .error(400)
            .contains("not empty")
    );
    let made = admin.call("POST", "failoverGroups", &json!({ "name": "Second" })).expect(201);
    let second = made["result"]["path"]["id"].as_str().unwrap();
    let body = json!({
        "itemSelection": { "type": "failoverRecorders", "id": recorder },
        "destinationFailoverGroup": { "type": "failoverGroups", "id": second },
    });
    now(&admin, "failoverGroups?task=MoveFailoverGroup", body);
    assert_eq!(admin.ids(&format!("failoverGroups/{second}/failoverRecorders")), [recorder]);
    assert!(
        admin
            .call("DELETE", &format!("failoverGroups/{group}"), &Value::Null)
            .error(400)
            .contains("is used by")
    );
    admin.call("PATCH", &path, &primary(&format!("failoverGroups/{server}"))).error(400);
    admin.call("PATCH", &path, &primary("")).expect(200);
    admin.call("DELETE", &format!("failoverGroups/{group}"), &Value::Null).expect(200);
}

#[test]
fn devices_record_to_storages_of_their_own_server() {
    let admin = admin();
    let servers = admin.ids("recordingServers");
    let hardware = admin.ids(&format!("recordingServers/{}/hardware", servers[0])).remove(0);
    let camera = format!("cameras/{}", admin.ids(&format!("hardware/{hardware}/cameras"))[0]);
    let to = |server: &str| {
        let storage = admin.ids(&format!("recordingServers/{server}/storages")).remove(1);
        json!({ "recordingStorage": { "type": "storages", "id": storage } })
    };
    admin.call("PATCH", &camera, &to(&servers[1])).error(400);
    admin.call("PATCH", &camera, &to(&servers[0])).expect(200);
}
