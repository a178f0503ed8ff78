//! The catalogue: what the rows of [`super::rows`] mean.

use std::{collections::HashMap, sync::LazyLock};

use super::{field::Field, rows::rows};
use crate::settings::Version;

/// One type of object as the sheet lists it (3.5 and 3.6). A new type is a new row.
pub struct Row {
    /// Name of the collection.
    pub name: &'static str,
    /// Readable name.
    pub display: &'static str,
    /// Types that can be its parent, the usual one first.
    pub parent: &'static str,
    /// Verbs of the collection: G get, P create. Empty: not addressable.
    pub collection: &'static str,
    /// Verbs of an item: G get, P task, U put, A patch, D delete. Empty: not addressable.
    pub item: &'static str,
    /// Words: `disabled` hides disabled ones by default, `unique` names, `plain` objects without displayName and
    /// relations, `client-ids` honours ids of the client, `post-200`, `since-24.2` first version, `single` one child
    /// with the id of its parent, `open` members of any name and value besides the fields. For DELETE: `group` with
    /// members only by `removeMembers`, `confirm` only by `userAccept`, `mounts` an unmounted one only by
    /// `deleteIfOffline`, `empty` only without children.
    pub flags: &'static str,
    /// Fields, in the notation of [`super::field`].
    pub fields: &'static str,
    /// Sub-collections `name=verbs[task,...]/item verbs`; `~name` lists members of a group,
    /// `+name` all of the type, `*` everything below a site.
    pub subs: &'static str,
    /// Tasks of an item, `@24.2` behind those that are newer than their type.
    pub tasks: &'static str,
    /// Tasks of the collection.
    pub collection_tasks: &'static str,
}

impl Row {
    /// What most rows share.
    pub const PLAIN: Self = Self {
        name: "",
        display: "",
        parent: "sites",
        collection: "G",
        item: "G",
        flags: "",
        fields: "",
        subs: "",
        tasks: "",
        collection_tasks: "",
    };
}

/// A row, read.
pub struct Type {
    /// The row.
    pub row: &'static Row,
    /// Its fields in order.
    pub fields: Vec<Field>,
    /// Its sub-collections.
    pub subs: Vec<Sub>,
    /// Version that has it first.
    pub since: Version,
}

/// How objects are below another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// Their parent is that object.
    Children,
    /// That object is a group that lists them.
    Members,
    /// All of the type are.
    Everything,
}

/// A sub-collection.
pub struct Sub {
    /// Type of its items; `*` every type below a site.
    pub name: &'static str,
    /// How they are below.
    pub below: Below,
    /// Verbs on the sub-collection.
    pub collection: &'static str,
    /// Verbs on its items.
    pub item: &'static str,
    /// Tasks that are invoked on the sub-collection.
    pub tasks: Vec<&'static str>,
}

impl Type {
    fn parse(row: &'static Row) -> Option<Self> {
        let since = row.flags.split(' ').find_map(|flag| flag.strip_prefix("since-"));
        Some(Self {
            row,
            fields: row.fields.split_whitespace().map(Field::parse).collect::<Option<_>>()?,
            subs: row.subs.split_whitespace().map(Sub::parse).collect::<Option<_>>()?,
            since: match since {
                Some(version) => version.parse().ok()?,
                None => Version { major: 0, minor: 0 },
            },
        })
    }

    /// Name of the collection.
    pub fn name(&self) -> &'static str {
        self.row.name
    }

    /// Whether the row has this flag.
    pub fn has(&self, flag: &str) -> bool {
        self.row.flags.split(' ').any(|word| word == flag)
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The sub-collection of that type.
    pub fn sub(&self, name: &str) -> Option<&Sub> {
        self.subs.iter().find(|sub| sub.name == name).or_else(|| {
            let below_site = find(name).is_some_and(|child| child.is_below("sites"));
            self.subs.iter().find(|sub| sub.name == "*" && below_site)
        })
    }

    /// Whether objects of this type may have a parent of that type.
    pub fn is_below(&self, parent: &str) -> bool {
        self.row.parent.split_whitespace().any(|name| name == parent)
    }

    /// Names of all sub-collections, `*` resolved.
    pub fn sub_names(&self) -> Vec<&'static str> {
        let below_site = || types().iter().map(Type::name).filter(|name| self.sub(name).is_some());
        if self.subs.iter().any(|sub| sub.name == "*") {
            below_site().collect()
        } else {
            self.subs.iter().map(|sub| sub.name).collect()
        }
    }

    /// Tasks of an item in a version.
    pub fn tasks(&self, version: Version) -> impl Iterator<Item = &'static str> {
        self.row.tasks.split_whitespace().filter_map(move |token| match token.split_once('@') {
            Some((name, since)) => since.parse().is_ok_and(|since: Version| since <= version).then_some(name),
            None => Some(token),
        })
    }

    /// Names of the types that can be below this one.
    pub fn children(&self) -> &'static [&'static str] {
        static INDEX: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
            let mut index: HashMap<_, Vec<_>> = HashMap::new();
            for kind in types() {
                for parent in kind.row.parent.split_whitespace() {
                    index.entry(parent).or_default().push(kind.name());
                }
            }
            index
        });
        INDEX.get(self.name()).map_or(&[], Vec::as_slice)
    }

    /// Whether a member of that name is none of the fields but may be there: the type is `open`, and the name is not
    /// that of a hidden member or of one that every object has.
    pub fn is_extra(&self, name: &str) -> bool {
        const COMMON: [&str; 5] = ["displayName", "id", "path", "relations", "state"];
        self.has("open") && self.field(name).is_none() && !name.starts_with('_') && !COMMON.contains(&name)
    }

    /// Tasks of the collection.
    pub fn collection_tasks(&self) -> impl Iterator<Item = &'static str> {
        self.row.collection_tasks.split_whitespace()
    }
}

