//! What of two instances is kept alike, and what is not (sync design S39). Pure: made from the
//! catalogue, the operator's rules, and what the instances say about themselves.

pub mod document;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::catalogue::field::{Class, Field};
use super::catalogue::unseen::{NO_OBJECTS, UNSEEN};
use super::catalogue::{Coverage, How, Kind, Place, Policy, Type};
use super::plan::Rules;

/// What one instance says about itself.
#[derive(Clone, Debug, Default)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// Its version, such as `25.2`; empty: it does not say.
    pub version: String,
    /// Types that it does not have: it answered with 404.
    pub absent: BTreeSet<Kind>,
    /// Collections that it offers and the catalogue does not know; see [`unknown`].
    pub unknown: Vec<String>,
}

/// What becomes of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Kept alike, as far as the policy lets it.
    Synced,
    /// Differences are shown, and nothing is done about them.
    Compared,
    /// Nothing of it is compared: others refer to it.
    MappedOnly,
    /// Takes no part.
    Ignored,
    /// An instance does not have it.
    Absent,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Synced, Self::Compared, Self::MappedOnly, Self::Ignored, Self::Absent];

    /// As it is written in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Compared => "compared",
            Self::MappedOnly => "mapped only",
            Self::Ignored => "ignored",
            Self::Absent => "absent",
        }
    }

    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Synced => "kept alike, as far as the policy lets it",
            Self::Compared => "differences are shown, and nothing is done about them",
            Self::MappedOnly => {
                "nothing of it is compared: it is known which objects are the same, because others refer to them"
            }
            Self::Ignored => "takes no part",
            Self::Absent => "an instance does not have it",
        }
    }
}

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// Compared, and carried over.
    Compared,
    /// Compared, and only set when an object is made.
    Fixed,
    /// Never read, and set when an object is made.
    Secret,
    /// Differs by nature: never compared.
    Local,
    /// Computed by the server: never compared.
    Derived,
}

impl Treatment {
    /// Every treatment.
    pub const ALL: [Self; 5] = [Self::Compared, Self::Fixed, Self::Secret, Self::Local, Self::Derived];

    /// That of this field.
    pub const fn of(field: &Field) -> Self {
        match field.class {
            Class::Secret => Self::Secret,
            Class::Local => Self::Local,
            Class::Derived => Self::Derived,
            _ if field.fixed => Self::Fixed,
            _ => Self::Compared,
        }
    }

    /// As it is written in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compared => "compared",
            Self::Fixed => "fixed",
            Self::Secret => "secret",
            Self::Local => "local",
            Self::Derived => "derived",
        }
    }

    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Compared => "kept alike",
            Self::Fixed => "compared; only set when an object is made",
            Self::Secret => "never read; given by a person",
            Self::Local => "differs by nature; not compared",
            Self::Derived => "computed by the server; not compared",
        }
    }
}

/// The report: `instances`, `summary` (types by state, and how many collections are unknown), `types`
/// in the order of the catalogue, and `unseen`, which no type shows.
pub fn report(instances: &[Instance], rules: &Rules) -> Value {
    let types: Vec<(State, Value)> = Kind::all().map(|kind| entry(kind, instances, rules)).collect();
    let mut summary = serde_json::Map::new();
    for state in State::ALL {
        let count = types.iter().filter(|(of, _)| *of == state).count();
        summary.insert(state.as_str().to_owned(), json!(count));
    }
    let unknown: BTreeSet<&String> = instances.iter().flat_map(|i| &i.unknown).collect();
    summary.insert("unknown".to_owned(), json!(unknown.len()));
    let said = instances.iter().map(|instance| {
        json!({
            "name": instance.name,
            "version": instance.version,
            "absent": instance.absent.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
            "unknown": instance.unknown,
        })
    });
    let unseen = UNSEEN.iter().map(|unseen| {
        json!({
            "what": unseen.what,
            "coverage": Coverage::Invisible.as_str(),
            "why": unseen.why,
            "by_hand": unseen.by_hand,
        })
    });
    json!({
        "instances": said.collect::<Vec<_>>(),
        "summary": summary,
        "types": types.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>(),
        "unseen": unseen.collect::<Vec<_>>(),
    })
}

