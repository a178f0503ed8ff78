//! How alike two objects of one instance look, by their compared fields.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use super::fold::fold;
use crate::idmap::guid::Guid;
use crate::sync::catalogue::field::Shape;
use crate::sync::catalogue::{Kind, Type};
use crate::sync::snapshot::Body;

/// A value of a field that may tell an object from others.
pub(super) type Token = (String, String);

/// Objects of one type on one instance.
pub(super) struct Looks<'a> {
    row: &'static Type,
    /// What its ids are on side A, as bases have them; `None`: these are they.
    on_a: Option<&'a HashMap<Guid, Guid>>,
}

impl<'a> Looks<'a> {
    pub(super) fn new(kind: Kind, on_a: Option<&'a HashMap<Guid, Guid>>) -> Self {
        Self { row: kind.row(), on_a }
    }

    /// The fields of an object, in the ids of side A.
    pub(super) fn of(&self, body: &Body) -> Map<String, Value> {
        let mut fields = body.fields();
        if let Some(on_a) = self.on_a {
            fields.values_mut().for_each(|value| translate(value, on_a));
        }
        fields
    }

    /// How much of what the old one was known by the new one has, from 0 to 1. What both lack says
    /// nothing.
    pub(super) fn likeness(&self, old: &Map<String, Value>, new: &Map<String, Value>) -> f64 {
        let (mut all, mut alike) = (0.0, 0.0);
        for (name, before) in old {
            let after = new.get(name).unwrap_or(&Value::Null);
            if is_blank(before) && is_blank(after) {
                continue;
            }
            let weight = self.weight(name);
            all += weight;
            alike += weight * self.likeness_of(name, before, after);
        }
        if all > 0.0 { alike / all } else { 0.0 }
    }

    /// What both have and could tell them from others, each with its weight.
    pub(super) fn shared(&self, old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<(Token, usize)> {
        let there: HashSet<Token> = self.tokens(new).into_iter().map(|(token, _)| token).collect();
        self.tokens(old).into_iter().filter(|(token, _)| there.contains(token)).collect()
    }

    /// The values that could tell an object from others: no switches, no numbers.
    pub(super) fn tokens(&self, fields: &Map<String, Value>) -> Vec<(Token, usize)> {
        let telling = |(name, value): (&String, &Value)| {
            let weight = match self.row.field(name).map(|field| &field.shape) {
                _ if is_blank(value) => return None,
                Some(Shape::Text | Shape::Reference(..)) => 1,
                Some(Shape::List(_) | Shape::Set(_) | Shape::Any) | None => 2,
                Some(_) => return None,
            };
            let text = if self.is_set(name) { format!("{:?}", members(value)) } else { value.to_string() };
            Some(((name.clone(), text), weight))
        };
        fields.iter().filter_map(telling).collect()
    }

    fn likeness_of(&self, name: &str, before: &Value, after: &Value) -> f64 {
        if let ("name", Some(before), Some(after)) = (name, before.as_str(), after.as_str()) {
            return likeness_of_names(before, after);
        }
        if self.is_set(name) {
            let (before, after) = (members(before), members(after));
            return share(before.intersection(&after).count(), before.union(&after).count());
        }
        f64::from(u8::from(before == after))
    }

    fn is_set(&self, name: &str) -> bool {
        self.row.field(name).is_some_and(|field| matches!(field.shape, Shape::Set(_)))
    }

    /// A name is what changes in a rename; members are what a group is.
    fn weight(&self, name: &str) -> f64 {
        if self.row.members.iter().any(|members| members.list == name) {
            return 6.0;
        }
        match self.row.field(name).map(|field| &field.shape) {
            _ if name == "name" => 1.0,
            Some(Shape::Text | Shape::Reference(..) | Shape::Guid) => 2.0,
            Some(Shape::List(_) | Shape::Set(_) | Shape::Any) | None => 3.0,
            Some(Shape::Integer | Shape::Number | Shape::Flag | Shape::Date | Shape::Word(_)) => 1.0,
        }
    }
}

/// Twice what two names have in common of their neighbouring letters, by all that they have.
fn likeness_of_names(one: &str, other: &str) -> f64 {
    let pairs = |text: &str| {
        let letters: Vec<char> = fold(text).chars().collect();
        let mut pairs: HashMap<[char; 2], usize> = HashMap::new();
        for window in letters.windows(2) {
            if let [a, b] = window {
                *pairs.entry([*a, *b]).or_default() += 1;
            }
        }
        (pairs, letters)
    };
    let ((one, letters), (other, others)) = (pairs(one), pairs(other));
    if letters == others {
        return 1.0;
    }
    let common: usize = one.iter().map(|(pair, n)| other.get(pair).copied().unwrap_or(0).min(*n)).sum();
    share(2 * common, one.values().sum::<usize>() + other.values().sum::<usize>())
}

#[allow(clippy::cast_precision_loss, reason = "counts of what is in one object")]
fn share(part: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// The entries of a set, without their order.
fn members(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(ToString::to_string).collect()
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Ids stand alone or at the end of `type/id`.
fn translate(value: &mut Value, on_a: &HashMap<Guid, Guid>) {
    match value {
        Value::String(text) => {
            let start = text.rfind('/').map_or(0, |slash| slash + 1);
            let id = text.get(start..).and_then(|id| Guid::parse(id.as_bytes()));
            if let Some(id) = id.and_then(|id| on_a.get(&id)) {
                text.replace_range(start.., &id.to_string());
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| translate(value, on_a)),
        Value::Object(fields) => fields.values_mut().for_each(|value| translate(value, on_a)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
