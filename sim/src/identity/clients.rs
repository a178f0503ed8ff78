//! The applications that users log in to. All of them are public: none has a secret, so each has to prove with PKCE
//! that it redeems its own codes.

use ::http::Uri;

use crate::switches::{REDIRECT_URIS, REFRESH_CLIENTS, Switches};

/// Client with refresh tokens.
pub const VMS: &str = "VmsClient";
/// The clients of the authorization code flow (sheet 2.1).
const CLIENTS: [&str; 3] = [VMS, "VmsAdminClient", "VmsWebClient"];

/// The client of that id, if there is one.
pub fn find(id: &str) -> Option<&'static str> {
    CLIENTS.into_iter().find(|client| *client == id)
}

/// Whether a client gets refresh tokens.
pub fn refreshes(switches: &Switches, client: &str) -> bool {
    client == VMS || switches.get(&REFRESH_CLIENTS) == "all" && find(client).is_some()
}

/// Whether a browser may be sent to that address with a code. Without a switch only to the user's own computer, to any
/// port, since native applications take a free one (RFC 8252); and to this instance.
pub fn may_redirect(switches: &Switches, public_url: &str, address: &str) -> bool {
    // A fragment would swallow what is added; a back-slash or a user name mislead about the host.
    if !address.bytes().all(|byte| byte.is_ascii_graphic()) || address.contains(['#', '\\']) {
        return false;
    }
    let Ok(uri) = address.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    match scheme {
        "http" | "https" if matches!(authority.host(), "127.0.0.1" | "[::1]" | "localhost") => true,
        "https" if switches.get(&REDIRECT_URIS) == "https" => true,
        _ => format!("{scheme}://{authority}").eq_ignore_ascii_case(public_url),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn browsers_are_sent_home_only() {
        let strict = Switches::default();
        let may = |address| may_redirect(&strict, "https://vms-a.example", address);
        for good in [
            "http://127.0.0.1:5656/",
            "http://127.0.0.1/callback?x=1",
            "http://[::1]:1/",
            "https://localhost:8443/cb",
            "https://vms-a.example/web/signin",
        ] {
            assert!(may(good), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "http://192.0.2.1/",
            "https://elsewhere.example/",
            "http://vms-a.example/",
            "https://vms-a.example.evil.example/",
            "https://vms-a.example@evil.example/",
            "http://127.0.0.1:1@evil.example/",
            "http://127.0.0.1:1/#x",
            "http://127.0.0.1:1/\r\nx: y",
            "http://127.0.0.1.evil.example/",
            "javascript:alert(1)",
            "custom://127.0.0.1/",
        ] {
            assert!(!may(bad), "{bad}");
        }
        let mut loose = Switches::default();
        loose.set("redirect-uris=https").unwrap();
        assert!(may_redirect(&loose, "https://vms-a.example", "https://elsewhere.example/"));
        assert!(!may_redirect(&loose, "https://vms-a.example", "http://elsewhere.example/"));
    }

    #[test]
    fn refresh_tokens_are_for_one_client_unless_switched() {
        let mut switches = Switches::default();
        let who = |switches: &Switches| CLIENTS.map(|client| refreshes(switches, client));
        assert_eq!(who(&switches), [true, false, false]);
        switches.set("refresh-clients=all").unwrap();
        assert_eq!(who(&switches), [true, true, true]);
        assert!(!refreshes(&switches, "GrantValidatorClient"));
    }
}
