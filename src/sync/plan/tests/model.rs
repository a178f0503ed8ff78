//! Random histories on both sides against a merge that is as simple as it can be: objects are numbers, a value
//! is the same on both sides, nothing has ids.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::build::{A, B, World, id, kind};
use crate::idmap::guid::Guid;
use crate::sync::pair::Side;
use crate::sync::plan::{Act, Missing, Operation, Plan, Verdict};
use crate::sync::snapshot::Distrust;

const EVENT: &str = "userDefinedEvents";
const ALARM: &str = "alarmDefinitions";

/// A field, and what is in it.
type Fields = BTreeMap<&'static str, Content>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    Text(u8),
    /// Numbers of events.
    Events(BTreeSet<u32>),
}

/// An object as the model has it.
#[derive(Clone, Debug)]
struct Thing {
    alarm: bool,
    /// On A and on B.
    sides: [Option<Fields>; 2],
    /// Both sides know it.
    paired: bool,
    /// What was agreed, field by field; `None`: the two were never compared.
    base: Option<Fields>,
}

#[derive(Clone, Debug)]
enum Edit {
    Create {
        side: bool,
        alarm: bool,
        text: u8,
        events: Vec<prop::sample::Index>,
    },
    Text {
        side: bool,
        which: prop::sample::Index,
        description: bool,
        text: u8,
    },
    Events {
        side: bool,
        which: prop::sample::Index,
        events: Vec<prop::sample::Index>,
    },
    Delete {
        side: bool,
        which: prop::sample::Index,
    },
    Same {
        which: prop::sample::Index,
        text: u8,
    },
    /// Found to be the same, and never compared before.
    Twins {
        alarm: bool,
        texts: [u8; 2],
    },
}

fn edit() -> impl Strategy<Value = Edit> {
    let index = any::<prop::sample::Index>;
    let indices = || prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    prop_oneof![
        2 => (any::<bool>(), any::<bool>(), 0_u8..4, indices())
            .prop_map(|(side, alarm, text, events)| Edit::Create { side, alarm, text, events }),
        4 => (any::<bool>(), index(), any::<bool>(), 0_u8..4)
            .prop_map(|(side, which, description, text)| Edit::Text { side, which, description, text }),
        2 => (any::<bool>(), index(), indices()).prop_map(|(side, which, events)| Edit::Events { side, which, events }),
        1 => (any::<bool>(), index()).prop_map(|(side, which)| Edit::Delete { side, which }),
        1 => (index(), 0_u8..4).prop_map(|(which, text)| Edit::Same { which, text }),
        1 => (any::<bool>(), [0_u8..2, 0_u8..2]).prop_map(|(alarm, texts)| Edit::Twins { alarm, texts }),
    ]
}

/// The model.
#[derive(Clone, Debug)]
struct Model {
    things: BTreeMap<u32, Thing>,
    next: u32,
    source: Side,
    both_ways: bool,
}

