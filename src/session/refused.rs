//! Users whom another instance has refused: asked again only with another secret, or a day later,
//! so that a twin never costs a user more than one bad password (design D8).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;

use super::generations::Generations;
use crate::clock::Moment;

type Digest = [u8; 32];

/// Remembers refusals. Users and secrets are kept only as HMAC under a key that lives as long as
/// the process.
pub struct Refused {
    key: hmac::Key,
    rows: Mutex<Generations<Digest, Row>>,
}

/// What an instance has refused of one user.
struct Row {
    /// The newest one.
    secret: Digest,
    until: Moment,
    /// How many secrets in a row, none of them older than a day when the next came.
    count: u32,
}

/// Whom one instance of one site is asked about.
#[derive(Clone, Copy)]
pub struct Question<'q> {
    /// Name of the site.
    pub site: &'q str,
    /// The instance, by its backend's key.
    pub backend: u64,
    /// User name or client id.
    pub user: &'q [u8],
    /// Password or client secret.
    pub secret: &'q [u8],
}

impl Refused {
    /// Remembers nothing yet.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        Ok(Self { key, rows: Mutex::new(Generations::new(GENERATION)) })
    }

    /// The instance has refused this secret of this user.
    pub fn remember(&self, question: Question<'_>, now: Moment) {
        let (user, secret) = self.digests(question);
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = rows.get(&user).filter(|row| row.until > now);
        let count = earlier.map_or(1, |row| row.count.saturating_add(1));
        rows.insert(user, Row { secret, until: now + MEMORY, count });
    }

    /// Whether the instance is known to refuse this secret of this user, or has refused so many that
    /// one more could lock the user out: the instance where the user logs in may say yes to
    /// anything, and must not be able to try out passwords here.
    pub fn knows(&self, question: Question<'_>, now: Moment) -> bool {
        let (user, secret) = self.digests(question);
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.get(&user)
            .is_some_and(|row| row.until > now && (row.secret == secret || row.count >= MOST_SECRETS))
    }

    fn digests(&self, q: Question<'_>) -> (Digest, Digest) {
        let backend = q.backend.to_be_bytes();
        let lower = q.user.to_ascii_lowercase();
        let user = self.digest(&[b"user", q.site.as_bytes(), &backend, &lower]);
        (user, self.digest(&[b"secret", &user, q.secret]))
    }

    fn digest(&self, parts: &[&[u8]]) -> Digest {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.sign().as_ref());
        digest
    }
}

/// In a day. The VMS locks a user out after five in a row (fact sheet 2.3).
const MOST_SECRETS: u32 = 3;
const MEMORY: Duration = Duration::from_secs(24 * 3600);
/// Some 100 bytes each.
const GENERATION: usize = 50_000;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_secret_is_tried_once_a_day() {
        let (refused, now) = (Refused::new().unwrap(), Moment::default());
        let ask = |site, backend, user, secret| Question { site, backend, user, secret };
        refused.remember(ask("hq", 1, b"Joe", b"one"), now);
        assert!(refused.knows(ask("hq", 1, b"joe", b"one"), now), "user names know no case");
        assert!(!refused.knows(ask("hq", 1, b"joe", b"two"), now));
        assert!(!refused.knows(ask("hq", 2, b"joe", b"one"), now));
        assert!(!refused.knows(ask("lab", 1, b"joe", b"one"), now));
        assert!(!refused.knows(ask("hq", 1, b"joe", b"one"), now + MEMORY));
        refused.remember(ask("hq", 1, b"joe", b"two"), now);
        assert!(refused.knows(ask("hq", 1, b"joe", b"two"), now));
    }

    #[test]
    fn passwords_cannot_be_tried_out() {
        let (refused, now) = (Refused::new().unwrap(), Moment::default());
        let ask = |secret| Question { site: "hq", backend: 1, user: b"joe", secret };
        for secret in [b"1", b"2", b"3"] {
            assert!(!refused.knows(ask(secret), now));
            refused.remember(ask(secret), now);
        }
        assert!(refused.knows(ask(b"4"), now));
        assert!(!refused.knows(ask(b"4"), now + MEMORY), "a day later");
    }
}
