#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod corpus;
mod properties;
mod resembling;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::sync::catalogue::Key;
use crate::sync::plan::Digest;
use crate::sync::snapshot::{Body, Distrust, Listing};

fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap()
}

fn id(n: u32) -> Guid {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&n.to_be_bytes());
    Guid::new(bytes)
}

fn object(n: u32, name: &str) -> Object {
    Object {
        id: id(n),
        name: name.into(),
        parent: None,
        key: "".into(),
        modified_ms: None,
        builtin: false,
        alias: None,
        body: body(&json!({"name": name})),
    }
}

fn hardware(n: u32, address: &str) -> Object {
    Object { key: address.into(), ..object(n, "a box") }
}

fn device(n: u32, hardware: u32, channel: i64) -> Object {
    Object { parent: Some(id(hardware)), key: channel.to_string().into(), ..object(n, "a device") }
}

fn group(n: u32, parent: Option<u32>, name: &str) -> Object {
    Object { parent: parent.map(id), ..object(n, name) }
}

fn body(fields: &Value) -> Body {
    Body::new(serde_json::to_vec(fields).unwrap())
}

/// The types that others lie in are there, and empty, unless given.
fn side<const N: usize>(lists: [(&str, Vec<Object>); N]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for name in ["recordingServers", "hardware"] {
        snapshot.lists.insert(kind(name), Listing::default());
    }
    for (name, mut objects) in lists {
        objects.sort_by_key(|o| o.id);
        snapshot.lists.insert(kind(name), Listing { objects, distrust: Vec::new() });
    }
    snapshot
}

fn pair(name: &str, a: u32, b: u32) -> Pair {
    Pair { kind: kind(name), a: id(a), b: id(b) }
}

fn matched(pair: Pair) -> Known {
    Known { pair, standing: Standing::Matched, confidence: Confidence::Strong }
}

fn operator(pair: Pair, standing: Standing) -> Known {
    Known { pair, standing, confidence: Confidence::Operator }
}

#[derive(Default)]
struct Agreed(BTreeMap<Pair, Body>);

impl Bases for Agreed {
    fn digest(&self, pair: &Pair) -> Option<Digest> {
        self.0.get(pair).map(|body| Digest::of(body.bytes()))
    }

    fn body(&self, pair: &Pair) -> Option<Body> {
        self.0.get(pair).cloned()
    }
}

/// What is known, and how it is to be judged.
struct Case {
    known: Vec<Known>,
    said: Vec<Said>,
    baseline: bool,
    keep_missing: bool,
    believe_losses: bool,
    bases: Agreed,
}

impl Case {
    fn of(known: &[Known]) -> Self {
        Self {
            known: known.to_vec(),
            said: Vec::new(),
            baseline: true,
            keep_missing: true,
            believe_losses: false,
            bases: Agreed::default(),
        }
    }

    fn run(&self, a: &Snapshot, b: &Snapshot) -> Outcome {
        identify(&Input {
            sides: [a, b],
            known: &self.known,
            said: &self.said,
            baseline: self.baseline,
            keep_missing: self.keep_missing,
            believe_losses: self.believe_losses,
            bases: &self.bases,
        })
    }
}

fn first(a: &Snapshot, b: &Snapshot) -> Outcome {
    Case { baseline: false, ..Case::of(&[]) }.run(a, b)
}

fn new(out: &Outcome) -> Vec<Pair> {
    out.new.iter().map(|(pair, _)| *pair).collect()
}

fn whys(out: &Outcome) -> Vec<(Side, Guid, Why)> {
    out.disputed.iter().map(|d| (d.side, d.id, d.why)).collect()
}

/// Name and operator's words for what is said in the configuration.
fn said(name: &str, a: &str, b: &str) -> Said {
    Said { kind: kind(name), objects: [a.to_owned(), b.to_owned()] }
}

