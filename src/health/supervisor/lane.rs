//! Everything that is probed on one instance: its connections, and when what is due.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::config::types::{Config, InstanceId, Profile, Service};
use crate::health::probe::habit::Habit;
use crate::health::signal::Monitor;
use crate::upstream::connect::Target;
use crate::vms::client::Client;
use crate::vms::token::Token;

/// The probing of one instance.
pub(super) struct Lane {
    /// Also the lane's identity: it outlives reloads, ids do not.
    pub(super) monitor: Arc<Monitor>,
    /// The services that some site uses here.
    pub(super) services: Vec<Service>,
    /// What is asked for [`Service::Http`].
    pub(super) http_probe: Arc<str>,
    /// What that usually answers.
    pub(super) habit: Habit,
    /// When it was last told that probes could not be made.
    pub(super) told_inconclusive: Option<Moment>,
    pub(super) slots: [Slot; Service::COUNT],
    /// One client, and so one kept connection, for each service: a hanging service must not hold
    /// up the probes of another.
    clients: [Arc<Client>; Service::COUNT],
    pub(super) documents: Job,
    /// When the documents were last asked for, successfully or not.
    pub(super) documents_tried: Moment,
    pub(super) deep: Job,
    /// For documents and deep probes.
    pub(super) client: Arc<Client>,
    pub(super) token: Option<Token>,
    /// The last complaint about the account that was logged.
    pub(super) complaint: Option<String>,
}

/// The probes of one service.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// The regular probe.
    pub(super) probe: Job,
    /// Probes of a burst that have not ended.
    pub(super) burst_left: u32,
}

/// Something that is done again and again, never twice at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Job {
    pub(super) due: Moment,
    pub(super) running: bool,
    /// Asked for again while it ran: what it reads may be older than the wish.
    again: Option<Moment>,
}

impl Job {
    /// When a timer is needed for it; none while it runs.
    pub(super) fn timer(&self) -> Option<Moment> {
        (!self.running).then_some(self.due)
    }

    /// Whether to start it now; from then on it runs.
    pub(super) fn begin(&mut self, now: Moment) -> bool {
        let start = !self.running && self.due <= now;
        self.running |= start;
        start
    }

    /// It has ended; the next one is due then, or earlier if somebody has asked for it.
    pub(super) fn end(&mut self, due: Moment) {
        let due = self.again.map_or(due, |again| again.min(due));
        *self = Self { due, running: false, again: None };
    }

    /// Asks for it to be done at `at`, if it is not due earlier.
    pub(super) fn hurry(&mut self, at: Moment) {
        if self.running {
            self.again = Some(self.again.map_or(at, |again| again.min(at)));
        } else {
            self.due = self.due.min(at);
        }
    }
}

impl Lane {
    pub(super) fn new(config: &Config, id: InstanceId, monitor: Arc<Monitor>, target: &Arc<Target>) -> Self {
        let mut lane = Self {
            monitor,
            services: Vec::new(),
            http_probe: Arc::from("/"),
            habit: Habit::default(),
            told_inconclusive: None,
            slots: Default::default(),
            clients: std::array::from_fn(|_| Arc::new(Client::new(Arc::clone(target)))),
            documents: Job::default(),
            documents_tried: Moment::default(),
            deep: Job::default(),
            client: Arc::new(Client::new(Arc::clone(target))),
            token: None,
            complaint: None,
        };
        lane.configure(config, id);
        lane
    }

    /// The same instance under a new configuration: what is running goes on, connections and
    /// credentials are made anew.
    pub(super) fn renew(mut self, config: &Config, id: InstanceId, target: &Arc<Target>) -> Self {
        self.clients = std::array::from_fn(|_| Arc::new(Client::new(Arc::clone(target))));
        self.client = Arc::new(Client::new(Arc::clone(target)));
        self.token = None;
        self.configure(config, id);
        self
    }

    pub(super) fn client(&self, service: Service) -> &Arc<Client> {
        &self.clients[service.index()]
    }

    pub(super) fn slot(&mut self, service: Service) -> &mut Slot {
        &mut self.slots[service.index()]
    }

    /// Whether the instance has the documents of a VMS.
    pub(super) fn is_vms(&self) -> bool {
        self.services.contains(&Service::Identity)
    }

