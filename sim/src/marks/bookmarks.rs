//! Bookmarks (sheet 5.3).

use serde_json::{Map, Value, json};

use super::{
    Context, Kind,
    search::{self, Sieve},
    shelf::Mark,
};
use crate::{
    rest::{body, error::RestError},
    stamp::Stamp,
    world::World,
};

/// What is special about them.
pub static KIND: Kind = Kind {
    name: "bookmarks",
    times: ["timeBegin", "timeTriggered", "timeEnd"],
    create,
    change,
    searches: &[("searchtime", search_time), ("searchfrombookmark", search_from_bookmark)],
};

fn create(context: &Context<'_>, world: &World, body: &Map<String, Value>) -> Result<Mark, RestError> {
    let reference = body.get("devicePath").unwrap_or(&Value::Null);
    let (kind, id) = context.device(world, "devicePath", reference)?;
    let name = world.store.get(kind, &id).map_or("", |device| device.text("name"));
    let mut mark = context.mark(body, vec![(kind, id.clone())])?;
    let triggered = body::time(body, "timeTriggered")?.unwrap_or(context.call.now);
    context.set_common(body, &mut mark, [triggered; 3])?;
    mark.fields.insert("devicePath".to_owned(), json!({ "type": kind, "id": id }));
    mark.fields.insert("deviceName".to_owned(), name.into());
    Ok(mark)
}

fn change(
    context: &Context<'_>,
    _: &World,
    body: &Map<String, Value>,
    mark: &mut Mark,
) -> Result<(), RestError> {
    context.set_common(body, mark, context.times(mark))
}

/// `?task=searchTime`: around a time, forwards or, with a negative limit, backwards.
fn search_time(
    context: &Context<'_>,
    parameters: &Map<String, Value>,
    seen: &[&Mark],
) -> Result<Vec<Value>, RestError> {
    search::needs(parameters, &["time", "timeLimit", "countLimit", "deviceTypes"])?;
    let time =
        body::time(parameters, "time")?.ok_or_else(|| RestError::property("time", "a time was expected"))?;
    from(context, parameters, seen.iter().copied(), time)
}

/// `?task=searchFromBookmark`: the neighbours of a bookmark, which is not one of them.
fn search_from_bookmark(
    context: &Context<'_>,
    parameters: &Map<String, Value>,
    seen: &[&Mark],
) -> Result<Vec<Value>, RestError> {
    search::needs(parameters, &["bookmarkId", "timeLimit", "countLimit", "deviceTypes"])?;
    let id = body::required(parameters, "bookmarkId")?;
    let start = seen.iter().find(|mark| mark.id.eq_ignore_ascii_case(id));
    let start = start.ok_or_else(|| RestError::not_found(KIND.name, id))?;
    let [_, time, _] = context.times(start);
    from(context, parameters, seen.iter().copied().filter(|mark| mark.id != start.id), time)
}

fn from<'m>(
    context: &Context<'_>,
    parameters: &Map<String, Value>,
    marks: impl Iterator<Item = &'m Mark>,
    time: Stamp,
) -> Result<Vec<Value>, RestError> {
    let limit = search::seconds(parameters, "timeLimit")?;
    let count = search::count(parameters, "countLimit")?;
    let types = body::list(parameters, "deviceTypes")?.unwrap_or_default();
    let sieve = Sieve::read(parameters)?;
    let end = time.plus_millis(limit.saturating_mul(1000));
    let triggered = |mark: &Mark| context.times(mark)[1];
    let within = |mark: &Mark| (time.min(end)..=time.max(end)).contains(&triggered(mark));
    let of_type =
        |mark: &Mark| types.is_empty() || mark.devices.iter().any(|(kind, _)| is_type(&types, kind));
    let mut found: Vec<&Mark> =
        marks.filter(|mark| within(mark) && of_type(mark) && sieve.admits(mark)).collect();
    found.sort_by_key(|mark| triggered(mark));
    if limit < 0 {
        found.reverse();
    }
    Ok(found.into_iter().take(count).map(|mark| context.shown(mark).into()).collect())
}

/// `cameras` and, as in SOAP, `Camera` are the same.
fn is_type(types: &[&str], kind: &str) -> bool {
    let singular = kind.trim_end_matches('s');
    types.iter().any(|name| name.eq_ignore_ascii_case(kind) || name.eq_ignore_ascii_case(singular))
}