#[test]
fn hardware_devices_groups_and_names() {
    let a = side([
        ("hardware", vec![hardware(1, "http://10.0.0.1/"), hardware(2, "http://10.0.0.2/")]),
        ("cameras", vec![device(11, 1, 0), device(12, 1, 1), device(13, 2, 0)]),
        (
            "cameraGroups",
            vec![group(31, None, "North"), group(32, Some(31), "Gate"), group(33, None, "Gate")],
        ),
        ("timeProfiles", vec![object(41, "Night"), object(42, "Only here")]),
    ]);
    let b = side([
        ("hardware", vec![hardware(102, "http://10.0.0.2:80"), hardware(101, "HTTP://10.0.0.1")]),
        ("cameras", vec![device(113, 102, 0), device(112, 101, 1), device(111, 101, 0)]),
        (
            "cameraGroups",
            vec![group(132, Some(131), "gate"), group(133, None, "Gate"), group(131, None, "North")],
        ),
        ("timeProfiles", vec![object(141, "NIGHT"), object(143, "There"), object(144, "There too")]),
    ]);
    let out = first(&a, &b);
    let mut expected = vec![
        pair("hardware", 1, 101),
        pair("hardware", 2, 102),
        pair("cameras", 11, 111),
        pair("cameras", 12, 112),
        pair("cameras", 13, 113),
        pair("cameraGroups", 31, 131),
        pair("cameraGroups", 32, 132),
        pair("cameraGroups", 33, 133),
        pair("timeProfiles", 41, 141),
    ];
    expected.sort_unstable();
    assert_eq!(new(&out), expected);
    assert_eq!(out.pairs.len(), expected.len());
    assert!(out.pairs.values().all(|c| *c == Confidence::Strong));
    assert!(out.disputed.is_empty() && out.gone.is_empty(), "{:?}", out.disputed);
    let tally = out.tally[&kind("timeProfiles")];
    assert_eq!((tally.linked, tally.new, tally.only_a, tally.only_b), (1, 1, 1, 2));
    assert!(tally.compared && !out.tally.contains_key(&kind("roles")));
}

#[test]
fn two_with_one_key_are_not_guessed() {
    let a = side([
        ("hardware", vec![hardware(1, "http://10.0.0.1/"), hardware(2, "http://10.0.0.1:80/")]),
        ("cameras", vec![device(11, 1, 0), device(12, 9, 0)]),
        ("timeProfiles", vec![object(41, "Night"), object(42, "night "), object(43, "")]),
        ("cameraGroups", vec![group(51, Some(52), "x"), group(52, Some(51), "y")]),
    ]);
    let b = side([
        ("hardware", vec![hardware(101, "http://10.0.0.1/")]),
        ("cameras", vec![device(111, 101, 0)]),
        ("timeProfiles", vec![object(141, "Night")]),
        ("cameraGroups", vec![]),
    ]);
    let out = first(&a, &b);
    assert_eq!((new(&out), out.pairs.len()), (vec![], 0));
    let address = Key::Address("address");
    let mut expected = vec![
        (Side::A, id(1), Why::Twins(address, 2)),
        (Side::A, id(2), Why::Twins(address, 2)),
        (Side::B, id(101), Why::TwinsThere(address, 2)),
        (Side::A, id(11), Why::ParentUnlinked),
        (Side::A, id(12), Why::NoParent),
        (Side::B, id(111), Why::ParentUnlinked),
        (Side::A, id(51), Why::NoParent),
        (Side::A, id(52), Why::NoParent),
        (Side::A, id(41), Why::Twins(Key::Name, 2)),
        (Side::A, id(42), Why::Twins(Key::Name, 2)),
        (Side::A, id(43), Why::NoName),
        (Side::B, id(141), Why::TwinsThere(Key::Name, 2)),
    ];
    let mut found = whys(&out);
    expected.sort_by_key(|(side, id, _)| (*side, *id));
    found.sort_by_key(|(side, id, _)| (*side, *id));
    assert_eq!(found, expected);
    assert_eq!(out.tally[&kind("cameras")].ambiguous, 3);
}

#[test]
fn one_id_on_both_sides_needs_no_link_and_places_its_devices() {
    let a = side([("hardware", vec![hardware(1, "x")]), ("cameras", vec![device(11, 1, 0)])]);
    let b = side([("hardware", vec![hardware(1, "moved")]), ("cameras", vec![device(111, 1, 0)])]);
    let out = first(&a, &b);
    assert_eq!(new(&out), [pair("cameras", 11, 111)]);
    assert_eq!(out.pairs[&pair("hardware", 1, 1)], Confidence::SameId);
    assert_eq!(out.tally[&kind("hardware")].same, 1);
    // A newcomer with the name of such an object gets nothing.
    let a = side([("timeProfiles", vec![object(1, "Always")])]);
    let b = side([("timeProfiles", vec![object(1, "Renamed"), object(2, "Always")])]);
    assert_eq!(whys(&first(&a, &b)), [(Side::B, id(2), Why::Taken(Key::Name))]);
    // Nor does an operator's word count for nothing.
    let apart = [operator(pair("timeProfiles", 1, 1), Standing::Apart)];
    assert_eq!(Case::of(&apart).run(&a, &b).pairs, Pairs::new());
}

