//! Ordinary edits on both sides while the demo runs, and how long until the gatekeeper shows them.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::operator::{Operator, list, text};
use super::person::{At, Person};
use crate::progress::Progress;

/// One edit.
pub struct Edit {
    /// What the person did.
    pub what: String,
    /// From the answer to the last change until the gatekeeper showed it; `None`: it did not.
    pub seen_after: Option<Duration>,
    /// What it is shown as.
    pub shown: String,
}

/// What an edit has to become.
enum Expected<'a> {
    /// An operation on the object with this name that changes exactly these fields.
    Operation { kind: &'a str, act: &'a str, name: &'a str, fields: Option<&'a [&'a str]> },
    /// A conflict about this field.
    Conflict { name: &'a str, field: &'a str },
    /// Drift of this field.
    Drift { name: &'a str, field: &'a str },
}

/// Makes all edits, one after the other, and waits for each to be seen.
pub async fn perform(
    person: &mut Person,
    operator: &mut Operator,
    plan: &Value,
    progress: &Progress,
) -> anyhow::Result<Vec<Edit>> {
    use At::{Primary, Standby};
    let (a, b) = (person.name(Primary), person.name(Standby));
    let mut cameras = untouched(person, plan).await?.into_iter();
    let mut camera = || cameras.next().context("no camera is alike on both sides");
    let role = role(person).await?;
    let mut edits = Vec::new();

    let one = camera()?;
    let new_name = format!("{} (new lens)", one.name);
    progress.step("a person renames a camera");
    person.change(Primary, "cameras", &one.ids[0], json!({ "name": new_name })).await?;
    let expected =
        Expected::Operation { kind: "cameras", act: "rename", name: &new_name, fields: Some(&["name"]) };
    edits.push(wait(operator, format!("{a}: camera {:?} renamed", one.name), &expected).await?);

    progress.step("a person makes a user-defined event");
    person.create(Primary, "userDefinedEvents", json!({ "name": EVENT })).await?;
    let expected =
        Expected::Operation { kind: "userDefinedEvents", act: "create", name: EVENT, fields: None };
    edits.push(wait(operator, format!("{a}: new user-defined event {EVENT:?}"), &expected).await?);

    progress.step("a person changes a role");
    person.change(Primary, "roles", &role, json!({ "description": "night shift, too" })).await?;
    let expected =
        Expected::Operation { kind: "roles", act: "update", name: ROLE, fields: Some(&["description"]) };
    edits.push(wait(operator, format!("{a}: role {ROLE:?} changed"), &expected).await?);

    let two = camera()?;
    progress.step("two persons change the same field of one camera");
    person.change(Primary, "cameras", &two.ids[0], json!({ "shortName": "north" })).await?;
    person.change(Standby, "cameras", &two.ids[1], json!({ "shortName": "south" })).await?;
    let expected = Expected::Conflict { name: &two.name, field: "shortName" };
    let what = format!("{a} and {b}: the same field of camera {:?}", two.name);
    edits.push(wait(operator, what, &expected).await?);

    let three = camera()?;
    progress.step("two persons change different fields of one camera");
    person.change(Primary, "cameras", &three.ids[0], json!({ "shortName": "yard" })).await?;
    person.change(Standby, "cameras", &three.ids[1], json!({ "description": "by the fence" })).await?;
    let (kind, name) = ("cameras", three.name.as_str());
    let expected = Expected::Operation { kind, act: "update", name, fields: Some(&["shortName"]) };
    let what = format!("{a} and {b}: different fields of camera {name:?}");
    edits.push(wait(operator, what, &expected).await?);

    let four = camera()?;
    progress.step("a person changes a camera on the standby alone");
    person.change(Standby, "cameras", &four.ids[1], json!({ "recordingEnabled": false })).await?;
    let expected = Expected::Drift { name: &four.name, field: "recordingEnabled" };
    edits
        .push(wait(operator, format!("{b} alone: camera {:?} records no more", four.name), &expected).await?);
    Ok(edits)
}

/// Waits until the gatekeeper shows it.
async fn wait(operator: &mut Operator, what: String, expected: &Expected<'_>) -> anyhow::Result<Edit> {
    let begin = Instant::now();
    let mut number = operator.number().await?;
    loop {
        let left = LIMIT.saturating_sub(begin.elapsed());
        let Some(newer) = operator.newer(number, left).await? else {
            return Ok(Edit { what, seen_after: None, shown: "not seen".to_owned() });
        };
        let seen_after = begin.elapsed();
        number = newer;
        if let Some(shown) = expected.find(operator).await? {
            return Ok(Edit { what, seen_after: Some(seen_after), shown });
        }
    }
}

impl Expected<'_> {
    /// What it is shown as, if it is.
    async fn find(&self, operator: &mut Operator) -> anyhow::Result<Option<String>> {
        Ok(match *self {
            Self::Operation { kind, act, name, fields } => {
                let plan = operator.get("/v1/sync/plan").await?;
                let names = |o: &Value| fields.is_none_or(|fields| o["fields"] == json!(fields));
                let is_it = |o: &&Value| {
                    text(o, "type") == kind && text(o, "kind") == act && text(o, "name") == name && names(o)
                };
                list(&plan, "operations").iter().find(is_it).map(operation)
            }
            Self::Conflict { name, field } => {
                let answer = operator.get("/v1/sync/conflicts?type=cameras").await?;
                let mut of = list(&answer, "conflicts").iter().filter(|c| text(c, "name") == name);
                of.find_map(|c| list(c, "fields").iter().find(|f| text(f, "field") == field)).map(conflict)
            }
            Self::Drift { name, field } => {
                let answer = operator.get("/v1/sync/drift?type=cameras").await?;
                let has = |d: &&Value| {
                    text(d, "name") == name && list(d, "fields").iter().any(|known| known == field)
                };
                list(&answer, "drift")
                    .iter()
                    .find(has)
                    .map(|d| format!("drift of {field} since {}: left alone", text(d, "since")))
            }
        })
    }
}

