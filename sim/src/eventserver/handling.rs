//! Alarms over REST (sheet 5.2). Who sees the source of an alarm sees it, raises it and handles it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Context, accepted,
    alarm::{self, Alarm},
    lock,
    sessions::{Entry, WINDOW},
};
use crate::{
    rest::{Answer, Outcome, body, error::RestError, source},
    world::{World, ids},
};

/// `GET /alarms`, newest first.
pub fn list(context: &Context<'_>) -> Outcome {
    let (skip, take) = context.page()?;
    let world = context.world();
    let alarms = lock(&context.server.alarms);
    let seen = alarms.newest().filter(|alarm| sees(context, &world, alarm)).skip(skip).take(take);
    let array: Vec<Value> = seen.map(|alarm| alarm.shown(context.with_data())).collect();
    Ok(Answer::ok(json!({ "array": array })))
}

/// `POST /alarms`.
pub fn post(context: &Context<'_>) -> Outcome {
    let body = context.call.json()?;
    let alarm = {
        let world = context.world();
        let source = body::required(&body, "source")?;
        let source = source::named(context.call, &world, "source", source)?;
        Alarm::posted(&world, source, &body, ids::fresh(), context.call.now, &context.call.caller.user)?
    };
    let alarm = lock(&context.server.alarms).raise(alarm);
    context.record(&body);
    Ok(accepted(alarm.shown(true)))
}

/// `GET /alarms/{id}`.
pub fn item(context: &Context<'_>, id: &str) -> Outcome {
    visible(context, id, |alarm| json!({ "data": alarm.shown(context.with_data()) })).map(Answer::ok)
}

/// `PATCH /alarms/{id}`.
pub fn patch(context: &Context<'_>, id: &str) -> Outcome {
    visible(context, id, |_| ())?;
    let body = context.call.json()?;
    let changes = alarm::changes(&context.world(), &body)?;
    let (now, who) = (context.call.now, &context.call.caller.user);
    let alarm = lock(&context.server.alarms).update(id, |alarm| alarm.change(changes, now, who));
    let alarm = alarm.ok_or_else(|| RestError::not_found("alarms", id))?;
    context.record(&body);
    Ok(accepted(alarm.shown(true)))
}

/// `GET /alarms/{id}/history`.
pub fn history(context: &Context<'_>, id: &str) -> Outcome {
    visible(context, id, |alarm| json!({ "array": alarm.history() })).map(Answer::ok)
}

/// `GET /alarms/{id}/snapshots`.
pub fn snapshots(context: &Context<'_>, id: &str) -> Outcome {
    visible(context, id, |alarm| json!({ "array": alarm.snapshots() })).map(Answer::ok)
}

/// `POST /alarms/{id}/snapshots`, with the picture in base64 [I: shape].
pub fn attach(context: &Context<'_>, id: &str) -> Outcome {
    visible(context, id, |_| ())?;
    let body = context.call.json()?;
    let image = body::long_text(&body, "image")?.unwrap_or_default();
    if image.is_empty() || STANDARD.decode(image).is_err() {
        return Err(RestError::property("image", "a picture in base64 was expected"));
    }
    let now = context.call.now;
    let (snapshot, time) = (ids::fresh(), now.wire());
    let entry = json!({ "id": snapshot, "time": time, "image": image });
    let alarm = lock(&context.server.alarms).update(id, |alarm| alarm.attach(entry, now));
    alarm.ok_or_else(|| RestError::not_found("alarms", id))?;
    // The log of changes need not hold pictures.
    context.record(&Map::new());
    Ok(accepted(json!({ "id": snapshot, "time": time })))
}

/// `POST /alarmSessions`.
pub fn open_session(context: &Context<'_>) -> Outcome {
    let cursor = lock(&context.server.alarms).last_change();
    let id = lock(&context.server.alarm_sessions).open(context.call, cursor);
    Ok(Answer::created(json!({ "data": { "id": id } })))
}

/// `GET /alarmSessions/{id}/alarms`; alarms change, so there is a third list [I: its name].
pub fn poll_session(context: &Context<'_>, id: &str) -> Outcome {
    let mut sessions = lock(&context.server.alarm_sessions);
    let session = sessions.of(context.call, "alarmSessions", id)?;
    let world = context.world();
    let alarms = lock(&context.server.alarms);
    let (mut added, mut updated) = (Vec::new(), Vec::new());
    for alarm in alarms.changed_after(session.cursor) {
        if added.len() + updated.len() == WINDOW {
            break;
        }
        session.cursor = alarm.change;
        if !sees(context, &world, alarm) {
            continue;
        }
        let entry = Entry { id: alarm.id.clone(), n: alarm.change, time: alarm.time.ticks() };
        let list = if session.show(entry) { &mut added } else { &mut updated };
        list.push(alarm.shown(context.with_data()));
    }
    let deleted = session.leave(|entry| alarms.get(&entry.id).is_some());
    Ok(Answer::ok(json!({ "data": {
        "addedToSession": added,
        "updatedInSession": updated,
        "deletedFromSession": deleted,
    } })))
}

/// Looks at an alarm that the caller sees.
fn visible<T>(context: &Context<'_>, id: &str, look: impl FnOnce(&Alarm) -> T) -> Result<T, RestError> {
    let world = context.world();
    let alarms = lock(&context.server.alarms);
    let alarm = alarms.get(id).ok_or_else(|| RestError::not_found("alarms", id))?;
    if sees(context, &world, alarm) {
        Ok(look(alarm))
    } else {
        Err(source::hidden(context.call, "alarms", id))
    }
}

/// Whether the caller sees the alarm.
pub fn sees(context: &Context<'_>, world: &World, alarm: &Alarm) -> bool {
    source::sees(context.call, world, alarm.source.0, &alarm.source.1)
}
