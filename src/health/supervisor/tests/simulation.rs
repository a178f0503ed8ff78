//! A primary that behaves badly, probed and served by the real machine, history and table.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use crate::clock::Moment;
use crate::config::types::{FailbackMode, InstanceId, Service, SiteId};
use crate::health::cause::Cause;
use crate::health::fixtures::pure_config;
use crate::health::report::Tally;
use crate::health::state::{Event, Outcome};
use crate::health::supervisor::core::Core;

const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);
const WATCHED: Service = Service::Config;

/// How the primary's service behaves at a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Works,
    Refuses,
    Hangs,
    WrongBody,
    /// Answers after this many milliseconds.
    Slow(u64),
}

/// What a run has shown.
#[derive(Debug, Default)]
struct Run {
    /// Who served from when (ms).
    switches: Vec<(u64, Option<InstanceId>)>,
}

impl Run {
    fn count(&self) -> usize {
        self.switches.len()
    }
}

/// Steps through `length` ms. `phase` shifts the probes; `jitter(n)` delays the n-th probe by so
/// many ms. Requests flow all the time and report what they see.
fn run(
    stable_for: Duration,
    length: u64,
    phase: u64,
    jitter: impl Fn(u64) -> u64,
    mood: impl Fn(u64) -> Mood,
) -> Run {
    let config = pure_config(2, FailbackMode::AfterStable(stable_for));
    let (interval, timeout) =
        (config.health.interval.as_millis() as u64, config.health.timeout.as_millis() as u64);
    let at = |ms: u64| Moment::from_micros(ms * 1_000);
    let mut core = Core::new(Arc::new(config), Vec::new(), at(0));
    // (ends, started, outcome, of a burst)
    let mut flying: Vec<(u64, u64, Outcome, bool)> = Vec::new();
    let (mut next_probe, mut probes, mut burst_left) = (phase, 0_u64, 0_u32);
    let mut burst_starts: Vec<u64> = Vec::new();
    let mut serving = Some(A);
    let mut seen = Run::default();
    let send = |ms: u64| match mood(ms) {
        Mood::Works => (ms + 2, Outcome::Passed),
        Mood::Refuses => (ms, Outcome::Failed(Cause::Refused)),
        Mood::WrongBody => (ms + 2, Outcome::Failed(Cause::WrongBody)),
        Mood::Slow(answer) if answer < timeout => (ms + answer, Outcome::Passed),
        Mood::Hangs | Mood::Slow(_) => (ms + timeout, Outcome::Failed(Cause::Timeout)),
    };
    let mut ms = 0;
    while ms < length {
        let now = at(ms);
        let mut steps = Vec::new();
        if ms >= next_probe {
            core.observe(B, WATCHED, now, Event::Probe { outcome: Outcome::Passed, started: now });
            let (ends, outcome) = send(ms);
            flying.push((ends, ms, outcome, false));
            next_probe += interval + jitter(probes);
            probes += 1;
        }
        burst_starts.retain(|start| {
            if *start <= ms {
                let (ends, outcome) = send(ms);
                flying.push((ends, ms, outcome, true));
            }
            *start > ms
        });
        // A request every 20 ms goes to whoever serves.
        if ms % 20 == 7 && serving == Some(A) {
            let tally = match mood(ms) {
                Mood::Works | Mood::WrongBody => Tally { success: 1, ..Tally::default() },
                Mood::Refuses => Tally { refused: 1, ..Tally::default() },
                Mood::Hangs => Tally { silence: 1, ..Tally::default() },
                // Answers keep coming, but a pause now and then looks like silence.
                Mood::Slow(_) if ms % 400 == 7 => Tally { silence: 1, ..Tally::default() },
                Mood::Slow(_) => Tally { success: 1, ..Tally::default() },
            };
            steps.push(core.observe(A, WATCHED, now, Event::Seen(tally)));
        }
        let (ended, still): (Vec<_>, Vec<_>) = flying.into_iter().partition(|f| f.0 <= ms);
        flying = still;
        for (_, started, outcome, burst) in ended {
            let event = Event::Probe { outcome, started: at(started) };
            steps.push(core.observe(A, WATCHED, now, event));
            if burst {
                burst_left -= 1;
                if burst_left == 0 {
                    steps.push(core.observe(A, WATCHED, now, Event::BurstOver));
                }
            }
        }
        if steps.iter().any(|s| s.burst) {
            assert_eq!(burst_left, 0, "bursts overlap");
            burst_left = 5;
            burst_starts = (0..5).map(|n| ms + n * 20).collect();
        }
        if let Some(picture) = core.settle(now) {
            let instance = picture.table.get(SiteId(0), WATCHED).instance;
            if instance != serving {
                serving = instance;
                seen.switches.push((ms, instance));
            }
        }
        // On to the next millisecond in which anything happens.
        let request = ms + 1 + (20 + 7 - (ms + 1) % 20) % 20;
        let wakeup = core.next_wakeup().map(|at| at.as_micros().div_ceil(1_000));
        let planned = flying.iter().map(|f| f.0).chain(burst_starts.iter().copied());
        ms = planned.chain(wakeup).fold(request.min(next_probe), u64::min).max(ms + 1);
    }
    seen
}

