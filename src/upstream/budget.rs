//! How much may be repeated (design D3, D4): a share of the requests, never less than a few a
//! second, so that repeats cannot turn an overloaded instance's trouble into a collapse.

use std::cell::Cell;
use std::time::Duration;

use crate::clock::Moment;

/// A token bucket that requests fill and repeats empty. One per core.
#[derive(Debug)]
pub struct Budget {
    share: f64,
    per_second: f64,
    tokens: Cell<f64>,
    filled: Cell<Moment>,
}

impl Budget {
    /// `share` of a token per request, and `per_second` tokens a second; starts full.
    pub const fn new(share: f64, per_second: f64, now: Moment) -> Self {
        Self { share, per_second, tokens: Cell::new(FULL), filled: Cell::new(now) }
    }

    /// A request came: it earns its share.
    pub fn earn(&self) {
        self.add(self.share);
    }

    /// Takes a token for one repeat, if there is one.
    pub fn spend(&self, now: Moment) -> bool {
        let passed: Duration = now.since(self.filled.replace(now));
        self.add(passed.as_secs_f64() * self.per_second);
        let enough = self.tokens.get() >= 1.0;
        if enough {
            self.tokens.set(self.tokens.get() - 1.0);
        }
        enough
    }

    fn add(&self, tokens: f64) {
        self.tokens.set((self.tokens.get() + tokens).min(FULL));
    }
}

/// Enough for all requests that wait on a core when an instance falls silent.
const FULL: f64 = 200.0;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn repeats_stay_within_the_share(
            steps in proptest::collection::vec((any::<bool>(), 0u64..5_000), 1..2_000)
        ) {
            let budget = Budget::new(0.2, 10.0, Moment::from_micros(0));
            let (mut now, mut requests, mut repeats) = (0, 0u32, 0u32);
            for (is_request, micros) in steps {
                now += micros;
                if is_request {
                    budget.earn();
                    requests += 1;
                } else if budget.spend(Moment::from_micros(now)) {
                    repeats += 1;
                }
            }
            let allowed = FULL + 0.2 * f64::from(requests) + 10.0 * now as f64 / 1e6;
            prop_assert!(f64::from(repeats) <= allowed + 1.0);
        }
    }
}
