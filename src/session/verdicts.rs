//! Remembers which tokens were found good: checking a signature costs more than all the rest of a
//! request's way. One table a core, so that nobody waits for a lock.

use std::cell::RefCell;
use std::sync::Arc;

use super::generations::Generations;
use super::issued::Hash;
use super::validate::{Accepted, Claims, Refusal, validate};
use crate::balance::Picture;
use crate::config::types::{InstanceId, SiteId};
use crate::vms::documents::Keys;
use crate::vms::jwks::KeySet;

/// Tokens that have passed, by fingerprint. Holds no token.
pub struct Verdicts(RefCell<Generations<Hash, Verdict>>);

impl Default for Verdicts {
    fn default() -> Self {
        Self(RefCell::new(Generations::new(GENERATION)))
    }
}

struct Verdict {
    claims: Arc<Claims>,
    /// What proved it. It holds for the instance that has this very set: one whose keys or issuer
    /// have changed has another.
    keys: Arc<KeySet>,
}

impl Verdicts {
    /// Judges `token`, whose fingerprint is `hash`, for `site` at `now` (seconds of UNIX time).
    ///
    /// # Errors
    /// Why it is refused. Refusals are not remembered: the keys may come.
    pub fn check(
        &self,
        picture: &Picture,
        site: SiteId,
        token: &str,
        hash: Hash,
        now: i64,
    ) -> Result<Accepted, Refusal> {
        if let Some(accepted) = self.known(picture, site, hash, now) {
            return Ok(accepted);
        }
        let (accepted, keys) = validate(picture, site, token, now)?;
        if let (Some(claims), Some(keys)) = (accepted.claims.clone(), keys) {
            self.0.borrow_mut().insert(hash, Verdict { claims, keys });
        }
        Ok(accepted)
    }

    fn known(&self, picture: &Picture, site: SiteId, hash: Hash, now: i64) -> Option<Accepted> {
        let verdicts = self.0.borrow();
        let verdict = verdicts.get(&hash)?;
        let home = verdict.home(picture, site)?;
        let claims = Some(Arc::clone(&verdict.claims));
        (!verdict.claims.is_over(now)).then_some(Accepted { home, claims })
    }
}

impl Verdict {
    /// The only candidate that the verdict holds for; `None` if that has changed since, and the
    /// token must be judged anew.
    fn home(&self, picture: &Picture, site: SiteId) -> Option<InstanceId> {
        let mut found = None;
        for id in picture.config.site(site).candidates() {
            let Some(documents) = picture.documents(id) else { continue };
            match &documents.keys {
                Keys::Set(keys) if Arc::ptr_eq(keys, &self.keys) => found = Some((id, documents)),
                _ => {}
            }
        }
        let (home, own) = found.filter(|(id, _)| !picture.quarantined(*id))?;
        let rival = |id: InstanceId| {
            let claims = picture.documents(id).filter(|d| id != home && d.issuer == own.issuer);
            claims.and_then(|d| d.keys.set()).is_some_and(|keys| keys.find(&self.claims.kid).is_some())
        };
        (!picture.config.site(site).candidates().any(rival)).then_some(home)
    }
}

/// Some 500 bytes each.
const GENERATION: usize = 32 * 1024;

#[cfg(test)]
mod tests;
