//! The promises of the acceptance table that are about every type, every order, every run.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::build::{A, B, World, id, kind, named, to};
use crate::sync::catalogue::{Coverage, How, Kind, Place, Policy};
use crate::sync::pair::Side;
use crate::sync::plan::{Act, Plan, Verdict};
use crate::sync::snapshot::Distrust;

/// S4: 3 acts, 3 policies, 2 directions, for every type that can be read.
#[test]
fn every_policy_for_every_type() {
    let mut seen = 0;
    for kind in Kind::all().filter(|kind| !matches!(kind.row().place, Place::Unread(_))) {
        for policy in [Policy::Auto, Policy::Approve, Policy::Never] {
            for both_ways in [false, true] {
                for act in [Act::Create, Act::Update, Act::Delete] {
                    for side in Side::BOTH {
                        seen += usize::from(one(kind, policy, both_ways, act, side));
                    }
                }
            }
        }
    }
    assert!(seen > 300, "{seen} operations: is anything tested at all?");
}

/// Whether there was an operation.
fn one(kind: Kind, policy: Policy, both_ways: bool, act: Act, side: Side) -> bool {
    let mut world = World::new();
    let name = kind.as_str();
    let row = kind.row();
    // A field that any two texts fit, and that can be changed.
    let is_plain = |field: &&crate::sync::catalogue::field::Field| {
        field.is_compared() && !field.fixed && field.shape == crate::sync::catalogue::field::Shape::Text
    };
    let field = row.fields.iter().find(is_plain);
    world.policy(name, [policy; 3]).both = both_ways;
    match (act, field) {
        (Act::Create, _) => {
            world.put(side, name, 1, &json!({}));
        }
        (Act::Update, Some(field)) => {
            world.both(name, 1, &json!({}));
            world.edit(side, name, 1, &json!({ field.name: "other" }));
        }
        (Act::Update, None) => return false,
        _ => {
            world.both(name, 1, &json!({}));
            world.missing(side, name, 1, 900, 2);
        }
    }
    let plan = world.plan();
    let how = match act {
        Act::Create => row.create,
        Act::Delete => row.delete,
        _ => row.update,
    };
    let flows = both_ways || side == A;
    let possible = how != How::No && row.coverage != Coverage::CompareOnly;
    let context = format!("{name} {act:?} {policy:?} {both_ways} {side:?}: {plan:?}");
    if !flows || !possible || policy == Policy::Never {
        assert!(plan.operations.is_empty(), "{context}");
        // Never nothing: it is drift, or there is a reason.
        assert!(!plan.skipped.is_empty() || !plan.drift.is_empty(), "{context}");
        return false;
    }
    assert_eq!(plan.operations.len(), 1, "{context}");
    let operation = &plan.operations[0];
    assert_eq!((operation.target, operation.policy), (side.other(), policy), "{context}");
    let word = match act {
        Act::Create => "create",
        Act::Delete => "delete",
        _ => "update",
    };
    assert!(operation.reasons.contains(&format!("policy: {name}.{word} = {}", policy.as_str())), "{context}");
    let others = operation.reasons.iter().any(|r| r.starts_with("floor: ") || r == "needs a secret");
    let expected = if policy == Policy::Auto && !others { Verdict::Pass } else { Verdict::Hold };
    assert_eq!(operation.verdict, expected, "{context}");
    true
}

/// Something of everything.
fn rich() -> World {
    let mut world = World::new();
    for n in 1..40 {
        world.both("userDefinedEvents", n, &named(&format!("Event {n}")));
        world.both("cameras", n + 100, &named(&format!("Camera {n}")));
    }
    for n in 1..9 {
        world.edit(A, "userDefinedEvents", n, &named("Same name"));
        world.edit(B, "cameras", n + 100, &named("By hand"));
        world.edit(A, "cameras", n + 104, &named("Of a"));
        world.put(
            A,
            "cameraGroups",
            n + 200,
            &json!({ "name": "Group", "cameras": [to(A, 110), to(A, n + 100)] }),
        );
        world.put(
            A,
            "rules",
            n + 300,
            &json!({ "name": "Rule", "to": to(A, 300 + n % 4), "and": to(A, 305) }),
        );
        world.put(B, "userDefinedEvents", n + 400, &named("Of b"));
        world.missing(A, "userDefinedEvents", n + 20, 900 * u64::from(n % 2), 2);
    }
    world.policy("rules", [Policy::Auto; 3]);
    world.list("outputs");
    world.distrust(B, "outputs", Distrust::Garbled);
    for n in 1..5 {
        world.put(A, "userDefinedEvents", n + 500, &named("Twice"));
        world.disputed.push((A, kind("userDefinedEvents"), id(A, n + 500), format!("like {n}")));
    }
    world
}

