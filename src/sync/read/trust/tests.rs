#![allow(clippy::unwrap_used)]

use super::*;
use crate::sync::snapshot::Body;

fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap()
}

fn object(number: u8, modified_ms: i64) -> Object {
    Object {
        id: Guid::new([number; 16]),
        name: "".into(),
        parent: None,
        key: "".into(),
        modified_ms: Some(modified_ms),
        builtin: false,
        alias: None,
        body: Body::default(),
    }
}

fn snapshot(lists: &[(&str, Vec<Object>)]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for (name, objects) in lists {
        let listing = Listing { objects: objects.clone(), distrust: Vec::new() };
        snapshot.lists.insert(kind(name), listing);
    }
    snapshot
}

/// Judges and gives the doubts of the whole, of the first type, and what is remembered.
fn judged(mut snapshot: Snapshot, past: &Past, required: bool) -> (Vec<Distrust>, Vec<Distrust>, Past) {
    let past = judge(&mut snapshot, &Facts::default(), past, required);
    let first = snapshot.lists.first_entry().map(|first| first.get().distrust.clone());
    (snapshot.distrust, first.unwrap_or_default(), past)
}

fn remembered(lists: &[(&str, Vec<Object>)]) -> Past {
    judged(snapshot(lists), &Past::default(), false).2
}

fn numbered(numbers: std::ops::Range<u8>) -> Vec<Object> {
    numbers.map(|number| object(number, i64::from(number) * 10_000)).collect()
}

#[test]
fn nothing_where_there_was_something() {
    let past = remembered(&[("roles", numbered(0..3))]);
    let (_, own, next) = judged(snapshot(&[("roles", Vec::new())]), &past, false);
    assert_eq!(own, [Distrust::Empty(3)]);
    assert_eq!(next, past, "the type is remembered as it was");
    let mut absent = snapshot(&[("roles", Vec::new())]);
    absent.lists.first_entry().unwrap().get_mut().distrust.push(Distrust::Absent);
    assert_eq!(judged(absent, &past, false).1, [Distrust::Absent, Distrust::Empty(3)]);
    // A person says so.
    let mut accepted = past;
    accepted.forget(Some(kind("roles")));
    assert_eq!(judged(snapshot(&[("roles", Vec::new())]), &accepted, false).1, []);
    assert_eq!(judged(snapshot(&[("roles", Vec::new())]), &Past::default(), false).1, []);
}

#[test]
fn fields_and_members_that_are_gone_everywhere() {
    let facts =
        |members: usize| Facts { clock: None, counts: [(kind("roles"), [("users", members)].into())].into() };
    let judged = |members: usize, past: &Past| {
        let mut snapshot = snapshot(&[("roles", numbered(0..2))]);
        let past = judge(&mut snapshot, &facts(members), past, false);
        (snapshot.lists.pop_first().unwrap().1.distrust, past)
    };
    let (_, past) = judged(5, &Past::default());
    assert_eq!(judged(1, &past).0, []);
    assert_eq!(judged(0, &past).0.first().map(Distrust::code), Some("members"));
    let (_, few) = judged(2, &past);
    assert_eq!(judged(0, &few).0, [], "two members may go");
}

#[test]
fn an_object_that_went_back_is_a_sure_sign() {
    let past = remembered(&[("roles", numbered(0..100))]);
    let mut objects = numbered(0..100);
    objects[99].modified_ms = Some(5_000);
    assert_eq!(judged(snapshot(&[("roles", objects.clone())]), &past, false).0, [Distrust::Older(985)]);
    // A clock was set right.
    objects[99].modified_ms = Some(989_500);
    assert_eq!(judged(snapshot(&[("roles", objects)]), &past, false).0, []);
}

#[test]
fn deletions_are_no_sign_unless_nothing_new_is_left() {
    let past = remembered(&[("roles", numbered(0..200))]);
    assert_eq!(judged(snapshot(&[("roles", numbered(0..150))]), &past, false).0, []);
    assert_eq!(judged(snapshot(&[("roles", numbered(0..100))]), &past, false).0, [Distrust::Older(1000)]);
    let few = remembered(&[("roles", numbered(0..4))]);
    assert_eq!(judged(snapshot(&[("roles", numbered(100..104))]), &few, false).0, []);
}

/// What was not read says nothing, and its stamps are kept until it is.
#[test]
fn a_type_that_was_not_read_is_remembered_as_it_was() {
    let past = remembered(&[("roles", numbered(0..10)), ("cameras", numbered(20..30))]);
    let mut partly = snapshot(&[("roles", Vec::new()), ("cameras", numbered(20..31))]);
    partly.lists.get_mut(&kind("roles")).unwrap().distrust.push(Distrust::Garbled);
    let (doubts, _, next) = judged(partly, &past, false);
    assert_eq!(doubts, []);
    let mut objects = numbered(0..10);
    objects[9].modified_ms = Some(1);
    let back = judged(snapshot(&[("roles", objects), ("cameras", numbered(20..31))]), &next, false);
    assert_eq!(back.0.first().map(Distrust::code), Some("older"));
}

#[test]
fn the_canary() {
    let canary = |number: u8, description: &str| {
        let mut object = object(number, 0);
        object.name = CANARY.into();
        object.body = Body::new(format!("{{\"description\":\"{description}\"}}").into_bytes());
        object
    };
    let events = |objects: &[Object]| snapshot(&[(CANARY_KIND, objects.to_vec())]);
    let past = judged(events(&[canary(1, "")]), &Past::default(), false).2;
    let says = |objects: &[Object], past: &Past, required| {
        judged(events(objects), past, required).0.first().map(ToString::to_string).unwrap_or_default()
    };
    let other = object(7, 0);
    let rest = std::slice::from_ref(&other);
    assert_eq!(says(rest, &Past::default(), false), "");
    assert_eq!(says(rest, &Past::default(), true), "canary: there is none");
    assert_eq!(says(&[canary(1, "")], &past, true), "");
    assert_eq!(says(rest, &past, false), "canary: it is missing");
    assert_eq!(says(&[canary(1, "x")], &past, false), "canary: it was changed");
    assert_eq!(says(&[canary(2, "")], &past, false), "canary: it is another object");
    assert_eq!(says(&[canary(1, ""), canary(2, "")], &past, false), "canary: there is more than one");
    let unread = judged(snapshot(&[("roles", Vec::new())]), &past, false).0;
    assert_eq!(unread, [Distrust::Canary("analyticsEvents could not be read".to_owned())]);
}

#[test]
fn what_is_remembered_is_small_and_survives_a_restart() {
    let many: Vec<Object> = (0..200).map(|n| object(n, i64::from(n))).collect();
    let past = remembered(&[("cameras", many.clone()), ("roles", many)]);
    let json = past.to_json();
    assert!(json.len() < 10_000, "{}", json.len());
    assert_eq!(Past::from_json(&json), Some(past));
    assert_eq!(Past::from_json("{"), None);
}
