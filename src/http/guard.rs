//! The only place that refuses the shape of a request (design D12).
//!
//! hyper has already refused what is not HTTP. Here stands what is HTTP but could be read in two
//! ways, by us and by an instance, or that no client of a VMS has a reason to send.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderName, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};

use crate::route::normalise::{self, PathFault};

/// More header lines than this are 431.
pub const MAX_HEADERS: usize = 100;
/// A longer head is 431; in bytes, without the value of `Authorization`: whose token is too long is
/// told so in words that a client of a VMS understands.
pub const MAX_HEAD: usize = 64 * 1024;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// TRACE or CONNECT.
    Method,
    /// No `Host`, more than one, or one that is no authority.
    Host,
    /// The request line names another authority than `Host`, or a scheme that is not HTTP.
    Target,
    /// More than one `Authorization`: who asks, and with whose token?
    Authorization,
    /// Length or transfer coding that two readers could understand differently.
    Framing,
    /// Dot segments, backslashes, encoded control bytes, broken encoding.
    Path,
    /// More than [`MAX_HEADERS`], or more than [`MAX_HEAD`].
    TooManyHeaders,
}

impl Refusal {
    /// The status that the client gets.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// For the `Gatekeeper-Reason` header and the metric.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Method => "bad-method",
            Self::Host => "bad-host",
            Self::Target => "bad-target",
            Self::Authorization => "bad-authorization",
            Self::Framing => "bad-framing",
            Self::Path => "bad-path",
            Self::TooManyHeaders => "too-many-headers",
        }
    }

    /// For a person who reads the answer.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Method => "TRACE and CONNECT are not accepted here.",
            Self::Host => "A request needs exactly one valid Host header.",
            Self::Target => "The request line and the Host header name different servers.",
            Self::Authorization => "A request may have one Authorization header.",
            Self::Framing => "Content-Length and Transfer-Encoding must not be ambiguous.",
            Self::Path => "The path has dot segments, backslashes, control bytes or a broken encoding.",
            Self::TooManyHeaders => "The header fields are too many or too large.",
        }
    }
}

impl From<PathFault> for Refusal {
    fn from(_: PathFault) -> Self {
        Self::Path
    }
}

/// The server that a client addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority<'r> {
    /// Name or address; IPv6 in brackets.
    pub host: &'r str,
    /// As sent: with the port, if there was one.
    pub full: HeaderValue,
}

/// Checks the shape of a request and says whom it addresses.
///
/// # Errors
/// The first reason to refuse it.
pub fn inspect<B>(request: &Request<B>) -> Result<Authority<'_>, Refusal> {
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        return Err(Refusal::Method);
    }
    let headers = request.headers();
    // hyper's own limit is on what it buffers, which is a little more.
    let size = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + 4 + if name == AUTHORIZATION { 0 } else { value.len() }
    };
    let head: usize = headers.iter().map(size).sum();
    if headers.len() > MAX_HEADERS || head > MAX_HEAD {
        return Err(Refusal::TooManyHeaders);
    }
    // RFC 9112 3.2.4: the asterisk form belongs to OPTIONS.
    if request.uri().path() == "*" && *request.method() != Method::OPTIONS {
        return Err(Refusal::Target);
    }
    if headers.get_all(AUTHORIZATION).iter().nth(1).is_some() {
        return Err(Refusal::Authorization);
    }
    framing(headers, request.version())?;
    normalise::check(request.uri().path())?;
    authority(request)
}

fn framing(headers: &HeaderMap, version: Version) -> Result<(), Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let coding = codings.next();
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let length = lengths.next();
    if coding.is_none() && length.is_none() {
        return Ok(());
    }
    let repeated = codings.next().is_some() || lengths.next().is_some();
    let both = coding.is_some() && length.is_some();
    // HTTP/2 frames its own bodies; a transfer coding there is an attempt to reach past us.
    let misplaced = coding.is_some() && version != Version::HTTP_11;
    let strange = coding.is_some_and(|c| !c.as_bytes().eq_ignore_ascii_case(b"chunked"))
        || length.is_some_and(|l| l.is_empty() || !l.as_bytes().iter().all(u8::is_ascii_digit));
    if repeated || both || misplaced || strange { Err(Refusal::Framing) } else { Ok(()) }
}

