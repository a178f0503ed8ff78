#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;

use super::*;

fn id(n: u32) -> Guid {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Guid::new(bytes)
}

fn object(n: u32, name: &str) -> Object {
    Object { id: id(n), name: name.to_owned(), parent: None, address: String::new(), channel: None }
}

fn hardware(n: u32, address: &str) -> Object {
    Object { address: address.to_owned(), ..object(n, "a box") }
}

fn device(n: u32, hardware: u32, channel: i64) -> Object {
    Object { parent: Some(id(hardware)), channel: Some(channel), ..object(n, "a device") }
}

fn group(n: u32, parent: Option<u32>, name: &str) -> Object {
    Object { parent: parent.map(id), ..object(n, name) }
}

fn lists<const N: usize>(lists: [(Kind, Vec<Object>); N]) -> Lists {
    lists.into_iter().collect()
}

fn pair(kind: Kind, a: u32, b: u32) -> Pair {
    Pair { kind: Some(kind), a: id(a), b: id(b) }
}

fn known(pair: Pair, standing: Standing) -> Known {
    Known { pair, standing }
}

/// Why each disputed object is.
fn whys(matching: &Matching) -> Vec<(Side, Guid, Why)> {
    matching.disputed.iter().map(|d| (d.side, d.id, d.why)).collect()
}

#[test]
fn hardware_devices_groups_and_names() {
    let a = lists([
        (Kind::Hardware, vec![hardware(1, "http://10.0.0.1/"), hardware(2, "http://10.0.0.2/")]),
        (Kind::Cameras, vec![device(11, 1, 0), device(12, 1, 1), device(13, 2, 0)]),
        (Kind::Outputs, vec![device(21, 1, 0)]),
        (
            Kind::CameraGroups,
            vec![group(31, None, "North"), group(32, Some(31), "Gate"), group(33, None, "Gate")],
        ),
        (Kind::TimeProfiles, vec![object(41, "Night"), object(42, "Only here")]),
    ]);
    let b = lists([
        (Kind::Hardware, vec![hardware(102, "http://10.0.0.2:80"), hardware(101, "HTTP://10.0.0.1")]),
        (Kind::Cameras, vec![device(113, 102, 0), device(112, 101, 1), device(111, 101, 0)]),
        (Kind::Outputs, vec![device(121, 101, 0)]),
        (
            Kind::CameraGroups,
            vec![group(132, Some(131), "gate"), group(133, None, "Gate"), group(131, None, "North")],
        ),
        (Kind::TimeProfiles, vec![object(141, "NIGHT"), object(143, "There"), object(144, "There too")]),
    ]);
    let out = compare(&a, &b, &[], false);
    let expected = [
        pair(Kind::Hardware, 1, 101),
        pair(Kind::Hardware, 2, 102),
        pair(Kind::Cameras, 11, 111),
        pair(Kind::Cameras, 12, 112),
        pair(Kind::Cameras, 13, 113),
        pair(Kind::Outputs, 21, 121),
        pair(Kind::CameraGroups, 31, 131),
        pair(Kind::CameraGroups, 32, 132),
        pair(Kind::CameraGroups, 33, 133),
        pair(Kind::TimeProfiles, 41, 141),
    ];
    assert_eq!(out.new, expected);
    assert!(out.disputed.is_empty() && out.gone.is_empty(), "{:?}", out.disputed);
    let tally = out.kinds[&Kind::TimeProfiles];
    assert_eq!((tally.linked, tally.new, tally.only_a, tally.only_b), (1, 1, 1, 2));
    assert!(tally.compared && !out.kinds[&Kind::Speakers].compared);
}

#[test]
fn two_with_one_key_are_not_guessed() {
    let a = lists([
        (Kind::Hardware, vec![hardware(1, "http://10.0.0.1/"), hardware(2, "http://10.0.0.1:80/")]),
        (Kind::Cameras, vec![device(11, 1, 0), device(12, 9, 0)]),
        (Kind::TimeProfiles, vec![object(41, "Night"), object(42, "night "), object(43, "")]),
        (Kind::CameraGroups, vec![group(51, Some(52), "x"), group(52, Some(51), "y")]),
    ]);
    let b = lists([
        (Kind::Hardware, vec![hardware(101, "http://10.0.0.1/")]),
        (Kind::Cameras, vec![device(111, 101, 0)]),
        (Kind::TimeProfiles, vec![object(141, "Night")]),
        (Kind::CameraGroups, vec![]),
    ]);
    let out = compare(&a, &b, &[], false);
    assert_eq!(out.new, []);
    let (twins, there) = (Why::Twins(Rule::Address, 2), Why::TwinsThere(Rule::Address, 2));
    let (names, names_there) = (Why::Twins(Rule::Name, 2), Why::TwinsThere(Rule::Name, 2));
    let expected = [
        (Side::A, id(1), twins),
        (Side::A, id(2), twins),
        (Side::B, id(101), there),
        (Side::A, id(11), Why::HardwareUnlinked),
        (Side::A, id(12), Why::NoParent),
        (Side::B, id(111), Why::HardwareUnlinked),
        (Side::A, id(51), Why::NoParent),
        (Side::A, id(52), Why::NoParent),
        (Side::A, id(41), names),
        (Side::A, id(42), names),
        (Side::A, id(43), Why::NoName),
        (Side::B, id(141), names_there),
    ];
    assert_eq!(whys(&out), expected);
    assert_eq!(out.kinds[&Kind::Cameras].ambiguous, 3);
}

