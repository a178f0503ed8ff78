#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::health::fixtures::health;

fn at(ms: u64) -> Moment {
    Moment::from_micros(ms * 1_000)
}

fn probe(outcome: Outcome, started: u64) -> Event {
    Event::Probe { outcome, started: at(started) }
}

const FAILED: Outcome = Outcome::Failed(Cause::Timeout);
const REFUSED: Tally = Tally { refused: 400, ..NOTHING };
const SILENT: Tally = Tally { silence: 1, ..NOTHING };
const NOTHING: Tally = Tally {
    refused: 0,
    connect_timeout: 0,
    connect_failed: 0,
    reset: 0,
    response_timeout: 0,
    gateway_error: 0,
    silence: 0,
    success: 0,
    waiting: 0,
    last_resort: false,
};

/// A machine that was up since 0 ms.
fn up() -> Machine {
    let mut machine = Machine::default();
    machine.observe(at(0), probe(Outcome::Passed, 0), &health());
    assert_eq!(machine.fact().condition, Condition::Up);
    machine
}

fn down() -> Machine {
    let mut machine = up();
    machine.observe(at(100), probe(FAILED, 10), &health());
    machine.observe(at(110), probe(FAILED, 20), &health());
    assert_eq!(machine.fact().condition, Condition::Down);
    machine
}

#[test]
fn one_failed_probe_is_suspect_and_starts_a_burst() {
    let mut m = up();
    let step = m.observe(at(500), probe(FAILED, 100), &health());
    assert!(step.burst);
    assert_eq!(m.fact().condition, Condition::Suspect);
    assert!(!m.observe(at(501), probe(Outcome::Passed, 490), &health()).burst);
    for i in 0..2 {
        m.observe(at(510 + i), probe(Outcome::Passed, 505), &health());
    }
    assert_eq!(m.fact().condition, Condition::Up, "rise passes in a row");
    assert_eq!(m.fact().up_since, Some(at(0)), "suspicion does not end uptime");
}

#[test]
fn fall_failures_in_a_row_are_down_and_rise_passes_up() {
    let mut m = down();
    assert_eq!(m.fact().up_since, None);
    for i in 0..3 {
        assert_eq!(m.fact().condition, Condition::Down);
        m.observe(at(1_000 + i * 500), probe(Outcome::Passed, 990 + i * 500), &health());
    }
    assert_eq!(m.fact().condition, Condition::Up);
    assert_eq!(m.fact().up_since, Some(at(2_000)));
}

#[test]
fn a_refusal_needs_one_probe_more() {
    let mut m = up();
    let step = m.observe(at(100), Event::Seen(REFUSED), &health());
    assert!(step.burst, "the burst starts at once");
    assert_eq!(m.fact().condition, Condition::Suspect);
    m.observe(at(100), Event::Seen(REFUSED), &health());
    assert_eq!(m.fact().condition, Condition::Suspect, "the last word is a probe's");
    m.observe(at(101), probe(Outcome::Failed(Cause::Refused), 100), &health());
    assert_eq!(m.fact().condition, Condition::Down, "a millisecond after the first refusal");
}

#[test]
fn results_from_before_the_switch_are_ignored() {
    let mut m = down();
    for _ in 0..5 {
        m.observe(at(120), probe(Outcome::Passed, 105), &health());
    }
    assert_eq!(m.fact().condition, Condition::Down);
}

#[test]
fn absent_is_no_fault() {
    let mut m = Machine::default();
    m.observe(at(0), probe(Outcome::Absent, 0), &health());
    assert_eq!(m.fact().condition, Condition::Absent);
    m.observe(at(1), probe(FAILED, 1), &health());
    assert_eq!(m.fact().condition, Condition::Absent);
    m.observe(at(2), probe(FAILED, 2), &health());
    assert_eq!(m.fact().condition, Condition::Down);

    let mut m = up();
    m.observe(at(10), probe(Outcome::Absent, 9), &health());
    assert_eq!(m.fact().condition, Condition::Up, "once may be a restart");
    m.observe(at(20), probe(Outcome::Absent, 19), &health());
    assert_eq!(m.fact().condition, Condition::Absent);
}

#[test]
fn a_clean_burst_ends_silence() {
    let mut m = up();
    assert!(m.observe(at(100), Event::Seen(SILENT), &health()).burst);
    for i in 0..5 {
        let step = m.observe(at(110 + i), probe(Outcome::Passed, 105), &health());
        assert!(!step.silence_over, "only the whole burst counts");
    }
    assert!(m.observe(at(120), Event::BurstOver, &health()).silence_over);
}

