//! What sync knows about every type of object of the API (sheet 3.5 to 3.8): data, not code per type.
//!
//! A [`Type`] says where its objects are listed, what makes two of them the same, which fields
//! matter and how, how an object would be created, changed and removed, and how far all of that is
//! known. Everything else in `sync` is written against this table.

pub mod field;
mod rows;
pub mod unseen;

use std::fmt;
use std::sync::LazyLock;

use self::field::Field;

/// A type of objects, by its place in the catalogue. Ordered so that what others refer to comes
/// first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u8);

/// All that sync knows about a type.
#[derive(Debug)]
pub struct Type {
    /// The name of its collection in the API (sheet 3.5).
    pub name: &'static str,
    /// Where its objects are listed.
    pub place: Place,
    /// The list leaves disabled objects out unless asked for them (sheet 3.5).
    pub lists_disabled: bool,
    /// The type of the parent that is part of the key and of the order of creation; its own name: a
    /// tree. Taken from `relations.parent`, or from where the list was.
    pub within: Option<&'static str>,
    /// What makes two objects the same, strongest first. Empty: nothing is ever linked.
    pub keys: &'static [Key],
    /// Gives rights, or acts by itself: after the baseline never linked without a person.
    pub privileged: bool,
    /// Fields that the list does not have: members of the object, each read from a list of its own.
    pub members: &'static [Members],
    /// The field with another id of the object, by which others refer to it as well (sheet 3.6: the hidden
    /// event of a generic event).
    pub alias: Option<&'static str>,
    /// Has fields that nobody has written down, such as the parts of a rule: they are compared as they
    /// are, with the ids inside translated. Of other types, an unknown field is a schema difference.
    pub open: bool,
    /// Fields of the list in the order of the sheet, then those of `members`.
    pub fields: Vec<Field>,
    /// How far sync can go.
    pub coverage: Coverage,
    /// Everything about it is confirmed by a public source (sheet 10). If not, it takes part only
    /// with `[sync] unconfirmed = true`.
    pub confirmed: bool,
    /// How an object is made.
    pub create: How,
    /// How it is changed.
    pub update: How,
    /// How it is removed.
    pub delete: How,
    /// What is done without a word of the operator about this type: create, update, delete.
    pub default: [Policy; 3],
    /// For people: what cannot be done, or cannot be seen, and why.
    pub note: &'static str,
}

/// Where the objects of a type are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/{name}`.
    Top,
    /// `/{parent}/{id}/{name}`, for every object of that type.
    Below(&'static str),
    /// Not read, with the reason.
    Unread(&'static str),
}

/// What two objects must have in common to be the same (sync design 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// This field holds a network address.
    Address(&'static str),
    /// The same parent, and this number on it.
    Channel(&'static str),
    /// The names from the root down, through parents of the same type and, if `within` is another
    /// type, that parent.
    Path,
    /// The name.
    Name,
    /// The same parent, and the name.
    NameWithin,
    /// These fields.
    Fields(&'static [&'static str]),
    /// There is one on each instance.
    Only,
}

/// Members of an object, read from `/{type}/{id}/{list}` into a field of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Members {
    /// The list.
    pub list: &'static str,
    /// What becomes of each entry.
    pub form: MemberForm,
    /// How a member is added and removed.
    pub change: How,
}

/// What stands for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberForm {
    /// Its id; the field is a set of references.
    Id,
    /// The account, as text that reads the same on both instances: `BasicUser:guard1`,
    /// `WindowsUser:S-1-5-21-...`; the field is a set.
    Account,
    /// The claim, as text `provider/name=value`; the field is a set.
    Claim,
    /// Its name; the field is a set.
    Name,
}

/// How far the API would let sync go with a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// Created, changed (or made anew) and removed.
    Full,
    /// Cannot be created or removed through the API, only changed.
    UpdateOnly,
    /// Created, changed and removed, and some of it by tasks.
    ByTask,
    /// Can be read, but never be carried over.
    CompareOnly,
    /// Cannot be read.
    Invisible,
}

