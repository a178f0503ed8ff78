//! One alarm. The members are those that official clients use (sheet 5.2), spelled as they spell them; all other
//! members are `[I]`.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};

use crate::{
    rest::{body, error::RestError},
    stamp::Stamp,
    world::{Object, World},
};

/// Changes that an alarm remembers; the oldest go.
const LONGEST_HISTORY: usize = 100;

/// Snapshots of an alarm; the oldest go.
const MOST_SNAPSHOTS: usize = 16;

/// The members that clients set, and the list that a value must be of.
const MEMBERS: [(&str, Option<&str>); 6] = [
    ("state", Some("alarmStates")),
    ("priority", Some("alarmPriorities")),
    ("category", Some("alarmCategories")),
    ("comment", None),
    // One key with a dot in it, not a member of a member (sheet 8.19).
    ("assignedTo.displayName", None),
    ("reasonForClosing", None),
];

/// One alarm.
#[derive(Clone)]
pub struct Alarm {
    /// Its id.
    pub id: String,
    /// Its number in the list, from 1.
    pub number: u64,
    /// Number of its last change.
    pub change: u64,
    /// Type and id of its source.
    pub source: (&'static str, String),
    /// When it was raised.
    pub time: Stamp,
    modified: Stamp,
    name: String,
    message: String,
    members: Map<String, Value>,
    data: Option<Value>,
    history: VecDeque<Value>,
    snapshots: VecDeque<Value>,
}

impl Alarm {
    /// An alarm as a client posts it.
    pub fn posted(
        world: &World,
        source: &Object,
        body: &Map<String, Value>,
        id: String,
        now: Stamp,
        who: &str,
    ) -> Result<Self, RestError> {
        let name = body::required(body, "name")?;
        let mut members = Map::new();
        for (member, list) in MEMBERS {
            let default = match member {
                "state" | "priority" => list.and_then(|list| first(world, list)),
                _ => None,
            };
            members.insert(member.to_owned(), default.map_or(Value::Null, Value::from));
        }
        members.extend(changes(world, body)?);
        let raised = json!({ "time": now.wire(), "user": who, "changes": {} });
        Ok(Self {
            id,
            number: 0,
            change: 0,
            source: (source.kind, source.id.clone()),
            time: now,
            modified: now,
            name: name.to_owned(),
            message: body::text(body, "message")?.unwrap_or_default().to_owned(),
            members,
            data: body.get("data").filter(|data| !data.is_null()).cloned(),
            history: VecDeque::from([raised]),
            snapshots: VecDeque::new(),
        })
    }

    /// Takes the changes that [`changes`] accepted.
    pub fn change(&mut self, changes: Map<String, Value>, now: Stamp, who: &str) {
        let entry = json!({ "time": now.wire(), "user": who, "changes": changes });
        append(&mut self.history, entry, LONGEST_HISTORY);
        self.members.extend(changes);
        self.modified = now;
    }

    /// Attaches a picture.
    pub fn attach(&mut self, snapshot: Value, now: Stamp) {
        append(&mut self.snapshots, snapshot, MOST_SNAPSHOTS);
        self.modified = now;
    }

    /// The alarm on the wire.
    pub fn shown(&self, with_data: bool) -> Value {
        let mut shown = json!({
            "id": self.id,
            "localId": self.number,
            "name": self.name,
            "message": self.message,
            "source": format!("{}/{}", self.source.0, self.source.1),
            "time": self.time.wire(),
            "lastModified": self.modified.wire(),
        });
        if let Some(shown) = shown.as_object_mut() {
            shown.extend(self.members.clone());
            if let Some(data) = self.data.as_ref().filter(|_| with_data) {
                shown.insert("data".to_owned(), data.clone());
            }
        }
        shown
    }

    /// Who did what, oldest first.
    pub fn history(&self) -> Value {
        self.history.iter().cloned().collect()
    }

    /// Its pictures, oldest first.
    pub fn snapshots(&self) -> Value {
        self.snapshots.iter().cloned().collect()
    }

    /// Id of its state.
    pub fn state(&self) -> &str {
        self.members.get("state").and_then(Value::as_str).unwrap_or_default()
    }

    /// Rough size in memory.
    pub fn size(&self) -> usize {
        let all = self.history.iter().chain(&self.snapshots).chain(&self.data).chain(self.members.values());
        self.name.len() + self.message.len() + all.map(|value| value.to_string().len()).sum::<usize>()
    }
}

/// What a body changes. Null is unchanged (sheet 5.2), what else is in it is ignored.
pub fn changes(world: &World, body: &Map<String, Value>) -> Result<Map<String, Value>, RestError> {
    let mut changes = Map::new();
    for (member, list) in MEMBERS {
        let Some(value) = body::text(body, member)? else { continue };
        let known = match list {
            Some(list) => world.store.get(list, &value.to_ascii_lowercase()).map(|object| object.id.as_str()),
            None => Some(value),
        };
        let value = known.ok_or_else(|| {
            RestError::property(member, format!("{value} is none of {}", list.unwrap_or_default()))
        })?;
        changes.insert(member.to_owned(), value.into());
    }
    Ok(changes)
}

/// Id of the entry with the lowest level: `New`, `High`.
fn first(world: &World, list: &str) -> Option<String> {
    let level = |object: &&Object| object.fields.get("level").and_then(Value::as_i64);
    world.store.all(list).min_by_key(level).map(|object| object.id.clone())
}

fn append(list: &mut VecDeque<Value>, entry: Value, most: usize) {
    if list.len() == most {
        list.pop_front();
    }
    list.push_back(entry);
}