/// S2. Every plan has maps of its own with seeds of their own.
#[test]
fn one_input_one_plan() {
    let world = rich();
    let first = world.plan();
    assert!(first.operations.len() > 20 && first.conflicts.len() > 2 && first.drift.len() > 2, "{first:?}");
    for turn in 0..100_usize {
        let mut other = world.clone();
        let places = other.disputed.len();
        other.disputed.rotate_left(turn % places);
        if turn % 2 == 0 {
            other.disputed.reverse();
        }
        // The time is no part of a plan, as long as nothing follows from it.
        other.now_unix += turn as u64 % 7;
        let plan = other.plan();
        assert_eq!(plan.digest, first.digest);
        assert_eq!(plan, first);
    }
}

#[test]
fn what_a_digest_is_over() {
    let world = rich();
    let first = world.plan();
    let differs = |what: &str, change: &dyn Fn(&mut World)| {
        let mut other = world.clone();
        change(&mut other);
        assert_ne!(other.plan().digest, first.digest, "{what}");
    };
    differs("an object that nothing is done about", &|world| {
        world.edit(B, "userDefinedEvents", 401, &named("Other"));
    });
    differs("a policy that nothing needs", &|world| {
        world.policy("outputGroups", [Policy::Approve; 3]);
    });
    differs("a doubt", &|world| world.distrust(A, "outputs", Distrust::Garbled));
    differs("a pair", &|world| {
        world.pair("videoWalls", 1);
    });
    differs("a dispute", &|world| world.disputed.truncate(2));
    // An operation keeps its digest whatever else there is to do; another object or value is another one.
    let mut other = world.clone();
    other.edit(A, "cameras", 130, &named("One more"));
    let before: BTreeSet<_> = first.operations.iter().map(|operation| operation.digest).collect();
    let after: BTreeSet<_> = other.plan().operations.iter().map(|operation| operation.digest).collect();
    assert_eq!(before.len(), first.operations.len());
    assert_eq!((before.difference(&after).count(), after.difference(&before).count()), (0, 1));
    // What is on the target is part of it: an approval does not hold for another state.
    let mut other = world.clone();
    other.edit(B, "userDefinedEvents", 1, &json!({ "subtype": "x" }));
    let moved = other.plan();
    let of = |plan: &Plan| plan.operations.iter().find(|o| o.ids[0] == Some(id(A, 1))).map(|o| o.digest);
    assert_ne!(of(&first), of(&moved));
}

/// S1, S38: nothing without a reason.
#[test]
fn everything_has_a_reason() {
    let plan = rich().plan();
    assert!(plan.operations.iter().all(|operation| !operation.reasons.is_empty()));
    assert!(plan.skipped.iter().all(|skipped| !skipped.reason.is_empty()));
}