/// What somebody would do or say: kind of it, number, side, fields.
type Facts = BTreeSet<(&'static str, u32, Side, Vec<String>)>;

impl Model {
    fn edit(&mut self, edit: &Edit) {
        let side = |b: bool| if b { B } else { A };
        match edit {
            Edit::Create { side: on, alarm, text, events } => {
                let mut fields = Fields::from([("name", Content::Text(*text))]);
                if *alarm {
                    fields.insert("description", Content::Text(0));
                    fields.insert("triggerEventlist", self.pick_events(side(*on), events));
                }
                let mut sides = [None, None];
                sides[side(*on).index()] = Some(fields);
                self.things.insert(self.next, Thing { alarm: *alarm, sides, paired: false, base: None });
                self.next += 1;
            }
            Edit::Twins { alarm, texts } => {
                let sides = texts.map(|text| {
                    let mut fields = Fields::from([("name", Content::Text(text))]);
                    if *alarm {
                        fields.insert("description", Content::Text(0));
                        fields.insert("triggerEventlist", Content::Events(BTreeSet::new()));
                    }
                    Some(fields)
                });
                self.things.insert(self.next, Thing { alarm: *alarm, sides, paired: true, base: None });
                self.next += 1;
            }
            Edit::Text { side: on, which, description, text } => {
                let name = if *description { "description" } else { "name" };
                self.change(side(*on), which, name, &Content::Text(*text));
            }
            Edit::Events { side: on, which, events } => {
                let events = self.pick_events(side(*on), events);
                self.change(side(*on), which, "triggerEventlist", &events);
            }
            Edit::Delete { side: on, which } => {
                if let Some(n) = self.pick(side(*on), which) {
                    self.delete(side(*on), n);
                }
            }
            Edit::Same { which, text } => {
                let Some(n) = self.pick(A, which) else { return };
                for fields in self.things.get_mut(&n).unwrap().sides.iter_mut().flatten() {
                    fields.insert("name", Content::Text(*text));
                }
            }
        }
    }

    fn pick(&self, side: Side, which: &prop::sample::Index) -> Option<u32> {
        let there: Vec<u32> =
            self.things.iter().filter(|(_, t)| t.sides[side.index()].is_some()).map(|(n, _)| *n).collect();
        (!there.is_empty()).then(|| *which.get(&there))
    }

    fn pick_events(&self, side: Side, which: &[prop::sample::Index]) -> Content {
        let events: Vec<u32> = self
            .things
            .iter()
            .filter(|(_, thing)| !thing.alarm && thing.sides[side.index()].is_some())
            .map(|(n, _)| *n)
            .collect();
        let picked = which.iter().filter(|_| !events.is_empty()).map(|index| *index.get(&events));
        Content::Events(picked.collect())
    }

    fn change(&mut self, side: Side, which: &prop::sample::Index, name: &'static str, content: &Content) {
        let Some(n) = self.pick(side, which) else { return };
        let fields = self.things.get_mut(&n).unwrap().sides[side.index()].as_mut().unwrap();
        if let Some(old) = fields.get_mut(name) {
            *old = content.clone();
        }
    }

    /// As the VMS does: what refers to it does so no more.
    fn delete(&mut self, side: Side, n: u32) {
        self.things.get_mut(&n).unwrap().sides[side.index()] = None;
        for fields in self.things.values_mut().filter_map(|thing| thing.sides[side.index()].as_mut()) {
            if let Some(Content::Events(events)) = fields.get_mut("triggerEventlist") {
                events.remove(&n);
            }
        }
    }

    fn flows(&self, side: Side) -> bool {
        self.both_ways || side == self.source
    }

    /// Whether an alarm with these events can be carried from a side.
    fn can_refer(&self, from: Side, content: &Content) -> bool {
        let Content::Events(events) = content else { return true };
        events.iter().all(|n| {
            let event = &self.things[n];
            if event.paired { event.sides[from.other().index()].is_some() } else { self.flows(from) }
        })
    }

    /// The merge: what should be done, and what should be said.
    fn merge(&self) -> (Facts, Facts) {
        let (mut done, mut said) = (Facts::new(), Facts::new());
        for (n, thing) in &self.things {
            match &thing.sides {
                [Some(a), Some(b)] if thing.paired => {
                    let (mut ways, mut conflict, mut drift) = ([vec![], vec![]], vec![], vec![]);
                    for (name, in_a) in a {
                        let in_b = &b[name];
                        if in_a == in_b {
                            continue;
                        }
                        let base = thing.base.as_ref().and_then(|base| base.get(name));
                        let changed_on = match base {
                            Some(base) if base == in_b => Some(A),
                            Some(base) if base == in_a => Some(B),
                            None if !self.both_ways => Some(self.source),
                            _ => None,
                        };
                        match changed_on {
                            Some(side) if self.flows(side) => ways[side.index()].push(*name),
                            Some(_) => drift.push((*name).to_owned()),
                            None => conflict.push((*name).to_owned()),
                        }
                    }
                    for from in Side::BOTH {
                        let way = &ways[from.index()];
                        let own = thing.sides[from.index()].as_ref().unwrap();
                        if !way.is_empty() && way.iter().all(|name| self.can_refer(from, &own[name])) {
                            let names = way.iter().map(|name| (*name).to_owned()).collect();
                            done.insert(("change", *n, from.other(), names));
                        }
                    }
                    if !conflict.is_empty() {
                        said.insert(("conflict", *n, self.source, conflict));
                    }
                    if !drift.is_empty() {
                        said.insert(("drift", *n, self.source.other(), drift));
                    }
                }
                [Some(left), None] | [None, Some(left)] => {
                    let here = if thing.sides[0].is_some() { A } else { B };
                    if thing.paired {
                        self.vanished(*n, thing, here, left, &mut done, &mut said);
                    } else if self.flows(here) && left.values().all(|content| self.can_refer(here, content)) {
                        done.insert(("create", *n, here.other(), vec![]));
                    }
                }
                _ => {}
            }
        }
        (done, said)
    }

    fn vanished(&self, n: u32, thing: &Thing, here: Side, left: &Fields, done: &mut Facts, said: &mut Facts) {
        let gone = here.other();
        let base = thing.base.clone().unwrap_or_default();
        let changed = left.iter().any(|(name, content)| base.get(name).is_some_and(|base| base != content));
        let known = left.keys().all(|name| base.contains_key(name));
        match () {
            () if self.flows(gone) && !changed && known => done.insert(("delete", n, here, vec![])),
            () if self.flows(gone) || changed => said.insert(("deleted", n, gone, vec![])),
            () => said.insert(("removed", n, gone, vec![])),
        };
    }

    /// What both sides agree on by now.
    fn agree(&mut self) {
        self.things.retain(|_, thing| thing.sides != [None, None]);
        for thing in self.things.values_mut().filter(|thing| thing.paired) {
            if let [Some(a), Some(b)] = &thing.sides {
                let base = thing.base.get_or_insert_default();
                base.extend(
                    a.iter().filter(|(name, content)| b[*name] == **content).map(|(n, c)| (*n, c.clone())),
                );
            }
        }
    }

    fn apply(&mut self, facts: &Facts) {
        for (what, n, target, names) in facts {
            let thing = self.things.get_mut(n).unwrap();
            let from = thing.sides[target.other().index()].clone();
            match *what {
                "delete" => self.delete(*target, *n),
                "create" => {
                    thing.sides[target.index()] = from;
                    thing.paired = true;
                }
                _ => {
                    let own = thing.sides[target.index()].as_mut().unwrap();
                    for (name, content) in
                        from.unwrap().into_iter().filter(|(name, _)| names.iter().any(|x| x == name))
                    {
                        own.insert(name, content);
                    }
                }
            }
        }
    }

    /// The same with ids.
    fn show(&self, world: &mut World) {
        world.source = self.source;
        for name in [EVENT, ALARM] {
            let own = world.policy(name, [crate::sync::catalogue::Policy::Auto; 3]);
            own.both = self.both_ways;
            let kind = world.list(name);
            for side in Side::BOTH {
                world.listing(side, kind).objects.clear();
            }
        }
        world.missing.clear();
        world.pairs.clear();
        for (n, thing) in &self.things {
            let name = if thing.alarm { ALARM } else { EVENT };
            for side in Side::BOTH {
                if let Some(fields) = &thing.sides[side.index()] {
                    world.put(side, name, *n, &with_ids(side, fields));
                } else if thing.paired {
                    let missing = Missing { since_unix: world.now_unix - 1000, readings: 3 };
                    world.missing.insert((side, kind(name), id(side, *n)), missing);
                }
            }
            if thing.paired {
                world.pair(name, *n);
            }
        }
    }
}

fn with_ids(side: Side, fields: &Fields) -> Value {
    let mut all = serde_json::Map::new();
    for (name, content) in fields {
        let value = match content {
            Content::Text(text) => json!(format!("Text {text}")),
            Content::Events(events) => {
                json!(events.iter().map(|n| id(side, *n).to_string()).collect::<Vec<_>>())
            }
        };
        all.insert((*name).to_owned(), value);
    }
    Value::Object(all)
}

fn number(id: Guid) -> u32 {
    u32::from_be_bytes(id.bytes()[12..].try_into().unwrap()) & 0x0fff_ffff
}

fn fact(operation: &Operation) -> (&'static str, u32, Side, Vec<String>) {
    let n = number(operation.ids.into_iter().flatten().next().unwrap());
    let changed = operation.changes.iter().map(|change| change.field.clone()).collect();
    match operation.act {
        Act::Create => ("create", n, operation.target, vec![]),
        Act::Delete => ("delete", n, operation.target, vec![]),
        Act::Update | Act::Rename | Act::Replace => ("change", n, operation.target, changed),
    }
}

/// Operations that nothing speaks against but that they wait for another one.
fn allowed(plan: &Plan) -> Facts {
    let is_waiting = |reason: &String| reason.starts_with("waits for");
    let is_allowed = |operation: &&Operation| match operation.verdict {
        Verdict::Pass => true,
        _ => {
            !operation.reasons.iter().any(|reason| reason.contains("refers to"))
                && operation.reasons.iter().any(is_waiting)
        }
    };
    plan.operations.iter().filter(is_allowed).map(fact).collect()
}

fn told(plan: &Plan, source: Side) -> Facts {
    let conflicts = plan.conflicts.iter().map(|conflict| match conflict.deleted_on {
        Some(side) => ("deleted", number(conflict.pair.a), side, vec![]),
        None => {
            let fields = conflict.fields.iter().map(|field| field.field.clone()).collect();
            ("conflict", number(conflict.pair.a), source, fields)
        }
    });
    let drift = plan.drift.iter().map(|drift| match drift.what {
        "removed" => ("removed", number(drift.id), drift.side, vec![]),
        _ => ("drift", number(drift.id), drift.side, drift.fields.clone()),
    });
    conflicts.chain(drift).collect()
}

fn adopt(world: &mut World, plan: &Plan) {
    for (pair, body) in &plan.adopt {
        match body {
            Some(body) => world.bases.0.insert(*pair, body.clone()),
            None => world.bases.0.remove(pair),
        };
    }
}

fn passing(plan: &Plan) -> Facts {
    plan.operations.iter().filter(|operation| operation.verdict == Verdict::Pass).map(fact).collect()
}

/// Only what is needed may come first.
fn is_ordered(plan: &Plan) -> bool {
    let before = plan.operations.iter().enumerate().all(|(at, o)| o.after.iter().all(|first| *first < at));
    let made: Vec<(usize, Guid)> = plan
        .operations
        .iter()
        .enumerate()
        .filter(|(_, o)| o.act == Act::Create)
        .map(|(at, o)| (at, o.ids[o.target.other().index()].unwrap()))
        .collect();
    before
        && plan.operations.iter().enumerate().all(|(at, o)| {
            let text: String = o.changes.iter().map(|change| change.after.to_string()).collect();
            made.iter()
                .all(|(first, id)| !text.contains(&id.to_string()) || o.after.contains(first) && *first < at)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_merged_and_converges(
        rounds in prop::collection::vec((prop::collection::vec(edit(), 0..8), any::<bool>()), 1..6),
        source: bool,
        both_ways: bool,
    ) {
        let source = if source { B } else { A };
        let mut model = Model { things: BTreeMap::new(), next: 1, source, both_ways };
        let mut world = World::new();
        for (edits, is_applied) in rounds {
            edits.iter().for_each(|edit| model.edit(edit));
            for turn in 0.. {
                model.show(&mut world);
                let plan = world.plan();
                let (done, said) = model.merge();
                prop_assert_eq!(allowed(&plan), done, "{:?}", plan);
                prop_assert_eq!(told(&plan, source), said, "{:?}", plan);
                prop_assert!(is_ordered(&plan), "{:?}", plan);
                adopt(&mut world, &plan);
                model.agree();
                let passing = passing(&plan);
                if !is_applied || passing.is_empty() {
                    break;
                }
                prop_assert!(turn < 4, "it does not come to an end: {:?}", plan);
                model.apply(&passing);
            }
        }
    }

    /// What could not be read can only take operations away (S18).
    #[test]
    fn damage_takes_away(
        edits in prop::collection::vec(edit(), 0..12),
        more in prop::collection::vec(edit(), 0..12),
        damage in prop::collection::vec((any::<bool>(), any::<bool>(), 0_u8..4), 1..3),
        both_ways: bool,
    ) {
        let mut model = Model { things: BTreeMap::new(), next: 1, source: A, both_ways };
        let mut world = World::new();
        edits.iter().for_each(|edit| model.edit(edit));
        model.show(&mut world);
        let plan = world.plan();
        adopt(&mut world, &plan);
        model.agree();
        model.apply(&passing(&plan));
        more.iter().for_each(|edit| model.edit(edit));
        model.show(&mut world);
        let whole = world.plan();
        let mut bad = BTreeSet::new();
        for (side, alarm, why) in damage {
            let why = match why {
                0 => Distrust::Status(503),
                1 => Distrust::Garbled,
                2 => Distrust::Empty(7),
                _ => Distrust::Pages("a page is short"),
            };
            let name = if alarm { ALARM } else { EVENT };
            world.distrust(if side { B } else { A }, name, why);
            bad.insert(kind(name));
            if !alarm {
                bad.insert(kind(ALARM));
            }
        }
        let damaged = world.plan();
        for operation in &damaged.operations {
            prop_assert!(!bad.contains(&operation.kind), "{:?}", operation);
            let before = whole.operations.iter().find(|o| o.digest == operation.digest);
            prop_assert!(before.is_some_and(|before| before.verdict <= operation.verdict), "{:?}", operation);
        }
        prop_assert!(damaged.adopt.iter().all(|(pair, _)| !bad.contains(&pair.kind)));
        for kind in &bad {
            let about: Vec<_> = damaged.skipped.iter().filter(|skipped| skipped.kind == *kind).collect();
            prop_assert_eq!(about.len(), 1, "one alert for a type: {:?}", about);
        }
    }
}