/// How something is done through the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By the verb of the API.
    Rest,
    /// By this task.
    Task(&'static str),
    /// Not at all.
    No,
}

/// Who decides about an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Nobody needs to.
    Auto,
    /// A person.
    Approve,
    /// It has been decided: not at all.
    Never,
}

impl Kind {
    /// Every type, in the order of the catalogue.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..).map(Self).take(TYPES.len())
    }

    /// The type with this name, in any case: the API does not care either.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }

    /// What is known about it.
    pub fn row(self) -> &'static Type {
        &TYPES[usize::from(self.0)]
    }

    /// The name of the collection in the API.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }
}

impl Type {
    /// The field with this name, also one of members.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Coverage {
    /// As it is written in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::UpdateOnly => "update-only",
            Self::ByTask => "by-task",
            Self::CompareOnly => "compare-only",
            Self::Invisible => "invisible",
        }
    }
}

impl Policy {
    /// As it is written in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Approve => "approve",
            Self::Never => "never",
        }
    }
}

static TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| rows::all().map(rows::Row::parse).collect());

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        assert!(TYPES.len() < 256);
        let names: HashSet<&str> = Kind::all().map(Kind::as_str).collect();
        assert_eq!(names.len(), TYPES.len());
        for kind in Kind::all() {
            assert_eq!(Kind::from_name(&kind.as_str().to_ascii_uppercase()), Some(kind));
        }
    }

    #[test]
    fn what_a_type_is_within_comes_before_it() {
        for kind in Kind::all() {
            if let Some(parent) = kind.row().within {
                assert!(Kind::from_name(parent).is_some_and(|p| p <= kind), "{kind} within {parent}");
            }
            if let Place::Below(parent) = kind.row().place {
                assert!(Kind::from_name(parent).is_some_and(|p| p <= kind), "{kind} below {parent}");
            }
        }
    }

    #[test]
    fn every_key_has_its_field() {
        for kind in Kind::all() {
            let row = kind.row();
            for key in row.keys {
                let fields: &[&str] = match key {
                    Key::Address(field) | Key::Channel(field) => &[field],
                    Key::Fields(fields) => fields,
                    Key::Path | Key::Name | Key::NameWithin => &["name"],
                    Key::Only => &[],
                };
                for field in fields {
                    assert!(row.field(field).is_some(), "{kind} has no field {field}");
                }
            }
        }
    }

    #[test]
    fn the_coverage_word_says_what_can_be_done() {
        for kind in Kind::all() {
            let row = kind.row();
            let done = [row.create, row.update, row.delete];
            let members = row.members.iter().map(|m| m.change);
            let by_task = done.into_iter().chain(members).any(|how| matches!(how, How::Task(_)));
            assert_ne!(row.coverage, Coverage::Invisible, "{kind}: what nobody can read is no type");
            match row.coverage {
                Coverage::Invisible => {}
                Coverage::Full => {
                    assert!(row.create == How::Rest && row.delete == How::Rest && !by_task, "{kind}");
                }
                Coverage::ByTask => assert!(by_task && !done.contains(&How::No), "{kind}"),
                Coverage::UpdateOnly => assert_eq!(done, [How::No, How::Rest, How::No], "{kind}"),
                Coverage::CompareOnly => assert_eq!(done, [How::No; 3], "{kind}"),
            }
        }
    }

    #[test]
    fn nobody_is_promised_what_cannot_be_done() {
        for kind in Kind::all() {
            let row = kind.row();
            let unread = matches!(row.place, Place::Unread(_));
            for (how, policy) in [row.create, row.update, row.delete].into_iter().zip(row.default) {
                if how == How::No || unread {
                    assert_eq!(policy, Policy::Never, "{kind}");
                }
                assert!(!row.privileged || policy != Policy::Auto, "{kind}");
            }
            let by_hand = unread || row.coverage == Coverage::CompareOnly;
            assert!(!by_hand || !row.note.is_empty(), "{kind}: nobody says what to do by hand");
            assert!(row.open || !row.fields.is_empty(), "{kind}");
        }
    }
}
