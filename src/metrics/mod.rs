//! Metrics: one registry, one table of names ([`spec`]), handles that are resolved once.
//!
//! Parts of the program keep handles ([`RequestSeries`], counters of a [`Closed`] set) and touch
//! them without a lock; only [`Metrics::apply`] and [`Metrics::request_series`] look labels up.

mod closed;
mod series;
mod serving;
pub mod spec;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use thiserror::Error;

pub use closed::{Closed, HedgeOutcome, Held, Refused, ReloadResult, RetryReason, SyncState, Throttled};
pub use series::RequestSeries;
use spec::Spec;

/// Why the metrics could not be set up: a fault in [`spec`], found by every test that makes one.
#[derive(Debug, Error)]
#[error("metric {name}")]
pub struct MetricsError {
    name: &'static str,
    #[source]
    source: prometheus::Error,
}

/// The label value for "no instance".
pub const NOBODY: &str = "none";

/// Every metric of the process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
    upstream_up: IntGaugeVec,
    serving: IntGaugeVec,
    failovers: IntCounterVec,
    retries: Vec<IntCounter>,
    hedges: Vec<IntCounter>,
    refused: Vec<IntCounter>,
    reloads: Vec<IntCounter>,
    standby_writes: IntCounterVec,
    throttled: IntCounterVec,
    ids_without_partner: IntCounterVec,
    sync_objects: IntGaugeVec,
    sync_held: IntGaugeVec,
    sync_last_success: IntGaugeVec,
    sync_unknown: IntGaugeVec,
    certificate_expiry: IntGauge,
    connections: IntGauge,
    pinned: IntGauge,
    sessions: IntGaugeVec,
    series: Mutex<HashMap<[String; 3], Arc<RequestSeries>>>,
    shown: Mutex<serving::Shown>,
}

