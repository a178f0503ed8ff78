//! What the data plane tells about an instance while it works: atomics only, no locks, no waiting.
//!
//! There is one [`Monitor`] per instance, shared by all cores. It survives a reload as long as the
//! instance keeps its name and address, and with it the learnt latencies.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::latency::Recent;
use super::report::Inbox;
use crate::clock::Moment;
use crate::config::types::Service;

/// Everything that the data plane counts about one instance.
#[derive(Debug)]
pub struct Monitor {
    name: String,
    gauges: [Gauge; Service::COUNT],
    pub(super) inbox: Inbox,
}

impl Monitor {
    /// A monitor that has seen nothing; `name` is the instance's.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), gauges: std::array::from_fn(|_| Gauge::default()), inbox: Inbox::default() }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The gauge of one service.
    pub fn gauge(&self, service: Service) -> &Gauge {
        &self.gauges[service.index()]
    }
}

/// How one (instance, service) answers now.
///
/// Every [`Gauge::begin`] is followed by exactly one [`Gauge::answered`] or [`Gauge::abandoned`].
/// Aligned so that two services never share a cache line (or a prefetched pair).
#[derive(Debug)]
#[repr(align(128))]
pub struct Gauge {
    waiting: AtomicU32,
    /// [`Moment`] in microseconds.
    last_byte: AtomicU64,
    /// Microseconds.
    hedge_delay: AtomicU64,
    silence: AtomicBool,
    latency: Recent,
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            waiting: AtomicU32::new(0),
            last_byte: AtomicU64::new(0),
            hedge_delay: AtomicU64::new(micros(HEDGE_FLOOR)),
            silence: AtomicBool::new(false),
            latency: Recent::default(),
        }
    }
}

impl Gauge {
    /// A request starts to wait. `_now` is part of the interface so that a caller takes the time
    /// once for all that it tells.
    pub fn begin(&self, _now: Moment) {
        self.waiting.fetch_add(1, Relaxed);
    }

    /// The first byte of an answer came after `waited`: the instance is not silent.
    pub fn answered(&self, now: Moment, waited: Duration) {
        self.leave();
        self.last_byte.fetch_max(now.as_micros(), Relaxed);
        self.latency.record(waited);
        self.clear_silence();
    }

    /// A request gave up before its first byte: time-out, client gone, answered elsewhere.
    pub fn abandoned(&self) {
        self.leave();
    }

    /// More bytes came. Writes at most once a millisecond: finer time is not needed, and a
    /// stream must not make all cores fight for this cache line.
    pub fn touch(&self, now: Moment) {
        if now.as_micros() >= self.last_byte.load(Relaxed).saturating_add(TOUCH_STEP) {
            self.last_byte.fetch_max(now.as_micros(), Relaxed);
        }
    }

    /// How long silence must last before a safe request is sent to the standby as well (design
    /// D4): three times the recent p99, at least 50 ms, at most 2 s.
    pub fn hedge_delay(&self) -> Duration {
        Duration::from_micros(self.hedge_delay.load(Relaxed))
    }

    /// Design D4: requests wait, and no byte has come on any connection for the hedge delay,
    /// counted from the last byte or from `started` (when the asking request began), whichever is
    /// later.
    pub fn silent_since(&self, now: Moment, started: Moment) -> bool {
        let quiet_from = started.max(Moment::from_micros(self.last_byte.load(Relaxed)));
        self.waiting() > 0 && now.since(quiet_from) >= self.hedge_delay()
    }

    /// Silence was reported and nothing has spoken against it since: new safe requests go
    /// straight to the standby.
    pub fn silence_latched(&self) -> bool {
        self.silence.load(Relaxed)
    }

    /// Requests that wait for their first byte.
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Relaxed)
    }

    pub(super) fn latch_silence(&self) {
        self.silence.store(true, Relaxed);
    }

    /// A passed probe burst, or an answer, ends the silence.
    pub(super) fn clear_silence(&self) {
        // Read first: almost always false, and a load does not take the line from other cores.
        if self.silence.load(Relaxed) {
            self.silence.store(false, Relaxed);
        }
    }

    /// Recomputes the hedge delay from the recent waits; too few leave it as it is.
    pub(super) fn refresh_hedge_delay(&self) {
        if let Some(p99) = self.latency.quantile(0.99, HEDGE_SAMPLES) {
            let delay = (p99 * 3).clamp(HEDGE_FLOOR, HEDGE_CAP);
            self.hedge_delay.store(micros(delay), Relaxed);
        }
    }

    /// Starts a new half of the latency window.
    pub(super) fn rotate(&self) {
        self.latency.rotate();
    }

    fn leave(&self) {
        // A caller that breaks the pairing must not make four billion requests wait.
        let _ = self.waiting.fetch_update(Relaxed, Relaxed, |n| n.checked_sub(1));
    }
}

const fn micros(d: Duration) -> u64 {
    // All arguments are constants or clamped to `HEDGE_CAP`.
    d.as_micros() as u64
}

const HEDGE_FLOOR: Duration = Duration::from_millis(50);
/// A service this slow is slow, not silent; the response time-out deals with it.
const HEDGE_CAP: Duration = Duration::from_secs(2);
/// Below this a p99 is the slowest of a handful.
const HEDGE_SAMPLES: u64 = 20;
/// Microseconds.
const TOUCH_STEP: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::from_micros(ms * 1_000)
    }

    #[test]
    fn silence_needs_a_waiting_request_and_no_byte() {
        let gauge = Gauge::default();
        assert!(!gauge.silent_since(at(500), at(0)), "nobody waits");
        gauge.begin(at(0));
        assert!(!gauge.silent_since(at(49), at(0)));
        assert!(gauge.silent_since(at(50), at(0)));
        gauge.touch(at(40));
        assert!(!gauge.silent_since(at(80), at(0)), "another connection has got bytes");
        assert!(gauge.silent_since(at(90), at(0)));
        assert!(!gauge.silent_since(at(90), at(60)), "a request that came later waits its own time");
    }

    #[test]
    fn an_answer_clears_the_latch() {
        let gauge = Gauge::default();
        gauge.begin(at(0));
        gauge.latch_silence();
        assert!(gauge.silence_latched());
        gauge.answered(at(60), Duration::from_millis(60));
        assert!(!gauge.silence_latched());
        assert_eq!(gauge.waiting(), 0);
    }

    #[test]
    fn hedge_delay_follows_the_p99_between_its_limits() {
        let gauge = Gauge::default();
        let answer = |ms: u64| {
            for _ in 0..100 {
                gauge.begin(at(0));
                gauge.answered(at(0), Duration::from_millis(ms));
            }
            gauge.refresh_hedge_delay();
        };
        answer(1);
        assert_eq!(gauge.hedge_delay(), HEDGE_FLOOR);
        answer(100);
        assert!(gauge.hedge_delay() >= Duration::from_millis(300), "{:?}", gauge.hedge_delay());
        assert!(gauge.hedge_delay() <= Duration::from_millis(380), "{:?}", gauge.hedge_delay());
        answer(10_000);
        assert_eq!(gauge.hedge_delay(), HEDGE_CAP);
    }

    #[test]
    fn waiting_never_underflows() {
        let gauge = Gauge::default();
        gauge.abandoned();
        assert_eq!(gauge.waiting(), 0);
    }
}
