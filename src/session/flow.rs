//! A login through a browser (fact sheet 2.4): an application sends the browser to `authorize`, a
//! person signs in on pages of the identity provider, and the browser takes a code back. All of it
//! is state of one instance; what can be begun anew elsewhere is the application's request, which
//! the pages carry along as their return address.

use super::form::{decode, pairs};
use crate::route::normalise::segments;

/// Whether a request to this path begins a login.
pub fn begins(path: &str) -> bool {
    ends(path, &["connect", "authorize"])
}

/// Whether a path belongs to a person's way through the pages: all but what programs ask for.
pub fn is_page(path: &str) -> bool {
    ends(path, CALLBACK)
        || !segments(path).any(|s| s.eq_ignore_ascii_case("connect") || s.eq_ignore_ascii_case(".well-known"))
}

/// The application's request that a page belongs to, from its own query.
pub fn request_of_page<'q>(path: &str, query: &'q str) -> Option<std::borrow::Cow<'q, str>> {
    if ends(path, CALLBACK) {
        return is_sendable(query).then_some(query.into());
    }
    request_of_form(query.as_bytes()).map(Into::into)
}

/// The same from what a page's form sends, which is written like a query.
pub fn request_of_form(form: &[u8]) -> Option<String> {
    let is_return = |name: &[u8]| decode(name).eq_ignore_ascii_case(b"ReturnUrl");
    let (_, address) = pairs(form).find(|(name, _)| is_return(name))?;
    let address = String::from_utf8(decode(address)).ok()?;
    let (path, query) = address.split_once('?')?;
    ((begins(path) || ends(path, CALLBACK)) && is_sendable(query)).then(|| query.to_owned())
}

/// Whether a query brings the answer of somebody who was asked who the user is.
pub fn is_answer(query: &str) -> bool {
    pairs(query.as_bytes()).any(|(name, _)| name == b"state")
}

/// What may stand in a `Location`.
fn is_sendable(query: &str) -> bool {
    !query.is_empty() && query.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

fn ends(path: &str, end: &[&str]) -> bool {
    let path: Vec<_> = segments(path.split_once("://").map_or(path, |(_, rest)| rest)).collect();
    path.len() >= end.len()
        && path.iter().rev().zip(end.iter().rev()).all(|(part, known)| part.eq_ignore_ascii_case(known))
}

const CALLBACK: &[&str] = &["connect", "authorize", "callback"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_way_of_a_person() {
        assert!(begins("/idp/connect/authorize") && begins("/API/IDP/Connect/Authorize/"));
        assert!(!begins("/IDP/connect/authorize/callback"));
        for page in
            ["/IDP/Account/Login", "/IDP/connect/authorize/callback", "/IDP/signin-oidc", "/IDP/consent"]
        {
            assert!(is_page(page), "{page}");
        }
        for other in ["/IDP/connect/token", "/IDP/connect/authorize", "/IDP/.well-known/openid-configuration"]
        {
            assert!(!is_page(other), "{other}");
        }
        assert!(is_answer("code=1&state=2") && !is_answer("x=1"));
    }

    #[test]
    fn the_request_is_found_again() {
        let login =
            "x=1&returnurl=%2FIDP%2Fconnect%2Fauthorize%2Fcallback%3Fclient_id%3DVmsClient%26state%3Ds%25261";
        let found = Some("client_id=VmsClient&state=s%261".to_owned());
        assert_eq!(request_of_page("/IDP/Account/Login", login).map(|q| q.into_owned()), found);
        assert_eq!(request_of_form(login.as_bytes()), found);
        let callback = request_of_page("/IDP/connect/authorize/callback", "client_id=VmsClient");
        assert_eq!(callback.as_deref(), Some("client_id=VmsClient"));
        for bad in [
            "ReturnUrl=%2Felsewhere%3Fa",
            "ReturnUrl=%2Fconnect%2Fauthorize",
            "a=b",
            "",
            "ReturnUrl=%2Fconnect%2Fauthorize%3Fa%0D%0Ab",
            "ReturnUrl=%2Fconnect%2Fauthorize%3Fa%23b",
        ] {
            assert_eq!(request_of_form(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_form(form in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(query) = request_of_form(&form) {
                prop_assert!(http::HeaderValue::try_from(query).is_ok());
            }
        }
    }
}
