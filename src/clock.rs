//! One monotonic clock for everything that decides.
//!
//! A [`Moment`] is small enough for an atomic and can be made by hand, so that state machines are
//! tested without sleeping: time is always an argument of what decides, never read inside it.

use std::ops::Add;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Microseconds since the process first asked for the time. Monotonic; never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The time now.
    pub fn now() -> Self {
        Self(u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// A moment from microseconds, as stored in an atomic or made by a test.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the start of the process.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// The time that has passed since `earlier`; zero if `earlier` lies in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// Seconds of UNIX time, for dates that others have written; 0 while this machine believes to be in
/// an earlier century.
pub fn unix_seconds() -> i64 {
    i64::try_from(unix_time().as_secs()).unwrap_or(i64::MAX)
}

/// UNIX time; zero where [`unix_seconds`] is.
pub fn unix_time() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_never_underflows() {
        let early = Moment::from_micros(5);
        let late = early + Duration::from_micros(7);
        assert_eq!(late.since(early), Duration::from_micros(7));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
