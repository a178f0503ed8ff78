//! Tasks on outputs.

use serde_json::Value;

use super::{GONE, reply};
use crate::{
    rest::tasks::{Effected, Invocation},
    world::World,
};

/// Hidden member: whether the output is on.
const ACTIVE: &str = "_active";

/// `Activate`.
pub fn activate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    set(world, task, true)
}

/// `Deactivate`.
pub fn deactivate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    set(world, task, false)
}

/// `Trigger`: on for a moment, so off afterwards.
pub fn trigger(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    set(world, task, false)
}

/// `GetState`.
pub fn state(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let output = world.store.get("outputs", task.target.1).ok_or(GONE)?;
    let active = output.fields.get(ACTIVE) == Some(&Value::Bool(true));
    Ok(reply("outputState", if active { "Activated" } else { "Deactivated" }))
}

fn set(world: &mut World, task: &Invocation<'_>, active: bool) -> Result<Effected, String> {
    world.store.get_mut("outputs", task.target.1).ok_or(GONE)?.set(ACTIVE, active);
    Ok(Effected::default())
}
