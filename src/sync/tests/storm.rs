//! Random faults of reading, one side and all types: whatever is wrong, no operation follows from it (T1, T4,
//! S18 of the sync design). `just storm SEED 10` runs 10,000 of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, OnceLock, PoisonError};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use xprotect_sim::faults::config::{BadAnswer, SchemaChange};
use xprotect_sim::faults::{ConfigFault, Fault, Lift};
use xprotect_sim::rest::table;

use super::*;
use crate::sync::identity::Known;
use crate::sync::pair::Standing;
use crate::sync::plan::{Missing, Operation, Verdict};
use crate::sync::read::ask::Ask as _;

/// Two sites that agreed about everything, and then somebody has edited the first.
struct World {
    instances: [Sim; 2],
    healthy: [Snapshot; 2],
    past: [Past; 2],
    known: Vec<Known>,
    said: Vec<Said>,
    agreed: Agreed,
    /// What would be done because of the edits, without any fault.
    wanted: BTreeSet<String>,
}

struct Agreed(HashMap<Pair, Body>);

impl Bases for Agreed {
    fn digest(&self, pair: &Pair) -> Option<Digest> {
        self.0.get(pair).map(Body::digest)
    }
    fn body(&self, pair: &Pair) -> Option<Body> {
        self.0.get(pair).cloned()
    }
}

/// An operation without what may change with its company.
fn signature(operation: &Operation) -> String {
    let Operation { kind, act, target, ids, changes, .. } = operation;
    format!("{kind} {act:?} {target:?} {ids:?} {changes:?}")
}

impl World {
    fn new() -> Self {
        let instances = [instance("a", "25.2"), instance("b", "25.2")];
        let read = |at: usize, past: &Past| read_after(&instances[at], ["a", "b"][at], past).unwrap();
        let first = [read(0, &Past::default()), read(1, &Past::default())];
        let sides = [&first[0].snapshot, &first[1].snapshot];
        let said = said(sides);
        let nothing = Agreed(HashMap::new());
        let outcome = identify(&question(sides, &[], &said, &nothing, false));
        let known: Vec<Known> = outcome
            .pairs
            .iter()
            .map(|(pair, confidence)| Known {
                pair: *pair,
                standing: Standing::Matched,
                confidence: *confidence,
            })
            .collect();
        let plan = planned(sides, &outcome, &nothing);
        let adopted = plan.adopt.into_iter().filter_map(|(pair, body)| Some((pair, body?)));
        let agreed = Agreed(adopted.collect());
        let past = first.map(|reading| reading.past);
        edit(&instances[0]);
        let healthy = [read(0, &past[0]).snapshot, read(1, &past[1]).snapshot];
        let mut world = Self { instances, healthy, past, known, said, agreed, wanted: BTreeSet::new() };
        let plan = world.plan([&world.healthy[0], &world.healthy[1]]);
        world.wanted = plan.operations.iter().map(signature).collect();
        assert!(world.wanted.len() >= 5, "{:#?}", world.wanted);
        world
    }

    fn plan(&self, sides: [&Snapshot; 2]) -> Plan {
        let outcome = identify(&question(sides, &self.known, &self.said, &self.agreed, true));
        planned(sides, &outcome, &self.agreed)
    }
}

fn question<'a>(
    sides: [&'a Snapshot; 2],
    known: &'a [Known],
    said: &'a [Said],
    bases: &'a Agreed,
    baseline: bool,
) -> identity::Input<'a> {
    identity::Input { sides, known, said, baseline, keep_missing: true, believe_losses: false, bases }
}

/// As if whatever is missing were missing for long.
fn planned(sides: [&Snapshot; 2], outcome: &identity::Outcome, bases: &Agreed) -> Plan {
    let rules = Rules {
        policies: BTreeMap::new(),
        unconfirmed: true,
        baseline: true,
        delete_readings: 1,
        delete_age_s: 0,
    };
    let gone = Missing { since_unix: 0, readings: 9 };
    let missing = outcome.missing.iter().map(|key| (*key, gone)).collect();
    let disputed: Vec<_> =
        outcome.disputed.iter().map(|d| (d.side, d.kind, d.id, d.why.to_string())).collect();
    let replaced = outcome.moved.iter().map(|moved| (moved.new, moved.old)).collect();
    plan(&Input {
        sides,
        source: Side::A,
        pairs: &outcome.pairs,
        replaced: &replaced,
        disputed: &disputed,
        bases,
        missing: &missing,
        rules: &rules,
        now_unix: 1_800_000_000,
    })
}

