//! Task invocation `?task=` (sheet 3.3) and the table of tasks.

mod hardware;
mod media;
mod plugins;
mod ptz;
mod reach;
mod reactions;
mod recorders;
mod roles;
mod security;
mod site;
mod storages;
mod users;
mod views;
mod walls;

use std::sync::LazyLock;

use ::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{Answer, Call, Outcome, RestError, field::Field, field::Kind, read::visible, table::Type, write};
use crate::{
    stamp::Stamp,
    switches::TASK_TIME,
    world::{Job, JobState, World},
};

/// One task.
pub struct TaskRow {
    /// Its id in `?task=`.
    pub id: &'static str,
    /// Readable name.
    pub display: &'static str,
    /// Parameters in the notation of [`super::field`]; `!` marks those that must be given.
    parameters: &'static str,
    /// What a caller needs.
    needs: Needs,
    /// Whether it changes an object.
    changes: bool,
    /// When it takes effect.
    run: Run,
}

#[derive(PartialEq, Eq)]
enum Needs {
    /// To see the object.
    Sight,
    /// To have this right on the object.
    Right(&'static str),
    /// To be allowed to write.
    Write,
    /// To be allowed to say who may do what with the object.
    Security,
}

enum Run {
    /// In the answer.
    Now(Effect),
    /// Later, as a queued task.
    Later(Effect),
}

/// What a task does; the error is the text that the caller or the queued task shows.
pub type Effect = fn(&mut World, &Invocation<'_>) -> Result<Effected, String>;

/// A task with checked parameters.
pub struct Invocation<'a> {
    /// Type and id of the object it was invoked on; the id is empty for a collection.
    pub target: (&'static str, &'a str),
    /// Its parameters.
    pub parameters: &'a Map<String, Value>,
    /// SID of the caller.
    pub caller: &'a str,
    /// Now.
    pub now: Stamp,
}

/// What a task gives.
#[derive(Default)]
pub struct Effected {
    /// More members of `result`.
    pub result: Map<String, Value>,
    /// The object that it made.
    pub made: Option<(&'static str, String)>,
    /// A task that can change something only said how it is.
    pub only_read: bool,
}

/// Every task; their rows are in a file a subject.
fn tasks() -> impl Iterator<Item = &'static TaskRow> {
    [
        users::TASKS,
        roles::TASKS,
        security::TASKS,
        site::TASKS,
        reactions::TASKS,
        views::TASKS,
        walls::TASKS,
        plugins::TASKS,
        recorders::TASKS,
        storages::TASKS,
        hardware::TASKS,
        media::TASKS,
        ptz::TASKS,
    ]
    .into_iter()
    .flatten()
}

/// The task of that id.
pub fn find(id: &str) -> Option<&'static TaskRow> {
    tasks().find(|task| task.id.eq_ignore_ascii_case(id))
}

impl TaskRow {
    fn parameters(&'static self) -> &'static [Field] {
        static READ: LazyLock<Vec<(&'static str, Vec<Field>)>> = LazyLock::new(|| {
            let fields =
                |task: &TaskRow| task.parameters.split_whitespace().filter_map(Field::parse).collect();
            tasks().map(|task| (task.id, fields(task))).collect()
        });
        READ.iter().find(|(id, _)| *id == self.id).map_or(&[], |(_, fields)| fields)
    }
}

/// `POST /type?task=`.
pub(super) fn on_collection(call: &Call<'_>, world: &mut World, kind: &'static Type, task: &str) -> Outcome {
    let known = kind.collection_tasks().find(|name| name.eq_ignore_ascii_case(task));
    let task = known.and_then(find).ok_or_else(RestError::unknown_request)?;
    invoke(call, world, (kind.name(), String::new()), task)
}

/// `POST /type/{id}?task=`.
pub(super) fn on_item(call: &Call<'_>, world: &mut World, kind: &'static Type, id: &str) -> Outcome {
    let object = visible(call, world, kind, id)?;
    let wanted = call.query.value("task").unwrap_or_default();
    let known = kind.tasks(call.settings.version).find(|name| name.eq_ignore_ascii_case(wanted));
    let task = known.and_then(find).ok_or_else(RestError::unknown_request)?;
    let id = object.id.clone();
    invoke(call, world, (kind.name(), id), task)
}