#[test]
fn a_link_cannot_be_taken_over_by_name() {
    let before = [matched(pair("timeProfiles", 1, 101))];
    let a = side([("timeProfiles", vec![object(1, "Night")])]);
    // On B somebody has renamed Night and made a new one.
    let b = side([("timeProfiles", vec![object(101, "Day"), object(102, "Night")])]);
    let out = Case::of(&before).run(&a, &b);
    assert_eq!((out.new.len(), out.gone.len(), out.moved.len()), (0, 0, 0));
    assert_eq!(whys(&out), [(Side::B, id(102), Why::Taken(Key::Name))]);
}

/// Whoever owns an instance chooses the ids that it shows.
#[test]
fn a_role_cannot_be_taken_over_by_its_id() {
    let before = [matched(pair("roles", 1, 101)), matched(pair("timeProfiles", 2, 102))];
    let builtin = |n: u32| Object { builtin: true, ..object(n, "Administrators") };
    let on_a = |role| side([("roles", vec![role, builtin(7)]), ("timeProfiles", vec![object(102, "x")])]);
    let b = side([
        ("roles", vec![object(101, "Guards"), object(103, "Chiefs"), builtin(7)]),
        ("timeProfiles", vec![object(102, "Night")]),
    ]);
    // Of a role that has a counterpart, and of one that has none.
    for n in [101, 103] {
        let out = Case::of(&before).run(&on_a(object(n, "Visitors")), &b);
        let why = Why::Privileged(kind("roles"), None);
        assert!(whys(&out).contains(&(Side::A, id(n), why)), "{:?}", out.disputed);
        assert!(out.pairs.contains_key(&pair("roles", 1, 101)), "as it was");
        assert!(out.pairs.contains_key(&pair("roles", 7, 7)), "comes with the product");
        assert!(!out.pairs.contains_key(&pair("roles", n, n)));
        assert!(out.moved.iter().all(|moved| moved.new.kind != kind("roles")));
        assert!(out.pairs.contains_key(&pair("timeProfiles", 102, 102)), "gives no rights");
    }
    // What was agreed to be the same before still is.
    let known = Known { confidence: Confidence::SameId, ..matched(pair("roles", 101, 101)) };
    let out = Case::of(&[known]).run(&on_a(object(101, "Guards")), &b);
    assert!(out.pairs.contains_key(&pair("roles", 101, 101)));
}

#[test]
fn operators_have_the_last_word() {
    let list = || vec![object(1, "Night"), object(2, "Day")];
    let a = side([("timeProfiles", list())]);
    let b = side([("timeProfiles", vec![object(101, "Night"), object(102, "Day"), object(103, "Dusk")])]);
    let words = [
        operator(pair("timeProfiles", 1, 101), Standing::Apart),
        operator(pair("timeProfiles", 2, 103), Standing::Linked),
    ];
    let out = Case::of(&words).run(&a, &b);
    assert_eq!(out.new, []);
    let expected = [
        (Side::A, id(1), Why::Apart),
        (Side::B, id(101), Why::Apart),
        (Side::B, id(102), Why::Taken(Key::Name)),
    ];
    assert_eq!(whys(&out), expected);
    assert_eq!(out.pairs, Pairs::from([(pair("timeProfiles", 2, 103), Confidence::Operator)]));
    // Also when an object that they linked is not there any more.
    let out = Case { believe_losses: true, keep_missing: false, ..Case::of(&words) }
        .run(&side([("timeProfiles", vec![])]), &b);
    assert_eq!((out.gone, out.tally[&kind("timeProfiles")].linked), (vec![], 1));
    assert_eq!(out.missing, [(Side::A, kind("timeProfiles"), id(2))]);
}

