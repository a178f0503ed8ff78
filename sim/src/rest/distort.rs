//! Carries out the faults of the configuration: what a GET shows, and what becomes of a write.

use ::http::{Response, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{
    Call, Outcome,
    error::RestError,
    table::{self, Type},
};
use crate::{
    faults::{
        ConfigFault,
        config::{BadAnswer, SchemaChange, noise, normalised, retyped},
    },
    physical::instance_number,
    server::pages,
    world::World,
};

/// How far the clock is off, in seconds.
pub fn clock(faults: &[ConfigFault]) -> i64 {
    let offset = |fault: &ConfigFault| match *fault {
        ConfigFault::Clock(seconds) => Some(seconds),
        _ => None,
    };
    faults.iter().find_map(offset).unwrap_or(0)
}

/// The answer to a GET. Errors stay what they are.
pub(super) fn reading(call: &Call<'_>, segments: &[&str], outcome: Outcome) -> Response<Bytes> {
    let Some((kind, is_list)) = asked(segments).filter(|_| !call.faults.is_empty()) else {
        return call.respond(outcome);
    };
    let mut answer = match outcome {
        Ok(answer) => answer,
        Err(error) => return error.response(),
    };
    let bad = |how| {
        let hit = |fault: &ConfigFault| match fault {
            ConfigFault::Answer(active, of) => *active == how && of.is_none_or(|of| of == kind.name()),
            _ => false,
        };
        call.faults.iter().any(hit)
    };
    if is_list && bad(BadAnswer::ListError) {
        return RestError::failed(StatusCode::INTERNAL_SERVER_ERROR).response();
    }
    if bad(BadAnswer::Html) {
        return pages::wrong_body(None);
    }
    if let Some(array) = answer.body.get_mut("array") {
        if bad(BadAnswer::ListEmpty) || bad(BadAnswer::PageCut) && is_after_second_page(call) {
            *array = json!([]);
        }
        change_all(call, kind, array);
    }
    if let Some(data) = answer.body.get_mut("data") {
        change_all(call, kind, data);
    }
    let mut response = call.respond(Ok(answer));
    if bad(BadAnswer::TruncatedJson) {
        let body = response.body_mut();
        *body = body.slice(..body.len() / 2);
    }
    response
}

/// Why a write is refused before anything is looked at.
pub(super) fn refused(call: &Call<'_>) -> Option<RestError> {
    call.faults.iter().find_map(|fault| match fault {
        ConfigFault::WriteError(status) => StatusCode::from_u16(*status).ok().map(RestError::failed),
        _ => None,
    })
}

/// Lets the server rewrite what was just written.
pub(super) fn written(call: &Call<'_>, world: &mut World, segments: &[&str], outcome: &Outcome) {
    let Ok(answer) = outcome else { return };
    let path = &answer.body["result"]["path"];
    let named = path["type"].as_str().zip(path["id"].as_str());
    let Some((kind, id)) = named.or_else(|| Some((*segments.first()?, *segments.get(1)?))) else { return };
    let Some(kind) = table::find(kind) else { return };
    for fault in call.faults.iter() {
        if let ConfigFault::Normalise { kind: of, field } = fault
            && *of == kind.name()
            && let Some(object) = world.store.get_mut(kind.name(), &id.to_ascii_lowercase())
        {
            let text = normalised(object.text(field));
            object.set(field, text);
        }
    }
}

/// The type that a GET asks for, and whether it wants a list.
fn asked(segments: &[&str]) -> Option<(&'static Type, bool)> {
    match segments {
        [kind] | [_, _, kind] => Some((table::find(kind)?, true)),
        [kind, _] | [_, _, kind, _] => Some((table::find(kind)?, false)),
        _ => None,
    }
}

/// Pages are numbered from 0.
fn is_after_second_page(call: &Call<'_>) -> bool {
    call.query.value("page").and_then(|page| page.parse().ok()).is_some_and(|page: u64| page >= 2)
}

/// Changes an object, or each of a list, and what is embedded in it.
fn change_all(call: &Call<'_>, kind: &Type, shown: &mut Value) {
    match shown {
        Value::Array(list) => list.iter_mut().for_each(|object| change_all(call, kind, object)),
        Value::Object(object) => {
            for (name, value) in object.iter_mut() {
                if let Some(child) = table::find(name).filter(|child| kind.sub(child.name()).is_some()) {
                    change_all(call, child, value);
                }
            }
            call.faults.iter().for_each(|fault| change(call, kind, object, fault));
        }
        _ => {}
    }
}

fn change(call: &Call<'_>, kind: &Type, object: &mut Map<String, Value>, fault: &ConfigFault) {
    match fault {
        ConfigFault::Schema { kind: of, field, how } if *of == kind.name() => {
            let value = match how {
                SchemaChange::Missing => {
                    object.shift_remove(field);
                    return;
                }
                SchemaChange::Null => Value::Null,
                SchemaChange::Retyped => retyped(object.get(field).unwrap_or(&Value::Null)),
                SchemaChange::Unknown => json!("unknown"),
            };
            object.insert(field.clone(), value);
        }
        ConfigFault::Encrypted(share) => {
            let own = instance_number(call.settings.seed, &call.settings.name);
            let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
            let Some(noise) = noise(own, *share, id) else { return };
            for member in ["name", "displayName"] {
                if let Some(value) = object.get_mut(member) {
                    *value = noise.clone().into();
                }
            }
        }
        _ => {}
    }
}
