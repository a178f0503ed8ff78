//! What was not paired, and why.

use std::fmt;

use crate::idmap::guid::Guid;
use crate::sync::catalogue::{Key, Kind};
use crate::sync::pair::Side;

/// An object that was not paired although it may have a counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Its type.
    pub kind: Kind,
    /// Where it is.
    pub side: Side,
    /// Its id there.
    pub id: Guid,
    /// Its name there.
    pub name: String,
    /// Why not.
    pub why: Why,
}

/// Why an object was not paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// So many objects of its own instance have its key.
    Twins(Key, usize),
    /// So many objects of the other instance have its key.
    TwinsThere(Key, usize),
    /// The only object with its key has another counterpart.
    Taken(Key),
    /// The only object with its key is disputed by a stronger one.
    Disputed(Key),
    /// One of the two comes with every installation and the other does not.
    Builtin(Key),
    /// An operator said so.
    Apart,
    /// It has no name, or one above it has none.
    NoName,
    /// It has no value for this key.
    NoValue(Key),
    /// What it belongs to is not in the list, or lies in itself.
    NoParent,
    /// What it belongs to is disputed.
    ParentUnlinked,
    /// A key that is not strong enough for its type.
    Weak(Key),
    /// It gives rights or acts by itself; `None`: it looks like one that has
    /// vanished, or has the id of one.
    Privileged(Kind, Option<Key>),
    /// It looks like so many objects that have vanished, or one that has looks like it and others.
    Alike,
    /// So many objects have vanished and so many are new: too many to find out which is which.
    Mass(usize, usize),
    /// Its type has no key.
    ByOperator,
}

/// Something that the configuration says about two objects and that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Misfit {
    /// Their type.
    pub kind: Kind,
    /// As the configuration has them, on A and on B.
    pub objects: [String; 2],
    /// What does not fit.
    pub why: Unfit,
}

/// Why an operator's pair is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    /// This side has no such object.
    Nobody(Side),
    /// So many objects of this side have the name.
    Several(Side, usize),
    /// One of the objects is in another pair of the configuration.
    Twice,
    /// By `sync links`, an operator has said something else.
    Contradicted,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twins(key, n) => write!(f, "{n} objects of its instance have this {}", word(key)),
            Self::TwinsThere(key, n) => {
                write!(f, "{n} objects of the other instance have this {}", word(key))
            }
            Self::Taken(key) => {
                let key = word(key);
                write!(f, "the object of the other instance with this {key} is another's counterpart")
            }
            Self::Disputed(key) => {
                write!(f, "the object of the other instance with this {} is disputed itself", word(key))
            }
            Self::Builtin(key) => {
                let key = word(key);
                write!(f, "of the two with this {key}, one comes with the installation and one does not")
            }
            Self::Apart => f.write_str("kept apart from its counterpart by an operator"),
            Self::NoName => f.write_str("it, or one that it lies in, has no name"),
            Self::NoValue(key) => write!(f, "it has no {}", value(key)),
            Self::NoParent => f.write_str("what it belongs to is not in the list"),
            Self::ParentUnlinked => f.write_str("what it belongs to is not linked"),
            Self::Weak(key) => {
                write!(f, "matches an existing one only by {}: a person has to link it", value(key))
            }
            Self::Privileged(kind, Some(key)) => {
                let key = value(key);
                write!(
                    f,
                    "a new object of {kind} that matches an existing one by {key}: only a person may link it"
                )
            }
            Self::Privileged(kind, None) => {
                write!(
                    f,
                    "a new object of {kind} that looks like an existing one, or has its id: only a person may link it"
                )
            }
            Self::Alike => f.write_str("more than one vanished and new object look alike"),
            Self::Mass(lost, new) => {
                write!(f, "mass rename: {lost} objects have vanished here and {new} are new")
            }
            Self::ByOperator => f.write_str("only an operator can pair it ([[sync.pair]])"),
        }
    }
}

/// In "objects that have this ...".
fn word(key: &Key) -> String {
    match key {
        Key::Channel("channel") => "channel of this hardware".to_owned(),
        Key::Channel(field) => format!("{field} in this place"),
        Key::NameWithin => "name in this place".to_owned(),
        Key::Only => "type, of which there is only one".to_owned(),
        _ => value(key),
    }
}

/// By itself.
fn value(key: &Key) -> String {
    match key {
        Key::Address(_) => "address".to_owned(),
        Key::Channel(field) => (*field).to_owned(),
        Key::Path => "path of names".to_owned(),
        Key::Name | Key::NameWithin => "name".to_owned(),
        Key::Fields(fields) => fields.join(" and "),
        Key::Only => "type".to_owned(),
    }
}