fn edges() -> impl Strategy<Value = (Vec<Vec<u32>>, Vec<bool>)> {
    (2_u32..30).prop_flat_map(|n| {
        let edges = prop::collection::vec(prop::collection::vec(0..n, 0..4), n as usize);
        (edges, prop::collection::vec(any::<bool>(), n as usize))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// S27, S28: any graph of new objects is made in an order that works, and has all its edges at the end.
    #[test]
    fn any_graph_can_be_made((edges, fields) in edges(), held in prop::option::of(0_u32..30)) {
        let mut world = World::new();
        world.policy("rules", [Policy::Auto; 3]);
        for (n, to_others) in edges.iter().enumerate() {
            // Each edge in a field of its own, or all in one.
            let mut all = serde_json::Map::from_iter([("name".to_owned(), json!("Rule"))]);
            for (at, other) in to_others.iter().enumerate() {
                let field = if fields[n] { format!("to{at}") } else { "to".to_owned() };
                let list = all.entry(field).or_insert_with(|| json!([]));
                list.as_array_mut().unwrap().push(to(A, *other));
            }
            world.put(A, "rules", u32::try_from(n).unwrap(), &serde_json::Value::Object(all));
        }
        // One that refers to what nobody knows.
        let held = held.filter(|n| (*n as usize) < edges.len());
        if let Some(n) = held {
            world.edit(A, "rules", n, &json!({ "unknown": to(A, 99) }));
        }
        let plan = world.plan();
        let all = 0..u32::try_from(edges.len()).unwrap();
        let ids: Vec<(u32, String)> = all.map(|n| (n, id(A, n).to_string())).collect();
        let mut made: BTreeSet<u32> = BTreeSet::new();
        let mut linked: BTreeSet<(u32, u32)> = BTreeSet::new();
        let mut waits: BTreeSet<usize> = BTreeSet::new();
        for (at, operation) in plan.operations.iter().enumerate() {
            let n = number(operation.ids[0].unwrap());
            match operation.act {
                Act::Create => prop_assert!(made.insert(n)),
                _ => prop_assert!(made.contains(&n)),
            }
            for change in &operation.changes {
                let after = change.after.to_string();
                for (other, id) in &ids {
                    let other = *other;
                    if after.contains(id) {
                        prop_assert!(made.contains(&other) && (other != n || operation.act != Act::Create));
                        linked.insert((n, other));
                    }
                }
            }
            // What waits for something that is held is held, and nothing else is.
            let own = held == Some(n) && operation.act == Act::Create;
            let is_held = own || operation.after.iter().any(|first| waits.contains(first));
            prop_assert_eq!(is_held, operation.verdict == Verdict::Hold, "{:?}", plan);
            if is_held {
                waits.insert(at);
            }
        }
        let expected: BTreeSet<(u32, u32)> = edges
            .iter()
            .enumerate()
            .flat_map(|(n, others)| others.iter().map(move |other| (u32::try_from(n).unwrap(), *other)))
            .collect();
        prop_assert_eq!(linked, expected);
        prop_assert_eq!(made.len(), edges.len());
    }

    /// Whatever refers to it goes first; parents go after what is in them.
    #[test]
    fn deletions_are_the_other_way_round(parents in prop::collection::vec(any::<prop::sample::Index>(), 1..20)) {
        let mut world = World::new();
        world.policy("cameraGroups", [Policy::Auto; 3]);
        for (n, parent) in (1_u32..).zip(&parents) {
            world.both("cameraGroups", n, &named(&format!("Group {n}")));
            let parent = u32::try_from(parent.index(n as usize)).unwrap();
            if parent > 0 {
                for side in [A, B] {
                    world.within(side, "cameraGroups", n, parent);
                }
            }
        }
        let parent_of: Vec<_> = (1_u32..).zip(&parents).map(|(n, _)| world.object(B, "cameraGroups", n).parent).collect();
        for n in 1..=u32::try_from(parents.len()).unwrap() {
            world.missing(A, "cameraGroups", n, 900, 2);
        }
        let plan = world.plan();
        prop_assert_eq!(plan.operations.len(), parents.len());
        let place = |id| plan.operations.iter().position(|operation| operation.ids[1] == Some(id)).unwrap();
        for (n, parent) in (1_u32..).zip(parent_of) {
            if let Some(parent) = parent {
                prop_assert!(place(id(B, n)) < place(parent));
                prop_assert!(plan.operations[place(parent)].after.contains(&place(id(B, n))));
            }
        }
    }
}

fn number(id: crate::idmap::guid::Guid) -> u32 {
    u32::from_be_bytes(id.bytes()[12..].try_into().unwrap()) & 0x0fff_ffff
}
