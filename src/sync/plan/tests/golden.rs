//! Plans that a person has read and found right: `golden/NAME.txt`. `UPDATE_CASES=1` writes them anew.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::build::{A, B, World, id, kind, named, on_b, to};
use super::show::show;
use crate::sync::catalogue::Policy;
use crate::sync::pair::{Confidence, Pair};
use crate::sync::plan::Plan;
use crate::sync::snapshot::Distrust;

fn check(name: &str, world: &World) {
    check_plan(name, &world.plan());
}

fn check_plan(name: &str, plan: &Plan) {
    let shown = show(plan);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/sync/plan/tests/golden/{name}.txt"));
    if std::env::var_os("UPDATE_CASES").is_some() {
        fs::write(&path, shown).unwrap();
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(&golden), lines(&shown));
    let gone = old.iter().filter(|line| !new.contains(line)).map(|line| format!("- {line}\n"));
    let come = new.iter().filter(|line| !old.contains(line)).map(|line| format!("+ {line}\n"));
    let difference: String = gone.chain(come).collect();
    assert!(golden == shown, "golden/{name}.txt differs:\n{difference}\nnow:\n{shown}");
}

#[test]
fn nothing_to_do() {
    let mut world = World::new();
    world.both("userDefinedEvents", 1, &named("Door"));
    world.both("cameras", 2, &json!({ "name": "Gate", "recordingStorage": to(A, 3) }));
    world.both("storages", 3, &named("Local"));
    check("nothing_to_do", &world);
    assert_eq!(show(&world.plan()), "");
}

#[test]
fn three_way() {
    let mut world = World::new();
    let camera = |n: u32| json!({ "name": format!("Camera {n}"), "description": "old", "icon": 1 });
    for n in 1..=6 {
        world.both("cameras", n, &camera(n));
    }
    world.edit(A, "cameras", 1, &json!({ "description": "new", "name": "Gate" }));
    world.edit(B, "cameras", 2, &json!({ "description": "by hand" }));
    world.edit(A, "cameras", 3, &json!({ "description": "of a" }));
    world.edit(B, "cameras", 3, &json!({ "description": "of b", "icon": 2 }));
    world.edit(A, "cameras", 3, &json!({ "shortName": "c3" }));
    for side in [A, B] {
        world.edit(side, "cameras", 4, &json!({ "description": "both" }));
    }
    world.edit(A, "cameras", 5, &json!({ "icon": 7 }));
    world.edit(B, "cameras", 5, &json!({ "icon": 7, "description": "by hand" }));
    world.never_agreed(
        "cameras",
        9,
        &json!({ "name": "Camera 9", "icon": 1 }),
        &json!({ "name": "Camera 9", "icon": 2 }),
    );
    check("three_way", &world);
    world.both_ways("cameras");
    check("three_way_both", &world);
}

#[test]
fn one_side_only() {
    let mut world = World::new();
    world.put(A, "userDefinedEvents", 1, &named("New"));
    world.put(B, "userDefinedEvents", 2, &named("Of b"));
    world.put(A, "userDefinedEvents", 3, &named("Twice"));
    world.disputed.push((A, kind("userDefinedEvents"), id(A, 3), "two have this name".into()));
    world.put(A, "userDefinedEvents", 4, &named("Installed"));
    world.object(A, "userDefinedEvents", 4).builtin = true;
    world.put(A, "cameras", 5, &named("Gate"));
    world.put(A, "hardware", 6, &json!({ "name": "Device", "address": "http://10.0.0.1/" }));
    world.put(A, "recordingServers", 7, &named("RS"));
    world.within(A, "hardware", 6, 7);
    world.put(A, "basicUsers", 8, &named("guard"));
    check("one_side_only", &world);
}

#[test]
fn vanished() {
    let mut world = World::new();
    for n in 1..=8 {
        world.both("userDefinedEvents", n, &named(&format!("Event {n}")));
    }
    world.policy("userDefinedEvents", [Policy::Auto; 3]);
    world.missing(A, "userDefinedEvents", 1, 900, 2);
    world.missing(A, "userDefinedEvents", 2, 899, 2);
    world.missing(A, "userDefinedEvents", 3, 5000, 1);
    world.missing(A, "userDefinedEvents", 4, 900, 2);
    world.edit(B, "userDefinedEvents", 4, &named("Changed"));
    world.missing(B, "userDefinedEvents", 5, 900, 2);
    world.missing(B, "userDefinedEvents", 6, 900, 2);
    world.edit(A, "userDefinedEvents", 6, &named("Changed, too"));
    for side in [A, B] {
        world.missing(side, "userDefinedEvents", 7, 900, 2);
        world.remove(side, "userDefinedEvents", 8);
    }
    world.both("hardware", 11, &named("Device"));
    world.policy("hardware", [Policy::Auto; 3]);
    world.missing(A, "hardware", 11, 900, 2);
    world.both("cameras", 12, &named("Gate"));
    world.missing(A, "cameras", 12, 900, 2);
    check("vanished", &world);
}

