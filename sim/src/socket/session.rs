//! Sessions of the Events & State socket: they outlive their connection for the resume window, and can be
//! taken over by a newer one (protocol sheet 4.4).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use uuid::Uuid;

use super::filter::{Filter, selects};
use crate::api::Caller;
use crate::journal::{Event, Journal};
use crate::settings::Settings;
use crate::switches;

/// All sessions of the instance.
pub struct Sessions {
    window: Duration,
    buffer: u64,
    takeover: bool,
    all: Mutex<HashMap<String, Arc<Session>>>,
}

/// One session.
pub struct Session {
    /// Its id.
    pub id: String,
    /// Name and SID of whose it is: a service's token has no SID of its own.
    whose: (String, String),
    /// Number of the connection that has it; a connection that sees another number has lost it.
    owner: watch::Sender<u64>,
    state: Mutex<State>,
}

struct State {
    subscriptions: Vec<Subscription>,
    /// Everything up to this event was looked at.
    cursor: u64,
    /// When the connection went away; `None` while there is one.
    left: Option<Instant>,
}

struct Subscription {
    id: String,
    /// Only later events are selected.
    since: u64,
    filters: Vec<Filter>,
}

/// A connection's hold on a session.
pub struct Hold {
    /// The session.
    pub session: Arc<Session>,
    /// 200: the old session; else 201.
    pub resumed: bool,
    number: u64,
}

/// Another connection has the session, and the switch says that it keeps it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("The session is in use by another connection.")]
pub struct InUse;

/// More subscriptions are a client's mistake.
const MOST_SUBSCRIPTIONS: usize = 1_000;

/// Types and ids in all filters of a session: everything of a very large site, a few times over.
const MOST_VALUES: usize = 500_000;

/// Events looked at in one go.
const BATCH: usize = 1_000;

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let switches = &settings.switches;
        Self {
            window: Duration::from_secs(switches.number(&switches::ESS_RESUME_WINDOW)),
            buffer: switches.number(&switches::ESS_BUFFER),
            takeover: switches.get(&switches::ESS_TWO_SOCKETS) == "newer",
            all: Mutex::default(),
        }
    }

    /// The resume window, in seconds.
    #[must_use]
    pub fn window_seconds(&self) -> u64 {
        self.window.as_secs()
    }

    /// Resumes session `wanted` behind event `after`, or starts a new one. A session that is unknown, too
    /// old or another user's is no error. A resumed one gets `replay` events from before once more.
    ///
    /// # Errors
    /// When another connection keeps the session.
    pub fn start(
        &self,
        caller: &Caller,
        wanted: &str,
        after: &str,
        journal: &Journal,
        replay: u64,
    ) -> Result<Hold, InUse> {
        let mut all = lock(&self.all);
        all.retain(|_, session| lock(&session.state).left.is_none_or(|left| left.elapsed() < self.window));
        if let Some(session) =
            all.get(&wanted.to_ascii_lowercase()).filter(|session| session.whose == whose(caller))
        {
            let mut state = lock(&session.state);
            if state.left.is_none() && !self.takeover {
                return Err(InUse);
            }
            state.left = None;
            let cursor = journal.find(after).unwrap_or(state.cursor);
            let cursor = cursor.max(journal.last().saturating_sub(self.buffer));
            state.cursor = cursor.saturating_sub(replay);
            let number = *session.owner.borrow() + 1;
            session.owner.send_replace(number);
            drop(state);
            return Ok(Hold { session: Arc::clone(session), resumed: true, number });
        }
        let session = Arc::new(Session {
            id: Uuid::new_v4().to_string(),
            whose: whose(caller),
            owner: watch::Sender::new(1),
            state: Mutex::new(State { subscriptions: Vec::new(), cursor: journal.last(), left: None }),
        });
        all.insert(session.id.clone(), Arc::clone(&session));
        Ok(Hold { session, resumed: false, number: 1 })
    }
}

