//! Events (sheet 5.1). What is posted goes into the journal like everything that happens, and from there to the sockets.
//! An event is stored as long as the journal keeps it, and a day at most.

use ::http::StatusCode;
use serde_json::{Map, Value, json};

use super::{
    Context, accepted, lock,
    sessions::{Entry, WINDOW},
    trigger,
};
use crate::{
    journal::Event,
    physical::{Kind, Machine},
    rest::{Answer, Outcome, body, error::RestError, source},
    stamp::SECOND,
    switches::EVENT_RETENTION,
    world::{World, ids},
};

/// Most events of one `POST /events/bulk`.
const LARGEST_BULK: usize = 2000;

/// How long events are stored, in ticks: the product's default of one day.
const RETENTION: i64 = 86_400 * SECOND;

/// `POST /events`.
pub fn post(context: &Context<'_>) -> Outcome {
    trigger(context, &context.call.json()?).map(accepted)
}

/// `POST /events/bulk`: each on its own [I: shape of the items].
pub fn post_bulk(context: &Context<'_>) -> Outcome {
    let Ok(Value::Array(items)) = serde_json::from_slice(context.call.body) else {
        return Err(RestError::bad("Bad request: a JSON array was expected"));
    };
    if items.len() > LARGEST_BULK {
        return Err(RestError::bad(format!("Bad request: more than {LARGEST_BULK} events")));
    }
    let one = |item: &Value| {
        let body = item.as_object().ok_or_else(|| RestError::bad("Bad request: a JSON object was expected"));
        match body.and_then(|body| trigger(context, body)) {
            Ok(data) => json!({ "status": StatusCode::ACCEPTED.as_u16(), "data": data }),
            Err(error) => json!({ "status": error.status().as_u16(), "error": error.body()["error"] }),
        }
    };
    let array: Vec<Value> = items.iter().map(one).collect();
    Ok(Answer { status: StatusCode::MULTI_STATUS, body: json!({ "array": array }) })
}

/// `GET /events`.
pub fn list(context: &Context<'_>) -> Outcome {
    let (skip, take) = context.page()?;
    let world = context.world();
    let events = context.journal.newest(|event| lists(context, &world, event), skip, take);
    let array: Vec<Value> = events.iter().map(|event| shown(event, context.with_data())).collect();
    Ok(Answer::ok(json!({ "array": array })))
}

/// `GET /events/{id}`.
pub fn item(context: &Context<'_>, id: &str) -> Outcome {
    let event = context.journal.get(id).filter(|event| is_stored(context, event));
    let event = event.ok_or_else(|| RestError::not_found("events", id))?;
    if !sees(context, &context.world(), &event) {
        return Err(source::hidden(context.call, "events", id));
    }
    Ok(Answer::ok(json!({ "data": event.to_cloud_event() })))
}

/// `POST /eventSessions`.
pub fn open_session(context: &Context<'_>) -> Outcome {
    let id = lock(&context.server.event_sessions).open(context.call, context.journal.last());
    Ok(Answer::created(json!({ "data": { "id": id } })))
}

/// `GET /eventSessions/{id}/events`.
pub fn poll_session(context: &Context<'_>, id: &str) -> Outcome {
    let mut sessions = lock(&context.server.event_sessions);
    let session = sessions.of(context.call, "eventSessions", id)?;
    let mut added = Vec::new();
    while added.len() < WINDOW {
        let batch = context.journal.after(session.cursor, WINDOW - added.len());
        let Some(last) = batch.last() else { break };
        session.cursor = last.n;
        let world = context.world();
        for event in batch.iter().filter(|event| lists(context, &world, event)) {
            session.show(Entry { id: event.id.clone(), n: event.n, time: event.time });
            added.push(shown(event, context.with_data()));
        }
    }
    let first = context.journal.first();
    let deleted = session.leave(|entry| entry.n >= first && is_young(context, entry.time));
    Ok(Answer::ok(json!({ "data": { "addedToSession": added, "deletedFromSession": deleted } })))
}

fn trigger(context: &Context<'_>, body: &Map<String, Value>) -> Result<Value, RestError> {
    let event = {
        let world = context.world();
        let kind = trigger::event_type(context.call, &world, body::required(body, "type")?)?;
        let source = match body::text(body, "source")? {
            Some(named) => source::named(context.call, &world, "source", named)?,
            // A user-defined event is about itself (sheet 5.1).
            None if kind.kind == "userDefinedEvents" => kind,
            None => return Err(RestError::property("source", "a value is needed")),
        };
        Event {
            n: 0,
            physical: None,
            id: ids::fresh(),
            resource: source.kind,
            object: source.id.clone(),
            kind: kind.id.clone(),
            time: context.call.now.ticks(),
            state_group: Some(kind.text("stateGroupId").to_owned()).filter(|group| !group.is_empty()),
            injected: false,
            data: body.get("data").filter(|data| !data.is_null()).cloned(),
        }
    };
    Ok(context.journal.push(event).to_cloud_event())
}

fn shown(event: &Event, with_data: bool) -> Value {
    let mut json = event.to_cloud_event();
    if let Some(members) = json.as_object_mut().filter(|_| !with_data) {
        members.shift_remove("datacontenttype");
        members.shift_remove("data");
    }
    json
}

fn lists(context: &Context<'_>, world: &World, event: &Event) -> bool {
    is_stored(context, event) && sees(context, world, event)
}

fn sees(context: &Context<'_>, world: &World, event: &Event) -> bool {
    source::sees(context.call, world, event.resource, &event.object)
}

/// Whether the event's type is one that is stored, and the event is not too old.
fn is_stored(context: &Context<'_>, event: &Event) -> bool {
    let is_motion =
        || Kind::ALL.iter().any(|kind| kind.machine() == Machine::Motion && kind.event_type() == event.kind);
    let kept = match context.call.settings.switches.get(&EVENT_RETENTION) {
        "none" => false,
        "no-motion" => !is_motion(),
        _ => true,
    };
    kept && is_young(context, event.time)
}

fn is_young(context: &Context<'_>, time: i64) -> bool {
    context.call.now.ticks().saturating_sub(time) < RETENTION
}
