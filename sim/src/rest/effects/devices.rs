//! Tasks on hardware, devices and storages.

use serde_json::{Map, Value, json};

use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World, ids},
};

/// Password of seeded hardware.
const FACTORY_PASSWORD: &str = "camera-password";
const GONE: &str = "VMO60277: The object no longer exists.";
/// Object members outside of the type's fields are kept but never shown.
const SECRET: &str = "_password";

/// `GetDevicesUsingStorage`.
pub fn using_storage(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let uses = |object: &&Object| {
        let storage = object.fields.get("recordingStorage").and_then(|storage| storage.get("id"));
        storage.and_then(Value::as_str) == Some(task.target.1)
    };
    let devices = ["cameras", "microphones"].into_iter().flat_map(|kind| world.store.all(kind));
    let list = devices.filter(uses).map(|object| json!({ "type": object.kind, "id": object.id })).collect();
    Ok(Effected { result: Map::from_iter([("devices".to_owned(), list)]), ..Effected::default() })
}

/// `SetStorageAsDefault`: the other storages of the server stop being it.
pub fn set_default_storage(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let storage = world.store.get("storages", task.target.1).ok_or(GONE)?;
    let (_, server) = storage.parent.clone().ok_or(GONE)?;
    let siblings: Vec<String> = world.store.children("storages", &server).map(|s| s.id.clone()).collect();
    for id in siblings {
        if let Some(storage) = world.store.get_mut("storages", &id) {
            storage.set("isDefault", id == task.target.1);
            storage.set("lastModified", task.now.wire());
        }
    }
    Ok(Effected::default())
}

/// `ReadPasswordHardware`.
pub fn read_password(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let hardware = world.store.get("hardware", task.target.1).ok_or(GONE)?;
    let password = hardware.fields.get(SECRET).cloned().unwrap_or_else(|| FACTORY_PASSWORD.into());
    Ok(Effected { result: Map::from_iter([("password".to_owned(), password)]), ..Effected::default() })
}

/// `ChangePasswordHardware`.
pub fn change_password(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let hardware = world.store.get_mut("hardware", task.target.1).ok_or(GONE)?;
    hardware.set(SECRET, task.text("password"));
    hardware.set("passwordLastModified", task.now.wire());
    hardware.set("lastModified", task.now.wire());
    Ok(Effected::default())
}

/// `MoveHardware`: the devices record to the default storage of the new server from then on.
pub fn move_hardware(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let server = task.path_id("destinationRecordingServer");
    world.store.get("recordingServers", server).ok_or(GONE)?;
    let hardware = world.store.get("hardware", task.target.1).ok_or(GONE)?;
    let number = hardware
        .fields
        .get("hardwareDriverPath")
        .and_then(|path| path.get("id"))
        .and_then(Value::as_str)
        .and_then(|id| world.store.get("hardwareDrivers", id))
        .and_then(|driver| driver.fields.get("number").cloned());
    let driver = world
        .store
        .children("hardwareDrivers", server)
        .find(|driver| driver.fields.get("number") == number.as_ref())
        .map(|driver| json!({ "type": "hardwareDrivers", "id": driver.id }));
    let storage = default_storage(world, server);
    world.store.reparent("hardware", task.target.1, "recordingServers", server);
    if let Some(hardware) = world.store.get_mut("hardware", task.target.1) {
        hardware.set("lastModified", task.now.wire());
        if let Some(driver) = driver {
            hardware.set("hardwareDriverPath", driver);
        }
    }
    for kind in ["cameras", "microphones"] {
        let devices: Vec<String> =
            world.store.children(kind, task.target.1).map(|device| device.id.clone()).collect();
        for device in devices {
            if let (Some(device), Some(storage)) = (world.store.get_mut(kind, &device), &storage) {
                device.set("recordingStorage", storage.clone());
            }
        }
    }
    Ok(Effected::default())
}

/// `AddHardware`: the new hardware and its devices start disabled (sheet 8.21).
pub fn add_hardware(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let server = task.target.1;
    world.store.get("recordingServers", server).ok_or(GONE)?;
    let driver = task.path_id("hardwareDriverPath");
    let below = world.store.get("hardwareDrivers", driver).and_then(|driver| driver.parent.clone());
    if below.is_none_or(|(_, parent)| parent != server) {
        return Err("VMO60277: The driver does not belong to the recording server.".to_owned());
    }
    let address = task.text("hardwareAddress");
    if world.store.all("hardware").any(|hardware| hardware.text("address") == address) {
        return Err("VMO60277: The address is already in use.".to_owned());
    }
    let model = world.store.get("hardwareDrivers", driver).map(|driver| driver.text("name").to_owned());
    let model = model.unwrap_or_default();
    let (id, now) = (ids::fresh(), task.now.wire());
    let hardware = Object::new("hardware", id.clone()).below("recordingServers", server).with(json!({
        "name": format!("{model} ({address})"),
        "address": address,
        "enabled": false,
        "model": model,
        "userName": task.text("userName"),
        "hardwareDriverPath": { "type": "hardwareDrivers", "id": driver },
        "lastModified": now,
        "passwordLastModified": now,
        (SECRET): task.text("password"),
    }));
    let camera = Object::new("cameras", ids::fresh()).below("hardware", &id).with(json!({
        "name": format!("{model} ({address}) - Camera 1"),
        "enabled": false,
        "createdDate": now,
        "lastModified": now,
        "recordingStorage": default_storage(world, server),
    }));
    world.store.insert(hardware);
    world.store.add_member(ids::ALL_CAMERAS, "cameras", &camera.id);
    world.store.insert(camera);
    Ok(Effected { made: Some(("hardware", id)), ..Effected::default() })
}

/// `ChangeDeviceRecordingStorage{itemSelection, moveData}`.
pub fn change_storage(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let (kind, id) = task.target;
    let hardware = world.store.get(kind, id).and_then(|device| device.parent.clone()).ok_or(GONE)?.1;
    let server = world.store.get("hardware", &hardware).and_then(|hardware| hardware.parent.clone());
    let storage = task.path_id("itemSelection");
    let owner = world.store.get("storages", storage).and_then(|storage| storage.parent.clone());
    if owner.is_none() || owner != server {
        return Err("VMO60277: The storage belongs to another recording server.".to_owned());
    }
    let device = world.store.get_mut(kind, id).ok_or(GONE)?;
    device.set("recordingStorage", json!({ "type": "storages", "id": storage }));
    device.set("lastModified", task.now.wire());
    Ok(Effected::default())
}

fn default_storage(world: &World, server: &str) -> Option<Value> {
    let storages = || world.store.children("storages", server);
    let default = storages().find(|storage| storage.fields.get("isDefault") == Some(&Value::Bool(true)));
    default.or_else(|| storages().next()).map(|storage| json!({ "type": "storages", "id": storage.id }))
}
