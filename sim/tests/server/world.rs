use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::{Sim, eventually};

/// The oracle by physical number.
fn oracle(sim: &Sim) -> BTreeMap<i64, Value> {
    let events = sim.get("/events");
    events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["physical"].as_i64().unwrap(), event.clone()))
        .collect()
}

#[test]
fn instances_of_one_seed_see_the_same_things() {
    let site = ["--seed", "5", "--cameras", "20", "--event-rate", "200", "--jitter", "20ms"];
    let a = Sim::start(&site);
    let b = Sim::start(&[&site[..], &["--name", "B"]].concat());
    let (a, b) = eventually(|| {
        let (a, b) = (oracle(&a), oracle(&b));
        let first = *a.keys().next()?.max(b.keys().next()?);
        let last = *a.keys().next_back()?.min(b.keys().next_back()?);
        // The edges may differ by the delay of arrivals: 20 ms are 4 events.
        let range = |events: BTreeMap<i64, Value>| -> BTreeMap<i64, Value> {
            events.into_iter().filter(|(n, _)| (first + 20..last - 20).contains(n)).collect()
        };
        (last - first > 200).then(|| (range(a), range(b)))
    });
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (a, b) in a.values().zip(b.values()) {
        assert_eq!(a["time"], b["time"]);
        assert_ne!(a["id"], b["id"]);
        if a["source"].as_str().unwrap().starts_with("cameras/") {
            assert_eq!(a["type"], b["type"]);
            assert_ne!(a["source"], b["source"]);
        }
    }
    let times: Vec<&str> = a.values().map(|event| event["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted());
    assert!(times.iter().all(|time| time.len() == 28 && time.ends_with('Z')), "{times:?}");
}

#[test]
fn a_restarted_instance_is_the_same() {
    let site = ["--cameras", "5", "--event-rate", "100", "--skew", "-3s"];
    let sims = [Sim::start(&site), Sim::start(&site)];
    let same = eventually(|| {
        let [first, second] = [oracle(&sims[0]), oracle(&sims[1])];
        let same: Vec<_> =
            first.into_iter().filter_map(|(n, event)| Some((event, second.get(&n)?.clone()))).collect();
        (same.len() > 50).then_some(same)
    });
    for (first, second) in same {
        for member in ["id", "source", "type", "time"] {
            assert_eq!(first[member], second[member]);
        }
    }
}

#[test]
fn injected_events_come_in_order() {
    let sim = Sim::start(&["--cameras", "2", "--event-rate", "0"]);
    let inject = |physical: i64, kind: &str| {
        let (status, event) =
            sim.post("/events", &json!({ "physical": physical, "camera": 1, "type": kind }));
        assert_eq!(status, 200, "{event}");
        event
    };
    let first = inject(7, "motion-started");
    let again = inject(7, "6EB95DD6-7ccc-4bce-99f8-af0d0b582d77");
    assert_eq!(first["type"], again["type"]);
    assert_ne!(first["id"], again["id"]);
    let last = inject(8, "recording-stopped");
    assert_eq!(sim.get("/events"), json!([first, again, last]));
    assert_eq!(sim.get("/events?since=2"), json!([last]));
}
