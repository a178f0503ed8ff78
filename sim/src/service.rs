//! Which service a path belongs to (design section 2): whole path segments, case-insensitive.

use std::fmt;

/// A part of the VMS that can fail on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// `/IDP` and `/API/IDP`.
    Identity,
    /// `/API/rest/v1` without the resources of the other services.
    Config,
    /// Events and alarms, REST and WebSocket.
    Events,
    /// WebRTC signalling.
    WebRtc,
    /// `/ManagementServer` and `/ServerAPI`.
    Soap,
}

impl Service {
    /// Every service, in the order of the help text.
    pub const ALL: [Self; 5] = [Self::Identity, Self::Config, Self::Events, Self::WebRtc, Self::Soap];

    /// The name in faults and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Config => "config",
            Self::Events => "events",
            Self::WebRtc => "webrtc",
            Self::Soap => "soap",
        }
    }

    /// The service of a request path; `None` for discovery, for what recording servers answer (media goes around a
    /// gatekeeper) and for everything IIS answers itself.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty()).map(str::to_ascii_lowercase);
        let mut next = || segments.next().unwrap_or_default();
        match next().as_str() {
            "idp" => Some(Self::Identity),
            "managementserver" | "serverapi" => Some(Self::Soap),
            "api" => match (next().as_str(), next().as_str(), next().as_str()) {
                ("idp", _, _) => Some(Self::Identity),
                ("rest", "v1", "webrtc") | ("ws", "webrtc", _) => Some(Self::WebRtc),
                ("rest", "v1", resource) if EVENT_RESOURCES.contains(&resource) => Some(Self::Events),
                ("rest", "v1", _) => Some(Self::Config),
                ("ws", "events" | "messages" | "alarms", _) => Some(Self::Events),
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the Event Server hosts behind the gateway (protocol sheet 0).
const EVENT_RESOURCES: [&str; 14] = [
    "events",
    "eventsessions",
    "alarms",
    "alarmsessions",
    "alarmstates",
    "alarmpriorities",
    "alarmcategories",
    "alarmsounds",
    "alarmmessages",
    "alarmsuppressions",
    "alarmdisables",
    "alarmstatistics",
    "alarmsettings",
    "closereasons",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_segments_any_case() {
        assert_eq!(Service::of_path("/API/idp/connect/token"), Some(Service::Identity));
        assert_eq!(Service::of_path("/idp/.well-known/openid-configuration"), Some(Service::Identity));
        assert_eq!(Service::of_path("/api/REST/v1/Events"), Some(Service::Events));
        assert_eq!(Service::of_path("/api/rest/v1/eventTypes"), Some(Service::Config));
        assert_eq!(Service::of_path("/api/rest/v1/webRTC/session"), Some(Service::WebRtc));
        assert_eq!(Service::of_path("/api/ws/events/v1/"), Some(Service::Events));
        assert_eq!(Service::of_path("/ManagementServer/ServerCommandService.svc"), Some(Service::Soap));
        assert_eq!(Service::of_path("/API/.well-known/uris"), None);
        assert_eq!(Service::of_path("/RecorderCommandService/RecorderCommandService.asmx"), None);
        assert_eq!(Service::of_path("/idpx"), None);
        assert_eq!(Service::of_path("/"), None);
    }
}