#[test]
fn without_sync_links_end_only_by_a_list_that_can_be_believed() {
    let links: Vec<Known> = (0..10).map(|n| matched(pair("cameras", n, 100 + n))).collect();
    let cameras =
        |from: u32, there: u32| (from..10).map(|n| device(n + there, 50 + there, n.into())).collect();
    let b = side([("cameras", cameras(0, 100))]);
    let ended = |from: u32, believe_losses: bool| {
        let out = Case { keep_missing: false, believe_losses, ..Case::of(&links) }
            .run(&side([("cameras", cameras(from, 0))]), &b);
        let tally = out.tally[&kind("cameras")];
        (out.gone.len(), tally.held, tally.linked)
    };
    assert_eq!(ended(0, false), (0, 0, 10));
    assert_eq!(ended(5, false), (5, 0, 5));
    assert_eq!(ended(6, false), (0, 6, 10));
    assert_eq!(ended(10, false), (0, 10, 10));
    assert_eq!(ended(10, true), (10, 0, 0));
    // No list is no statement, whatever is believed.
    let unread = Case { keep_missing: false, believe_losses: true, ..Case::of(&links) }.run(&side([]), &b);
    assert_eq!((unread.gone.len(), unread.pairs.len()), (0, 10));
    // The last one of its type: an empty list is what a broken server sends.
    let last = Case { keep_missing: false, ..Case::of(&links[..1]) }.run(&side([("cameras", vec![])]), &b);
    assert_eq!((last.gone.len(), last.tally[&kind("cameras")].held), (0, 1));
}

#[test]
fn with_sync_a_pair_waits_for_its_missing_object() {
    let links: Vec<Known> = (0..4).map(|n| matched(pair("timeProfiles", n, 100 + n))).collect();
    let list = |from: u32, there: u32| (from..4).map(|n| object(n + there, &n.to_string())).collect();
    let a = side([("timeProfiles", list(2, 0))]);
    let out = Case::of(&links).run(&a, &side([("timeProfiles", list(1, 100))]));
    assert_eq!(out.missing, [(Side::A, kind("timeProfiles"), id(1))]);
    assert_eq!(out.gone, [pair("timeProfiles", 0, 100)], "both are gone");
    assert_eq!((out.pairs.len(), out.disputed.len()), (3, 0));
    let tally = out.tally[&kind("timeProfiles")];
    assert_eq!((tally.linked, tally.missing, tally.gone), (3, 1, 1));
}

#[test]
fn what_was_made_anew_is_linked_anew() {
    let links = [matched(pair("hardware", 1, 101)), matched(pair("cameras", 11, 111))];
    let a = side([("hardware", vec![hardware(1, "x")]), ("cameras", vec![device(11, 1, 0)])]);
    let b = side([("hardware", vec![hardware(201, "x")]), ("cameras", vec![device(211, 201, 0)])]);
    let out = Case { keep_missing: false, ..Case::of(&links) }.run(&a, &b);
    assert_eq!(out.gone, [pair("hardware", 1, 101), pair("cameras", 11, 111)]);
    assert_eq!(new(&out), [pair("hardware", 1, 201), pair("cameras", 11, 211)]);
    let out = Case::of(&links).run(&a, &b);
    let moved = |name, a, b, c| Moved {
        old: pair(name, a, b),
        new: pair(name, a, c),
        confidence: Confidence::Strong,
    };
    assert_eq!(out.moved, [moved("hardware", 1, 101, 201), moved("cameras", 11, 111, 211)]);
    assert_eq!((out.gone.len(), out.new.len(), out.missing.len(), out.pairs.len()), (0, 0, 0, 2));
}

#[test]
fn nothing_is_judged_inside_what_cannot_be_believed() {
    let links = [matched(pair("cameras", 12, 112))];
    let a = side([("cameras", vec![device(11, 1, 0)])]);
    let b = side([("cameras", vec![device(111, 101, 0)])]);
    for doubtful in ["hardware", "recordingServers"] {
        let mut b = b.clone();
        b.lists.get_mut(&kind(doubtful)).unwrap().distrust.push(Distrust::Garbled);
        let out = Case::of(&links).run(&a, &b);
        assert_eq!(new(&out), []);
        assert_eq!(out.pairs, Pairs::from([(pair("cameras", 12, 112), Confidence::Strong)]));
        assert!(out.disputed.is_empty() && out.missing.is_empty() && !out.tally[&kind("cameras")].compared);
    }
}

