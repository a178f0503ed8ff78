//! What makes two objects the same, in a form that can be compared.

use std::collections::HashMap;

use serde_json::Value;

use super::Why;
use super::fold::{address, fold};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::{Key, Kind};
use crate::sync::pair::Side;
use crate::sync::snapshot::Object;

/// Objects of one type with equal marks are the same object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Mark {
    Text(String),
    Path(Vec<String>),
    /// On what lies around it, by its id on side A, whichever side the object is on; `None`: the root.
    Inside(Option<Guid>, String),
    Only,
}

/// Where an object stands when those are judged that lie in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Paired; its id on side A.
    Both(Guid),
    /// The other side does not have it.
    OnlyHere,
    /// Nobody knows.
    Disputed,
}

/// The objects of a type on one side, in which others lie.
pub(super) type Places = HashMap<Guid, Place>;

/// What is needed to make the marks of one side.
pub(super) struct Keys<'a> {
    key: Key,
    /// It is the one that [`Object::key`] has the values of.
    kept: bool,
    /// The objects of the type by id, if they lie in each other.
    tree: Option<HashMap<Guid, &'a Object>>,
    /// Their parents are in `places`.
    inside: bool,
    places: &'a Places,
}

impl<'a> Keys<'a> {
    pub(super) fn new(kind: Kind, key: Key, objects: &'a [Object], places: &'a Places) -> Self {
        let row = kind.row();
        let is_tree = row.within == Some(row.name);
        let tree = is_tree.then(|| objects.iter().map(|o| (o.id, o)).collect());
        let kept = row.keys.iter().find(|key| !is_of_names(key)) == Some(&key);
        Self { key, kept, tree, inside: row.within.is_some() && !is_tree, places }
    }

    /// The object's mark, or why it has none. `None`: nothing on the other side can have it.
    pub(super) fn of(&self, object: &Object) -> Result<Option<Mark>, Why> {
        let missing = Why::NoValue(self.key);
        match self.key {
            Key::Only => Ok(Some(Mark::Only)),
            Key::Name => name(object).map(Mark::Text).map(Some),
            Key::NameWithin | Key::Path if self.tree.is_some() => self.path(object).map(Mark::Path).map(Some),
            Key::NameWithin | Key::Path => self.inside(object, name(object)?),
            Key::Address(field) => {
                let text = self.text(object, &[field]);
                address(&text).map(Mark::Text).map(Some).ok_or(missing)
            }
            Key::Channel(field) => {
                let number: i64 = self.text(object, &[field]).trim().parse().map_err(|_| missing)?;
                self.inside(object, number.to_string())
            }
            Key::Fields(fields) => {
                let parts: Vec<String> = self.text(object, fields).split(SEPARATOR).map(fold).collect();
                let blank = parts.iter().all(String::is_empty);
                if blank { Err(missing) } else { Ok(Some(Mark::Path(parts))) }
            }
        }
    }

    fn inside(&self, object: &Object, text: String) -> Result<Option<Mark>, Why> {
        if !self.inside {
            return Ok(Some(Mark::Inside(None, text)));
        }
        let Some(parent) = object.parent else {
            // A channel is one of something.
            let alone = matches!(self.key, Key::Channel(_));
            return if alone { Err(Why::NoParent) } else { Ok(Some(Mark::Inside(None, text))) };
        };
        match *self.places.get(&parent).ok_or(Why::NoParent)? {
            Place::Both(id) => Ok(Some(Mark::Inside(Some(id), text))),
            Place::OnlyHere => Ok(None),
            Place::Disputed => Err(Why::ParentUnlinked),
        }
    }

    /// From the root down. An object that is its own ancestor has no root.
    fn path(&self, object: &Object) -> Result<Vec<String>, Why> {
        let mut path = vec![name(object)?];
        let mut above = object.parent;
        while let Some(id) = above {
            let parent = self.tree.as_ref().and_then(|tree| tree.get(&id)).ok_or(Why::NoParent)?;
            path.push(name(parent)?);
            if path.len() > DEEPEST {
                return Err(Why::NoParent);
            }
            above = parent.parent;
        }
        path.reverse();
        Ok(path)
    }

    /// The values of fields, joined.
    fn text(&self, object: &Object, fields: &[&str]) -> String {
        if self.kept {
            return object.key.to_string();
        }
        let values = object.body.fields();
        let text = |field: &&str| match values.get(*field) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        fields.iter().map(text).collect::<Vec<_>>().join(&SEPARATOR.to_string())
    }
}

/// Where an object lies, by the id on side A; [`Guid::NIL`]: at the root. `None`: nobody knows.
pub(super) fn scope(
    object: &Object,
    side: Side,
    kind: Kind,
    places: &Places,
    partner: impl Fn(Guid) -> Option<Guid>,
) -> Option<Guid> {
    let Some(parent) = object.parent else { return Some(Guid::NIL) };
    if kind.row().within == Some(kind.as_str()) {
        let other = partner(parent)?;
        return Some(if side == Side::A { parent } else { other });
    }
    match places.get(&parent)? {
        Place::Both(id) => Some(*id),
        Place::OnlyHere | Place::Disputed => None,
    }
}

fn is_of_names(key: &Key) -> bool {
    matches!(key, Key::Path | Key::Name | Key::NameWithin | Key::Only)
}

fn name(object: &Object) -> Result<String, Why> {
    let folded = fold(&object.name);
    if folded.is_empty() { Err(Why::NoName) } else { Ok(folded) }
}

/// Between the values of fields.
const SEPARATOR: char = '\u{1f}';
/// Groups in groups; people do not nest them that far, a circle does.
const DEEPEST: usize = 64;
