//! All logins that passed through us, found by the fingerprint of the client's token. Bounded:
//! when a shard is full, the session that would end first is forgotten, and its client has a plain
//! token of its home from then on.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::issued::Hash;
use super::login::Session;
use crate::clock::Moment;

/// Every session; shared by all cores.
pub struct Sessions {
    shards: Box<[Mutex<Shard>]>,
    most_per_shard: usize,
}

#[derive(Default)]
struct Shard {
    /// By the client's token.
    tokens: HashMap<Hash, Arc<Session>>,
    /// By the client's refresh token, which outlives the token.
    renewals: HashMap<Hash, (Arc<Session>, Moment)>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self::bounded(MOST)
    }
}

impl Sessions {
    /// A table for at most `most` sessions.
    fn bounded(most: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, most_per_shard: most.div_ceil(SHARDS) }
    }

    /// The session of this token.
    pub fn find(&self, token: Hash, now: Moment) -> Option<Arc<Session>> {
        let shard = self.shard(token);
        shard.tokens.get(&token).filter(|session| session.expires() > now).cloned()
    }

    /// The session that this refresh token renews.
    pub fn find_renewal(&self, refresh: Hash, now: Moment) -> Option<Arc<Session>> {
        let shard = self.shard(refresh);
        shard.renewals.get(&refresh).filter(|(_, until)| *until > now).map(|(session, _)| session.clone())
    }

    /// Keeps `session` for its token's life, and its renewal a while longer.
    ///
    /// An instance that hands a token to two users lies about one of them: nobody gets a twin for
    /// it, or one of them would be the other elsewhere.
    pub fn insert(&self, session: &Arc<Session>, now: Moment) {
        let token = session.fingerprint();
        let mut shard = self.shard(token);
        if let Some(known) = shard.tokens.get(&token)
            && (known.is_barred() || known.user() != session.user() || known.client() != session.client())
        {
            known.bar();
            session.bar();
        }
        make_room(&mut shard.tokens, self.most_per_shard, |s| s.expires(), now);
        shard.tokens.insert(token, session.clone());
        drop(shard);
        if let Some(refresh) = session.refresh() {
            let mut shard = self.shard(refresh);
            make_room(&mut shard.renewals, self.most_per_shard, |(_, until)| *until, now);
            shard.renewals.insert(refresh, (session.clone(), session.expires() + RENEWAL_LIFE));
        }
    }

    /// The user has logged out: nothing of the session is kept. Its token, if the instance that
    /// issued it still takes it, is a plain one from then on.
    pub fn forget(&self, session: &Session) {
        session.bar();
        // Another login may have got the same since.
        let is_it = |found: Option<&Arc<Session>>| found.is_some_and(|s| s.serial() == session.serial());
        let token = session.fingerprint();
        let mut shard = self.shard(token);
        if is_it(shard.tokens.get(&token)) {
            shard.tokens.remove(&token);
        }
        drop(shard);
        if let Some(refresh) = session.refresh() {
            let mut shard = self.shard(refresh);
            if is_it(shard.renewals.get(&refresh).map(|(session, _)| session)) {
                shard.renewals.remove(&refresh);
            }
        }
    }

    /// Every session that has not ended.
    pub fn each(&self, now: Moment, mut visit: impl FnMut(&Session)) {
        for shard in &self.shards {
            let shard = lock(shard);
            shard.tokens.values().filter(|session| session.expires() > now).for_each(|s| visit(s));
        }
    }

    /// Forgets what has ended: secrets are not kept longer than they are worth something.
    pub fn sweep(&self, now: Moment) {
        for shard in &self.shards {
            let mut shard = lock(shard);
            shard.tokens.retain(|_, session| session.expires() > now);
            shard.renewals.retain(|_, (_, until)| *until > now);
        }
    }

    fn shard(&self, key: Hash) -> MutexGuard<'_, Shard> {
        lock(&self.shards[key.first_byte() % SHARDS])
    }
}

/// Makes room for one more: first what has ended goes, then what would end first.
fn make_room<V>(map: &mut HashMap<Hash, V>, most: usize, end: impl Fn(&V) -> Moment, now: Moment) {
    if map.len() < most {
        return;
    }
    map.retain(|_, value| end(value) > now);
    if map.len() >= most
        && let Some(first) = map.iter().min_by_key(|(_, value)| end(value)).map(|(key, _)| *key)
    {
        map.remove(&first);
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions(..)")
    }
}

const SHARDS: usize = 64;
const MOST: usize = 100_000;
/// How long after its token a refresh token still finds its twins: clients renew before the end.
const RENEWAL_LIFE: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests;