impl Sub {
    fn parse(token: &'static str) -> Option<Self> {
        let (name, verbs) = token.split_once('=')?;
        let (collection, item) = verbs.split_once('/').unwrap_or((verbs, ""));
        let (collection, tasks) = match collection.split_once('[') {
            Some((verbs, tasks)) => (verbs, tasks.strip_suffix(']')?.split(',').collect()),
            None => (collection, Vec::new()),
        };
        let (name, below) = match (name.strip_prefix('~'), name.strip_prefix('+')) {
            (Some(name), _) => (name, Below::Members),
            (_, Some(name)) => (name, Below::Everything),
            (None, None) => (name, Below::Children),
        };
        Some(Self { name, below, collection, item, tasks })
    }
}

/// Every type. A row that cannot be read is left out; a test makes sure that there is none.
pub fn types() -> &'static [Type] {
    static TYPES: LazyLock<Vec<Type>> = LazyLock::new(|| rows().filter_map(Type::parse).collect());
    &TYPES
}

/// The type of that collection name, whatever its case (sheet 3.1).
pub fn find(name: &str) -> Option<&'static Type> {
    static INDEX: LazyLock<HashMap<String, &'static Type>> =
        LazyLock::new(|| types().iter().map(|kind| (kind.name().to_ascii_lowercase(), kind)).collect());
    INDEX.get(&name.to_ascii_lowercase()).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rest::{
        field::{ANY, Kind},
        tasks,
    };

    fn targets(field: &Field) -> Vec<&'static str> {
        match &field.kind {
            Kind::Reference(target)
            | Kind::Path(target)
            | Kind::References(target)
            | Kind::Id(target)
            | Kind::Item(target) => vec![target],
            Kind::Embedded(shape) | Kind::EmbeddedList(shape) => {
                shape.fields.iter().flat_map(targets).collect()
            }
            _ => Vec::new(),
        }
    }

    #[test]
    fn every_row_is_read_and_names_only_what_exists() {
        assert_eq!(types().len(), rows().count());
        for kind in types() {
            for field in &kind.fields {
                for target in targets(field) {
                    assert!(target == ANY || find(target).is_some(), "{} refers to {target}", kind.name());
                }
            }
            for sub in &kind.subs {
                assert!(sub.name == "*" || find(sub.name).is_some(), "{} has {}", kind.name(), sub.name);
                assert!(sub.tasks.iter().all(|task| tasks::find(task).is_some()), "tasks of {}", sub.name);
            }
            let newest = Version { major: u16::MAX, minor: 0 };
            assert_eq!(
                kind.tasks(newest).count(),
                kind.row.tasks.split_whitespace().count(),
                "{}",
                kind.name()
            );
            for task in kind.tasks(newest).chain(kind.collection_tasks()) {
                assert!(tasks::find(task).is_some(), "{} has {task}", kind.name());
            }
            for parent in kind.row.parent.split_whitespace() {
                assert!(find(parent).is_some(), "{} below {parent}", kind.name());
            }
        }
    }

    #[test]
    fn subs_are_read() {
        let roles = find("ROLES").unwrap();
        let users = roles.sub("users").unwrap();
        assert_eq!((users.collection, users.item, users.below), ("GP", "G", Below::Members));
        assert_eq!(users.tasks, ["AddRoleMember", "RemoveRoleMember"]);
        assert!(find("sites").unwrap().sub("cameraGroups").is_some());
        assert!(find("sites").unwrap().sub("cameras").is_none());
    }
}