#[test]
fn what_gives_rights_is_proposed_first_and_never_paired_later() {
    let a = side([("roles", vec![object(1, "Guards")]), ("rules", vec![object(2, "Alarm")])]);
    let b = side([("roles", vec![object(101, "guards")]), ("rules", vec![object(102, "Alarm")])]);
    let out = first(&a, &b);
    let both = [pair("rules", 2, 102), pair("roles", 1, 101)];
    assert_eq!(new(&out), []);
    assert_eq!(out.proposed, BTreeSet::from(both));
    assert!(both.iter().all(|p| out.pairs[p] == Confidence::Strong));
    assert_eq!(out.tally[&kind("roles")].proposed, 1);
    // Once confirmed they are links like others.
    let out = Case::of(&both.map(matched)).run(&a, &b);
    assert_eq!((out.pairs.len(), out.proposed.len(), out.disputed.len()), (2, 0, 0));
    // Later, a name proves nothing: neither for two new ones,
    let out = Case::of(&[]).run(&a, &b);
    assert_eq!((out.pairs.len(), out.disputed.len()), (0, 4));
    let why = out.disputed.iter().find(|d| d.kind == kind("roles")).unwrap().why;
    assert_eq!(
        why.to_string(),
        "a new object of roles that matches an existing one by name: only a person may link it"
    );
    // nor for one that was deleted and made again.
    let b = side([("roles", vec![object(103, "Guards"), object(104, "Others")]), ("rules", vec![])]);
    let out = Case::of(&[matched(pair("roles", 1, 101))]).run(&a, &b);
    assert_eq!((out.moved.len(), out.missing.len()), (0, 1));
    assert_eq!(whys(&out), [(Side::B, id(103), Why::Privileged(kind("roles"), Some(Key::Name)))]);
}

#[test]
fn what_comes_with_the_installation_is_no_counterpart_of_what_somebody_made() {
    let builtin = Object { builtin: true, ..object(1, "All") };
    let a = side([("cameraGroups", vec![builtin])]);
    let b = side([("cameraGroups", vec![object(101, "All")])]);
    let out = first(&a, &b);
    assert_eq!(whys(&out).iter().map(|w| w.2).collect::<Vec<_>>(), [Why::Builtin(Key::Path); 2]);
}

#[test]
fn the_configuration_pairs_what_has_no_key() {
    let a = side([("recordingServers", vec![object(1, "Rec North"), object(2, "Rec South")])]);
    let b = side([("recordingServers", vec![object(101, "R-1"), object(102, "R-2"), object(103, "r-2")])]);
    let out = first(&a, &b);
    assert!(whys(&out).iter().all(|w| w.2 == Why::ByOperator) && out.disputed.len() == 5);

    let one = said("recordingServers", "rec north", "R-1");
    let mut case = Case::of(&[]);
    case.said = vec![
        one.clone(),
        said("recordingServers", "Rec South", "R-2"),
        said("recordingServers", "Rec West", &id(102).to_string()),
    ];
    let out = case.run(&a, &b);
    let linked = pair("recordingServers", 1, 101);
    assert_eq!(out.new, [(linked, Confidence::Operator)]);
    let misfits: Vec<Unfit> = out.misfits.iter().map(|m| m.why).collect();
    assert_eq!(misfits, [Unfit::Several(Side::B, 2), Unfit::Nobody(Side::A)]);

    // It stays, and ends when it is not said any more.
    let mut case = Case::of(&[operator(linked, Standing::Matched)]);
    case.said = vec![one];
    let out = case.run(&a, &b);
    assert_eq!((out.new.len(), out.gone.len(), out.pairs.len()), (0, 0, 1));
    case.said = vec![said("recordingServers", "Rec North", &id(102).to_string())];
    let out = case.run(&a, &b);
    assert_eq!((new(&out), out.gone), (vec![pair("recordingServers", 1, 102)], vec![linked]));
    case.said = vec![];
    assert_eq!(case.run(&a, &b).gone, [linked]);
    // Somebody has renamed it: that ends nothing.
    case.said = vec![said("recordingServers", "Rec Nord", "R-1")];
    let out = case.run(&a, &b);
    assert_eq!((out.gone.len(), out.pairs.len(), out.misfits.len()), (0, 1, 1));
    // What operators have said with `sync links` is not overruled.
    let mut case = Case::of(&[operator(pair("recordingServers", 1, 102), Standing::Linked)]);
    case.said = vec![said("recordingServers", "Rec North", "R-1")];
    assert_eq!(case.run(&a, &b).misfits[0].why, Unfit::Contradicted);
    case.known.clear();
    case.said.push(said("recordingServers", &id(2).to_string(), "R-1"));
    let out = case.run(&a, &b);
    assert_eq!(out.misfits.iter().map(|m| m.why).collect::<Vec<_>>(), [Unfit::Twice, Unfit::Twice]);
}
