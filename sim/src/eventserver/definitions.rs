//! Alarms that the site's alarm definitions raise when something happens (sheet 3.6, `alarmDefinitions`). Only those
//! that are always in force: time profiles and switching by events are not simulated.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::alarm::Alarm;
use crate::{
    journal::Event,
    stamp::Stamp,
    world::{Object, World},
};

/// The type in the table.
pub const DEFINITIONS: &str = "alarmDefinitions";

/// What an event raises.
pub fn raised(world: &World, event: &Event) -> Vec<Alarm> {
    let Some(source) = world.store.get(event.resource, &event.object) else { return Vec::new() };
    let wanted = world.store.all(DEFINITIONS).filter(|definition| {
        definition.text("eventType").eq_ignore_ascii_case(&event.kind)
            && in_force(definition)
            && is_source(world, definition, event)
    });
    wanted.filter_map(|definition| alarm(world, definition, event, source)).collect()
}

fn in_force(definition: &Object) -> bool {
    let rule = definition.fields.get("enableRule");
    let always = rule.is_none_or(|rule| *rule == 0 || *rule == "0" || *rule == "");
    always && definition.fields.get("enabled") != Some(&Value::Bool(false))
}

/// Whether the list names the source of the event, a group that it is in, or the folder of all of its type.
fn is_source(world: &World, definition: &Object, event: &Event) -> bool {
    let folder = format!("{}Folder", event.resource.trim_end_matches('s'));
    let list = definition.fields.get("sourceList").and_then(Value::as_array);
    list.into_iter().flatten().any(|reference| {
        let part = |name: &str| reference.get(name).and_then(Value::as_str).unwrap_or_default();
        let (kind, id) = (part("type"), part("id").to_ascii_lowercase());
        kind == "systems"
            || kind == folder
            || kind == event.resource && id == event.object
            || world.store.members(&id, event.resource).contains(&event.object)
    })
}

fn alarm(world: &World, definition: &Object, event: &Event, source: &Object) -> Option<Alarm> {
    let mut body = Map::from_iter([("name".to_owned(), definition.text("name").into())]);
    let kind = ["eventTypes", "userDefinedEvents", "analyticsEvents"];
    let kind = kind.iter().find_map(|kind| world.store.get(kind, &event.kind));
    body.insert("message".to_owned(), kind.map_or("", |kind| kind.text("name")).into());
    for (member, list) in [("priority", "alarmPriorities"), ("category", "alarmCategories")] {
        let id = definition.text(member);
        if world.store.get(list, &id.to_ascii_lowercase()).is_some() {
            body.insert(member.to_owned(), id.into());
        }
    }
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("alarm/{}/{}", event.id, definition.id).as_bytes());
    // A name that is too long for an alarm raises none.
    Alarm::posted(world, source, &body, id.to_string(), Stamp::from_ticks(event.time), "").ok()
}
