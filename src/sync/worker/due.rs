//! When the next run is due, and which. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::config::types::{Config, Sync};

/// How much is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// Everything.
    Full,
    /// What has changed.
    Changes,
}

/// The time of the next run.
#[derive(Default)]
pub(super) struct Due {
    full: Option<Moment>,
    /// Only when something is planned, and only after a full run that succeeded.
    changes: Option<Moment>,
    last: Option<Moment>,
    /// Whom the last run could ask.
    readable: BTreeSet<String>,
    config: Option<Arc<Config>>,
    /// Failures in a row.
    failures: u32,
}

impl Due {
    pub(super) fn at(&self) -> Option<Moment> {
        self.full.into_iter().chain(self.changes).min()
    }

    /// Which run that is.
    pub(super) fn run(&self, now: Moment) -> Run {
        // What is due at the same time is in the larger one.
        if self.full.is_some_and(|full| full <= now) { Run::Full } else { Run::Changes }
    }

    /// Something has changed: an instance that the last run could not ask, or another configuration,
    /// is a reason for a full one soon. An instance that comes and goes is not one each time.
    pub(super) fn see(&mut self, readable: &BTreeSet<String>, config: &Arc<Config>, now: Moment) {
        let new_config = self.config.as_ref().is_none_or(|c| !Arc::ptr_eq(c, config));
        self.config = Some(Arc::clone(config));
        // Whoever went away and comes back counts as back.
        self.readable.retain(|name| readable.contains(name));
        if new_config || !readable.is_subset(&self.readable) {
            let soon = self.last.map_or(now + SETTLE, |last| (last + SPACING).max(now + SETTLE));
            self.full = Some(self.full.map_or(soon, |at| at.min(soon)));
        }
    }

    /// A run has ended that could ask `readable`.
    pub(super) fn ran(
        &mut self,
        run: Run,
        again: bool,
        readable: &BTreeSet<String>,
        config: &Sync,
        now: Moment,
    ) {
        self.failures = if again { self.failures + 1 } else { 0 };
        let pause = |usual: Duration| match self.failures {
            0 => usual,
            n => (FIRST * 2_u32.saturating_pow(n - 1)).min(LONGEST).min(usual.max(FIRST)),
        };
        if run == Run::Full {
            self.full = Some(now + pause(config.full_interval));
            self.last = Some(now);
            self.readable.clone_from(readable);
        }
        self.changes = config.enabled.then(|| now + pause(config.interval).max(config.interval));
    }
}

/// Both instances of a site tend to come up together.
const SETTLE: Duration = Duration::from_millis(250);
/// Between two full runs that nobody ordered.
const SPACING: Duration = Duration::from_secs(10);
/// After a failure, then doubled.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::config;

    fn names(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|n| (*n).to_owned()).collect()
    }

    fn at(seconds: u64) -> Moment {
        Moment::default() + Duration::from_secs(seconds)
    }

    fn sync(enabled: bool) -> Sync {
        Sync { enabled, ..config("hq", &["a", "b"]).sync }
    }

    #[test]
    fn a_run_follows_soon_when_somebody_comes_and_not_when_somebody_goes() {
        let config = Arc::new(config("hq", &["a", "b"]));
        let (sync, mut due) = (sync(false), Due::default());
        due.see(&names(&[]), &config, at(0));
        assert_eq!(due.at(), Some(at(0) + SETTLE));
        due.ran(Run::Full, false, &names(&[]), &sync, at(1));
        assert_eq!(due.at(), Some(at(901)));
        due.see(&names(&["a"]), &config, at(30));
        assert_eq!(due.at(), Some(at(30) + SETTLE));
        due.ran(Run::Full, false, &names(&["a", "b"]), &sync, at(31));
        due.see(&names(&["a"]), &config, at(32));
        assert_eq!(due.at(), Some(at(931)));
        due.see(&names(&["a", "b"]), &config, at(33));
        assert_eq!(due.at(), Some(at(41)), "flapping does not make it run all the time");
        due.ran(Run::Full, false, &names(&["a", "b"]), &sync, at(41));
        let other = Arc::new(config.as_ref().clone());
        due.see(&names(&["a", "b"]), &other, at(100));
        assert_eq!(due.at(), Some(at(100) + SETTLE));
    }

    #[test]
    fn failures_are_repeated_with_growing_pauses() {
        let (both, sync, mut due) = (names(&["a", "b"]), sync(false), Due::default());
        let pauses: Vec<u64> = (0..9)
            .map(|_| {
                due.ran(Run::Full, true, &both, &sync, at(0));
                due.at().map_or(0, |m| m.since(at(0)).as_secs())
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        due.ran(Run::Full, false, &both, &sync, at(0));
        due.ran(Run::Full, true, &both, &sync, at(0));
        assert_eq!(due.at(), Some(at(1)));
    }

    #[test]
    fn changes_are_read_between_full_runs_and_only_if_something_is_planned() {
        let (both, mut due) = (names(&["a", "b"]), Due::default());
        due.ran(Run::Full, false, &both, &sync(true), at(0));
        assert_eq!((due.at(), due.run(at(5))), (Some(at(5)), Run::Changes));
        due.ran(Run::Changes, false, &both, &sync(true), at(895));
        assert_eq!(
            (due.at(), due.run(at(900))),
            (Some(at(900)), Run::Full),
            "one that is due is not put off"
        );
        due.ran(Run::Full, false, &both, &sync(false), at(900));
        assert_eq!((due.at(), due.run(at(1800))), (Some(at(1800)), Run::Full));
    }

    #[test]
    fn a_failing_instance_is_not_asked_for_changes_more_often_than_usual() {
        let (both, mut due) = (names(&["a", "b"]), Due::default());
        for failures in 1..8 {
            due.ran(Run::Changes, true, &both, &sync(true), at(0));
            let pause = due.at().map_or(0, |m| m.since(at(0)).as_secs());
            assert_eq!(pause, 5, "after {failures} failures");
        }
    }
}
