//! Tasks that move cameras: positions, reservations, patrols.

use serde_json::{Map, Value, json};

use super::GONE;
use crate::{
    rest::{
        show, single, table,
        tasks::{Effected, Invocation},
    },
    stamp::Stamp,
    world::{Object, World},
};

/// Hidden members of cameras: where one looks, who reserved it and until when, and the profile it patrols by.
const POSITION: &str = "_position";
const RESERVED: &str = "_reserved";
const PATROL: &str = "_patrol";
/// Auxiliary switches of a camera.
const AUXILIARIES: i64 = 16;

/// `GetPtzAbsolutePosition`.
pub fn position(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let camera = movable(world, task.target.1)?;
    let axis =
        |name: &str| camera.fields.get(POSITION).and_then(|at| at.get(name)).cloned().unwrap_or(json!(0.0));
    let result = ["pan", "tilt", "zoom"].map(|name| (name.to_owned(), axis(name)));
    Ok(Effected { result: Map::from_iter(result), ..Effected::default() })
}

/// `SetPtzAbsolutePosition{pan, tilt, zoom, speed, allowRepeats}`.
pub fn move_to(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let axis = |name: &str, lowest: f64| {
        let value = task.number(name).unwrap_or_default();
        let fits = (lowest..=1.0).contains(&value).then(|| json!(value));
        fits.ok_or_else(|| format!("Bad request: {name} must be from {lowest} to 1"))
    };
    let position =
        json!({ "pan": axis("pan", -1.0)?, "tilt": axis("tilt", -1.0)?, "zoom": axis("zoom", 0.0)? });
    turn(world, task, task.target.1, position)
}

/// `Goto` of a preset.
pub fn go_to(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let preset = world.store.get("ptzPresets", task.target.1).ok_or(GONE)?;
    let axis = |name: &str| preset.fields.get(name).cloned().unwrap_or(json!(0.0));
    let position = json!({ "pan": axis("pan"), "tilt": axis("tilt"), "zoom": axis("zoom") });
    let camera = preset.parent.clone().ok_or(GONE)?.1;
    turn(world, task, &camera, position)
}

/// Moving a camera by hand ends its patrol.
fn turn(world: &mut World, task: &Invocation<'_>, camera: &str, position: Value) -> Result<Effected, String> {
    let camera = free(world, task, camera)?;
    camera.set(POSITION, position);
    camera.fields.shift_remove(PATROL);
    Ok(Effected::default())
}

/// `ReservePTZ`: nobody else moves the camera for a time.
pub fn reserve(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let until = until(world, task)?;
    let camera = free(world, task, task.target.1)?;
    camera.set(RESERVED, json!({ "by": task.caller, "until": until.wire() }));
    Ok(Effected::default())
}

/// `ExtendPTZ`.
pub fn extend(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let camera = movable(world, task.target.1)?;
    if reservation(camera, task.now).is_none_or(|(by, _)| by != task.caller) {
        return Err("Bad request: you have not reserved the camera".to_owned());
    }
    reserve(world, task)
}

/// `ReleasePTZ`.
pub fn release(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    free(world, task, task.target.1)?.fields.shift_remove(RESERVED);
    Ok(Effected::default())
}

/// `GetPTZSessionInfo`.
pub fn session(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let camera = movable(world, task.target.1)?;
    let reserved = reservation(camera, task.now).map(|(by, until)| (by.to_owned(), until.to_owned()));
    let patrol = camera.text(PATROL).to_owned();
    let user =
        reserved.as_ref().and_then(|(by, _)| world.accounts.by_sid(by)).map(|account| account.name.as_str());
    let mut result = Map::new();
    result.insert("reserved".to_owned(), reserved.is_some().into());
    result.insert("userName".to_owned(), user.unwrap_or_default().into());
    result.insert("reservedUntil".to_owned(), reserved.map(|(_, until)| until).unwrap_or_default().into());
    result.insert("patrollingProfileId".to_owned(), patrol.into());
    Ok(Effected { result, ..Effected::default() })
}

/// `PTZStartPatrolling{itemSelection}`.
pub fn start_patrol(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let profile = task.path_id("itemSelection");
    let of = world.store.get("patrollingProfiles", profile).and_then(|profile| profile.parent.clone());
    if of.is_none_or(|(_, camera)| camera != task.target.1) {
        return Err("Bad request: the patrolling profile belongs to another camera".to_owned());
    }
    free(world, task, task.target.1)?.set(PATROL, profile);
    Ok(Effected::default())
}

/// `PTZStopPatrolling`.
pub fn stop_patrol(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    free(world, task, task.target.1)?.fields.shift_remove(PATROL);
    Ok(Effected::default())
}

/// `AuxOn{auxNumber}` and `AuxOff{auxNumber}`.
pub fn auxiliary(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    movable(world, task.target.1)?;
    let number = task.parameters.get("auxNumber").and_then(Value::as_i64).unwrap_or_default();
    if !(1..=AUXILIARIES).contains(&number) {
        return Err(format!("Bad request: auxNumber must be from 1 to {AUXILIARIES}"));
    }
    Ok(Effected::default())
}

/// Whether a camera moves at all.
pub fn is_ptz(camera: &Object) -> bool {
    camera.fields.get("ptzEnabled") == Some(&Value::Bool(true))
}

/// A camera that moves.
pub fn movable<'w>(world: &'w World, id: &str) -> Result<&'w Object, String> {
    let camera = world.store.get("cameras", id).ok_or(GONE)?;
    if is_ptz(camera) { Ok(camera) } else { Err("Bad request: PTZ is not enabled on the camera".to_owned()) }
}

/// A camera that moves and that nobody else has reserved.
fn free<'w>(world: &'w mut World, task: &Invocation<'_>, id: &str) -> Result<&'w mut Object, String> {
    let camera = movable(world, id)?;
    if reservation(camera, task.now).is_some_and(|(by, _)| by != task.caller) {
        return Err("Bad request: the camera is reserved by someone else".to_owned());
    }
    world.store.get_mut("cameras", id).ok_or_else(|| GONE.to_owned())
}

/// Who reserved a camera, and until when.
fn reservation(camera: &Object, now: Stamp) -> Option<(&str, &str)> {
    let reserved = camera.fields.get(RESERVED)?;
    let part = |name: &str| reserved.get(name).and_then(Value::as_str);
    let (by, until) = part("by").zip(part("until"))?;
    (now.wire().as_str() < until).then_some((by, until))
}

/// When a reservation that starts now ends: the camera's own settings say how long it lasts.
fn until(world: &World, task: &Invocation<'_>) -> Result<Stamp, String> {
    let kind = table::find("settings").ok_or(GONE)?;
    let settings = single::find(world, kind, task.target.1).ok_or(GONE)?;
    let timeouts = show::value(kind, &settings, "ptzSessionTimeouts");
    let seconds = timeouts.get("reservedPTZTimeout").and_then(Value::as_i64).unwrap_or_default();
    Ok(task.now.plus_millis(seconds.saturating_mul(1000)))
}
