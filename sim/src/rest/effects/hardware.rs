//! Tasks on hardware.

use serde_json::{Map, Value, json};

use super::{DEVICES, GONE, RECORDING, SECRET, media};
use crate::{
    rest::{
        facts, single, table,
        tasks::{Effected, Invocation},
    },
    world::{Object, World, ids},
};

/// Password of seeded hardware.
const FACTORY_PASSWORD: &str = "camera-password";
/// Cameras on an encoder; other hardware carries one.
const CHANNELS: usize = 4;

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
    let driver = hardware.fields.get("hardwareDriverPath").and_then(|path| path.get("id"));
    let number = driver
        .and_then(Value::as_str)
        .and_then(|id| world.store.get("hardwareDrivers", id))
        .and_then(|driver| driver.fields.get("number").cloned());
    let driver = world
        .store
        .children("hardwareDrivers", server)
        .find(|driver| driver.fields.get("number") == number.as_ref())
        .map(|driver| json!({ "type": "hardwareDrivers", "id": driver.id }));
    let storage = media::default_storage(world, server);
    world.store.reparent("hardware", task.target.1, "recordingServers", server);
    if let Some(hardware) = world.store.get_mut("hardware", task.target.1) {
        hardware.set("lastModified", task.now.wire());
        if let Some(driver) = driver {
            hardware.set("hardwareDriverPath", driver);
        }
    }
    for kind in RECORDING {
        let devices: Vec<String> =
            world.store.children(kind, task.target.1).map(|device| device.id.clone()).collect();
        for device in devices {
            if let (Some(device), Some(storage)) = (world.store.get_mut(kind, &device), &storage) {
                media::record_to(device, storage, media::Old::Stays);
            }
        }
    }
    Ok(Effected::default())
}

/// `ReplaceHardware`: other hardware takes the place of this one; the devices and their recordings stay.
pub fn replace(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let id = task.target.1;
    let server = world.store.get("hardware", id).and_then(|hardware| hardware.parent.clone()).ok_or(GONE)?.1;
    let model = driver_of(world, task, &server)?;
    free_address(world, task.text("hardwareAddress"), Some(id))?;
    let hardware = world.store.get_mut("hardware", id).ok_or(GONE)?;
    describe(hardware, task, &model);
    hardware.set(facts::MAC, facts::mac_at(task.text("hardwareAddress")));
    // What somebody set was about the old device.
    world.store.remove("hardwareDriverSettings", id);
    Ok(Effected::default())
}

/// `UpdateFirmwareHardware`: the version counts up.
pub fn update_firmware(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let id = task.target.1;
    let kind = table::find("hardwareDriverSettings").ok_or(GONE)?;
    single::keep(world, kind, id);
    let settings = world.store.get_mut(kind.name(), id).ok_or(GONE)?;
    let version = settings.text("firmwareVersion").to_owned();
    let (line, patch) = version.rsplit_once('.').unwrap_or((&version, "0"));
    let next = patch.parse::<u32>().unwrap_or(0).saturating_add(1);
    settings.set("firmwareVersion", format!("{line}.{next}"));
    Ok(Effected::default())
}

/// `AddHardware`: the new hardware and its devices start disabled (sheet 8.21).
pub fn add(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let server = task.target.1;
    world.store.get("recordingServers", server).ok_or(GONE)?;
    let model = driver_of(world, task, server)?;
    free_address(world, task.text("hardwareAddress"), None)?;
    let id = ids::fresh();
    let mut hardware = Object::new("hardware", id.clone())
        .below("recordingServers", server)
        .with(json!({ "name": format!("{model} ({})", task.text("hardwareAddress")), "enabled": false }));
    describe(&mut hardware, task, &model);
    world.store.insert(hardware);
    for (kind, group, name) in DEVICES {
        let count = if kind == "cameras" && model.starts_with("Universal") { CHANNELS } else { 1 };
        for channel in 0..count {
            let mut device = Object::new(kind, ids::fresh()).below("hardware", &id).with(json!({
                "name": format!("{model} ({}) - {name} {}", task.text("hardwareAddress"), channel + 1),
                "channel": channel,
                "enabled": false,
                "createdDate": task.now.wire(),
                "lastModified": task.now.wire(),
            }));
            if let Some(storage) = media::default_storage(world, server).filter(|_| RECORDING.contains(&kind))
            {
                device.set("recordingStorage", storage);
            }
            if let Some(group) = everyone(world, group) {
                world.store.add_member(&group, kind, &device.id);
            }
            world.store.insert(device);
        }
    }
    Ok(Effected { made: Some(("hardware", id)), ..Effected::default() })
}

/// The built-in group of a type of devices.
fn everyone(world: &World, group: &str) -> Option<String> {
    world.store.all(group).find(|group| group.built_in).map(|group| group.id.clone())
}

/// The model that the driver named in a task stands for, if the server has that driver.
fn driver_of(world: &World, task: &Invocation<'_>, server: &str) -> Result<String, String> {
    let driver = world.store.get("hardwareDrivers", task.path_id("hardwareDriverPath"));
    driver
        .filter(|driver| driver.parent.as_ref().is_some_and(|(_, parent)| parent == server))
        .map(|driver| driver.text("name").to_owned())
        .ok_or_else(|| "VMO60277: The driver does not belong to the recording server.".to_owned())
}

fn free_address(world: &World, address: &str, except: Option<&str>) -> Result<(), String> {
    let mut others = world.store.all("hardware").filter(|hardware| Some(hardware.id.as_str()) != except);
    if others.any(|hardware| hardware.text("address") == address) {
        return Err("VMO60277: The address is already in use.".to_owned());
    }
    Ok(())
}

/// Writes what a task says about hardware.
fn describe(hardware: &mut Object, task: &Invocation<'_>, model: &str) {
    let now = task.now.wire();
    let driver = json!({ "type": "hardwareDrivers", "id": task.path_id("hardwareDriverPath") });
    hardware.set("address", task.text("hardwareAddress"));
    hardware.set("model", model);
    hardware.set("userName", task.text("userName"));
    hardware.set("hardwareDriverPath", driver);
    hardware.set("lastModified", now.clone());
    hardware.set("passwordLastModified", now);
    hardware.set(SECRET, task.text("password"));
}
