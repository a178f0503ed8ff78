//! The Events & State WebSocket (protocol sheet 4): the upgrade. What follows is in `connection`.

mod command;
mod connection;
mod filter;
mod frames;
pub mod session;

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
use crate::settings;

/// The release that brought the socket, 2023 R3.
const SINCE: settings::Version = settings::Version { major: 23, minor: 3 };

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

/// Answers a request under `/API/ws`; with 101 the socket runs on its own from here.
pub fn upgrade(
    instance: &Arc<Instance>,
    request: &Request<Bytes>,
    upgrade: Option<OnUpgrade>,
    origin: Origin,
) -> Response<Bytes> {
    let path = request.uri().path();
    let path = path.strip_suffix('/').unwrap_or(path);
    let version = instance.api.settings().version;
    if !path.eq_ignore_ascii_case("/api/ws/events/v1") || version < SINCE {
        return pages::empty(StatusCode::NOT_FOUND);
    }
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
    tokio::spawn(connection::run(Arc::clone(instance), upgrade, origin, caller));
    response
}

/// Checks `Bearer <jwt>`.
fn authenticate(instance: &Instance, value: &str) -> Result<Caller, AuthError> {
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
}
