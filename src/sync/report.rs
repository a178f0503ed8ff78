//! What the last matching found, for status and people.

use std::collections::BTreeMap;

use crate::idmap::kind::Kind;
use crate::idmap::matcher::{Dispute, Tally};

/// The last run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Counts runs since the start; 0: there was none.
    pub number: u64,
    /// When it ended, in seconds of UNIX time.
    pub at_unix: u64,
    /// One for each two instances that share a site.
    pub pairs: Vec<PairReport>,
}

/// Two instances.
#[derive(Clone, Debug)]
pub struct PairReport {
    /// Their names, sorted.
    pub instances: [String; 2],
    /// What became of it.
    pub outcome: Outcome,
    /// When they were last compared, in seconds of UNIX time.
    pub matched_unix: Option<u64>,
    /// How their objects stand; from the last time that they were compared.
    pub kinds: BTreeMap<Kind, Tally>,
    /// Lists that could not be used: instance, kind, why. As long as there are any, their kinds stay
    /// as they are.
    pub unread: Vec<(String, Kind, String)>,
    /// Objects that were not linked, a bounded number.
    pub disputed: Vec<Dispute>,
    /// So many more.
    pub disputed_more: usize,
}

/// What became of two instances in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// They were compared.
    Matched,
    /// One of them was not asked: instance and why.
    Waiting(String, &'static str),
    /// One of them could not be read, or the result not be kept: why.
    Failed(String),
}

impl Report {
    /// Every pair was compared.
    pub fn complete(&self) -> bool {
        self.pairs.iter().all(|p| p.outcome == Outcome::Matched)
    }
}
