//! What must hold whatever the two instances have.

use std::collections::HashSet;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::sync::identity::fold::fold;

/// Types with each sort of key; those that others lie in first.
const KINDS: [&str; 7] = ["hardware", "cameras", "outputs", "cameraGroups", "timeProfiles", "roles", "rules"];

/// Few names and places, so that they meet; ids of the two sides are apart but for a few.
fn instance(base: u32) -> impl Strategy<Value = Snapshot> {
    let ids = move |n: u32| if n < 3 { n } else { base + n };
    let names = select(vec!["", "a", "A", "b", "c", "d", "e", "f", "g"]);
    let objects = prop::collection::btree_map(0_u32..30, (names, 0_u32..12, 0_i64..3), 0..20);
    let list = objects.prop_map(move |objects| {
        let one = |(n, (name, parent, channel)): (u32, (&str, u32, i64))| {
            (ids(n), name.to_owned(), (parent > 0).then(|| ids(parent)), channel)
        };
        objects.into_iter().map(one).collect::<Vec<_>>()
    });
    prop::collection::vec(prop::option::weighted(0.9, list), KINDS.len()).prop_map(|lists| {
        let made = KINDS.into_iter().zip(lists).enumerate().filter_map(|(place, (name, list))| {
            let make = |(n, text, parent, channel): (u32, String, Option<u32>, i64)| {
                let address = if text.is_empty() { String::new() } else { format!("http://{text}/") };
                let (home, key) = match name {
                    "hardware" => (None, address),
                    "cameras" | "outputs" => (Some(0), channel.to_string()),
                    "cameraGroups" => (Some(place), String::new()),
                    _ => (None, String::new()),
                };
                Object {
                    id: of_type(n, place),
                    parent: parent.zip(home).map(|(parent, home)| of_type(parent, home)),
                    key: key.into(),
                    ..object(n, &text)
                }
            };
            list.map(|list| (name, list.into_iter().map(make).collect::<Vec<_>>()))
        });
        let mut snapshot = side([]);
        snapshot.lists.remove(&kind("hardware"));
        for (name, mut objects) in made {
            objects.sort_by_key(|o| o.id);
            snapshot.lists.insert(kind(name), Listing { objects, distrust: Vec::new() });
        }
        snapshot
    })
}

/// One id is one object: ids of different types never meet.
fn of_type(n: u32, place: usize) -> Guid {
    let mut bytes = id(n).bytes();
    bytes[15] = u8::try_from(place).unwrap();
    Guid::new(bytes)
}

fn shuffled(snapshot: &Snapshot) -> Snapshot {
    let mut snapshot = snapshot.clone();
    snapshot.lists.values_mut().for_each(|list| list.objects.reverse());
    snapshot
}

fn remembered(out: &Outcome) -> Vec<Known> {
    let links = out.pairs.iter().filter(|(p, c)| **c != Confidence::SameId && !out.proposed.contains(p));
    links.map(|(p, c)| Known { pair: *p, standing: Standing::Matched, confidence: *c }).collect()
}

/// Words of operators about random objects.
fn words() -> impl Strategy<Value = Vec<Known>> {
    let word = (0..KINDS.len(), 0_u32..30, 0_u32..30, any::<bool>());
    prop::collection::vec(word, 0..4).prop_map(|words| {
        let (mut left, mut right) = (HashSet::new(), HashSet::new());
        let known = words.into_iter().map(|(place, a, b, apart)| {
            let ids = |base: u32, n: u32| of_type(if n < 3 { n } else { base + n }, place);
            let pair = Pair { kind: kind(KINDS[place]), a: ids(1000, a), b: ids(2000, b) };
            operator(pair, if apart { Standing::Apart } else { Standing::Linked })
        });
        let mut free =
            |k: &Known| k.standing == Standing::Apart || left.insert(k.pair.a) && right.insert(k.pair.b);
        known.filter(|k| free(k)).collect()
    })
}

