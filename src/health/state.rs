//! The machine that judges one (instance, service): rise, fall, suspicion, absence (design D5).
//! Pure: events and time go in, decisions come out.

use std::time::Duration;

use super::board::Fact;
use super::cause::Cause;
use super::report::{Signal, Tally};
use super::window::{SPAN, Window};
use crate::clock::Moment;
use crate::config::types::Health;

/// The verdict on one (instance, service).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Condition {
    /// Not probed yet; counts as healthy.
    #[default]
    Unknown,
    /// Works.
    Up,
    /// A fault was seen and is being looked into; still serves.
    Suspect,
    /// Does not work.
    Down,
    /// The instance does not have this service (404). Not a fault, causes no switch.
    Absent,
}

impl Condition {
    /// Works as far as known.
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::Unknown | Self::Up | Self::Suspect)
    }

    /// The name in status, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Suspect => "suspect",
            Self::Down => "down",
            Self::Absent => "absent",
        }
    }
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Works.
    Passed,
    /// Does not.
    Failed(Cause),
    /// The instance does not have the service.
    Absent,
    /// Could not be asked, for a reason of our own (no file descriptor, no port). Says nothing.
    Inconclusive,
}

/// What a deep probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeepOutcome {
    /// Works with an account.
    Passed,
    /// Does not.
    Failed,
    /// Could not be tried: no token, account refused. Says nothing about the instance.
    Inconclusive,
}

/// What the machine hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A shallow probe, regular or of a burst, ended.
    Probe {
        /// Its result.
        outcome: Outcome,
        /// When it was sent. Results of probes from before the last switch between up and down
        /// are about another time and are ignored.
        started: Moment,
    },
    /// All probes of a burst have ended.
    BurstOver,
    /// A deep probe ended.
    Deep(DeepOutcome),
    /// What requests saw since the last time.
    Seen(Tally),
}

/// What has to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Start a probe burst now. [`Event::BurstOver`] must follow.
    pub burst: bool,
    /// Probes have answered since silence was reported: let requests through again.
    pub silence_over: bool,
    /// The condition changed.
    pub change: Option<Change>,
}

/// A change of condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Before.
    pub from: Condition,
    /// After.
    pub to: Condition,
    /// The fault behind it; for a recovery the fault that is over.
    pub cause: Option<Cause>,
}

/// The machine of one (instance, service).
#[derive(Clone, Debug, Default)]
pub struct Machine {
    fact: Fact,
    /// Results of the same kind in a row; each kind ends the rows of the others.
    passes: u32,
    fails: u32,
    absents: u32,
    burst: Option<Burst>,
    last_burst: Option<Moment>,
    /// When silence was reported that no probe has spoken against yet.
    silent: Option<Moment>,
    /// The last switch between down and not down.
    flipped: Moment,
    deep_fails: u32,
    deep_down: bool,
    window: Window,
    hold: Hold,
}

#[derive(Clone, Copy, Debug, Default)]
struct Burst {
    failed: bool,
    passed: bool,
}

/// A service that requests have judged down comes back only after a quiet time, for its probes
/// passed all along. The time doubles with each such verdict until five minutes pass without one.
#[derive(Clone, Copy, Debug, Default)]
struct Hold {
    until: Option<Moment>,
    trips: u32,
}

impl Machine {
    /// The verdict, for the board.
    pub const fn fact(&self) -> Fact {
        self.fact
    }

    /// Whether deep probes make sense now: not against a service that does not even answer.
    pub fn wants_deep(&self) -> bool {
        self.fact.condition.is_usable() || self.deep_down
    }

    /// Nothing is asked any more, and what was known proves nothing about later: like a new one,
    /// but what the instance does not have it will not have learnt.
    pub fn forget(&mut self, now: Moment) {
        let lacking = self.fact.lacking;
        let condition = if lacking { Condition::Absent } else { Condition::Unknown };
        let fact = Fact { condition, since: now, lacking, ..Fact::default() };
        *self = Self { fact, flipped: now, ..Self::default() };
    }

