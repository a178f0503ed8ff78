//! What every step of planning looks at.

use super::translate::Ids;
use super::{Input, TypePolicy};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::Kind;
use crate::sync::pair::Side;

/// The input, and which ids mean the same.
pub(super) struct Scene<'a> {
    pub input: &'a Input<'a>,
    pub ids: Ids,
}

impl Scene<'_> {
    /// The name of a side's instance.
    pub fn instance(&self, side: Side) -> &str {
        &self.input.sides[side.index()].instance
    }

    /// Whether both sides have an object with this id: one that every installation has.
    pub fn is_on_both(&self, kind: Kind, id: Guid) -> bool {
        self.input.sides.iter().all(|side| {
            let objects = side.trusted(kind).unwrap_or_default();
            objects.binary_search_by_key(&id, |object| object.id).is_ok()
        })
    }

    /// Whether changes of this side are carried to the other one.
    pub fn flows_from(&self, side: Side, own: &TypePolicy) -> bool {
        own.both || side == self.input.source
    }
}
