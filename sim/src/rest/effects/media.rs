//! Tasks on recordings: where a device records to, and where older recordings of it are.

use serde_json::{Map, Value, json};

use super::{GONE, RECORDING, reply};
use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World},
};

/// Ids of storages that hold recordings of a device besides the one it records to.
const ELSEWHERE: &str = "_recordings";

/// What becomes of recordings when a device gets another storage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// They stay where they are.
    Stays,
    /// They are moved too.
    Moves,
}

/// The storage that new devices of a server record to.
pub fn default_storage(world: &World, server: &str) -> Option<Value> {
    let storages = || world.store.children("storages", server);
    let default = storages().find(|storage| storage.fields.get("isDefault") == Some(&Value::Bool(true)));
    default.or_else(|| storages().next()).map(|storage| json!({ "type": "storages", "id": storage.id }))
}

/// Lets a device record to another storage.
pub fn record_to(device: &mut Object, storage: &Value, old: Old) {
    let mut elsewhere = elsewhere(device);
    let before =
        device.fields.get("recordingStorage").and_then(|storage| storage.get("id")).and_then(Value::as_str);
    if let Some(before) = before.filter(|_| old == Old::Stays) {
        elsewhere.push(before.to_owned());
    }
    elsewhere.retain(|id| Some(id.as_str()) != storage.get("id").and_then(Value::as_str));
    device.set(ELSEWHERE, elsewhere);
    device.set("recordingStorage", storage.clone());
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
    let old =
        if task.parameters.get("moveData") == Some(&Value::Bool(true)) { Old::Moves } else { Old::Stays };
    let device = world.store.get_mut(kind, id).ok_or(GONE)?;
    record_to(device, &json!({ "type": "storages", "id": storage }), old);
    device.set("lastModified", task.now.wire());
    Ok(Effected::default())
}

/// `GetOtherRecordingStoragesWithMedia`.
pub fn other_storages(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let device = world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    let there = elsewhere(device).into_iter().filter(|id| storage_server(world, id).is_some());
    let storages = there.map(|id| json!({ "type": "storages", "id": id }));
    Ok(reply("storages", storages.collect::<Value>()))
}

/// `GetOtherRecordingServersWithMedia`.
pub fn other_servers(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let device = world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    let own = server_of(world, device);
    let mut servers: Vec<String> =
        elsewhere(device).iter().filter_map(|id| storage_server(world, id)).collect();
    servers.retain(|server| Some(server) != own.as_ref());
    servers.sort();
    servers.dedup();
    let servers = servers.into_iter().map(|id| json!({ "type": "recordingServers", "id": id }));
    Ok(reply("recordingServers", servers.collect::<Value>()))
}

/// `GetOtherDevicesWithMediaOnRecorder`: devices that left recordings behind.
pub fn other_devices(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let here = |id: &String| storage_server(world, id).as_deref() == Some(task.target.1);
    let devices = RECORDING.into_iter().flat_map(|kind| world.store.all(kind));
    let left = devices.filter(|device| {
        server_of(world, device).as_deref() != Some(task.target.1) && elsewhere(device).iter().any(here)
    });
    Ok(reply(
        "devices",
        left.map(|device| json!({ "type": device.kind, "id": device.id })).collect::<Value>(),
    ))
}

/// `TruncateStorage{itemSelection}`: recordings in another storage are deleted.
pub fn truncate_storage(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let storage = task.path_id("itemSelection").to_owned();
    truncate(world, task, &[storage])
}

/// `TruncateStorageOnOtherRecordingServer{itemSelection}`.
pub fn truncate_server(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let server = task.path_id("itemSelection");
    let storages: Vec<String> =
        world.store.children("storages", server).map(|storage| storage.id.clone()).collect();
    truncate(world, task, &storages)
}

fn truncate(world: &mut World, task: &Invocation<'_>, storages: &[String]) -> Result<Effected, String> {
    let device = world.store.get_mut(task.target.0, task.target.1).ok_or(GONE)?;
    let mut left = elsewhere(device);
    let before = left.len();
    left.retain(|id| !storages.contains(id));
    if left.len() == before {
        return Err("VMO60277: The device has no other recordings there.".to_owned());
    }
    device.set(ELSEWHERE, left);
    Ok(Effected::default())
}

/// `RetrieveEdgeStorage{startTime, endTime}`.
pub fn retrieve_edge(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let device = world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    if device.fields.get("edgeStorageEnabled") != Some(&Value::Bool(true)) {
        return Err("VMO60277: Edge storage is not enabled on the device.".to_owned());
    }
    if task.text("startTime") >= task.text("endTime") {
        return Err("VMO60277: The end must be later than the start.".to_owned());
    }
    Ok(Effected::default())
}

fn elsewhere(device: &Object) -> Vec<String> {
    let list = device.fields.get(ELSEWHERE).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn server_of(world: &World, device: &Object) -> Option<String> {
    let (kind, hardware) = device.parent.as_ref()?;
    world.store.get(kind, hardware)?.parent.as_ref().map(|(_, server)| server.clone())
}

fn storage_server(world: &World, id: &str) -> Option<String> {
    world.store.get("storages", id)?.parent.as_ref().map(|(_, server)| server.clone())
}

/// `GetDevicesUsingStorage`.
pub fn using_storage(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let uses = |object: &&Object| {
        let storage = object.fields.get("recordingStorage").and_then(|storage| storage.get("id"));
        storage.and_then(Value::as_str) == Some(task.target.1)
    };
    let devices = RECORDING.into_iter().flat_map(|kind| world.store.all(kind));
    let list = devices.filter(uses).map(|object| json!({ "type": object.kind, "id": object.id })).collect();
    Ok(Effected { result: Map::from_iter([("devices".to_owned(), list)]), ..Effected::default() })
}
