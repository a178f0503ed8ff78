//! What would have to be done to keep two instances alike, and everything that would not be done,
//! each with its reason (sync design 2.2). Pure: the same input gives the same plan, byte for byte.

mod both;
mod difference;
mod digest;
mod draft;
mod findings;
mod gone;
mod graph;
mod noise;
mod order;
mod part;
mod planner;
mod policy;
mod references;
mod resolve;
mod scene;
mod single;
mod translate;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::findings::noisy_names;
pub use self::planner::plan;
use super::catalogue::{Kind, Policy};
use super::pair::{Pair, Pairs, Side};
pub use super::snapshot::Digest;
use super::snapshot::{Body, Snapshot};
use crate::idmap::guid::Guid;

/// All that a plan follows from.
pub struct Input<'a> {
    /// Side A and side B.
    pub sides: [&'a Snapshot; 2],
    /// The primary.
    pub source: Side,
    /// What is the same. Of an object that has vanished the pair is still here until that is settled.
    pub pairs: &'a Pairs,
    /// Of the pairs, those whose object on one side was deleted and made again under another id, each with
    /// the pair that it was before: its base still counts.
    pub replaced: &'a BTreeMap<Pair, Pair>,
    /// Objects that may be the same as others and are not paired: where, which, why.
    pub disputed: &'a [(Side, Kind, Guid, String)],
    /// What both sides last agreed on, in the ids of side A.
    pub bases: &'a dyn Bases,
    /// Paired objects that the last readings did not have.
    pub missing: &'a BTreeMap<(Side, Kind, Guid), Missing>,
    /// The operator's rules.
    pub rules: &'a Rules,
    /// Seconds of UNIX time by our clock.
    pub now_unix: u64,
}

/// Where the agreed bases are kept. A base has only the fields on which both sides agreed.
pub trait Bases: Sync {
    /// The digest of [`Bases::body`]; `None`: nothing was ever agreed about this pair.
    fn digest(&self, pair: &Pair) -> Option<Digest>;
    /// The base itself.
    fn body(&self, pair: &Pair) -> Option<Body>;
}

/// An object that vanished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// When it was first missing, in seconds of UNIX time.
    pub since_unix: u64,
    /// In so many complete full readings in a row.
    pub readings: u32,
}

/// The operator's rules about two instances.
#[derive(Clone, Debug)]
pub struct Rules {
    /// By type, what the configuration says; others have the defaults of the catalogue.
    pub policies: BTreeMap<Kind, TypePolicy>,
    /// Types whose shape is not confirmed take part.
    pub unconfirmed: bool,
    /// Somebody has confirmed what was paired at first. Before, everything is held.
    pub baseline: bool,
    /// Readings in which an object must be missing before it counts as deleted.
    pub delete_readings: u32,
    /// How long it must be missing, in seconds.
    pub delete_age_s: u64,
}

/// What the configuration says about one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypePolicy {
    /// New objects.
    pub create: Policy,
    /// Changed objects, renames and replacements included.
    pub update: Policy,
    /// Vanished objects.
    pub delete: Policy,
    /// Changes of the standby are carried to the primary, too.
    pub both: bool,
    /// Only these fields; empty: all.
    pub fields: Vec<String>,
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Over everything below and all that it follows from, but for the time.
    pub digest: Digest,
    /// In the order in which they would be carried out.
    pub operations: Vec<Operation>,
    /// What will not be done, and why.
    pub skipped: Vec<Skipped>,
    /// Where both sides were changed.
    pub conflicts: Vec<Conflict>,
    /// What only the target has changed.
    pub drift: Vec<Drift>,
    /// What a person should look at as a whole.
    pub findings: Vec<Finding>,
    /// New bases: both sides agree and nothing needs to be written to them. `None`: both are gone.
    pub adopt: Vec<(Pair, Option<Body>)>,
}

/// One change of one object of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Over this operation alone: what it does, to what, from what. Approvals are bound to it.
    pub digest: Digest,
    /// Of the object.
    pub kind: Kind,
    /// What would be done.
    pub act: Act,
    /// The object's name, on the side where it was changed.
    pub name: String,
    /// The side that would be written to.
    pub target: Side,
    /// The object on A and on B; `None`: not there, or not yet.
    pub ids: [Option<Guid>; 2],
    /// For a creation: in what it would be made, as the target knows it, or as the source does as long as the target
    /// does not have it. `None`: at the root.
    pub parent: Option<Guid>,
    /// Each field: before (on the target) and after, in the ids of the target as far as they are known.
    /// For a deletion nothing.
    pub changes: Vec<Change>,
    /// The policy that counts.
    pub policy: Policy,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Why, each with a rule's name and its values: `policy: roles.update = approve`.
    pub reasons: Vec<String>,
    /// Numbers (from 0) of operations that have to come first.
    pub after: Vec<usize>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// A new object.
    Create,
    /// Fields of an object.
    Update,
    /// An object goes.
    Delete,
    /// Fields, the name among them.
    Rename,
    /// The object was deleted and made again under another id: the counterpart stays and takes over
    /// what the new one says.
    Replace,
}

/// A field of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub field: String,
    /// On the target now; `None`: the object does not exist there.
    pub before: Option<Value>,
    /// Afterwards.
    pub after: Value,
}

/// What becomes of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Would be carried out.
    Pass,
    /// Waits for a person.
    Hold,
    /// Will not be carried out as it is.
    Block,
}

/// Something that is not done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The type.
    pub kind: Kind,
    /// The object; empty: the whole type.
    pub name: String,
    /// Where it is; `None`: the whole type.
    pub object: Option<(Side, Guid)>,
    /// Why, as in [`Operation::reasons`].
    pub reason: String,
}

/// Both sides have changed an object in ways that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which.
    pub pair: Pair,
    /// Its name.
    pub name: String,
    /// What does not fit; empty: one side has deleted it and the other changed it.
    pub fields: Vec<Disagreement>,
    /// The side that deleted it.
    pub deleted_on: Option<Side>,
}

/// A field about which both sides disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Which.
    pub field: String,
    /// What was agreed; `None`: nothing.
    pub base: Option<Value>,
    /// On A.
    pub a: Value,
    /// On B, in the ids of A.
    pub b: Value,
}

/// Something that differs on the target because somebody changed it there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// The type.
    pub kind: Kind,
    /// The object on the target.
    pub id: Guid,
    /// Where.
    pub side: Side,
    /// Its name.
    pub name: String,
    /// `changed`, `removed`.
    pub what: &'static str,
    /// The changed fields.
    pub fields: Vec<String>,
}

/// Something about many objects that is more than the sum of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The types.
    pub kinds: Vec<Kind>,
    /// `noise`: readable texts became noise, or what is new has noise for a name. `sweep`: the same field of many objects was changed.
    pub code: &'static str,
    /// The field.
    pub field: String,
    /// So many objects.
    pub count: usize,
    /// Of so many of these types.
    pub of: usize,
    /// Their names before, a bounded number.
    pub names: Vec<String>,
}

impl Act {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::Replace => "replace",
        }
    }
}

impl Verdict {
    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Hold => "hold",
            Self::Block => "block",
        }
    }
}
