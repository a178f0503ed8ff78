//! Recordings that somebody starts and stops by hand.

use serde_json::{Value, json};

use super::{GONE, RECORDING};
use crate::{
    rest::{
        show, table,
        tasks::{Effected, Invocation},
    },
    world::{Object, World},
};

/// Hidden member: begin and end of each in seconds, without an end while it lasts.
const SPANS: &str = "_manual";
/// The oldest ones are forgotten.
const MOST: usize = 32;

/// `StartRecording`: starts nothing that runs already.
pub fn start(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let (mut spans, now) = (stored(world, task)?, task.now.seconds());
    if spans.last().is_none_or(|span| end(world, task, span).is_some_and(|end| end <= now)) {
        spans.push(json!([now]));
    }
    write(world, task, spans)
}

/// `StopRecording`.
pub fn stop(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let (mut spans, now) = (stored(world, task)?, task.now.seconds());
    if let Some(span) = spans.last_mut().filter(|span| span[1].is_null()) {
        let end = end(world, task, span).map_or(now, |end| end.min(now));
        *span = json!([span[0], end]);
    }
    write(world, task, spans)
}

/// Begin and end of the recordings of a device that were made by hand; what lasts ends now.
pub fn spans(world: &World, task: &Invocation<'_>) -> Vec<(i64, i64)> {
    let Some(device) = world.store.get(task.target.0, task.target.1) else { return Vec::new() };
    let now = task.now.seconds();
    let known = device.fields.get(SPANS).and_then(Value::as_array).into_iter().flatten();
    let span =
        |span: &Value| Some((span[0].as_i64()?, end(world, task, span).map_or(now, |end| end.min(now))));
    known.filter_map(span).collect()
}

fn stored(world: &World, task: &Invocation<'_>) -> Result<Vec<Value>, String> {
    let device = world.store.get(task.target.0, task.target.1).ok_or(GONE)?;
    if setting(device, "recordingEnabled") != Some(Value::Bool(true)) {
        return Err("Bad request: recording is not enabled on the device".to_owned());
    }
    Ok(device.fields.get(SPANS).and_then(Value::as_array).cloned().unwrap_or_default())
}

/// When one ended, or will end by itself.
fn end(world: &World, task: &Invocation<'_>, span: &Value) -> Option<i64> {
    if let Some(end) = span[1].as_i64() {
        return Some(end);
    }
    let device = world.store.get(task.target.0, task.target.1)?;
    let limited = setting(device, "manualRecordingTimeoutEnabled") == Some(Value::Bool(true));
    let minutes = setting(device, "manualRecordingTimeoutMinutes").and_then(|minutes| minutes.as_i64());
    minutes.filter(|_| limited)?.checked_mul(60)?.checked_add(span[0].as_i64()?)
}

fn setting(device: &Object, name: &str) -> Option<Value> {
    let kind = RECORDING.contains(&device.kind).then(|| table::find(device.kind)).flatten()?;
    Some(show::value(kind, device, name))
}

fn write(world: &mut World, task: &Invocation<'_>, mut spans: Vec<Value>) -> Result<Effected, String> {
    spans.drain(..spans.len().saturating_sub(MOST));
    world.store.get_mut(task.target.0, task.target.1).ok_or(GONE)?.set(SPANS, spans);
    Ok(Effected::default())
}
