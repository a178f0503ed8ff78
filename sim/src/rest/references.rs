//! What objects refer to.

use serde_json::Value;
use uuid::Uuid;

use super::{
    field::{ANY, Field, Kind},
    table::{self, types},
};
use crate::world::{Object, World};

/// Length of a GUID with dashes.
const GUID: usize = 36;

/// Type and id of everything that the value of a field refers to.
pub fn of<'v>(field: &Field, value: &'v Value) -> Vec<(&'static str, &'v str)> {
    match &field.kind {
        Kind::Reference(_) => reference(value).into_iter().collect(),
        Kind::References(_) => items(value).filter_map(reference).collect(),
        Kind::Path(_) => {
            let parts = value.as_str().and_then(|text| text.split_once('/'));
            parts.and_then(|(kind, id)| named_type(kind, id)).into_iter().collect()
        }
        Kind::Id(target) => named(value.as_str()).map(|id| (*target, id)).into_iter().collect(),
        Kind::Item(target) => {
            let id = value.as_str().and_then(|text| match text.strip_suffix(']') {
                Some(text) => text.split_once('['),
                None => text.split_once('/'),
            });
            named(id.map(|(_, id)| id)).map(|id| (*target, id)).into_iter().collect()
        }
        Kind::Embedded(shape) => within(&shape.fields, value),
        Kind::EmbeddedList(shape) => items(value).flat_map(|item| within(&shape.fields, item)).collect(),
        _ => Vec::new(),
    }
}

/// Type and id of a stored reference. A folder names no object, nor does the time profile "always" (sheet 3.6).
fn reference(value: &Value) -> Option<(&'static str, &str)> {
    let part = |name: &str| value.get(name).and_then(Value::as_str);
    named_type(part("type")?, part("id")?)
}

fn named_type<'v>(kind: &str, id: &'v str) -> Option<(&'static str, &'v str)> {
    let kind = table::find(kind)?.name();
    if kind == "timeProfiles" { named(Some(id)).map(|id| (kind, id)) } else { Some((kind, id)) }
}

/// Whether there is an object of that id. A generic event also stands for the hidden user-defined event behind it.
pub fn find<'w>(world: &'w World, kind: &str, id: &str) -> Option<&'w Object> {
    let shadow = || world.store.all("genericEvents").find(|event| event.text("shadowId") == id);
    let found = world.store.get(kind, id);
    if kind == "userDefinedEvents" { found.or_else(shadow) } else { found }
}

/// An object outside of `doomed` that refers to one in it.
pub fn to(world: &World, doomed: &[(&'static str, String)]) -> Option<String> {
    let is_doomed = |kind: &str, id: &str| doomed.iter().any(|(k, i)| *k == kind && i == id);
    for kind in types() {
        // Members that are no fields are texts in which ids may be (rules), or what is never shown.
        for object in world.store.all(kind.name()).filter(|object| !is_doomed(object.kind, &object.id)) {
            let more = object.fields.iter().filter(|(name, _)| kind.field(name).is_none());
            let mut texts = more.filter_map(|(_, value)| value.as_str()).map(str::to_ascii_lowercase);
            if texts.any(|text| {
                text.len() >= GUID && doomed.iter().any(|(_, id)| id.len() == GUID && text.contains(id))
            }) {
                return Some(format!("{}/{}", object.kind, object.id));
            }
        }
        for field in kind.fields.iter().filter(|field| may_name(field, doomed)) {
            for object in world.store.all(kind.name()) {
                let Some(value) = object.fields.get(field.name) else { continue };
                let hit = of(field, value).into_iter().any(|(kind, id)| is_doomed(kind, id));
                if hit && !is_doomed(object.kind, &object.id) {
                    return Some(format!("{}/{}", object.kind, object.id));
                }
            }
        }
    }
    None
}

/// Whether a field can refer to objects of one of these types: what cannot is not looked through.
fn may_name(field: &Field, doomed: &[(&'static str, String)]) -> bool {
    match &field.kind {
        Kind::Reference(target)
        | Kind::References(target)
        | Kind::Path(target)
        | Kind::Id(target)
        | Kind::Item(target) => *target == ANY || doomed.iter().any(|(kind, _)| kind == target),
        Kind::Embedded(shape) | Kind::EmbeddedList(shape) => {
            shape.fields.iter().any(|field| may_name(field, doomed))
        }
        _ => false,
    }
}

fn within<'v>(fields: &[Field], value: &'v Value) -> Vec<(&'static str, &'v str)> {
    let given = |field: &Field| value.get(field.name).map(|value| of(field, value));
    fields.iter().filter_map(given).flatten().collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An id that names something.
fn named(id: Option<&str>) -> Option<&str> {
    id.filter(|id| !id.is_empty() && Uuid::try_parse(id).is_ok_and(|id| !id.is_nil()))
}
