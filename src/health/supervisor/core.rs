//! What the supervisor knows and decides, without any I/O: machines, board, table, documents. The
//! whole of failover can be simulated with it.

use std::sync::Arc;

use super::actor::tell;
use crate::balance::failback::{FailbackError, FailbackOutcome, failback};
use crate::balance::history::History;
use crate::balance::overrides::{Held, Override, OverrideKind};
use crate::balance::picture::Picture;
use crate::balance::serving::{Table, View, serve};
use crate::clock::Moment;
use crate::config::types::{Config, InstanceId, Service};
use crate::health::board::Board;
use crate::health::state::{Condition, Event, Machine, Step};
use crate::vms::documents::Documents;

/// The state behind the pictures. Ids belong to `config`.
pub(crate) struct Core {
    config: Arc<Config>,
    machines: Vec<[Machine; Service::COUNT]>,
    board: Board,
    history: History,
    overrides: Vec<Override>,
    held: Held,
    documents: Vec<Option<Arc<Documents>>>,
    table: Table,
    /// When time alone changes the table.
    next_wakeup: Option<Moment>,
    /// Something that a picture shows has changed since the last one.
    dirty: bool,
}

impl Core {
    /// Nothing is known; the first picture is due.
    pub(crate) fn new(config: Arc<Config>, overrides: Vec<Override>, now: Moment) -> Self {
        let Picture { table, health, held, damping, documents, .. } =
            Picture::initial(Arc::clone(&config), overrides.clone(), now);
        let machines = fresh_machines(config.instances.len());
        Self {
            config,
            machines,
            board: health,
            history: damping,
            overrides,
            held,
            documents,
            table,
            next_wakeup: None,
            dirty: true,
        }
    }

    pub(crate) const fn config(&self) -> &Arc<Config> {
        &self.config
    }

    pub(crate) const fn next_wakeup(&self) -> Option<Moment> {
        self.next_wakeup
    }

    pub(crate) fn quarantined(&self, instance: InstanceId) -> bool {
        self.held.kind(instance) == Some(OverrideKind::Quarantine)
    }

    pub(crate) fn wants_deep(&self, instance: InstanceId, service: Service) -> bool {
        self.machines.get(instance.index()).is_some_and(|m| m[service.index()].wants_deep())
    }

    /// The other candidates of the sites that an instance stands in for, less those in quarantine,
    /// whose word proves nothing.
    pub(crate) fn peers(&self, id: InstanceId) -> impl Iterator<Item = InstanceId> {
        let shared = move |other: &InstanceId| {
            let mut sites = self.config.sites.iter();
            sites.any(|s| s.candidates().any(|c| c == id) && s.candidates().any(|c| c == *other))
        };
        let others = self.config.instance_ids().filter(move |other| *other != id);
        others.filter(shared).filter(|other| !self.quarantined(*other))
    }

    /// Whether some site has nobody else for this service.
    pub(crate) fn last_resort(&self, id: InstanceId, service: Service) -> bool {
        let view = self.view();
        let mut sites = self.config.sites.iter();
        sites.any(|site| {
            let mut others = site.candidates().filter(|c| *c != id);
            site.services().contains(&service)
                && site.candidates().any(|c| c == id)
                && !others.any(|c| view.eligible(c, service))
        })
    }

    /// Passes an event to its machine and records what follows; nothing that an instance in
    /// quarantine does counts.
    pub(crate) fn observe(&mut self, id: InstanceId, service: Service, now: Moment, event: Event) -> Step {
        if self.quarantined(id) {
            return Step::default();
        }
        let Some(row) = self.machines.get_mut(id.index()) else { return Step::default() };
        let machine = &mut row[service.index()];
        let step = machine.observe(now, event, &self.config.health);
        let fact = machine.fact();
        if fact != self.board.get(id, service) {
            self.board.set(id, service, fact);
            self.dirty = true;
        }
        if let (Some(change), Some(damping)) = (step.change, self.history.get_mut(id, service)) {
            let instance = self.config.instance(id).name.as_str();
            let cause = change.cause.map(|c| c.to_string()).unwrap_or_default();
            let (from, to) = (change.from.as_str(), change.to.as_str());
            match (change.from, change.to) {
                (_, Condition::Down) => {
                    damping.went_down(now);
                    tracing::warn!(instance, service = %service, from, to, cause, "service is down");
                }
                (Condition::Down, Condition::Up) => {
                    damping.came_up(now);
                    let factor = damping.factor(now);
                    tracing::info!(instance, service = %service, from, to, was = cause, damping = factor, "service is up again");
                }
                (_, Condition::Absent) => {
                    tracing::info!(instance, service = %service, from, to, "instance does not have this service");
                }
                // Also without a fault of the service: one slow request on a quiet system is enough.
                _ => {
                    tracing::debug!(instance, service = %service, from, to, cause, "service condition changed")
                }
            }
        }
        step
    }

