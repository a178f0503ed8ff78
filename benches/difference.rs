//! What a plan costs: `nice cargo bench --bench difference`. Time on one core, and the memory of the process.
//!
//! Two sides of 100,000 objects of 2 KiB, all with other ids: cameras, groups of 30 cameras, alarm definitions
//! with seven references, events. `first`: nothing was ever agreed, and all is alike. `quiet`: all is as it was
//! agreed. `changed`: 1,000 objects were changed on the primary, a tenth of them on the standby, too. Bases are
//! in memory; it does not show what reading them from the database costs, nor what reading the instances does.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use gatekeeper::idmap::guid::Guid;
use gatekeeper::sync::catalogue::Kind;
use gatekeeper::sync::pair::{Confidence, Pair, Pairs, Side};
use gatekeeper::sync::plan::{Bases, Digest, Input, Plan, Rules, plan};
use gatekeeper::sync::snapshot::{Body, Object, Snapshot};
use serde_json::{Value, json};

const CAMERAS: u64 = 60_000;
const GROUPS: u64 = 2_000;
const ALARMS: u64 = 18_000;
const EVENTS: u64 = 20_000;
const CHANGED: usize = 1_000;
const SIZE: usize = 2_048;

/// Ids that look like random ones, the same in every run.
fn id(side: u64, n: u64) -> Guid {
    let mix = |n: u64| (n ^ n >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n.rotate_left(29);
    let (high, low) = (mix(side << 40 | n), mix(mix(side << 50 | n)));
    Guid::new((u128::from(high) << 64 | u128::from(low)).to_be_bytes())
}

fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap()
}

/// A body of about [`SIZE`] bytes, padded in its longest text.
fn body(fields: Value, pad: &str) -> Body {
    let mut all: BTreeMap<String, Value> = serde_json::from_value(fields).unwrap();
    let words = "Entrance north, second floor: looks at the gate and the car park behind it. ";
    let missing = SIZE.saturating_sub(serde_json::to_vec(&all).unwrap().len());
    let text: String = words.chars().cycle().take(missing).collect();
    all.insert(pad.into(), json!(text));
    Body::new(serde_json::to_vec(&all).unwrap())
}

fn set(side: u64, prefix: &str, members: impl Iterator<Item = u64>) -> Value {
    let mut all: Vec<String> = members.map(|n| format!("{prefix}{}", id(side, n))).collect();
    all.sort();
    json!(all)
}

fn camera(side: u64, n: u64, name: &str) -> Body {
    body(
        json!({
            "name": name, "enabled": true, "gisPoint": "POINT (12.377 55.658)", "icon": 0, "shortName": "",
            "coverageDepth": 0, "coverageDirection": 0, "coverageFieldOfView": 0, "edgeStorageEnabled": false,
            "edgeStoragePlaybackEnabled": false, "failoverSetting": "FullSupport", "prebufferEnabled": true,
            "manualRecordingTimeoutEnabled": true, "manualRecordingTimeoutMinutes": 5, "prebufferInMemory": true,
            "prebufferSeconds": 3, "recordKeyframesOnly": false, "recordOnRelatedDevices": true,
            "recordingEnabled": true, "recordingFramerate": 5,
            "recordingStorage": id(side, 900_000 + n / 500).to_string(),
        }),
        "description",
    )
}

fn group(side: u64, n: u64) -> Body {
    let members = n * 30..n * 30 + 30;
    body(json!({ "name": format!("Group {n}"), "cameras": set(side, "", members) }), "description")
}

fn alarm(side: u64, n: u64) -> Body {
    let cameras = |from: u64| (from..from + 3).map(|n| n % CAMERAS);
    body(
        json!({
            "name": format!("Alarm {n}"), "assignableToAdmins": true, "enabled": true, "enableRule": "0",
            "category": null, "eventType": null, "eventTypeGroup": null, "priority": null, "owner": "",
            "disableEventList": [], "enableEventList": [], "managementTimeoutEventList": [],
            "managementTimeoutTime": "00:01:00", "timeProfile": null,
            "relatedCameraList": set(side, "", cameras(n)), "sourceList": set(side, "cameras/", cameras(n * 7)),
            "triggerEventlist": set(side, "", std::iter::once(200_000 + n % EVENTS)),
        }),
        "description",
    )
}

