//! The configuration as SOAP shows it (sheet 2.8, GetConfiguration): what the caller may see, nothing else.

pub mod devices;
pub mod groups;
pub mod recorders;
mod security;
pub mod site;

use serde_json::Value;

use super::Call;
use crate::{
    identity::Caller,
    rest::{show, table},
    rights,
    settings::Settings,
    world::{Object, World},
};

/// The objects with one caller's eyes.
pub struct Reader<'a> {
    world: &'a World,
    caller: &'a Caller,
    settings: &'a Settings,
}

impl<'a> Reader<'a> {
    /// The eyes of who calls.
    pub(super) fn new(world: &'a World, call: &'a Call<'_>) -> Self {
        Self { world, caller: &call.caller, settings: call.desk.instance.settings }
    }

    /// Visible, enabled objects of a type.
    pub fn all(&self, kind: &'static str) -> impl Iterator<Item = &'a Object> {
        self.world.store.all(kind).filter(|object| self.shows(object))
    }

    /// Visible, enabled objects of a type below another one.
    fn children(&self, kind: &'static str, parent: &str) -> impl Iterator<Item = &'a Object> {
        self.world.store.children(kind, parent).filter(|object| self.shows(object))
    }

    fn sees(&self, object: &Object) -> bool {
        rights::sees(self.world, self.caller.role, object)
    }

    /// Visible and enabled; a device also needs hardware that is.
    fn shows(&self, object: &Object) -> bool {
        self.sees(object) && self.works(object)
    }

    fn works(&self, object: &Object) -> bool {
        let hardware = object.parent.as_ref().filter(|(kind, _)| *kind == "hardware");
        let hardware = hardware.and_then(|(kind, id)| self.world.store.get(kind, id));
        enabled(object) && hardware.is_none_or(enabled)
    }

    /// What the caller may do with an object.
    fn mask(&self, object: &Object) -> u32 {
        rights::mask(self.world, self.caller.role, Some(object))
    }
}

/// Whether it is switched on. What cannot be switched off is on.
fn enabled(object: &Object) -> bool {
    field(object, "enabled") != Value::Bool(false)
}

/// The value of a field, its default if the object has none.
fn field(object: &Object, name: &str) -> Value {
    table::find(object.kind).map_or(Value::Null, |kind| show::value(kind, object, name))
}

/// A field as text, empty if there is none.
fn text(object: &Object, name: &str) -> String {
    match field(object, name) {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A boolean field.
fn flag(object: &Object, name: &str) -> bool {
    field(object, name) == Value::Bool(true)
}
