//! The fields of a type, and the notation in which the catalogue writes them.
//!
//! ```text
//! field   = [mark] name ["?"] "=" shape
//! mark    = "~" local: differs by nature       "*" derived: read-only, computed by the server
//!           "!" secret: written, never shown    "+" taken at creation only: compared, never changed
//! "?"     may be missing or null
//! shape   = s text | i integer | n number | b boolean | dt date and time | g GUID that refers to nothing of ours
//!         | {a|b} one of these words
//!         | >type   reference as {"type", "id"}        | @type  reference as "type/guid"
//!         | ^type   reference as "Type[guid]"          | #type  reference as a bare GUID
//!           (type: a name of the catalogue, or `any`)
//!         | o       an object or a text, kept as it is; ids inside are translated
//!         | o-a,b   an object; its members a and b, which differ by nature, are left out
//!         | [shape] a list whose order matters         | (shape) a set
//! ```

use std::fmt;

use super::{How, MemberForm, Members};

/// A field of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// What sync does with it.
    pub class: Class,
    /// What its value looks like.
    pub shape: Shape,
    /// May be missing or null.
    pub optional: bool,
    /// Taken when an object is made and never changed afterwards.
    pub fixed: bool,
    /// Members of the object, or of the objects in the list, that differ by nature and are left out.
    pub without: Vec<&'static str>,
}

/// What sync does with a field (sync design 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A plain value, kept alike.
    Synced,
    /// Differs by nature; never compared.
    Local,
    /// Never read, compared or shown.
    Secret,
    /// Computed by the server; never compared.
    Derived,
    /// Refers to another object; compared by what it is linked to.
    Reference,
    /// Values without an order.
    Set,
    /// Values in an order.
    List,
    /// Compared and carried over as a whole.
    Opaque,
}

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// Whole number.
    Integer,
    /// Number.
    Number,
    /// Boolean; old versions write it as text (sheet 3.1).
    Flag,
    /// Date and time.
    Date,
    /// A GUID that refers to nothing of ours.
    Guid,
    /// One of these words, as text even if it is a number (sheet 3.6).
    Word(Vec<&'static str>),
    /// A reference to an object of this type, or `any`.
    Reference(Notation, &'static str),
    /// An object of any form, or a text that has one.
    Any,
    /// A list.
    List(Box<Shape>),
    /// A set.
    Set(Box<Shape>),
}

/// How a reference is written (sheet 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// `{"type": "cameras", "id": "..."}`.
    Object,
    /// `"cameras/guid"`.
    Path,
    /// `"Camera[guid]"`.
    Item,
    /// `"guid"`.
    Bare,
}

/// Why a field of the catalogue cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Misspelt(pub &'static str);

impl fmt::Display for Misspelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no field in the notation of the catalogue", self.0)
    }
}

impl Field {
    /// Reads one field.
    pub(super) fn parse(token: &'static str) -> Result<Self, Misspelt> {
        let (head, text) = token.split_once('=').ok_or(Misspelt(token))?;
        let shape = Shape::parse(text).ok_or(Misspelt(token))?;
        let without = Shape::left_out(text);
        if without.iter().any(|member| member.is_empty()) {
            return Err(Misspelt(token));
        }
        let name = head.trim_start_matches(['~', '*', '!', '+']);
        let (mark, name) = (&head[..head.len() - name.len()], name);
        let class = match mark {
            "~" => Class::Local,
            "*" => Class::Derived,
            "!" => Class::Secret,
            "" | "+" => shape.class(),
            _ => return Err(Misspelt(token)),
        };
        let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        if name.is_empty() {
            return Err(Misspelt(token));
        }
        Ok(Self { name, class, shape, optional, fixed: mark == "+", without })
    }

    /// The field into which members are read.
    pub(super) fn of_members(members: &Members) -> Self {
        let one = match members.form {
            MemberForm::Id => Shape::Reference(Notation::Bare, members.list),
            MemberForm::Account | MemberForm::Claim | MemberForm::Name => Shape::Text,
        };
        let shape = Shape::Set(Box::new(one));
        let fixed = members.change == How::No;
        Self { name: members.list, class: shape.class(), shape, optional: false, fixed, without: Vec::new() }
    }

