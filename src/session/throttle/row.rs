//! One user at one address: failures in a row, and the last success.

use std::time::Duration;

use super::Weigh;
use crate::clock::Moment;

/// What is known about one user at one address.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    /// Since the last success.
    failures: u8,
    last: Moment,
    success: Option<Moment>,
    pending: u16,
}

impl Row {
    /// Whether the user logged in here within the last day.
    pub fn is_known(&self, now: Moment) -> bool {
        self.success.is_some_and(|at| now.since(at) < DAY)
    }

    /// In a row, and not long ago.
    pub fn failures(&self, now: Moment) -> u8 {
        if now.since(self.last) < DAY { self.failures } else { 0 }
    }

    /// When the next try is due.
    pub fn due(&self, now: Moment) -> Moment {
        let wait = match self.failures(now) {
            0 => return Moment::default(),
            1 => Duration::from_secs(1),
            2 => Duration::from_secs(2),
            3 => Duration::from_secs(8),
            more => {
                let first = if self.is_known(now) { AT_HOME } else { ELSEWHERE };
                first * (1 << (more - FREE).min(3))
            }
        };
        self.last + wait
    }

    /// Whether so many are on their way that another one could be one too many.
    pub fn is_full(&self, now: Moment) -> bool {
        let room = match self.failures(now) {
            0 if self.is_known(now) => AT_ONCE_AT_HOME,
            failures => u16::from(FREE.saturating_sub(failures).max(1)),
        };
        self.pending >= room
    }

    pub const fn begin(&mut self) {
        self.pending = self.pending.saturating_add(1);
    }

    pub fn end(&mut self, failed: bool, now: Moment) {
        self.pending = self.pending.saturating_sub(1);
        if failed {
            self.failures = self.failures(now).saturating_add(1);
            self.last = now;
        }
    }

    pub fn succeed(&mut self, now: Moment) {
        self.end(false, now);
        self.failures = 0;
        self.success = Some(now);
    }
}

impl Weigh for Row {
    fn weight(&self, now: Moment) -> u32 {
        let known = if self.is_known(now) { 2 } else { 0 };
        u32::from(self.failures(now)) + known + 64 * u32::from(self.pending)
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);
/// One less than what commonly locks a user out.
const FREE: u8 = 4;
/// After the fourth failure where the user is not known: longer than a token lives, because whoever
/// is logged in has renewed the token meanwhile, with which the VMS begins to count anew.
const ELSEWHERE: Duration = Duration::from_secs(3600);
/// The same where the user logged in within a day: as long as the VMS itself would lock it out.
const AT_HOME: Duration = Duration::from_secs(300);
/// Programs that share a user log in together after a fault.
const AT_ONCE_AT_HOME: u16 = 32;
