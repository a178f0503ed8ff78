//! What every request to the admin listener passes first: the Host check against DNS rebinding, the
//! time limit, and the token.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, header};

use super::AdminState;
use super::error::ApiError;
use super::users::User;
use crate::config::types::AdminRole;

/// Refuses a `Host` that is neither loopback nor configured: a web page must not be able to point
/// its own name at this listener and read answers or give orders from a browser on this machine.
pub(super) async fn host(State(state): State<AdminState>, request: Request, next: Next) -> Response {
    if host_allowed(request.headers(), &state.users.load().hosts) {
        next.run(request).await
    } else {
        ApiError::bad_host().into_response()
    }
}

/// No request holds a connection for longer than this.
pub(super) async fn limit_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(LIMIT, next.run(request))
        .await
        .unwrap_or_else(|_| ApiError::timeout().into_response())
}

/// Somebody with any role.
pub(super) struct Anyone(pub User);

/// Somebody who may drain, release and fail back.
pub(super) struct Operator(pub User);

/// Somebody who may let pass what others ordered, or what a reading was not believed for.
pub(super) struct Approver(pub User);

impl FromRequestParts<AdminState> for Anyone {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AdminState) -> Result<Self, ApiError> {
        let token = bearer(&parts.headers).ok_or_else(ApiError::unauthorized)?;
        let user = state.users.load().find(token).cloned();
        user.map(Self).ok_or_else(|| {
            tracing::warn!(path = parts.uri.path(), "admin request with an unknown token");
            ApiError::unauthorized()
        })
    }
}

impl FromRequestParts<AdminState> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AdminState) -> Result<Self, ApiError> {
        let Anyone(user) = Anyone::from_request_parts(parts, state).await?;
        match user.role {
            AdminRole::Operator | AdminRole::Admin => Ok(Self(user)),
            // Approvers judge what others ordered; they order nothing themselves.
            AdminRole::Viewer | AdminRole::Approver => {
                tracing::warn!(user = user.name, path = parts.uri.path(), "order refused: role too low");
                Err(ApiError::forbidden(&user.name, "operator or admin"))
            }
        }
    }
}

impl FromRequestParts<AdminState> for Approver {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AdminState) -> Result<Self, ApiError> {
        let Anyone(user) = Anyone::from_request_parts(parts, state).await?;
        match user.role {
            AdminRole::Approver | AdminRole::Admin => Ok(Self(user)),
            AdminRole::Viewer | AdminRole::Operator => {
                tracing::warn!(user = user.name, path = parts.uri.path(), "approval refused: wrong role");
                Err(ApiError::forbidden(&user.name, "approver"))
            }
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn host_allowed(headers: &HeaderMap, configured: &[String]) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let Some(name) = host.to_str().ok().and_then(without_port) else { return false };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || configured.iter().any(|c| c.eq_ignore_ascii_case(name))
}

/// `name`, `name:port`, `[v6]`, `[v6]:port` without port and brackets.
fn without_port(host: &str) -> Option<&str> {
    if let Some(rest) = host.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        return (port.is_empty() || is_port(port.strip_prefix(':')?)).then_some(address);
    }
    match host.split_once(':') {
        None => Some(host),
        Some((name, port)) => is_port(port).then_some(name),
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Below the command line's own patience, so that it sees this answer.
const LIMIT: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn headers(hosts: &[&str]) -> HeaderMap {
        hosts.iter().map(|h| (header::HOST, h.parse().unwrap())).collect()
    }

    #[test]
    fn only_loopback_and_configured_hosts() {
        let configured = ["gate.example".to_owned(), "10.1.2.3".to_owned()];
        for good in [
            "127.0.0.1",
            "127.0.0.1:9180",
            "127.9.9.9",
            "localhost:1",
            "LOCALHOST",
            "[::1]",
            "[::1]:9180",
            "gate.example:9180",
            "Gate.Example",
            "10.1.2.3",
        ] {
            assert!(host_allowed(&headers(&[good]), &configured), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.1.2.4",
            "[::2]",
            "[::1]x",
            "[::1",
            "localhost:",
            "localhost:80x",
            "gate.example.",
            "127.0.0.1:80:80",
        ] {
            assert!(!host_allowed(&headers(&[bad]), &configured), "{bad}");
        }
        assert!(!host_allowed(&headers(&[]), &configured));
        assert!(!host_allowed(&headers(&["localhost", "evil.example"]), &configured));
    }

    #[test]
    fn bearer_tokens() {
        let of = |value: &str| {
            let mut map = HeaderMap::new();
            map.insert(header::AUTHORIZATION, value.parse().unwrap());
            bearer(&map).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc").as_deref(), Some("abc"));
        assert_eq!(of("Basic abc"), None);
        assert_eq!(of("abc"), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