    /// Whether its values are compared.
    pub const fn is_compared(&self) -> bool {
        !matches!(self.class, Class::Local | Class::Secret | Class::Derived)
    }
}

impl Shape {
    fn parse(text: &'static str) -> Option<Self> {
        let inside = |open, close| text.strip_prefix(open)?.strip_suffix(close);
        if let Some(inner) = inside('[', ']') {
            return Some(Self::List(Box::new(Self::parse(inner)?)));
        }
        if let Some(inner) = inside('(', ')') {
            return Some(Self::Set(Box::new(Self::parse(inner)?)));
        }
        if let Some(words) = inside('{', '}') {
            let words: Vec<&str> = words.split('|').collect();
            return words.iter().all(|w| !w.is_empty()).then_some(Self::Word(words));
        }
        let reference =
            [('>', Notation::Object), ('@', Notation::Path), ('^', Notation::Item), ('#', Notation::Bare)];
        for (mark, notation) in reference {
            if let Some(target) = text.strip_prefix(mark) {
                return (!target.is_empty()).then_some(Self::Reference(notation, target));
            }
        }
        Some(match text {
            "s" => Self::Text,
            "i" => Self::Integer,
            "n" => Self::Number,
            "b" => Self::Flag,
            "dt" => Self::Date,
            "g" => Self::Guid,
            "o" => Self::Any,
            _ if text.starts_with("o-") => Self::Any,
            _ => return None,
        })
    }

    /// The members behind `o-`.
    fn left_out(text: &'static str) -> Vec<&'static str> {
        let inner = text.trim_start_matches(['[', '(']).trim_end_matches([']', ')']);
        inner.strip_prefix("o-").map_or_else(Vec::new, |members| members.split(',').collect())
    }

    const fn class(&self) -> Class {
        match self {
            Self::Reference(..) => Class::Reference,
            Self::Any => Class::Opaque,
            Self::List(_) => Class::List,
            Self::Set(_) => Class::Set,
            _ => Class::Synced,
        }
    }

    /// The type that values of this shape refer to.
    pub fn target(&self) -> Option<&'static str> {
        match self {
            Self::Reference(_, target) => Some(target),
            Self::List(inner) | Self::Set(inner) => inner.target(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_notation() {
        let field = Field::parse("recordingStorage?=>storages").unwrap();
        assert_eq!((field.class, field.optional, field.fixed), (Class::Reference, true, false));
        assert_eq!(field.shape, Shape::Reference(Notation::Object, "storages"));
        assert_eq!(Field::parse("*channel=i").unwrap().class, Class::Derived);
        assert_eq!(Field::parse("~hostName=s").unwrap().class, Class::Local);
        assert_eq!(Field::parse("!password=s").unwrap().class, Class::Secret);
        let kind = Field::parse("+timeProfileType={Sunclock|Calendar}").unwrap();
        assert_eq!((kind.class, kind.fixed), (Class::Synced, true));
        assert_eq!(kind.shape, Shape::Word(vec!["Sunclock", "Calendar"]));
        let set = Field::parse("sourceList=(>any)").unwrap();
        assert_eq!((set.class, set.shape.target()), (Class::Set, Some("any")));
        assert_eq!(Field::parse("items=[o]").unwrap().class, Class::List);
        let items = Field::parse("items=[o-id,path]").unwrap();
        assert_eq!(items.shape, Shape::List(Box::new(Shape::Any)));
        assert_eq!(items.without, ["id", "path"]);
    }

    #[test]
    fn what_is_no_field() {
        for token in ["name", "=s", "x=", "x=q", "x={a||b}", "x=>", "x=[s", "~*x=s", "x=o-", "x=[o-a,]"] {
            assert_eq!(Field::parse(token), Err(Misspelt(token)));
        }
    }
}
