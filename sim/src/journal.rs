//! What this instance reported: the last events in the order of their arrival, and the present state of
//! every source. The oracle of the tests and the only buffer of the sockets.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::stamp::Stamp;

/// One event as this instance saw it.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its place in the order of arrival, from 1; 0 for a state from before the start.
    pub n: u64,
    /// The number of what happened; equal on every instance that saw it.
    pub physical: i64,
    /// This instance's id of it.
    pub id: String,
    /// The REST collection of its source, such as `cameras`.
    pub resource: &'static str,
    /// The id of its source.
    pub object: String,
    /// The id of its event type.
    pub kind: String,
    /// This instance's time stamp, in ticks.
    pub time: i64,
    /// The state machine that it moves, if any.
    pub state_group: Option<String>,
    /// Made by `POST /events`, not by the world clock.
    pub injected: bool,
}

impl Event {
    /// `<collection>/<id>`.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}/{}", self.resource, self.object)
    }

    /// The event on the wire (protocol sheet 4.3).
    #[must_use]
    pub fn to_cloud_event(&self) -> Value {
        let mut json = json!({
            "specversion": "1.0",
            "id": self.id,
            "source": self.source(),
            "type": self.kind,
            "time": Stamp::from_ticks(self.time).wire(),
        });
        if let Some(group) = &self.state_group {
            json["stategroupid"] = json!(group);
        }
        json
    }

    /// The event in the oracle.
    #[must_use]
    pub fn to_oracle(&self) -> Value {
        json!({
            "n": self.n,
            "physical": self.physical,
            "id": self.id,
            "source": self.source(),
            "type": self.kind,
            "time": Stamp::from_ticks(self.time).wire(),
        })
    }
}

/// The bounded list of what arrived.
pub struct Journal {
    inner: Mutex<Inner>,
    latest: watch::Sender<u64>,
}

struct Inner {
    ring: VecDeque<Arc<Event>>,
    last: u64,
    states: HashMap<(String, String), Arc<Event>>,
}

/// About a quarter of an hour at 100 events a second, and 40 MB at most.
const KEPT: usize = 100_000;

impl Journal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner { ring: VecDeque::new(), last: 0, states: HashMap::new() };
        Self { inner: Mutex::new(inner), latest: watch::Sender::new(0) }
    }

    /// Appends an event and wakes the sockets. `n` is given here.
    pub fn push(&self, mut event: Event) -> Arc<Event> {
        let event = {
            let mut inner = self.lock();
            inner.last += 1;
            event.n = inner.last;
            let event = Arc::new(event);
            if inner.ring.len() == KEPT {
                inner.ring.pop_front();
            }
            inner.ring.push_back(Arc::clone(&event));
            inner.remember_state(&event);
            event
        };
        self.latest.send_replace(event.n);
        event
    }

    /// Notes a state from before the start. Not an event: it is in no list.
    pub fn remember(&self, event: Event) {
        self.lock().remember_state(&Arc::new(event));
    }

    /// Up to `limit` events after number `since`, oldest first.
    #[must_use]
    pub fn after(&self, since: u64, limit: usize) -> Vec<Arc<Event>> {
        let inner = self.lock();
        let first = inner.ring.front().map_or(0, |event| event.n);
        let skip = usize::try_from((since + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        inner.ring.iter().skip(skip).take(limit).map(Arc::clone).collect()
    }

    /// The number of the event with this id, if it is still kept.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<u64> {
        self.lock().ring.iter().rev().find(|event| event.id.eq_ignore_ascii_case(id)).map(|event| event.n)
    }

    /// How many injected events carry this physical number.
    #[must_use]
    pub fn injected(&self, physical: i64) -> usize {
        self.lock().ring.iter().filter(|event| event.injected && event.physical == physical).count()
    }

    /// The number of the last event.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.lock().last
    }

    /// The last event of every source and state group, in the order of their time.
    #[must_use]
    pub fn states(&self) -> Vec<Arc<Event>> {
        let mut states: Vec<_> = self.lock().states.values().map(Arc::clone).collect();
        states.sort_by_key(|event| (event.n, event.physical));
        states
    }

    /// Wakes when something arrived.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.latest.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn remember_state(&mut self, event: &Arc<Event>) {
        if let Some(group) = &event.state_group {
            self.states.insert((event.source(), group.clone()), Arc::clone(event));
        }
    }
}

impl Default for Journal {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(physical: i64, group: Option<&str>) -> Event {
        Event {
            n: 0,
            physical,
            id: format!("id-{physical}"),
            resource: "cameras",
            object: "c".into(),
            kind: "t".into(),
            time: 0,
            state_group: group.map(str::to_owned),
            injected: true,
        }
    }

    #[test]
    fn numbered_listed_and_found() {
        let journal = Journal::new();
        for physical in 1..=5 {
            journal.push(event(physical, Some("g")));
        }
        let numbers: Vec<u64> = journal.after(2, 2).iter().map(|event| event.n).collect();
        assert_eq!(numbers, [3, 4]);
        assert!(journal.after(5, 10).is_empty());
        assert!(journal.after(u64::MAX - 1, 10).is_empty());
        assert_eq!(journal.find("ID-4"), Some(4));
        assert_eq!(journal.injected(4), 1);
        assert_eq!(journal.states().iter().map(|event| event.n).collect::<Vec<_>>(), [5]);
    }

    #[test]
    fn old_events_go() {
        let journal = Journal::new();
        for physical in 0..=i64::try_from(KEPT).unwrap_or(0) {
            journal.push(event(physical, None));
        }
        assert_eq!(journal.after(0, 1).iter().map(|event| event.n).collect::<Vec<_>>(), [2]);
        assert_eq!(journal.find("id-0"), None);
    }
}