    /// Takes an event in and says what follows from it.
    pub fn observe(&mut self, now: Moment, event: Event, settings: &Health) -> Step {
        let before = self.fact.condition;
        let mut step = Step::default();
        match event {
            Event::Probe { started, .. } if started < self.flipped => {}
            Event::Probe { outcome: Outcome::Passed, started } => {
                self.passed(now, settings);
                step.silence_over = self.burst.is_none() && self.silent.is_some_and(|s| s <= started);
            }
            Event::Probe { outcome: Outcome::Failed(cause), .. } => {
                self.failed(now, cause, settings);
                step.burst = self.start_burst(now);
            }
            Event::Probe { outcome: Outcome::Absent, .. } => self.absent(now, settings),
            Event::Probe { outcome: Outcome::Inconclusive, .. } => {}
            Event::BurstOver => {
                let clean = self.burst.take().is_some_and(|b| b.passed && !b.failed);
                step.silence_over = clean && self.silent.is_some();
            }
            Event::Deep(outcome) => self.deep(now, outcome, settings),
            Event::Seen(tally) => step.burst = self.seen(now, &tally, settings),
        }
        let after = self.fact.condition;
        if before != after {
            step.change = Some(Change { from: before, to: after, cause: self.fact.cause });
            step.silence_over |= before == Condition::Down;
        }
        if step.silence_over {
            self.silent = None;
        }
        step
    }

    fn passed(&mut self, now: Moment, settings: &Health) {
        (self.passes, self.fails, self.absents) = (self.passes.saturating_add(1), 0, 0);
        if let Some(burst) = &mut self.burst {
            burst.passed = true;
        }
        match self.fact.condition {
            Condition::Up => {}
            Condition::Unknown => self.enter(Condition::Up, now),
            Condition::Suspect | Condition::Absent | Condition::Down => self.rise(now, settings),
        }
    }

    /// Up, if everything that has to speak for it does.
    fn rise(&mut self, now: Moment, settings: &Health) {
        let held = self.hold.until.is_some_and(|until| now < until);
        if self.passes >= settings.rise && !self.deep_down && !held {
            self.enter(Condition::Up, now);
        }
    }

    fn failed(&mut self, now: Moment, cause: Cause, settings: &Health) {
        (self.passes, self.fails, self.absents) = (0, self.fails.saturating_add(1), 0);
        if let Some(burst) = &mut self.burst {
            burst.failed = true;
        }
        self.suspect(now, cause);
        if self.fails >= settings.fall {
            self.enter(Condition::Down, now);
        }
    }

    fn absent(&mut self, now: Moment, settings: &Health) {
        (self.passes, self.fails, self.absents) = (0, 0, self.absents.saturating_add(1));
        let enough = match self.fact.condition {
            Condition::Unknown => 1,
            Condition::Up | Condition::Suspect => settings.fall,
            Condition::Down => settings.rise,
            Condition::Absent => return,
        };
        if self.absents >= enough {
            self.enter(Condition::Absent, now);
        }
    }

    fn deep(&mut self, now: Moment, outcome: DeepOutcome, settings: &Health) {
        match outcome {
            DeepOutcome::Failed => {
                self.deep_fails = self.deep_fails.saturating_add(1);
                if self.deep_fails >= settings.fall && self.fact.condition.is_usable() {
                    self.deep_down = true;
                    self.fact.cause = Some(Cause::Deep);
                    self.enter(Condition::Down, now);
                }
            }
            // An account that stops working must not hold an instance down.
            DeepOutcome::Passed | DeepOutcome::Inconclusive => {
                self.deep_fails = 0;
                if std::mem::take(&mut self.deep_down) && self.fact.condition == Condition::Down {
                    self.rise(now, settings);
                }
            }
        }
    }

