//! What every step of planning looks at.

use super::translate::Ids;
use super::{Input, TypePolicy};
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

    /// Whether changes of this side are carried to the other one.
    pub fn flows_from(&self, side: Side, own: &TypePolicy) -> bool {
        own.both || side == self.input.source
    }
}
