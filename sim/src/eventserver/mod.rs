//! The REST side of the Event Server (sheet 5.1 and 5.2): events, alarms, and the sessions that poll them. Events are
//! those of the [`crate::journal`], which the sockets send; the lists of alarm states, priorities and the like are
//! configuration and come from the table.

mod alarm;
mod alarms;
mod definitions;
mod events;
mod handling;
mod sessions;
mod statistics;
mod trigger;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use ::http::{Method, Response, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use self::{alarms::Alarms, sessions::Sessions};
use crate::{
    api::Api,
    http::rest_json,
    journal::Journal,
    rest::{Answer, Call, Outcome, error::RestError},
    settings::Version,
    switches::PAGE_SIZE,
    world::World,
};

/// The release that brought both, 2023 R2 (sheet 9).
const SINCE: Version = Version { major: 23, minor: 2 };

/// The collections that it serves.
const COLLECTIONS: [&str; 5] = ["events", "eventSessions", "alarms", "alarmSessions", "alarmStatistics"];

/// Largest page of events and alarms (sheet 5.1).
const LARGEST_PAGE: usize = 2000;

/// Most that a single request may bring: an analytics event with its pictures fits.
const LARGEST_BODY: usize = 1 << 20;

/// Events looked at in one go.
const BATCH: usize = 1000;

/// Alarms and sessions of one instance.
#[derive(Default)]
pub struct EventServer {
    alarms: Mutex<Alarms>,
    event_sessions: Mutex<Sessions>,
    alarm_sessions: Mutex<Sessions>,
}

/// One request and what it is about. Locks are taken in this order: sessions, world, alarms, journal.
struct Context<'a> {
    server: &'a EventServer,
    call: &'a Call<'a>,
    world: &'a RwLock<World>,
    journal: &'a Journal,
}

/// Raises alarms as things happen: a definition is about what comes after it. Runs until the process ends.
pub async fn watch(api: Arc<Api>) {
    let mut arrivals = api.journal().subscribe();
    loop {
        api.raise_alarms();
        if arrivals.changed().await.is_err() {
            return;
        }
    }
}

/// Whether these segments after `/API/rest/v1` are its own.
pub fn serves(segments: &[String]) -> bool {
    let is_first = |name: &str| segments.first().is_some_and(|first| first.eq_ignore_ascii_case(name));
    COLLECTIONS.iter().any(|name| is_first(name))
}

impl EventServer {
    /// Answers a request for the path segments after `/API/rest/v1`.
    pub fn handle(
        &self,
        world: &RwLock<World>,
        journal: &Journal,
        call: &Call<'_>,
        segments: &[String],
    ) -> Response<Bytes> {
        self.catch_up(world, journal);
        match (Context { server: self, call, world, journal }).answer(segments) {
            Ok(answer) => rest_json(answer.status, &answer.body),
            Err(error) => error.response(),
        }
    }

    /// Raises what alarm definitions want raised for what has happened since the last look.
    pub fn catch_up(&self, world: &RwLock<World>, journal: &Journal) {
        let world = world.read().unwrap_or_else(PoisonError::into_inner);
        let mut alarms = lock(&self.alarms);
        loop {
            let events = journal.after(alarms.looked_at, BATCH);
            let Some(last) = events.last() else { return };
            alarms.looked_at = last.n;
            if world.store.count(definitions::DEFINITIONS) > 0 {
                for alarm in events.iter().flat_map(|event| definitions::raised(&world, event)) {
                    alarms.raise(alarm);
                }
            }
        }
    }

    /// Number of objects of each type.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        [("alarms", lock(&self.alarms).len())].into_iter()
    }
}

impl Context<'_> {
    fn answer(&self, segments: &[String]) -> Outcome {
        let name = segments.first().map_or("", String::as_str);
        if self.call.settings.version < SINCE {
            return Err(RestError::unknown_resource(name));
        }
        if self.call.body.len() > LARGEST_BODY {
            return Err(RestError::bad(format!("Bad request: more than {LARGEST_BODY} bytes")));
        }
        let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
        let path: Vec<&str> = lower.iter().map(String::as_str).collect();
        match (self.verb(), path.as_slice()) {
            ("GET", ["events"]) => events::list(self),
            ("POST", ["events"]) => events::post(self),
            ("POST", ["events", "bulk"]) => events::post_bulk(self),
            ("GET", ["events", id]) => events::item(self, id),
            ("POST", ["eventsessions"]) => events::open_session(self),
            ("GET", ["eventsessions", id, "events"]) => events::poll_session(self, id),
            ("GET", ["alarms"]) => handling::list(self),
            ("POST", ["alarms"]) => handling::post(self),
            ("GET", ["alarms", id]) => handling::item(self, id),
            ("PATCH", ["alarms", id]) => handling::patch(self, id),
            ("GET", ["alarms", id, "history"]) => handling::history(self, id),
            ("GET", ["alarms", id, "snapshots"]) => handling::snapshots(self, id),
            ("POST", ["alarms", id, "snapshots"]) => handling::attach(self, id),
            ("POST", ["alarmsessions"]) => handling::open_session(self),
            ("GET", ["alarmsessions", id, "alarms"]) => handling::poll_session(self, id),
            ("GET", ["alarmstatistics"]) => statistics::get(self),
            (_, [_] | [_, _] | [_, _, "history" | "snapshots" | "events" | "alarms"]) => {
                Err(RestError::unknown_request())
            }
            (_, other) => Err(RestError::unknown_resource(other.last().unwrap_or(&""))),
        }
    }

    fn verb(&self) -> &str {
        if *self.call.method == Method::HEAD { "GET" } else { self.call.method.as_str() }
    }

    fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers an accepted change in the instance's log. The caller holds no lock. Alarms are objects that change;
    /// to post an event or to open a session changes none.
    fn record(&self, body: &Map<String, Value>) {
        self.call.record(&mut self.world.write().unwrap_or_else(PoisonError::into_inner), body);
    }

    /// How many to skip and how many to give. There is always a limit.
    fn page(&self) -> Result<(usize, usize), RestError> {
        let number = |name: &str, default: usize| match self.call.query.value(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| RestError::property(name, "a number was expected")),
        };
        let default = usize::try_from(self.call.settings.switches.number(&PAGE_SIZE)).unwrap_or(LARGEST_PAGE);
        let size = number("size", default.clamp(1, LARGEST_PAGE))?;
        if !(1..=LARGEST_PAGE).contains(&size) {
            return Err(RestError::property("size", format!("1 to {LARGEST_PAGE} was expected")));
        }
        Ok((number("page", 0)?.saturating_mul(size), size))
    }

    /// Whether `include=data` is asked for.
    fn with_data(&self) -> bool {
        self.call.query.list("include").any(|word| word.eq_ignore_ascii_case("data"))
    }
}

/// 202 with `data`: what the Event Server says to everything that it takes (sheet 5).
fn accepted(data: Value) -> Answer {
    Answer { status: StatusCode::ACCEPTED, body: json!({ "data": data }) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A lock is poisoned only by a panic, and what it guards stays usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