#[test]
fn two_devices_on_one_channel_are_not_guessed_and_what_only_one_side_has_is_no_dispute() {
    let a = lists([
        (Kind::Hardware, vec![hardware(1, "x"), hardware(2, "only here")]),
        (Kind::Cameras, vec![device(11, 1, 0), device(12, 1, 0), device(13, 2, 0)]),
    ]);
    let b = lists([(Kind::Hardware, vec![hardware(101, "x")]), (Kind::Cameras, vec![device(111, 101, 0)])]);
    let out = compare(&a, &b, &[], false);
    assert_eq!(out.new, [pair(Kind::Hardware, 1, 101)]);
    assert_eq!((out.kinds[&Kind::Cameras].ambiguous, out.kinds[&Kind::Cameras].only_a), (3, 1));
}

#[test]
fn one_id_on_both_sides_needs_no_link_and_places_its_devices() {
    let a = lists([(Kind::Hardware, vec![hardware(1, "x")]), (Kind::Cameras, vec![device(11, 1, 0)])]);
    let b = lists([(Kind::Hardware, vec![hardware(1, "moved")]), (Kind::Cameras, vec![device(111, 1, 0)])]);
    let out = compare(&a, &b, &[], false);
    assert_eq!(out.new, [pair(Kind::Cameras, 11, 111)]);
    assert_eq!(out.kinds[&Kind::Hardware].same, 1);
    // A newcomer with the name of such an object gets nothing.
    let a = lists([(Kind::TimeProfiles, vec![object(1, "Always")])]);
    let b = lists([(Kind::TimeProfiles, vec![object(1, "Renamed"), object(2, "Always")])]);
    assert_eq!(whys(&compare(&a, &b, &[], false)), [(Side::B, id(2), Why::Taken(Rule::Name))]);
}

#[test]
fn a_link_cannot_be_taken_over_by_name() {
    let before = [known(pair(Kind::TimeProfiles, 1, 101), Standing::Matched)];
    let a = lists([(Kind::TimeProfiles, vec![object(1, "Night")])]);
    // On B somebody has renamed Night and made a new one.
    let b = lists([(Kind::TimeProfiles, vec![object(101, "Day"), object(102, "Night")])]);
    let out = compare(&a, &b, &before, false);
    assert_eq!((out.new.len(), out.gone.len()), (0, 0));
    assert_eq!(whys(&out), [(Side::B, id(102), Why::Taken(Rule::Name))]);
}

#[test]
fn operators_have_the_last_word() {
    let list = || vec![object(1, "Night"), object(2, "Day")];
    let a = lists([(Kind::TimeProfiles, list())]);
    let b =
        lists([(Kind::TimeProfiles, vec![object(101, "Night"), object(102, "Day"), object(103, "Dusk")])]);
    let said = [
        known(pair(Kind::TimeProfiles, 1, 101), Standing::Apart),
        known(pair(Kind::TimeProfiles, 2, 103), Standing::Linked),
        known(Pair { kind: None, a: id(7), b: id(107) }, Standing::Linked),
    ];
    let out = compare(&a, &b, &said, false);
    assert_eq!(out.new, []);
    let expected = [
        (Side::A, id(1), Why::Apart),
        (Side::B, id(101), Why::Apart),
        (Side::B, id(102), Why::Taken(Rule::Name)),
    ];
    assert_eq!(whys(&out), expected);
    assert_eq!(out.kinds[&Kind::TimeProfiles].linked, 1);
    // Also when an object that they linked is not there any more.
    let out = compare(&lists([(Kind::TimeProfiles, vec![])]), &b, &said, true);
    assert_eq!((out.gone, out.kinds[&Kind::TimeProfiles].linked), (vec![], 1));
}

