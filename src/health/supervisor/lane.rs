//! Everything that is probed on one instance: its connections, and when what is due.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::config::types::{Config, InstanceId, Profile, Service};
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

    fn configure(&mut self, config: &Config, id: InstanceId) {
        self.services = config.services_of(id);
        let probe =
            config.sites.iter().filter(|s| s.candidates().any(|c| c == id)).find_map(|s| match &s.profile {
                Profile::Http { probe } => Some(probe.as_str()),
                Profile::Xprotect { .. } => None,
            });
        self.http_probe = Arc::from(probe.unwrap_or("/"));
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
