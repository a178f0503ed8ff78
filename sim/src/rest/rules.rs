//! What the fields of an object must have in common: rules that the notation of the table cannot say.

use serde_json::Value;
use uuid::Uuid;

use super::{RestError, effects::ptz, show, table::Type};
use crate::world::{Object, World};

/// Checks an object before it is stored.
pub fn check(world: &World, kind: &Type, object: &Object) -> Result<(), RestError> {
    let value = |name: &str| show::value(kind, object, name);
    match kind.name() {
        "cameras" | "microphones" | "speakers" | "metadata" => storage(world, object),
        "hardware" => hardware(world, object),
        "storages" | "archiveStorages" => {
            at_least(1, "maxSize", &value).and_then(|()| at_least(1, "retainMinutes", &value))
        }
        "recordingServerMulticasts" => {
            if value("portRangeStart").as_i64() > value("portRangeEnd").as_i64() {
                return Err(RestError::property("portRangeEnd", "it must not be below the start"));
            }
            Ok(())
        }
        "streams" => {
            only_one(&value("stream"), "liveDefault")?;
            only_one(&value("stream"), "defaultPlayback")
        }
        "ptzPresets" => {
            camera(world, object)?;
            [("pan", -1.0), ("tilt", -1.0), ("zoom", 0.0)].into_iter().try_for_each(|(axis, lowest)| {
                let fits = value(axis).as_f64().is_some_and(|value| (lowest..=1.0).contains(&value));
                if fits {
                    Ok(())
                } else {
                    Err(RestError::property(axis, format!("from {lowest} to 1 was expected")))
                }
            })
        }
        "patrollingProfiles" => {
            camera(world, object)?;
            let entries = value("patrollingEntry");
            let entries = entries.as_array().into_iter().flatten();
            entries
                .map(|entry| &entry["presetId"])
                .try_for_each(|id| preset(world, object, "presetId", id))?;
            match value("endPresetId") {
                nowhere if nowhere == Uuid::nil().to_string() || nowhere == "" => Ok(()),
                id => preset(world, object, "endPresetId", &id),
            }
        }
        _ => Ok(()),
    }
}

/// A profile names presets of its own camera.
fn preset(world: &World, profile: &Object, property: &str, id: &Value) -> Result<(), RestError> {
    let preset = id.as_str().and_then(|id| world.store.get("ptzPresets", id));
    if preset.is_some_and(|preset| preset.parent == profile.parent) {
        Ok(())
    } else {
        Err(RestError::property(property, "a preset of the camera was expected"))
    }
}

/// A device records to a storage of its own recording server.
fn storage(world: &World, device: &Object) -> Result<(), RestError> {
    let id =
        device.fields.get("recordingStorage").and_then(|storage| storage.get("id")).and_then(Value::as_str);
    let storage = id.and_then(|id| world.store.get("storages", id));
    let hardware = device.parent.as_ref().and_then(|(kind, id)| world.store.get(kind, id));
    match (storage, hardware) {
        (Some(storage), Some(hardware)) if storage.parent != hardware.parent => Err(RestError::property(
            "recordingStorage",
            "a storage of the same recording server was expected",
        )),
        _ => Ok(()),
    }
}

/// Hardware speaks with a driver of its own recording server, at an address that no other hardware has.
fn hardware(world: &World, hardware: &Object) -> Result<(), RestError> {
    let driver =
        hardware.fields.get("hardwareDriverPath").and_then(|path| path.get("id")).and_then(Value::as_str);
    let driver = driver.and_then(|id| world.store.get("hardwareDrivers", id));
    if driver.is_some_and(|driver| driver.parent != hardware.parent) {
        return Err(RestError::property(
            "hardwareDriverPath",
            "a driver of the same recording server was expected",
        ));
    }
    let address = hardware.text("address");
    let other = |other: &Object| other.id != hardware.id && other.text("address") == address;
    if world.store.all("hardware").any(other) {
        return Err(RestError::property("address", "the address is in use"));
    }
    Ok(())
}

/// Presets and profiles are for cameras that move.
fn camera(world: &World, object: &Object) -> Result<(), RestError> {
    let camera = object.parent.as_ref().and_then(|(kind, id)| world.store.get(kind, id));
    match camera {
        Some(camera) if !ptz::is_ptz(camera) => {
            Err(RestError::bad(format!("Bad request: PTZ is not enabled on cameras/{}", camera.id)))
        }
        _ => Ok(()),
    }
}

fn at_least(lowest: i64, name: &str, value: &dyn Fn(&str) -> Value) -> Result<(), RestError> {
    if value(name).as_i64().is_some_and(|value| value < lowest) {
        return Err(RestError::property(name, format!("at least {lowest} was expected")));
    }
    Ok(())
}

/// Exactly one stream is what clients get unless they ask for another.
fn only_one(streams: &Value, name: &'static str) -> Result<(), RestError> {
    let marked = |stream: &&Value| stream.get(name) == Some(&Value::Bool(true));
    if streams.as_array().is_some_and(|streams| streams.iter().filter(marked).count() != 1) {
        return Err(RestError::property(name, "exactly one stream must have it"));
    }
    Ok(())
}
