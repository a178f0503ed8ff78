//! Where a bearer token is at home: by the id of the key that signed it, else by its issuer. Read
//! without trust: it only decides which instance gets to judge the token (fact sheet 2.5, 2.6).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;

use super::ntlm::{self, Message};
use crate::balance::Picture;
use crate::config::types::{InstanceId, SiteId};

/// What `Authorization` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'r> {
    /// No header.
    None,
    /// A bearer token.
    Bearer(&'r str),
    /// NTLM or Negotiate: the user is bound to the connection (fact sheet 2.9).
    Connection(Message),
    /// Basic or something else that every instance can judge by itself.
    Other,
}

/// Reads the `Authorization` header.
pub fn credential(headers: &HeaderMap) -> Credential<'_> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Credential::None };
    if let Some(message) = ntlm::message(value.as_bytes()) {
        return Credential::Connection(message);
    }
    let Some((scheme, rest)) = value.as_bytes().split_at_checked(BEARER.len()) else {
        return Credential::Other;
    };
    // Whatever follows: a server may be generous, and a token must not go where it does not belong.
    if !scheme.eq_ignore_ascii_case(BEARER) {
        return Credential::Other;
    }
    Credential::Bearer(std::str::from_utf8(rest).unwrap_or_default().trim())
}

const BEARER: &[u8] = b"bearer";

/// Where a token belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// To this instance.
    Instance(InstanceId),
    /// An instance whose keys we have never seen may have issued it.
    Unknown,
    /// No instance of the site issued it.
    Foreign,
}

/// The home of `token` among the candidates of `site`.
pub fn home(picture: &Picture, site: SiteId, token: &str) -> Home {
    let mut parts = token.split('.');
    let (header, claims) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut candidates = picture.config.site(site).candidates();
    let all_known = candidates.all(|c| picture.documents(c).is_some());
    let issuer = || decode::<Claims>(claims).and_then(|c| c.iss);
    if let Some(kid) = decode::<Header>(header).and_then(|h| h.kid)
        && let Some(found) = picture.home_of_kid(site, &kid)
    {
        // While the owner of a key has never been read, anybody could claim the key's id and be
        // shown the owner's tokens; the issuer has to agree then.
        let claimed = |issuer: String| picture.documents(found).is_some_and(|d| d.issuer == issuer);
        if all_known || issuer().is_none_or(claimed) {
            return Home::Instance(found);
        }
    }
    if let Some(issuer) = issuer()
        && let Some(found) = picture.home_of_issuer(site, &issuer)
    {
        return Home::Instance(found);
    }
    let mut candidates = picture.config.site(site).candidates();
    if candidates.any(|c| picture.documents(c).is_none_or(|d| d.kids.is_empty())) {
        Home::Unknown
    } else {
        Home::Foreign
    }
}

#[derive(Deserialize)]
struct Header {
    kid: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn schemes() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            format!("{:?}", credential(&headers))
        };
        assert_eq!(read("Bearer a.b.c"), "Bearer(\"a.b.c\")");
        assert_eq!(read("bearer a"), "Bearer(\"a\")");
        assert_eq!(read("NTLM TlRMTVNTUAADAAAA"), "Connection(Continues)");
        assert_eq!(read("Negotiate x"), "Connection(Opaque)");
        assert_eq!(read("Bearer\ta.b.c"), "Bearer(\"a.b.c\")");
        assert_eq!(read("BEARER"), "Bearer(\"\")");
        assert_eq!(read("Bearer \u{e9}"), "Bearer(\"\u{e9}\")");
        assert_eq!(read("Basic dTpw"), "Other");
        assert_eq!(read("Bear"), "Other");
        assert_eq!(credential(&HeaderMap::new()), Credential::None);
    }

    #[test]
    fn garbage_decodes_to_nothing() {
        for part in ["", "e30", "!!", "bnVsbA", "eyJraWQiOjF9"] {
            assert!(decode::<Header>(part).and_then(|h| h.kid).is_none(), "{part}");
        }
        let kid = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"A1"}"#);
        assert_eq!(decode::<Header>(&kid).and_then(|h| h.kid).as_deref(), Some("A1"));
    }
}