#[test]
fn a_failed_burst_does_not_end_silence() {
    let mut m = up();
    m.observe(at(100), Event::Seen(SILENT), &health());
    m.observe(at(110), probe(Outcome::Passed, 105), &health());
    m.observe(at(500), probe(FAILED, 106), &health());
    assert!(!m.observe(at(501), Event::BurstOver, &health()).silence_over);
    assert!(m.observe(at(600), probe(Outcome::Passed, 590), &health()).silence_over);
}

#[test]
fn soft_signs_do_not_make_probes_storm() {
    let mut m = up();
    let mut bursts = 0;
    for ms in (0..5_000).step_by(10) {
        let tally = Tally { gateway_error: 1, success: 9, ..NOTHING };
        if m.observe(at(ms), Event::Seen(tally), &health()).burst {
            bursts += 1;
            m.observe(at(ms + 1), probe(Outcome::Passed, ms), &health());
            m.observe(at(ms + 1), Event::BurstOver, &health());
        }
    }
    assert!(bursts <= 6, "{bursts} bursts in 5 s");
    assert!(m.fact().condition.is_usable(), "one error among ten is no reason");
}

/// Faults alone, at these moments.
fn fail(m: &mut Machine, tally: Tally, moments: &[u64]) {
    for ms in moments {
        m.observe(at(*ms), Event::Seen(tally), &health());
    }
}

#[test]
fn requests_that_all_fail_outweigh_probes_that_pass() {
    let mut m = up();
    let tally = Tally { gateway_error: 3, ..NOTHING };
    fail(&mut m, tally, &[1_000, 2_000]);
    assert_eq!(m.fact().condition, Condition::Down);
    assert_eq!(m.fact().cause, Some(Cause::Window(6)));
    let up_again = |m: &mut Machine, from: u64| {
        (0..1_000)
            .map(|i| from + i * 500)
            .find(|ms| {
                m.observe(at(*ms), probe(Outcome::Passed, *ms), &health());
                m.fact().condition == Condition::Up
            })
            .unwrap()
    };
    let first = up_again(&mut m, 2_500) - 2_000;
    assert!((10_000..10_600).contains(&first), "after a quiet window: {first}");
    fail(&mut m, tally, &[20_000, 21_000]);
    assert_eq!(m.fact().condition, Condition::Down);
    let second = up_again(&mut m, 21_500) - 21_000;
    assert!((20_000..20_600).contains(&second), "twice as long: {second}");
}

#[test]
fn one_client_s_burst_of_failures_is_looked_into_and_no_more() {
    let mut m = up();
    let step = m.observe(at(1_000), Event::Seen(Tally { gateway_error: 12, ..NOTHING }), &health());
    assert!(step.burst);
    assert_eq!(m.fact().condition, Condition::Suspect);
    for i in 0..5 {
        m.observe(at(1_010 + i), probe(Outcome::Passed, 1_005), &health());
    }
    m.observe(at(1_020), Event::BurstOver, &health());
    assert_eq!(m.fact().condition, Condition::Up);
}

#[test]
fn a_poisoned_url_does_not_move_a_service_that_others_use() {
    let mut m = up();
    for ms in (1_000..60_000).step_by(100) {
        // Reports of faults come at once, successes once a second.
        let tally = Tally { gateway_error: 3, success: u32::from(ms % 1_000 == 500), ..NOTHING };
        if m.observe(at(ms), Event::Seen(tally), &health()).burst {
            m.observe(at(ms + 1), probe(Outcome::Passed, ms), &health());
            m.observe(at(ms + 1), Event::BurstOver, &health());
        }
        assert!(m.fact().condition.is_usable(), "at {ms} ms");
    }
}

#[test]
fn requests_alone_do_not_end_the_last_service() {
    let mut m = up();
    let tally = Tally { gateway_error: 50, last_resort: true, ..NOTHING };
    fail(&mut m, tally, &[1_000, 2_000, 3_000]);
    assert_eq!(m.fact().condition, Condition::Suspect);
    m.observe(at(3_500), Event::Seen(Tally { last_resort: false, ..tally }), &health());
    assert_eq!(m.fact().condition, Condition::Down, "as soon as somebody can take over");
}