/// Runs or queues a task on an object that the caller sees.
pub(super) fn invoke(
    call: &Call<'_>,
    world: &mut World,
    target: (&'static str, String),
    task: &'static TaskRow,
) -> Outcome {
    match task.needs {
        Needs::Sight => {}
        Needs::Right(action) => call.may(world, target.0, &target.1, action)?,
        Needs::Write => call.may_change(world, target.0, &target.1)?,
        Needs::Security => call.may_secure(world, target.0, &target.1)?,
    }
    let body = call.json()?;
    let fields = task.parameters();
    if fields.iter().any(|field| field.required && !body.contains_key(field.name)) {
        let empty = fields.iter().map(|field| (field.name.to_owned(), "".into())).collect();
        let definitions = fields.iter().map(|field| (field.name.to_owned(), field.definition())).collect();
        return Err(RestError::parameters_missing(
            empty,
            call.query.flag("definitions").then_some(definitions),
        ));
    }
    let given = with_paths(fields, &body);
    let parameters = write::checked(call, world, fields, &given, true)?;
    let shown = |field: &&Field| field.kind != Kind::Password;
    let echoed = fields
        .iter()
        .filter(shown)
        .filter_map(|field| parameters.get(field.name).map(|value| (field.name.to_owned(), value.clone())));
    let mut result: Map<String, Value> = echoed.collect();
    let mut changed = task.changes;
    reach::check(world, (target.0, &target.1), task.id)?;
    let status = match &task.run {
        Run::Now(effect) => {
            let invocation = Invocation {
                target: (target.0, &target.1),
                parameters: &parameters,
                caller: &call.caller.sid,
                now: call.now,
            };
            let done = effect(world, &invocation).map_err(RestError::bad)?;
            result.extend(done.result);
            changed &= !done.only_read;
            result.insert("state".to_owned(), "Success".into());
            if let Some((kind, id)) = done.made {
                result.insert("path".to_owned(), json!({ "type": kind, "id": id }));
            }
            StatusCode::OK
        }
        Run::Later(_) => {
            let duration = i64::try_from(call.settings.switches.number(&TASK_TIME)).unwrap_or(i64::MAX);
            let (owner, started) = (call.caller.sid.clone(), call.now);
            let state = JobState::Running;
            let id = world.jobs.add(Job { task, target, parameters, owner, started, duration, state });
            result.insert("state".to_owned(), "Idle".into());
            result.insert("path".to_owned(), json!({ "type": "tasks", "id": id.to_string() }));
            StatusCode::CREATED
        }
    };
    if changed {
        call.record(world, &body);
    }
    Ok(Answer { status, body: json!({ "result": result }) })
}

/// Lets queued tasks that are due take effect.
pub fn settle(world: &mut World, now: Stamp) {
    for id in world.jobs.due(now) {
        let Some(job) = world.jobs.list.get(&id) else { continue };
        let (target, parameters, caller) = (job.target.clone(), job.parameters.clone(), job.owner.clone());
        let target = (target.0, target.1.as_str());
        let invocation = Invocation { target, parameters: &parameters, caller: &caller, now };
        let (Run::Now(effect) | Run::Later(effect)) = job.task.run;
        let state = match effect(world, &invocation) {
            Ok(done) => JobState::Done(done.made, done.result),
            Err(text) => JobState::Failed(text),
        };
        if let Some(job) = world.jobs.list.get_mut(&id) {
            job.state = state;
        }
    }
}

/// Path parameters may also come as references `{"type","id"}` or, as in the OpenAPI examples, both ways.
fn with_paths(fields: &[Field], body: &Map<String, Value>) -> Map<String, Value> {
    let mut given = body.clone();
    for field in fields {
        match (&field.kind, body.get(field.name)) {
            (Kind::Path(_), Some(Value::Object(reference))) => {
                let part = |name: &str| reference.get(name).and_then(Value::as_str);
                if let Some((kind, id)) = part("type").zip(part("id")) {
                    given.insert(field.name.to_owned(), format!("{kind}/{id}").into());
                }
            }
            (Kind::References(_), Some(Value::Array(items))) => {
                let reference = |item: &Value| match item.as_str().and_then(|text| text.split_once('/')) {
                    Some((kind, id)) => json!({ "type": kind, "id": id }),
                    None => item.clone(),
                };
                given.insert(field.name.to_owned(), items.iter().map(reference).collect());
            }
            _ => {}
        }
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_read() {
        for task in tasks() {
            assert_eq!(task.parameters().len(), task.parameters.split_whitespace().count(), "{}", task.id);
        }
    }
}
