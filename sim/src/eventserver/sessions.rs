//! Sessions for polling: each look tells what came into the session's view and what left it since the last look
//! (sheet 5.1). The view begins empty when the session is opened `[I]`, and shows the newest entries.

use std::collections::{HashMap, VecDeque};

use crate::{rest::Call, rest::error::RestError, rest::field::guid, stamp::Stamp, world::ids};

/// Entries in the view of a session, and so in one look.
pub const WINDOW: usize = 1000;

/// Sessions of one kind; the one that was unused for longest makes room.
const MOST: usize = 1000;

/// A session that is not looked at ends after this time `[I]`.
const TIMEOUT_SECONDS: i64 = 300;

/// All sessions of one kind.
#[derive(Default)]
pub struct Sessions {
    all: HashMap<String, Session>,
}

/// One session.
pub struct Session {
    /// Name and SID of whose it is.
    whose: (String, String),
    used: Stamp,
    /// Number of the last change that was looked at.
    pub cursor: u64,
    view: VecDeque<Entry>,
}

/// What the session remembers of an entry in its view.
pub struct Entry {
    /// The entry's id.
    pub id: String,
    /// Its number when it came.
    pub n: u64,
    /// Its time, in ticks.
    pub time: i64,
}

impl Sessions {
    /// Opens a session that looks at changes after number `cursor`.
    pub fn open(&mut self, call: &Call<'_>, cursor: u64) -> String {
        self.expire(call.now);
        if self.all.len() >= MOST
            && let Some(oldest) =
                self.all.iter().min_by_key(|(_, session)| session.used).map(|(id, _)| id.clone())
        {
            self.all.remove(&oldest);
        }
        let id = ids::fresh();
        let session = Session { whose: whose(call), used: call.now, cursor, view: VecDeque::new() };
        self.all.insert(id.clone(), session);
        id
    }

    /// The caller's session of that id.
    pub fn of(&mut self, call: &Call<'_>, kind: &str, id: &str) -> Result<&mut Session, RestError> {
        self.expire(call.now);
        let session = guid(id).and_then(|id| self.all.get_mut(&id));
        let session = session.filter(|session| session.whose == whose(call));
        let session = session.ok_or_else(|| RestError::not_found(kind, id))?;
        session.used = call.now;
        Ok(session)
    }

    fn expire(&mut self, now: Stamp) {
        self.all.retain(|_, session| now.millis_since(session.used) < TIMEOUT_SECONDS * 1000);
    }
}

impl Session {
    /// Puts an entry into the view; false if it was there already, in an older state.
    pub fn show(&mut self, entry: Entry) -> bool {
        let before = self.view.len();
        self.view.retain(|old| old.id != entry.id);
        let new = self.view.len() == before;
        self.view.push_back(entry);
        new
    }

    /// Takes out of the view what is no longer kept or does not fit, and gives the ids.
    pub fn leave(&mut self, kept: impl Fn(&Entry) -> bool) -> Vec<String> {
        let too_many = self.view.len().saturating_sub(WINDOW);
        let mut gone: Vec<String> = self.view.drain(..too_many).map(|entry| entry.id).collect();
        self.view.retain(|entry| {
            let stays = kept(entry);
            if !stays {
                gone.push(entry.id.clone());
            }
            stays
        });
        gone
    }
}

fn whose(call: &Call<'_>) -> (String, String) {
    (call.caller.user.clone(), call.caller.sid.clone())
}
