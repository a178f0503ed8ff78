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
    /// The number of what happened; equal on every instance that saw it. `None`: a client posted it here.
    pub physical: Option<i64>,
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
    /// Made by `POST /events` of the control API, not by the world clock.
    pub injected: bool,
    /// Its payload, opaque.
    pub data: Option<Value>,
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
        if let Some(data) = &self.data {
            json["datacontenttype"] = json!("application/json");
            json["data"] = data.clone();
        }
        if let Some(group) = &self.state_group {
            json["stategroupid"] = json!(group);
        }
        json
    }

    fn data_size(&self) -> usize {
        self.data.as_ref().map_or(0, |data| data.to_string().len())
    }

    /// The event in the oracle: it was reported by this instance, though perhaps to nobody. Under faults that means:
    /// what is lost has no entry; what is delayed has one from its arrival on, with the time of when it happened; what
    /// a stalled socket holds back and what a replay sends again have the one entry of their arrival; `time` is the
    /// one on the wire, wrong as the instance's clock is. So a number that neither of two instances has cannot be
    /// delivered, and one that either has must be, once.
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
    /// Size of the payloads in the ring.
    bytes: usize,
    last: u64,
    states: HashMap<(String, String), Arc<Event>>,
}

/// About a quarter of an hour at 100 events a second, and 40 MB at most.
const KEPT: usize = 100_000;

/// Payloads come on top of that, as text; in memory they are up to 16 times as large. The oldest events go.
const KEPT_BYTES: usize = 16 << 20;

impl Journal {
    /// An empty journal.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner { ring: VecDeque::new(), bytes: 0, last: 0, states: HashMap::new() };
        Self { inner: Mutex::new(inner), latest: watch::Sender::new(0) }
    }

    /// Appends an event and wakes the sockets. `n` is given here.
    pub fn push(&self, mut event: Event) -> Arc<Event> {
        let event = {
            let mut inner = self.lock();
            inner.last += 1;
            event.n = inner.last;
            let event = Arc::new(event);
            inner.append(&event);
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

    /// The event with this id, if it is still kept.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<Event>> {
        self.lock().ring.iter().rev().find(|event| event.id.eq_ignore_ascii_case(id)).map(Arc::clone)
    }

    /// Those that are wanted, newest first: `take` of them behind the first `skip`. Who holds the world's
    /// lock takes it before.
    pub fn newest(&self, wanted: impl Fn(&Event) -> bool, skip: usize, take: usize) -> Vec<Arc<Event>> {
        let inner = self.lock();
        let wanted = inner.ring.iter().rev().filter(|event| wanted(event));
        wanted.skip(skip).take(take).map(Arc::clone).collect()
    }

    /// The number of the oldest event that is kept, or of the next one.
    #[must_use]
    pub fn first(&self) -> u64 {
        let inner = self.lock();
        inner.ring.front().map_or(inner.last + 1, |event| event.n)
    }

    /// How many injected events carry this physical number.
    #[must_use]
    pub fn injected(&self, physical: i64) -> usize {
        self.lock().ring.iter().filter(|event| event.injected && event.physical == Some(physical)).count()
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
    fn append(&mut self, event: &Arc<Event>) {
        self.bytes += event.data_size();
        self.ring.push_back(Arc::clone(event));
        // The last event stays, whatever its size: its writer sees it.
        while self.ring.len() > KEPT || self.bytes > KEPT_BYTES && self.ring.len() > 1 {
            let Some(gone) = self.ring.pop_front() else { return };
            self.bytes -= gone.data_size();
        }
    }

    /// A state has no payload: there are as many states as sources, and nothing else bounds them.
    fn remember_state(&mut self, event: &Arc<Event>) {
        if let Some(group) = &event.state_group {
            let state = match &event.data {
                None => Arc::clone(event),
                Some(_) => Arc::new(Event { data: None, ..Event::clone(event) }),
            };
            self.states.insert((event.source(), group.clone()), state);
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
            physical: Some(physical),
            id: format!("id-{physical}"),
            resource: "cameras",
            object: "c".into(),
            kind: "t".into(),
            time: 0,
            state_group: group.map(str::to_owned),
            injected: true,
            data: None,
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
    fn payloads_are_sent_and_bounded_and_no_part_of_the_state() {
        let journal = Journal::new();
        let large = Value::String("x".repeat(KEPT_BYTES / 4));
        for physical in 1..=6 {
            journal.push(Event { data: Some(large.clone()), ..event(physical, Some("g")) });
        }
        assert_eq!((journal.first(), journal.last()), (4, 6));
        let newest = journal.newest(|_| true, 1, 1);
        assert_eq!(newest.first().map(|event| event.n), Some(5));
        let sent = newest.first().map(|event| event.to_cloud_event()).unwrap_or_default();
        assert_eq!((&sent["data"], &sent["datacontenttype"]), (&large, &json!("application/json")));
        assert!(journal.get("ID-6").is_some_and(|event| event.data.is_some()));
        assert!(journal.states().iter().all(|event| event.n == 6 && event.data.is_none()));
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
