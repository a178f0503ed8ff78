//! Tasks that a device itself carries out: a recording server cannot reach one that is disabled (sheet 3.4).

use crate::{
    rest::RestError,
    world::{Object, World},
};

const TALKS: [&str; 16] = [
    "GetPtzAbsolutePosition",
    "SetPtzAbsolutePosition",
    "JpegGetLive",
    "SendDriverCommand",
    "StartRecording",
    "StopRecording",
    "PTZStartPatrolling",
    "PTZStopPatrolling",
    "AuxOn",
    "AuxOff",
    "Goto",
    "GetDevicePresets",
    "Trigger",
    "Activate",
    "Deactivate",
    "GetState",
];

/// Refuses a task that a device would have to carry out which is off.
pub fn check(world: &World, target: (&str, &str), task: &str) -> Result<(), RestError> {
    if !TALKS.contains(&task) {
        return Ok(());
    }
    let mut next = world.store.get(target.0, target.1);
    while let Some(object) = next {
        if is_off(object) {
            return Err(RestError::unreachable(object.kind, &object.id));
        }
        next = object.parent.as_ref().and_then(|(kind, id)| world.store.get(kind, id));
    }
    Ok(())
}

/// Whether somebody has switched it off; what has no switch is on.
fn is_off(object: &Object) -> bool {
    object.fields.get("enabled") == Some(&false.into())
}
