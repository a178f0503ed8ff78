//! Failures of one address, or of one user, within a sliding window.

use std::time::Duration;

use super::Weigh;
use crate::clock::Moment;

/// How many failures are too many.
pub(super) struct Limit {
    pub failures: u8,
    pub window: Duration,
}

/// Counts failures, and blocks after too many: for a window, twice as long each time, and after
/// fewer failures each time, until it was quiet for long.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Meter {
    /// Failures by sixths of a window; the seventh is the one that is just leaving it, so that no
    /// window, wherever it begins, holds more than the limit.
    counts: [u8; PARTS],
    /// Number of the newest part since the start of time.
    newest: u64,
    until: Moment,
    /// How often it has blocked without a long quiet.
    level: u8,
    pending: u16,
}

impl Meter {
    /// Nothing before this moment.
    pub const fn until(&self) -> Moment {
        self.until
    }

    /// Whether as many have failed or are on their way as may fail.
    pub fn is_full(mut self, now: Moment, limit: &Limit) -> bool {
        self.roll(now, limit);
        u32::from(self.pending) + self.count() >= self.allowed(limit)
    }

    /// Whether many are on their way, even if none of them is likely to fail.
    pub const fn is_crowded(&self) -> bool {
        self.pending >= CROWD
    }

    pub const fn begin(&mut self) {
        self.pending = self.pending.saturating_add(1);
    }

    pub fn end(&mut self, failed: bool, now: Moment, limit: &Limit) {
        self.pending = self.pending.saturating_sub(1);
        if !failed {
            return;
        }
        self.roll(now, limit);
        if let Some(newest) = self.counts.first_mut() {
            *newest = newest.saturating_add(1);
        }
        if self.count() >= self.allowed(limit) {
            self.until = now + limit.window * (1 << self.level);
            self.level = (self.level + 1).min(HIGHEST);
            // The block is at least as long as the window.
            self.counts = [0; PARTS];
        }
    }

    fn roll(&mut self, now: Moment, limit: &Limit) {
        let part = limit.window / 6;
        let current = now.as_micros() / u64::try_from(part.as_micros()).unwrap_or(u64::MAX);
        let passed = usize::try_from(current.saturating_sub(self.newest)).unwrap_or(PARTS).min(PARTS);
        self.counts.rotate_right(passed);
        self.counts.iter_mut().take(passed).for_each(|count| *count = 0);
        self.newest = current;
        if now.since(self.until) >= limit.window * QUIET {
            self.level = 0;
        }
    }

    fn count(&self) -> u32 {
        self.counts.iter().copied().map(u32::from).sum()
    }

    fn allowed(&self, limit: &Limit) -> u32 {
        u32::from(limit.failures >> self.level).max(1)
    }
}

impl Weigh for Meter {
    fn weight(&self, now: Moment) -> u32 {
        let blocked = if self.until > now { 128 } else { 0 };
        blocked + 64 * (u32::from(self.level) + u32::from(self.pending)) + self.count()
    }
}

/// After a fault, everybody behind one address logs in again.
const CROWD: u16 = 64;
const PARTS: usize = 7;
/// Blocks for at most sixteen windows, after a single failure.
const HIGHEST: u8 = 4;
/// Windows without a block after which it begins anew.
const QUIET: u32 = 16;