#[test]
fn links_end_only_by_a_list_that_can_be_believed() {
    let links: Vec<Known> =
        (0..10).map(|n| known(pair(Kind::Cameras, n, 100 + n), Standing::Matched)).collect();
    let cameras =
        |from: u32, there: u32| (from..10).map(|n| device(n + there, 50 + there, n.into())).collect();
    let b = lists([(Kind::Cameras, cameras(0, 100))]);
    let ended = |from: u32, believe: bool| {
        let out = compare(&lists([(Kind::Cameras, cameras(from, 0))]), &b, &links, believe);
        (out.gone.len(), out.kinds[&Kind::Cameras].held, out.kinds[&Kind::Cameras].linked)
    };
    assert_eq!(ended(0, false), (0, 0, 10));
    assert_eq!(ended(5, false), (5, 0, 5));
    assert_eq!(ended(6, false), (0, 6, 10));
    assert_eq!(ended(10, false), (0, 10, 10));
    assert_eq!(ended(10, true), (10, 0, 0));
    // No list is no statement, whatever is believed.
    assert_eq!(compare(&Lists::new(), &b, &links, true).gone, []);
    // The last one of its kind: an empty list is what a broken server sends.
    let out = compare(&lists([(Kind::Cameras, vec![])]), &b, &links[..1], false);
    assert_eq!((out.gone.len(), out.kinds[&Kind::Cameras].held), (0, 1));
}

#[test]
fn what_was_made_anew_is_linked_anew() {
    let links = [
        known(pair(Kind::Hardware, 1, 101), Standing::Matched),
        known(pair(Kind::Cameras, 11, 111), Standing::Matched),
    ];
    let a = lists([(Kind::Hardware, vec![hardware(1, "x")]), (Kind::Cameras, vec![device(11, 1, 0)])]);
    let b = lists([(Kind::Hardware, vec![hardware(201, "x")]), (Kind::Cameras, vec![device(211, 201, 0)])]);
    let out = compare(&a, &b, &links, false);
    assert_eq!(out.gone, [pair(Kind::Hardware, 1, 101), pair(Kind::Cameras, 11, 111)]);
    assert_eq!(out.new, [pair(Kind::Hardware, 1, 201), pair(Kind::Cameras, 11, 211)]);
}

#[test]
fn devices_wait_for_their_hardware() {
    let a = lists([(Kind::Cameras, vec![device(11, 1, 0)])]);
    let b = lists([(Kind::Hardware, vec![]), (Kind::Cameras, vec![device(111, 101, 0)])]);
    let out = compare(&a, &b, &[], false);
    assert_eq!((out.new.len(), out.disputed.len()), (0, 0));
    assert!(!out.kinds[&Kind::Cameras].compared);
}

/// Few names and places, so that they meet; ids of the two sides are apart but for a few.
fn side(base: u32) -> impl Strategy<Value = Lists> {
    let ids = move |n: u32| if n < 3 { n } else { base + n };
    let names = prop::sample::select(vec!["", "a", "A", "b", "c", "d", "e", "f", "g"]);
    let objects = prop::collection::btree_map(0_u32..30, (names, 0_u32..12, 0_i64..3), 0..20);
    let list = objects.prop_map(move |objects| {
        let made = objects.into_iter().map(|(n, (name, parent, channel))| Object {
            id: id(ids(n)),
            name: name.to_owned(),
            parent: (parent > 0).then(|| id(ids(parent))),
            address: if name.is_empty() { String::new() } else { format!("http://{name}/") },
            channel: Some(channel),
        });
        made.collect::<Vec<_>>()
    });
    let kinds = [Kind::Hardware, Kind::Cameras, Kind::Outputs, Kind::CameraGroups, Kind::TimeProfiles];
    prop::collection::vec(prop::option::weighted(0.9, list), kinds.len()).prop_map(move |lists| {
        // One id is one object: ids of different kinds never meet.
        let own = |(i, (kind, list)): (usize, (Kind, Option<Vec<Object>>))| {
            let shift = |o: Object| Object {
                id: shifted(o.id, i),
                parent: o.parent.map(|p| shifted(p, home(kind, i))),
                ..o
            };
            list.map(|l| (kind, l.into_iter().map(shift).collect()))
        };
        kinds.into_iter().zip(lists).enumerate().filter_map(own).collect()
    })
}

/// Where the parents of the kind with this place are: devices are on hardware, groups in groups.
fn home(kind: Kind, place: usize) -> usize {
    if kind.rule() == Rule::Device { 0 } else { place }
}

