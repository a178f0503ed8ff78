//! `/tasks`: queued tasks (sheet 3.3).

use serde_json::{Map, Value, json};

use super::{Answer, Call, Outcome, RestError, read::visible, table::Type};
use crate::{
    identity::Role,
    world::{Job, JobState, World},
};

/// `GET /tasks`.
pub fn list(call: &Call<'_>, world: &World) -> Answer {
    let jobs = world.jobs.list.iter().filter(|(_, job)| sees(call, job));
    Answer::ok(json!({ "array": jobs.map(|(id, job)| show(call, *id, job)).collect::<Vec<_>>() }))
}

/// `GET /tasks/{id}`.
pub fn item(call: &Call<'_>, world: &World, id: &str) -> Outcome {
    let (number, job) = find(call, world, id)?;
    Ok(Answer::ok(json!({ "data": show(call, number, job) })))
}

/// `GET /recordingServers/{id}/tasks`: the tasks that were invoked on it.
pub fn below(call: &Call<'_>, world: &World, kind: &'static Type, id: &str) -> Outcome {
    let owner = owner(call, world, kind, id)?;
    let jobs = world.jobs.list.iter().filter(|(_, job)| sees(call, job) && job.target.1 == owner);
    Ok(Answer::ok(json!({ "array": jobs.map(|(id, job)| show(call, *id, job)).collect::<Vec<_>>() })))
}

/// `GET /recordingServers/{id}/tasks/{id}`.
pub fn item_below(call: &Call<'_>, world: &World, kind: &'static Type, id: &str, number: &str) -> Outcome {
    let owner = owner(call, world, kind, id)?;
    match find(call, world, number)? {
        (number, job) if job.target.1 == owner => Ok(Answer::ok(json!({ "data": show(call, number, job) }))),
        _ => Err(RestError::not_found("tasks", number)),
    }
}

/// The id of an object that can have tasks below it: only recording servers can (sheet 3.5).
fn owner(call: &Call<'_>, world: &World, kind: &'static Type, id: &str) -> Result<String, RestError> {
    let object = visible(call, world, kind, id)?;
    if kind.name() == "recordingServers" {
        Ok(object.id.clone())
    } else {
        Err(RestError::invalid_parent(kind.name(), &object.id, "tasks"))
    }
}

/// `POST /tasks/{id}?task=TaskCleanup` or `TaskStop`.
pub fn invoke(call: &Call<'_>, world: &mut World, id: &str) -> Outcome {
    let (number, _) = find(call, world, id)?;
    let task = call.query.value("task").unwrap_or_default();
    if task.eq_ignore_ascii_case("TaskCleanup") {
        world.jobs.list.remove(&number);
    } else if task.eq_ignore_ascii_case("TaskStop") {
        if let Some(job) = world.jobs.list.get_mut(&number).filter(|job| job.state == JobState::Running) {
            job.state = JobState::Failed("The task was stopped.".to_owned());
        }
    } else {
        return Err(RestError::unknown_request());
    }
    Ok(Answer::ok(json!({ "result": { "state": "Success" } })))
}

fn find<'w>(call: &Call<'_>, world: &'w World, id: &str) -> Result<(u32, &'w Job), RestError> {
    let job = id.parse().ok().and_then(|number: u32| world.jobs.list.get(&number).map(|job| (number, job)));
    job.filter(|(_, job)| sees(call, job)).ok_or_else(|| RestError::not_found("tasks", id))
}

fn sees(call: &Call<'_>, job: &Job) -> bool {
    call.caller.role == Role::Administrators || job.owner == call.caller.sid
}

fn show(call: &Call<'_>, id: u32, job: &Job) -> Value {
    let (kind, target) = &job.target;
    let mut relations = Map::new();
    relations.insert("parent".to_owned(), json!({ "type": kind, "id": target }));
    relations.insert("self".to_owned(), json!({ "type": "tasks", "id": id.to_string() }));
    let (state, code, text) = match &job.state {
        JobState::Running => ("InProgress", 0, ""),
        JobState::Done(made, _) => {
            if let Some((kind, id)) = made {
                relations.insert((*kind).to_owned(), json!({ "type": kind, "id": id }));
            }
            ("Success", 0, "")
        }
        JobState::Failed(text) => ("Error", number(text), text.as_str()),
    };
    let mut shown = json!({
        "displayName": job.task.display,
        "progress": job.progress(call.now),
        "state": state,
        "errorCode": code,
        "errorText": text,
        "relations": relations,
    });
    if let (Value::Object(shown), JobState::Done(_, result)) = (&mut shown, &job.state) {
        shown.extend(result.clone());
    }
    shown
}

/// The number in a text like `VMO60277: ...` (sheet 3.4).
fn number(text: &str) -> u32 {
    let digits = text.strip_prefix("VMO").and_then(|rest| rest.split(':').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
