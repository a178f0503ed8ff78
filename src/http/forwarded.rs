//! Who the client is, told to the instance (design D12). What a client claims about itself is
//! dropped unless it is a proxy that the operator trusts.

use std::net::IpAddr;

use http::HeaderValue;
use http::header::{HeaderMap, HeaderName};

use super::connection::Connection;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Never passed on, whoever sent them: `Proxy` becomes an environment variable in CGI programs,
/// IIS takes the path from `X-Original-URL` and `X-Rewrite-URL`, the others say the same as ours in
/// forms that nobody checked.
const DROPPED: [&str; 9] = [
    "forwarded",
    "proxy",
    "true-client-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];
const PREFIX: &[u8] = b"x-forwarded-";

/// Whether a client's header speaks about the way here. Many servers fold `_` into `-`.
fn is_claim(name: &HeaderName) -> bool {
    let bytes = name.as_str().as_bytes();
    if !matches!(bytes.first(), Some(b'x' | b'f' | b'p' | b't')) {
        return false;
    }
    let folded = |b: &u8| if *b == b'_' { b'-' } else { *b };
    let same =
        |known: &[u8]| known.len() <= bytes.len() && known.iter().zip(bytes).all(|(k, b)| *k == folded(b));
    same(PREFIX) || DROPPED.iter().any(|known| known.len() == bytes.len() && same(known.as_bytes()))
}

/// Sets `X-Forwarded-For`, `-Host` and `-Proto`; `host` is the authority that the client used.
pub fn set(headers: &mut HeaderMap, connection: &Connection, host: HeaderValue) {
    // A trusted proxy's own three are believed, nothing else that it sends of the kind.
    let believed =
        |name: &HeaderName| connection.trusted && (*name == FOR || *name == HOST || *name == PROTO);
    let claims = |name: &&HeaderName| is_claim(name) && !believed(name);
    while let Some(name) = headers.keys().find(claims).cloned() {
        headers.remove(name);
    }
    let client = connection.client_value();
    if connection.trusted {
        let chain = chain(headers, &client);
        headers.insert(FOR, chain.unwrap_or(client));
        headers.entry(HOST).or_insert(host);
        headers.entry(PROTO).or_insert_with(|| HeaderValue::from_static(connection.scheme()));
    } else {
        headers.insert(FOR, client);
        headers.insert(HOST, host);
        headers.insert(PROTO, HeaderValue::from_static(connection.scheme()));
    }
}

/// Whether the client sees `https`: on our listener, or on the trusted proxy before it.
pub fn client_sees_tls(headers: &HeaderMap, connection: &Connection) -> bool {
    match headers.get(PROTO) {
        Some(proto) if connection.trusted => proto.as_bytes().eq_ignore_ascii_case(b"https"),
        _ => connection.tls,
    }
}

/// The client's address: the peer's, or what a trusted proxy says about its own peer.
pub fn client(headers: &HeaderMap, connection: &Connection) -> IpAddr {
    let told = || {
        let last = headers.get_all(FOR).iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse().ok()
    };
    let peer = connection.client.ip();
    if connection.trusted { told().unwrap_or(peer) } else { peer }
}

fn chain(headers: &HeaderMap, client: &HeaderValue) -> Option<HeaderValue> {
    let mut joined = Vec::new();
    for value in headers.get_all(FOR) {
        joined.extend_from_slice(value.as_bytes());
        joined.extend_from_slice(b", ");
    }
    joined.extend_from_slice(client.as_bytes());
    HeaderValue::from_bytes(&joined).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::rc::Rc;

    use super::*;
    use crate::http::pace::Registry;

    fn run(trusted: bool) -> HeaderMap {
        let open = crate::metrics::Metrics::new().unwrap().connection_opened();
        let entry = Rc::new(Registry::default()).enter();
        let address = "192.0.2.7:1000".parse().unwrap();
        let connection = Connection::new(address, address, true, trusted, (entry, open));
        let mut headers = HeaderMap::new();
        for name in [
            "x-forwarded-for",
            "x_forwarded_for",
            "x-forwarded-user",
            "x-rewrite-url",
            "forwarded",
            "x-real-ip",
            "proxy",
        ] {
            headers.insert(HeaderName::from_static(name), "203.0.113.9".parse().unwrap());
        }
        headers.insert(PROTO, "http".parse().unwrap());
        set(&mut headers, &connection, "vms.example".parse().unwrap());
        headers
    }

    #[test]
    fn a_strangers_claims_are_dropped() {
        let headers = run(false);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.7");
        assert_eq!(headers["x-forwarded-proto"], "https");
        assert_eq!(headers["x-forwarded-host"], "vms.example");
        assert_eq!(headers.len(), 3);
    }

    #[test]
    fn a_trusted_chain_is_kept() {
        let headers = run(true);
        assert_eq!(headers["x-forwarded-for"], "203.0.113.9, 192.0.2.7");
        assert_eq!(headers["x-forwarded-proto"], "http");
        assert!(!headers.contains_key("forwarded"));
    }
}
