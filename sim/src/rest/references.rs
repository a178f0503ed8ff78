//! What objects refer to.

use serde_json::Value;
use uuid::Uuid;

use super::{
    field::{Field, Kind},
    table::types,
};
use crate::world::World;

/// Type and id of everything that the value of a field refers to.
pub fn of<'v>(field: &Field, value: &'v Value) -> Vec<(&'static str, &'v str)> {
    let id = |value: &'v Value| value.get("id").and_then(Value::as_str);
    match &field.kind {
        Kind::Reference(target) => id(value).map(|id| (*target, id)).into_iter().collect(),
        Kind::References(target) => items(value).filter_map(id).map(|id| (*target, id)).collect(),
        Kind::Path(target) => {
            let id = value.as_str().and_then(|text| text.split_once('/'));
            id.map(|(_, id)| (*target, id)).into_iter().collect()
        }
        Kind::Id(target) => named(value.as_str()).map(|id| (*target, id)).into_iter().collect(),
        Kind::Item(target) => {
            let id = value.as_str().and_then(|text| text.strip_suffix(']')?.split_once('['));
            named(id.map(|(_, id)| id)).map(|id| (*target, id)).into_iter().collect()
        }
        Kind::Embedded(shape) => within(&shape.fields, value),
        Kind::EmbeddedList(shape) => items(value).flat_map(|item| within(&shape.fields, item)).collect(),
        _ => Vec::new(),
    }
}

/// An object outside of `doomed` that refers to one in it.
pub fn to(world: &World, doomed: &[(&'static str, String)]) -> Option<String> {
    let is_doomed = |kind: &str, id: &str| doomed.iter().any(|(k, i)| *k == kind && i == id);
    for kind in types() {
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
        | Kind::Item(target) => doomed.iter().any(|(kind, _)| kind == target),
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
