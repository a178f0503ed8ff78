//! Tasks on outputs.

use serde_json::Value;

use super::{GONE, reply};
use crate::{
    rest::{
        show, single, table,
        tasks::{Effected, Invocation},
    },
    world::World,
};

/// Hidden members: whether the output is on, and until when it is on anyway.
const ACTIVE: &str = "_active";
const PULSE: &str = "_pulse";

/// `Activate`.
pub fn activate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    set(world, task, true)
}

/// `Deactivate`.
pub fn deactivate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    set(world, task, false)
}

/// `Trigger`: on for the time that its settings say, and off afterwards.
pub fn trigger(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let kind = table::find("settings").ok_or(GONE)?;
    let settings = single::find(world, kind, task.target.1).ok_or(GONE)?;
    let seconds = show::value(kind, &settings, "generalSettings")[0]["outputTriggerTime"].as_i64();
    let end = task.now.plus_millis(seconds.unwrap_or_default().saturating_mul(1000));
    set(world, task, false)?;
    world.store.get_mut("outputs", task.target.1).ok_or(GONE)?.set(PULSE, end.wire());
    Ok(Effected::default())
}

/// `GetState`.
pub fn state(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let output = world.store.get("outputs", task.target.1).ok_or(GONE)?;
    let active = output.fields.get(ACTIVE) == Some(&Value::Bool(true))
        || task.now.wire().as_str() < output.text(PULSE);
    Ok(reply("outputState", if active { "Activated" } else { "Deactivated" }))
}

fn set(world: &mut World, task: &Invocation<'_>, active: bool) -> Result<Effected, String> {
    let output = world.store.get_mut("outputs", task.target.1).ok_or(GONE)?;
    output.set(ACTIVE, active);
    output.set(PULSE, "");
    Ok(Effected::default())
}
