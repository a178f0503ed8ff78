//! Operations while they are being worked out, and everything else that a plan will have.

use std::collections::{BTreeMap, BTreeSet};

use super::references::Reference;
use super::{Act, Change, Conflict, Drift, Skipped, Verdict};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::{Kind, Policy};
use crate::sync::pair::{Pair, Side};
use crate::sync::snapshot::{Body, Digest, Object};

/// An operation that does not know its place yet.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub kind: Kind,
    pub act: Act,
    pub name: String,
    /// The side from which the change comes; the other one is the target.
    pub from: Side,
    pub ids: [Option<Guid>; 2],
    /// Of what is made, first in the ids of the side from which it comes, then of the target; of what is
    /// deleted, on the target.
    pub parent: Option<Guid>,
    pub changes: Vec<Change>,
    /// Fields of `changes` that were never alike: nobody has changed them.
    pub never_agreed: Vec<String>,
    /// What the new values refer to, in the ids of the side from which they come.
    pub references: Vec<Reference>,
    /// What is on the target now.
    pub before: Option<Body>,
    pub policy: Policy,
    pub verdict: Verdict,
    pub reasons: Vec<String>,
    /// Other drafts that have to come first.
    pub after: Vec<usize>,
}

impl Draft {
    /// The side that would be written to.
    pub const fn target(&self) -> Side {
        self.from.other()
    }

    /// Makes it wait for a person.
    pub fn hold(&mut self, reason: String) {
        self.verdict = self.verdict.max(Verdict::Hold);
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// The digest of what is on the target now.
    pub fn before(&self) -> Option<Digest> {
        self.before.as_ref().map(Body::digest)
    }
}

/// What was found out, type by type.
#[derive(Default)]
pub(super) struct Found {
    pub drafts: Vec<Draft>,
    pub skipped: Vec<Skipped>,
    pub conflicts: Vec<Conflict>,
    pub drift: Vec<Drift>,
    pub adopt: Vec<(Pair, Option<Body>)>,
    /// Fields of a type that nobody can compare as long as something is not paired: why.
    pub incomparable: BTreeSet<(Kind, String)>,
    /// Objects that only one side has and that will not be created: why.
    pub left: BTreeMap<(Side, Kind, Guid), String>,
}

impl Found {
    /// Something about an object that will not be done.
    pub fn skip(&mut self, kind: Kind, side: Side, object: &Object, reason: String) {
        let object = (object.name.to_string(), Some((side, object.id)));
        self.skipped.push(Skipped { kind, name: object.0, object: object.1, reason });
    }
}
