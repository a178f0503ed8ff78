//! The agreed bases of two instances: their digests in memory, their bodies in the store.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use super::catalogue::Kind;
use super::pair::Pair;
use super::plan::{Bases, Digest};
use super::snapshot::Body;
use crate::state::{BaseReader, PairChange, PairState, StoreError, StoredBase};

/// All bases of a pair of instances.
pub struct KeptBases {
    digests: RwLock<HashMap<Pair, Digest>>,
    reader: Mutex<BaseReader>,
    /// The first base that could not be read: what was worked out without it counts for nothing.
    failed: Mutex<Option<StoreError>>,
}

impl KeptBases {
    /// What the store has. Of types that this version does not know nothing is kept.
    pub fn new(state: &PairState, reader: BaseReader) -> Self {
        let known = state.bases.iter().filter_map(|(kind, [a, b], digest)| {
            let kind = Kind::from_name(kind)?;
            Some((Pair { kind, a: *a, b: *b }, Digest(*digest)))
        });
        Self { digests: RwLock::new(known.collect()), reader: Mutex::new(reader), failed: Mutex::default() }
    }

    /// Every pair that has a base.
    pub fn pairs(&self) -> Vec<Pair> {
        self.digests.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }

    /// Why bodies could not be read since the last call.
    pub fn take_failure(&self) -> Option<StoreError> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes over new bases and says what has to be written to the store.
    pub fn adopt(&self, new: Vec<(Pair, Option<Body>)>) -> PairChange {
        let mut change = PairChange::default();
        let mut digests = self.digests.write().unwrap_or_else(PoisonError::into_inner);
        for (pair, body) in new {
            let (kind, ids) = (pair.kind.as_str().to_owned(), [pair.a, pair.b]);
            match body {
                Some(body) => {
                    let digest = body.digest();
                    digests.insert(pair, digest);
                    let body = body.bytes().to_vec();
                    change.put.push(StoredBase { kind, ids, digest: digest.0, body });
                }
                None => {
                    digests.remove(&pair);
                    change.drop.push((kind, ids));
                }
            }
        }
        change
    }
}

impl Bases for KeptBases {
    fn digest(&self, pair: &Pair) -> Option<Digest> {
        self.digests.read().unwrap_or_else(PoisonError::into_inner).get(pair).copied()
    }

    fn body(&self, pair: &Pair) -> Option<Body> {
        self.digest(pair)?;
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        match reader.body(pair.kind.as_str(), [pair.a, pair.b]) {
            Ok(body) => body.map(Body::new),
            Err(error) => {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::idmap::guid::Guid;
    use crate::state::Store;

    #[tokio::test]
    async fn what_is_adopted_is_there_again_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["a".to_owned(), "b".to_owned()];
        let kind = Kind::from_name("cameras").unwrap();
        let pair = |n: u8| Pair { kind, a: Guid::new([n; 16]), b: Guid::new([n + 100; 16]) };
        let body = |text: &str| Some(Body::new(text.as_bytes().to_vec()));
        let store = Store::open(dir.path()).unwrap();
        let open = async |store: &Store| {
            KeptBases::new(&store.pair_state(&names).await.unwrap(), store.base_reader(&names).unwrap())
        };
        let bases = open(&store).await;
        assert_eq!(bases.body(&pair(1)), None);
        let change = bases.adopt(vec![(pair(1), body("{}")), (pair(2), body("{\"name\":\"x\"}"))]);
        store.change_pair(&names, change).await.unwrap();
        let change = bases.adopt(vec![(pair(1), None)]);
        store.change_pair(&names, change).await.unwrap();
        drop(bases);
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        let bases = open(&store).await;
        assert_eq!((bases.body(&pair(1)), bases.digest(&pair(1))), (None, None));
        assert_eq!(bases.body(&pair(2)), body("{\"name\":\"x\"}"));
        assert_eq!(bases.digest(&pair(2)), Some(Digest::of(b"{\"name\":\"x\"}")));
        assert!(bases.take_failure().is_none());
    }
}
