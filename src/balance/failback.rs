//! The operator's fail-back (design D6): return to the earliest healthy candidate now. Pure.

use thiserror::Error;

use super::serving::{Entry, Reason, Table, View};
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service, SiteId};

/// What a fail-back did to one (site, service).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailbackOutcome {
    /// Name of the site.
    pub site: String,
    /// The service.
    pub service: Service,
    /// Name of the instance that served before.
    pub from: Option<String>,
    /// What happened.
    pub result: FailbackResult,
}

/// What happened to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailbackResult {
    /// Returned to this instance.
    Returned(String),
    /// Was at home already.
    AtHome,
    /// Stays: the primary does not have this service. Nothing is missing there.
    Absent {
        /// The primary.
        primary: String,
    },
    /// Stays: the primary is not healthy, or an operator holds it.
    NotReady {
        /// The primary.
        primary: String,
        /// Its condition, or what holds it.
        why: &'static str,
    },
}

/// Why a fail-back did nothing at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FailbackError {
    /// There is no such site.
    #[error("there is no site `{0}`")]
    UnknownSite(String),
    /// The site does not have this service.
    #[error("no site asked for has the service `{0}`")]
    UnknownService(Service),
    /// Nothing could return.
    #[error("`{primary}` cannot take back `{service}` of site `{site}`: it is {why}")]
    NotReady {
        /// Name of the site.
        site: String,
        /// The first service that could not return.
        service: Service,
        /// The primary.
        primary: String,
        /// Its condition, or what holds it.
        why: &'static str,
    },
    /// The program is stopping.
    #[error("the supervisor has stopped")]
    Stopped,
}

/// Returns every chosen entry that can return. `site` and `service` limit the choice.
///
/// # Errors
/// When the choice names nothing, or when entries would have to return and none can.
pub fn failback(
    view: &View<'_>,
    table: &mut Table,
    site: Option<&str>,
    service: Option<Service>,
    now: Moment,
) -> Result<Vec<FailbackOutcome>, FailbackError> {
    let config = view.config;
    let sites: Vec<SiteId> =
        config.site_ids().filter(|id| site.is_none_or(|name| config.site(*id).name == name)).collect();
    if let (Some(name), true) = (site, sites.is_empty()) {
        return Err(FailbackError::UnknownSite(name.to_owned()));
    }
    let service_named = service.is_some();
    let mut outcomes = Vec::new();
    for id in sites {
        let wanted = config.site(id).services().iter().filter(|s| service.is_none_or(|w| w == **s));
        for service in wanted {
            let outcome = one(view, table, id, *service, now);
            outcomes.push(match (outcome.result, service_named) {
                // Whoever asks for this service by name is told that it cannot be had.
                (FailbackResult::Absent { primary }, true) => {
                    FailbackOutcome { result: FailbackResult::NotReady { primary, why: "absent" }, ..outcome }
                }
                (result, _) => FailbackOutcome { result, ..outcome },
            });
        }
    }
    if let (Some(service), true) = (service, outcomes.is_empty()) {
        return Err(FailbackError::UnknownService(service));
    }
    let refused = outcomes.iter().find_map(|o| match &o.result {
        FailbackResult::NotReady { primary, why } => Some(FailbackError::NotReady {
            site: o.site.clone(),
            service: o.service,
            primary: primary.clone(),
            why,
        }),
        _ => None,
    });
    let any_returned = outcomes.iter().any(|o| matches!(o.result, FailbackResult::Returned(_)));
    match refused {
        Some(error) if !any_returned => Err(error),
        _ => Ok(outcomes),
    }
}

fn one(view: &View<'_>, table: &mut Table, id: SiteId, service: Service, now: Moment) -> FailbackOutcome {
    let site = view.config.site(id);
    let name = |i: InstanceId| view.config.instance(i).name.clone();
    let entry = *table.get(id, service);
    let ready = site
        .candidates()
        .take_while(|c| Some(*c) != entry.instance)
        .find(|c| view.fit_since(*c, service).is_some());
    let result = match ready {
        _ if entry.instance == Some(site.primary) => FailbackResult::AtHome,
        Some(home) => {
            let entry = Entry { instance: Some(home), since: now, reason: Reason::Operator, returning: None };
            table.entries[id.index()][service.index()] = entry;
            FailbackResult::Returned(name(home))
        }
        None if !view.board.get(site.primary, service).exists() => {
            FailbackResult::Absent { primary: name(site.primary) }
        }
        None => FailbackResult::NotReady {
            primary: name(site.primary),
            why: view.held.kind(site.primary).map_or_else(
                || view.board.get(site.primary, service).condition.as_str(),
                super::overrides::OverrideKind::as_str,
            ),
        },
    };
    FailbackOutcome { site: site.name.clone(), service, from: entry.instance.map(name), result }
}
