//! How many questions an instance is asked at once: four, and fewer as soon as it has better things to
//! do (sync design S35). Pure: time comes in.
//!
//! Halved when it says so (429, 503), does not answer in time, or takes much longer than it could; one
//! more after every few good answers.

use std::time::Duration;

use crate::clock::Moment;

/// The pace of the questions to one instance.
#[derive(Clone, Debug)]
pub struct Pace {
    patience: Patience,
    limit: usize,
    running: usize,
    /// Good answers since the limit last changed.
    good: usize,
    /// The shortest time that an answer took.
    shortest: Option<Duration>,
    /// When the limit was last halved: questions from before say nothing about the new one.
    halved: Option<Moment>,
    /// Nothing is asked before.
    not_before: Moment,
    /// Refusals in a row.
    refused: u32,
}

/// How long to wait after a refusal that says nothing about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// After the first; it doubles with each one more.
    pub first: Duration,
    /// At most, whatever the instance asks for.
    pub longest: Duration,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Any answer but the next.
    Answered,
    /// 429 or 503, with the `Retry-After` in it.
    Busy(Option<Duration>),
    /// None.
    Silent,
}

/// Whether a question may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Now; it has been counted.
    Now,
    /// Not before this moment.
    At(Moment),
    /// When one of those that are running has ended.
    Later,
}

impl Pace {
    /// At full speed.
    pub const fn new(patience: Patience) -> Self {
        Self {
            patience,
            limit: MOST,
            running: 0,
            good: 0,
            shortest: None,
            halved: None,
            not_before: Moment::from_micros(0),
            refused: 0,
        }
    }

    /// Asks for a turn. After [`Turn::Now`] there must be one call of [`Pace::end`].
    pub fn begin(&mut self, now: Moment) -> Turn {
        if self.running >= self.limit {
            return Turn::Later;
        }
        if now < self.not_before {
            return Turn::At(self.not_before);
        }
        self.running += 1;
        Turn::Now
    }

    /// A question that began at `began` has come to this.
    pub fn end(&mut self, began: Moment, now: Moment, outcome: Outcome) {
        self.running = self.running.saturating_sub(1);
        match outcome {
            Outcome::Answered => {
                self.refused = 0;
                let took = now.since(began);
                let shortest = self.shortest.map_or(took, |shortest| shortest.min(took));
                self.shortest = Some(shortest);
                if took > NEVER_SLOW && took > shortest * SLOW {
                    self.halve(began, now);
                } else {
                    self.good += 1;
                    if self.good >= ENOUGH {
                        (self.good, self.limit) = (0, (self.limit + 1).min(MOST));
                    }
                }
            }
            Outcome::Busy(asked) => {
                let own = self.patience.first.saturating_mul(1 << self.refused.min(DOUBLINGS));
                let wait = asked.unwrap_or(own).min(self.patience.longest);
                self.not_before = self.not_before.max(now + wait);
                self.refused = self.refused.saturating_add(1);
                self.halve(began, now);
            }
            Outcome::Silent => self.halve(began, now),
        }
    }

    /// A question was given up: it says nothing.
    pub const fn give_up(&mut self) {
        self.running = self.running.saturating_sub(1);
    }

    /// How many may run at once.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    fn halve(&mut self, began: Moment, now: Moment) {
        self.good = 0;
        if self.halved.is_none_or(|halved| began >= halved) {
            self.limit = (self.limit / 2).max(1);
            self.halved = Some(now);
        }
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), longest: Duration::from_secs(10) }
    }
}

/// More would not be faster, and a management server has its own work.
pub const MOST: usize = 4;
/// Good answers for one more at once.
const ENOUGH: usize = 8;
/// Whatever it usually takes, this is no reason for anything.
const NEVER_SLOW: Duration = Duration::from_millis(50);
/// Times the shortest.
const SLOW: u32 = 4;
/// So that the factor stays a number.
const DOUBLINGS: u32 = 10;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Patience =
        Patience { first: Duration::from_millis(100), longest: Duration::from_secs(2) };

    fn at(millis: u64) -> Moment {
        Moment::from_micros(millis * 1000)
    }

    fn one(pace: &mut Pace, began: u64, took: u64, outcome: Outcome) {
        assert_eq!(pace.begin(at(began)), Turn::Now);
        pace.end(at(began), at(began + took), outcome);
    }

    #[test]
    fn four_at_once() {
        let mut pace = Pace::new(PATIENCE);
        for _ in 0..4 {
            assert_eq!(pace.begin(at(0)), Turn::Now);
        }
        assert_eq!(pace.begin(at(0)), Turn::Later);
        pace.end(at(0), at(5), Outcome::Answered);
        assert_eq!(pace.begin(at(5)), Turn::Now);
    }

    #[test]
    fn slow_answers_halve_and_good_ones_give_back() {
        let mut pace = Pace::new(PATIENCE);
        one(&mut pace, 0, 5, Outcome::Answered);
        one(&mut pace, 10, 49, Outcome::Answered);
        assert_eq!(pace.limit(), 4);
        // Two of the same moment are one piece of news.
        assert_eq!([pace.begin(at(100)), pace.begin(at(100))], [Turn::Now; 2]);
        pace.end(at(100), at(200), Outcome::Answered);
        pace.end(at(100), at(210), Outcome::Answered);
        assert_eq!(pace.limit(), 2);
        one(&mut pace, 300, 500, Outcome::Silent);
        assert_eq!(pace.limit(), 1);
        for n in 0..24 {
            one(&mut pace, 1000 + n * 10, 5, Outcome::Answered);
        }
        assert_eq!(pace.limit(), 4);
    }

    #[test]
    fn it_waits_as_long_as_it_is_asked_to_within_reason() {
        let mut pace = Pace::new(PATIENCE);
        one(&mut pace, 0, 1, Outcome::Busy(Some(Duration::from_secs(1))));
        assert_eq!(pace.begin(at(2)), Turn::At(at(1001)));
        one(&mut pace, 1001, 1, Outcome::Busy(Some(Duration::from_secs(3600))));
        assert_eq!(pace.begin(at(1002)), Turn::At(at(3002)));
        one(&mut pace, 3002, 1, Outcome::Busy(None));
        assert_eq!(pace.begin(at(3003)), Turn::At(at(3403)));
    }

    proptest! {
        #[test]
        fn never_more_than_four_never_stuck(
            events in proptest::collection::vec((0_u8..5, 0_u64..300, 0_u64..60), 1..200),
        ) {
            let mut pace = Pace::new(PATIENCE);
            let mut running = Vec::new();
            let mut now = 0;
            for (what, millis, wait) in events {
                now += millis;
                match what {
                    0 | 1 => if pace.begin(at(now)) == Turn::Now { running.push(now) },
                    _ if running.is_empty() => {}
                    what => {
                        let began = running.remove(0);
                        match what {
                            2 => pace.end(at(began), at(now), Outcome::Answered),
                            3 => pace.end(at(began), at(now), Outcome::Busy(Some(Duration::from_secs(wait)))),
                            _ => pace.end(at(began), at(now), Outcome::Silent),
                        }
                    }
                }
                prop_assert!((1..=MOST).contains(&pace.limit()) && running.len() <= MOST);
            }
            for began in running {
                pace.end(at(began), at(now), Outcome::Silent);
            }
            // When all have ended, the next turn comes after the longest patience.
            prop_assert_eq!(pace.begin(at(now + 2000)), Turn::Now);
        }
    }
}
