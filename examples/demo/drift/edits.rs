//! Ordinary edits on both sides while the demo runs, and how long until the gatekeeper shows them.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::operator::{Operator, list, text};
use super::person::At::{self, Primary, Standby};
use super::person::Person;
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
    let cameras = untouched(person, plan).await?;
    let [one, two, three, four, ..] = cameras.as_slice() else {
        bail!("only {} cameras are alike on both sides", cameras.len());
    };
    let mut site = Site { person, operator, progress };
    Ok(vec![
        site.camera_renamed(one).await?,
        site.event_made().await?,
        site.role_changed().await?,
        site.same_field(two).await?,
        site.different_fields(three).await?,
        site.standby_alone(four).await?,
    ])
}

/// Where the edits happen.
struct Site<'a> {
    person: &'a mut Person,
    operator: &'a mut Operator,
    progress: &'a Progress,
}

impl Site<'_> {
    async fn camera_renamed(&mut self, camera: &Camera) -> anyhow::Result<Edit> {
        let name = format!("{} (new lens)", camera.name);
        self.progress.step("a person renames a camera");
        self.change(Primary, camera, json!({ "name": name })).await?;
        let expected =
            Expected::Operation { kind: "cameras", act: "rename", name: &name, fields: Some(&["name"]) };
        self.wait(format!("{}: camera {:?} renamed", self.person.name(Primary), camera.name), expected).await
    }

    async fn event_made(&mut self) -> anyhow::Result<Edit> {
        let kind = "userDefinedEvents";
        self.progress.step("a person makes a user-defined event");
        self.person.create(Primary, kind, json!({ "name": EVENT })).await?;
        let expected = Expected::Operation { kind, act: "create", name: EVENT, fields: None };
        let what = format!("{}: new user-defined event {EVENT:?}", self.person.name(Primary));
        self.wait(what, expected).await
    }

    async fn role_changed(&mut self) -> anyhow::Result<Edit> {
        let (kind, fields) = ("roles", Some(&["description"][..]));
        let roles = self.person.list(Primary, kind).await?;
        let role = roles.iter().find(|r| text(r, "name") == ROLE);
        let id = text(role.with_context(|| format!("no role {ROLE:?}"))?, "id").to_lowercase();
        self.progress.step("a person changes a role");
        self.person.change(Primary, kind, &id, json!({ "description": "night shift, too" })).await?;
        let expected = Expected::Operation { kind, act: "update", name: ROLE, fields };
        self.wait(format!("{}: role {ROLE:?} changed", self.person.name(Primary)), expected).await
    }

    async fn same_field(&mut self, camera: &Camera) -> anyhow::Result<Edit> {
        self.progress.step("two persons change the same field of one camera");
        self.change(Primary, camera, json!({ "shortName": "north" })).await?;
        self.change(Standby, camera, json!({ "shortName": "south" })).await?;
        let expected = Expected::Conflict { name: &camera.name, field: "shortName" };
        self.wait(format!("{}: the same field of camera {:?}", self.both(), camera.name), expected).await
    }

    async fn different_fields(&mut self, camera: &Camera) -> anyhow::Result<Edit> {
        let (kind, name, fields) = ("cameras", camera.name.as_str(), Some(&["shortName"][..]));
        self.progress.step("two persons change different fields of one camera");
        self.change(Primary, camera, json!({ "shortName": "yard" })).await?;
        self.change(Standby, camera, json!({ "description": "by the fence" })).await?;
        let expected = Expected::Operation { kind, act: "update", name, fields };
        self.wait(format!("{}: different fields of camera {name:?}", self.both()), expected).await
    }

    async fn standby_alone(&mut self, camera: &Camera) -> anyhow::Result<Edit> {
        self.progress.step("a person changes a camera on the standby alone");
        self.change(Standby, camera, json!({ "recordingEnabled": false })).await?;
        let expected = Expected::Drift { name: &camera.name, field: "recordingEnabled" };
        let standby = self.person.name(Standby);
        self.wait(format!("{standby} alone: camera {:?} records no more", camera.name), expected).await
    }

    async fn change(&mut self, at: At, camera: &Camera, fields: Value) -> anyhow::Result<()> {
        self.person.change(at, "cameras", &camera.ids[at as usize], fields).await
    }

    fn both(&self) -> String {
        format!("{} and {}", self.person.name(Primary), self.person.name(Standby))
    }

    /// Waits until the gatekeeper shows it.
    async fn wait(&mut self, what: String, expected: Expected<'_>) -> anyhow::Result<Edit> {
        let begin = Instant::now();
        let mut number = self.operator.number().await?;
        loop {
            let left = LIMIT.saturating_sub(begin.elapsed());
            let Some(newer) = self.operator.newer(number, left).await? else {
                return Ok(Edit { what, seen_after: None, shown: "not seen".to_owned() });
            };
            let seen_after = begin.elapsed();
            number = newer;
            if let Some(shown) = expected.find(self.operator).await? {
                return Ok(Edit { what, seen_after: Some(seen_after), shown });
            }
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

const EVENT: &str = "Barrier stuck";
const ROLE: &str = "Guards";
/// Several intervals, and readings that take long.
const LIMIT: Duration = Duration::from_secs(10);
