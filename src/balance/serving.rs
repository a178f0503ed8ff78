//! The serving table: who serves each (site, service) now. One pure function of health, policy,
//! overrides, history and time (design D5 to D7).
//!
//! The rule in short: who serves goes on serving until it is down or held by an operator; then the
//! first usable candidate in the site's order takes over; an earlier candidate returns as the
//! fail-back policy says. Suspect and absent are no reasons to switch.

use super::history::History;
use super::overrides::{Held, OverrideKind};
use crate::clock::Moment;
use crate::config::types::{Config, FailbackMode, InstanceId, Service, Site, SiteId};
use crate::health::{Board, Condition};

/// Who serves one (site, service), since when and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `None`: nobody can.
    pub instance: Option<InstanceId>,
    /// Since when.
    pub since: Moment,
    /// Why it is this one, or nobody.
    pub reason: Reason,
    /// An earlier candidate that will take over if it stays healthy.
    pub returning: Option<Returning>,
}

/// A candidate on its way back (design D6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returning {
    /// Who.
    pub instance: InstanceId,
    /// When; `None` under `manual`: when an operator says so.
    pub at: Option<Moment>,
}

/// Why an entry is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The first choice when the table was made.
    Start,
    /// The one before went down.
    Down,
    /// The one before was drained.
    Drained,
    /// The one before was put into quarantine.
    Quarantined,
    /// An earlier candidate was healthy for long enough.
    Failback,
    /// An operator asked for the return.
    Operator,
    /// Nobody could serve before.
    Recovered,
    /// The one before is no longer a candidate of the site.
    Reconfigured,
    /// Nobody serves: all candidates are down.
    AllDown,
    /// Nobody serves: whoever is not down is held by an operator. Somebody has to decide.
    AllHeld,
}

impl Reason {
    /// The name in metrics, logs and the admin API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Down => "down",
            Self::Drained => "drained",
            Self::Quarantined => "quarantined",
            Self::Failback => "failback",
            Self::Operator => "operator",
            Self::Recovered => "recovered",
            Self::Reconfigured => "reconfigured",
            Self::AllDown => "all-down",
            Self::AllHeld => "all-held",
        }
    }
}

/// The serving table of a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub(super) entries: Vec<[Entry; Service::COUNT]>,
    pub(super) logins: Vec<Option<InstanceId>>,
}

impl Table {
    /// The entry of a site's service. `site` comes from the same configuration as the table.
    pub fn get(&self, site: SiteId, service: Service) -> &Entry {
        self.entries.get(site.index()).map_or(&NOBODY, |e| &e[service.index()])
    }

    /// Where a login goes that will have no twin (design D7); `None`: nowhere.
    pub fn login(&self, site: SiteId) -> Option<InstanceId> {
        self.logins.get(site.index()).copied().flatten()
    }

    /// The same assignments in terms of another configuration (a reload): sites and instances are
    /// found by name. Entries whose instance has gone become empty and are decided anew.
    #[must_use]
    pub fn carry(&self, from: &Config, to: &Config) -> Self {
        let same_instance = |id: InstanceId| {
            let name = &from.instance(id).name;
            to.instance_named(name)
        };
        let carried = |id: SiteId| {
            let name = &to.site(id).name;
            let Some(earlier) = from.site_named(name) else {
                return [NOBODY; Service::COUNT];
            };
            Service::ALL.map(|service| {
                let entry = self.get(earlier, service);
                match entry.instance.map(same_instance) {
                    Some(None) => Entry { instance: None, reason: Reason::Reconfigured, ..NOBODY },
                    Some(found) => Entry { instance: found, returning: None, ..*entry },
                    None => Entry { returning: None, ..*entry },
                }
            })
        };
        Self { entries: to.site_ids().map(carried).collect(), logins: Vec::new() }
    }
}

/// What a decision is made from.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The configuration that all ids belong to.
    pub config: &'a Config,
    /// Health.
    pub board: &'a Board,
    /// The operator's overrides.
    pub held: &'a Held,
    /// Flap damping.
    pub history: &'a History,
}

impl View<'_> {
    /// May be chosen: healthy as far as known, and not held.
    pub fn eligible(&self, instance: InstanceId, service: Service) -> bool {
        self.held.kind(instance).is_none() && self.board.get(instance, service).condition.is_usable()
    }

    /// May go on: absent is no fault and causes no switch (design D5).
    fn may_stay(&self, instance: InstanceId, service: Service) -> bool {
        self.held.kind(instance).is_none() && self.board.get(instance, service).condition != Condition::Down
    }

    /// Could be chosen if no operator held it.
    fn is_kept_out(&self, instance: InstanceId, service: Service) -> bool {
        self.held.kind(instance).is_some() && self.board.get(instance, service).condition.is_usable()
    }

    /// Since when an instance is fit to take a service back; `None`: it is not.
    pub(super) fn fit_since(&self, instance: InstanceId, service: Service) -> Option<Moment> {
        let fact = self.board.get(instance, service);
        let proven = matches!(fact.condition, Condition::Up) && self.eligible(instance, service);
        let up_since = fact.up_since.filter(|_| proven)?;
        Some(self.held.released(instance).map_or(up_since, |released| up_since.max(released)))
    }
}

/// The next table, and when it has to be made again although nothing has changed (a timer of the
/// fail-back policy).
#[derive(Clone, Debug)]
pub struct Served {
    /// The next table.
    pub table: Table,
    /// When time alone will change it.
    pub next_wakeup: Option<Moment>,
}

