//! What the last run found, for status and people.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::catalogue::Kind;
use super::coverage::Instance;
use super::identity::{Dispute, Misfit, Outcome as Identified, Tally};
use super::planned::Planned;
use crate::clock::unix_time;

/// The last run.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Counts runs since the start; 0: there was none.
    pub number: u64,
    /// When it ended, in seconds of UNIX time.
    pub at_unix: u64,
    /// One for each two instances that share a site.
    pub pairs: Vec<PairReport>,
    /// What instances say about themselves, as far as they were read.
    pub instances: Vec<Instance>,
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
    /// What the configuration says about pairs and does not fit.
    pub misfits: Vec<Misfit>,
    /// What would be done; the newest there is. `None`: sync is off, or they were not compared yet.
    pub plan: Option<Arc<Planned>>,
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

impl PairReport {
    /// Of two instances that were never compared.
    pub(super) fn new(instances: [String; 2]) -> Self {
        Self {
            instances,
            outcome: Outcome::Matched,
            matched_unix: None,
            kinds: BTreeMap::new(),
            unread: Vec::new(),
            disputed: Vec::new(),
            disputed_more: 0,
            misfits: Vec::new(),
            plan: None,
        }
    }

    /// What a comparison has found.
    pub(super) fn of(instances: &[String; 2], found: &Identified) -> Self {
        Self {
            matched_unix: Some(unix_time().as_secs()),
            kinds: found.tally.clone(),
            disputed: found.disputed.iter().take(MOST_DISPUTED).cloned().collect(),
            disputed_more: found.disputed.len().saturating_sub(MOST_DISPUTED),
            misfits: found.misfits.clone(),
            ..Self::new(instances.clone())
        }
    }
}

impl Outcome {
    /// Why they were not compared.
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Matched => None,
            Self::Waiting(instance, why) => Some(format!("{instance}: {why}")),
            Self::Failed(why) => Some(why.clone()),
        }
    }
}

impl Report {
    /// Every pair was compared.
    pub fn complete(&self) -> bool {
        self.pairs.iter().all(|p| p.outcome == Outcome::Matched)
    }
}

/// Of two instances, in memory and in answers.
const MOST_DISPUTED: usize = 1000;
