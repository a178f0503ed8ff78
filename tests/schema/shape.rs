//! Whether an answer has the wrapper and the field types of the sheet. Everything gives a list of complaints.

use serde_json::{Map, Value};

use crate::sheet::{Field, Kind, Sheet};

/// Members that are on (nearly) every object and in no list of the sheet (3.6).
const EVERYWHERE: [&str; 2] = ["displayName", "relations"];
/// Members that the sheet names outside of its list of fields.
const ELSEWHERE: [(&str, &str); 3] =
    [("eventTypes", "state"), ("securityAction", "displayName"), ("users", "id")];
/// Objects that have more members than the sheet can list: dynamic ones, or those of a driver or plug-in.
const OPEN: [&str; 3] = ["rules", "hardwareDriverSettings", "mipItems"];

/// Complaints about an object of a collection or below `data`.
pub fn object(sheet: &Sheet, name: &str, value: &Value) -> Vec<String> {
    let Some(members) = value.as_object() else { return vec![format!("{name} is no object: {value}")] };
    let mut complaints = embedded(sheet, name, members);
    if !matches!(members.get("displayName"), Some(Value::String(_))) {
        complaints.push(format!("{name}.displayName is missing"));
    }
    let own = members.get("relations").and_then(|relations| relations.get("self"));
    if own.and_then(|own| own.get("type")).and_then(Value::as_str) != Some(name) {
        complaints.push(format!("{name}.relations.self does not name its type: {own:?}"));
    }
    complaints
}

/// Complaints about the fields of an object, listed or embedded.
pub fn embedded(sheet: &Sheet, name: &str, members: &Map<String, Value>) -> Vec<String> {
    let Some(fields) = sheet.fields(name) else { return Vec::new() };
    let mut complaints = Vec::new();
    for field in fields {
        match members.get(field.name) {
            Some(value) => complaints.extend(field_of(sheet, name, field, value)),
            // What refers to nothing is left out; secrets are never shown.
            None if matches!(field.kind, Kind::Reference(_) | Kind::Embedded(_)) => {}
            None if ["clientSecret", "password"].contains(&field.name) => {}
            None => complaints.push(format!("{name}.{} is missing", field.name)),
        }
    }
    let known = |member: &str| {
        EVERYWHERE.contains(&member)
            || OPEN.contains(&name)
            || ELSEWHERE.contains(&(name, member))
            || fields.iter().any(|field| field.name == member)
    };
    complaints.extend(
        members.keys().filter(|member| !known(member)).map(|member| format!("{name}.{member} is in no list")),
    );
    complaints
}

fn field_of(sheet: &Sheet, name: &str, field: &Field, value: &Value) -> Vec<String> {
    of_kind(sheet, &field.kind, value)
        .into_iter()
        .map(|why| format!("{name}.{}: {why}", field.name))
        .collect()
}

fn of_kind(sheet: &Sheet, kind: &Kind, value: &Value) -> Vec<String> {
    let text = value.as_str();
    let good = match kind {
        Kind::Text => value.is_string(),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::Guid => text.is_some_and(|text| text.is_empty() || is_guid(text)),
        Kind::Time => text.is_some_and(is_time),
        Kind::OneOf(words) => text.is_some_and(|text| words.contains(&text)),
        Kind::Reference(target) => {
            let part = |name: &str| value.get(name).and_then(Value::as_str);
            // Sources of alarms may be folders and devices of any type (sheet 3.6, enum meanings).
            part("type").is_some_and(|kind| kind == *target || *target == "userDefinedEvents")
                && part("id").is_some_and(is_guid)
        }
        Kind::Embedded(name) => {
            let Some(members) = value.as_object() else { return vec![format!("no object: {value}")] };
            return embedded(sheet, name, members);
        }
        Kind::List(inner) => {
            let Some(list) = value.as_array() else { return vec![format!("no list: {value}")] };
            return list.iter().flat_map(|item| of_kind(sheet, inner, item)).collect();
        }
    };
    if good { Vec::new() } else { vec![format!("{value} is no {kind:?}")] }
}

/// 8-4-4-4-12, lower case (sheet 3.1).
pub fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
        })
}

/// `2025-01-31T08:15:30.1230000Z`, also with an offset or without a zone (sheet 3.1).
fn is_time(text: &str) -> bool {
    let pattern = b"0000-00-00T00:00:00.0000000";
    let (start, zone) = text.split_at_checked(pattern.len()).unwrap_or((text, "?"));
    let digits = start.len() == pattern.len()
        && start.bytes().zip(pattern).all(|(c, p)| if *p == b'0' { c.is_ascii_digit() } else { c == *p });
    let offset = zone.len() == 6 && (zone.starts_with(['+', '-'])) && zone.as_bytes()[3] == b':';
    digits && (zone.is_empty() || zone == "Z" || offset)
}

/// Complaints about an error body (sheet 3.4).
pub fn error(status: u16, body: &Value) -> Vec<String> {
    let error = &body["error"];
    let mut complaints = Vec::new();
    if error["httpCode"] != u64::from(status) {
        complaints.push(format!("error.httpCode of {status} is {}", error["httpCode"]));
    }
    let details = error["details"].as_array().filter(|details| !details.is_empty());
    if !details.is_some_and(|details| details.iter().all(|detail| detail["errorText"].is_string())) {
        complaints.push(format!("no error.details[].errorText: {body}"));
    }
    complaints
}

/// The id under which an object can be asked for (sheet 8.12).
pub fn id_of(object: &Value) -> Option<String> {
    let own = [&object["id"], &object["Id"], &object["relations"]["self"]["id"]];
    own.into_iter().find_map(|id| match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}
