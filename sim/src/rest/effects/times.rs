//! Tasks on time profiles and audio messages.

use serde_json::{Map, Value, json};

use crate::{
    rest::{
        effects::sequences::span,
        tasks::{Effected, Invocation},
    },
    stamp::Stamp,
    world::{Object, World, ids},
};

const GONE: &str = "The object is gone.";
/// Hidden member of an audio message, wrapped so that nobody takes it for text.
const CONTENT: &str = "_content";
/// Appointments of a profile.
const MOST: usize = 1000;

/// `AddAppointment{subject, startDateTime, endDateTime, allDayEvent}`.
pub fn add(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let (start, end) = (task.text("startDateTime"), task.text("endDateTime"));
    if Stamp::parse(end) <= Stamp::parse(start) {
        return Err("Bad request: the appointment ends before it starts".to_owned());
    }
    let appointment = json!({
        "allDayEvent": task.parameters.get("allDayEvent").cloned().unwrap_or(Value::Bool(false)),
        "endDateTime": end,
        "originalStartDateTime": start,
        "startDateTime": start,
        "subject": task.text("subject"),
    });
    push(world, task, "timeProfileAppointmentRoot", appointment)
}

/// `AddRecurringAppointment{recurrence...}`.
pub fn add_recurring(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let clock = |name: &str| {
        let text = task.text(name);
        span(
            text.split_once('T')
                .map_or(text, |(_, clock)| clock.split(['.', 'Z', '+']).next().unwrap_or(clock)),
        )
        .ok_or_else(|| format!("Bad request: invalid value for {name}"))
    };
    let (start, length) = (clock("recurrenceOccurrenceStartTime")?, clock("recurrenceOccurrenceDuration")?);
    let day = Stamp::parse(task.text("recurrenceRangeStartDate")).ok_or("Bad request: invalid date")?;
    let midnight = day.seconds().div_euclid(86_400) * 86_400;
    let at = |seconds: i64| Stamp::from_seconds(midnight + seconds).wire();
    let frequency = task.text("recurrencePatternFrequency");
    let mut appointment = task.parameters.clone();
    for (name, value) in [
        ("appointmentRootId", ids::fresh()),
        ("recurrenceDescription", format!("{frequency} from {}", task.text("recurrenceOccurrenceStartTime"))),
        ("startDateTime", at(start)),
        ("endDateTime", at(start + length)),
    ] {
        appointment.insert(name.to_owned(), value.into());
    }
    push(world, task, "timeProfileAppointmentRecur", appointment.into())
}

/// `GetAudioMessageContent`.
pub fn audio(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let message = world.store.get("audioMessages", task.target.1).ok_or(GONE)?;
    let content = message.fields.get(CONTENT).and_then(|content| content.get(0)).cloned();
    let result = Map::from_iter([
        ("audioMessageContent".to_owned(), content.unwrap_or_else(|| "".into())),
        ("originalFileName".to_owned(), message.text("originalFileName").into()),
    ]);
    Ok(Effected { result, ..Effected::default() })
}

/// `SetAudioMessageContent{audioMessageContent, originalFileName}`.
pub fn set_audio(world: &mut World, task: &Invocation<'_>) -> Result<Effected, String> {
    let message = world.store.get_mut("audioMessages", task.target.1).ok_or(GONE)?;
    message.set(CONTENT, vec![task.text("audioMessageContent")]);
    if !task.text("originalFileName").is_empty() {
        message.set("originalFileName", task.text("originalFileName"));
    }
    message.set("lastModified", task.now.wire());
    Ok(Effected::default())
}

fn push(
    world: &mut World,
    task: &Invocation<'_>,
    list: &str,
    appointment: Value,
) -> Result<Effected, String> {
    let profile: &mut Object = world.store.get_mut("timeProfiles", task.target.1).ok_or(GONE)?;
    if profile.text("timeProfileType") == "Sunclock" {
        return Err("Bad request: a sunclock profile has no appointments".to_owned());
    }
    let mut items = profile.fields.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    if items.len() >= MOST {
        return Err(format!("Bad request: a profile has at most {MOST} appointments"));
    }
    items.push(appointment);
    profile.set(list, items);
    profile.set("lastModified", task.now.wire());
    Ok(Effected::default())
}
