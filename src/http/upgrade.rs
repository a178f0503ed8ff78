//! Upgrades (WebSocket and others) are tunnelled, but only after a request that asks for one
//! properly and a 101 that answers exactly that (RFC 9110 7.8, RFC 6455 4).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, HeaderMap, HeaderName, HeaderValue, UPGRADE};
use http::{Method, Request, Version};

use super::hop::connection_has;

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");

/// An upgrade that a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    protocol: HeaderValue,
    /// The only right `Sec-WebSocket-Accept`.
    accept: Option<String>,
}

/// The request is no valid upgrade request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Whether `request` asks for an upgrade. HTTP/2 has none, and an `Upgrade` header that
/// `Connection` does not name is no request for one.
///
/// # Errors
/// When it asks in a way that no instance could understand either.
pub fn wanted<B>(request: &Request<B>) -> Result<Option<Wanted>, Malformed> {
    let headers = request.headers();
    if request.version() != Version::HTTP_11
        || !headers.contains_key(UPGRADE)
        || !connection_has(headers, "upgrade")
    {
        return Ok(None);
    }
    let mut protocols = headers.get_all(UPGRADE).iter();
    let (Some(protocol), None) = (protocols.next(), protocols.next()) else { return Err(Malformed) };
    if protocol.as_bytes().eq_ignore_ascii_case(b"h2c") {
        // RFC 9113 has dropped it; the request itself is fine without it.
        return Ok(None);
    }
    let accept = if protocol.as_bytes().eq_ignore_ascii_case(b"websocket") {
        let mut keys = headers.get_all(KEY).iter();
        let (Some(key), None) = (keys.next(), keys.next()) else { return Err(Malformed) };
        if *request.method() != Method::GET {
            return Err(Malformed);
        }
        Some(accept_for(key.as_bytes()))
    } else {
        None
    };
    Ok(Some(Wanted { protocol: protocol.clone(), accept }))
}

impl Wanted {
    /// Puts the request for the upgrade back after the hop-by-hop headers were removed.
    pub fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
    }

    /// Whether it is a WebSocket that is asked for.
    pub const fn is_websocket(&self) -> bool {
        self.accept.is_some()
    }

    /// Whether a 101 with these headers agrees to exactly this upgrade.
    pub fn answered_by(&self, headers: &HeaderMap) -> bool {
        let protocol =
            headers.get(UPGRADE).is_some_and(|p| p.as_bytes().eq_ignore_ascii_case(self.protocol.as_bytes()));
        let accept = self.accept.as_ref().is_none_or(|want| {
            let mut given = headers.get_all(ACCEPT).iter();
            given.next().is_some_and(|a| a.as_bytes() == want.as_bytes()) && given.next().is_none()
        });
        protocol && accept && connection_has(headers, "upgrade")
    }
}

/// RFC 6455 4.2.2: base64(SHA-1(key + GUID)).
fn accept_for(key: &[u8]) -> String {
    let mut text = key.to_vec();
    text.extend_from_slice(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn websocket(extra: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder()
            .uri("/ws")
            .header("connection", "keep-alive, Upgrade")
            .header("upgrade", "websocket");
        for (name, value) in extra {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn only_the_right_accept_is_an_answer() {
        let wanted =
            wanted(&websocket(&[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")])).unwrap().unwrap();
        let mut headers = HeaderMap::new();
        wanted.ask(&mut headers);
        assert!(!wanted.answered_by(&headers), "no accept");
        headers.insert(ACCEPT, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".parse().unwrap());
        assert!(wanted.answered_by(&headers));
        headers.insert(UPGRADE, "other".parse().unwrap());
        assert!(!wanted.answered_by(&headers));
    }

    #[test]
    fn malformed_requests() {
        assert_eq!(wanted(&websocket(&[])), Err(Malformed));
        let twice = websocket(&[("sec-websocket-key", "a"), ("sec-websocket-key", "b")]);
        assert_eq!(wanted(&twice), Err(Malformed));
        let plain = Request::builder().header("upgrade", "websocket").body(()).unwrap();
        assert_eq!(wanted(&plain), Ok(None));
    }
}