proptest! {
    #[test]
    fn every_object_is_in_one_place(a in instance(1000), b in instance(2000), words in words(), baseline: bool) {
        let out = Case { baseline, ..Case::of(&words) }.run(&a, &b);
        let (mut left, mut right) = (HashSet::new(), HashSet::new());
        for p in out.pairs.keys() {
            prop_assert!(left.insert((p.kind, p.a)) && right.insert((p.kind, p.b)), "{:?}", p);
        }
        for (kind, tally) in out.tally.iter().filter(|(_, t)| t.compared) {
            for (snapshot, side, only) in [(&a, Side::A, tally.only_a), (&b, Side::B, tally.only_b)] {
                let disputed = out.disputed.iter().filter(|d| d.kind == *kind && d.side == side).count();
                let missing = out.missing.iter().filter(|m| m.0 == side && m.1 == *kind).count();
                let paired = tally.linked + tally.same + tally.proposed - missing;
                prop_assert_eq!(snapshot.lists[kind].objects.len(), paired + only + disputed);
            }
        }
    }

    #[test]
    fn every_pair_has_its_reason(a in instance(1000), b in instance(2000), words in words(), baseline: bool) {
        let out = Case { baseline, ..Case::of(&words) }.run(&a, &b);
        let find = |s: &Snapshot, kind: Kind, id| s.lists[&kind].objects.iter().find(|o| o.id == id).cloned().unwrap();
        let on_a = |kind: &str, id: Guid| {
            let of_kind = |p: &&Pair| p.kind.as_str() == kind && p.b == id;
            out.pairs.keys().find(of_kind).map(|p| p.a)
        };
        for (pair, confidence) in &out.pairs {
            match confidence {
                Confidence::Operator => prop_assert!(words.contains(&operator(*pair, Standing::Linked))),
                Confidence::SameId => prop_assert_eq!(pair.a, pair.b),
                Confidence::Strong => {
                    let (one, other) = (find(&a, pair.kind, pair.a), find(&b, pair.kind, pair.b));
                    match pair.kind.as_str() {
                        "hardware" => prop_assert_eq!(fold(&one.key), fold(&other.key)),
                        "cameras" | "outputs" => {
                            prop_assert_eq!(&one.key, &other.key);
                            prop_assert_eq!(one.parent, on_a("hardware", other.parent.unwrap()));
                        }
                        _ => prop_assert_eq!(fold(&one.name), fold(&other.name)),
                    }
                }
                Confidence::Fallback | Confidence::Similar => prop_assert!(false, "{pair:?}: {confidence}"),
            }
        }
        let privileged = |p: &Pair| p.kind.row().privileged;
        prop_assert!(out.new.iter().all(|(p, _)| !privileged(p)));
        let unproven = |c: &Confidence| !matches!(c, Confidence::Operator | Confidence::SameId);
        for (pair, _) in out.pairs.iter().filter(|(p, c)| privileged(p) && unproven(c)) {
            prop_assert!(!baseline && out.proposed.contains(pair), "{:?}", pair);
        }
    }

    /// Against the simplest thing that could be right.
    #[test]
    fn names_are_paired_exactly_when_unique(a in instance(1000), b in instance(2000)) {
        let out = first(&a, &b);
        for name in ["timeProfiles", "roles"] {
            let kind = kind(name);
            let (Some(a), Some(b)) = (a.lists.get(&kind), b.lists.get(&kind)) else { continue };
            let (a, b) = (&a.objects, &b.objects);
            let count = |list: &[Object], name: &str| list.iter().filter(|o| o.name.eq_ignore_ascii_case(name)).count();
            let both = |id: Guid| a.iter().any(|o| o.id == id) && b.iter().any(|o| o.id == id);
            for left in a {
                for right in b {
                    let equal = !left.name.is_empty() && left.name.eq_ignore_ascii_case(&right.name);
                    let alone = count(a, &left.name) == 1 && count(b, &right.name) == 1;
                    let expected = equal && alone && !both(left.id) && !both(right.id) || left.id == right.id;
                    let pair = Pair { kind, a: left.id, b: right.id };
                    prop_assert_eq!(out.pairs.contains_key(&pair), expected, "{:?} {:?}", left, right);
                }
            }
        }
    }

    #[test]
    fn neither_order_nor_side_matters(a in instance(1000), b in instance(2000), words in words()) {
        let case = Case::of(&words);
        let out = case.run(&a, &b);
        let mut turned = Case::of(&words);
        turned.known.reverse();
        prop_assert_eq!(&turned.run(&shuffled(&a), &shuffled(&b)), &out);
        let mirrored = |p: &Pair| Pair { kind: p.kind, a: p.b, b: p.a };
        for word in &mut turned.known {
            word.pair = mirrored(&word.pair);
        }
        let other = turned.run(&b, &a);
        let pairs: Pairs = out.pairs.iter().map(|(p, c)| (mirrored(p), *c)).collect();
        prop_assert_eq!(other.pairs, pairs);
        prop_assert_eq!(other.disputed.len(), out.disputed.len());
    }

    #[test]
    fn a_second_run_finds_nothing_new(a in instance(1000), b in instance(2000), keep_missing: bool) {
        let before = first(&a, &b);
        let out = Case { keep_missing, baseline: false, ..Case::of(&remembered(&before)) }.run(&a, &b);
        prop_assert!(out.new.is_empty() && out.gone.is_empty() && out.moved.is_empty(), "{:?}", out.new);
        prop_assert_eq!(out.pairs, before.pairs);
    }

    #[test]
    fn whatever_happens_links_stay_one_to_one(
        a in instance(1000), b in instance(2000), a2 in instance(1000), b2 in instance(2000),
        believe_losses: bool, keep_missing: bool,
    ) {
        let before = remembered(&first(&a, &b));
        let out = Case { believe_losses, keep_missing, ..Case::of(&before) }.run(&a2, &b2);
        // As the store does it.
        let ended: HashSet<Pair> = out.gone.iter().chain(out.moved.iter().map(|m| &m.old)).copied().collect();
        let mut after: Vec<Pair> = before.iter().map(|k| k.pair).filter(|p| !ended.contains(p)).collect();
        after.extend(new(&out));
        after.extend(out.moved.iter().filter(|m| m.confidence != Confidence::SameId).map(|m| m.new));
        let (mut left, mut right) = (HashSet::new(), HashSet::new());
        for p in &after {
            prop_assert!(left.insert(p.a) && right.insert(p.b), "{:?} in {:?}", p, after);
        }
        let links = out.pairs.iter().filter(|(p, c)| **c != Confidence::SameId && !out.proposed.contains(p));
        let mut links: Vec<Pair> = links.map(|(p, _)| *p).collect();
        after.sort_unstable();
        links.sort_unstable();
        prop_assert_eq!(after, links);
        // A list that is not there ends nothing, and with sync only what both have lost ends.
        let lacks = |s: &Snapshot, kind, id| s.lists.get(&kind).is_some_and(|l| l.objects.iter().all(|o| o.id != id));
        for p in &out.gone {
            let (on_a, on_b) = (lacks(&a2, p.kind, p.a), lacks(&b2, p.kind, p.b));
            let ended = if keep_missing { on_a && on_b } else { on_a || on_b };
            prop_assert!(ended, "{:?}", p);
        }
        for m in &out.moved {
            prop_assert!(m.old.a == m.new.a && lacks(&b2, m.old.kind, m.old.b) || m.old.b == m.new.b && lacks(&a2, m.old.kind, m.old.a));
        }
        for m in &out.missing {
            let snapshot = if m.0 == Side::A { &a2 } else { &b2 };
            prop_assert!(lacks(snapshot, m.1, m.2) && (keep_missing || !believe_losses));
        }
    }
}
