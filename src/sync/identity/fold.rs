//! What people take for the same text.

use std::net::{IpAddr, Ipv6Addr};

use unicode_normalization::UnicodeNormalization;

/// The same for names that people take for the same: case, composition of letters, blanks around.
pub(super) fn fold(text: &str) -> String {
    text.trim().nfc().collect::<String>().to_lowercase().nfc().collect()
}

/// Scheme and host in lower case, without the scheme's own port, credentials and the slash at the
/// end; addresses of version 6 in their shortest form.
pub(super) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let scheme = scheme.to_ascii_lowercase();
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_ascii_lowercase();
    let (host, port) = host_and_port(&authority);
    let host = trim_end(host, '.');
    if host.is_empty() {
        return None;
    }
    let own = match scheme.as_str() {
        "http" => "80",
        "https" => "443",
        "rtsp" => "554",
        _ => "",
    };
    let host = match host.parse() {
        // Without brackets, a port would look like its last group.
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        Ok(IpAddr::V4(ip)) => ip.to_string(),
        Err(_) => host.to_owned(),
    };
    let port = port.trim();
    let port = if port.is_empty() || port == own { String::new() } else { format!(":{port}") };
    Some(format!("{scheme}://{host}{port}{}", trim_end(path, '/')))
}

/// Without what means nothing at the end, and the blanks in it.
fn trim_end(text: &str, mark: char) -> &str {
    text.trim_end_matches(|c: char| c == mark || c.is_whitespace())
}

/// Without brackets. Some write an address of version 6 without them when there is no port.
fn host_and_port(authority: &str) -> (&str, &str) {
    if authority.parse::<Ipv6Addr>().is_ok() {
        return (authority, "");
    }
    if let Some((host, port)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, port.strip_prefix(':').unwrap_or(port));
    }
    authority.split_once(':').unwrap_or((authority, ""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_device_has_one_address() {
        for (one, other) in [
            ("http://10.20.0.1/", "HTTP://10.20.0.1:80"),
            ("https://Cam.Example./", "https://cam.example:443"),
            ("http://[2001:DB8::0:1]/", "http://[2001:db8::1]:80/"),
            ("http://root:pass@10.0.0.1/", "http://10.0.0.1"),
            (" rtsp://10.0.0.1:554/axis-media/ ", "rtsp://10.0.0.1/axis-media"),
            ("2001:db8::1", "[2001:db8:0::1]"),
        ] {
            assert_eq!(address(one), address(other), "{one} {other}");
            assert!(address(one).is_some(), "{one}");
        }
    }

    #[test]
    fn different_devices_stay_different() {
        let all = [
            "http://10.20.0.1/",
            "https://10.20.0.1/",
            "http://10.20.0.1:8080/",
            "http://10.20.0.11/",
            "http://10.20.0.1/Cam",
            "http://10.20.0.1/cam",
            "http://10.20.0.1/?channel=2",
            "http://[::1]:8080/",
            "http://::1:8080/",
        ];
        let mut keys: Vec<_> = all.iter().map(|a| address(a).unwrap()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all.len());
        for none in ["", "  ", "http://", "http:///x", "http://user@/", "..?", "http://../"] {
            assert_eq!(address(none), None, "{none:?}");
        }
    }

    #[test]
    fn names_are_folded() {
        assert_eq!(fold(" Tür Süd "), fold("TU\u{308}R SU\u{308}D"));
        assert_ne!(fold("Gate 1"), fold("Gate 2"));
    }

    proptest! {
        #[test]
        fn no_address_panics_and_twice_is_once(text: String) {
            if let Some(once) = address(&text) {
                prop_assert_eq!(address(&once), Some(once));
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text: String) {
            prop_assert_eq!(fold(&fold(&text)), fold(&text));
        }
    }
}