/// What a person does on a day.
fn edit(a: &Sim) {
    let list = |kind: &str| -> Vec<Value> {
        let answer = block(a.get(&format!("/API/rest/v1/{kind}?disabled"))).unwrap();
        answer.json().unwrap()["array"].as_array().unwrap().clone()
    };
    let id = |kind: &str, at: usize| list(kind)[at]["id"].as_str().unwrap().to_owned();
    let patch = |kind: &str, at: usize, body: Value| {
        a.call("PATCH", &format!("/{kind}/{}", id(kind, at)), body);
    };
    patch("cameras", 3, json!({"name": "Renamed gate"}));
    patch("cameras", 4, json!({"recordingEnabled": false}));
    patch("timeProfiles", 0, json!({"description": "edited"}));
    patch("roles", 1, json!({"description": "edited"}));
    patch("alarmDefinitions", 0, json!({"description": "edited"}));
    a.call("POST", "/userDefinedEvents", json!({"name": "Evacuation test"}));
    a.call("DELETE", &format!("/analyticsEvents/{}", id("analyticsEvents", 0)), Value::Null);
}

fn world() -> &'static Mutex<World> {
    static WORLD: OnceLock<Mutex<World>> = OnceLock::new();
    WORLD.get_or_init(|| Mutex::new(World::new()))
}

/// Names that the simulator knows types by.
fn types() -> Vec<&'static str> {
    Kind::all().filter_map(|kind| table::find(kind.as_str())).map(table::Type::name).collect()
}

fn fields(kind: &str) -> Vec<String> {
    Kind::from_name(kind).unwrap().row().fields.iter().map(|field| field.name.to_owned()).collect()
}

fn fault() -> impl Strategy<Value = ConfigFault> {
    let answer = (select(BadAnswer::ALL.to_vec()), prop::option::weighted(0.9, select(types())))
        .prop_map(|(how, kind)| ConfigFault::Answer(how, kind));
    // In a type whose fields nobody has written down, any of them may come and go.
    let closed: Vec<&str> =
        types().into_iter().filter(|kind| Kind::from_name(kind).is_some_and(|k| !k.row().open)).collect();
    let schema = (select(closed), select(SchemaChange::ALL.to_vec()), any::<prop::sample::Index>()).prop_map(
        |(kind, how, at)| {
            let field = match how {
                // In a field that exists, a text is a text.
                SchemaChange::Unknown => "colour".to_owned(),
                _ => at.get(&fields(kind)).clone(),
            };
            ConfigFault::Schema { kind, field, how }
        },
    );
    prop_oneof![
        4 => answer,
        4 => schema,
        1 => (1..=20_u8).prop_map(|share| ConfigFault::Encrypted(f64::from(share) / 20.0)),
        1 => select(vec![-86_400_i64, -900, 900, 86_400]).prop_map(ConfigFault::Clock),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.min(10_000) / 8, ..ProptestConfig::default() })]

    #[test]
    fn no_operation_follows_from_a_fault(
        faults in prop::collection::vec(fault(), 1..4),
        side in select(vec![0_usize, 1]),
    ) {
        let world = world().lock().unwrap_or_else(PoisonError::into_inner);
        let broken = &world.instances[side];
        faults.iter().for_each(|fault| broken.api.faults().set(Fault::Config(fault.clone())));
        let read = read_after(broken, ["a", "b"][side], &world.past[side]);
        broken.api.faults().lift(Lift::default());
        // Not readable at all: then there is no plan.
        if let Ok(read) = read {
            let mut sides = [&world.healthy[0], &world.healthy[1]];
            sides[side] = &read.snapshot;
            let plan = world.plan(sides);
            for operation in plan.operations.iter().filter(|o| !world.wanted.contains(&signature(o))) {
                // Names that became noise are shown as operations, so that a person sees which; all of them held.
                let is_noise = operation.reasons.iter().any(|reason| reason.starts_with("finding: noise"));
                prop_assert!(
                    is_noise && operation.verdict != Verdict::Pass,
                    "{operation:#?}\nfollows from {faults:?}"
                );
            }
        }
    }
}
