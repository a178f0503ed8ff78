//! Passive observation: the outcomes of real requests in a sliding window (design D5).

use std::time::Duration;

use super::report::Tally;
use crate::clock::Moment;

/// The outcomes of the last ten seconds, by the second.
///
/// Connect errors are not counted: a probe sees them just as well and decides faster. Silence
/// counts at most once a second, only while several requests wait at once, and only until the next
/// success: one long query on a quiet system, or answers that come late, are slow, not lost. A
/// request that is lost after all ends as a response time-out, and that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    slots: [Slot; SLOTS],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    second: u64,
    faults: u32,
    silent: bool,
    successes: u32,
}

impl Window {
    /// Adds what requests saw.
    pub fn add(&mut self, tally: &Tally, now: Moment) {
        let second = now.as_micros() / 1_000_000;
        let slot = &mut self.slots[(second % SLOTS as u64) as usize];
        if slot.second != second {
            *slot = Slot { second, ..Slot::default() };
        }
        let faults = tally.reset.saturating_add(tally.response_timeout).saturating_add(tally.gateway_error);
        slot.faults = slot.faults.saturating_add(faults);
        slot.successes = slot.successes.saturating_add(tally.success);
        slot.silent |= tally.silence > 0 && tally.waiting >= SILENT_CROWD;
        if tally.success > 0 {
            for slot in &mut self.slots {
                slot.silent = false;
            }
        }
    }

    /// (faults, outcomes) if the requests speak against the service: five faults or more, and at
    /// least half of all outcomes.
    pub fn verdict(&self, now: Moment) -> Option<(u32, u32)> {
        let second = now.as_micros() / 1_000_000;
        let recent = self.slots.iter().filter(|s| s.second + SLOTS as u64 > second && s.second <= second);
        let (faults, all) = recent.fold((0_u32, 0_u32), |(faults, all), s| {
            let f = s.faults.saturating_add(u32::from(s.silent));
            (faults.saturating_add(f), all.saturating_add(f).saturating_add(s.successes))
        });
        (faults >= LEAST_FAULTS && u64::from(faults) * 2 >= u64::from(all)).then_some((faults, all))
    }

    /// Forgets everything: the service was declared down and starts afresh.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

const SLOTS: usize = 10;
const LEAST_FAULTS: u32 = 5;
/// So many requests at once do not all happen to be slow ones.
const SILENT_CROWD: u32 = 3;
/// How far back a window sees.
pub const SPAN: Duration = Duration::from_secs(SLOTS as u64);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: u64) -> Moment {
        Moment::from_micros(ms * 1_000)
    }

    fn errors(n: u32) -> Tally {
        Tally { gateway_error: n, ..Tally::default() }
    }

    fn successes(n: u32) -> Tally {
        Tally { success: n, ..Tally::default() }
    }

    #[test]
    fn five_faults_and_half_of_all() {
        let mut w = Window::default();
        w.add(&errors(4), at(0));
        assert_eq!(w.verdict(at(0)), None);
        w.add(&errors(1), at(500));
        assert_eq!(w.verdict(at(500)), Some((5, 5)));
        w.add(&successes(6), at(900));
        assert_eq!(w.verdict(at(900)), None);
    }

    #[test]
    fn old_faults_are_forgotten() {
        let mut w = Window::default();
        w.add(&errors(9), at(0));
        assert!(w.verdict(at(9_900)).is_some());
        assert_eq!(w.verdict(at(10_000)), None);
    }

    #[test]
    fn slow_answers_are_not_lost_answers() {
        let mut w = Window::default();
        for i in 0..20 {
            w.add(&Tally { silence: 30, waiting: 9, ..Tally::default() }, at(i * 500));
            if i % 4 == 3 {
                w.add(&successes(1), at(i * 500 + 1));
            }
            assert_eq!(w.verdict(at(i * 500 + 2)), None);
        }
    }

    #[test]
    fn silence_that_never_ends_counts_if_many_wait() {
        let judged = |waiting| {
            let mut w = Window::default();
            for i in 0..5 {
                w.add(&Tally { silence: 50, waiting, ..Tally::default() }, at(i * 1_000));
            }
            w.verdict(at(4_000))
        };
        assert_eq!(judged(3), Some((5, 5)));
        assert_eq!(judged(1), None, "one long query");
    }

    proptest! {
        #[test]
        fn successes_alone_never_speak_against(
            steps in prop::collection::vec((0_u64..3_000, 0_u32..1_000_000), 0..50),
        ) {
            let (mut w, mut now) = (Window::default(), at(0));
            for (wait, n) in steps {
                now = now + Duration::from_millis(wait);
                w.add(&successes(n), now);
                prop_assert_eq!(w.verdict(now), None);
            }
        }
    }
}
