//! Faults of the event service: what is lost, when it happens by its clock, and how it arrives. Decisions only; `feed`
//! and `socket` carry them out.
//!
//! Loss, burst and the clock are decided when something happens, delay when it would arrive: lifting a delay lets
//! everything in that waits, in order.

use serde_json::{Value, json};

use super::config::chance;
use crate::physical::mix;
use crate::stamp::MILLI;

/// One way in which the event service fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EventsFault {
    /// This share of what happens is never reported. At a camera with a fault of its own, that one alone counts.
    Loss {
        /// From 0 to 1.
        share: f64,
        /// Physical index of the camera; `None`: everything that happens, user-defined events too.
        camera: Option<usize>,
    },
    /// Time stamps are off by these milliseconds.
    Skew(i64),
    /// Time stamps run away.
    Drift {
        /// Microseconds a second.
        ppm: i64,
        /// Since when, in ticks: when the fault was set.
        since: i64,
    },
    /// The clock that makes time stamps has jumped by these milliseconds. A second step adds to the first; lifting the
    /// fault sets the clock right.
    Step(i64),
    /// Everything arrives later by these milliseconds; time stamps stay.
    Delay(i64),
    /// This many times as much happens. What is added are feeds of cameras that somebody requests and ends, so it is
    /// never mistaken for anything else; two instances with one factor see the same.
    Burst(u32),
    /// A resumed session gets this many of the instance's events from before its cursor once more.
    Replay(u64),
    /// Open sockets stay open and silent: nothing is sent, nothing is read. It all comes when the fault is lifted.
    Stall,
}

impl EventsFault {
    /// The name in the control API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Loss { .. } => "loss",
            Self::Skew(_) => "skew",
            Self::Drift { .. } => "drift",
            Self::Step(_) => "step",
            Self::Delay(_) => "delay",
            Self::Burst(_) => "burst",
            Self::Replay(_) => "replay",
            Self::Stall => "stall",
        }
    }

    /// Whether the two cannot be there together.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Loss { camera, .. }, Self::Loss { camera: other, .. }) => camera == other,
            _ => self.name() == other.name(),
        }
    }

    /// This fault after an older one that it replaces.
    #[must_use]
    pub fn after(self, older: Self) -> Self {
        match (self, older) {
            (Self::Step(more), Self::Step(before)) => Self::Step(before.saturating_add(more)),
            _ => self,
        }
    }

    /// The fault as it was asked for.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({ "service": "events", "mode": self.name() });
        match *self {
            Self::Loss { share, camera } => {
                json["share"] = json!(share);
                if let Some(camera) = camera {
                    json["camera"] = json!(camera);
                }
            }
            Self::Skew(ms) | Self::Step(ms) | Self::Delay(ms) => json["ms"] = json!(ms),
            Self::Drift { ppm, .. } => json["ppm"] = json!(ppm),
            Self::Burst(factor) => json["factor"] = json!(factor),
            Self::Replay(n) => json["n"] = json!(n),
            Self::Stall => {}
        }
        json
    }
}

const DOMAIN_LOSS: u64 = 211;

/// Whether the instance with this number does not report what happened at `camera`: a function of the arguments, so a
/// larger share loses everything that a smaller one does.
#[must_use]
pub fn is_lost(faults: &[EventsFault], own: u64, physical: i64, at: Option<usize>) -> bool {
    let share_of = |wanted: Option<usize>| {
        faults.iter().find_map(|fault| match fault {
            EventsFault::Loss { share, camera } if *camera == wanted => Some(*share),
            _ => None,
        })
    };
    let share = at.and_then(|camera| share_of(Some(camera))).or_else(|| share_of(None));
    share.is_some_and(|share| chance(mix(own, DOMAIN_LOSS, physical.cast_unsigned(), 0)) < share)
}

/// How far the instance's time stamps are off at a moment, in ticks.
#[must_use]
pub fn clock_error(faults: &[EventsFault], at: i64) -> i64 {
    let error = |fault: &EventsFault| match *fault {
        EventsFault::Skew(ms) | EventsFault::Step(ms) => ms.saturating_mul(MILLI),
        EventsFault::Drift { ppm, since } => {
            let drift = i128::from(at.saturating_sub(since)) * i128::from(ppm) / 1_000_000;
            i64::try_from(drift).unwrap_or(0)
        }
        _ => 0,
    };
    faults.iter().map(error).fold(0, i64::saturating_add)
}

/// How much later everything arrives, in ticks.
#[must_use]
pub fn delay(faults: &[EventsFault]) -> i64 {
    let delay = |fault: &EventsFault| match *fault {
        EventsFault::Delay(ms) => Some(ms.saturating_mul(MILLI)),
        _ => None,
    };
    faults.iter().find_map(delay).unwrap_or(0)
}

/// How many times as much happens.
#[must_use]
pub fn burst(faults: &[EventsFault]) -> u32 {
    let factor = |fault: &EventsFault| match *fault {
        EventsFault::Burst(factor) => Some(factor),
        _ => None,
    };
    faults.iter().find_map(factor).unwrap_or(1)
}

/// How many events a resumed session gets once more.
#[must_use]
pub fn replay(faults: &[EventsFault]) -> u64 {
    let count = |fault: &EventsFault| match *fault {
        EventsFault::Replay(n) => Some(n),
        _ => None,
    };
    faults.iter().find_map(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_is_a_share_and_the_cameras_own_wins() {
        let all = EventsFault::Loss { share: 0.1, camera: None };
        let one = EventsFault::Loss { share: 1.0, camera: Some(3) };
        let count = |faults: &[EventsFault], own, camera| {
            (0..10_000).filter(|n| is_lost(faults, own, *n, camera)).count()
        };
        assert!((850..1_150).contains(&count(&[all], 1, None)), "{}", count(&[all], 1, None));
        assert_eq!(count(&[all, one], 1, Some(3)), 10_000);
        assert_eq!(count(&[all, one], 1, Some(2)), count(&[all], 1, None));
        assert_eq!(count(&[one], 1, None), 0);
        let both = (0..10_000).filter(|n| is_lost(&[all], 1, *n, None) && is_lost(&[all], 2, *n, None));
        assert!((50..170).contains(&both.count()), "two instances lose different ones");
    }

    #[test]
    fn clocks_add_up() {
        let second = 1_000 * MILLI;
        let drift = EventsFault::Drift { ppm: 100, since: 50 * second };
        let faults = [EventsFault::Skew(300), EventsFault::Step(-5_000), drift];
        assert_eq!(clock_error(&faults, 50 * second), -4_700 * MILLI);
        assert_eq!(clock_error(&faults, 60 * second), -4_699 * MILLI);
        assert_eq!(EventsFault::Step(2).after(EventsFault::Step(-5)), EventsFault::Step(-3));
        assert_eq!(EventsFault::Skew(2).after(EventsFault::Skew(-5)), EventsFault::Skew(2));
        assert_eq!((delay(&faults), burst(&faults), replay(&faults)), (0, 1, 0));
    }
}
