//! Which types take part: both sides could be read, and everything that their objects refer to, too.

use std::collections::{BTreeMap, BTreeSet};

use super::Input;
use super::references::{self, Target};
use crate::sync::catalogue::{Kind, Place};
use crate::sync::pair::Side;
use crate::sync::snapshot::Distrust;

/// What takes part, and what does not.
pub(super) struct Parts {
    /// In the order of the catalogue.
    pub full: Vec<Kind>,
    /// Why a type as a whole does not.
    pub out: BTreeMap<Kind, String>,
    /// Types that should be there and could not be read on a side.
    pub faulty: BTreeSet<Kind>,
}

impl Parts {
    pub fn of(input: &Input<'_>) -> Self {
        let (mut out, mut faulty) = (BTreeMap::new(), BTreeSet::new());
        let mut candidates = Vec::new();
        for kind in Kind::all().filter(|kind| is_asked_for(input, *kind)) {
            let doubts = doubts(input, kind);
            if !kind.row().confirmed && !input.rules.unconfirmed {
                out.insert(
                    kind,
                    "coverage: its shape is not confirmed, and sync.unconfirmed = false".to_owned(),
                );
            } else if doubts.is_empty() {
                candidates.push(kind);
            } else {
                out.insert(kind, format!("reading: {}", doubts.join("; ")));
            }
            if is_faulty(input, kind) {
                faulty.insert(kind);
            }
        }
        let mut full = Vec::new();
        for kind in candidates {
            match refers_to_one_of(input, kind, &faulty).filter(|target| *target != kind) {
                None => full.push(kind),
                Some(target) => {
                    let doubts = doubts(input, target).join("; ");
                    out.insert(kind, format!("reading: refers to {target}: {doubts}"));
                }
            }
        }
        Self { full, out, faulty }
    }
}

/// A type of which neither side has a list was not asked for; the coverage report says why. A side that is not
/// believed at all may have no list of anything.
fn is_asked_for(input: &Input<'_>, kind: Kind) -> bool {
    let nothing_listed = input.sides.iter().all(|side| side.lists.is_empty());
    let readable = !matches!(kind.row().place, Place::Unread(_));
    let distrusted = input.sides.iter().any(|side| !side.distrust.is_empty());
    input.sides.iter().any(|side| side.lists.contains_key(&kind)) || nothing_listed && readable && distrusted
}

/// In words, with the name of the instance.
fn doubts(input: &Input<'_>, kind: Kind) -> Vec<String> {
    let mut all = Vec::new();
    for side in Side::BOTH {
        let snapshot = input.sides[side.index()];
        let doubts = snapshot.doubts(kind);
        all.extend(doubts.iter().map(|doubt| format!("{}: {doubt}", snapshot.instance)));
        if doubts.is_empty() && !snapshot.lists.contains_key(&kind) {
            all.push(format!("{}: it was not read", snapshot.instance));
        }
    }
    all
}

/// That a version does not have a type is no fault: nothing of it can be missing from a list.
fn is_faulty(input: &Input<'_>, kind: Kind) -> bool {
    input.sides.iter().any(|side| {
        let doubts = side.doubts(kind);
        doubts.iter().any(|doubt| **doubt != Distrust::Absent) || !side.lists.contains_key(&kind)
    })
}

/// The first of these types to which objects of this type refer: by what the catalogue says, and, where that
/// may be anything, by what they say.
fn refers_to_one_of(input: &Input<'_>, kind: Kind, faulty: &BTreeSet<Kind>) -> Option<Kind> {
    if faulty.is_empty() {
        return None;
    }
    if let Some(target) = references::declared(kind).into_iter().find(|target| faulty.contains(target)) {
        return Some(target);
    }
    if !references::may_be_anything(kind) {
        return None;
    }
    let paired: BTreeMap<_, Kind> = Side::BOTH
        .into_iter()
        .flat_map(|side| input.pairs.keys().map(move |pair| ((side, pair.id(side)), pair.kind)))
        .filter(|(_, kind)| faulty.contains(kind))
        .collect();
    let objects = |side: Side| input.sides[side.index()].trusted(kind).unwrap_or_default();
    let mut all =
        Side::BOTH.into_iter().flat_map(|side| objects(side).iter().map(move |object| (side, object)));
    all.find_map(|(side, object)| {
        references::of_body(kind, object.body.bytes()).into_iter().find_map(|reference| {
            match reference.target {
                Target::Kind(target) => faulty.contains(&target).then_some(target),
                Target::Anything => paired.get(&(side, reference.id?)).copied(),
                _ => None,
            }
        })
    })
}
