//! Bodies for the walk: right ones, wrong ones, and other values for a field.

use serde_json::{Map, Value, json};

use crate::sheet::{Kind, Sheet};

/// A body that makes another object like one that is there, as the official rule sample does (sheet 7.1).
pub fn like(sample: Option<&Value>, name: &str, row: usize) -> Value {
    let mut body = sample.and_then(Value::as_object).cloned().unwrap_or_default();
    for member in ["id", "Id", "relations", "displayName"] {
        body.remove(member);
    }
    let called = if body.contains_key("Name") { "Name" } else { "name" };
    body.insert(called.into(), Value::from(format!("walk {}", row)));
    let more = match name {
        "basicUsers" => json!({ "password": "walk-Password-1" }),
        "matrix" => json!({ "password": "walk" }),
        "loginProviders" => json!({ "clientSecret": "walk" }),
        "genericEventDataSources" => json!({ "dataSourcePort": 20_000 + row }),
        "storages" | "archiveStorages" => json!({ "diskPath": format!("E:\\Walk{}", row) }),
        _ => json!({}),
    };
    body.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(body)
}

/// A body with a value of the wrong type in the first field that can be set.
pub fn wrong_value(sheet: &Sheet, name: &str) -> Option<Value> {
    let field = sheet.fields(name)?.iter().find(|field| !field.read_only)?;
    let value = match field.kind {
        Kind::Text | Kind::OneOf(_) | Kind::Guid | Kind::Time => json!(7),
        _ => json!("wrong"),
    };
    let mut body = Map::from_iter([(field.name.to_owned(), value)]);
    // What a creation needs must not be what is missed.
    if field.name != "name" && sheet.fields(name)?.iter().any(|field| field.name == "name") {
        body.insert("name".into(), "walk, wrong".into());
    }
    Some(Value::Object(body))
}

/// Another value of that type; none for what refers to something or has rules of its own.
pub fn other_value(kind: &Kind, old: &Value) -> Option<Value> {
    Some(match (kind, old) {
        (Kind::Boolean, Value::Bool(old)) => json!(!old),
        // A text with an id in it refers to something.
        (Kind::Text, Value::String(old)) if !old.contains(['[', '/']) => json!(format!("{old} (walked)")),
        (Kind::OneOf(words), Value::String(old)) => json!(words.iter().find(|word| *word != old)?),
        (Kind::Integer, old) => json!(old.as_i64()? + 1),
        (Kind::Number, old) => json!(old.as_f64()? + 0.5),
        _ => return None,
    })
}
