//! Tasks on PTZ presets and patrolling profiles.

use serde_json::{Value, json};

use super::{GONE, ptz};
use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World, ids},
};

/// Presets that the simulated devices know: their own id, pan, tilt and zoom.
const ON_DEVICE: [(&str, f64, f64, f64); 3] =
    [("1", 0.0, 0.0, 0.0), ("2", -0.5, 0.1, 0.2), ("3", 0.5, -0.1, 0.4)];

/// `DefaultPtzPreset{itemSelection}`: the others of the camera stop being it.
pub fn set_default(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let wanted = task.path_id("itemSelection");
    let presets: Vec<String> =
        world.store.children("ptzPresets", task.target.1).map(|p| p.id.clone()).collect();
    if !presets.iter().any(|id| id == wanted) {
        return Err("Bad request: the preset belongs to another camera".to_owned());
    }
    for id in presets {
        if let Some(preset) = world.store.get_mut("ptzPresets", &id) {
            preset.set("defaultPreset", id == wanted);
        }
    }
    Ok(Effected::default())
}

/// `GetDevicePresets{sessionDataId}`: takes over what the device itself knows.
pub fn from_device(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let camera = ptz::movable(world, task.target.1)?;
    let (camera, physical) = (camera.id.clone(), camera.physical);
    for (internal, pan, tilt, zoom) in ON_DEVICE {
        let is_it = |preset: &Object| preset.text("devicePresetInternalId") == internal;
        if world.store.children("ptzPresets", &camera).any(is_it) {
            continue;
        }
        let mut preset = Object::new("ptzPresets", ids::fresh()).below("cameras", &camera).with(json!({
            "name": format!("Device preset {internal}"),
            "devicePreset": true,
            "devicePresetInternalId": internal,
            "pan": pan,
            "tilt": tilt,
            "zoom": zoom,
        }));
        preset.physical = physical;
        world.store.insert(preset);
    }
    Ok(Effected::default())
}

/// `AddPatrollingEntry{presetId, order, waitTime}`: at its place in the order.
pub fn add_entry(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let profile = world.store.get("patrollingProfiles", task.target.1).ok_or(GONE)?;
    let preset = world.store.get("ptzPresets", task.text("presetId"));
    if preset.is_none_or(|preset| preset.parent != profile.parent) {
        return Err("Bad request: the preset belongs to another camera".to_owned());
    }
    let mut entries = entries(profile);
    entries.push(json!({
        "order": task.parameters.get("order"),
        "presetId": task.text("presetId"),
        "waitTime": task.parameters.get("waitTime"),
    }));
    entries.sort_by_key(order);
    write(world, task, entries)
}

/// `RemovePatrollingEntry{order}`.
pub fn remove_entry(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let profile = world.store.get("patrollingProfiles", task.target.1).ok_or(GONE)?;
    let mut entries = entries(profile);
    let before = entries.len();
    entries.retain(|entry| Some(&entry["order"]) != task.parameters.get("order"));
    if entries.len() == before {
        return Err("Bad request: the profile has no entry of that order".to_owned());
    }
    write(world, task, entries)
}

fn entries(profile: &Object) -> Vec<Value> {
    profile.fields.get("patrollingEntry").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn order(entry: &Value) -> i64 {
    entry.get("order").and_then(Value::as_i64).unwrap_or_default()
}

fn write(world: &mut World, task: &Invocation<'_>, entries: Vec<Value>) -> Result<Effected, String> {
    world.store.get_mut("patrollingProfiles", task.target.1).ok_or(GONE)?.set("patrollingEntry", entries);
    Ok(Effected::default())
}
