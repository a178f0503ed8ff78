//! Host -> site, path -> service (design section 2).

use std::collections::HashMap;
use std::net::IpAddr;

use super::normalise::segments;
use crate::config::types::{Config, Profile, Service, Site, SiteId};

/// Which site a host name means.
#[derive(Debug)]
pub struct Hosts {
    names: HashMap<String, SiteId>,
    any: Option<SiteId>,
    first: SiteId,
}

impl Hosts {
    /// The table of a configuration.
    pub fn new(config: &Config) -> Self {
        let mut names = HashMap::new();
        let mut any = None;
        for id in config.site_ids() {
            let site = config.site(id);
            names.extend(site.hosts.iter().map(|host| (host.clone(), id)));
            if site.any_host {
                any = Some(id);
            }
        }
        Self { names, any, first: SiteId(0) }
    }

    /// The site for a `Host` without its port, and whether the client named it (so that the name
    /// may stand in addresses that we hand out). `local` is the address that the client reached.
    pub fn find(&self, host: &str, local: IpAddr) -> Option<SiteId> {
        // A name may be written as fully qualified.
        let host = host.strip_suffix('.').unwrap_or(host);
        // Names are almost always lower-case already.
        let found = if host.bytes().any(|b| b.is_ascii_uppercase()) {
            self.names.get(&host.to_ascii_lowercase())
        } else {
            self.names.get(host)
        };
        if let Some(site) = found.copied().or(self.any) {
            return Some(site);
        }
        // Installers and monitoring address a machine before its name exists.
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok()?;
        (address.to_canonical() == local.to_canonical()).then_some(self.first)
    }
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To an instance.
    Service(Service),
    /// To us: a document that carries addresses.
    Discovery(Document),
    /// To us: where a camera's streams are (design D19).
    Streams,
    /// Nowhere: 404 from us.
    Unknown,
}

/// Documents that we answer ourselves (design D11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// `/API/.well-known/uris`.
    Uris,
    /// `/IDP/.well-known/openid-configuration`, also below `/API`.
    OpenId,
    /// The key set that `OpenId` names.
    Jwks,
}

impl Document {
    /// The service that it belongs to.
    pub const fn service(self) -> Service {
        match self {
            Self::Uris => Service::Config,
            Self::OpenId | Self::Jwks => Service::Identity,
        }
    }
}

/// Which service of `site` owns `path`. The path has passed [`super::normalise::check`].
pub fn destination(site: &Site, path: &str) -> Destination {
    match &site.profile {
        Profile::Http { .. } => Destination::Service(Service::Http),
        Profile::Xprotect { pass } => xprotect(path).unwrap_or_else(|| passed(pass, path)),
    }
}

/// Paths outside the API that an operator wants passed on follow `identity`.
fn passed(pass: &[String], path: &str) -> Destination {
    let hit = pass.iter().any(|prefix| starts_with(path, prefix));
    if hit { Destination::Service(Service::Identity) } else { Destination::Unknown }
}

/// Whole segments, ignoring case.
fn starts_with(path: &str, prefix: &str) -> bool {
    let mut have = segments(path);
    segments(prefix).all(|want| have.next().is_some_and(|s| s.eq_ignore_ascii_case(&want)))
}

fn xprotect(path: &str) -> Option<Destination> {
    let mut parts = segments(path);
    let first = parts.next()?;
    if is(&first, "IDP") {
        return Some(identity(parts));
    }
    if is(&first, "gatekeeper") {
        let ours = ["v1", "streams"].iter().all(|name| parts.next().is_some_and(|s| is(&s, name)));
        let one_more = ours && parts.next().is_some() && parts.next().is_none();
        return Some(if one_more { Destination::Streams } else { Destination::Unknown });
    }
    if is(&first, "ManagementServer") || is(&first, "ServerAPI") {
        return Some(Destination::Service(Service::Soap));
    }
    if !is(&first, "API") {
        return None;
    }
    let second = parts.next()?;
    if is(&second, "IDP") {
        return Some(identity(parts));
    }
    let third = parts.next()?;
    if is(&second, ".well-known") && is(&third, "uris") && parts.next().is_none() {
        return Some(Destination::Discovery(Document::Uris));
    }
    if is(&second, "rest") && is(&third, "v1") {
        return Some(Destination::Service(match parts.next() {
            Some(name) if EVENT_RESOURCES.iter().any(|r| is(&name, r)) => Service::Events,
            Some(name) if is(&name, "WebRTC") => Service::Webrtc,
            _ => Service::Config,
        }));
    }
    if is(&second, "ws") {
        let service = match third.to_ascii_lowercase().as_str() {
            "events" | "messages" | "alarms" => Service::Events,
            "webrtc" => Service::Webrtc,
            _ => return None,
        };
        return Some(Destination::Service(service));
    }
    None
}

