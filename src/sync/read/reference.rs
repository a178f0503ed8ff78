//! References to other objects, in any of the four notations of the API (sheet 3.1). Pure.

use std::borrow::Cow;

use serde_json::Value;

use super::canonical::Unlike;
use crate::idmap::guid::Guid;
use crate::sync::catalogue::Kind;

/// Target of a reference that may lead anywhere.
pub(super) const ANY: &str = "any";

/// The canonical text of a reference to `target`; `None`: it refers to nothing.
///
/// The notation is not the catalogue's word: the same field was seen in two of them.
pub(super) fn canonical(value: &Value, target: &str) -> Result<Option<String>, Unlike> {
    let (name, id) = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => split(text),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            (text("type"), text("id").ok_or(Unlike::No("reference"))?)
        }
        other => return Err(Unlike::other(other, "reference")),
    };
    let guid = id.parse::<Guid>().ok();
    if target == ANY {
        return Ok(match (name.map(type_name), guid) {
            (Some(_) | None, _) if id.is_empty() => None,
            // A folder of the older notation stands for all objects of a type, whatever its id (sheet 3.6).
            (Some(Ok(_)) | None, Some(Guid::NIL)) => None,
            (Some(Ok(name) | Err(name)), Some(guid)) => Some(format!("{name}/{guid}")),
            (Some(Ok(name) | Err(name)), None) => Some(format!("{name}/{id}")),
            (None, Some(guid)) => Some(guid.to_string()),
            (None, None) => return Err(Unlike::No("reference")),
        });
    }
    if let Some(name) = name.filter(|name| !is_named(target, name)) {
        return Err(Unlike::Target(name.into(), target.into()));
    }
    match guid {
        Some(Guid::NIL) => Ok(None),
        Some(guid) => Ok(Some(guid.to_string())),
        None if id.is_empty() => Ok(None),
        None => Err(Unlike::No("reference")),
    }
}

/// Type, if it says one, and id of `type/id`, `Type[id]` or `id`.
fn split(text: &str) -> (Option<&str>, &str) {
    let item = text.strip_suffix(']').and_then(|text| text.split_once('['));
    match item.or_else(|| text.split_once('/')) {
        Some((name, id)) => (Some(name), id),
        None => (None, text),
    }
}

/// The name of a type as the catalogue has it, or as it stands there.
fn type_name(name: &str) -> Result<Cow<'static, str>, Cow<'_, str>> {
    let known = Kind::from_name(name).or_else(|| Kind::all().find(|kind| is_named(kind.as_str(), name)));
    known.map(|kind| kind.as_str().into()).ok_or(name.into())
}

/// Whether `name` is the type, or one object of it: `FailoverGroup` of `failoverGroups`.
fn is_named(kind: &str, name: &str) -> bool {
    let one_of = |one: &str, ending: &str| {
        name.len() == one.len() + ending.len()
            && name.get(..one.len()).is_some_and(|start| start.eq_ignore_ascii_case(one))
            && name.get(one.len()..).is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    name.eq_ignore_ascii_case(kind)
        || kind.strip_suffix("ies").is_some_and(|one| one_of(one, "y"))
        || kind.strip_suffix('s').is_some_and(|one| one_of(one, ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "0E1B0AD3-F67C-4D5F-B792-4BD6C3CF52F8";

    fn of(value: Value, target: &str) -> Option<String> {
        canonical(&value, target).unwrap_or_else(|unlike| Some(unlike.to_string()))
    }

    #[test]
    fn four_notations_are_one() {
        let lower = ID.to_lowercase();
        for value in [
            json!({ "type": "Storages", "id": ID }),
            json!({ "id": lower }),
            json!(format!("storages/{ID}")),
            json!(format!("Storage[{ID}]")),
            json!(ID),
        ] {
            assert_eq!(of(value.clone(), "storages"), Some(lower.clone()), "{value}");
        }
        for value in [json!({ "type": "cameras", "id": ID }), json!(format!("Camera[{ID}]"))] {
            assert_eq!(of(value, ANY), Some(format!("cameras/{lower}")));
        }
        assert_eq!(of(json!(ID), ANY), Some(lower));
    }

    #[test]
    fn nothing_is_null() {
        let nil = Guid::NIL.to_string();
        for target in ["storages", ANY] {
            for value in [json!(null), json!(""), json!(nil), json!({ "type": "storages", "id": nil })] {
                assert_eq!(of(value, target), None);
            }
        }
        // All cameras, not none.
        let folder = json!({ "type": "cameraFolder", "id": nil });
        assert_eq!(of(folder, ANY), Some(format!("cameraFolder/{nil}")));
        assert_eq!(of(json!("/CameraFolder"), ANY), Some("/CameraFolder".to_owned()));
    }

    #[test]
    fn what_is_none() {
        for value in [json!(0), json!([]), json!({}), json!("x"), json!({ "type": "storages", "id": "x" })] {
            assert!(canonical(&value, "storages").is_err(), "{value}");
        }
        assert_eq!(
            of(json!(format!("cameras/{ID}")), "storages"),
            Some("refers to cameras instead of storages".to_owned())
        );
    }
}
