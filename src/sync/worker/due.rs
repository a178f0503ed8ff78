//! When the next run is due. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::config::types::Config;

/// The time of the next run.
#[derive(Default)]
pub(super) struct Due {
    at: Option<Moment>,
    last: Option<Moment>,
    /// Whom the last run could ask.
    readable: BTreeSet<String>,
    config: Option<Arc<Config>>,
    /// Failures in a row.
    failures: u32,
}

impl Due {
    pub(super) const fn at(&self) -> Option<Moment> {
        self.at
    }

    /// Something has changed: an instance that the last run could not ask, or another configuration,
    /// is a reason for one soon. An instance that comes and goes is not one each time.
    pub(super) fn see(&mut self, readable: &BTreeSet<String>, config: &Arc<Config>, now: Moment) {
        let new_config = self.config.as_ref().is_none_or(|c| !Arc::ptr_eq(c, config));
        self.config = Some(Arc::clone(config));
        // Whoever went away and comes back counts as back.
        self.readable.retain(|name| readable.contains(name));
        if new_config || !readable.is_subset(&self.readable) {
            let soon = self.last.map_or(now + SETTLE, |last| (last + SPACING).max(now + SETTLE));
            self.at = Some(self.at.map_or(soon, |at| at.min(soon)));
        }
    }

    /// A run has ended that could ask `readable`.
    pub(super) fn ran(&mut self, again: bool, readable: &BTreeSet<String>, interval: Duration, now: Moment) {
        self.failures = if again { self.failures + 1 } else { 0 };
        let pause = match self.failures {
            0 => interval,
            n => (FIRST * 2_u32.saturating_pow(n - 1)).min(LONGEST).min(interval),
        };
        (self.at, self.last) = (Some(now + pause), Some(now));
        self.readable.clone_from(readable);
    }
}

/// Both instances of a site tend to come up together.
const SETTLE: Duration = Duration::from_millis(250);
/// Between two runs that nobody ordered.
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

    const INTERVAL: Duration = Duration::from_secs(900);

    #[test]
    fn a_run_follows_soon_when_somebody_comes_and_not_when_somebody_goes() {
        let config = Arc::new(config("hq", &["a", "b"]));
        let mut due = Due::default();
        due.see(&names(&[]), &config, at(0));
        assert_eq!(due.at(), Some(at(0) + SETTLE));
        due.ran(false, &names(&[]), INTERVAL, at(1));
        assert_eq!(due.at(), Some(at(901)));
        due.see(&names(&["a"]), &config, at(30));
        assert_eq!(due.at(), Some(at(30) + SETTLE));
        due.ran(false, &names(&["a", "b"]), INTERVAL, at(31));
        due.see(&names(&["a"]), &config, at(32));
        assert_eq!(due.at(), Some(at(931)));
        due.see(&names(&["a", "b"]), &config, at(33));
        assert_eq!(due.at(), Some(at(41)), "flapping does not make it run all the time");
        due.ran(false, &names(&["a", "b"]), INTERVAL, at(41));
        let other = Arc::new(config.as_ref().clone());
        due.see(&names(&["a", "b"]), &other, at(100));
        assert_eq!(due.at(), Some(at(100) + SETTLE));
    }

    #[test]
    fn failures_are_repeated_with_growing_pauses() {
        let (both, mut due) = (names(&["a", "b"]), Due::default());
        let pauses: Vec<u64> = (0..9)
            .map(|_| {
                due.ran(true, &both, INTERVAL, at(0));
                due.at().map_or(0, |m| m.since(at(0)).as_secs())
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        due.ran(false, &both, INTERVAL, at(0));
        due.ran(true, &both, INTERVAL, at(0));
        assert_eq!(due.at(), Some(at(1)));
    }
}