fn identity<'p>(mut rest: impl Iterator<Item = std::borrow::Cow<'p, str>>) -> Destination {
    if rest.next().is_some_and(|s| is(&s, ".well-known"))
        && rest.next().is_some_and(|s| is(&s, "openid-configuration"))
    {
        match (rest.next(), rest.next()) {
            (None, _) => return Destination::Discovery(Document::OpenId),
            (Some(name), None) if is(&name, "jwks") => return Destination::Discovery(Document::Jwks),
            _ => {}
        }
    }
    Destination::Service(Service::Identity)
}

fn is(segment: &str, name: &str) -> bool {
    segment.eq_ignore_ascii_case(name)
}

/// Design section 2: what the Event Server owns below `/API/rest/v1`.
const EVENT_RESOURCES: [&str; 14] = [
    "events",
    "eventSessions",
    "alarms",
    "alarmSessions",
    "alarmStates",
    "alarmPriorities",
    "alarmCategories",
    "alarmSounds",
    "alarmMessages",
    "alarmSuppressions",
    "alarmDisables",
    "alarmStatistics",
    "alarmSettings",
    "closeReasons",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::types::{Ids, InstanceId};

    fn site() -> Site {
        Site {
            name: "hq".into(),
            hosts: vec!["vms.example".into()],
            any_host: false,
            profile: Profile::Xprotect { pass: vec!["/installation".into()] },
            primary: InstanceId(0),
            standby: vec![InstanceId(1)],
            ids: Ids::Canonical,
            essential: vec![],
            twin: crate::config::types::TwinPolicy::All,
            twin_binding: crate::config::types::TwinBinding::Address,
        }
    }

    #[test]
    fn paths_lead_where_the_design_says() {
        use Destination::{Discovery, Unknown};
        let service = Destination::Service;
        for (path, want) in [
            ("/IDP/connect/token", service(Service::Identity)),
            ("/api/idp/connect/token", service(Service::Identity)),
            ("/IDP", service(Service::Identity)),
            ("/IDPX/connect/token", Unknown),
            ("/API/rest/v1/cameras", service(Service::Config)),
            ("/api/REST/v1", service(Service::Config)),
            ("/API/rest/v2/cameras", Unknown),
            ("/API/rest/v1/events", service(Service::Events)),
            ("/API/rest/v1/ALARMS/1/history", service(Service::Events)),
            ("/API/rest/v1/eventTypes", service(Service::Config)),
            ("/API/rest/v1/alarmDefinitions", service(Service::Config)),
            ("/API/rest/v1/webrtc/session", service(Service::Webrtc)),
            ("/API/ws/events/v1/", service(Service::Events)),
            ("/API/ws/messages/v1", service(Service::Events)),
            ("/API/ws/webrtc/v1", service(Service::Webrtc)),
            ("/API/ws/other/v1", Unknown),
            ("/ManagementServer/ServerCommandService.svc", service(Service::Soap)),
            ("/serverapi/ServerCommandService.asmx", service(Service::Soap)),
            ("/API/.well-known/uris", Discovery(Document::Uris)),
            ("/API/.WELL-KNOWN/uris/", Discovery(Document::Uris)),
            ("/idp/.well-known/openid-configuration", Discovery(Document::OpenId)),
            ("/API/IDP/.well-known/openid-configuration/jwks", Discovery(Document::Jwks)),
            ("/IDP/.well-known/openid-configuration/other", service(Service::Identity)),
            ("/installation/setup.exe", service(Service::Identity)),
            ("/gatekeeper/v1/streams/1", Destination::Streams),
            ("/gatekeeper/v1/streams", Unknown),
            ("/gatekeeper/v1/streams/1/2", Unknown),
            ("/gatekeeper/v2/streams/1", Unknown),
            ("/", Unknown),
            ("/API", Unknown),
        ] {
            assert_eq!(destination(&site(), path), want, "{path}");
        }
    }
}