    /// Returns whether to start a burst.
    fn seen(&mut self, now: Moment, tally: &Tally, settings: &Health) -> bool {
        // Down: what requests meet now was known. Absent: there is nothing to lose.
        if !self.fact.condition.is_usable() {
            return false;
        }
        self.window.add(tally, now);
        let Some(signal) = worst(tally) else { return false };
        if tally.silence > 0 {
            self.silent.get_or_insert(now);
        }
        self.suspect(now, Cause::Seen(signal));
        // See `Window` for what this can and cannot be misused for.
        let verdict = self.window.verdict(now).filter(|_| !tally.last_resort);
        if let Some(faults) = verdict {
            self.fact.cause = Some(Cause::Window(faults));
            self.hold_back(now);
            self.enter(Condition::Down, now);
            return false;
        }
        // A refusal is as good as a failed probe, but the last word is a probe's.
        if tally.refused > 0 && self.burst.is_none() {
            self.fails = self.fails.saturating_add(1).min(settings.fall.saturating_sub(1)).max(self.fails);
        }
        // Softer signs may go on for long while probes pass (one long query reports silence all
        // the time that it takes): regular probes are enough then.
        let rested = self.last_burst.is_none_or(|last| now.since(last) >= settings.interval * 2);
        (tally.refused > 0 || rested) && self.start_burst(now)
    }

    fn start_burst(&mut self, now: Moment) -> bool {
        let start = self.burst.is_none() && self.fact.condition == Condition::Suspect;
        if start {
            self.burst = Some(Burst::default());
            self.last_burst = Some(now);
        }
        start
    }

    fn suspect(&mut self, now: Moment, cause: Cause) {
        self.fact.cause = Some(cause);
        match self.fact.condition {
            Condition::Up | Condition::Unknown => {
                self.passes = 0;
                self.enter(Condition::Suspect, now);
            }
            // Absent: a service that was never there becomes no candidate by failing.
            Condition::Suspect | Condition::Down | Condition::Absent => {}
        }
    }

    fn hold_back(&mut self, now: Moment) {
        let again = self.hold.until.is_some_and(|until| now.since(until) < HOLD_QUIET);
        self.hold.trips = if again { (self.hold.trips + 1).min(HOLD_DOUBLINGS) } else { 0 };
        self.hold.until = Some(now + (SPAN * (1 << self.hold.trips)).min(HOLD_CAP));
    }

    fn enter(&mut self, condition: Condition, now: Moment) {
        if self.fact.condition == condition {
            return;
        }
        if (self.fact.condition == Condition::Down) != (condition == Condition::Down) {
            self.flipped = now;
        }
        self.fact.up_since = match condition {
            Condition::Up => self.fact.up_since.or(Some(now)),
            Condition::Suspect | Condition::Unknown => self.fact.up_since,
            Condition::Down | Condition::Absent => None,
        };
        if condition == Condition::Down {
            (self.passes, self.absents) = (0, 0);
            self.window.clear();
        }
        self.fact.lacking = match condition {
            Condition::Absent => true,
            Condition::Up => false,
            _ => self.fact.lacking,
        };
        self.fact.condition = condition;
        self.fact.since = now;
    }
}

/// The signal that says most.
const fn worst(tally: &Tally) -> Option<Signal> {
    Some(if tally.refused > 0 {
        Signal::ConnectRefused
    } else if tally.connect_timeout > 0 {
        Signal::ConnectTimeout
    } else if tally.connect_failed > 0 {
        Signal::ConnectFailed
    } else if tally.gateway_error > 0 {
        Signal::GatewayError(503)
    } else if tally.reset > 0 {
        Signal::Reset
    } else if tally.response_timeout > 0 {
        Signal::ResponseTimeout
    } else if tally.silence > 0 {
        Signal::Silence
    } else {
        return None;
    })
}

const HOLD_QUIET: Duration = Duration::from_secs(5 * 60);
/// Short: fail-back has its own damping, and a held instance cannot help when the other one fails.
const HOLD_CAP: Duration = Duration::from_secs(60);
/// 10 s doubled three times is past the cap.
const HOLD_DOUBLINGS: u32 = 3;

#[cfg(test)]
mod tests;
