//! A plan with what people need to read it: whose it is, how old, since when things drift.

use std::collections::BTreeMap;

use super::catalogue::Kind;
use super::pair::Side;
use super::plan::{Digest, Plan, Verdict};
use crate::idmap::guid::Guid;

/// The newest plan of two instances.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Their names, sorted.
    pub instances: [String; 2],
    /// The primary.
    pub source: Side,
    /// When it was worked out, in seconds of UNIX time.
    pub at_unix: u64,
    /// When both sides were last read completely, in seconds of UNIX time.
    pub full_unix: u64,
    /// Who has confirmed what was paired at first, and when (seconds of UNIX time).
    pub baseline: Option<(String, u64)>,
    /// Types of which both sides were read.
    pub read: Vec<Kind>,
    /// Types of which a reading was not believed: instance, type, why.
    pub doubts: Vec<(String, Kind, String)>,
    /// The plan.
    pub plan: Plan,
    /// Drifted fields, and when that was first seen, in seconds of UNIX time.
    pub drift_since: BTreeMap<(Kind, Guid, String), u64>,
}

impl Planned {
    /// Operations with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.plan.operations.iter().filter(|o| o.verdict == verdict).count()
    }

    /// The name of a side.
    pub fn instance(&self, side: Side) -> &str {
        &self.instances[side.index()]
    }
}

/// One digest for several plans; that of a single one is its own.
pub fn digest(plans: &[&Planned]) -> Digest {
    match plans {
        [one] => one.plan.digest,
        many => Digest::of(&many.iter().flat_map(|p| p.plan.digest.0).collect::<Vec<u8>>()),
    }
}
