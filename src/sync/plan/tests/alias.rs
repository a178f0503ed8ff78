//! Objects that have another id besides their own.

use serde_json::{Value, json};

use super::build::{A, B, World, id, kind};
use crate::sync::pair::{Confidence, Pair, Side};
use crate::sync::plan::Verdict;

/// Alarms and rules refer to a generic event by its hidden one (sheet 3.6).
#[test]
fn an_object_is_known_by_its_other_id_too() {
    let mut world = World::new();
    let other = |side: Side, n: u32| id(side, n + 500);
    let alias = |world: &mut World, side: Side, n: u32| {
        let id = world.put(side, "genericEvents", n, &json!({"name": format!("barrier {n}")}));
        let listing = world.sides[side.index()].lists.get_mut(&kind("genericEvents")).unwrap();
        listing.objects.iter_mut().find(|object| object.id == id).unwrap().alias = Some(other(side, n));
        id
    };
    let (a, b) = (alias(&mut world, A, 1), alias(&mut world, B, 1));
    world.pairs.insert(Pair { kind: kind("genericEvents"), a, b }, Confidence::Strong);
    alias(&mut world, A, 2);
    let of = |side: Side, n: u32| json!([format!("userDefinedEvents/{}", other(side, n))]);
    world.list("userDefinedEvents");
    let alarm = |name: &str, list: Value| json!({"name": name, "sourceList": list});
    let a = world.put(A, "alarmDefinitions", 7, &alarm("alike", of(A, 1)));
    let b = world.put(B, "alarmDefinitions", 7, &alarm("alike", of(B, 1)));
    world.pairs.insert(Pair { kind: kind("alarmDefinitions"), a, b }, Confidence::Strong);
    world.put(A, "alarmDefinitions", 8, &alarm("new", of(A, 2)));
    let plan = world.plan();
    let shown: Vec<_> =
        plan.operations.iter().map(|o| (o.name.as_str(), o.verdict, o.after.clone())).collect();
    // The new alarm waits for the generic event that has the other id.
    assert_eq!(shown, [("barrier 2", Verdict::Pass, vec![]), ("new", Verdict::Pass, vec![0])], "{plan:#?}");
}
