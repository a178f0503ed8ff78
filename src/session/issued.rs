//! What an instance has issued and only it understands: codes, refresh tokens, cookies (design D10).
//! Only hashes are kept, in memory; bounded; the oldest are forgotten first.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::generations::Generations;
use crate::clock::Moment;

/// SHA-256 of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash of `secret`.
    pub fn of(secret: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, secret).as_ref());
        Self(hash)
    }

    /// For a message authentication code, or another hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Picks a shard. Evenly spread: the secret's digest is.
    pub(super) fn first_byte(self) -> usize {
        usize::from(self.0[0])
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(..)")
    }
}

/// Which backend issued what, by [`crate::upstream::backend::Backend::key`]. Shared by all cores.
///
/// Each backend has room of its own: one that issues without end makes its own forgotten, not
/// another's. And what one has issued cannot be claimed by another afterwards.
#[derive(Debug, Default)]
pub struct Issued {
    issuers: Mutex<Vec<Issuer>>,
}

#[derive(Debug)]
struct Issuer {
    backend: u64,
    spans: Generations<Hash, Span>,
}

/// When it was issued, and when it ends.
#[derive(Clone, Copy, Debug)]
struct Span(Moment, Moment);

impl Issued {
    /// Remembers that the backend with this key issued it.
    pub fn remember(&self, hash: Hash, backend: u64, life: Duration, now: Moment) {
        let mut issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        let at = issuers.iter().position(|i| i.backend == backend).unwrap_or_else(|| {
            if issuers.len() >= MOST_ISSUERS {
                // Long removed by a reload, most likely.
                issuers.remove(0);
            }
            issuers.push(Issuer { backend, spans: Generations::new(GENERATION) });
            issuers.len() - 1
        });
        let issuer = &mut issuers[at];
        let begun = issuer.find(hash, now).map_or(now, |Span(begun, _)| begun);
        issuer.spans.insert(hash, Span(begun, now + life));
    }

    /// The key of the backend that issued it first.
    pub fn find(&self, hash: Hash, now: Moment) -> Option<u64> {
        let issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = issuers.iter().filter_map(|i| Some((i.find(hash, now)?, i.backend)));
        claims.min_by_key(|(Span(begun, _), _)| *begun).map(|(_, backend)| backend)
    }

    /// The key of the backend that issued it last, of what every backend may issue again.
    pub fn find_latest(&self, hash: Hash, now: Moment) -> Option<u64> {
        let issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        let claims = issuers.iter().filter_map(|i| Some((i.find(hash, now)?, i.backend)));
        claims.max_by_key(|(Span(_, end), _)| *end).map(|(_, backend)| backend)
    }

    /// Whether this backend has issued it, whoever else has.
    pub fn is_of(&self, hash: Hash, backend: u64, now: Moment) -> bool {
        let issuers = self.issuers.lock().unwrap_or_else(PoisonError::into_inner);
        issuers.iter().any(|i| i.backend == backend && i.find(hash, now).is_some())
    }
}

impl Issuer {
    fn find(&self, hash: Hash, now: Moment) -> Option<Span> {
        self.spans.get(&hash).filter(|Span(_, end)| *end > now).copied()
    }
}

/// Some 64 bytes each.
const GENERATION: usize = 100_000;
/// Far more than there are instances.
const MOST_ISSUERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: usize) -> Hash {
        Hash::of(&n.to_le_bytes())
    }

    #[test]
    fn the_oldest_are_forgotten_first_and_only_the_issuer_s_own() {
        let (issued, now) = (Issued::default(), Moment::from_micros(0));
        issued.remember(hash(usize::MAX), 2, Duration::from_secs(1), now);
        for n in 0..=2 * GENERATION {
            issued.remember(hash(n), 1, Duration::from_secs(1), now);
        }
        assert_eq!(issued.find(hash(0), now), None);
        assert_eq!(issued.find(hash(2 * GENERATION), now), Some(1));
        assert_eq!(issued.find(hash(GENERATION), now), Some(1));
        assert_eq!(issued.find(hash(usize::MAX), now), Some(2));
    }

    #[test]
    fn what_one_has_issued_no_other_can_claim() {
        let issued = Issued::default();
        let at = Moment::from_micros;
        issued.remember(hash(1), 1, Duration::from_secs(1), at(0));
        issued.remember(hash(1), 2, Duration::from_secs(9), at(5));
        issued.remember(hash(1), 1, Duration::from_secs(2), at(10));
        assert_eq!(issued.find(hash(1), at(10)), Some(1));
        assert!(issued.is_of(hash(1), 2, at(10)) && !issued.is_of(hash(1), 3, at(10)));
        assert_eq!(issued.find(hash(1), at(3_000_000)), Some(2), "its life is over");
    }

    #[test]
    fn issuers_are_few() {
        let issued = Issued::default();
        for backend in 0..=MOST_ISSUERS {
            issued.remember(hash(backend), backend as u64, Duration::from_secs(1), Moment::from_micros(0));
        }
        assert_eq!(issued.find(hash(0), Moment::from_micros(0)), None);
        assert_eq!(issued.find(hash(1), Moment::from_micros(0)), Some(1));
    }
}
