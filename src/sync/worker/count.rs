//! What the last run found, as metrics.

use std::collections::BTreeMap;

use crate::metrics::{Closed, Held, Metrics, SyncState};
use crate::sync::catalogue::Kind;
use crate::sync::identity::Tally;
use crate::sync::plan::{Operation, Verdict};
use crate::sync::report::Report;

/// Shows a report.
pub(super) fn count(metrics: &Metrics, report: &Report) {
    for kind in Kind::all() {
        let sum = |count: fn(&Tally) -> usize| {
            report.pairs.iter().filter_map(|r| r.kinds.get(&kind)).map(count).sum::<usize>()
        };
        for (state, count) in [
            (SyncState::Linked, sum(|t| t.linked)),
            (SyncState::Ambiguous, sum(|t| t.ambiguous)),
            (SyncState::OnlyOneSide, sum(|t| t.only_a + t.only_b)),
        ] {
            metrics.set_sync_objects(kind.as_str(), state, count);
        }
    }
    let mut held: BTreeMap<usize, usize> = BTreeMap::new();
    for planned in report.pairs.iter().filter_map(|pair| pair.plan.as_ref()) {
        for operation in planned.plan.operations.iter().filter(|o| o.verdict != Verdict::Pass) {
            *held.entry(why(operation).index()).or_default() += 1;
        }
        *held.entry(Held::Conflict.index()).or_default() += planned.plan.conflicts.len();
        let doubted = |kind: &Kind| planned.doubts.iter().any(|(_, of, _)| of == kind);
        for kind in planned.read.iter().filter(|kind| !doubted(kind)) {
            metrics.set_sync_success(kind.as_str(), planned.full_unix);
        }
    }
    for reason in Held::ALL {
        metrics.set_sync_held(*reason, held.get(&reason.index()).copied().unwrap_or_default());
    }
    for instance in &report.instances {
        metrics.set_sync_unknown(&instance.name, instance.unknown.len());
    }
}

/// The gravest of an operation's reasons.
fn why(operation: &Operation) -> Held {
    let is = |start: &str| operation.reasons.iter().any(|reason| reason.starts_with(start));
    let refers = |reason: &String| reason.contains("refers to") || reason.starts_with("waits for operation");
    match () {
        () if is("baseline:") => Held::Baseline,
        () if is("finding:") => Held::Finding,
        () if is("floor:") || is("needs a secret") => Held::Floor,
        () if operation.reasons.iter().any(refers) => Held::Reference,
        () => Held::Policy,
    }
}
