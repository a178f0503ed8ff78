//! What an instance has issued and only it understands: codes, refresh tokens, cookies (design D10).
//! Only hashes are kept, in memory; bounded; the oldest are forgotten first.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

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
#[derive(Debug, Default)]
pub struct Issued {
    // Two generations: when the young one is full it becomes the old one, and what was old is
    // forgotten. No insert ever scans the table.
    generations: Mutex<[HashMap<Hash, (u64, Moment)>; 2]>,
}

impl Issued {
    /// Remembers that the backend with this key issued it.
    pub fn remember(&self, hash: Hash, backend: u64, life: Duration, now: Moment) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let [young, old] = &mut *generations;
        if young.len() >= GENERATION {
            *old = std::mem::take(young);
        }
        young.insert(hash, (backend, now + life));
    }

    /// The key of the backend that issued it.
    pub fn find(&self, hash: Hash, now: Moment) -> Option<u64> {
        let generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let found = generations.iter().find_map(|generation| generation.get(&hash))?;
        (found.1 > now).then_some(found.0)
    }
}

/// Some 64 bytes each.
const GENERATION: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_first() {
        let (issued, now) = (Issued::default(), Moment::from_micros(0));
        let hash = |n: usize| Hash::of(&n.to_le_bytes());
        for n in 0..=2 * GENERATION {
            issued.remember(hash(n), 1, Duration::from_secs(1), now);
        }
        assert_eq!(issued.find(hash(0), now), None);
        assert_eq!(issued.find(hash(2 * GENERATION), now), Some(1));
        assert_eq!(issued.find(hash(GENERATION), now), Some(1));
    }
}
