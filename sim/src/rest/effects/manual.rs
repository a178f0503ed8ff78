//! Recordings that somebody starts and stops by hand: over REST, or at the recording server itself.

use serde_json::{Value, json};

use super::{GONE, RECORDING};
use crate::{
    rest::{
        show, table,
        tasks::{Effected, Invocation},
    },
    stamp::Stamp,
    world::{Object, World},
};

/// Hidden member: begin and end of each in seconds, without an end while it lasts.
const SPANS: &str = "_manual";
/// The oldest ones are forgotten.
const MOST: usize = 32;

/// `StartRecording`.
pub fn start(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let device = world.store.get_mut(task.target.0, task.target.1).ok_or(GONE)?;
    begin(device, task.now).map(|()| Effected::default())
}

/// `StopRecording`.
pub fn stop(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let device = world.store.get_mut(task.target.0, task.target.1).ok_or(GONE)?;
    finish(device, task.now).map(|()| Effected::default())
}

/// Starts to record, unless it does already.
pub fn begin(device: &mut Object, now: Stamp) -> Result<(), String> {
    let mut spans = stored(device)?;
    if !runs(device, now) {
        spans.push(json!([now.seconds()]));
    }
    write(device, spans);
    Ok(())
}

/// Ends what runs.
pub fn finish(device: &mut Object, now: Stamp) -> Result<(), String> {
    let (mut spans, now) = (stored(device)?, now.seconds());
    if let Some(span) = spans.last_mut().filter(|span| span[1].is_null()) {
        let end = end(device, span).map_or(now, |end| end.min(now));
        *span = json!([span[0], end]);
    }
    write(device, spans);
    Ok(())
}

/// Whether a recording runs that was started by hand.
pub fn runs(device: &Object, now: Stamp) -> bool {
    let last = known(device).last();
    last.is_some_and(|span| end(device, span).is_none_or(|end| end > now.seconds()))
}

/// Begin and end of the recordings of a device that were made by hand; what lasts ends now.
pub fn spans(device: &Object, now: Stamp) -> Vec<(i64, i64)> {
    let now = now.seconds();
    let span = |span: &Value| Some((span[0].as_i64()?, end(device, span).map_or(now, |end| end.min(now))));
    known(device).filter_map(span).collect()
}

fn known(device: &Object) -> impl Iterator<Item = &Value> {
    device.fields.get(SPANS).and_then(Value::as_array).into_iter().flatten()
}

fn stored(device: &Object) -> Result<Vec<Value>, String> {
    if setting(device, "recordingEnabled") != Some(Value::Bool(true)) {
        return Err("Bad request: recording is not enabled on the device".to_owned());
    }
    Ok(known(device).cloned().collect())
}

/// When one ended, or will end by itself.
fn end(device: &Object, span: &Value) -> Option<i64> {
    if let Some(end) = span[1].as_i64() {
        return Some(end);
    }
    let limited = setting(device, "manualRecordingTimeoutEnabled") == Some(Value::Bool(true));
    let minutes = setting(device, "manualRecordingTimeoutMinutes").and_then(|minutes| minutes.as_i64());
    minutes.filter(|_| limited)?.checked_mul(60)?.checked_add(span[0].as_i64()?)
}

fn setting(device: &Object, name: &str) -> Option<Value> {
    let kind = RECORDING.contains(&device.kind).then(|| table::find(device.kind)).flatten()?;
    Some(show::value(kind, device, name))
}

fn write(device: &mut Object, mut spans: Vec<Value>) {
    spans.drain(..spans.len().saturating_sub(MOST));
    device.set(SPANS, spans);
}
