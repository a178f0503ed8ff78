//! The published snapshot: everything that a request, the status page and the metrics need to know
//! about who serves what, consistent in itself and never changed.

use std::sync::Arc;

use super::history::{Damping, History};
use super::overrides::{Held, Override, OverrideKind};
use super::serving::{Reason, Table, View};
use crate::config::types::{Config, InstanceId, Service, SiteId};
use crate::health::{Board, Condition, Fact};
use crate::vms::documents::Documents;

/// The state of balance at one moment. All ids belong to [`Picture::config`].
#[derive(Clone, Debug)]
pub struct Picture {
    /// The configuration that the rest is about.
    pub config: Arc<Config>,
    /// Who serves what.
    pub table: Table,
    /// The health of every (instance, service).
    pub health: Board,
    /// The operator's overrides, as given.
    pub overrides: Vec<Override>,
    /// The overrides, by instance.
    pub held: Held,
    /// Flap damping, for status.
    pub damping: History,
    /// By [`InstanceId`].
    pub documents: Vec<Option<Arc<Documents>>>,
}

impl Picture {
    /// The picture before anything is known: everybody counts as healthy, primaries serve.
    pub fn initial(config: Arc<Config>, overrides: Vec<Override>, now: crate::clock::Moment) -> Self {
        let count = config.instances.len();
        let (health, damping) = (Board::new(count), History::new(count));
        let held = Held::resolve(&config, &overrides, None, now);
        let view = View { config: &config, board: &health, held: &held, history: &damping };
        let table = super::serving::serve(&view, None, now).table;
        Self { config, table, health, overrides, held, damping, documents: vec![None; count] }
    }

    /// The verdict on one (instance, service).
    pub fn condition(&self, instance: InstanceId, service: Service) -> Condition {
        self.fact(instance, service).condition
    }

    /// Verdict, date and cause.
    pub fn fact(&self, instance: InstanceId, service: Service) -> Fact {
        self.health.get(instance, service)
    }

    /// Works as far as known and is not in quarantine. A drained instance is usable: for the
    /// sessions that it has.
    pub fn usable(&self, instance: InstanceId, service: Service) -> bool {
        self.condition(instance, service).is_usable() && !self.quarantined(instance)
    }

    /// May be sent what belongs to it: not down, and not in quarantine. Its 404 for a service that it
    /// does not have is a true answer, so absent is good enough here.
    pub fn answers(&self, instance: InstanceId, service: Service) -> bool {
        self.condition(instance, service) != Condition::Down && !self.quarantined(instance)
    }

    /// Some candidate of the site has this service, working or not.
    pub fn exists(&self, site: SiteId, service: Service) -> bool {
        self.config.site(site).candidates().any(|c| self.fact(c, service).exists())
    }

    /// Usable, and new work may go there: not drained either.
    pub fn eligible(&self, instance: InstanceId, service: Service) -> bool {
        self.condition(instance, service).is_usable() && self.held(instance).is_none()
    }

    /// The operator has said that the instance is hostile.
    pub fn quarantined(&self, instance: InstanceId) -> bool {
        self.held(instance) == Some(OverrideKind::Quarantine)
    }

    /// What holds the instance, if anything.
    pub fn held(&self, instance: InstanceId) -> Option<OverrideKind> {
        self.held.kind(instance)
    }

    /// Flap damping of one (instance, service).
    pub fn damping(&self, instance: InstanceId, service: Service) -> Damping {
        self.damping.get(instance, service)
    }

    /// The instance's discovery documents, if it was ever reached; they stay when it goes down.
    pub fn documents(&self, instance: InstanceId) -> Option<&Arc<Documents>> {
        self.documents.get(instance.index()).and_then(Option::as_ref)
    }

    /// The candidate of `site` that signs with this key. Also found when down or in quarantine: a
    /// token is never sent anywhere but home. `None` if two claim the key, whoever was read first:
    /// publishing another's key id must not attract its tokens.
    pub fn home_of_kid(&self, site: SiteId, kid: &str) -> Option<InstanceId> {
        self.only_candidate(site, |d| d.kids.iter().any(|k| k == kid))
    }

    /// The candidate of `site` that issues tokens under this name; `None` if two claim it.
    pub fn home_of_issuer(&self, site: SiteId, issuer: &str) -> Option<InstanceId> {
        self.only_candidate(site, |d| d.issuer == issuer)
    }

    /// What changed in the table since `previous`, by name, so that a reload in between does not
    /// matter. Entries that appear for the first time are no change.
    pub fn changes_since(&self, previous: &Self) -> Vec<Failover> {
        let mut changes = Vec::new();
        for id in self.config.site_ids() {
            let site = self.config.site(id);
            let Some(earlier) = previous.config.site_named(&site.name) else {
                continue;
            };
            for service in site.services() {
                if !previous.config.site(earlier).services().contains(service) {
                    continue;
                }
                let entry = self.table.get(id, *service);
                let from = previous.name_of(previous.table.get(earlier, *service).instance);
                let to = self.name_of(entry.instance);
                if from != to {
                    let home = entry.instance == Some(site.primary);
                    let (site, reason) = (site.name.clone(), entry.reason);
                    let exists = self.exists(id, *service);
                    changes.push(Failover { site, service: *service, from, to, home, exists, reason });
                }
            }
        }
        changes
    }

    fn only_candidate(&self, site: SiteId, fits: impl Fn(&Documents) -> bool) -> Option<InstanceId> {
        let mut found =
            self.config.site(site).candidates().filter(|c| self.documents(*c).is_some_and(|d| fits(d)));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    fn name_of(&self, instance: Option<InstanceId>) -> Option<String> {
        instance.map(|i| self.config.instance(i).name.clone())
    }
}

/// One service of one site has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failover {
    /// Name of the site.
    pub site: String,
    /// The service that moved.
    pub service: Service,
    /// Name of the instance that served before; `None`: nobody did.
    pub from: Option<String>,
    /// Name of the instance that serves now; `None`: nobody does.
    pub to: Option<String>,
    /// It is the site's primary: nobody has to act.
    pub home: bool,
    /// Some candidate has the service at all.
    pub exists: bool,
    /// Why.
    pub reason: Reason,
}

#[cfg(test)]
mod tests;
