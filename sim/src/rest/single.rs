//! Children of which there is exactly one, with the id of their parent (sheet 3.1): the settings of a camera, the
//! information about a storage. Untouched ones are made when they are asked for, so they cost nothing.

use std::borrow::Cow;

use super::{facts, table::Type};
use crate::world::{Object, World};

/// Flag of such types.
pub const SINGLE: &str = "single";

/// An object of any type.
pub fn find<'w>(world: &'w World, kind: &Type, id: &str) -> Option<Cow<'w, Object>> {
    if let Some(object) = world.store.get(kind.name(), id) {
        return Some(Cow::Borrowed(object));
    }
    if !kind.has(SINGLE) {
        return None;
    }
    let mut parents = kind.row.parent.split_whitespace().filter_map(|parent| world.store.get(parent, id));
    parents.next().map(|parent| Cow::Owned(untouched(kind, parent)))
}

/// The one child of that type.
pub fn below<'w>(world: &'w World, kind: &Type, parent: &Object) -> Cow<'w, Object> {
    match world.store.get(kind.name(), &parent.id) {
        Some(object) => Cow::Borrowed(object),
        None => Cow::Owned(untouched(kind, parent)),
    }
}

/// Whether that type has exactly one child of the other.
pub fn is_child(kind: &Type, parent: &str) -> bool {
    kind.has(SINGLE) && kind.is_below(parent) && kind.name() != parent
}

/// Stores an untouched one, before its first change.
pub fn keep(world: &mut World, kind: &Type, id: &str) {
    if let Some(Cow::Owned(object)) = find(world, kind, id) {
        world.store.insert(object);
    }
}

fn untouched(kind: &Type, parent: &Object) -> Object {
    let mut object = Object::new(kind.name(), parent.id.clone()).below(parent.kind, &parent.id);
    object.physical = parent.physical;
    if kind.field("lastModified").is_some()
        && let Some(time) = parent.fields.get("lastModified")
    {
        object.set("lastModified", time.clone());
    }
    object.with(facts::of(kind.name(), parent))
}