#[test]
fn references() {
    let mut world = World::new();
    world.put(A, "storages", 1, &named("Local"));
    world.both("storages", 2, &named("Paired"));
    for n in [11, 12, 13] {
        world.both("cameras", n, &json!({ "name": format!("Camera {n}"), "recordingStorage": to(A, 2) }));
    }
    world.edit(A, "cameras", 11, &json!({ "recordingStorage": to(A, 1) }));
    world.edit(A, "cameras", 12, &json!({ "recordingStorage": null }));
    world.put(A, "cameraGroups", 21, &json!({ "name": "Inside", "cameras": [to(A, 11), to(A, 12)] }));
    world.within(A, "cameraGroups", 21, 22);
    world.put(A, "cameraGroups", 22, &json!({ "name": "Outside", "cameras": [to(A, 13), to(A, 99)] }));
    world.put(A, "cameras", 99, &named("Not on b"));
    world.policy("roles", [Policy::Auto; 3]);
    world.put(
        A,
        "roles",
        31,
        &json!({ "name": "Guards", "users": ["BasicUser:guard", "WindowsUser:S-1-5-21-7"] }),
    );
    world.put(A, "roles", 32, &json!({ "name": "Staff", "users": ["BasicUser:nobody"] }));
    world.put(A, "basicUsers", 33, &named("Guard"));
    check("references", &world);
}

#[test]
fn circles() {
    let mut world = World::new();
    let rule = |name: &str, other: u32| json!({ "name": name, "params": { "rule": to(A, other) } });
    world.policy("rules", [Policy::Auto; 3]);
    world.put(A, "rules", 1, &rule("One", 2));
    world.put(A, "rules", 2, &rule("Two", 3));
    world.put(A, "rules", 3, &rule("Three", 1));
    world.put(A, "rules", 4, &rule("Own", 4));
    world.put(A, "rules", 5, &rule("Behind", 3));
    check("circles", &world);
}

#[test]
fn policies() {
    let mut world = World::new();
    for n in 1..=3 {
        world.both("cameraGroups", n, &named(&format!("Group {n}")));
    }
    world.policy("cameraGroups", [Policy::Approve, Policy::Never, Policy::Auto]).fields = vec!["name".into()];
    world.edit(A, "cameraGroups", 1, &json!({ "name": "Renamed", "description": "left out" }));
    world.put(A, "cameraGroups", 4, &named("New"));
    world.missing(A, "cameraGroups", 2, 900, 2);
    world.both("storages", 11, &named("Local"));
    world.edit(A, "storages", 11, &json!({ "retainMinutes": 60 }));
    world.both("basicUsers", 12, &named("guard"));
    world.edit(A, "basicUsers", 12, &json!({ "name": "Guard", "status": "LockedOutByAdmin" }));
    world.both("cameraGroups", 13, &named("All cameras"));
    world.object(A, "cameraGroups", 13).builtin = true;
    world.edit(A, "cameraGroups", 13, &json!({ "name": "Every camera" }));
    check("policies", &world);
    world.rules.baseline = false;
    world.rules.unconfirmed = false;
    world.both("stateGroups", 14, &named("Door"));
    world.edit(A, "stateGroups", 14, &named("Other"));
    check("policies_before_baseline", &world);
}

#[test]
fn doubts() {
    let mut world = World::new();
    world.both("storages", 1, &named("Local"));
    world.both("cameras", 2, &json!({ "name": "Gate", "recordingStorage": to(A, 1) }));
    world.both("userDefinedEvents", 3, &named("Door"));
    world.both("rules", 4, &json!({ "name": "Rule", "params": { "storage": to(A, 1) } }));
    world.edit(A, "rules", 4, &named("Other"));
    world.edit(A, "cameras", 2, &named("Other"));
    world.edit(A, "userDefinedEvents", 3, &named("Other"));
    world.list("evidenceLockProfiles");
    world.distrust(B, "evidenceLockProfiles", Distrust::Absent);
    world.distrust(A, "storages", Distrust::Status(503));
    world.distrust(B, "storages", Distrust::Pages("a page is short"));
    check("doubts", &world);
    world.sides[1].distrust.push(Distrust::Canary("gatekeeper-canary is missing".into()));
    check("doubts_about_all", &world);
}