/// Decides the table anew. `previous` belongs to the same configuration ([`Table::carry`]).
pub fn serve(view: &View<'_>, previous: Option<&Table>, now: Moment) -> Served {
    let mut entries = Vec::with_capacity(view.config.sites.len());
    for id in view.config.site_ids() {
        let site = view.config.site(id);
        let mut row = [NOBODY; Service::COUNT];
        for service in site.services() {
            let before = previous.map(|t| *t.get(id, *service));
            row[service.index()] = decide(view, site, *service, before, now);
        }
        entries.push(row);
    }
    let next_wakeup = entries.iter().flatten().filter_map(|e: &Entry| e.returning).filter_map(|r| r.at).min();
    let logins = view.config.sites.iter().zip(&entries).map(|(site, row)| login(view, site, row)).collect();
    Served { table: Table { entries, logins }, next_wakeup }
}

fn decide(view: &View<'_>, site: &Site, service: Service, before: Option<Entry>, now: Moment) -> Entry {
    let Some(before) = before else { return first(view, site, service, Reason::Start, now) };
    let Some(current) = before.instance else {
        let why = match before.reason {
            Reason::Reconfigured | Reason::Start => before.reason,
            _ => Reason::Recovered,
        };
        let next = first(view, site, service, why, now);
        // Still nobody: the entry keeps its date.
        return if next.instance.is_none() { Entry { since: before.since, ..next } } else { next };
    };
    if !site.candidates().any(|c| c == current) {
        return first(view, site, service, Reason::Reconfigured, now);
    }
    if !view.may_stay(current, service) {
        let why = match view.held.kind(current) {
            Some(OverrideKind::Drain) => Reason::Drained,
            Some(OverrideKind::Quarantine) => Reason::Quarantined,
            None => Reason::Down,
        };
        return first(view, site, service, why, now);
    }
    match returning(view, site, service, current, now) {
        Some(Returning { instance, at: Some(at) }) if at <= now => {
            // One that stands even further ahead may be on its way as well.
            let returning = returning(view, site, service, instance, now);
            Entry { instance: Some(instance), since: now, reason: Reason::Failback, returning }
        }
        returning => Entry { returning, ..before },
    }
}

/// The first candidate that may serve, or nobody and why.
fn first(view: &View<'_>, site: &Site, service: Service, reason: Reason, now: Moment) -> Entry {
    let usable = site.candidates().find(|c| view.eligible(*c, service));
    // At the start, and after a change of the configuration, a primary that does not have the
    // service at all still owns it: its 404 is the true answer. So is anybody's when nobody has it.
    let owner = site.candidates().find(|c| view.may_stay(*c, service));
    let nobody_has_it = || !site.candidates().any(|c| view.board.get(c, service).exists());
    let chosen = match reason {
        Reason::Start | Reason::Reconfigured => owner,
        _ => usable.or_else(|| owner.filter(|_| nobody_has_it())),
    };
    let reason = match chosen {
        Some(_) => reason,
        None if site.candidates().any(|c| view.is_kept_out(c, service)) => Reason::AllHeld,
        None => Reason::AllDown,
    };
    Entry { instance: chosen, since: now, reason, returning: None }
}

/// The candidate before `current` that takes the service back first, and when. The earlier of two
/// in the site's order wins a tie.
fn returning(
    view: &View<'_>,
    site: &Site,
    service: Service,
    current: InstanceId,
    now: Moment,
) -> Option<Returning> {
    let earlier = site.candidates().take_while(|c| *c != current);
    let ready = earlier.filter_map(|c| {
        let since = view.fit_since(c, service)?;
        let at = match view.config.failback.mode {
            FailbackMode::Manual => None,
            FailbackMode::Immediate => Some(now),
            FailbackMode::AfterStable(setting) => {
                Some(view.history.get(c, service).stable_at(since, setting, now))
            }
        };
        Some(Returning { instance: c, at })
    });
    ready.min_by_key(|r| r.at.map(|at| at.max(now)))
}

/// Where a login without a twin goes (design D7): the first instance, the serving one of
/// `identity` first, at which the session can use everything that works anywhere; failing that,
/// everything essential; failing that, wherever one can log in at all.
fn login(view: &View<'_>, site: &Site, row: &[Entry; Service::COUNT]) -> Option<InstanceId> {
    let door = match site.services() {
        [only] => *only,
        _ => Service::Identity,
    };
    let serving = row[door.index()].instance;
    let open = |c: &InstanceId| view.eligible(*c, door);
    let order: Vec<InstanceId> = serving
        .into_iter()
        .chain(site.candidates().filter(|c| Some(*c) != serving))
        .filter(|c| Some(*c) == serving || open(c))
        .collect();
    let good = |c: InstanceId, service: Service| settled(view, site, row, c, service);
    let somewhere = |service: Service| site.candidates().any(|c| good(c, service));
    let everything = |c: &InstanceId| site.services().iter().all(|s| good(*c, *s) || !somewhere(*s));
    let essential = |c: &InstanceId| site.essential.iter().all(|s| good(*c, *s));
    let complete = |c: &&InstanceId| everything(c) && essential(c);
    let found = order.iter().find(complete).or_else(|| order.iter().find(|c| essential(c)));
    found.or_else(|| order.first()).copied()
}

/// Works there, and is not merely on its way back: a session that is put on an instance before the
/// table trusts it again would be the first to fall with it.
fn settled(
    view: &View<'_>,
    site: &Site,
    row: &[Entry; Service::COUNT],
    instance: InstanceId,
    service: Service,
) -> bool {
    let serving = row[service.index()].instance;
    let before_serving = || site.candidates().take_while(|c| Some(*c) != serving).any(|c| c == instance);
    view.may_stay(instance, service) && (serving.is_none() || !before_serving())
}

const NOBODY: Entry =
    Entry { instance: None, since: Moment::from_micros(0), reason: Reason::Start, returning: None };

#[cfg(test)]
mod tests;