fn operation(o: &Value) -> String {
    let fields: Vec<&str> = list(o, "fields").iter().filter_map(Value::as_str).collect();
    let what = if text(o, "kind") == "create" { String::new() } else { format!(" of {}", fields.join(", ")) };
    format!(
        "{}{what} on {}: {} ({})",
        text(o, "kind"),
        text(o, "target"),
        text(o, "verdict"),
        text(o, "reason")
    )
}

fn conflict(field: &Value) -> String {
    let values = field.as_object().into_iter().flatten().filter(|(key, _)| *key != "field");
    let shown = |(key, value): (&String, &Value)| match key.as_str() {
        "base" => format!("agreed {value}"),
        side => format!("{side} {value}"),
    };
    let values: Vec<String> = values.map(shown).collect();
    format!("conflict about {}: {}; held", text(field, "field"), values.join(", "))
}

/// A camera that both sides have.
struct Camera {
    name: String,
    /// On the primary and on the standby.
    ids: [String; 2],
}

/// Cameras that are called the same on both sides, and of which nothing is planned.
async fn untouched(person: &mut Person, plan: &Value) -> anyhow::Result<Vec<Camera>> {
    let planned: BTreeSet<&str> = list(plan, "operations")
        .iter()
        .filter(|o| text(o, "type") == "cameras")
        .map(|o| text(o, "name"))
        .collect();
    let theirs = person.list(At::Standby, "cameras").await?;
    let theirs: HashMap<&str, &str> = theirs.iter().map(|c| (text(c, "name"), text(c, "id"))).collect();
    let ours = person.list(At::Primary, "cameras").await?;
    let free = |camera: &&Value| !planned.contains(text(camera, "name")) && camera["enabled"] == true;
    let both = ours.iter().filter(free).filter_map(|camera| {
        let name = text(camera, "name");
        let ids = [text(camera, "id"), *theirs.get(name)?].map(str::to_lowercase);
        Some(Camera { name: name.to_owned(), ids })
    });
    Ok(both.collect())
}

async fn role(person: &mut Person) -> anyhow::Result<String> {
    let roles = person.list(At::Primary, "roles").await?;
    let role = roles.iter().find(|r| text(r, "name") == ROLE).with_context(|| format!("no role {ROLE:?}"))?;
    Ok(text(role, "id").to_lowercase())
}

const EVENT: &str = "Barrier stuck";
const ROLE: &str = "Guards";
/// Several intervals, and readings that take long.
const LIMIT: Duration = Duration::from_secs(10);
