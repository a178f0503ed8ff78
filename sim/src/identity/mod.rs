//! The Identity Provider (sheet 2): the token endpoint, tokens, and the logins that are alive.

mod authorize;
mod browsers;
mod caller;
mod clients;
mod codes;
mod form;
mod grant;
mod keys;
mod leave;
mod logins;
mod ntlm;
mod routes;
mod token;
mod userinfo;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use ::http::{Request, header};
use bytes::Bytes;

pub use caller::{AuthError, Caller, Role};
pub use keys::{KeyError, Keys};
pub use ntlm::{Http11Required, Session as WindowsSession};
pub use routes::{Door, answer};

use crate::{
    settings::Settings,
    stamp::Stamp,
    world::{DNS_DOMAIN, World},
};
use browsers::Browsers;
use codes::Codes;
use logins::Logins;

/// Keys, issuer and live logins of one instance.
pub struct Identity {
    /// The issuer: configured, never derived from a request (sheet 2.6).
    pub issuer: String,
    /// The signing key.
    pub keys: Keys,
    logins: Mutex<Logins>,
    codes: Mutex<Codes>,
    browsers: Mutex<Browsers>,
}

/// What an endpoint works with.
pub struct Desk<'a> {
    /// Keys, issuer and logins.
    pub identity: &'a Identity,
    /// What the instance was started with.
    pub settings: &'a Settings,
    /// Users.
    pub world: &'a RwLock<World>,
    /// This instance's time.
    pub now: Stamp,
}

impl Identity {
    /// Keys and issuer follow from name and seed.
    pub fn new(settings: &Settings) -> Result<Self, KeyError> {
        Ok(Self {
            issuer: issuer(&settings.name),
            keys: Keys::new(&settings.name, settings.seed)?,
            logins: Mutex::default(),
            codes: Mutex::default(),
            browsers: Mutex::default(),
        })
    }

    /// Logins that are alive.
    pub fn live(&self, now: Stamp) -> usize {
        self.logins().live(now)
    }

    /// Name of the computer that the Identity Provider runs on.
    pub fn host(&self) -> &str {
        let host = self.issuer.strip_prefix("https://").and_then(|rest| rest.strip_suffix("/IDP"));
        host.unwrap_or_default()
    }

    fn logins(&self) -> MutexGuard<'_, Logins> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn codes(&self) -> MutexGuard<'_, Codes> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn browsers(&self) -> MutexGuard<'_, Browsers> {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token of a Bearer header. HTTP Basic and anything else counts as none (sheet 2.7).
///
/// # Errors
/// When there is none.
pub fn bearer(request: &Request<Bytes>) -> Result<&str, AuthError> {
    let value = request.headers().get(header::AUTHORIZATION).ok_or(AuthError::Missing)?;
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(AuthError::Invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(AuthError::Missing) }
}

/// `https://<name>.vms.example/IDP`. A name that is no host label is made one, with a mark that keeps it unique.
fn issuer(name: &str) -> String {
    let lower = name.to_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let label: String = lower.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    let label = if label == lower && !label.is_empty() {
        label
    } else {
        let mark = crate::world::ids::shared("issuer", &lower);
        format!("{label}-{}", mark.split('-').next().unwrap_or_default())
    };
    format!("https://{label}.{DNS_DOMAIN}/IDP")
}

#[cfg(test)]
mod tests {
    use super::issuer;

    #[test]
    fn issuers_are_host_names_and_differ() {
        assert_eq!(issuer("A"), "https://a.vms.example/IDP");
        assert_ne!(issuer("a b"), issuer("a-b"));
        assert_ne!(issuer("a/b"), issuer("a b"));
    }
}
