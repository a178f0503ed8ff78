//! Evidence locks (sheet 5.4): recordings that are kept longer.

use serde_json::{Map, Value, json};

use super::{
    Context, Kind,
    search::{self, Sieve},
    shelf::{Device, Mark},
};
use crate::{
    rest::{body, error::RestError},
    stamp::Stamp,
    world::World,
};

/// What is special about them.
pub static KIND: Kind = Kind {
    name: "evidenceLocks",
    times: ["startTime", "tagTime", "endTime"],
    create,
    change,
    searches: &[("search", search)],
};

/// Devices of one lock.
const MOST_DEVICES: usize = 1000;

/// What a simulated device records in a second: 2 Mbit.
const BYTES_PER_SECOND: i64 = 250_000;

/// When a lock ends that never ends.
const NEVER: &str = "9999-12-31T23:59:59.9999999Z";

/// Hours of the units of `retentionOption` [I: their names].
const UNITS: [(&str, i64); 5] =
    [("Hours", 1), ("Days", 24), ("Weeks", 24 * 7), ("Months", 24 * 30), ("Years", 24 * 365)];

/// The longest retention in hours, a thousand years: sums stay far from overflow.
const LONGEST: i64 = 24 * 365 * 1000;

/// What a search can be sorted by and limited to.
const TIMES: [&str; 6] = ["created", "lastModified", "startTime", "tagTime", "endTime", "retentionExpire"];

fn create(context: &Context<'_>, world: &World, body: &Map<String, Value>) -> Result<Mark, RestError> {
    let devices = devices(context, world, body)?;
    let devices = devices.ok_or_else(|| RestError::property("devicePaths", "a value is needed"))?;
    let needed =
        |name: &str| body::time(body, name)?.ok_or_else(|| RestError::property(name, "a value is needed"));
    let (start, end) = (needed("startTime")?, needed("endTime")?);
    let mut mark = context.mark(body, devices)?;
    mark.fields.insert("created".to_owned(), context.call.now.wire().into());
    mark.fields
        .insert("retentionOption".to_owned(), json!({ "retentionType": "Indefinite", "retentionUnits": -1 }));
    finish(context, body, &mut mark, [start, start, end])?;
    Ok(mark)
}

fn change(
    context: &Context<'_>,
    world: &World,
    body: &Map<String, Value>,
    mark: &mut Mark,
) -> Result<(), RestError> {
    if let Some(devices) = devices(context, world, body)? {
        mark.devices = devices;
    }
    finish(context, body, mark, context.times(mark))
}

/// Sets what a body changes and what follows from it.
fn finish(
    context: &Context<'_>,
    body: &Map<String, Value>,
    mark: &mut Mark,
    times: [Stamp; 3],
) -> Result<(), RestError> {
    let now = context.call.now;
    context.set_common(body, mark, times)?;
    if let Some(option) = body.get("retentionOption").filter(|option| !option.is_null()) {
        let (hours, option) = retention(option)?;
        mark.expires = hours.map(|hours| now.plus_millis(hours * 3_600_000));
        mark.fields.insert("retentionOption".to_owned(), option);
    }
    let [start, _, end] = context.times(mark);
    let devices = i64::try_from(mark.devices.len()).unwrap_or(i64::MAX);
    let size = (end.millis_since(start) / 1000).saturating_mul(BYTES_PER_SECOND).saturating_mul(devices);
    let paths: Vec<Value> = mark.devices.iter().map(|(kind, id)| json!({ "type": kind, "id": id })).collect();
    let expire = mark.expires.map_or_else(|| NEVER.to_owned(), Stamp::wire);
    mark.fields.insert("lastModified".to_owned(), now.wire().into());
    mark.fields.insert("retentionExpire".to_owned(), expire.into());
    mark.fields.insert("retentionSize".to_owned(), size.into());
    mark.fields.insert("devicePaths".to_owned(), paths.into());
    Ok(())
}

fn devices(
    context: &Context<'_>,
    world: &World,
    body: &Map<String, Value>,
) -> Result<Option<Vec<Device>>, RestError> {
    let bad = |why: &str| RestError::property("devicePaths", why);
    match body.get("devicePaths") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(paths)) if paths.is_empty() => Err(bad("a device is needed")),
        Some(Value::Array(paths)) if paths.len() > MOST_DEVICES => {
            Err(bad(&format!("more than {MOST_DEVICES} devices")))
        }
        Some(Value::Array(paths)) => paths
            .iter()
            .map(|path| context.device(world, "devicePaths", path))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(bad("a list was expected")),
    }
}

/// Hours of a retention option, `None` for ever; and the option as it is kept.
fn retention(option: &Value) -> Result<(Option<i64>, Value), RestError> {
    let bad = |why: &str| RestError::property("retentionOption", why);
    let kind = option.get("retentionType").and_then(Value::as_str).unwrap_or_default();
    if kind.eq_ignore_ascii_case("Indefinite") {
        return Ok((None, json!({ "retentionType": "Indefinite", "retentionUnits": -1 })));
    }
    let unit = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
    let (name, hours) = unit.ok_or_else(|| bad("a retentionType was expected"))?;
    let units = option.get("retentionUnits").and_then(Value::as_i64).filter(|units| *units > 0);
    let total = units.and_then(|units| units.checked_mul(*hours)).filter(|total| *total <= LONGEST);
    let total = total.ok_or_else(|| bad("retentionUnits must be above 0, and less than a thousand years"))?;
    Ok((Some(total), json!({ "retentionType": name, "retentionUnits": units })))
}

/// `?task=search`: a page of those that meet all conditions, `<time>From` and `<time>To` among them.
fn search(
    context: &Context<'_>,
    parameters: &Map<String, Value>,
    seen: &[&Mark],
) -> Result<Vec<Value>, RestError> {
    search::needs(parameters, &["pageIndex", "pageSize"])?;
    let sieve = Sieve::read(parameters)?;
    let mut found: Vec<&Mark> = seen.iter().copied().filter(|mark| sieve.admits(mark)).collect();
    for name in TIMES {
        if let Some(from) = body::time(parameters, &format!("{name}From"))? {
            found.retain(|mark| mark.text(name) >= from.wire().as_str());
        }
        if let Some(to) = body::time(parameters, &format!("{name}To"))? {
            found.retain(|mark| mark.text(name) <= to.wire().as_str());
        }
    }
    let order = body::text(parameters, "sortOrder")?.unwrap_or("created");
    let order = TIMES
        .into_iter()
        .chain(["header", "user", "reference"])
        .find(|name| name.eq_ignore_ascii_case(order));
    let order =
        order.ok_or_else(|| RestError::property("sortOrder", "the name of a text or a time was expected"))?;
    found.sort_by(|a, b| a.text(order).cmp(b.text(order)));
    if parameters.get("sortAscending") == Some(&Value::Bool(false)) {
        found.reverse();
    }
    let size = search::count(parameters, "pageSize")?;
    let index = parameters.get("pageIndex").and_then(Value::as_u64);
    let index = index.ok_or_else(|| RestError::property("pageIndex", "a number was expected"))?;
    let skip = usize::try_from(index).unwrap_or(usize::MAX).saturating_mul(size);
    Ok(found.into_iter().skip(skip).take(size).map(|mark| context.shown(mark).into()).collect())
}
