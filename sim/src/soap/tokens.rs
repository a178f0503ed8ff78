//! SOAP tokens (sheet 2.8): opaque texts that belong to a user and an instance of a client, and that expire.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use crate::stamp::Stamp;

/// Most tokens that are kept; beyond it the oldest is forgotten.
const MOST: usize = 10_000;

/// The tokens of one instance. A renewal makes another token; the old one lives on until its own end, so that
/// a client's call that is under way does not fail.
#[derive(Default)]
pub struct Tokens {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    /// By text.
    sessions: HashMap<String, Session>,
    /// Oldest first. All live equally long, so this is also the order in which they expire.
    order: VecDeque<String>,
}

struct Session {
    sid: String,
    client: Uuid,
    expires: Stamp,
}

impl Tokens {
    /// Makes a token for a user and an instance of a client.
    pub fn issue(&self, host: &str, sid: &str, client: Uuid, expires: Stamp, now: Stamp) -> String {
        let token = format!("TOKEN#{}#{host}//ServerConnector#", Uuid::new_v4());
        let mut table = self.table();
        table.clear(now);
        table.order.push_back(token.clone());
        table.sessions.insert(token.clone(), Session { sid: sid.to_owned(), client, expires });
        token
    }

    /// Whether the token is alive and belongs to that user.
    pub fn valid(&self, token: &str, sid: &str, now: Stamp) -> bool {
        let table = self.table();
        table.sessions.get(token).is_some_and(|session| session.expires > now && session.sid == sid)
    }

    /// Ends all tokens of a user's instance of a client.
    pub fn end(&self, sid: &str, client: Uuid) {
        self.table().sessions.retain(|_, session| session.sid != sid || session.client != client);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets what is expired or logged out, and the oldest if there are too many.
    fn clear(&mut self, now: Stamp) {
        while let Some(oldest) = self.order.front() {
            let alive = self.sessions.get(oldest).is_some_and(|session| session.expires > now);
            if alive && self.order.len() < MOST {
                return;
            }
            self.sessions.remove(oldest);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn tokens_belong_to_a_user_and_expire() {
        let (tokens, start, client) = (Tokens::default(), Stamp::from_seconds(0), Uuid::nil());
        let token = tokens.issue("h", "S1", client, start.plus_millis(HOUR), start);
        assert!(token.starts_with("TOKEN#") && token.ends_with("#h//ServerConnector#"), "{token}");
        assert!(tokens.valid(&token, "S1", start.plus_millis(HOUR - 1)));
        assert!(!tokens.valid(&token, "S1", start.plus_millis(HOUR)));
        assert!(!tokens.valid(&token, "S2", start));
        tokens.end("S2", client);
        tokens.end("S1", Uuid::max());
        assert!(tokens.valid(&token, "S1", start));
        tokens.end("S1", client);
        assert!(!tokens.valid(&token, "S1", start));
    }

    #[test]
    fn the_table_is_bounded() {
        let (tokens, start) = (Tokens::default(), Stamp::from_seconds(0));
        let issue = |now: Stamp| tokens.issue("h", "S", Uuid::nil(), now.plus_millis(HOUR), now);
        let first = issue(start);
        for _ in 0..MOST {
            issue(start);
        }
        assert!(!tokens.valid(&first, "S", start));
        assert_eq!(tokens.table().sessions.len(), MOST);
        issue(start.plus_millis(HOUR));
        let table = tokens.table();
        assert_eq!((table.sessions.len(), table.order.len()), (1, 1));
    }
}
