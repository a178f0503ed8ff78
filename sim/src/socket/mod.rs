//! The gateway's WebSockets: which path is which socket, and the upgrade. The rest of this folder is the
//! Events & State socket (protocol sheet 4), from `connection` on, and what all sockets share: `link`, `talk`.

mod command;
mod connection;
mod filter;
mod frames;
mod link;
pub mod recycle;
pub mod session;
pub mod talk;

use std::sync::{Arc, Weak};

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::api::{AuthError, Caller};
use crate::faults::History;
use crate::instance::Instance;
use crate::server::pages;
use crate::server::wire::Connection;
use crate::settings::{self, Settings};
use crate::switches::ALARMS_SOCKET;
use crate::{messages, webrtc};

pub use link::{End, Step};

/// A socket that the gateway serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Events & State, 2023 R3.
    Events,
    /// Messages, 2023 R3 (beta).
    Messages,
    /// WebRTC signalling, 2025 R1.
    WebRtc,
}

/// The release that brought `authenticate` and `inactiveTimeoutSeconds`, 2024 R1.
pub const IN_BAND_SINCE: settings::Version = settings::Version { major: 24, minor: 1 };

/// Where a socket comes from.
pub struct Origin {
    /// Its connection.
    pub connection: Weak<Connection>,
    /// What the service had suffered when the upgrade arrived.
    pub before: History,
}

/// Whether the path lies under `/API/ws`.
#[must_use]
pub fn is_socket_path(path: &str) -> bool {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let mut is = |name: &str| segments.next().is_some_and(|segment| segment.eq_ignore_ascii_case(name));
    is("api") && is("ws")
}

/// Whether the request asks for a WebSocket.
#[must_use]
pub fn wants_upgrade<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    request.version() == Version::HTTP_11
        && request.method() == Method::GET
        && has_token(headers, header::CONNECTION, "upgrade")
        && has_token(headers, header::UPGRADE, "websocket")
}

/// The socket of a path; otherwise the status that says that there is none.
fn kind(path: &str, settings: &Settings) -> Result<Kind, StatusCode> {
    const R3_2023: settings::Version = settings::Version { major: 23, minor: 3 };
    const R1_2025: settings::Version = settings::Version { major: 25, minor: 1 };
    let path = path.strip_suffix('/').unwrap_or(path).to_ascii_lowercase();
    let (kind, since) = match path.as_str() {
        "/api/ws/events/v1" => (Kind::Events, R3_2023),
        "/api/ws/messages/v1" => (Kind::Messages, R3_2023),
        "/api/ws/webrtc/v1" => (Kind::WebRtc, R1_2025),
        // An entry point without a public schema (protocol sheet 4.8).
        "/api/ws/alarms/v1" if settings.switches.get(&ALARMS_SOCKET) == "501" => {
            return Err(StatusCode::NOT_IMPLEMENTED);
        }
        _ => return Err(StatusCode::NOT_FOUND),
    };
    if settings.version < since { Err(StatusCode::NOT_FOUND) } else { Ok(kind) }
}

/// Answers a request under `/API/ws`; with 101 the socket runs on its own from here.
pub fn upgrade(
    instance: &Arc<Instance>,
    request: &Request<Bytes>,
    upgrade: Option<OnUpgrade>,
    origin: Origin,
) -> Response<Bytes> {
    let kind = match kind(request.uri().path(), instance.api.settings()) {
        Ok(kind) => kind,
        Err(status) => return pages::empty(status),
    };
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let known = request.headers().get(header::SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let (Some(upgrade), Some(key), true) = (upgrade, key, known) else {
        let mut response = pages::empty(StatusCode::BAD_REQUEST);
        response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    };
    let caller = match request.headers().get(header::AUTHORIZATION) {
        None => None,
        Some(value) => match authenticate(instance, value.to_str().unwrap_or_default()) {
            Ok(caller) => Some(caller),
            Err(error) => return error.response(),
        },
    };
    let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) else {
        return pages::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = pages::empty(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    let instance = Arc::clone(instance);
    match kind {
        Kind::Events => drop(tokio::spawn(connection::run(instance, upgrade, origin, caller))),
        // These two want the token in a frame, header or not.
        Kind::Messages => {
            let client = messages::Client::new(Arc::clone(&instance), Weak::clone(&origin.connection));
            tokio::spawn(talk::run(instance, upgrade, origin, client));
        }
        Kind::WebRtc => {
            let peer = webrtc::Peer::new(Arc::clone(&instance));
            tokio::spawn(talk::run(instance, upgrade, origin, peer));
        }
    }
    response
}

/// Checks `Bearer <jwt>`.
pub fn authenticate(instance: &Instance, value: &str) -> Result<Caller, AuthError> {
    match value.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            instance.api.authenticate(token.trim())
        }
        _ => Err(AuthError::Invalid),
    }
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_paths() {
        assert!(is_socket_path("/API/ws/events/v1/"));
        assert!(is_socket_path("/api/WS"));
        assert!(!is_socket_path("/api/wsx/events/v1"));
        assert!(!is_socket_path("/ws/api"));
    }

    #[test]
    fn every_socket_has_its_path_and_its_release() {
        let mut settings = Settings::default();
        assert_eq!(kind("/API/WS/Events/V1/", &settings), Ok(Kind::Events));
        assert_eq!(kind("/api/ws/messages/v1", &settings), Ok(Kind::Messages));
        assert_eq!(kind("/api/ws/webrtc/v1/", &settings), Ok(Kind::WebRtc));
        for none in
            ["/api/ws", "/api/ws/messages", "/api/ws/messages/v2", "/api/ws/webrtc/v1/x", "/api/ws/alarms/v1"]
        {
            assert_eq!(kind(none, &settings), Err(StatusCode::NOT_FOUND), "{none}");
        }
        settings.version = settings::Version { major: 24, minor: 2 };
        assert_eq!(kind("/api/ws/messages/v1", &settings), Ok(Kind::Messages));
        assert_eq!(kind("/api/ws/webrtc/v1", &settings), Err(StatusCode::NOT_FOUND));
        settings.version = settings::Version { major: 23, minor: 2 };
        assert_eq!(kind("/api/ws/messages/v1", &settings), Err(StatusCode::NOT_FOUND));
        assert_eq!(settings.switches.set("alarms-socket=501"), Ok(()));
        assert_eq!(kind("/api/ws/alarms/v1/", &settings), Err(StatusCode::NOT_IMPLEMENTED));
    }
}