fn authority<B>(request: &Request<B>) -> Result<Authority<'_>, Refusal> {
    let mut named = request.headers().get_all(HOST).iter();
    let host = named.next();
    if named.next().is_some() {
        return Err(Refusal::Host);
    }
    let host = host.map(|h| h.to_str().map_err(|_| Refusal::Host)).transpose()?;
    let target = request.uri().authority().map(http::uri::Authority::as_str);
    let http2 = request.version() == Version::HTTP_2;
    let full = match (host, target) {
        // RFC 9112 3.2: HTTP/1 needs Host even beside an absolute target.
        (None, Some(target)) if http2 => target,
        (None, _) => return Err(Refusal::Host),
        (Some(host), None) => host,
        (Some(host), Some(target)) if host.eq_ignore_ascii_case(target) => host,
        (Some(_), Some(_)) => return Err(Refusal::Target),
    };
    if !matches!(request.uri().scheme_str(), None | Some("http" | "https")) {
        return Err(Refusal::Target);
    }
    let host_only = split(full).ok_or(Refusal::Host)?;
    // Sharing the header's bytes costs nothing; only HTTP/2 without Host needs a copy.
    let full = match request.headers().get(HOST) {
        Some(value) => value.clone(),
        None => HeaderValue::from_str(full).map_err(|_| Refusal::Host)?,
    };
    Ok(Authority { host: host_only, full })
}

/// The host of `host`, `host:port` or `[v6]:port`, if it is well-formed.
fn split(full: &str) -> Option<&str> {
    let (host, port) = if full.starts_with('[') {
        let end = full.find(']')?;
        full[1..end].parse::<std::net::Ipv6Addr>().ok()?;
        (&full[..=end], &full[end + 1..])
    } else {
        let end = full.find(':').unwrap_or(full.len());
        let host = &full[..end];
        if host.is_empty()
            || !host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        {
            return None;
        }
        (host, &full[end..])
    };
    let port_fine = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|p| p.bytes().all(|b| b.is_ascii_digit()) && p.parse::<u16>().is_ok());
    port_fine.then_some(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn hosts() {
        for (host, want) in [
            ("vms.example", Some("vms.example")),
            ("vms.example:8443", Some("vms.example")),
            ("[::1]:443", Some("[::1]")),
            ("127.0.0.1:", None),
            ("", None),
            ("a b", None),
            ("a,b", None),
            ("user@host", None),
            ("host:99999", None),
            ("[::1", None),
            ("host/path", None),
        ] {
            assert_eq!(split(host), want, "{host}");
        }
    }

    #[test]
    fn what_is_refused() {
        let host = ("host", "vms.example");
        for (method, uri, headers, want) in [
            ("TRACE", "/", vec![host], Refusal::Method),
            ("CONNECT", "vms.example:443", vec![host], Refusal::Method),
            ("GET", "/", vec![], Refusal::Host),
            ("GET", "/", vec![host, ("host", "vms.example")], Refusal::Host),
            (
                "GET",
                "/",
                vec![host, ("authorization", "Bearer a"), ("authorization", "NTLM b")],
                Refusal::Authorization,
            ),
            ("GET", "http://other.example/", vec![host], Refusal::Target),
            ("GET", "ftp://vms.example/", vec![host], Refusal::Target),
            ("GET", "/a/../b", vec![host], Refusal::Path),
            ("POST", "/", vec![host, ("content-length", "1"), ("content-length", "1")], Refusal::Framing),
            ("POST", "/", vec![host, ("content-length", "+1")], Refusal::Framing),
            (
                "POST",
                "/",
                vec![host, ("transfer-encoding", "chunked"), ("content-length", "1")],
                Refusal::Framing,
            ),
            ("POST", "/", vec![host, ("transfer-encoding", "gzip, chunked")], Refusal::Framing),
        ] {
            let request = request(method, uri, &headers);
            assert_eq!(inspect(&request), Err(want), "{method} {uri} {headers:?}");
        }
        let fine = request("GET", "https://vms.example/API", &[host]);
        assert_eq!(
            inspect(&fine),
            Ok(Authority { host: "vms.example", full: HeaderValue::from_static("vms.example") })
        );
    }
}
