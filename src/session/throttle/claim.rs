//! Whose password a request tries. Passwords are never looked at, names are kept only until they
//! are hashed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use zeroize::Zeroizing;

use crate::session::form::{decode, pairs};
use crate::session::grant::{self, Grant};
use crate::session::ntlm;

/// A request that an instance will judge as somebody's login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim(Option<String>);

/// The form says twice who logs in. Which of them counts would be the instance's choice, so a client
/// could try one user's passwords on another's account (RFC 6749 3.2: no parameter more than once).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl Claim {
    /// The user, in one spelling; `None` if the login names nobody.
    pub fn user(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The login in the form of a token request, if it is one that can be guessed: codes and
    /// refresh tokens are too long for that, Windows users are named in the header.
    ///
    /// # Errors
    /// See [`Ambiguous`].
    pub fn of_form(form: &[u8], headers: &HeaderMap) -> Result<Option<Self>, Ambiguous> {
        let mut found = [const { None }; NAMES.len()];
        for (name, value) in pairs(form) {
            // As ASP.NET reads them, which does not mind the case.
            let name = decode(name).trim_ascii().to_ascii_lowercase();
            if let Some(at) = NAMES.iter().position(|known| known.as_bytes() == name)
                && found[at].replace(value).is_some()
            {
                return Err(Ambiguous);
            }
        }
        if matches!(grant::read(form), Grant::Bound(_) | Grant::Windows) {
            return Ok(None);
        }
        let [kind, user, client] = found.map(|value| value.map(decode));
        // A service has its client for a name.
        let service = || kind.filter(|kind| kind.trim_ascii() == b"client_credentials");
        let name = user.or_else(|| service().and_then(|_| client.or_else(|| basic(headers))));
        Ok(Some(Self::named(name.as_deref().map(String::from_utf8_lossy).as_deref())))
    }

    /// The login in an `Authorization` header: HTTP Basic, or the message of NTLM that holds the
    /// proof.
    pub fn of_header(headers: &HeaderMap) -> Option<Self> {
        let name = basic(headers);
        let name = name.as_deref().map(String::from_utf8_lossy);
        if name.is_some() { Some(Self::named(name.as_deref())) } else { Self::of_ntlm(headers) }
    }

    /// The login in a message of NTLM.
    pub fn of_ntlm(headers: &HeaderMap) -> Option<Self> {
        let name = ntlm::user(headers.get(AUTHORIZATION)?.as_bytes())?;
        Some(Self::named(Some(&name)))
    }

    /// Case does not matter to the VMS, and basic users may write `[BASIC]\` before their name
    /// (fact sheet 2.8).
    fn named(name: Option<&str>) -> Self {
        Self(name.map(|name| {
            let name = name.trim().to_lowercase();
            name.strip_prefix(BASIC_USERS).map(str::to_owned).unwrap_or(name)
        }))
    }
}

/// The name in HTTP Basic (RFC 7617), if it is that.
fn basic(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, rest) = value.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    // What cannot be decoded is nobody's password, but still a try.
    let decoded = Zeroizing::new(STANDARD.decode(rest.trim_ascii()).unwrap_or_default());
    Some(decoded.split(|b| *b == b':').next().unwrap_or_default().to_vec())
}

const NAMES: [&str; 3] = ["grant_type", "username", "client_id"];
const BASIC_USERS: &str = "[basic]\\";
