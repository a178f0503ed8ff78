//! Fields of an object type, read from the notation of the sheet (3.6), and the check of written values.
//!
//! A field is `name[*][!|+]:kind[=default]`: `*` read-only, `!` needed at creation, `+` taken at creation (both even if
//! read-only). Kinds: `g s i n b dt pw`, `sec` a secret that can be changed, `>type` a reference, `@type` a reference
//! written as `type/guid` text, `#type` a bare id, `^type` a `Type[guid]` text (the last two may name nothing), where
//! type may be `any`, `{a|b}` an enumeration, `o` an object kept as it comes, `<shape>` an object with the members of
//! a [shape](super::shape), and lists: `[s]`, `[>type]`, `[o]`, `[<shape>]`. The items of a read-only `[<shape>]` are
//! neither added nor removed, but their writable members are set. The default of such a list is a number of items.

use serde_json::{Map, Value, json};

use super::names::{canonical, item, reference};
pub use super::{
    kind::Kind,
    names::{ANY, guid, item_id, singular},
};
use crate::stamp::Stamp;

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name on the wire.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Input for it is ignored.
    pub read_only: bool,
    /// Must be given at creation.
    pub required: bool,
    /// May be given at creation even if it is read-only.
    pub initial: bool,
    /// Value of an object that has none.
    pub default: Value,
}

/// Why a value was not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{wanted} was expected")]
pub struct Refusal {
    /// The member at fault, which may be inside of an embedded object.
    pub property: &'static str,
    wanted: String,
}

impl Refusal {
    /// Something else was expected.
    pub fn expected(property: &'static str, wanted: &str) -> Self {
        Self { property, wanted: wanted.to_owned() }
    }
}

impl Field {
    /// Reads one field; `None` if the notation is wrong (a test reads every row).
    pub fn parse(token: &'static str) -> Option<Self> {
        let (name, rest) = token.split_once(':')?;
        let (kind, default) = match rest.split_once('=') {
            Some((kind, default)) => (kind, Some(default)),
            None => (rest, None),
        };
        let required = name.ends_with('!');
        let initial = required || name.ends_with('+');
        let name = name.trim_end_matches(['!', '+']);
        let read_only = name.ends_with('*');
        let kind = Kind::parse(kind)?;
        let default = kind.default(default)?;
        Some(Self { name: name.trim_end_matches('*'), kind, read_only, required, initial, default })
    }

    /// Whether a change of an existing object may set it.
    pub fn writable(&self) -> bool {
        match &self.kind {
            Kind::Password => false,
            Kind::EmbeddedList(shape) if self.read_only => shape.writable(),
            _ => !self.read_only,
        }
    }

