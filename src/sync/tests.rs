//! Reading, identity and plan together, of two simulated instances of one physical site.
#![allow(clippy::unwrap_used)]

mod storm;

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;

use super::catalogue::Kind;
use super::identity::{self, Said, identify};
use super::pair::{Pair, Side};
use super::plan::{Bases, Digest, Input, Plan, Rules, plan};
use super::read::full::{Progress, ReadError, Reading, Wish, read_all};
use super::read::pace::Patience;
use super::read::schema::Accepted;
use super::read::tests::{Sim, block};
use super::read::trust::Past;
use super::snapshot::{Body, Snapshot};
use crate::idmap::guid::Guid;

fn instance(name: &str, version: &str) -> Sim {
    Sim::new(|settings| {
        name.clone_into(&mut settings.name);
        settings.version = version.parse().unwrap();
        (settings.cameras, settings.users) = (24, 6);
    })
}

fn read_after(sim: &Sim, name: &str, past: &Past) -> Result<Reading, ReadError> {
    let kinds: BTreeSet<Kind> = Kind::all().collect();
    let accepted = Accepted::new();
    let wish = Wish { instance: name, kinds: &kinds, past, canary_required: false, accepted: &accepted };
    let progress = watch::Sender::new(Progress::default());
    block(read_all(sim, wish, Patience::default(), &progress))
}

struct Nothing;

impl Bases for Nothing {
    fn digest(&self, _: &Pair) -> Option<Digest> {
        None
    }
    fn body(&self, _: &Pair) -> Option<Body> {
        None
    }
}

/// What an operator writes below `[[sync.pair]]`: the recording servers and their disks by their names.
fn said(sides: [&Snapshot; 2]) -> Vec<Said> {
    let mut said = Vec::new();
    for name in ["recordingServers", "storages", "archiveStorages", "failoverRecorders"] {
        let kind = Kind::from_name(name).unwrap();
        let [a, b] = sides.map(|side| by_place(side, kind));
        for (place, id) in &a {
            said.push(Said { kind, objects: [id.to_string(), b[place].to_string()] });
        }
    }
    said
}

/// The objects of a type by the names of those in which they are, and their own.
fn by_place(side: &Snapshot, kind: Kind) -> BTreeMap<Vec<String>, Guid> {
    let around = kind.row().within.and_then(Kind::from_name).map(|around| by_place(side, around));
    let objects = side.trusted(kind).unwrap().iter().map(|object| {
        let outside = around.iter().flatten().find(|(_, id)| Some(**id) == object.parent);
        let mut place = outside.map(|(place, _)| place.clone()).unwrap_or_default();
        place.push(object.name.to_string());
        (place, object.id)
    });
    objects.collect()
}

/// What would be done to the second instance, on the first day.
fn twins(versions: [&str; 2]) -> (identity::Outcome, Plan) {
    let [a, b] = versions;
    let read = |name: &str, version: &str| {
        read_after(&instance(name, version), name, &Past::default()).unwrap().snapshot
    };
    let sides = [read("a", a), read("b", b)];
    let sides = [&sides[0], &sides[1]];
    let outcome = identify(&identity::Input {
        sides,
        known: &[],
        said: &said(sides),
        baseline: false,
        keep_missing: true,
        believe_losses: false,
        bases: &Nothing,
    });
    let rules = Rules {
        policies: BTreeMap::new(),
        unconfirmed: true,
        baseline: true,
        delete_readings: 2,
        delete_age_s: 900,
    };
    let input = Input {
        sides,
        source: Side::A,
        pairs: &outcome.pairs,
        replaced: &BTreeMap::new(),
        disputed: &[],
        bases: &Nothing,
        missing: &BTreeMap::new(),
        rules: &rules,
        now_unix: 0,
    };
    let plan = plan(&input);
    (outcome, plan)
}

/// The catalogue is right about what differs by nature: of two instances that were set up alike, everything
/// has its twin, and nothing would have to be done.
#[test]
fn instances_that_were_set_up_alike_have_nothing_to_do() {
    for versions in [["25.2", "25.2"], ["24.1", "25.2"]] {
        let (outcome, plan) = twins(versions);
        for (kind, tally) in &outcome.tally {
            assert_eq!((tally.only_a, tally.only_b, tally.ambiguous), (0, 0, 0), "{versions:?} {kind}");
        }
        assert_eq!(outcome.misfits, []);
        let operations: Vec<_> = plan.operations.iter().map(|op| (op.kind, &op.name, &op.changes)).collect();
        assert!(operations.is_empty(), "{versions:?}: {operations:#?}");
        assert!(plan.adopt.len() > 200, "{versions:?}: only {} agree", plan.adopt.len());
    }
}