/// The collections that an instance offers and nobody has written down, sorted; `answer` is what it says
/// to `GET /API/rest/v1/sites?resources&noData`. `None`: that is no such answer.
pub fn unknown(answer: &Value) -> Option<Vec<String>> {
    let offered = answer.get("resources")?.as_array()?;
    let names: BTreeSet<&str> = offered.iter().filter_map(|r| r.get("type")?.as_str()).collect();
    Some(names.into_iter().filter(|name| !is_known(name)).map(str::to_owned).collect())
}

/// What becomes of a type, and why not more.
pub fn state(kind: Kind, instances: &[Instance], rules: &Rules) -> (State, Option<String>) {
    let row = kind.row();
    let lacking: Vec<&str> =
        instances.iter().filter(|i| i.absent.contains(&kind)).map(|i| i.name.as_str()).collect();
    if !lacking.is_empty() {
        return (State::Absent, Some(format!("not on {}", lacking.join(", "))));
    }
    if let Place::Unread(why) = row.place {
        return (State::Ignored, Some(format!("not read: {why}")));
    }
    if !row.confirmed && !rules.unconfirmed {
        return (State::Ignored, Some("not confirmed: only with [sync] unconfirmed = true".to_owned()));
    }
    if !row.open && !row.fields.iter().any(Field::is_compared) {
        return (State::MappedOnly, None);
    }
    if policies(kind, rules).into_iter().all(|policy| policy == Policy::Never) {
        return (State::Compared, None);
    }
    (State::Synced, None)
}

fn entry(kind: Kind, instances: &[Instance], rules: &Rules) -> (State, Value) {
    let row = kind.row();
    let (state, why) = state(kind, instances, rules);
    let [create, update, delete] = policies(kind, rules);
    let done = |how: How, policy: Policy| json!({"how": words(how), "policy": policy.as_str()});
    let members = row.members.iter().map(|m| json!({"list": m.list, "how": words(m.change)}));
    let said = rules.policies.get(&kind);
    let entry = json!({
        "type": row.name,
        "state": state.as_str(),
        "why": why,
        "coverage": row.coverage.as_str(),
        "confirmed": row.confirmed,
        "create": done(row.create, create),
        "update": done(row.update, update),
        "delete": done(row.delete, delete),
        "members": members.collect::<Vec<_>>(),
        "both": said.is_some_and(|policy| policy.both),
        "only_fields": said.map_or(&[][..], |policy| &policy.fields),
        "fields": fields(row),
        "further_fields": row.open,
        "note": row.note,
    });
    (state, entry)
}

/// The fields of a type by what becomes of them.
fn fields(row: &Type) -> Value {
    let of = |treatment: Treatment| {
        let fields = row.fields.iter().filter(|field| Treatment::of(field) == treatment);
        fields.map(|field| field.name).collect::<Vec<_>>()
    };
    Treatment::ALL
        .into_iter()
        .map(|treatment| (treatment.as_str().to_owned(), json!(of(treatment))))
        .collect()
}

/// The policies in force for creating, changing and removing.
fn policies(kind: Kind, rules: &Rules) -> [Policy; 3] {
    let row = kind.row();
    let [create, update, delete] =
        rules.policies.get(&kind).map_or(row.default, |said| [said.create, said.update, said.delete]);
    // What the API cannot do, no policy can.
    let possible = |how: How, policy: Policy| if how == How::No { Policy::Never } else { policy };
    let changes = row.members.iter().fold(row.update, |how, members| match how {
        How::No => members.change,
        other => other,
    });
    [possible(row.create, create), possible(changes, update), possible(row.delete, delete)]
}

fn is_known(name: &str) -> bool {
    let is_member = |row: &Type| row.members.iter().any(|m| m.list.eq_ignore_ascii_case(name));
    Kind::from_name(name).is_some()
        || NO_OBJECTS.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
        || Kind::all().any(|kind| is_member(kind.row()))
}

/// How something is done, in words.
fn words(how: How) -> String {
    match how {
        How::Rest => "rest".to_owned(),
        How::Task(task) => format!("task {task}"),
        How::No => "not possible".to_owned(),
    }
}

#[cfg(test)]
mod tests;