    /// Takes new documents in. A key id that two instances claim is told once; whose it is is not
    /// decided by who came first ([`Picture::home_of_kid`]).
    pub(crate) fn learn(&mut self, id: InstanceId, new: Documents) {
        let old = self.documents(id);
        let new = match old {
            Some(old) => new.or_from(old),
            None => new,
        };
        let claims = |d: &Documents| d.kids.iter().any(|kid| new.kids.contains(kid));
        let others = self.config.instance_ids().filter(|other| *other != id);
        let twin = others.filter(|o| self.documents(*o).is_some_and(|d| claims(d))).min();
        let twin = twin.map(|o| self.config.instance(o).name.as_str());
        let instance = self.config.instance(id).name.as_str();
        let changed =
            old.is_none_or(|old| old.issuer != new.issuer || old.kids != new.kids || old.keys != new.keys);
        let (issuer, keys) = (new.issuer.as_str(), new.kids.len());
        if changed && let Some(other) = twin {
            tracing::warn!(
                instance,
                other,
                issuer,
                "two instances publish the same signing key; only the issuer tells their tokens apart"
            );
        }
        if changed {
            let version = new.product_version.as_deref().unwrap_or_default();
            tracing::info!(instance, issuer, version, keys, "discovery documents read");
            tell::keys(instance, &new.keys);
        }
        if let Some(slot) = self.documents.get_mut(id.index()) {
            *slot = Some(Arc::new(new));
            self.dirty = true;
        }
    }

    /// The documents read last.
    pub(crate) fn documents(&self, id: InstanceId) -> Option<&Arc<Documents>> {
        self.documents.get(id.index()).and_then(Option::as_ref)
    }

    pub(crate) fn set_overrides(&mut self, overrides: Vec<Override>, now: Moment) {
        let config = &self.config;
        self.held = Held::resolve(config, &overrides, Some((config, &self.held)), now);
        self.overrides = overrides;
        self.forget_banned(now);
        self.dirty = true;
    }

    /// Instances in quarantine are not asked; whatever was known about them is out of date when they
    /// are released.
    fn forget_banned(&mut self, now: Moment) {
        let held = &self.held;
        for (id, row) in self.config.instance_ids().zip(&mut self.machines) {
            if held.kind(id) != Some(OverrideKind::Quarantine) {
                continue;
            }
            for (service, machine) in Service::ALL.into_iter().zip(row) {
                machine.forget(now);
                self.board.set(id, service, machine.fact());
            }
        }
    }

    /// Changes to another configuration. `earlier` tells which instance of the old configuration
    /// an instance is; what is known about it stays.
    pub(crate) fn reload(
        &mut self,
        config: Arc<Config>,
        earlier: impl Fn(InstanceId) -> Option<InstanceId>,
        now: Moment,
    ) {
        let count = config.instances.len();
        let mut next = Self {
            machines: fresh_machines(count),
            board: Board::new(count),
            history: History::new(count),
            overrides: std::mem::take(&mut self.overrides),
            held: Held::default(),
            documents: vec![None; count],
            table: self.table.carry(&self.config, &config),
            next_wakeup: None,
            dirty: true,
            config,
        };
        next.held = Held::resolve(&next.config, &next.overrides, Some((&self.config, &self.held)), now);
        for id in next.config.instance_ids() {
            let Some(old) = earlier(id) else { continue };
            if let Some(machines) = self.machines.get_mut(old.index()) {
                next.machines[id.index()] = std::mem::take(machines);
            }
            for service in Service::ALL {
                next.board.set(id, service, self.board.get(old, service));
            }
            next.history.copy_from(id, &self.history, old);
            next.documents[id.index()] = self.documents.get(old.index()).cloned().flatten();
        }
        *self = next;
    }

    pub(crate) fn failback(
        &mut self,
        site: Option<&str>,
        service: Option<Service>,
        now: Moment,
    ) -> Result<Vec<FailbackOutcome>, FailbackError> {
        let view =
            View { config: &self.config, board: &self.board, held: &self.held, history: &self.history };
        let outcomes = failback(&view, &mut self.table, site, service, now)?;
        self.dirty = true;
        Ok(outcomes)
    }

    /// Decides the table anew if anything has changed or a timer is due, and returns the picture
    /// to publish.
    pub(crate) fn settle(&mut self, now: Moment) -> Option<Picture> {
        let due = self.next_wakeup.is_some_and(|at| at <= now);
        if !self.dirty && !due {
            return None;
        }
        let view =
            View { config: &self.config, board: &self.board, held: &self.held, history: &self.history };
        let served = serve(&view, Some(&self.table), now);
        self.next_wakeup = served.next_wakeup;
        self.table = served.table;
        self.dirty = false;
        Some(self.picture())
    }

    fn view(&self) -> View<'_> {
        View { config: &self.config, board: &self.board, held: &self.held, history: &self.history }
    }

    fn picture(&self) -> Picture {
        Picture {
            config: Arc::clone(&self.config),
            table: self.table.clone(),
            health: self.board.clone(),
            overrides: self.overrides.clone(),
            held: self.held.clone(),
            damping: self.history.clone(),
            documents: self.documents.clone(),
        }
    }
}

fn fresh_machines(instances: usize) -> Vec<[Machine; Service::COUNT]> {
    std::iter::repeat_with(|| std::array::from_fn(|_| Machine::default())).take(instances).collect()
}
