//! How types and ids are written in values (sheet 3.1).

use serde_json::{Value, json};
use uuid::Uuid;

use super::table::{self, Type};

/// The lower-case form of a GUID with dashes, or `None`.
pub fn guid(text: &str) -> Option<String> {
    (text.len() == 36).then(|| Uuid::try_parse(text).ok()).flatten().map(|id| id.to_string())
}

/// `FailoverGroup[guid]` for `failoverGroups`.
pub fn item(target: &str, id: &str) -> String {
    format!("{}[{id}]", singular(target))
}

/// The id in `Type[guid]`, or in `types/guid`, which a live server was seen to send instead (sheet 3.1).
pub fn item_id(target: &str, text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(Uuid::nil().to_string());
    }
    let (kind, id) = match text.strip_suffix(']') {
        Some(text) => text.split_once('[')?,
        None => text.split_once('/')?,
    };
    let known = kind.eq_ignore_ascii_case(&singular(target)) || kind.eq_ignore_ascii_case(target);
    known.then(|| guid(id)).flatten()
}

/// `FailoverGroup` for `failoverGroups`.
pub fn singular(target: &str) -> String {
    let one = target.strip_suffix('s').unwrap_or(target);
    let mut letters = one.chars();
    letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// The stored form of `{"type","id"}`.
pub fn reference(target: &'static str, value: &Value) -> Option<Value> {
    let kind = value.get("type")?.as_str()?;
    let id = guid(value.get("id")?.as_str()?)?;
    canonical(target, kind).map(|target| json!({ "type": target, "id": id }))
}

/// The name of the type that a reference to `target` may have. `any` takes every type and the folders that the older
/// notation has for whole types.
pub fn canonical(target: &'static str, kind: &str) -> Option<&'static str> {
    if target != ANY {
        return kind.eq_ignore_ascii_case(target).then_some(target);
    }
    let folder = || FOLDERS.into_iter().find(|folder| folder.eq_ignore_ascii_case(kind));
    table::find(kind).map(Type::name).or_else(folder)
}

/// Target of a reference to anything.
pub const ANY: &str = "any";
/// Folders that stand for all objects of a type (sheet 3.6); `systems` for all servers.
pub const FOLDERS: [&str; 7] = [
    "cameraFolder",
    "microphoneFolder",
    "speakerFolder",
    "inputEventFolder",
    "outputFolder",
    "userDefinedEventFolder",
    "systems",
];