#[test]
fn deep_failures_count_on_their_own() {
    let mut m = up();
    m.observe(at(10), Event::Deep(DeepOutcome::Failed), &health());
    m.observe(at(20), probe(Outcome::Passed, 15), &health());
    assert_eq!(m.fact().condition, Condition::Up);
    m.observe(at(30), Event::Deep(DeepOutcome::Failed), &health());
    assert_eq!(m.fact().condition, Condition::Down);
    assert_eq!(m.fact().cause, Some(Cause::Deep));
    assert!(m.wants_deep(), "else it would never come back");
    for i in 0..9 {
        m.observe(at(100 + i), probe(Outcome::Passed, 99 + i), &health());
    }
    assert_eq!(m.fact().condition, Condition::Down);
    m.observe(at(200), Event::Deep(DeepOutcome::Passed), &health());
    assert_eq!(m.fact().condition, Condition::Up);
}

#[test]
fn a_broken_account_holds_nobody_down() {
    let mut m = up();
    for _ in 0..20 {
        m.observe(at(10), Event::Deep(DeepOutcome::Inconclusive), &health());
    }
    assert_eq!(m.fact().condition, Condition::Up);
}

fn any_event() -> impl Strategy<Value = Event> {
    let tally = (0..3_u32, 0..3_u32, 0..3_u32, 0..2_u32, 0..5_u32).prop_map(
        |(refused, reset, gateway_error, silence, success)| {
            Event::Seen(Tally { refused, reset, gateway_error, silence, success, ..NOTHING })
        },
    );
    let outcome = prop_oneof![
        6 => Just(Outcome::Passed),
        4 => Just(FAILED),
        1 => Just(Outcome::Absent),
    ];
    let deep =
        prop_oneof![Just(DeepOutcome::Passed), Just(DeepOutcome::Failed), Just(DeepOutcome::Inconclusive)];
    // Start times are filled in as time runs.
    prop_oneof![
        6 => outcome.prop_map(|outcome| Event::Probe { outcome, started: Moment::default() }),
        2 => tally,
        1 => deep.prop_map(Event::Deep),
        1 => Just(Event::BurstOver),
    ]
}

proptest! {
    /// Whatever happens: down needs a reason, up needs passes in a row, bursts never overlap, and
    /// the dates make sense.
    #[test]
    fn invariants_hold_in_any_storm(
        events in prop::collection::vec((any_event(), 0_u64..700), 1..200),
    ) {
        let settings = health();
        let (mut m, mut now, mut bursting) = (Machine::default(), at(0), false);
        let (mut passes, mut faults) = (0_u32, 0_u32);
        for (event, wait) in events {
            now = now + Duration::from_millis(wait);
            let event = match event {
                Event::Probe { outcome, .. } => Event::Probe { outcome, started: now },
                other => other,
            };
            match event {
                Event::Probe { outcome: Outcome::Passed, .. } => passes += 1,
                Event::Probe { outcome: Outcome::Failed(_), .. } => { passes = 0; faults += 1 }
                Event::Probe { outcome: Outcome::Absent, .. } => passes = 0,
                Event::Seen(t) => faults += u32::from(t.has_fault()),
                Event::Deep(DeepOutcome::Failed) => faults += 1,
                _ => {}
            }
            let before = m.fact();
            let step = m.observe(now, event, &settings);
            let after = m.fact();
            prop_assert_eq!(step.change.is_some(), before.condition != after.condition);
            if before.condition != after.condition {
                prop_assert_eq!(after.since, now);
            }
            if after.condition == Condition::Down && before.condition != Condition::Down {
                prop_assert!(faults >= settings.fall.min(1), "down without a fault");
                prop_assert!(after.cause.is_some());
            }
            if after.condition == Condition::Up && before.condition == Condition::Down {
                prop_assert!(passes >= settings.rise, "up after {} passes", passes);
                faults = 0;
            }
            prop_assert_eq!(after.up_since.is_some() && !after.condition.is_usable(), false);
            if let Some(since) = after.up_since {
                prop_assert!(since <= now);
            }
            if after.condition == Condition::Up {
                prop_assert!(after.up_since.is_some());
            }
            if step.burst {
                prop_assert!(!bursting, "bursts overlap");
                bursting = true;
            }
            if event == Event::BurstOver {
                bursting = false;
            }
        }
    }

    /// Nothing but passes: never anything but up.
    #[test]
    fn a_healthy_service_stays_up(waits in prop::collection::vec(0_u64..100_000, 1..100)) {
        let (mut m, mut now) = (Machine::default(), at(0));
        for wait in waits {
            now = now + Duration::from_millis(wait);
            m.observe(now, Event::Probe { outcome: Outcome::Passed, started: now }, &health());
            m.observe(now, Event::Seen(Tally { success: 100, ..NOTHING }), &health());
            prop_assert_eq!(m.fact().condition, Condition::Up);
        }
    }
}
