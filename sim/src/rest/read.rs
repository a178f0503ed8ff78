//! GET: collections, items, and what is below an item.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    Answer, Call, Outcome, RestError, show, single,
    table::{Sub, Type},
};
use crate::{
    rights,
    switches::{HIDDEN, NESTED_GROUPS},
    world::{Object, World},
};

/// `GET /type`.
pub fn collection(call: &Call<'_>, world: &World, kind: &'static Type) -> Outcome {
    call.verb(kind.row.collection, 'G')?;
    let top_only = call.settings.switches.get(&NESTED_GROUPS) == "top" && kind.is_below(kind.name());
    let nested = |object: &Object| object.parent.as_ref().is_some_and(|(parent, _)| *parent == kind.name());
    let objects =
        world.store.all(kind.name()).filter(|object| !(top_only && nested(object))).map(Cow::Borrowed);
    let array = list(call, world, kind, objects, true)?;
    Ok(Answer::ok(show::framed(call, kind, "array", array, &kind.collection_tasks().collect::<Vec<_>>())))
}

/// `GET /type/{id}`.
pub fn item(call: &Call<'_>, world: &World, kind: &'static Type, id: &str) -> Outcome {
    let object = visible(call, world, kind, id)?;
    call.verb(kind.row.item, 'G')?;
    let data = show::with_children(call, world, kind, &object);
    Ok(one(call, kind, data))
}

/// `GET /type/{id}/child`. `includeChildren` has no effect here (sheet 3.2).
pub fn below(call: &Call<'_>, world: &World, kind: &'static Type, id: &str, child: &'static Type) -> Outcome {
    let object = visible(call, world, kind, id)?;
    let sub = call.sub(kind, &object.id, child)?;
    call.verb(sub.collection, 'G')?;
    let array = list(call, world, child, show::below(world, &object, child, sub.below), false)?;
    Ok(Answer::ok(show::framed(call, child, "array", array, &sub.tasks)))
}

/// `GET /type/{id}/child/{id}`.
pub fn item_below(
    call: &Call<'_>,
    world: &World,
    kind: &'static Type,
    id: &str,
    child: &'static Type,
    child_id: &str,
) -> Outcome {
    let sub = check_below(call, world, kind, id, child, child_id)?;
    call.verb(sub.item, 'G')?;
    let found = visible(call, world, child, child_id)?;
    let data = show::object(child, &found);
    Ok(one(call, child, data))
}

/// One object, framed with the tasks of its type.
fn one(call: &Call<'_>, kind: &'static Type, data: Map<String, Value>) -> Answer {
    let tasks: Vec<_> = kind.tasks(call.settings.version).collect();
    Answer::ok(show::framed(call, kind, "data", data.into(), &tasks))
}

/// Makes sure that an object is below another one.
pub fn check_below(
    call: &Call<'_>,
    world: &World,
    kind: &'static Type,
    id: &str,
    child: &'static Type,
    child_id: &str,
) -> Result<&'static Sub, RestError> {
    let object = visible(call, world, kind, id)?;
    let sub = call.sub(kind, &object.id, child)?;
    let found = visible(call, world, child, child_id)?;
    if show::below(world, &object, child, sub.below).any(|below| below.id == found.id) {
        Ok(sub)
    } else {
        Err(RestError::not_found(child.name(), child_id))
    }
}

/// The object, if the caller sees it; else 404, or what the switch says.
pub fn visible<'w>(
    call: &Call<'_>,
    world: &'w World,
    kind: &Type,
    id: &str,
) -> Result<Cow<'w, Object>, RestError> {
    match single::find(world, kind, &id.to_ascii_lowercase()) {
        Some(object) if rights::sees(world, call.caller.role, &object) => Ok(object),
        Some(_) if call.settings.switches.get(&HIDDEN) == "403" => Err(RestError::forbidden()),
        _ => Err(RestError::not_found(kind.name(), id)),
    }
}

fn list<'w>(
    call: &Call<'_>,
    world: &'w World,
    kind: &'static Type,
    objects: impl Iterator<Item = Cow<'w, Object>>,
    children: bool,
) -> Result<Value, RestError> {
    let filters = call.query.filters(kind)?;
    let (skip, take) = call.query.page(&call.settings.switches)?;
    Ok(objects
        .filter(|object| show::listed(call, world, kind, object) && show::admitted(kind, object, &filters))
        .skip(skip)
        .take(take)
        .map(|object| {
            Value::from(match children {
                true => show::with_children(call, world, kind, &object),
                false => show::object(kind, &object),
            })
        })
        .collect())
}