fn side(side: u64) -> Snapshot {
    let mut snapshot = Snapshot { instance: format!("side-{side}"), ..Snapshot::default() };
    let mut add = |name: &str, from: u64, count: u64, make: &dyn Fn(u64) -> (String, Body)| {
        let listing = snapshot.lists.entry(kind(name)).or_default();
        for n in 0..count {
            let (name, body) = make(n);
            let (parent, key) = (None, "".into());
            let id = id(side, from + n);
            let name = name.into();
            listing.objects.push(Object {
                id,
                name,
                parent,
                key,
                modified_ms: Some(0),
                builtin: false,
                alias: None,
                body,
            });
        }
        listing.objects.sort_unstable_by_key(|object| object.id);
    };
    add("storages", 900_000, CAMERAS / 500, &|n| {
        (format!("Storage {n}"), body(json!({ "signing": false }), "x"))
    });
    add("cameras", 0, CAMERAS, &|n| (format!("Camera {n}"), camera(side, n, &format!("Camera {n}"))));
    add("cameraGroups", 100_000, GROUPS, &|n| (format!("Group {n}"), group(side, n)));
    add("userDefinedEvents", 200_000, EVENTS, &|n| (format!("Event {n}"), body(json!({}), "name")));
    add("alarmDefinitions", 300_000, ALARMS, &|n| (format!("Alarm {n}"), alarm(side, n)));
    snapshot
}

fn pairs() -> Pairs {
    let ranges = [
        ("storages", 900_000, CAMERAS / 500),
        ("cameras", 0, CAMERAS),
        ("cameraGroups", 100_000, GROUPS),
        ("userDefinedEvents", 200_000, EVENTS),
        ("alarmDefinitions", 300_000, ALARMS),
    ];
    let all = ranges.into_iter().flat_map(|(name, from, count)| {
        let kind = kind(name);
        (from..from + count).map(move |n| (Pair { kind, a: id(1, n), b: id(2, n) }, Confidence::Strong))
    });
    all.collect()
}

/// All is agreed that A says.
struct Agreed(HashMap<Pair, Body>);

impl Bases for Agreed {
    fn digest(&self, pair: &Pair) -> Option<Digest> {
        self.0.get(pair).map(Body::digest)
    }

    fn body(&self, pair: &Pair) -> Option<Body> {
        self.0.get(pair).cloned()
    }
}

fn rules() -> Rules {
    Rules {
        policies: BTreeMap::new(),
        unconfirmed: false,
        baseline: true,
        delete_readings: 2,
        delete_age_s: 900,
    }
}

fn run(sides: [&Snapshot; 2], pairs: &Pairs, bases: &Agreed) -> Plan {
    plan(&Input {
        sides,
        source: Side::A,
        pairs,
        replaced: &BTreeMap::new(),
        disputed: &[],
        bases,
        missing: &BTreeMap::new(),
        rules: &rules(),
        now_unix: 1_800_000_000,
    })
}

/// Edits of the first cameras.
fn edited(snapshot: &Snapshot, side: u64, count: usize, what: &str) -> Snapshot {
    let mut snapshot = snapshot.clone();
    let listing = snapshot.lists.get_mut(&kind("cameras")).unwrap();
    let numbers: HashMap<Guid, u64> = (0..CAMERAS).map(|n| (id(side, n), n)).collect();
    for object in listing.objects.iter_mut().filter(|object| numbers[&object.id] < count as u64) {
        let n = numbers[&object.id];
        object.body = camera(side, n, &format!("Camera {n} {what}"));
    }
    snapshot
}

/// Of the process, now and at most.
fn memory(when: &str) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of =
        |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("?").trim().to_owned();
    println!("memory {when}: {} now, {} at most", of("VmRSS:"), of("VmHWM:"));
}

fn difference(criterion: &mut Criterion) {
    let (a, b, pairs) = (side(1), side(2), pairs());
    let objects: usize = a.lists.values().map(|listing| listing.objects.len()).sum();
    memory(&format!("two snapshots of {objects} objects"));
    let nothing = Agreed(HashMap::new());
    let first = run([&a, &b], &pairs, &nothing);
    memory("first plan");
    assert_eq!((first.operations.len(), first.adopt.len()), (0, objects));
    let agreed = Agreed(first.adopt.into_iter().filter_map(|(pair, body)| Some((pair, body?))).collect());
    let quiet = run([&a, &b], &pairs, &agreed);
    assert_eq!((quiet.operations.len(), quiet.adopt.len()), (0, 0));
    let changed = [edited(&a, 1, CHANGED, "new"), edited(&b, 2, CHANGED / 10, "by hand")];
    let plan = run([&changed[0], &changed[1]], &pairs, &agreed);
    assert_eq!((plan.operations.len(), plan.conflicts.len()), (CHANGED - CHANGED / 10, CHANGED / 10));
    memory("changed plan");

    let mut group = criterion.benchmark_group("plan");
    group.sample_size(10);
    group.bench_function("first", |bencher| bencher.iter(|| black_box(run([&a, &b], &pairs, &nothing))));
    group.bench_function("quiet", |bencher| bencher.iter(|| black_box(run([&a, &b], &pairs, &agreed))));
    let changed = [&changed[0], &changed[1]];
    group.bench_function("changed", |bencher| bencher.iter(|| black_box(run(changed, &pairs, &agreed))));
    group.finish();
    memory("the end");
}

criterion_group!(benches, difference);
criterion_main!(benches);