fn shifted(guid: Guid, place: usize) -> Guid {
    let mut bytes = guid.bytes();
    bytes[15] = u8::try_from(place).unwrap();
    Guid::new(bytes)
}

fn mirrored(pairs: &[Pair]) -> Vec<Pair> {
    let mut turned: Vec<Pair> = pairs.iter().map(|p| Pair { a: p.b, b: p.a, ..*p }).collect();
    turned.sort_unstable();
    turned
}

fn remembered(pairs: &[Pair]) -> Vec<Known> {
    pairs.iter().map(|p| known(*p, Standing::Matched)).collect()
}

proptest! {
    #[test]
    fn no_object_is_linked_twice_and_all_are_accounted_for(a in side(1000), b in side(2000)) {
        let out = compare(&a, &b, &[], false);
        let (mut left, mut right) = (HashSet::new(), HashSet::new());
        for p in &out.new {
            prop_assert!(left.insert(p.a) && right.insert(p.b) && p.a != p.b, "{:?}", p);
            let has = |lists: &Lists, id| lists[&p.kind.unwrap()].iter().any(|o| o.id == id);
            prop_assert!(has(&a, p.a) && has(&b, p.b));
        }
        for (kind, tally) in out.kinds.iter().filter(|(_, t)| t.compared) {
            let disputed = |side| out.disputed.iter().filter(|d| d.kind == *kind && d.side == side).count();
            prop_assert_eq!(a[kind].len(), tally.linked + tally.same + tally.only_a + disputed(Side::A));
            prop_assert_eq!(b[kind].len(), tally.linked + tally.same + tally.only_b + disputed(Side::B));
        }
    }

    #[test]
    fn names_are_linked_exactly_when_unique(a in side(1000), b in side(2000)) {
        let out = compare(&a, &b, &[], false);
        let (Some(a), Some(b)) = (a.get(&Kind::TimeProfiles), b.get(&Kind::TimeProfiles)) else { return Ok(()) };
        let count = |list: &[Object], name: &str| list.iter().filter(|o| o.name.eq_ignore_ascii_case(name)).count();
        let both = |id: Guid| a.iter().any(|o| o.id == id) && b.iter().any(|o| o.id == id);
        for left in a {
            for right in b {
                let equal = !left.name.is_empty() && left.name.eq_ignore_ascii_case(&right.name);
                let alone = count(a, &left.name) == 1 && count(b, &right.name) == 1;
                let expected = equal && alone && !both(left.id) && !both(right.id);
                let pair = Pair { kind: Some(Kind::TimeProfiles), a: left.id, b: right.id };
                prop_assert_eq!(out.new.contains(&pair), expected, "{:?} {:?}", left, right);
            }
        }
    }

    #[test]
    fn neither_order_nor_side_matters(a in side(1000), b in side(2000)) {
        let out = compare(&a, &b, &[], false);
        let turned = |lists: &Lists| lists.iter().map(|(k, l)| (*k, l.iter().rev().cloned().collect())).collect();
        prop_assert_eq!(&compare(&turned(&a), &turned(&b), &[], false), &out);
        prop_assert_eq!(compare(&b, &a, &[], false).new, mirrored(&out.new));
    }

    #[test]
    fn a_second_run_finds_nothing_new(a in side(1000), b in side(2000)) {
        let first = compare(&a, &b, &[], false);
        let again = compare(&a, &b, &remembered(&first.new), false);
        prop_assert!(again.new.is_empty() && again.gone.is_empty(), "{:?}", again.new);
    }

    #[test]
    fn whatever_happens_links_stay_one_to_one(a in side(1000), b in side(2000), a2 in side(1000), b2 in side(2000), believe: bool) {
        let first = compare(&a, &b, &[], false).new;
        let out = compare(&a2, &b2, &remembered(&first), believe);
        let gone: HashSet<Pair> = out.gone.iter().copied().collect();
        let mut after: Vec<Pair> = first.iter().filter(|p| !gone.contains(p)).copied().collect();
        after.extend(&out.new);
        let (mut left, mut right) = (HashSet::new(), HashSet::new());
        for p in &after {
            prop_assert!(left.insert(p.a) && right.insert(p.b), "{:?} in {:?}", p, after);
        }
        // A list that is not there ends nothing.
        for p in &out.gone {
            let lacks = |lists: &Lists, id| lists.get(&p.kind.unwrap()).is_some_and(|l| l.iter().all(|o| o.id != id));
            prop_assert!(lacks(&a2, p.a) || lacks(&b2, p.b));
        }
    }
}
