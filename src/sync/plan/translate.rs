//! Ids of one side in what the other side says.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::value::RawValue;

use crate::idmap::guid::{Case, Guid};
use crate::idmap::within::guids;
use crate::sync::catalogue::Kind;
use crate::sync::catalogue::field::Shape;
use crate::sync::pair::{Pair, Side};

/// Which ids mean the same.
pub(super) struct Ids {
    /// By side: what has another side's id has this one here.
    on: [HashMap<Guid, Guid>; 2],
}

/// The fields of a body as they are written, by name.
pub(super) type Fields<'b> = BTreeMap<String, &'b RawValue>;

impl Ids {
    /// An id that means different objects in different pairs is not translated: that shows as a
    /// difference, a guess would not.
    pub fn new<'p>(pairs: impl Iterator<Item = &'p Pair>) -> Self {
        let mut on = [HashMap::new(), HashMap::new()];
        let mut ambiguous = [HashSet::new(), HashSet::new()];
        for pair in pairs {
            for side in Side::BOTH {
                let (here, there) = (pair.id(side), pair.id(side.other()));
                if on[side.index()].insert(there, here).is_some_and(|before| before != here) {
                    ambiguous[side.index()].insert(there);
                }
            }
        }
        for (ids, ambiguous) in on.iter_mut().zip(ambiguous) {
            ids.retain(|id, _| !ambiguous.contains(id));
        }
        Self { on }
    }

    /// The id on `side` of the object that has `id` on the other side.
    pub fn on(&self, side: Side, id: Guid) -> Option<Guid> {
        self.on[side.index()].get(&id).copied()
    }

    /// Whether two bodies of a type say the same. Nothing is parsed or allocated unless the type has sets
    /// and the bytes differ.
    pub fn same(&self, kind: Kind, a: &[u8], b: &[u8]) -> bool {
        if a.len() != b.len() {
            return false;
        }
        let mut from = 0;
        for (at, id) in guids(b) {
            let end = at + Guid::LEN;
            let Some(translated) = self.on(Side::A, id).filter(|translated| *translated != id) else {
                continue;
            };
            let text = translated.text(Case::of(&b[at..end]));
            if a[from..at] != b[from..at] || a[at..end] != text {
                return has_sets(kind) && a == &*self.translate(kind, Side::A, b);
            }
            from = end;
        }
        a[from..] == b[from..]
    }

    /// What the other side says, in the ids of `side`; in canonical form again.
    pub fn translate<'b>(&self, kind: Kind, side: Side, body: &'b [u8]) -> Cow<'b, [u8]> {
        let mut copy = Cow::Borrowed(body);
        for (at, id) in guids(body) {
            if let Some(new) = self.on(side, id).filter(|new| *new != id) {
                let place = at..at + Guid::LEN;
                let text = new.text(Case::of(&body[place.clone()]));
                copy.to_mut()[place].copy_from_slice(&text);
            }
        }
        match copy {
            Cow::Owned(new) if has_sets(kind) => Cow::Owned(sorted(kind, new)),
            other => other,
        }
    }
}

/// The fields of a canonical body.
pub(super) fn fields(body: &[u8]) -> Fields<'_> {
    serde_json::from_slice(body).unwrap_or_default()
}

fn has_sets(kind: Kind) -> bool {
    kind.row().fields.iter().any(|field| matches!(field.shape, Shape::Set(_)))
}

/// The body with its sets in order: that of the bytes of their members, as the reading has them.
fn sorted(kind: Kind, body: Vec<u8>) -> Vec<u8> {
    let mut values = fields(&body);
    let mut sets = Vec::new();
    for field in &kind.row().fields {
        let set = values.get(field.name).filter(|_| matches!(field.shape, Shape::Set(_)));
        let Some(mut members) = set.and_then(|set| serde_json::from_str::<Vec<&RawValue>>(set.get()).ok())
        else {
            continue;
        };
        if !members.is_sorted_by_key(|member| member.get()) {
            members.sort_unstable_by_key(|member| member.get());
            sets.extend(serde_json::value::to_raw_value(&members).ok().map(|set| (field.name, set)));
        }
    }
    for (name, set) in &sets {
        values.insert((*name).to_owned(), set);
    }
    if sets.is_empty() { body } else { written(&values) }
}

/// The body with these fields.
pub(super) fn written(fields: &Fields<'_>) -> Vec<u8> {
    // Texts and raw values can always be written.
    serde_json::to_vec(fields).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn id(n: u8) -> Guid {
        Guid::new([n; 16])
    }

    fn kind(name: &str) -> Kind {
        Kind::from_name(name).unwrap()
    }

    fn group(members: &[u8]) -> Vec<u8> {
        let mut ids: Vec<String> = members.iter().map(|n| id(*n).to_string()).collect();
        ids.sort();
        ids.dedup();
        json!({ "cameras": ids, "description": "", "name": "x" }).to_string().into_bytes()
    }

    #[test]
    fn an_id_of_two_objects_is_left_alone() {
        let pair = |a, b| Pair { kind: kind("cameras"), a: id(a), b: id(b) };
        let pairs = [pair(1, 11), pair(2, 12), pair(3, 12)];
        let ids = Ids::new(pairs.iter());
        assert_eq!(ids.on(Side::A, id(11)), Some(id(1)));
        assert_eq!(ids.on(Side::A, id(12)), None);
        assert_eq!(ids.on(Side::B, id(2)), Some(id(12)));
    }

    #[test]
    fn ids_in_texts_too() {
        let pairs = [Pair { kind: kind("cameras"), a: id(1), b: id(2) }];
        let ids = Ids::new(pairs.iter());
        let of = |n: u8| format!(r#"{{"x":"Camera[{0}];cameras/{0}","y":"{1}"}}"#, id(n), id(9)).into_bytes();
        let kind = kind("rules");
        assert_eq!(*ids.translate(kind, Side::A, &of(2)), of(1));
        assert_eq!(*ids.translate(kind, Side::B, &of(1)), of(2));
        assert!(matches!(ids.translate(kind, Side::A, &of(7)), Cow::Borrowed(_)));
        assert!(ids.same(kind, &of(1), &of(2)) && !ids.same(kind, &of(2), &of(2)));
    }

    proptest! {
        /// Whatever is paired with whatever: sets are in order again, and the way back is the way back.
        #[test]
        fn there_and_back(shuffled in Just((1_u8..60).collect::<Vec<_>>()).prop_shuffle(), members: Vec<u8>) {
            let pairs: Vec<Pair> = (1_u8..60)
                .zip(&shuffled)
                .map(|(a, b)| Pair { kind: kind("cameras"), a: id(a), b: id(100 + b) })
                .collect();
            let ids = Ids::new(pairs.iter());
            let members: Vec<u8> = members.into_iter().map(|n| n % 59 + 1).collect();
            let of_b: Vec<u8> = members.iter().map(|n| 100 + shuffled[usize::from(*n) - 1]).collect();
            let (a, b) = (group(&members), group(&of_b));
            let kind = kind("cameraGroups");
            prop_assert_eq!(&*ids.translate(kind, Side::A, &b), &*a);
            prop_assert_eq!(&*ids.translate(kind, Side::B, &a), &*b);
            prop_assert!(ids.same(kind, &a, &b));
        }
    }
}
