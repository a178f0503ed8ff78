//! The configuration API `/API/rest/v1` (sheet 3): a table of types and one engine that reads it.

pub mod body;
pub mod distort;
mod effects;
pub mod error;
mod facts;
pub mod field;
pub mod finish;
mod jobs;
mod kind;
mod members;
mod names;
mod permissions;
pub mod query;
mod read;
pub mod references;
mod remove;
pub mod rows;
mod rules;
pub mod shape;
pub mod show;
mod single;
pub mod source;
pub mod table;
pub mod tasks;
mod translations;
mod wizard;
mod write;

use std::sync::{Arc, PoisonError, RwLock};

use ::http::{Method, Response, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value};

pub use self::effects::sequences::span;
use self::{
    error::RestError,
    query::Query,
    table::{Sub, Type},
};
use crate::{
    faults::ConfigFault,
    http::rest_json,
    identity::Caller,
    rights,
    settings::{Settings, Version},
    stamp::Stamp,
    switches::STRING_BOOLEANS,
    world::{Object, World},
};

/// One authenticated request.
pub struct Call<'a> {
    /// The instance.
    pub settings: &'a Settings,
    /// Who asks.
    pub caller: &'a Caller,
    /// When.
    pub now: Stamp,
    /// Its method.
    pub method: &'a Method,
    /// Path and query as they arrived.
    pub target: &'a str,
    /// The query.
    pub query: Query,
    /// The body.
    pub body: &'a [u8],
    /// What is wrong with the configuration on purpose.
    pub faults: Arc<Vec<ConfigFault>>,
}

/// A success.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body.
    pub body: Value,
}

/// What a request comes to.
pub type Outcome = Result<Answer, RestError>;

impl Answer {
    /// 200.
    pub fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body }
    }

    /// 201.
    pub fn created(body: Value) -> Self {
        Self { status: StatusCode::CREATED, body }
    }
}

/// Answers a request for the path segments after `/API/rest/v1`.
pub fn handle(world: &RwLock<World>, call: &Call<'_>, segments: &[String]) -> Response<Bytes> {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if !world.read().unwrap_or_else(PoisonError::into_inner).jobs.due(call.now).is_empty() {
        tasks::settle(&mut world.write().unwrap_or_else(PoisonError::into_inner), call.now);
    }
    if matches!(*call.method, Method::GET | Method::HEAD) {
        let outcome = get(call, &world.read().unwrap_or_else(PoisonError::into_inner), &segments);
        return distort::reading(call, &segments, outcome);
    }
    if let Some(error) = distort::refused(call) {
        return error.response();
    }
    let mut world = world.write().unwrap_or_else(PoisonError::into_inner);
    let outcome = change(call, &mut world, &segments);
    distort::written(call, &mut world, &segments, &outcome);
    call.respond(outcome)
}

fn get(call: &Call<'_>, world: &World, segments: &[&str]) -> Outcome {
    match segments {
        [tasks] if is_tasks(tasks) => Ok(jobs::list(call, world)),
        [tasks, id] if is_tasks(tasks) => jobs::item(call, world, id),
        [name] if name.eq_ignore_ascii_case("translations") => translations::list(call),
        [name, id] if name.eq_ignore_ascii_case("effectivePermissions") => permissions::get(call, world, id),
        [kind, id, tasks] if is_tasks(tasks) => jobs::below(call, world, call.find(kind)?, id),
        [kind, id, tasks, number] if is_tasks(tasks) => {
            jobs::item_below(call, world, call.find(kind)?, id, number)
        }
        [kind] => read::collection(call, world, call.find(kind)?),
        [kind, id] => read::item(call, world, call.find(kind)?, id),
        [kind, id, child] => read::below(call, world, call.find(kind)?, id, call.find(child)?),
        [kind, id, child, child_id] => {
            read::item_below(call, world, call.find(kind)?, id, call.find(child)?, child_id)
        }
        other => Err(RestError::unknown_resource(other.last().unwrap_or(&""))),
    }
}

