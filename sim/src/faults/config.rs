//! Faults of the configuration API: it answers, and the data are wrong. Decisions only; `rest` carries them out.

use serde_json::{Value, json};

use crate::physical::{hash_text, mix};

/// One way in which the configuration is wrong. Types are names of the REST table; `None` means every type.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigFault {
    /// GET answers are broken.
    Answer(BadAnswer, Option<&'static str>),
    /// A field of the objects that a GET shows is not what it should be.
    Schema {
        /// The type.
        kind: &'static str,
        /// The field; with [`SchemaChange::Unknown`] one that the type does not have.
        field: String,
        /// What happens to it.
        how: SchemaChange,
    },
    /// The names of this share of the objects are noise, the same for an object every time.
    Encrypted(f64),
    /// Every request but GET and HEAD is refused with this status, and changes nothing.
    WriteError(u16),
    /// A change that succeeds is done; then the connection is reset without an answer. One that is refused is answered.
    LostAnswer,
    /// Texts in this field are trimmed and put in upper case after each write of the object: the answer shows what was
    /// written, the next GET what became of it.
    Normalise {
        /// The type.
        kind: &'static str,
        /// The field.
        field: String,
    },
    /// The clock of the instance is off by these seconds, in answers and in the check of tokens.
    Clock(i64),
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAnswer {
    /// Lists answer 500.
    ListError,
    /// Lists are empty.
    ListEmpty,
    /// Lists that are read page by page end after the second page. Lists without paging are whole.
    PageCut,
    /// Half of the body of a list or of an item.
    TruncatedJson,
    /// An HTML page with status 200 instead of a list or an item.
    Html,
}

/// What happens to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaChange {
    /// It is not there.
    Missing,
    /// It is null.
    Null,
    /// Its value has another JSON type.
    Retyped,
    /// It is there and should not be.
    Unknown,
}

impl BadAnswer {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::ListError, Self::ListEmpty, Self::PageCut, Self::TruncatedJson, Self::Html];

    /// The name in the control API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ListError => "list-error",
            Self::ListEmpty => "list-empty",
            Self::PageCut => "page-cut",
            Self::TruncatedJson => "truncated-json",
            Self::Html => "html",
        }
    }
}

impl SchemaChange {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Missing, Self::Null, Self::Retyped, Self::Unknown];

    /// The name in the control API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Null => "null",
            Self::Retyped => "retyped",
            Self::Unknown => "unknown",
        }
    }
}

impl ConfigFault {
    /// The name in the control API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Answer(how, _) => how.name(),
            Self::Schema { .. } => "schema",
            Self::Encrypted(_) => "encrypted",
            Self::WriteError(_) => "write-error",
            Self::LostAnswer => "lost-answer",
            Self::Normalise { .. } => "normalise",
            Self::Clock(_) => "clock",
        }
    }

    /// Whether the two cannot be there together.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        let scope = |fault: &Self| match fault {
            Self::Answer(_, kind) => (*kind, None),
            Self::Schema { kind, field, .. } | Self::Normalise { kind, field } => {
                (Some(*kind), Some(field.clone()))
            }
            _ => (None, None),
        };
        self.name() == other.name() && scope(self) == scope(other)
    }

    /// The fault as it was asked for.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({ "service": "config", "mode": self.name() });
        match self {
            Self::Answer(_, Some(kind)) => json["type"] = json!(kind),
            Self::Schema { kind, field, how } => {
                json["type"] = json!(kind);
                json["field"] = json!(field);
                json["how"] = json!(how.name());
            }
            Self::Encrypted(share) => json["share"] = json!(share),
            Self::WriteError(status) => json["status"] = json!(status),
            Self::Normalise { kind, field } => {
                json["type"] = json!(kind);
                json["field"] = json!(field);
            }
            Self::Clock(offset) => json["offset_s"] = json!(offset),
            Self::Answer(_, None) | Self::LostAnswer => {}
        }
        json
    }
}

const DOMAIN_ENCRYPTED: u64 = 201;
const DOMAIN_NOISE: u64 = 202;

/// The noise that an object shows as its name while this share of the objects does, if it is one of them. A larger
/// share takes in all objects of a smaller one. `own` is the number of the instance.
#[must_use]
pub fn noise(own: u64, share: f64, id: &str) -> Option<String> {
    let hit = chance(hash_text(own, DOMAIN_ENCRYPTED, id)) < share;
    hit.then(|| {
        let seed = hash_text(own, DOMAIN_NOISE, id);
        (0..3).map(|word| format!("{:016X}", mix(seed, DOMAIN_NOISE, word, 0))).collect()
    })
}

/// A hash as a number from 0 up to 1.
#[must_use]
pub fn chance(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

/// What the server makes of a text that it normalises.
#[must_use]
pub fn normalised(text: &str) -> String {
    text.trim().to_uppercase()
}

/// A value of another JSON type that could be mistaken for it.
#[must_use]
pub fn retyped(value: &Value) -> Value {
    match value {
        Value::String(_) => json!(0),
        Value::Bool(_) | Value::Number(_) => json!(value.to_string()),
        Value::Array(_) => json!({}),
        Value::Object(_) => json!([]),
        Value::Null => json!(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_depends_on_instance_and_object_alone() {
        let hit = |share: f64| -> Vec<usize> {
            (0..1_000).filter(|n| noise(7, share, &format!("id-{n}")).is_some()).collect()
        };
        let (few, many) = (hit(0.1), hit(0.3));
        assert!((60..140).contains(&few.len()) && (240..360).contains(&many.len()));
        assert!(few.iter().all(|n| many.contains(n)));
        assert_eq!(noise(7, 1.0, "a"), noise(7, 1.0, "a"));
        assert_ne!(noise(7, 1.0, "a"), noise(7, 1.0, "b"));
        assert_ne!(noise(7, 1.0, "a"), noise(8, 1.0, "a"));
        assert_eq!((hit(0.0).len(), hit(1.0).len()), (0, 1_000));
    }

    #[test]
    fn one_of_a_mode_and_type() {
        let list = |how, kind| ConfigFault::Answer(how, kind);
        let empty = list(BadAnswer::ListEmpty, Some("roles"));
        assert!(empty.replaces(&empty));
        assert!(!empty.replaces(&list(BadAnswer::ListEmpty, None)));
        assert!(!empty.replaces(&list(BadAnswer::ListError, Some("roles"))));
        assert!(ConfigFault::Clock(1).replaces(&ConfigFault::Clock(2)));
        assert!(!ConfigFault::Clock(1).replaces(&ConfigFault::LostAnswer));
    }

    #[test]
    fn another_type_is_another_type() {
        for value in [json!("x"), json!(1), json!(true), json!([1]), json!({ "a": 1 }), json!(null)] {
            assert_ne!(std::mem::discriminant(&retyped(&value)), std::mem::discriminant(&value));
        }
        assert_eq!(normalised("  Gate 1 "), "GATE 1");
        assert_eq!(normalised(&normalised(" x")), normalised(" x"));
    }
}