#[test]
fn replaced() {
    let mut world = World::new();
    let old = world.both("userDefinedEvents", 1, &named("Door"));
    let quiet = world.both("userDefinedEvents", 2, &named("Gate"));
    for (old, n, name) in [(old, 3, "Front door"), (quiet, 4, "Gate")] {
        world.remove(A, "userDefinedEvents", n - 2);
        world.pairs.remove(&old);
        world.put(A, "userDefinedEvents", n, &named(name));
        let new = Pair { a: id(A, n), ..old };
        world.pairs.insert(new, Confidence::Similar);
        world.replaced.insert(new, old);
    }
    check("replaced", &world);
}

#[test]
fn not_compared() {
    let mut world = World::new();
    world.both("userDefinedEvents", 1, &named("Door"));
    world.both("cameras", 2, &json!({ "name": "Gate", "description": "old", "shortName": "g" }));
    world.edit(A, "cameras", 2, &json!({ "description": "new" }));
    // A person has accepted that this side does not show it any more.
    let object = world.object(A, "cameras", 2);
    let mut fields = object.body.fields();
    fields.remove("shortName");
    object.body = crate::sync::snapshot::Body::new(serde_json::to_vec(&fields).unwrap());
    check("not_compared", &world);
}

#[test]
fn many() {
    let mut world = World::new();
    for n in 0..40 {
        world.both("cameras", n, &json!({ "name": format!("Camera {n:02}"), "enabled": true }));
    }
    for n in 0..12 {
        let noise = format!(
            "{:016X}{:016X}",
            u64::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            u64::from(n + 7).wrapping_mul(0xbf58_476d_1ce4_e5b9)
        );
        world.edit(A, "cameras", n, &named(&noise));
    }
    for n in 20..31 {
        world.edit(A, "cameras", n, &json!({ "enabled": false }));
    }
    world.edit(A, "cameras", 35, &json!({ "description": "benign" }));
    world.both("timeProfiles", 50, &named("Office hours"));
    world.edit(A, "timeProfiles", 50, &named("9E3779B97F4A7C153B69F3FBCA42480F"));
    world.put(A, "timeProfiles", 51, &named("3C6EF372FE94F82AFAC23B68E7272DC8"));
    check("many", &world);
}

#[test]
fn translation() {
    let mut world = World::new();
    world.both("cameras", 1, &named("One"));
    world.both("cameras", 2, &named("Two"));
    let fields = json!({ "name": "Group", "cameras": [to(A, 1), to(A, 2)] });
    world.both("cameraGroups", 3, &fields);
    // The other way round on B.
    let swapped = [(id(A, 1), id(B, 2)), (id(A, 2), id(B, 1))];
    world.pairs.retain(|pair, _| pair.kind != kind("cameras"));
    world.bases.0.clear();
    for (a, b) in swapped {
        world.pairs.insert(Pair { kind: kind("cameras"), a, b }, Confidence::Operator);
    }
    assert_eq!(on_b(&fields)["cameras"][0], to(B, 1));
    world.edit(A, "cameraGroups", 3, &json!({ "cameras": [to(A, 1)] }));
    check("translation", &world);
}

#[test]
fn not_paired_yet() {
    let mut world = World::new();
    world.put(A, "storages", 1, &named("Local"));
    world.put(B, "storages", 1, &named("Local"));
    let camera = |side, n: u32, icon: u32| json!({ "name": format!("Camera {n:02}"), "icon": icon, "recordingStorage": to(side, 1) });
    for n in 11..40 {
        world.never_agreed("cameras", n, &camera(A, n, 1), &camera(B, n, 1 + n / 38));
    }
    // Known to both, and changed: this cannot wait in silence.
    world.both("cameras", 50, &json!({ "name": "Gate" }));
    world.edit(A, "cameras", 50, &json!({ "recordingStorage": to(A, 1) }));
    // One that only b has does not go from its group because nobody has paired it.
    world.put(B, "cameras", 60, &named("Of b"));
    let group = |cameras: &[Value]| json!({ "name": "Group", "cameras": cameras });
    world.never_agreed("cameraGroups", 70, &group(&[to(A, 50)]), &group(&[to(B, 50), to(B, 60)]));
    let mut plan = world.plan();
    plan.adopt.clear();
    assert!(plan.findings.is_empty(), "{}", show(&plan));
    check_plan("not_paired_yet", &plan);
}
