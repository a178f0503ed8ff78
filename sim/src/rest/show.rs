//! Objects as JSON.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{
    Call,
    field::{Field, Kind},
    query::Filter,
    single::{self, SINGLE},
    table::{self, Below, Type},
};
use crate::{
    rights,
    switches::INCLUDE_DEPTH,
    world::{Object, World},
};

/// The value of a property, its default if the object has none.
pub fn value(kind: &Type, object: &Object, property: &str) -> Value {
    match (property, kind.field(property)) {
        ("displayName", _) => display_name(kind, object).into(),
        (_, Some(field)) => of(field, object),
        ("id", None) => object.id.clone().into(),
        (_, None) => object.fields.get(property).cloned().unwrap_or_default(),
    }
}

/// The value of a field.
fn of(field: &Field, object: &Object) -> Value {
    match field.name {
        // Few types have numbers for ids (sheet 3.1).
        "id" | "Id" if field.kind == Kind::Integer => {
            object.id.parse::<u64>().map_or(Value::Null, Value::from)
        }
        "id" | "Id" => object.id.clone().into(),
        "clientSecretHasValue" => (!object.text("clientSecret").is_empty()).into(),
        name => match object.fields.get(name) {
            Some(value) => field.kind.completed(value.clone()),
            None => field.default.clone(),
        },
    }
}

/// The object without embedded children. Secrets are never shown.
pub fn object(kind: &Type, object: &Object) -> Map<String, Value> {
    // The fields, and the two members that most objects have besides.
    let mut shown = Map::with_capacity(kind.fields.len() + 2);
    let plain = kind.has("plain");
    if !plain {
        shown.insert("displayName".to_owned(), display_name(kind, object).into());
    }
    for field in kind.fields.iter().filter(|field| !field.is_secret()) {
        let value = of(field, object);
        if !value.is_null() {
            shown.insert(field.name.to_owned(), value);
        }
    }
    if kind.has("open") {
        let more = object.fields.iter().filter(|(name, value)| kind.is_extra(name) && !value.is_null());
        shown.extend(more.map(|(name, value)| (name.clone(), value.clone())));
    }
    if !plain {
        let mut relations = Map::new();
        if let Some((parent, id)) = &object.parent {
            relations.insert("parent".to_owned(), json!({ "type": parent, "id": id }));
        }
        relations.insert("self".to_owned(), json!({ "type": object.kind, "id": object.id }));
        shown.insert("relations".to_owned(), relations.into());
    }
    shown
}

/// The object with the children that the query asks for, as far as the caller sees them.
pub fn with_children(call: &Call<'_>, world: &World, kind: &Type, item: &Object) -> Map<String, Value> {
    let wanted: Vec<&str> = call.query.list("includeChildren").collect();
    let depth = call.settings.switches.number(&INCLUDE_DEPTH);
    embed(call, world, kind, item, &wanted, depth)
}

fn embed(
    call: &Call<'_>,
    world: &World,
    kind: &Type,
    item: &Object,
    wanted: &[&str],
    depth: u64,
) -> Map<String, Value> {
    let mut shown = object(kind, item);
    if depth == 0 {
        return shown;
    }
    for child in wanted.iter().filter_map(|name| call.find(name).ok()) {
        let Some(sub) = kind.sub(child.name()) else { continue };
        let list: Vec<Value> = below(world, item, child, sub.below)
            .filter(|object| listed(call, world, child, object))
            .map(|object| embed(call, world, child, &object, wanted, depth - 1).into())
            .collect();
        shown.insert(child.name().to_owned(), list.into());
    }
    shown
}

/// What is below an object: children or members.
pub fn below<'a>(
    world: &'a World,
    item: &'a Object,
    child: &'static Type,
    below: Below,
) -> Box<dyn Iterator<Item = Cow<'a, Object>> + 'a> {
    let name = child.name();
    match below {
        Below::Children if single::is_child(child, item.kind) => {
            Box::new(std::iter::once(single::below(world, child, item)))
        }
        Below::Children => Box::new(world.store.children(name, &item.id).map(Cow::Borrowed)),
        Below::Everything => Box::new(world.store.all(name).map(Cow::Borrowed)),
        Below::Members => {
            let members = world.store.members(&item.id, name).iter();
            Box::new(members.filter_map(move |id| world.store.get(name, id)).map(Cow::Borrowed))
        }
    }
}

/// Whether a list shows the object: the caller sees it, and it is enabled or disabled ones are wanted.
pub fn listed(call: &Call<'_>, world: &World, kind: &Type, object: &Object) -> bool {
    let hidden = || kind.has("disabled") && value(kind, object, "enabled") == Value::Bool(false);
    rights::sees(world, call.caller.role, object) && (call.query.disabled() || !hidden())
}

/// Whether the object meets all conditions.
pub fn admitted(kind: &Type, object: &Object, filters: &[Filter]) -> bool {
    filters.iter().all(|filter| filter.admits(&value(kind, object, &filter.property)))
}

/// The top-level keys that flags add: `tasks`, `resources`, `definitions`; and what `noData` takes away.
pub fn framed(call: &Call<'_>, kind: &Type, key: &str, data: Value, tasks: &[&'static str]) -> Value {
    let mut body = Map::new();
    let resources = call.query.flag("resources");
    let wants_tasks = call.query.flag("tasks");
    if !(call.query.flag("noData") && (resources || wants_tasks)) {
        body.insert(key.to_owned(), data);
    }
    if wants_tasks {
        let list = tasks.iter().filter_map(|name| super::tasks::find(name));
        body.insert(
            "tasks".to_owned(),
            list.map(|t| json!({ "id": t.id, "displayName": t.display })).collect(),
        );
    }
    if resources {
        let list = kind.sub_names().into_iter().filter_map(table::find);
        let list = list.map(|sub| json!({ "type": sub.name(), "displayName": sub.row.display }));
        body.insert("resources".to_owned(), list.collect());
    }
    if call.query.flag("definitions") {
        let shown = kind.fields.iter().filter(|field| field.kind != Kind::Password);
        let list: Map<String, Value> =
            shown.map(|field| (field.name.to_owned(), field.definition())).collect();
        body.insert("definitions".to_owned(), list.into());
    }
    body.into()
}

/// Booleans and fractions as text, as before 2022 R2 (sheet 8.11).
pub fn old_style(value: Value) -> Value {
    match value {
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            text.strip_suffix(".0").unwrap_or(&text).into()
        }
        Value::Array(items) => items.into_iter().map(old_style).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, old_style(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

fn display_name<'o>(kind: &Type, object: &'o Object) -> &'o str {
    if kind.has(SINGLE) {
        return kind.row.display;
    }
    NAMES
        .into_iter()
        .map(|field| object.text(field))
        .find(|text| !text.is_empty())
        .unwrap_or(kind.row.display)
}

/// What objects are called by.
const NAMES: [&str; 7] =
    ["name", "Name", "accountName", "addressType", "claimValue", "licenseType", "productDisplayName"];