    /// Whether it is never shown.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Password | Kind::Secret)
    }

    /// Whether a creation may set it.
    pub fn settable_at_creation(&self) -> bool {
        !self.read_only || self.initial
    }

    /// Checks a written value and brings it into the stored form.
    pub fn accept(&self, value: &Value, old_booleans: bool) -> Result<Value, Refusal> {
        let wanted = match &self.kind {
            Kind::Guid | Kind::Id(_) => match value.as_str() {
                Some("") => return Ok(value.clone()),
                Some(text) => match guid(text) {
                    Some(id) => return Ok(id.into()),
                    None => "a GUID",
                },
                None => "a GUID",
            },
            Kind::Text | Kind::Password | Kind::Secret if value.is_string() => return Ok(value.clone()),
            Kind::Text | Kind::Password | Kind::Secret => "a string",
            Kind::Integer if value.is_i64() || value.is_u64() => return Ok(value.clone()),
            Kind::Integer => "an integer",
            Kind::Number => match (value.as_f64(), value.as_str()) {
                (Some(number), _) => return Ok(json!(number)),
                (None, Some(text)) if old_booleans => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => return Ok(json!(number)),
                    _ => "a number",
                },
                _ => "a number",
            },
            Kind::Bool => match value {
                Value::Bool(_) => return Ok(value.clone()),
                Value::String(text) if old_booleans && text.eq_ignore_ascii_case("true") => {
                    return Ok(true.into());
                }
                Value::String(text) if old_booleans && text.eq_ignore_ascii_case("false") => {
                    return Ok(false.into());
                }
                _ => "a boolean",
            },
            Kind::Date if value.as_str().is_some_and(|text| Stamp::parse(text).is_some()) => {
                return Ok(value.clone());
            }
            Kind::Date => "a date-time",
            Kind::Reference(target) => {
                return reference(target, value)
                    .ok_or_else(|| self.refusal(&format!("a reference to {target}")));
            }
            Kind::Path(target) => {
                let found = value.as_str().and_then(|text| {
                    let (kind, id) = text.split_once('/')?;
                    Some((canonical(target, kind)?, guid(id)?))
                });
                return found
                    .map(|(target, id)| Value::from(format!("{target}/{id}")))
                    .ok_or_else(|| self.refusal(&format!("{target}/<guid>")));
            }
            Kind::Item(target) => {
                let found = value.as_str().and_then(|text| item_id(target, text));
                return found
                    .map(|id| Value::from(item(target, &id)))
                    .ok_or_else(|| self.refusal(&item(target, "<guid>")));
            }
            Kind::Enum(words) => match value.as_str() {
                Some(text) if words.contains(&text) => return Ok(value.clone()),
                _ => return Err(self.refusal(&format!("one of {}", words.join(", ")))),
            },
            Kind::Texts if is_list(value, Value::is_string) => return Ok(value.clone()),
            Kind::Texts => "a list of strings",
            Kind::References(target) => {
                let list = value.as_array().and_then(|list| {
                    list.iter().map(|item| reference(target, item)).collect::<Option<Vec<Value>>>()
                });
                return list
                    .map(Value::Array)
                    .ok_or_else(|| self.refusal(&format!("a list of references to {target}")));
            }
            Kind::Objects if is_list(value, Value::is_object) => return Ok(value.clone()),
            Kind::Objects => "a list of objects",
            Kind::Free if value.is_object() => return Ok(value.clone()),
            Kind::Free => "an object",
            Kind::Embedded(shape) => return shape.accept(self.name, value, old_booleans),
            Kind::EmbeddedList(shape) => match value.as_array() {
                Some(items) => {
                    return items.iter().map(|item| shape.accept(self.name, item, old_booleans)).collect();
                }
                None => "a list of objects",
            },
        };
        Err(self.refusal(wanted))
    }

    fn refusal(&self, wanted: &str) -> Refusal {
        Refusal::expected(self.name, wanted)
    }

    /// Id of its readable name in `/translations`.
    pub fn translation(&self) -> String {
        format!("PropertyName_{}", self.name)
    }

    /// Its entry under `definitions` (sheet 3.2).
    pub fn definition(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("canSet".to_owned(), if self.writable() { "true" } else { "false" }.into());
        entry.insert("valueType".to_owned(), self.kind.value_type().into());
        if let Kind::Enum(words) = &self.kind {
            let options = words.iter().map(|word| json!({ "value": word, "displayName": word })).collect();
            entry.insert("options".to_owned(), Value::Array(options));
        }
        entry.insert("translationId".to_owned(), self.translation().into());
        Value::Object(entry)
    }
}

fn is_list(value: &Value, each: fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(each))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use uuid::Uuid;

    use super::*;

    #[test]
    fn notation_is_read() {
        let field = Field::parse("maxSize:i=1000").unwrap();
        assert_eq!((field.name, field.default.as_i64(), field.writable()), ("maxSize", Some(1000), true));
        let field = Field::parse("name*!:s").unwrap();
        assert!(field.read_only && field.required && !field.writable() && field.settable_at_creation());
        assert_eq!(Field::parse("x:[>cameras]").unwrap().kind, Kind::References("cameras"));
        assert!(Field::parse("x:q").is_none() && Field::parse("x").is_none());
    }

    #[test]
    fn values_are_checked() {
        let accepts = |token, value: Value| Field::parse(token).unwrap().accept(&value, false).is_ok();
        assert!(accepts("x:b", json!(true)) && !accepts("x:b", json!("True")));
        assert!(accepts("x:n", json!(1)) && !accepts("x:n", json!("1")) && !accepts("x:i", json!(1.5)));
        assert!(accepts("x:{a|b}", json!("b")) && !accepts("x:{a|b}", json!("c")));
        assert!(!accepts("x:dt", json!("yesterday")) && !accepts("x:g", json!("1234")));
        let id = "0E1B0AD3-F67C-4D5F-B792-4BD6C3CF52F8";
        assert!(accepts("x:>cameras", json!({ "type": "Cameras", "id": id })));
        assert!(!accepts("x:>cameras", json!({ "type": "hardware", "id": id })));
        assert!(accepts("x:@recordingServers", json!(format!("recordingServers/{id}"))));
        assert!(accepts("x:[s]", json!(["a"])) && !accepts("x:[s]", json!([1])));
        assert!(accepts("x:#cameras", json!("")) && !accepts("x:#cameras", json!("1")));
        assert!(accepts("x:o", json!({ "a": [1] })) && !accepts("x:o", json!([])));
        let item = Field::parse("x:^failoverGroups").unwrap();
        let lower = id.to_lowercase();
        let stored = json!(format!("FailoverGroup[{lower}]"));
        assert_eq!(item.accept(&json!(format!("failoverGroups/{id}")), false), Ok(stored.clone()));
        assert_eq!(item.accept(&stored, false), Ok(stored));
        assert_eq!(item.default, json!(format!("FailoverGroup[{}]", Uuid::nil())));
        assert!(item.accept(&json!("Camera[x]"), false).is_err());
        assert_eq!(Field::parse("x:b").unwrap().accept(&json!("False"), true), Ok(json!(false)));
    }
}
