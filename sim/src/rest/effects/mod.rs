//! What tasks do.

pub mod hardware;
mod jpeg;
pub mod licences;
pub mod live;
pub mod manual;
pub mod media;
pub mod outputs;
pub mod plates;
pub mod plugins;
pub mod presets;
pub mod ptz;
pub mod recorders;
pub mod roles;
pub mod searches;
pub mod security;
pub mod sequences;
pub mod site;
pub mod storages;
pub mod streams;
pub mod times;
pub mod users;
pub mod views;
pub mod walls;

use serde_json::{Map, Value};

use super::tasks::{Effected, Invocation};
use crate::world::World;

/// The types of devices, their groups, and what one of them is called.
const DEVICES: [(&str, &str, &str); 6] = [
    ("cameras", "cameraGroups", "Camera"),
    ("microphones", "microphoneGroups", "Microphone"),
    ("speakers", "speakerGroups", "Speaker"),
    ("metadata", "metadataGroups", "Metadata"),
    ("inputEvents", "inputEventGroups", "Input"),
    ("outputs", "outputGroups", "Output"),
];
/// Those that are recorded.
const RECORDING: [&str; 4] = ["cameras", "microphones", "speakers", "metadata"];
const GONE: &str = "VMO60277: The object no longer exists.";
/// Object members outside of the type's fields are kept but never shown; this one is a password.
const SECRET: &str = "_password";

impl Invocation<'_> {
    /// A text parameter; parameters have been checked, so an empty one was not asked for.
    fn text(&self, name: &str) -> &str {
        self.parameters.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A number parameter.
    fn number(&self, name: &str) -> Option<f64> {
        self.parameters.get(name).and_then(Value::as_f64)
    }

    /// The id in a parameter of the form `type/id`.
    fn path_id(&self, name: &str) -> &str {
        self.text(name).split_once('/').map_or("", |(_, id)| id)
    }
}

/// `Activate`: two types have a task of that name.
pub fn activate(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    match task.target.0 {
        "videoWallPresets" => walls::activate(world, task),
        _ => outputs::activate(world, task),
    }
}

/// A task that only tells something.
fn reply(name: &str, value: impl Into<Value>) -> Effected {
    Effected { result: Map::from_iter([(name.to_owned(), value.into())]), ..Effected::default() }
}
