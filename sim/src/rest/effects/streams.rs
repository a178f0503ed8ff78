//! Tasks on the streams of a camera.

use serde_json::{Value, json};

use super::{GONE, reply};
use crate::{
    rest::{
        show, single, table,
        tasks::{Effected, Invocation},
    },
    world::{World, ids},
};

/// Streams that a device delivers.
const MOST: usize = 16;

/// `AddStream{name}`.
pub fn add(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let mut streams = streams(world, task)?;
    if streams.len() >= MOST {
        return Err("Bad request: the device has no more streams".to_owned());
    }
    let name = match task.text("name") {
        "" => format!("Video stream {}", streams.len() + 1),
        name => name.to_owned(),
    };
    let id = ids::fresh();
    streams.push(json!({
        "name": name,
        "streamReferenceId": id,
        "defaultPlayback": false,
        "liveDefault": false,
    }));
    write(world, task, streams)?;
    Ok(reply("streamReferenceId", id))
}

/// `RemoveStream{streamReferenceId}`: the default ones stay.
pub fn remove(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let mut streams = streams(world, task)?;
    let is = |stream: &Value| stream.get("streamReferenceId") == task.parameters.get("streamReferenceId");
    let Some(place) = streams.iter().position(is) else {
        return Err("Bad request: the camera has no such stream".to_owned());
    };
    let stream = streams.remove(place);
    if ["defaultPlayback", "liveDefault"].iter().any(|name| stream.get(name) == Some(&Value::Bool(true))) {
        return Err("Bad request: the stream is the default for live or playback".to_owned());
    }
    write(world, task, streams)?;
    Ok(Effected::default())
}

fn streams(world: &World, task: &Invocation<'_>) -> Result<Vec<Value>, String> {
    let kind = table::find("streams").ok_or(GONE)?;
    let object = single::find(world, kind, task.target.1).ok_or(GONE)?;
    Ok(show::value(kind, &object, "stream").as_array().cloned().unwrap_or_default())
}

fn write(world: &mut World, task: &Invocation<'_>, streams: Vec<Value>) -> Result<(), String> {
    let kind = table::find("streams").ok_or(GONE)?;
    single::keep(world, kind, task.target.1);
    world.store.get_mut(kind.name(), task.target.1).ok_or(GONE)?.set("stream", streams);
    Ok(())
}
