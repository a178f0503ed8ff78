//! A histogram of waiting times with logarithmic buckets, written by every core at once.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Four buckets for each power of two: a quantile is at most 25 % too high.
const STEPS: usize = 4;
/// Up to 2^25 µs (34 s); longer waits count in the last bucket.
const BUCKETS: usize = 26 * STEPS;

/// Two histograms that take turns, so that a quantile covers the last one to two periods.
///
/// Relaxed atomics: a sample that races with [`Recent::rotate`] may be lost or counted in the
/// wrong half, which moves no quantile that matters.
#[derive(Debug)]
pub struct Recent {
    halves: [[AtomicU32; BUCKETS]; 2],
    active: AtomicUsize,
}

impl Default for Recent {
    fn default() -> Self {
        let half = || std::array::from_fn(|_| AtomicU32::new(0));
        Self { halves: [half(), half()], active: AtomicUsize::new(0) }
    }
}

impl Recent {
    /// Counts one wait.
    pub fn record(&self, waited: Duration) {
        self.halves[self.active.load(Relaxed) & 1][bucket(waited)].fetch_add(1, Relaxed);
    }

    /// Forgets the older half and starts to fill it.
    pub fn rotate(&self) {
        let next = (self.active.load(Relaxed) + 1) & 1;
        for count in &self.halves[next] {
            count.store(0, Relaxed);
        }
        self.active.store(next, Relaxed);
    }

    /// The wait that `share` (0.0 to 1.0) of the samples did not exceed, rounded up to its
    /// bucket's bound; `None` with fewer than `least` samples.
    pub fn quantile(&self, share: f64, least: u64) -> Option<Duration> {
        let counts: [u64; BUCKETS] =
            std::array::from_fn(|b| self.halves.iter().map(|half| u64::from(half[b].load(Relaxed))).sum());
        let total: u64 = counts.iter().sum();
        if total == 0 || total < least {
            return None;
        }
        let rank = ((total as f64) * share.clamp(0.0, 1.0)).ceil() as u64;
        let mut seen = 0;
        for (b, count) in counts.into_iter().enumerate() {
            seen += count;
            if seen >= rank.max(1) {
                return Some(upper_bound(b));
            }
        }
        Some(upper_bound(BUCKETS - 1))
    }
}

/// The bucket of a wait: power of two of its microseconds, then the two bits below.
fn bucket(waited: Duration) -> usize {
    let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX).max(1);
    let power = micros.ilog2() as usize;
    let step = if power >= 2 { (micros >> (power - 2)) as usize & 3 } else { 0 };
    (power * STEPS + step).min(BUCKETS - 1)
}

/// The first duration that lies above bucket `b`.
fn upper_bound(b: usize) -> Duration {
    let (power, step) = (b / STEPS, b % STEPS);
    Duration::from_micros(((STEPS + step + 1) as u64 * (1 << power)).div_ceil(STEPS as u64))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_lies_below_its_bound_by_a_quarter_at_most(micros in 4_u64..30_000_000) {
            let bound = upper_bound(bucket(Duration::from_micros(micros))).as_micros() as u64;
            prop_assert!(bound > micros, "{bound} <= {micros}");
            prop_assert!(bound <= micros + micros / 4 + 1, "{bound} is far above {micros}");
        }

        #[test]
        fn a_quantile_is_close_to_the_exact_one(mut waits in prop::collection::vec(4_u64..5_000_000, 1..300)) {
            let recent = Recent::default();
            for w in &waits {
                recent.record(Duration::from_micros(*w));
            }
            waits.sort_unstable();
            let exact = waits[((waits.len() as f64 * 0.99).ceil() as usize).max(1) - 1];
            let got = recent.quantile(0.99, 1).unwrap().as_micros() as u64;
            prop_assert!(got > exact && got <= exact + exact / 4 + 1, "{got} for {exact}");
        }
    }

    #[test]
    fn two_rotations_forget() {
        let recent = Recent::default();
        recent.record(Duration::from_millis(3));
        recent.rotate();
        assert!(recent.quantile(0.5, 1).is_some());
        recent.rotate();
        assert_eq!(recent.quantile(0.5, 1), None);
    }

    #[test]
    fn few_samples_say_nothing() {
        let recent = Recent::default();
        recent.record(Duration::from_millis(3));
        assert_eq!(recent.quantile(0.99, 2), None);
    }
}
