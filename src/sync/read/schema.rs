//! Makes an object of sync of what the API shows, or says in words how it differs from what the
//! catalogue knows: a field that is missing, new or of another type, a word that nobody has heard of.
//! Pure.
//!
//! An object that looks different is not guessed at: its whole type is frozen until a person says that
//! the difference may be lived with. Then the field is no longer compared on that instance.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::canonical::{Form, Spelling, Unlike, start, write_any, written};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::field::{Class, Field, Shape};
use crate::sync::catalogue::{Key, Kind, Place, Type};
use crate::sync::read::stamp::Stamp;
use crate::sync::snapshot::{Body, Distrust, Object};

/// Differences that a person has accepted, by type, in the words of [`Distrust::Schema`].
pub type Accepted = BTreeMap<Kind, BTreeSet<String>>;

/// Reads the objects of one type of one instance.
pub struct Schema<'a> {
    row: &'static Type,
    spelling: Spelling,
    accepted: Option<&'a BTreeSet<String>>,
    /// Fields that are no longer compared.
    omitted: HashSet<&'a str>,
    differences: BTreeSet<String>,
    filled: BTreeMap<&'static str, usize>,
}

/// An object whose members have not been read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    object: Object,
    /// Compared fields in canonical form.
    fields: Vec<(Cow<'static, str>, Vec<u8>)>,
}

impl<'a> Schema<'a> {
    /// Nothing read yet.
    pub fn new(kind: Kind, spelling: Spelling, accepted: &'a Accepted) -> Self {
        let accepted = accepted.get(&kind);
        let all = accepted.into_iter().flatten().filter_map(|text| text.split_once(": "));
        let omitted = all.filter(|(_, words)| *words != UNKNOWN).map(|(field, _)| field).collect();
        Self {
            row: kind.row(),
            spelling,
            accepted,
            omitted,
            differences: BTreeSet::new(),
            filled: BTreeMap::new(),
        }
    }

    /// One object; `below`: the object in whose list it was. `None`: it looks different.
    pub fn read(&mut self, value: &Value, below: Option<Guid>) -> Option<Draft> {
        let Some(members) = value.as_object() else {
            self.differ("object", &Unlike::other(value, "object").to_string());
            return None;
        };
        let row = self.row;
        let mut fields = Vec::with_capacity(row.fields.len());
        for field in row.fields.iter().filter(|field| is_listed(row, field)) {
            let bytes = self.field(field, members.get(field.name));
            if field.is_compared() && !self.omitted.contains(field.name) {
                fields.extend(bytes.map(|bytes| (Cow::Borrowed(field.name), bytes)));
            }
        }
        self.unknown(members, &mut fields);
        let id = self.id(members);
        let parent = self.parent(members, below);
        let object = Object {
            id: id?,
            name: self.name(members).into(),
            alias: self.row.alias.and_then(|field| members.get(field)?.as_str()?.parse().ok()),
            parent,
            key: self.key(members).into(),
            modified_ms: modified(members),
            builtin: self.builtin(members, id),
            body: Body::default(),
        };
        // After one difference nothing of the type is of use.
        self.is_clean().then_some(Draft { object, fields })
    }

