//! How faults and successes travel from the data plane to the supervisor.
//!
//! There is no queue: a report adds to a counter in the instance's monitor and, if it is a fault
//! and nobody was woken yet, wakes the supervisor. A flood of refusals is one wake-up and a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::Notify;

use super::signal::Monitor;
use crate::config::types::Service;

/// What a request found out about an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nothing listens.
    ConnectRefused,
    /// No connection within the limit.
    ConnectTimeout,
    /// Name resolution, routing or TLS failed.
    ConnectFailed,
    /// The connection was cut in the middle of an exchange.
    Reset,
    /// No response head within the limit.
    ResponseTimeout,
    /// 502, 503 or 504 without a JSON body: the gateway has lost what is behind it.
    GatewayError(u16),
    /// Requests wait and no byte comes (design D4).
    Silence,
    /// A usable response head, whatever its status.
    Success,
}

impl Signal {
    const KINDS: usize = 8;

    const fn index(self) -> usize {
        match self {
            Self::ConnectRefused => 0,
            Self::ConnectTimeout => 1,
            Self::ConnectFailed => 2,
            Self::Reset => 3,
            Self::ResponseTimeout => 4,
            Self::GatewayError(_) => 5,
            Self::Silence => 6,
            Self::Success => 7,
        }
    }

    /// The name in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectRefused => "connect refused",
            Self::ConnectTimeout => "connect time-out",
            Self::ConnectFailed => "connect failed",
            Self::Reset => "reset",
            Self::ResponseTimeout => "response time-out",
            Self::GatewayError(_) => "gateway error",
            Self::Silence => "silence",
            Self::Success => "success",
        }
    }
}

/// Hands signals to the supervisor. Cheap to clone; never blocks.
#[derive(Clone, Debug, Default)]
pub struct Reporter {
    wake: Arc<Notify>,
}

impl Reporter {
    /// Tells what a request saw. [`Signal::Silence`] also latches the gauge's silence at once, so
    /// that the next request need not wait for the supervisor.
    pub fn report(&self, monitor: &Arc<Monitor>, service: Service, signal: Signal) {
        if signal == Signal::Silence {
            monitor.gauge(service).latch_silence();
        }
        if monitor.inbox.put(service, signal) {
            self.wake.notify_one();
        }
    }

    /// Waits until a fault has been reported since the last call.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }
}

/// The counters of one monitor.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    /// Faults came that nobody has taken yet.
    pending: AtomicBool,
    counts: [[AtomicU32; Signal::KINDS]; Service::COUNT],
}

impl Inbox {
    /// Counts; true if somebody has to be woken for it.
    fn put(&self, service: Service, signal: Signal) -> bool {
        self.counts[service.index()][signal.index()].fetch_add(1, Ordering::Relaxed);
        // Release pairs with `take_pending`: who sees the flag sees the count.
        signal != Signal::Success && !self.pending.swap(true, Ordering::AcqRel)
    }

    /// Whether faults came since the last call. Counts that arrive later raise the flag again.
    pub(super) fn take_pending(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }

    /// Takes what was counted for a service.
    pub(super) fn take(&self, service: Service) -> Tally {
        let count = |s: Signal| {
            let cell = &self.counts[service.index()][s.index()];
            // Mostly zero: do not write what need not be written.
            if cell.load(Ordering::Relaxed) == 0 { 0 } else { cell.swap(0, Ordering::Relaxed) }
        };
        Tally {
            refused: count(Signal::ConnectRefused),
            connect_timeout: count(Signal::ConnectTimeout),
            connect_failed: count(Signal::ConnectFailed),
            reset: count(Signal::Reset),
            response_timeout: count(Signal::ResponseTimeout),
            gateway_error: count(Signal::GatewayError(502)),
            silence: count(Signal::Silence),
            success: count(Signal::Success),
            waiting: 0,
            last_resort: false,
        }
    }
}

/// How often each signal came for one (instance, service) since it was last asked. The same
/// request may report silence again and again while it waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Tally {
    pub refused: u32,
    pub connect_timeout: u32,
    pub connect_failed: u32,
    pub reset: u32,
    pub response_timeout: u32,
    pub gateway_error: u32,
    pub silence: u32,
    pub success: u32,
    /// Not a signal: the requests that wait for a first byte now. Tells a service that has fallen
    /// silent from one that takes its time over one request.
    pub waiting: u32,
    /// Not a signal: no other instance could take over. What requests alone have to say must not
    /// end the last service there is: whoever can make requests fail could switch it off.
    pub last_resort: bool,
}

impl Tally {
    /// No signal came.
    pub const fn is_empty(&self) -> bool {
        !self.has_fault() && self.success == 0
    }

    /// Faults of the whole instance rather than of one service.
    pub const fn concerns_instance(&self) -> bool {
        self.refused > 0 || self.connect_timeout > 0 || self.connect_failed > 0
    }

    /// Any fault.
    pub const fn has_fault(&self) -> bool {
        self.concerns_instance()
            || self.reset > 0
            || self.response_timeout > 0
            || self.gateway_error > 0
            || self.silence > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_flood_is_one_wake_up_and_a_number() {
        let reporter = Reporter::default();
        let monitor = Arc::new(Monitor::new("a"));
        for _ in 0..1_000 {
            reporter.report(&monitor, Service::Config, Signal::ConnectRefused);
        }
        assert!(reporter.woken().now_or_never().is_some());
        assert!(reporter.woken().now_or_never().is_none());
        assert!(monitor.inbox.take_pending());
        assert_eq!(monitor.inbox.take(Service::Config).refused, 1_000);
        assert_eq!(monitor.inbox.take(Service::Config), Tally::default());
        assert_eq!(monitor.inbox.take(Service::Events), Tally::default());
    }

    #[test]
    fn success_wakes_nobody_but_is_counted() {
        let reporter = Reporter::default();
        let monitor = Arc::new(Monitor::new("a"));
        reporter.report(&monitor, Service::Config, Signal::Success);
        assert!(reporter.woken().now_or_never().is_none());
        assert!(!monitor.inbox.take_pending());
        assert_eq!(monitor.inbox.take(Service::Config).success, 1);
    }

    #[test]
    fn silence_latches_at_once() {
        let reporter = Reporter::default();
        let monitor = Arc::new(Monitor::new("a"));
        reporter.report(&monitor, Service::Config, Signal::Silence);
        assert!(monitor.gauge(Service::Config).silence_latched());
        assert!(!monitor.gauge(Service::Events).silence_latched());
    }
}
