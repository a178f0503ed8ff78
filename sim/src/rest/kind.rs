//! The types of fields and their notation.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{names::item, shape::Shape};
use crate::stamp::UNSET;

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A GUID.
    Guid,
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A boolean.
    Bool,
    /// A point in time.
    Date,
    /// A secret: taken, never shown.
    Password,
    /// A secret that an update may change.
    Secret,
    /// `{"type","id"}` of an object of that type.
    Reference(&'static str),
    /// `type/guid` as text; such strings leak from the older notation (sheet 3.1).
    Path(&'static str),
    /// A bare id of an object of that type; empty or nil names none.
    Id(&'static str),
    /// `Type[guid]` as text, another leak of the older notation (sheet 3.1); a nil GUID names none.
    Item(&'static str),
    /// One of these words.
    Enum(Vec<&'static str>),
    /// A list of texts.
    Texts,
    /// A list of references.
    References(&'static str),
    /// A list of objects that are kept as they come.
    Objects,
    /// An object that is kept as it comes.
    Free,
    /// An embedded object.
    Embedded(Shape),
    /// A list of embedded objects.
    EmbeddedList(Shape),
}

impl Kind {
    /// Reads the notation; `None` if it is wrong.
    pub fn parse(text: &'static str) -> Option<Self> {
        if let Some(target) = text.strip_prefix('>') {
            return Some(Self::Reference(target));
        }
        if let Some(target) = text.strip_prefix('@') {
            return Some(Self::Path(target));
        }
        if let Some(target) = text.strip_prefix('#') {
            return Some(Self::Id(target));
        }
        if let Some(target) = text.strip_prefix('^') {
            return Some(Self::Item(target));
        }
        if let Some(name) = shape_name(text) {
            return Shape::named(name).map(Self::Embedded);
        }
        if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return Some(Self::Enum(inner.split('|').collect()));
        }
        if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            if let Some(name) = shape_name(inner) {
                return Shape::named(name).map(Self::EmbeddedList);
            }
            return match (inner, inner.strip_prefix('>')) {
                (_, Some(target)) => Some(Self::References(target)),
                ("s", _) => Some(Self::Texts),
                ("o", _) => Some(Self::Objects),
                _ => None,
            };
        }
        Some(match text {
            "g" => Self::Guid,
            "s" => Self::Text,
            "i" => Self::Integer,
            "n" => Self::Number,
            "b" => Self::Bool,
            "dt" => Self::Date,
            "pw" => Self::Password,
            "sec" => Self::Secret,
            "o" => Self::Free,
            _ => return None,
        })
    }

    /// A stored value as it is shown: embedded objects get the defaults of what they lack.
    pub fn completed(&self, value: Value) -> Value {
        match (self, value) {
            (Self::Embedded(shape), value) => shape.completed(value),
            (Self::EmbeddedList(shape), Value::Array(items)) => {
                items.into_iter().map(|item| shape.completed(item)).collect()
            }
            (_, value) => value,
        }
    }

    /// The value of an object that has none, from what the notation gives.
    pub fn default(&self, given: Option<&'static str>) -> Option<Value> {
        Some(match (self, given) {
            (Self::Integer, given) => given.unwrap_or("0").parse::<i64>().ok()?.into(),
            (Self::Number, given) => json!(given.unwrap_or("0").parse::<f64>().ok()?),
            (Self::Bool, given) => (given.unwrap_or("false") == "true").into(),
            (Self::Date, _) => UNSET.into(),
            (Self::Guid | Self::Id(_), None) => Uuid::nil().to_string().into(),
            (Self::Enum(words), None) => (*words.first()?).into(),
            (Self::Reference(_), _) => Value::Null,
            (Self::Item(target), None) => item(target, &Uuid::nil().to_string()).into(),
            (Self::EmbeddedList(shape), Some(items)) => {
                std::iter::repeat_with(|| shape.default()).take(items.parse().ok()?).collect()
            }
            (Self::Texts | Self::References(_) | Self::Objects | Self::EmbeddedList(_), _) => json!([]),
            (Self::Free, _) => json!({}),
            (Self::Embedded(shape), _) => shape.default(),
            // Tokens end at blanks, so a default writes them as underscores.
            (_, given) => given.unwrap_or_default().replace('_', " ").into(),
        })
    }

    /// Its name in `definitions` (sheet 3.2).
    pub fn value_type(&self) -> &'static str {
        match self {
            Self::Integer => "int",
            Self::Number => "double",
            Self::Bool => "bool",
            Self::Date => "dateTime",
            Self::Enum(_) => "enum",
            Self::Reference(_) | Self::Path(_) => "path",
            Self::References(_) => "pathList",
            Self::Texts | Self::Objects | Self::EmbeddedList(_) => "array",
            Self::Free | Self::Embedded(_) => "list",
            Self::Guid | Self::Id(_) | Self::Item(_) | Self::Text | Self::Password | Self::Secret => "string",
        }
    }
}

fn shape_name(text: &'static str) -> Option<&'static str> {
    text.strip_prefix('<')?.strip_suffix('>')
}
