//! What was deleted and made again under another name.

use super::*;

fn profile(n: u32, name: &str, zone: &str) -> Object {
    let fields = json!({
        "name": name, "description": "", "sunclockTimeZone": zone, "sunclockSunRise": 0, "sunclockSunSet": 0,
        "timeProfileAppointmentRoot": [{"start": zone, "duration": 3600}], "timeProfileType": "Calendar",
    });
    Object { body: body(&fields), ..object(n, name) }
}

/// Profile 1 of A has lost its counterpart; what it was, and what B has instead.
fn after(kind: &str, lost: &Object, now: Vec<Object>) -> Outcome {
    let mut case = Case::of(&[matched(pair(kind, 1, 101))]);
    case.bases.0.insert(pair(kind, 1, 101), lost.body.clone());
    let a = side([(kind, vec![Object { id: id(1), ..lost.clone() }])]);
    case.believe_losses = true;
    case.run(&a, &side([(kind, now)]))
}

#[test]
fn another_name_and_all_else_as_it_was() {
    let lost = profile(101, "Night", "Europe/Rome");
    let out = after(
        "timeProfiles",
        &lost,
        vec![profile(102, "Dusk", "Europe/Rome"), profile(103, "Day", "Asia/Tokyo")],
    );
    let (old, new) = (pair("timeProfiles", 1, 101), pair("timeProfiles", 1, 102));
    assert_eq!(out.moved, [Moved { old, new, confidence: Confidence::Similar }]);
    assert_eq!(out.pairs, Pairs::from([(new, Confidence::Similar)]));
    assert_eq!((out.tally[&kind("timeProfiles")].only_b, out.missing.len()), (1, 0));
}

#[test]
fn two_that_look_like_it_are_not_guessed_at() {
    let lost = profile(101, "Night", "Europe/Rome");
    let out = after(
        "timeProfiles",
        &lost,
        vec![profile(102, "Dusk", "Europe/Rome"), profile(103, "Day", "Europe/Rome")],
    );
    assert_eq!(out.moved, []);
    assert_eq!(whys(&out), [(Side::B, id(102), Why::Alike), (Side::B, id(103), Why::Alike)]);
    assert_eq!(out.missing, [(Side::B, kind("timeProfiles"), id(101))]);
}

#[test]
fn two_as_they_come_out_of_the_box_are_two() {
    let plain = |n, name: &str| {
        let fields = json!({"name": name, "description": "", "sunclockSunRise": 0, "sunclockSunSet": 0,
            "sunclockTimeZone": "", "timeProfileType": "Sunclock", "timeProfileAppointmentRoot": []});
        Object { body: body(&fields), ..object(n, name) }
    };
    let out = after("timeProfiles", &plain(101, "Profile 1"), vec![plain(102, "Profile 12")]);
    assert_eq!((out.moved.len(), out.disputed.len(), out.missing.len()), (0, 0, 1));
    assert_eq!(out.tally[&kind("timeProfiles")].only_b, 1);
}

#[test]
fn what_gives_rights_is_only_said_to_look_like_it() {
    let rule = |n, name: &str| {
        let fields = json!({"name": name, "description": "Opens the gate", "startActions": "open(gate)",
            "stopActions": "", "enabled": true, "startRuleType": "Event"});
        Object { body: body(&fields), ..object(n, name) }
    };
    let out = after("rules", &rule(101, "Open"), vec![rule(102, "Open it")]);
    assert_eq!((out.moved.len(), out.missing.len()), (0, 1));
    assert_eq!(whys(&out), [(Side::B, id(102), Why::Privileged(kind("rules"), None))]);
}

#[test]
fn members_are_the_same_by_their_links() {
    let group = |n, name: &str, cameras: [u32; 2]| {
        let cameras: Vec<String> = cameras.iter().map(|n| id(*n).to_string()).collect();
        Object {
            body: body(&json!({"name": name, "description": "", "cameras": cameras})),
            ..object(n, name)
        }
    };
    let mut case = Case::of(&[
        matched(pair("cameras", 11, 111)),
        matched(pair("cameras", 12, 112)),
        matched(pair("cameraGroups", 1, 101)),
    ]);
    // As both sides last agreed, with the ids of A.
    case.bases.0.insert(pair("cameraGroups", 1, 101), group(1, "North", [11, 12]).body);
    case.believe_losses = true;
    let a = side([
        ("cameras", vec![device(11, 1, 0), device(12, 1, 1)]),
        ("cameraGroups", vec![group(1, "North", [11, 12])]),
    ]);
    let b = side([
        ("cameras", vec![device(111, 101, 0), device(112, 101, 1)]),
        ("cameraGroups", vec![group(102, "Yard", [112, 111])]),
    ]);
    let out = case.run(&a, &b);
    assert_eq!(out.moved[0].new, pair("cameraGroups", 1, 102));
    // Without links between the cameras nothing says so.
    case.known.retain(|k| k.pair.kind == kind("cameraGroups"));
    assert_eq!(case.run(&a, &b).moved, []);
}

#[test]
fn one_id_on_both_sides_can_be_known_and_be_missing() {
    let known = Known { confidence: Confidence::SameId, ..matched(pair("timeProfiles", 1, 1)) };
    let a = side([("timeProfiles", vec![object(1, "Night"), object(2, "Day")])]);
    let b = side([("timeProfiles", vec![object(2, "Day")])]);
    let out = Case::of(&[known]).run(&a, &b);
    assert_eq!(out.missing, [(Side::B, kind("timeProfiles"), id(1))]);
    assert_eq!((out.new.len(), out.pairs.len(), out.tally[&kind("timeProfiles")].only_a), (0, 2, 0));
    let b = side([("timeProfiles", vec![object(2, "Day"), object(3, "Night")])]);
    assert_eq!(Case::of(&[known]).run(&a, &b).moved[0].new, pair("timeProfiles", 1, 3));
}
