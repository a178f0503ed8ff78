//! Field by field: which side has changed what since both agreed (sync design 2.2).

use std::collections::BTreeSet;

use super::translate::{Fields, written};
use crate::sync::catalogue::Kind;
use crate::sync::pair::Side;
use crate::sync::snapshot::Body;

/// How a field stands that is not alike on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// Only this side has changed it.
    ChangedOn(Side),
    /// Both have, differently.
    Both,
    /// It was never alike.
    NeverAgreed,
}

/// What two sides say, and what they last agreed on; all in the ids of side A.
#[derive(Clone, Copy)]
pub(super) struct Three<'b> {
    /// The type.
    pub kind: Kind,
    /// `None`: nothing was ever agreed.
    pub base: Option<&'b Fields<'b>>,
    /// Side A.
    pub a: &'b Fields<'b>,
    /// Side B.
    pub b: &'b Fields<'b>,
}

/// What is written where there is nothing.
pub(super) const NULL: &str = "null";

/// The text of a field.
pub(super) fn text<'b>(fields: &Fields<'b>, name: &str) -> &'b str {
    fields.get(name).map_or(NULL, |value| value.get())
}

impl<'b> Three<'b> {
    /// The fields that are not alike, sorted by name.
    pub fn differences(&self) -> Vec<(&'b str, Since)> {
        self.names().into_iter().filter_map(|name| Some((name, self.since(name)?))).collect()
    }

    fn since(&self, name: &str) -> Option<Since> {
        let (a, b) = (text(self.a, name), text(self.b, name));
        if a == b {
            return None;
        }
        Some(match self.base(name) {
            None => Since::NeverAgreed,
            Some(base) if base == b => Since::ChangedOn(Side::A),
            Some(base) if base == a => Since::ChangedOn(Side::B),
            Some(_) => Since::Both,
        })
    }

    /// What was agreed about a field.
    pub fn base(&self, name: &str) -> Option<&'b str> {
        let base = self.base?;
        base.get(name).map(|value| value.get()).or_else(|| self.comes_and_goes(name).then_some(NULL))
    }

    /// Fields that one side does not show, and whose absence says nothing: a person has accepted that the
    /// instance has them no more. They are not compared.
    pub fn not_compared(&self) -> BTreeSet<&'b str> {
        let all = self.a.keys().chain(self.b.keys()).map(String::as_str);
        all.filter(|name| !self.is_compared(name)).collect()
    }

    fn names(&self) -> BTreeSet<&'b str> {
        let all = self.a.keys().chain(self.b.keys()).map(String::as_str);
        all.filter(|name| self.is_compared(name)).collect()
    }

    fn is_compared(&self, name: &str) -> bool {
        self.a.contains_key(name) && self.b.contains_key(name) || self.comes_and_goes(name)
    }

    /// A field that is not in the catalogue: objects have it or not. The bases of such a type are complete,
    /// so one that a base lacks was agreed to be absent.
    fn comes_and_goes(&self, name: &str) -> bool {
        let row = self.kind.row();
        row.open && row.field(name).is_none()
    }

    /// The new base: what is alike now, and of the rest what was agreed before. `None`: it is as it was, or
    /// there is nothing to agree on yet.
    pub fn new_base(&self) -> Option<Body> {
        let mut differ = self.not_compared();
        differ.extend(self.differences().into_iter().map(|(name, _)| name));
        // The base of a type whose fields come and go is complete, or there is none.
        if self.base.is_none() && self.kind.row().open && !differ.is_empty() {
            return None;
        }
        let mut new = Fields::new();
        for (name, value) in self.a.iter().filter(|(name, _)| !differ.contains(name.as_str())) {
            new.insert(name.clone(), value);
        }
        for (name, value) in
            self.base.into_iter().flatten().filter(|(name, _)| differ.contains(name.as_str()))
        {
            new.insert(name.clone(), value);
        }
        let unchanged = self.base.is_some_and(|base| {
            base.len() == new.len()
                && base.iter().all(|(name, value)| new.get(name).is_some_and(|v| v.get() == value.get()))
        });
        (!unchanged && !new.is_empty()).then(|| Body::new(written(&new)))
    }
}
