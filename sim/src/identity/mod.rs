//! The Identity Provider (sheet 2): the token endpoint, tokens, and the logins that are alive.

mod caller;
mod form;
mod grant;
mod keys;
mod logins;
mod token;

use std::sync::Mutex;

pub use caller::{AuthError, Caller, Role};
pub use grant::{admit_basic_user, token_endpoint};
pub use keys::{KeyError, Keys};

use crate::{settings::Settings, stamp::Stamp};
use logins::Logins;

/// Keys, issuer and live logins of one instance.
pub struct Identity {
    /// The issuer: configured, never derived from a request (sheet 2.6).
    pub issuer: String,
    /// The signing key.
    pub keys: Keys,
    logins: Mutex<Logins>,
}

impl Identity {
    /// Keys and issuer follow from name and seed.
    pub fn new(settings: &Settings) -> Result<Self, KeyError> {
        Ok(Self {
            issuer: issuer(&settings.name),
            keys: Keys::new(&settings.name, settings.seed)?,
            logins: Mutex::default(),
        })
    }

    /// Logins that are alive.
    pub fn live(&self, now: Stamp) -> usize {
        self.logins().live(now)
    }

    fn logins(&self) -> std::sync::MutexGuard<'_, Logins> {
        self.logins.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
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
    format!("https://{label}.vms.example/IDP")
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
