//! The objects of a type, side by side.

use std::collections::{HashMap, HashSet};

use super::Input;
use crate::idmap::guid::Guid;
use crate::sync::catalogue::Kind;
use crate::sync::pair::{Pair, Side};
use crate::sync::snapshot::Object;

/// Two objects that are the same, as far as they are there.
pub(super) struct Matched<'a> {
    pub pair: Pair,
    /// On A and on B.
    pub objects: [Option<&'a Object>; 2],
}

/// The objects of a type.
pub(super) struct Walk<'a> {
    /// Sorted by pair.
    pub matched: Vec<Matched<'a>>,
    /// By side, sorted by id.
    pub unpaired: [Vec<&'a Object>; 2],
}

/// Puts the objects of a type side by side. Two that have one id on both sides are the same, paired or not,
/// unless that is disputed.
pub(super) fn walk<'a>(input: &Input<'a>, kind: Kind) -> Walk<'a> {
    let lists = input.sides.map(|side| side.trusted(kind).unwrap_or_default());
    let places: [HashMap<Guid, usize>; 2] =
        lists.map(|list| list.iter().enumerate().map(|(at, object)| (object.id, at)).collect());
    let mut seen = lists.map(|list| vec![false; list.len()]);
    let mut find = |side: Side, id: Guid| -> Option<&'a Object> {
        let at = *places[side.index()].get(&id)?;
        *seen[side.index()].get_mut(at)? = true;
        lists[side.index()].get(at)
    };
    let mut matched: Vec<Matched<'_>> = of_kind(input, kind)
        .map(|pair| Matched { pair: *pair, objects: Side::BOTH.map(|side| find(side, pair.id(side))) })
        .collect();
    let disputed = input.disputed.iter().filter(|(_, of, ..)| *of == kind);
    let disputed: HashSet<Guid> = disputed.map(|(_, _, id, _)| *id).collect();
    let [seen_a, seen_b] = &mut seen;
    for (at, object) in lists[0].iter().enumerate().filter(|(at, _)| !seen_a[*at]).collect::<Vec<_>>() {
        let id = object.id;
        if let Some(twin) = places[1].get(&id).copied().filter(|twin| !seen_b[*twin])
            && !disputed.contains(&id)
        {
            (seen_a[at], seen_b[twin]) = (true, true);
            matched.push(Matched {
                pair: Pair { kind, a: id, b: id },
                objects: [Some(object), lists[1].get(twin)],
            });
        }
    }
    matched.sort_unstable_by_key(|matched| matched.pair);
    let unseen = |side: Side| {
        lists[side.index()]
            .iter()
            .zip(&seen[side.index()])
            .filter(|(_, seen)| !**seen)
            .map(|(object, _)| object)
    };
    let unpaired = Side::BOTH.map(|side| unseen(side).collect());
    Walk { matched, unpaired }
}

/// The pairs of a type.
pub(super) fn of_kind<'a>(input: &Input<'a>, kind: Kind) -> impl Iterator<Item = &'a Pair> + use<'a> {
    let from = Pair { kind, a: Guid::NIL, b: Guid::NIL };
    input.pairs.range(from..).map(|(pair, _)| pair).take_while(move |pair| pair.kind == kind)
}