impl Metrics {
    /// Registers everything; closed sets show 0 from the start, so that a first increase is seen.
    pub fn new() -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let build_info = register(&registry, &spec::BUILD_INFO, IntGaugeVec::new)?;
        build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        // Absent where the system has no /proc: the metrics work without it.
        let _ = registry.register(Box::new(ProcessCollector::for_self()));
        Ok(Self {
            requests: register(&registry, &spec::REQUESTS, IntCounterVec::new)?,
            duration: register(&registry, &spec::DURATION, |opts, labels| {
                HistogramVec::new(HistogramOpts::from(opts).buckets(BUCKETS.to_vec()), labels)
            })?,
            upstream_up: register(&registry, &spec::UPSTREAM_UP, IntGaugeVec::new)?,
            serving: register(&registry, &spec::SERVING, IntGaugeVec::new)?,
            failovers: register(&registry, &spec::FAILOVERS, IntCounterVec::new)?,
            retries: closed_set::<RetryReason>(&registry, &spec::RETRIES)?,
            hedges: closed_set::<HedgeOutcome>(&registry, &spec::HEDGES)?,
            refused: closed_set::<Refused>(&registry, &spec::REFUSED)?,
            reloads: closed_set::<ReloadResult>(&registry, &spec::RELOADS)?,
            standby_writes: register(&registry, &spec::STANDBY_WRITES, IntCounterVec::new)?,
            throttled: register(&registry, &spec::THROTTLED, IntCounterVec::new)?,
            ids_without_partner: register(&registry, &spec::IDS_WITHOUT_PARTNER, IntCounterVec::new)?,
            sync_objects: register(&registry, &spec::SYNC_OBJECTS, IntGaugeVec::new)?,
            sync_held: register(&registry, &spec::SYNC_HELD, IntGaugeVec::new)?,
            sync_last_success: register(&registry, &spec::SYNC_LAST_SUCCESS, IntGaugeVec::new)?,
            sync_unknown: register(&registry, &spec::SYNC_UNKNOWN, IntGaugeVec::new)?,
            certificate_expiry: register(&registry, &spec::CERTIFICATE, |opts, _| IntGauge::with_opts(opts))?,
            connections: register(&registry, &spec::CONNECTIONS, |opts, _| IntGauge::with_opts(opts))?,
            pinned: register(&registry, &spec::PINNED, |opts, _| IntGauge::with_opts(opts))?,
            sessions: register(&registry, &spec::SESSIONS, IntGaugeVec::new)?,
            series: Mutex::default(),
            shown: Mutex::default(),
            registry,
        })
    }

    /// The counters of one route to one instance ([`NOBODY`]: answered by us). Resolve once, keep.
    pub fn request_series(&self, site: &str, service: &str, instance: &str) -> Arc<RequestSeries> {
        let labels = [site.to_owned(), service.to_owned(), instance.to_owned()];
        let made = || {
            let duration: Histogram = self.duration.with_label_values(&[site, service]);
            Arc::new(RequestSeries::new(labels.clone(), self.requests.clone(), duration))
        };
        Arc::clone(lock(&self.series).entry(labels.clone()).or_insert_with(made))
    }

    /// Counts a request that was sent a second time.
    pub fn retried(&self, reason: RetryReason) {
        self.retries[reason.index()].inc();
    }

    /// Counts the end of a hedged request.
    pub fn hedged(&self, outcome: HedgeOutcome) {
        self.hedges[outcome.index()].inc();
    }

    /// Counts a request or connection that we refused.
    pub fn refused(&self, reason: Refused) {
        self.refused[reason.index()].inc();
    }

    /// Counts a reload.
    pub fn reloaded(&self, result: ReloadResult) {
        self.reloads[result.index()].inc();
    }

    /// The counter of writes that a standby of this site accepted. Resolve once, keep.
    pub fn standby_writes(&self, site: &str) -> IntCounter {
        self.standby_writes.with_label_values(&[site])
    }

    /// The counters of this site's logins that had to wait, by scope. Resolve once, keep.
    pub fn throttled(&self, site: &str) -> Vec<IntCounter> {
        Throttled::ALL.iter().map(|s| self.throttled.with_label_values(&[site, s.as_str()])).collect()
    }

    /// The counter of GUIDs without a partner in this site's traffic. Resolve once, keep.
    pub fn ids_without_partner(&self, site: &str) -> IntCounter {
        self.ids_without_partner.with_label_values(&[site])
    }

    /// So many objects of a type stand like this.
    pub fn set_sync_objects(&self, kind: &str, state: SyncState, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.sync_objects.with_label_values(&[kind, state.as_str()]).set(count);
    }

    /// So much is held for this reason.
    pub fn set_sync_held(&self, reason: Held, count: usize) {
        self.sync_held.with_label_values(&[reason.as_str()]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Both sides of a type were read and believed, in seconds of UNIX time.
    pub fn set_sync_success(&self, kind: &str, at_unix: u64) {
        self.sync_last_success.with_label_values(&[kind]).set(i64::try_from(at_unix).unwrap_or(i64::MAX));
    }

    /// So many collections of an instance are not known.
    pub fn set_sync_unknown(&self, instance: &str, count: usize) {
        self.sync_unknown.with_label_values(&[instance]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The end of life of the certificate that clients see, in seconds of UNIX time.
    pub fn set_certificate_expiry(&self, unix_seconds: i64) {
        self.certificate_expiry.set(unix_seconds);
    }

    /// Counts a client connection as open until the guard is dropped.
    pub fn connection_opened(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// Counts a connection to an instance as pinned until the guard is dropped.
    pub fn connection_pinned(&self) -> OpenConnection {
        self.pinned.inc();
        OpenConnection(self.pinned.clone())
    }

    /// Shows how many sessions of a site have a twin that stands like this.
    pub fn set_sessions(&self, site: &str, twin: &str, count: u64) {
        self.sessions.with_label_values(&[site, twin]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Client connections that are open now.
    pub fn open_connections(&self) -> i64 {
        self.connections.get()
    }

    /// Everything, in the Prometheus text format.
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Fails only on a family without a metric, which `gather` leaves out.
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut out) {
            tracing::error!(%error, "metrics could not be written");
        }
        out
    }
}

/// An open connection, for its gauge.
#[derive(Debug)]
pub struct OpenConnection(IntGauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// From half a millisecond, below which nobody asks, to a minute, the default response time-out.
const BUCKETS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    spec: &Spec,
    make: impl FnOnce(Opts, &[&str]) -> prometheus::Result<C>,
) -> Result<C, MetricsError> {
    let wrap = |source| MetricsError { name: spec.name, source };
    let metric = make(Opts::new(spec.name, spec.help), spec.labels).map_err(wrap)?;
    registry.register(Box::new(metric.clone())).map_err(wrap)?;
    Ok(metric)
}

fn closed_set<C: Closed>(registry: &Registry, spec: &Spec) -> Result<Vec<IntCounter>, MetricsError> {
    let vec = register(registry, spec, IntCounterVec::new)?;
    Ok(C::ALL.iter().map(|v| vec.with_label_values(&[v.as_str()])).collect())
}

/// What a mutex guards here is whole after every statement, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
