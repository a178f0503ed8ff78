//! DELETE (sheet 3.3).

use serde_json::{Map, Value, json};

use super::{
    Answer, Call, Outcome, RestError,
    finish::PRESET,
    read::visible,
    references,
    table::{Below, Type, find},
};
use crate::world::{Object, World};

/// `DELETE /type/{id}`.
pub fn delete(call: &Call<'_>, world: &mut World, kind: &'static Type, id: &str) -> Outcome {
    let id = visible(call, world, kind, id)?.id.clone();
    call.verb(kind.row.item, 'D')?;
    call.may_change(world, kind.name(), &id)?;
    remove(call, world, kind, &id)
}

/// Removes an object with everything below it, unless something else needs it.
pub fn remove(call: &Call<'_>, world: &mut World, kind: &'static Type, id: &str) -> Outcome {
    let Some(object) = world.store.get(kind.name(), id) else {
        return Err(RestError::not_found(kind.name(), id));
    };
    allowed(call, world, kind, object)?;
    let mut doomed = vec![(kind.name(), id.to_owned())];
    let mut next = 0;
    while let Some((parent_kind, parent)) = doomed.get(next).cloned() {
        for child in find(parent_kind).map_or(&[][..], Type::children) {
            let below = world.store.children(child, &parent);
            // A child that has its parent's id must not count as its own child.
            let below =
                below.filter(|object| object.parent.as_ref().is_some_and(|(kind, _)| *kind == parent_kind));
            doomed.extend(below.map(|object| (object.kind, object.id.clone())));
        }
        if parent_kind == "videoWallPresets" {
            let parts = world.store.all("monitorPresets").filter(|part| part.text(PRESET) == parent);
            doomed.extend(parts.map(|part| (part.kind, part.id.clone())));
        }
        // With a generic event goes the hidden event that rules and alarms know it by.
        if parent_kind == "genericEvents"
            && let Some(event) = world.store.get(parent_kind, &parent)
        {
            doomed.push(("userDefinedEvents", event.text("shadowId").to_owned()));
        }
        next += 1;
    }
    if let Some(user) = references::to(world, &doomed) {
        return Err(RestError::bad(format!("Bad request: {}/{id} is used by {user}", kind.name())));
    }
    for (kind, id) in doomed.iter().rev() {
        world.store.remove(kind, id);
        if *kind == "basicUsers"
            && let Some(account) = world.accounts.remove(id)
        {
            world.store.remove("users", &account.sid.to_ascii_lowercase());
        }
    }
    call.record(world, &Map::new());
    Ok(Answer::ok(json!({ "state": "Success" })))
}

/// Refuses what the type's flags forbid.
fn allowed(call: &Call<'_>, world: &World, kind: &'static Type, object: &Object) -> Result<(), RestError> {
    if object.built_in {
        return Err(refusal(object, "is built in and cannot be deleted"));
    }
    let ask = |name: &str| {
        let missing = Map::from_iter([(name.to_owned(), "".into())]);
        if call.query.flag(name) { Ok(()) } else { Err(RestError::parameters_missing(missing, None)) }
    };
    if kind.has("confirm") {
        ask("userAccept")?;
    }
    if kind.has("mounts") && object.fields.get("mounted") == Some(&Value::Bool(false)) {
        ask("deleteIfOffline")?;
    }
    let subs = || kind.subs.iter().filter(|sub| sub.below == Below::Members);
    let has_members = subs().any(|sub| !world.store.members(&object.id, sub.name).is_empty());
    if kind.has("group") && has_members && !call.query.flag("removeMembers") {
        return Err(refusal(object, "has members; use removeMembers"));
    }
    let mut children = kind.children().iter().flat_map(|child| world.store.children(child, &object.id));
    if kind.has("empty") && children.next().is_some() {
        return Err(refusal(object, "is not empty"));
    }
    Ok(())
}

fn refusal(object: &Object, why: &str) -> RestError {
    RestError::bad(format!("Bad request: {}/{} {why}", object.kind, object.id))
}
