//! What an event, an alarm or a mark is about: an object of the configuration that the caller sees.

use super::{Call, error::RestError, field::guid, table};
use crate::{
    rights,
    switches::HIDDEN,
    world::{Object, World},
};

/// The object that a member of a body names, as `cameras/<guid>` or as a bare id (sheet 5.2). One that is hidden is
/// no better than one that is not there.
pub fn named<'w>(
    call: &Call<'_>,
    world: &'w World,
    property: &str,
    text: &str,
) -> Result<&'w Object, RestError> {
    let found = match text.split_once('/') {
        Some((kind, id)) => {
            table::find(kind).zip(guid(id)).and_then(|(kind, id)| world.store.get(kind.name(), &id))
        }
        None => {
            guid(text).and_then(|id| table::types().iter().find_map(|kind| world.store.get(kind.name(), &id)))
        }
    };
    match found {
        Some(object) if rights::sees(world, call.caller.role, object) => Ok(object),
        Some(_) if call.settings.switches.get(&HIDDEN) == "403" => Err(RestError::forbidden()),
        _ => Err(RestError::property(property, format!("{text} was not found"))),
    }
}

/// Whether the caller sees the object of that type and id.
pub fn sees(call: &Call<'_>, world: &World, kind: &str, id: &str) -> bool {
    world.store.get(kind, id).is_some_and(|object| rights::sees(world, call.caller.role, object))
}

/// What is said about something whose source the caller may not see.
pub fn hidden(call: &Call<'_>, kind: &str, id: &str) -> RestError {
    match call.settings.switches.get(&HIDDEN) {
        "403" => RestError::forbidden(),
        _ => RestError::not_found(kind, id),
    }
}