    /// Whether every object so far looked as it should.
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }

    /// In how many objects each field that may be missing was there.
    ///
    /// # Errors
    /// [`Distrust::Schema`]: objects looked different, each difference once.
    pub fn finish(self) -> Result<BTreeMap<&'static str, usize>, Distrust> {
        match self.differences.is_empty() {
            true => Ok(self.filled),
            false => Err(Distrust::Schema(self.differences.into_iter().collect())),
        }
    }

    fn field(&mut self, field: &'static Field, value: Option<&Value>) -> Option<Vec<u8>> {
        if field.class == Class::Secret {
            return None;
        }
        match value {
            None | Some(Value::Null) if field.optional => return Some(b"null".to_vec()),
            None => self.differ(field.name, "missing"),
            Some(Value::Null) => self.differ(field.name, "null"),
            Some(value) => match written(value, &field.shape, self.form(field)) {
                Ok(bytes) => {
                    if field.optional && field.is_compared() {
                        *self.filled.entry(field.name).or_default() += 1;
                    }
                    return Some(bytes);
                }
                Err(unlike) => self.differ(field.name, &unlike.to_string()),
            },
        }
        None
    }

    /// Members that the catalogue does not know.
    fn unknown(&mut self, members: &Map<String, Value>, fields: &mut Vec<(Cow<'static, str>, Vec<u8>)>) {
        let row = self.row;
        let is_known = |name: &str| COMMON.contains(&name) || row.field(name).is_some();
        for (name, value) in members.iter().filter(|(name, _)| !is_known(name)) {
            if !row.open {
                self.differ(&start(name).escape_debug().to_string(), UNKNOWN);
            } else if !value.is_null() && !self.omitted.contains(name.as_str()) {
                let mut bytes = Vec::new();
                write_any(value, self.spelling, &mut bytes);
                fields.push((Cow::Owned(name.clone()), bytes));
            }
        }
    }

    fn id(&mut self, members: &Map<String, Value>) -> Option<Guid> {
        let own = ["id", "Id"].into_iter().find(|name| self.row.field(name).is_some());
        let value = match own {
            Some(name) => members.get(name),
            None => members.get("relations").and_then(|r| r.get("self")?.get("id")),
        };
        let id = value.and_then(Value::as_str).and_then(|text| text.parse::<Guid>().ok());
        match id.filter(|id| *id != Guid::NIL) {
            Some(id) => Some(id),
            None => {
                self.differ(own.unwrap_or("relations.self"), "not an id");
                None
            }
        }
    }

    fn parent(&mut self, members: &Map<String, Value>, below: Option<Guid>) -> Option<Guid> {
        let within = self.row.within?;
        if self.row.place == Place::Below(within) && below.is_some() {
            return below;
        }
        let parent = members.get("relations").and_then(|relations| relations.get("parent"));
        let text = |name: &str| parent.and_then(|parent| parent.get(name)?.as_str());
        match (text("type"), text("id").and_then(|id| id.parse::<Guid>().ok())) {
            (Some(kind), Some(id)) if kind.eq_ignore_ascii_case(within) && id != Guid::NIL => Some(id),
            // The root of a tree is the site.
            (Some(kind), _) if within == self.row.name && !kind.eq_ignore_ascii_case(within) => None,
            (Some(kind), _) if !kind.eq_ignore_ascii_case(within) => {
                self.differ(
                    "relations.parent",
                    &Unlike::Target(kind.to_owned(), within.to_owned()).to_string(),
                );
                None
            }
            _ => {
                self.differ("relations.parent", "missing");
                None
            }
        }
    }

    fn name(&mut self, members: &Map<String, Value>) -> String {
        let own = ["name", "Name"].into_iter().find(|name| self.row.field(name).is_some());
        let name = members.get(own.unwrap_or("displayName")).and_then(Value::as_str).unwrap_or_default();
        if name.len() > LONGEST {
            self.differ("name", "longer than 4096 bytes");
        }
        name.to_owned()
    }

    /// The first key that is not made of names.
    fn key(&self, members: &Map<String, Value>) -> String {
        let fields = self.row.keys.iter().find_map(|key| match key {
            Key::Address(field) | Key::Channel(field) => Some(std::slice::from_ref(field)),
            Key::Fields(fields) => Some(*fields),
            Key::Path | Key::Name | Key::NameWithin | Key::Only => None,
        });
        let text = |name: &&str| match (members.get(*name), self.row.field(name)) {
            (Some(Value::String(text)), Some(Field { shape: Shape::Text, .. })) => text.clone(),
            (Some(value), Some(field)) => {
                let bytes = written(value, &field.shape, self.form(field)).unwrap_or_default();
                match serde_json::from_slice(&bytes) {
                    Ok(Value::String(text)) => text,
                    Ok(Value::Null) | Err(_) => String::new(),
                    Ok(_) => String::from_utf8(bytes).unwrap_or_default(),
                }
            }
            _ => String::new(),
        };
        fields.unwrap_or_default().iter().map(text).collect::<Vec<_>>().join("\u{1f}")
    }

    fn builtin(&self, members: &Map<String, Value>, id: Option<Guid>) -> bool {
        let own = members
            .get("builtIn")
            .map(|flag| written(flag, &Shape::Flag, Form { spelling: self.spelling, without: &[] }));
        own == Some(Ok(b"true".to_vec())) || id.is_some_and(is_well_known)
    }

    fn form(&self, field: &'static Field) -> Form<'static> {
        Form { spelling: self.spelling, without: &field.without }
    }

    fn differ(&mut self, field: &str, words: &str) {
        let text = format!("{field}: {words}");
        if !self.is_essential(field) && self.accepted.is_some_and(|accepted| accepted.contains(&text)) {
            return;
        }
        // One alert, however many objects there are; and a foreign text does not fill the memory.
        self.differences.insert(text);
        if self.differences.len() > MOST {
            // Whatever came first, the same ones stay.
            self.differences.pop_last();
        }
    }

    /// Without it nobody knows which object it is: not a matter of what is compared.
    fn is_essential(&self, field: &str) -> bool {
        let is_key = |key: &Key| match key {
            Key::Address(name) | Key::Channel(name) => *name == field,
            Key::Fields(names) => names.contains(&field),
            Key::Path | Key::Name | Key::NameWithin => field == "name",
            Key::Only => false,
        };
        ["id", "Id", "object", "relations.self", "relations.parent"].contains(&field)
            || self.row.keys.iter().any(is_key)
    }
}

impl Draft {
    /// Which object.
    pub const fn id(&self) -> Guid {
        self.object.id
    }

    /// Adds a field in canonical form that the list does not have.
    pub fn add(&mut self, field: &'static str, canonical: Vec<u8>) {
        self.fields.push((Cow::Borrowed(field), canonical));
    }

    /// The object.
    pub fn finish(mut self) -> Object {
        self.fields.sort_unstable();
        let mut body = vec![b'{'];
        for (at, (name, bytes)) in self.fields.into_iter().enumerate() {
            if at > 0 {
                body.push(b',');
            }
            // Writing to memory does not fail.
            let _ = serde_json::to_writer(&mut body, &name);
            body.push(b':');
            body.extend(bytes);
        }
        body.push(b'}');
        Object { body: Body::new(body), ..self.object }
    }
}

/// Whether a list shows the field: members have lists of their own.
fn is_listed(row: &Type, field: &Field) -> bool {
    !row.members.iter().any(|members| members.list == field.name)
}

fn modified(members: &Map<String, Value>) -> Option<i64> {
    let text = members.get("lastModified").or_else(|| members.get("LastModified"))?.as_str()?;
    Stamp::parse(text).filter(|stamp| !stamp.is_unset()).map(Stamp::millis)
}

/// Ids that every installation has (sheet 3.6).
fn is_well_known(id: Guid) -> bool {
    WELL_KNOWN.iter().any(|known| Guid::parse(known.as_bytes()) == Some(id))
}

const WELL_KNOWN: [&str; 6] = [
    "85867627-b287-4439-9e55-a63701e1715b",
    "77b1e70d-ba8d-4bb8-9ee8-43b09746d82a",
    "7605f8b0-7f5f-4432-b223-0bb2dc3f1f5c",
    "b867db0c-be9e-422b-b934-6fc7fa98c5d8",
    "8607bccc-2bb5-4b47-a7de-8225d14c4213",
    "0e1b0ad3-f67c-4d5f-b792-4bd6c3cf52f8",
];
/// What every object has, and nobody compares.
const COMMON: [&str; 4] = ["displayName", "relations", "id", "Id"];
/// What is said of a field that the catalogue does not know.
const UNKNOWN: &str = "unknown field";
/// Differences of one type.
const MOST: usize = 20;
/// Of a name, in bytes.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests;