const STABLE: Duration = Duration::from_secs(2);
const MINUTE: u64 = 60_000;

fn flapping(ms: u64, mood: Mood) -> Mood {
    if ms < 5 * MINUTE && ms % 6_000 < 3_000 { mood } else { Mood::Works }
}

#[test]
fn a_flapping_primary_gives_four_switches_at_most_and_returns_in_the_end() {
    for mood in [Mood::Refuses, Mood::Hangs, Mood::WrongBody] {
        for phase in (0..500).step_by(45) {
            let run = run(STABLE, 12 * MINUTE, phase, |_| 0, |ms| flapping(ms, mood));
            assert!((2..=4).contains(&run.count()), "{mood:?} {phase}: {run:?}");
            assert_eq!(run.switches.last().unwrap().1, Some(A), "{mood:?} {phase}: {run:?}");
        }
    }
}

#[test]
fn a_slow_primary_keeps_serving() {
    for answer in [60, 150, 300, 390] {
        let run = run(STABLE, MINUTE, 3, |_| 0, |_| Mood::Slow(answer));
        assert_eq!(run.count(), 0, "{answer} ms: {run:?}");
    }
}

#[test]
fn a_killed_primary_is_replaced_within_milliseconds() {
    for kill in [10_000, 10_008, 10_019, 10_250] {
        let run = run(STABLE, 11_000, 3, |_| 0, |ms| if ms < kill { Mood::Works } else { Mood::Refuses });
        let (when, who) = run.switches[0];
        assert_eq!(who, Some(B));
        assert!(when <= kill + 25, "killed at {kill}, replaced at {when}");
    }
}

#[test]
fn a_hanging_primary_is_replaced_after_one_time_out() {
    let run = run(STABLE, 12_000, 3, |_| 0, |ms| if ms < 10_000 { Mood::Works } else { Mood::Hangs });
    let (when, who) = run.switches[0];
    assert_eq!(who, Some(B));
    assert!(when <= 10_000 + 20 + 400 + 40, "{when}");
}

#[test]
fn wrong_content_is_noticed_within_two_intervals() {
    for start in (10_000..10_500).step_by(23) {
        let run = run(STABLE, 12_000, 3, |_| 0, |ms| if ms < start { Mood::Works } else { Mood::WrongBody });
        assert!(run.switches[0].0 <= start + 1_000, "{start}: {run:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// With probes and phases that wander, and times that are not exactly three seconds.
    #[test]
    fn flapping_with_jitter_gives_four_switches_at_most(
        phase in 0_u64..500,
        delays in prop::collection::vec(0_u64..150, 64),
        edges in prop::collection::vec(0_u64..400, 101),
        mood in prop_oneof![Just(Mood::Refuses), Just(Mood::Hangs), Just(Mood::WrongBody)],
    ) {
        let wobbling = |ms: u64| {
            let edge = edges[((ms / 3_000) as usize).min(100)];
            flapping(ms.saturating_sub(edge), mood)
        };
        let jitter = |n: u64| delays[(n % 64) as usize];
        let run = run(STABLE, 7 * MINUTE, phase, jitter, wobbling);
        prop_assert!(run.count() <= 4, "{:?}", run);
    }
}

/// Whoever can make requests fail on both instances must not be able to switch the service off.
#[test]
fn failing_requests_never_leave_a_service_without_instance() {
    let config = Arc::new(pure_config(2, FailbackMode::AfterStable(STABLE)));
    let mut core = Core::new(config, Vec::new(), Moment::default());
    let mut moved = false;
    for second in 1..120 {
        let now = Moment::from_micros(second * 1_000_000);
        for id in [A, B] {
            core.observe(id, WATCHED, now, Event::Probe { outcome: Outcome::Passed, started: now });
            let last_resort = core.last_resort(id, WATCHED);
            let tally = Tally { gateway_error: 20, last_resort, ..Tally::default() };
            core.observe(id, WATCHED, now, Event::Seen(tally));
        }
        if let Some(picture) = core.settle(now) {
            let serving = picture.table.get(SiteId(0), WATCHED).instance;
            moved |= serving == Some(B);
            assert!(serving.is_some(), "at {second} s");
        }
    }
    assert!(moved, "the standby was tried");
}
