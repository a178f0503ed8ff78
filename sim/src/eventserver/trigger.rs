//! Which event types may be triggered over REST, and by whom (sheet 5.1).

use crate::{
    identity::Role,
    rest::{Call, error::RestError, field::guid},
    rights,
    world::{Object, World},
};

/// Where events of a type come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Generator {
    /// A person or a program: user-defined events.
    External,
    /// Analytics and plug-ins.
    MipDevice,
    /// Anything else: only services trigger it.
    Other,
}

/// Objects that are an event type of their own; the type has the object's id.
const TYPES: [(&str, Generator); 3] = [
    ("userDefinedEvents", Generator::External),
    ("analyticsEvents", Generator::MipDevice),
    ("genericEvents", Generator::Other),
];

/// The event type of that id, if the caller may trigger it: a user-defined event, an analytics event or an object of
/// `eventTypes`.
pub fn event_type<'w>(call: &Call<'_>, world: &'w World, text: &str) -> Result<&'w Object, RestError> {
    let unknown = || RestError::property("type", format!("{text} is no event type"));
    let id = guid(text).ok_or_else(unknown)?;
    let own = TYPES.iter().find_map(|(kind, generator)| Some((world.store.get(kind, &id)?, *generator)));
    let listed = || world.store.get("eventTypes", &id).map(|object| (object, generator(object)));
    let (object, generator) = own.or_else(listed).ok_or_else(unknown)?;
    if !rights::sees(world, call.caller.role, object) {
        return Err(unknown());
    }
    if generator == Generator::Other && call.caller.role != Role::Service {
        return Err(RestError::forbidden());
    }
    Ok(object)
}

fn generator(event_type: &Object) -> Generator {
    match (event_type.text("generatorType"), event_type.text("generatorSubtype")) {
        (_, "Generic") => Generator::Other,
        ("External", _) => Generator::External,
        ("MIPDevice", _) => Generator::MipDevice,
        _ => Generator::Other,
    }
}
