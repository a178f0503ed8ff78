//! What the server itself does to an object that a client writes: ids inside of it, secrets, groups, twins.

use serde_json::{Value, json};

use super::{
    Call, RestError,
    field::{guid, item_id},
    table::Type,
};
use crate::{
    settings::Version,
    switches::ITEM_NOTATION,
    world::{Account, Object, World, ids, last_modified},
};

/// Items of views have ids from this version on (sheet 9).
const VIEW_ITEM_IDS: Version = Version { major: 25, minor: 2 };

/// Completes an object before it is stored, new or changed.
pub fn object(call: &Call<'_>, world: &World, kind: &Type, object: &mut Object) -> Result<(), RestError> {
    for field in ["lastModified", "LastModified"] {
        if kind.field(field).is_some() {
            object.set(field, last_modified(call.settings, kind.name(), call.now));
        }
    }
    match kind.name() {
        "alarmDefinitions" => event_type(world, object),
        "genericEvents" => {
            let source = item_id("genericEventDataSources", object.text("dataSource"));
            let source = source.unwrap_or_else(|| ids::COMPATIBLE_SOURCE.to_owned());
            object.set("dataSource", data_source(call.settings.switches.get(&ITEM_NOTATION), &source));
            Ok(())
        }
        "timeProfiles" if !object.text("sunclockGPSCoordinate").is_empty() => {
            object.set("timeProfileType", "Sunclock");
            Ok(())
        }
        "views" => {
            view_items(object, call.settings.version);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// `genericEvents.dataSource` in one of the notations that were seen (sheet 3.1).
pub fn data_source(notation: &str, id: &str) -> String {
    match notation {
        "path" => format!("genericEventDataSources/{id}"),
        _ => format!("GenericEventDataSource[{id}]"),
    }
}

/// An alarm needs an event that exists: one of the types, or one that somebody defined.
fn event_type(world: &World, definition: &Object) -> Result<(), RestError> {
    let id = definition.text("eventType");
    let is_nil = id.bytes().all(|byte| matches!(byte, b'0' | b'-'));
    let kinds = ["eventTypes", "userDefinedEvents", "analyticsEvents"];
    if is_nil || kinds.iter().any(|kind| super::references::find(world, kind, id).is_some()) {
        return Ok(());
    }
    Err(RestError::property("eventType", format!("eventTypes/{id} was not found")))
}

/// Numbers the items of a view and gives an id to those that have none.
pub fn view_items(view: &mut Object, version: Version) {
    let Some(Value::Array(items)) = view.fields.get_mut("viewItem") else { return };
    for (position, item) in items.iter_mut().filter_map(Value::as_object_mut).enumerate() {
        item.insert("viewItemPosition".to_owned(), position.into());
        if version < VIEW_ITEM_IDS {
            item.shift_remove("id");
        } else if !item.contains_key("id") {
            item.insert("id".to_owned(), ids::fresh().into());
        }
    }
}

/// Gives a new object what only new ones get.
pub fn new(call: &Call<'_>, world: &mut World, object: &mut Object, secret: String) {
    match object.kind {
        "basicUsers" => {
            let sid = ids::fresh().to_uppercase();
            object.set("sid", sid.clone());
            let (id, name) = (object.id.clone(), object.text("name").to_owned());
            world.accounts.add(Account { id, name, sid, password: secret, failures: 0 });
        }
        "userDefinedEvents" => object.set("subtype", "UserDefined"),
        "genericEvents" => object.set("shadowId", ids::fresh()),
        "securityNamespaces" => object.set("userDefined", true),
        "mipKinds" => {
            object.set("modifiedUser", call.caller.user.clone());
            if guid(object.text("pluginId")).is_none() {
                object.set("pluginId", ids::fresh());
            }
        }
        // The ids of these are numbers (sheet 3.1).
        "registeredClaims" => {
            let taken = world.store.all("registeredClaims").filter_map(|claim| claim.id.parse::<u64>().ok());
            object.id = (taken.max().unwrap_or(0) + 1).to_string();
        }
        _ => {}
    }
}

/// Puts a new object where it belongs besides its parent.
pub fn stored(call: &Call<'_>, world: &mut World, kind: &'static str, id: &str) {
    match kind {
        "analyticsEvents" => {
            world.store.add_member(&ids::analytics_group(), kind, id);
        }
        "userDefinedEvents" | "genericEvents" => {
            world.store.add_member(ids::EXTERNAL_EVENTS, kind, id);
        }
        "monitors" | "videoWallPresets" => monitor_presets(world, kind, id, &call.now.wire()),
        _ => {}
    }
}

/// Carries a change over to what depends on it.
pub fn updated(world: &mut World, kind: &'static str, id: &str) {
    if kind != "settings" {
        return;
    }
    // A camera moves if its settings say so.
    let ptz =
        world.store.get(kind, id).and_then(|settings| settings.fields.get("ptz")?.get("ptzEnabled").cloned());
    if let Some((camera, enabled)) = world.store.get_mut("cameras", id).zip(ptz) {
        camera.set("ptzEnabled", enabled);
    }
}

/// Every monitor of a wall has its part of every preset of the wall.
fn monitor_presets(world: &mut World, kind: &'static str, id: &str, now: &str) {
    let wall = world.store.get(kind, id).and_then(|object| object.parent.clone());
    let Some((_, wall)) = wall else { return };
    let all = |kind| -> Vec<Object> { world.store.children(kind, &wall).cloned().collect() };
    let (mut monitors, mut presets) = (all("monitors"), all("videoWallPresets"));
    let list = if kind == "monitors" { &mut monitors } else { &mut presets };
    list.retain(|object| object.id == id);
    for monitor in &monitors {
        for preset in &presets {
            let part = Object::new("monitorPresets", ids::fresh()).below("monitors", &monitor.id);
            world.store.insert(part.with(json!({
                "name": preset.text("name"),
                "definitionXml": monitor.text("monitorState"),
                "lastModified": now,
                (PRESET): preset.id,
            })));
        }
    }
}

/// Hidden member of a monitor preset: the preset of the wall.
pub const PRESET: &str = "_preset";
