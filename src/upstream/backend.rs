//! An instance as the data plane sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderValue;
use thiserror::Error;

use super::connect::Target;
use crate::clock::Moment;
use crate::config::types::{Instance, Service, UpstreamLimits};
use crate::health::{Gauge, Monitor};
use crate::tls::client::TrustError;

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

/// Why an instance cannot be addressed.
#[derive(Debug, Error)]
pub enum BackendError {
    /// Nothing to verify its certificate against.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Its host name cannot stand in a header.
    #[error("its url is no valid Host header: {0}")]
    Host(#[from] http::header::InvalidHeaderValue),
}

impl Backend {
    /// The instance; `earlier` is the same instance in the configuration before a reload.
    ///
    /// # Errors
    /// See [`BackendError`]; `check` has told the operator before.
    pub fn new(
        instance: &Instance,
        limits: &UpstreamLimits,
        earlier: Option<&Self>,
    ) -> Result<Self, BackendError> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let target = Target::new(instance, limits)?;
        let target = match earlier {
            Some(earlier) => target.following(&earlier.target),
            None => target,
        };
        Ok(Self {
            key: earlier.map_or_else(|| NEXT.fetch_add(1, Ordering::Relaxed), |e| e.key),
            host: HeaderValue::from_str(&target.origin().authority())?,
            target: Arc::new(target),
            monitor: earlier.map_or_else(|| Arc::new(Monitor::new(&instance.name)), |e| e.monitor.clone()),
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
