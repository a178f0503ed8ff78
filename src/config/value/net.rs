//! Addresses, hosts, origins and URL paths.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{Wrong, quote, wrong};
use crate::config::types::Origin;

pub(super) fn address(s: &str) -> Result<SocketAddr, Wrong> {
    const REMEDY: &str = "write an IP address and a port, for example \"127.0.0.1:8443\" or \"[::1]:8443\"";
    if let Ok(address) = s.parse() {
        Ok(address)
    } else if s.parse::<IpAddr>().is_ok() {
        wrong(format!("{} has no port", quote(s)), REMEDY)
    } else {
        wrong(format!("{} is not an address", quote(s)), REMEDY)
    }
}

pub(super) fn network(s: &str) -> Result<IpNet, Wrong> {
    if let Ok(net) = s.parse::<IpNet>() {
        return Ok(net.trunc());
    }
    s.parse::<IpAddr>().map(IpNet::from).or_else(|_| {
        wrong(
            format!("{} is not an address or network", quote(s)),
            "write for example \"192.0.2.1\" or \"192.0.2.0/24\"",
        )
    })
}

/// A host name or address, lower-case, IPv6 without brackets.
pub(super) fn host(s: &str) -> Result<String, Wrong> {
    const REMEDY: &str = "write a host name or IP address alone, for example \"vms.example\"";
    let bare = s.strip_prefix('[').and_then(|r| r.strip_suffix(']')).unwrap_or(s);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(ip.to_string());
    }
    if s.is_empty() {
        return wrong("the host is empty", REMEDY);
    }
    if s.contains('*') {
        return wrong(
            format!("{} is not a host name", quote(s)),
            "name every host: a '*' cannot be part of a name",
        );
    }
    if s.contains("://") || s.contains('/') {
        return wrong("this is a URL, not a host name", REMEDY);
    }
    if s.contains(':') {
        return wrong(format!("{} has a port", quote(s)), "leave the port out; it is that of the listener");
    }
    if !s.is_ascii() {
        return wrong(format!("{} is not ASCII", quote(s)), "write the name in its xn-- form");
    }
    let label = |l: &str| {
        let edge = |b: Option<&u8>| b.is_some_and(|b| *b != b'-');
        let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        l.len() <= 63 && l.bytes().all(inner) && edge(l.as_bytes().first()) && edge(l.as_bytes().last())
    };
    if s.len() > 253 || !s.split('.').all(label) {
        return wrong(format!("{} is not a host name", quote(s)), REMEDY);
    }
    Ok(s.to_ascii_lowercase())
}

/// `http(s)://host[:port]`. Never repeats the text: it may hold a password.
pub(super) fn origin(s: &str) -> Result<Origin, Wrong> {
    const REMEDY: &str = "write scheme, host and perhaps a port, for example \"https://vms-a.example\"";
    let Some((scheme, rest)) = s.split_once("://") else {
        return wrong("this is not a URL: the scheme is missing", REMEDY);
    };
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        other => {
            return wrong(
                format!("the scheme {} is not supported", quote(other)),
                "write https:// or http://",
            );
        }
    };
    let (authority, path) = rest.find(['/', '?', '#']).map_or((rest, ""), |at| rest.split_at(at));
    if authority.contains('@') {
        return wrong("the URL has a user name in it", "leave it out; see `account`");
    }
    if !path.is_empty() && path != "/" {
        return wrong("the URL has a path", "write only scheme, host and perhaps a port");
    }
    let (name, port) = match authority.rfind(':') {
        // The last colon of `[::1]` is inside the brackets.
        Some(at) if !authority.ends_with(']') => (&authority[..at], Some(&authority[at + 1..])),
        _ => (authority, None),
    };
    let port = match port {
        None => {
            if tls {
                443
            } else {
                80
            }
        }
        Some(digits) => match digits.parse::<u16>() {
            Ok(port) if port > 0 && digits.bytes().all(|b| b.is_ascii_digit()) => port,
            _ => return wrong("the URL has no valid port", "write a number from 1 to 65535 after the colon"),
        },
    };
    if name.contains(':') && !name.starts_with('[') {
        return wrong("the IPv6 address has no brackets", "write for example \"https://[::1]:443\"");
    }
    if name == "*" {
        return wrong("\"*\" is not a host name", REMEDY);
    }
    host(name).map(|host| Origin { tls, host, port }).or_else(|_| wrong("the URL has no valid host", REMEDY))
}

pub(super) fn prefix(s: &str) -> Result<String, Wrong> {
    let s = url_path(s)?;
    if s.contains('?') || s.contains('%') {
        return wrong(
            format!("{} is not a path prefix", quote(&s)),
            "write whole path segments without '?' and '%'",
        );
    }
    let trimmed = s.trim_end_matches('/');
    Ok(if trimmed.is_empty() { "/".to_owned() } else { trimmed.to_owned() })
}

pub(super) fn url_path(s: &str) -> Result<String, Wrong> {
    const REMEDY: &str = "write a path that starts with '/', for example \"/health\"";
    if !s.starts_with('/') {
        return wrong(format!("{} is not a path", quote(s)), REMEDY);
    }
    let path = s.split('?').next().unwrap_or(s);
    if path.split('/').any(|segment| segment == ".." || segment == ".") || path.contains("//") {
        return wrong(format!("{} has empty or dot segments", quote(s)), "write the path that is meant");
    }
    if s.contains('#') || s.parse::<http::uri::PathAndQuery>().is_err() {
        return wrong(format!("{} has characters that a path cannot have", quote(s)), REMEDY);
    }
    Ok(s.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        let shown = |s: &str| origin(s).map(|o| o.to_string()).map_err(|w| w.0);
        assert_eq!(shown("https://VMS-A.example"), Ok("https://vms-a.example".into()));
        assert_eq!(shown("http://[::1]:8080/"), Ok("http://[::1]:8080".into()));
        assert_eq!(shown("HTTP://10.0.0.1:80"), Ok("http://10.0.0.1".into()));
        for bad in [
            "",
            "vms",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://a?x",
            "https://a:0",
            "https://a:",
            "https://a:99999",
            "https://a:+1",
            "https://::1",
            "https://[::1",
            "https://*",
            "https://u:p@a",
            "https:// a",
            "https://a..b",
        ] {
            assert!(origin(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_repeated() {
        let (problem, remedy) = origin("https://user:hunter2@a/hunter2").unwrap_err();
        assert!(!format!("{problem}{remedy}").contains("hunter2"));
    }

    #[test]
    fn hosts_are_normalised() {
        assert_eq!(host("VMS.Example").unwrap(), "vms.example");
        assert_eq!(host("[::1]").unwrap(), "::1");
        assert_eq!(host("10.0.0.1").unwrap(), "10.0.0.1");
        for bad in
            ["", "a b", "a:1", "*.example", "https://a", "-a", "a-", "a..b", "ü.example", &"a".repeat(64)]
        {
            assert!(host(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn paths() {
        assert_eq!(prefix("/installation/").unwrap(), "/installation");
        assert_eq!(prefix("/").unwrap(), "/");
        for bad in ["", "x", "/a//b", "/a/../b", "/a?x", "/a%2fb", "/a#b", "/a b"] {
            assert!(prefix(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!(url_path("/health?deep=1").unwrap(), "/health?deep=1");
    }

    #[test]
    fn networks_may_be_single_addresses() {
        assert_eq!(network("192.0.2.1").unwrap().to_string(), "192.0.2.1/32");
        assert_eq!(network("192.0.2.1/24").unwrap().to_string(), "192.0.2.0/24");
        assert!(network("host").is_err());
    }
}