    /// The next moment at which something is due.
    pub(super) fn next_timer(&self) -> Option<Moment> {
        let probes = self.services.iter().filter_map(|s| self.slots[s.index()].probe.timer());
        let others = [self.documents, self.deep].into_iter().filter(|_| self.is_vms());
        probes.chain(others.filter_map(|job| job.timer())).min()
    }

    /// Puts off whatever is due.
    pub(super) fn rest(&mut self, now: Moment, until: Moment) {
        for job in self.jobs() {
            if job.begin(now) {
                job.end(until);
            }
        }
    }

    /// Everything is due now.
    pub(super) fn hurry(&mut self, now: Moment) {
        self.jobs().for_each(|job| job.hurry(now));
    }

    fn jobs(&mut self) -> impl Iterator<Item = &mut Job> {
        let probes = self.slots.iter_mut().map(|slot| &mut slot.probe);
        probes.chain([&mut self.documents, &mut self.deep])
    }

    /// Asks for the documents to be read soon, but not within `pause` of the last attempt, whether
    /// or not that one succeeded.
    pub(super) fn wish_documents(&mut self, now: Moment, pause: Duration) {
        self.documents.hurry((self.documents_tried + pause).max(now));
    }

    fn configure(&mut self, config: &Config, id: InstanceId) {
        self.services = config.services_of(id);
        let probe =
            config.sites.iter().filter(|s| s.candidates().any(|c| c == id)).find_map(|s| match &s.profile {
                Profile::Http { probe } => Some(probe.as_str()),
                Profile::Xprotect { .. } => None,
            });
        let probe = probe.unwrap_or("/");
        if *self.http_probe != *probe {
            (self.http_probe, self.habit) = (Arc::from(probe), Habit::default());
        }
    }
}

/// The time from one probe to the next. The first period is shortened by a share that differs for
/// each (instance, service), so that probes do not all leave at once for ever after.
pub(super) fn period(interval: Duration, first: bool, id: InstanceId, service: Service) -> Duration {
    if !first {
        return interval;
    }
    // Steps of 3/16 and 5/16 visit all sixteenths before they repeat.
    let phase = (id.index() * 5 + service.index() * 3) % 16;
    interval * (16 - phase as u32) / 16
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::types::FailbackMode;
    use crate::health::fixtures::pure_config;

    fn at(ms: u64) -> Moment {
        Moment::from_micros(ms * 1_000)
    }

    fn lane(config: &Config) -> (Lane, Arc<Target>) {
        let target = Arc::new(Target::new(&config.instances[0], &config.upstream).unwrap());
        (Lane::new(config, InstanceId(0), Arc::new(Monitor::new("a")), &target), target)
    }

    #[test]
    fn documents_that_cannot_be_read_are_asked_for_once_a_pause() {
        let pause = Duration::from_secs(1);
        let (mut lane, _) = lane(&pure_config(1, FailbackMode::Manual));
        let mut tries = 0;
        for ms in (10_000..20_000).step_by(10) {
            // Every request brings a token with an unknown key; no attempt succeeds.
            lane.wish_documents(at(ms), pause);
            if lane.documents.begin(at(ms)) {
                tries += 1;
                lane.documents_tried = at(ms);
                lane.wish_documents(at(ms + 5), pause);
                lane.documents.end(at(ms) + pause * 15);
            }
        }
        assert_eq!(tries, 10);
    }

    #[test]
    fn another_probe_path_is_another_habit() {
        use crate::config::types::Profile;
        let mut config = pure_config(1, FailbackMode::Manual);
        let (mut lane, target) = lane(&config);
        lane.habit.failed();
        let answer = crate::vms::client::Answer {
            status: http::StatusCode::OK,
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::from_static(b"x"),
        };
        lane.habit.judge(crate::health::probe::habit::Shape::of(&answer), 1, &[]).unwrap();
        let lane = lane.renew(&config, InstanceId(0), &target);
        assert!(lane.habit.last().is_some(), "the same page");
        config.sites[0].profile = Profile::Http { probe: "/health".into() };
        assert!(lane.renew(&config, InstanceId(0), &target).habit.last().is_none());
    }
}
