//! POST and DELETE below an item: members of groups, and children (sheet 3.3).

use serde_json::{Value, json};

use super::{
    Answer, Call, Outcome, RestError,
    read::visible,
    remove, show,
    table::{Below, Type},
    tasks, write,
};
use crate::world::World;

/// `POST /type/{id}/child`: a new member, a new child, or a task.
pub fn post(
    call: &Call<'_>,
    world: &mut World,
    kind: &'static Type,
    id: &str,
    child: &'static Type,
) -> Outcome {
    let object = visible(call, world, kind, id)?;
    let (id, built_in) = (object.id.clone(), object.built_in);
    let sub = call.sub(kind, &id, child)?;
    call.verb(sub.collection, 'P')?;
    if let Some(task) = call.query.value("task") {
        let task = sub.tasks.iter().find(|name| name.eq_ignore_ascii_case(task));
        let task = task.and_then(|name| tasks::find(name)).ok_or_else(RestError::unknown_request)?;
        return tasks::invoke(call, world, (kind.name(), id), task);
    }
    if sub.below == Below::Children {
        return write::create(call, world, child, Some((kind.name(), id)));
    }
    // Sub-collections with tasks take members only through them (sheet 3.5, roles/users).
    if !sub.tasks.is_empty() {
        return Err(RestError::unknown_request());
    }
    call.may_write()?;
    if built_in {
        return Err(RestError::bad(format!(
            "Bad request: {}/{id} is built in and cannot be changed",
            kind.name()
        )));
    }
    let body = call.json()?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("type").eq_ignore_ascii_case(child.name()) {
        return Err(RestError::property("type", format!("{} was expected", child.name())));
    }
    let member = match visible(call, world, child, text("id")) {
        Ok(member) => member.id.clone(),
        Err(_) => {
            return Err(RestError::property("id", format!("{}/{} was not found", child.name(), text("id"))));
        }
    };
    if !world.store.add_member(&id, child.name(), &member) {
        return Err(RestError::property("id", "it is a member already"));
    }
    touch(call, world, kind, &id);
    call.record(world, &body);
    Ok(Answer::created(json!({ "state": "Success" })))
}

/// `DELETE /type/{id}/child/{id}`: takes a member out, or deletes a child.
pub fn delete(
    call: &Call<'_>,
    world: &mut World,
    kind: &'static Type,
    id: &str,
    child: &'static Type,
    child_id: &str,
) -> Outcome {
    let object = visible(call, world, kind, id)?;
    let (id, built_in) = (object.id.clone(), object.built_in);
    let sub = call.sub(kind, &id, child)?;
    let member = visible(call, world, child, child_id)?.id.clone();
    let is_below = show::below(world, &object, child, sub.below).any(|below| below.id == member);
    if !is_below {
        return Err(RestError::not_found(child.name(), child_id));
    }
    call.verb(sub.item, 'D')?;
    call.may_write()?;
    if sub.below == Below::Children {
        return remove::remove(call, world, child, &member);
    }
    if built_in {
        return Err(RestError::bad(format!(
            "Bad request: {}/{id} is built in and cannot be changed",
            kind.name()
        )));
    }
    world.store.remove_member(&id, child.name(), &member);
    touch(call, world, kind, &id);
    call.record(world, &serde_json::Map::new());
    Ok(Answer::ok(json!({ "state": "Success" })))
}

fn touch(call: &Call<'_>, world: &mut World, kind: &Type, id: &str) {
    if let Some(group) = world.store.get_mut(kind.name(), id) {
        group.set("lastModified", call.now.wire());
    }
}
