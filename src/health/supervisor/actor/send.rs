//! What goes out: regular probes, bursts, documents, deep probes. Each is a job of its own whose
//! end comes back to the loop.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;

use super::{Actor, DEEP_INTERVAL, Done, Finished};
use crate::clock::Moment;
use crate::config::types::{Config, InstanceId, Service};
use crate::health::probe::{self, deep};
use crate::health::state::Outcome;
use crate::vms::client::Reuse;

impl Actor {
    /// Starts whatever is due.
    pub(super) fn start_due(&mut self, now: Moment) {
        let config = Arc::clone(self.core.config());
        for id in config.instance_ids() {
            let Some(lane) = self.lanes.get_mut(id.index()) else { continue };
            if self.core.quarantined(id) {
                // Nothing that it says would be believed, and a question tells it something.
                lane.rest(now, now + config.health.interval);
                continue;
            }
            let due: Vec<Service> =
                (lane.services.iter().copied()).filter(|s| lane.slots[s.index()].probe.begin(now)).collect();
            if lane.is_vms() && lane.documents.begin(now) {
                self.send_documents(id);
            }
            self.send_deep(id, &config, now);
            for service in due {
                self.send_probe(id, service, Reuse::Kept, Duration::ZERO);
            }
        }
        if self.housekeeping <= now {
            self.housekeep(now);
        }
    }

    fn send_documents(&mut self, id: InstanceId) {
        let lane = &mut self.lanes[id.index()];
        lane.documents_tried = Moment::now();
        let (client, monitor) = (Arc::clone(&lane.client), Arc::clone(&lane.monitor));
        let limit = patient(self.core.config());
        self.jobs.spawn(async move {
            let found = unless_panicked(probe::documents(&client, limit)).await.flatten();
            Done { monitor, what: Finished::Documents(found) }
        });
    }

    /// Deep probes, if the instance has an account and may be shown a password now.
    fn send_deep(&mut self, id: InstanceId, config: &Config, now: Moment) {
        let wanted: Vec<Service> =
            DEEP_SERVICES.into_iter().filter(|s| self.core.wants_deep(id, *s)).collect();
        let lane = &mut self.lanes[id.index()];
        if !lane.is_vms() || !lane.deep.begin(now) {
            return;
        }
        let account = config.instance(id).account.clone();
        let Some(account) = account.filter(|_| !wanted.is_empty()) else {
            lane.deep.end(now + DEEP_INTERVAL);
            return;
        };
        let (client, monitor, token) =
            (Arc::clone(&lane.client), Arc::clone(&lane.monitor), lane.token.take());
        let limit = patient(config);
        self.jobs.spawn(async move {
            let asking = deep::probe(&client, &account, token, &wanted, limit);
            let found = unless_panicked(asking).await.unwrap_or_default();
            Done { monitor, what: Finished::Deep(found) }
        });
    }

    /// Sends the probes of a burst (design D5).
    pub(super) fn burst(&mut self, id: InstanceId, service: Service) {
        for n in 0..BURST {
            // Fresh connections: the question is whether the instance takes requests now.
            self.send_probe(id, service, Reuse::Fresh, BURST_STEP * n);
        }
        if let Some(lane) = self.lanes.get_mut(id.index()) {
            lane.slot(service).burst_left = BURST;
        }
    }

    fn send_probe(&mut self, id: InstanceId, service: Service, reuse: Reuse, delay: Duration) {
        let Some(lane) = self.lanes.get(id.index()) else { return };
        let (client, path) = (Arc::clone(lane.client(service)), Arc::clone(&lane.http_probe));
        let monitor = Arc::clone(&lane.monitor);
        let limit = self.core.config().health.timeout;
        self.jobs.spawn(async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let started = Moment::now();
            let asking = probe::shallow(&client, service, &path, reuse, limit);
            let found = unless_panicked(asking).await.unwrap_or(Outcome::Inconclusive.into());
            let burst = reuse == Reuse::Fresh;
            Done { monitor, what: Finished::Probe { service, started, found, burst } }
        });
    }
}

/// `None` if the job panicked: the loop has to hear of its end, else it would wait for it for ever.
async fn unless_panicked<T>(job: impl Future<Output = T>) -> Option<T> {
    // Nothing that the job has in its hands is looked at afterwards, but for clients, whose only
    // lock forgives.
    AssertUnwindSafe(job).catch_unwind().await.ok()
}

/// For questions that make the instance work: they may take longer than a sign of life.
fn patient(config: &Config) -> Duration {
    (config.health.timeout * 5).max(Duration::from_secs(2))
}

/// Overlapping probes of a burst, and the time between two of them (design D5).
const BURST: u32 = 5;
const BURST_STEP: Duration = Duration::from_millis(20);
const DEEP_SERVICES: [Service; 3] = [Service::Identity, Service::Config, Service::Events];

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[allow(clippy::panic)]
    async fn a_job_that_panics_ends() {
        assert_eq!(unless_panicked(async { 5 }).await, Some(5));
        assert_eq!(unless_panicked(async { panic!("a fault of ours") }).await, None::<u8>);
    }
}
