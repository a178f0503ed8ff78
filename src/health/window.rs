//! Passive observation: the outcomes of real requests in a sliding window (design D5).

use std::time::Duration;

use super::report::Tally;
use crate::clock::Moment;

/// The faults of the last ten seconds, by the second, as long as nothing worked in between.
///
/// Any success forgets them all: whoever can make requests fail (a URL that the web server answers
/// with 504, an upload that is cut) must not be able to move a service that works for others. What
/// the rule still lets through: on a quiet site, on which for a second nobody else asks anything of
/// the service, one user who goes on asking for one poisoned URL. That is acceptable: nobody else
/// is there to be disturbed, the standby serves in the meantime, the last eligible instance never
/// goes (`last_resort`), and the service is taken back after a quiet time. To tell this case from a
/// service whose every real request fails while its probe pages pass would need a look into the
/// requests, and the second case is what the window is for.
///
/// Connect errors are not counted: a probe sees them just as well and decides faster. Silence
/// counts at most once a second and only while several requests wait at once: one long query on a
/// quiet system, or answers that come late, are slow, not lost. A request that is lost after all
/// ends as a response time-out, and that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    slots: [Slot; SLOTS],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    second: u64,
    faults: u32,
    silent: bool,
    /// When the first of them came.
    first: Moment,
}

impl Slot {
    const fn count(&self) -> u32 {
        self.faults.saturating_add(self.silent as u32)
    }
}

impl Window {
    /// Adds what requests saw.
    pub fn add(&mut self, tally: &Tally, now: Moment) {
        // Within one tally nobody knows what came first: the success wins.
        if tally.success > 0 {
            return self.clear();
        }
        let faults = tally.reset.saturating_add(tally.response_timeout).saturating_add(tally.gateway_error);
        let silent = tally.silence > 0 && tally.waiting >= SILENT_CROWD;
        if faults == 0 && !silent {
            return;
        }
        let second = now.as_micros() / 1_000_000;
        let slot = &mut self.slots[(second % SLOTS as u64) as usize];
        if slot.second != second || slot.count() == 0 {
            *slot = Slot { second, first: now, ..Slot::default() };
        }
        slot.faults = slot.faults.saturating_add(faults);
        slot.silent |= silent;
    }

    /// The number of faults if the requests speak against the service: five or more, over a second
    /// or more (one client can make five in some milliseconds), and nothing worked since the first.
    pub fn verdict(&self, now: Moment) -> Option<u32> {
        let second = now.as_micros() / 1_000_000;
        let recent = || {
            self.slots
                .iter()
                .filter(|s| s.second + SLOTS as u64 > second && s.second <= second && s.count() > 0)
        };
        let faults = recent().fold(0_u32, |sum, s| sum.saturating_add(s.count()));
        let first = recent().map(|s| s.first).min()?;
        (faults >= LEAST_FAULTS && now.since(first) >= LEAST_TIME).then_some(faults)
    }

    /// Forgets everything: something worked, or the service was declared down and starts afresh.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

const SLOTS: usize = 10;
const LEAST_FAULTS: u32 = 5;
const LEAST_TIME: Duration = Duration::from_secs(1);
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
    fn five_faults_over_a_second_and_nothing_that_worked() {
        let mut w = Window::default();
        w.add(&errors(4), at(0));
        assert_eq!(w.verdict(at(1_500)), None, "four");
        w.add(&errors(1), at(999));
        assert_eq!(w.verdict(at(999)), None, "too soon");
        w.add(&errors(1), at(1_000));
        assert_eq!(w.verdict(at(1_000)), Some(6));
        w.add(&successes(1), at(1_100));
        assert_eq!(w.verdict(at(1_200)), None);
        w.add(&errors(9), at(1_300));
        assert_eq!(w.verdict(at(2_299)), None, "counted from the first after the success");
        assert_eq!(w.verdict(at(2_300)), Some(9));
    }

    #[test]
    fn a_success_in_the_same_tally_wins() {
        let mut w = Window::default();
        for i in 0..50 {
            w.add(&Tally { gateway_error: 99, success: 1, ..Tally::default() }, at(i * 200));
            assert_eq!(w.verdict(at(i * 200)), None);
        }
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
        assert_eq!(judged(3), Some(5));
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