fn change(call: &Call<'_>, world: &mut World, segments: &[&str]) -> Outcome {
    let (post, delete) = (call.method == Method::POST, call.method == Method::DELETE);
    let update = call.method == Method::PUT || call.method == Method::PATCH;
    match segments {
        [tasks, id] if is_tasks(tasks) && post => jobs::invoke(call, world, id),
        [kind, id, tasks, number] if is_tasks(tasks) && post => {
            jobs::item_below(call, world, call.find(kind)?, id, number)?;
            jobs::invoke(call, world, number)
        }
        [tasks, ..] if is_tasks(tasks) => Err(RestError::unknown_request()),
        [name, ..] if name.eq_ignore_ascii_case("effectivePermissions") => Err(RestError::unknown_request()),
        [name, ..] if name.eq_ignore_ascii_case("translations") => Err(RestError::unknown_request()),
        [kind] if post => {
            let kind = call.find(kind)?;
            match call.query.value("task") {
                Some(task) => tasks::on_collection(call, world, kind, task),
                None => write::create(call, world, kind, None),
            }
        }
        [kind, id] if post => tasks::on_item(call, world, call.find(kind)?, id),
        [kind, id] if update => write::update(call, world, call.find(kind)?, id),
        [kind, id] if delete => remove::delete(call, world, call.find(kind)?, id),
        [kind, id, child] if post => members::post(call, world, call.find(kind)?, id, call.find(child)?),
        [kind, id, child, child_id] if delete => {
            members::delete(call, world, call.find(kind)?, id, call.find(child)?, child_id)
        }
        [kind, id, child, child_id] if post => {
            let child = call.find(child)?;
            let sub = read::check_below(call, world, call.find(kind)?, id, child, child_id)?;
            call.verb(sub.item, 'P')?;
            tasks::on_item(call, world, child, child_id)
        }
        [kind, ..] => {
            call.find(kind)?;
            Err(RestError::unknown_request())
        }
        [] => Err(RestError::unknown_resource("")),
    }
}

/// Queued tasks are no objects of the table: their ids are numbers, and they come and go.
fn is_tasks(name: &str) -> bool {
    name.eq_ignore_ascii_case("tasks")
}

impl Call<'_> {
    /// The answer as it is sent.
    fn respond(&self, outcome: Outcome) -> Response<Bytes> {
        match outcome {
            Ok(answer) if self.old_style() => rest_json(answer.status, &show::old_style(answer.body)),
            Ok(answer) => rest_json(answer.status, &answer.body),
            Err(error) => error.response(),
        }
    }

    /// The type of that name, if this version has it (sheet 9).
    fn find(&self, name: &str) -> Result<&'static Type, RestError> {
        table::find(name)
            .filter(|kind| kind.since <= self.settings.version)
            .ok_or_else(|| RestError::unknown_resource(name))
    }

    /// The sub-collection of a type.
    fn sub(&self, kind: &'static Type, id: &str, child: &Type) -> Result<&'static Sub, RestError> {
        kind.sub(child.name()).ok_or_else(|| RestError::invalid_parent(kind.name(), id, child.name()))
    }

    /// Refuses a verb that is not there.
    fn verb(&self, verbs: &str, verb: char) -> Result<(), RestError> {
        if verbs.contains(verb) { Ok(()) } else { Err(RestError::unknown_request()) }
    }

    /// Refuses a caller who may not change configuration.
    fn may_write(&self) -> Result<(), RestError> {
        if rights::writes(&self.settings.switches, self.caller) {
            Ok(())
        } else {
            Err(RestError::forbidden())
        }
    }

    /// Refuses a caller who may not change an object; without an id it is about the whole collection.
    fn may_change(&self, world: &World, kind: &str, id: &str) -> Result<(), RestError> {
        let object = table::find(kind).and_then(|kind| single::find(world, kind, id));
        let may = |object: &Object| rights::changes(world, &self.settings.switches, self.caller, object);
        if object.as_deref().is_some_and(may) { Ok(()) } else { self.may_write() }
    }

    /// Refuses a caller who has not this right on an object.
    fn may(&self, world: &World, kind: &str, id: &str, action: &str) -> Result<(), RestError> {
        let mask = rights::mask(world, self.caller.role, world.store.get(kind, id));
        if mask & rights::action(action) != 0 { Ok(()) } else { Err(RestError::forbidden()) }
    }

    /// Refuses a caller who may not say who may do what with an object.
    fn may_secure(&self, world: &World, kind: &str, id: &str) -> Result<(), RestError> {
        let object = world.store.get(kind, id);
        let may = object.is_some_and(|object| rights::administers(world, self.caller, object));
        if may { Ok(()) } else { Err(RestError::forbidden()) }
    }

    /// The body as a JSON object; nothing at all counts as an empty one. The content type is not looked at: an
    /// official sample sends none (sheet 7.1).
    pub fn json(&self) -> Result<Map<String, Value>, RestError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Map::new());
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(RestError::bad("Bad request: a JSON object was expected")),
            Err(_) => Err(RestError::bad("Bad request: invalid JSON")),
        }
    }

    /// Whether booleans are text.
    fn old_style(&self) -> bool {
        match self.settings.switches.get(&STRING_BOOLEANS) {
            "on" => true,
            "off" => false,
            _ => self.settings.version < Version { major: 22, minor: 2 },
        }
    }

    /// Remembers an accepted change.
    pub fn record(&self, world: &mut World, body: &Map<String, Value>) {
        let body = Value::Object(body.clone());
        world.record(self.now, self.method.as_str(), self.target, &body, &self.caller.user);
    }
}

#[cfg(test)]
mod tests;
