//! The marks of one kind. They do not give way to newer ones: a full shelf takes no more.

use serde_json::{Map, Value};

use crate::stamp::Stamp;

/// Most marks of one kind.
const MOST: usize = 10_000;

/// Most devices that all marks of one kind name.
const MOST_DEVICES: usize = 100_000;

/// Type and id of a device.
pub type Device = (&'static str, String);

/// One mark.
#[derive(Clone)]
pub struct Mark {
    /// Lower-case id.
    pub id: String,
    /// What was recorded.
    pub devices: Vec<Device>,
    /// Its members on the wire, but for id and relations. Times are text: it sorts like the times do.
    pub fields: Map<String, Value>,
    /// When it goes by itself.
    pub expires: Option<Stamp>,
}

/// No more marks, or no more devices in them.
#[derive(Debug, thiserror::Error)]
#[error("{MOST} marks and {MOST_DEVICES} devices in them are the limit")]
pub struct Full;

/// All of them, in order of creation.
#[derive(Default)]
pub struct Shelf {
    marks: Vec<Mark>,
    references: u64,
}

impl Mark {
    /// A member that is text.
    pub fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Shelf {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter()
    }

    /// The mark of that id.
    pub fn get(&self, id: &str) -> Option<&Mark> {
        self.marks.iter().find(|mark| mark.id.eq_ignore_ascii_case(id))
    }

    /// Puts a mark in, or in the place of its older state.
    pub fn put(&mut self, mark: Mark) -> Result<(), Full> {
        let place = self.marks.iter().position(|old| old.id == mark.id);
        let others = self.marks.iter().filter(|old| old.id != mark.id);
        let devices: usize = others.map(|old| old.devices.len()).sum();
        if place.is_none() && self.marks.len() >= MOST || devices + mark.devices.len() > MOST_DEVICES {
            return Err(Full);
        }
        match place.and_then(|place| self.marks.get_mut(place)) {
            Some(old) => *old = mark,
            None => self.marks.push(mark),
        }
        Ok(())
    }

    /// Takes a mark out.
    pub fn remove(&mut self, id: &str) {
        self.marks.retain(|mark| mark.id != id);
    }

    /// Takes out what has expired.
    pub fn expire(&mut self, now: Stamp) {
        self.marks.retain(|mark| mark.expires.is_none_or(|end| end > now));
    }

    /// A reference that nobody has yet [I: its form].
    pub fn next_reference(&mut self) -> String {
        self.references += 1;
        format!("no.{:06}", self.references)
    }
}
