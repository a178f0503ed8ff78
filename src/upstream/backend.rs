//! An instance as the data plane sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;

use super::connect::Target;
use crate::clock::Moment;
use crate::config::types::Service;
use crate::health::{Gauge, Monitor};

/// One instance: how to reach it, and what we have seen of it. Shared by all cores; survives a
/// reload that leaves the instance as it was, and with it the open connections.
pub struct Backend {
    /// Unique in the process: pools and bindings of a removed instance can never be taken for
    /// those of a new one.
    pub key: u64,
    /// What `Host` says towards the instance: its own name, whatever the client called us.
    pub host: HeaderValue,
    /// How to connect.
    pub target: Arc<Target>,
    /// What the data plane tells the health supervisor.
    pub monitor: Arc<Monitor>,
}

impl Backend {
    /// An instance that nothing is known about yet.
    ///
    /// # Errors
    /// When its host name cannot stand in a header.
    pub fn new(name: &str, target: Target) -> Result<Self, http::header::InvalidHeaderValue> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Ok(Self {
            key: NEXT.fetch_add(1, Ordering::Relaxed),
            host: HeaderValue::from_str(&target.origin().authority())?,
            target: Arc::new(target),
            monitor: Arc::new(Monitor::new(name)),
        })
    }

    /// The gauge of one of its services.
    pub fn gauge(&self, service: Service) -> &Gauge {
        self.monitor.gauge(service)
    }
}

/// A request that waits for the first byte of its answer: counted in the gauge from `begin` until
/// it is answered or dropped, whatever happens to the task that waits.
pub struct Waiting<'b> {
    gauge: &'b Gauge,
    started: Moment,
    open: bool,
}

impl<'b> Waiting<'b> {
    /// Starts to wait.
    pub fn begin(gauge: &'b Gauge) -> Self {
        let started = Moment::now();
        gauge.begin(started);
        Self { gauge, started, open: true }
    }

    /// The first byte has come.
    pub fn answered(mut self) {
        self.open = false;
        let now = Moment::now();
        self.gauge.answered(now, now.since(self.started));
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.open {
            self.gauge.abandoned();
        }
    }
}
