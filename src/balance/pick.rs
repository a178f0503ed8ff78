//! One request, one instance: from what binds the request and the picture to where it goes. Pure,
//! and on the path of every request: no allocation.

use super::picture::Picture;
use crate::config::types::{InstanceId, Service, Site, SiteId};

/// What binds a request to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nothing: anybody who serves will do.
    Nothing,
    /// A token that this instance issued. It is worth nothing elsewhere and is shown to nobody
    /// else.
    Token(InstanceId),
    /// The same, of a user who has tokens of other instances, too.
    Twinned {
        /// Who issued the client's token.
        home: InstanceId,
        /// Who else knows the user.
        twins: Twins,
    },
    /// State that is easier kept where it is (a cookie), but can be made anew.
    Affinity(InstanceId),
    /// A login that will have no twin (design D7).
    Login,
    /// It names something that this instance has made and nobody else has: a task, a session.
    Made(InstanceId),
    /// A login in progress on a connection to this instance (NTLM): nobody else can end it.
    Handshake(InstanceId),
}

/// Candidates of a site at which a user has a token that is not the client's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Twins(u64);

impl Twins {
    /// Those for which `has` says so. Only the first 64 candidates of a site can have twins.
    pub fn of(site: &Site, has: impl Fn(InstanceId) -> bool) -> Self {
        let bits = site.candidates().take(64).enumerate().filter(|(_, id)| has(*id));
        Self(bits.fold(0, |mask, (at, _)| mask | 1 << at))
    }

    /// There are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this instance is one of them.
    pub fn has(self, site: &Site, instance: InstanceId) -> bool {
        let at = site.candidates().take(64).position(|id| id == instance);
        at.is_some_and(|at| self.0 & (1 << at) != 0)
    }
}

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// There.
    To {
        /// The instance.
        instance: InstanceId,
        /// Why this one.
        reason: PickReason,
        /// Where a safe or unsent request may go if this one fails it (design D3).
        fallback: Option<InstanceId>,
    },
    /// The session's home cannot serve, another instance can: the client has to log in again.
    SignInAgain {
        /// The home that is lost.
        home: InstanceId,
    },
    /// What it names is gone with its maker.
    Gone,
    /// No instance can serve this now, and logging in again would not help.
    Nobody,
}

/// Why an instance was picked; a closed set, for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickReason {
    /// The serving table says so.
    Serving,
    /// The session's token is from there.
    Home,
    /// The session's home cannot serve this; another instance knows its user.
    Twin,
    /// A cookie says so.
    Affinity,
    /// It was made there.
    Made,
    /// Where logins go.
    Login,
    /// Where this login has begun.
    Handshake,
}

impl PickReason {
    /// The name in logs and headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Home => "home",
            Self::Twin => "twin",
            Self::Affinity => "affinity",
            Self::Made => "made",
            Self::Login => "login",
            Self::Handshake => "handshake",
        }
    }
}

/// Picks the instance for a request of `site` to `service`. Ids belong to the picture's
/// configuration.
pub fn pick(picture: &Picture, site: SiteId, service: Service, bound: Bound) -> Pick {
    match bound {
        Bound::Token(home) => at_home(picture, site, service, home),
        Bound::Twinned { home, twins } => twinned(picture, site, service, home, twins),
        Bound::Affinity(instance) if picture.usable(instance, service) => Pick::To {
            instance,
            reason: PickReason::Affinity,
            fallback: next(picture, site, service, instance),
        },
        Bound::Affinity(_) | Bound::Nothing => {
            to(picture, site, service, picture.table.get(site, service).instance, PickReason::Serving)
        }
        Bound::Login => to(picture, site, service, picture.table.login(site), PickReason::Login),
        Bound::Made(maker) if picture.answers(maker, service) => {
            Pick::To { instance: maker, reason: PickReason::Made, fallback: None }
        }
        Bound::Made(_) => Pick::Gone,
        Bound::Handshake(begun) if picture.answers(begun, service) => {
            Pick::To { instance: begun, reason: PickReason::Handshake, fallback: None }
        }
        Bound::Handshake(_) => Pick::Nobody,
    }
}

/// A token stays at home while home answers at all: its 404 for a service it does not have is a
/// true answer, so absent is good enough here. A drained home keeps its sessions.
fn at_home(picture: &Picture, site: SiteId, service: Service, home: InstanceId) -> Pick {
    if picture.answers(home, service) {
        return Pick::To { instance: home, reason: PickReason::Home, fallback: None };
    }
    // Logging in again only helps if it leads elsewhere, and to somebody who has the service: else
    // the client would lose its session for nothing, again and again (design D7).
    match picture.table.login(site) {
        Some(next) if next != home && picture.usable(next, service) => Pick::SignInAgain { home },
        _ => Pick::Nobody,
    }
}

/// A session with twins goes with the service, to wherever its user is known; it outlives its home.
fn twinned(picture: &Picture, site: SiteId, service: Service, home: InstanceId, twins: Twins) -> Pick {
    let known = |id: InstanceId| id == home || twins.has(picture.config.site(site), id);
    // Its home keeps it while drained, like any session.
    let fits = |id: InstanceId| match id == home {
        true => picture.usable(id, service),
        false => picture.eligible(id, service),
    };
    let to = |instance: InstanceId, reason| {
        let mut others = picture.config.site(site).candidates().filter(|id| *id != instance && known(*id));
        Pick::To { instance, reason, fallback: others.find(|id| fits(*id)) }
    };
    let serving = picture.table.get(site, service).instance.filter(|id| known(*id));
    if let Some(instance) = serving.filter(|id| picture.answers(*id, service)) {
        return to(instance, PickReason::Serving);
    }
    if picture.answers(home, service) {
        return to(home, PickReason::Home);
    }
    let mut others = picture.config.site(site).candidates().filter(|id| known(*id));
    match others.find(|id| fits(*id)) {
        Some(instance) => to(instance, PickReason::Twin),
        None => at_home(picture, site, service, home),
    }
}

fn to(
    picture: &Picture,
    site: SiteId,
    service: Service,
    instance: Option<InstanceId>,
    reason: PickReason,
) -> Pick {
    match instance {
        Some(instance) => Pick::To { instance, reason, fallback: next(picture, site, service, instance) },
        None => Pick::Nobody,
    }
}

/// The first candidate, in the site's order, that could serve instead of `instance`.
fn next(picture: &Picture, site: SiteId, service: Service, instance: InstanceId) -> Option<InstanceId> {
    let mut candidates = picture.config.site(site).candidates();
    candidates.find(|c| *c != instance && picture.eligible(*c, service))
}

#[cfg(test)]
mod tests;
