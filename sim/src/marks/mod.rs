//! Bookmarks and evidence locks (sheet 5.3 and 5.4): what people mark in recordings. The management server serves them,
//! but they are no configuration: who sees the devices sees the mark, changes it and removes it.

mod bookmarks;
mod evidence;
mod fill;
mod search;
mod shelf;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use ::http::{Method, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use self::shelf::{Mark, Shelf};
use crate::{
    http::rest_json,
    rest::{Answer, Call, Outcome, error::RestError, source},
    settings::Version,
    switches::MARK_ERRORS,
    world::World,
};

/// The release that brought both, 2024 R2 (sheet 9).
const SINCE: Version = Version { major: 24, minor: 2 };

/// Most that a single request may bring.
const LARGEST_BODY: usize = 1 << 20;

/// What both kinds of marks do in their own way.
struct Kind {
    name: &'static str,
    /// The times: begin, the moment that matters, end.
    times: [&'static str; 3],
    /// Makes a mark of a body.
    create: Create,
    /// Changes a mark by a body.
    change: Change,
    /// Search tasks, in lower case.
    searches: &'static [(&'static str, Search)],
}

type Create = fn(&Context<'_>, &World, &Map<String, Value>) -> Result<Mark, RestError>;
type Change = fn(&Context<'_>, &World, &Map<String, Value>, &mut Mark) -> Result<(), RestError>;
/// The marks that a task's parameters ask for, out of those that the caller sees.
type Search = fn(&Context<'_>, &Map<String, Value>, &[&Mark]) -> Result<Vec<Value>, RestError>;

/// All marks of one instance.
#[derive(Default)]
pub struct Marks {
    bookmarks: Mutex<Shelf>,
    evidence_locks: Mutex<Shelf>,
}

/// One request. Locks are taken in this order: world, shelf.
struct Context<'a> {
    call: &'a Call<'a>,
    world: &'a RwLock<World>,
    kind: &'static Kind,
    shelf: &'a Mutex<Shelf>,
}

/// Whether these segments after `/API/rest/v1` are marks.
pub fn serves(segments: &[String]) -> bool {
    let is_first = |kind: &Kind| segments.first().is_some_and(|first| first.eq_ignore_ascii_case(kind.name));
    is_first(&bookmarks::KIND) || is_first(&evidence::KIND)
}

impl Marks {
    /// Answers a request for the path segments after `/API/rest/v1`.
    pub fn handle(&self, world: &RwLock<World>, call: &Call<'_>, segments: &[String]) -> Response<Bytes> {
        let name = segments.first().map_or("", String::as_str);
        if call.settings.version < SINCE {
            return RestError::unknown_resource(name).response();
        }
        let (kind, shelf) = if name.eq_ignore_ascii_case(bookmarks::KIND.name) {
            (&bookmarks::KIND, &self.bookmarks)
        } else {
            (&evidence::KIND, &self.evidence_locks)
        };
        match (Context { call, world, kind, shelf }).answer(segments) {
            Ok(answer) => rest_json(answer.status, &answer.body),
            Err(error) if call.settings.switches.get(&MARK_ERRORS) == "wrapped" => error.response(),
            Err(error) => rest_json(error.status(), &unwrapped(error.body())),
        }
    }

    /// Number of objects of each type.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let count = |kind: &Kind, shelf: &Mutex<Shelf>| (kind.name, lock(shelf).len());
        [count(&bookmarks::KIND, &self.bookmarks), count(&evidence::KIND, &self.evidence_locks)].into_iter()
    }
}

impl Context<'_> {
    fn answer(&self, segments: &[String]) -> Outcome {
        if self.call.body.len() > LARGEST_BODY {
            return Err(RestError::bad(format!("Bad request: more than {LARGEST_BODY} bytes")));
        }
        let method = if *self.call.method == Method::HEAD { "GET" } else { self.call.method.as_str() };
        match (method, segments) {
            ("POST", [_]) => match self.call.query.value("task") {
                Some(task) => self.task(&task.to_ascii_lowercase()),
                None => self.create(),
            },
            ("GET", [_, id]) => {
                let (world, shelf) = (self.world(), self.shelf());
                let mark = self.visible(&world, &shelf, id)?;
                Ok(Answer::ok(json!({ "data": self.shown(mark) })))
            }
            ("PATCH", [_, id]) => self.change(id),
            ("DELETE", [_, id]) => self.delete(id),
            // Also a list of all of them (sheet 8.20).
            (_, [_] | [_, _]) => Err(RestError::unknown_request()),
            (_, other) => Err(RestError::unknown_resource(other.last().map_or("", String::as_str))),
        }
    }

    fn create(&self) -> Outcome {
        let body = self.call.json()?;
        let mark = {
            let world = self.world();
            let mark = (self.kind.create)(self, &world, &body)?;
            self.shelf().put(mark.clone()).map_err(|full| RestError::bad(format!("Bad request: {full}")))?;
            mark
        };
        self.record(&body);
        let mut result = self.shown(&mark);
        result.shift_remove("relations");
        // As in the results of the configuration: the id in upper case, the path in lower case (sheet 3.9).
        result.insert("id".to_owned(), mark.id.to_uppercase().into());
        result.insert("state".to_owned(), "Success".into());
        result.insert("path".to_owned(), json!({ "type": self.kind.name, "id": mark.id }));
        Ok(Answer::created(json!({ "result": result })))
    }

    fn change(&self, id: &str) -> Outcome {
        let body = self.call.json()?;
        let shown = {
            let (world, mut shelf) = (self.world(), self.shelf());
            let mut mark = self.visible(&world, &shelf, id)?.clone();
            (self.kind.change)(self, &world, &body, &mut mark)?;
            let shown = self.shown(&mark);
            shelf.put(mark).map_err(|full| RestError::bad(format!("Bad request: {full}")))?;
            shown
        };
        self.record(&body);
        Ok(Answer::ok(json!({ "data": shown })))
    }

    fn delete(&self, id: &str) -> Outcome {
        {
            let (world, mut shelf) = (self.world(), self.shelf());
            let id = self.visible(&world, &shelf, id)?.id.clone();
            shelf.remove(&id);
        }
        self.record(&Map::new());
        Ok(Answer::ok(json!({ "state": "Success" })))
    }

    fn task(&self, task: &str) -> Outcome {
        let mut result = self.call.json()?;
        if task == "newreference" {
            // Nothing is stored; the next mark gets another one.
            result.insert("reference".to_owned(), self.shelf().next_reference().into());
        } else {
            let search = self.kind.searches.iter().find(|(name, _)| *name == task);
            let (_, search) = search.ok_or_else(RestError::unknown_request)?;
            let found = {
                let (world, shelf) = (self.world(), self.shelf());
                let seen: Vec<&Mark> = shelf.all().filter(|mark| self.sees(&world, mark)).collect();
                search(self, &result, &seen)?
            };
            result.insert(self.kind.name.to_owned(), found.into());
        }
        result.insert("state".to_owned(), "Success".into());
        Ok(Answer::ok(json!({ "result": result })))
    }

    /// The mark of that id, if the caller sees it.
    fn visible<'s>(&self, world: &World, shelf: &'s Shelf, id: &str) -> Result<&'s Mark, RestError> {
        let mark = shelf.get(id).ok_or_else(|| RestError::not_found(self.kind.name, id))?;
        if self.sees(world, mark) { Ok(mark) } else { Err(source::hidden(self.call, self.kind.name, id)) }
    }

    /// Whether the caller sees all devices of a mark: a mark names them.
    fn sees(&self, world: &World, mark: &Mark) -> bool {
        mark.devices.iter().all(|(kind, id)| source::sees(self.call, world, kind, id))
    }

    fn shown(&self, mark: &Mark) -> Map<String, Value> {
        let mut shown = mark.fields.clone();
        shown.insert("id".to_owned(), mark.id.clone().into());
        shown.insert("relations".to_owned(), json!({ "self": { "type": self.kind.name, "id": mark.id } }));
        shown
    }

    fn record(&self, body: &Map<String, Value>) {
        self.call.record(&mut self.world.write().unwrap_or_else(PoisonError::into_inner), body);
    }

    fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        let mut shelf = lock(self.shelf);
        shelf.expire(self.call.now);
        shelf
    }
}

/// The error body that the vendor documents for marks: nothing around it, and the status as text (sheet 3.4).
fn unwrapped(mut body: Value) -> Value {
    let Some(mut error) = body.as_object_mut().and_then(|body| body.shift_remove("error")) else {
        return body;
    };
    if let Some(error) = error.as_object_mut() {
        let code = error.get("httpCode").map(Value::to_string).unwrap_or_default();
        error.insert("httpCode".to_owned(), code.into());
        error.extend(body.as_object().cloned().unwrap_or_default());
    }
    error
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A lock is poisoned only by a panic, and what it guards stays usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
