//! `GET /alarmStatistics`: how many alarms the caller sees in each state [I: shape].

use serde_json::{Value, json};

use super::{Context, handling, lock};
use crate::{
    rest::{Answer, Outcome},
    world::Object,
};

/// Counts them.
pub fn get(context: &Context<'_>) -> Outcome {
    let world = context.world();
    let alarms = lock(&context.server.alarms);
    let row = |state: &Object| {
        let same = alarms.newest().filter(|alarm| alarm.state() == state.id);
        json!({
            "id": state.id,
            "name": state.text("name"),
            "level": state.fields.get("level"),
            "count": same.filter(|alarm| handling::sees(context, &world, alarm)).count(),
        })
    };
    let states = world.store.all("alarmStates");
    let states = states.filter(|state| crate::rights::sees(&world, context.call.caller.role, state));
    let array: Vec<Value> = states.map(row).collect();
    Ok(Answer::ok(json!({ "array": array })))
}
