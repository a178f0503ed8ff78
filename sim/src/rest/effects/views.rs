//! Tasks on views, client profiles and Matrix.

use serde_json::{Value, json};

use crate::{
    rest::tasks::{Effected, Invocation},
    world::{Object, World, ids},
};

const GONE: &str = "The object is gone.";
/// What an item shows that shows nothing.
const EMPTY: &str = "<viewitem />";

/// `ApplyViewToView{viewToApply, clientId}`: layout and content of another view.
pub fn apply(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let from = world.store.get("views", task.path_id("viewToApply")).ok_or(GONE)?.clone();
    let view = world.store.get_mut("views", task.target.1).ok_or(GONE)?;
    for field in ["layoutCustomId", "layoutIcon", "layoutViewItems", "viewLayoutType", "viewItem"] {
        if let Some(value) = from.fields.get(field) {
            view.set(field, value.clone());
        }
    }
    // The copies are other items.
    change_items(view, |item| {
        if let Some(id) = item.get_mut("id") {
            *id = ids::fresh().into();
        }
    });
    touch(view, task);
    Ok(Effected::default())
}

/// `ClearView{clientId}`.
pub fn clear(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let view = world.store.get_mut("views", task.target.1).ok_or(GONE)?;
    change_items(view, empty);
    touch(view, task);
    Ok(Effected::default())
}

/// `ClearViewItem{clientId, viewItemId}`.
pub fn clear_item(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let view = world.store.get_mut("views", task.target.1).ok_or(GONE)?;
    let mut found = false;
    change_items(view, |item| {
        if item.get("id").and_then(Value::as_str) == Some(task.text("viewItemId")) {
            empty(item);
            found = true;
        }
    });
    if !found {
        return Err("Bad request: the view has no such item".to_owned());
    }
    touch(view, task);
    Ok(Effected::default())
}

/// `ClientProfileUpPriority`.
pub fn profile_up(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    move_profile(world, task, |own| own.checked_sub(1))
}

/// `ClientProfileDownPriority`.
pub fn profile_down(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    move_profile(world, task, |own| Some(own + 1))
}

/// `MatrixCommand{matrixCommandType, matrixCameraList}`: recipients of Matrix are no part of this API, so nothing that a
/// client could see happens.
pub fn matrix_command(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    world.store.get("matrix", task.target.1).ok_or(GONE)?;
    Ok(Effected { only_read: true, ..Effected::default() })
}

/// The order of the list is the priority; the default profile stays last.
fn move_profile(
    world: &mut World,
    task: &Invocation<'_>,
    to: impl Fn(usize) -> Option<usize>,
) -> Result<Effected, String> {
    let others = |profile: &&Object| profile.fields.get("isDefaultProfile") != Some(&Value::Bool(true));
    let order: Vec<String> =
        world.store.all("clientProfiles").filter(others).map(|profile| profile.id.clone()).collect();
    let own = order.iter().position(|id| id == task.target.1);
    match own.and_then(to).and_then(|place| order.get(place)) {
        Some(other) => {
            world.store.swap("clientProfiles", task.target.1, other);
            Ok(Effected::default())
        }
        None => Err("Bad request: the profile cannot be moved any further".to_owned()),
    }
}

fn change_items(view: &mut Object, mut change: impl FnMut(&mut Value)) {
    if let Some(Value::Array(items)) = view.fields.get_mut("viewItem") {
        items.iter_mut().for_each(&mut change);
    }
}

fn empty(item: &mut Value) {
    if let Some(item) = item.as_object_mut() {
        item.insert("viewItemDefinitionXml".to_owned(), json!(EMPTY));
    }
}

fn touch(view: &mut Object, task: &Invocation<'_>) {
    if !task.text("clientId").is_empty() {
        view.set("clientId", task.text("clientId"));
    }
    view.set("lastModified", task.now.wire());
}