impl Hold {
    /// Returns when another connection has taken the session.
    pub async fn lost(&self) {
        let mut owner = self.session.owner.subscribe();
        // The sender lives as long as the session, so this ends only by a takeover.
        let _ = owner.wait_for(|owner| *owner != self.number).await;
    }

    /// Adds a subscription; `None` when there are too many.
    #[must_use]
    pub fn subscribe(&self, filters: Vec<Filter>, journal: &Journal) -> Option<String> {
        let mut state = lock(&self.session.state);
        let all = state.subscriptions.iter().flat_map(|subscription| &subscription.filters).chain(&filters);
        let values: usize = all.map(Filter::size).sum();
        if state.subscriptions.len() >= MOST_SUBSCRIPTIONS || values > MOST_VALUES {
            return None;
        }
        let id = Uuid::new_v4().to_string();
        state.subscriptions.push(Subscription { id: id.clone(), since: journal.last(), filters });
        Some(id)
    }

    /// Removes a subscription; false when there is none with this id.
    #[must_use]
    pub fn unsubscribe(&self, id: &str) -> bool {
        let mut state = lock(&self.session.state);
        let before = state.subscriptions.len();
        state.subscriptions.retain(|subscription| !subscription.id.eq_ignore_ascii_case(id));
        state.subscriptions.len() < before
    }

    /// The next events that were looked at: those that are selected, and how far this goes. `None` when
    /// nothing new arrived, or the session belongs to somebody else.
    #[must_use]
    pub fn next(&self, journal: &Journal) -> Option<(Vec<Arc<Event>>, u64)> {
        let state = lock(&self.session.state);
        if !self.is_owner() {
            return None;
        }
        let mut events = journal.after(state.cursor, BATCH);
        let last = events.last()?.n;
        let wanted = |event: &Arc<Event>| {
            let mut subscriptions = state.subscriptions.iter();
            subscriptions.any(|one| event.n > one.since && selects(&one.filters, event))
        };
        events.retain(wanted);
        Some((events, last))
    }

    /// Notes that everything up to event `n` was sent.
    pub fn advance(&self, n: u64) {
        let mut state = lock(&self.session.state);
        if self.is_owner() {
            state.cursor = n;
        }
    }

    /// The present states that the subscriptions select.
    #[must_use]
    pub fn states(&self, journal: &Journal) -> Vec<Arc<Event>> {
        let mut states = journal.states();
        let state = lock(&self.session.state);
        states.retain(|event| state.subscriptions.iter().any(|one| selects(&one.filters, event)));
        states
    }

    fn is_owner(&self) -> bool {
        *self.session.owner.borrow() == self.number
    }
}

impl Drop for Hold {
    /// The connection goes; the session stays for the resume window.
    fn drop(&mut self) {
        let mut state = lock(&self.session.state);
        if self.is_owner() {
            state.left = Some(Instant::now());
        }
    }
}

fn whose(caller: &Caller) -> (String, String) {
    (caller.user.clone(), caller.sid.clone())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::identity::Role;

    #[test]
    fn what_subscriptions_keep_is_bounded() {
        let (sessions, journal) = (Sessions::new(&Settings::default()), Journal::default());
        let caller = Caller { user: "u".into(), sid: "S".into(), role: Role::Operators, expires: 0 };
        let hold = sessions.start(&caller, "", "", &journal, 0).unwrap();
        let filters = |count: usize| {
            let ids: Vec<String> = (0..count).map(|number| number.to_string()).collect();
            let entry = json!([{ "modifier": "include", "resourceTypes": ["*"], "sourceIds": ids, "eventTypes": ["*"] }]);
            Filter::parse_all(Some(&entry)).unwrap()
        };
        let large = hold.subscribe(filters(MOST_VALUES - 1), &journal).unwrap();
        assert!(hold.subscribe(filters(1), &journal).is_none());
        assert!(hold.subscribe(Vec::new(), &journal).is_some());
        assert!(hold.unsubscribe(&large));
        assert!(hold.subscribe(filters(1), &journal).is_some());
    }
}
