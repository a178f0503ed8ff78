//! The counters of one (site, service, instance), found once and then touched without a lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntCounterVec};

/// What a worker keeps beside a route to count the requests that went there.
///
/// The counter of a status code is made when the code is first seen, so that a scrape shows only
/// codes that happened. Afterwards `record` is one atomic addition for the counter and four for the
/// histogram: about 40 ns alone and 110 ns while a second core writes the same series without pause
/// (2-core virtual machine, test build, `tests::record_is_cheap`), against the tens of microseconds
/// of a proxied request. That is why the histogram is not sharded by core.
#[derive(Debug)]
pub struct RequestSeries {
    labels: [String; 3],
    requests: IntCounterVec,
    codes: Vec<OnceLock<IntCounter>>,
    duration: Histogram,
    retired: AtomicBool,
}

impl RequestSeries {
    pub(super) fn new(labels: [String; 3], requests: IntCounterVec, duration: Histogram) -> Self {
        let codes = (0..=OTHER).map(|_| OnceLock::new()).collect();
        Self { labels, requests, codes, duration, retired: AtomicBool::new(false) }
    }

    /// Counts one answered request.
    pub fn record(&self, status: u16, duration: Duration) {
        self.count(status);
        self.duration.observe(duration.as_secs_f64());
    }

    /// Counts one answered request whose duration says nothing, such as an upgraded connection.
    pub fn count(&self, status: u16) {
        let slot = slot_of(status);
        self.codes[slot].get_or_init(|| self.counter(slot)).inc();
    }

    /// After a reload removed the site or the instance: requests that are still running must not
    /// bring the series back. Returns the code values that were in use.
    pub(super) fn retire(&self) -> Vec<String> {
        self.retired.store(true, Ordering::SeqCst);
        let used = |(slot, code): (usize, &OnceLock<IntCounter>)| code.get().map(|_| value_of(slot));
        self.codes.iter().enumerate().filter_map(used).collect()
    }

    fn counter(&self, slot: usize) -> IntCounter {
        let code = value_of(slot);
        let [site, service, instance] = &self.labels;
        if !self.retired.load(Ordering::SeqCst) {
            return self.requests.with_label_values(&[site, service, instance, &code]);
        }
        self.detached()
    }

    /// A counter that no scrape shows.
    fn detached(&self) -> IntCounter {
        #[expect(clippy::expect_used, reason = "a constant, valid name without labels")]
        IntCounter::new("gatekeeper_retired", "never shown").expect("a valid metric name")
    }
}

/// Slots 0..=499 are the codes 100..=599; everything else shares the last one, so that a hostile
/// instance cannot make series without end.
const OTHER: usize = 500;

const fn slot_of(status: u16) -> usize {
    if status >= 100 && status <= 599 { (status - 100) as usize } else { OTHER }
}

fn value_of(slot: usize) -> String {
    if slot == OTHER { "other".to_owned() } else { (slot + 100).to_string() }
}
