//! Short readings.

use serde_json::json;
use xprotect_sim::faults::config::{BadAnswer, SchemaChange};
use xprotect_sim::faults::{ConfigFault, Fault, Lift};

use super::*;
use crate::sync::read::changes::read_since;
use crate::sync::snapshot::Object;

fn since(ask: &impl Ask, full: &Snapshot) -> Snapshot {
    block(read_since(ask, full, &Accepted::new(), NO_PATIENCE)).unwrap()
}

/// Everything of a snapshot, as text.
fn all(snapshot: &Snapshot) -> Vec<String> {
    snapshot
        .lists
        .iter()
        .flat_map(|(kind, l)| l.objects.iter().map(move |o| format!("{kind} {o:?}")))
        .collect()
}

fn named<'s>(snapshot: &'s Snapshot, of: &str, name: &str) -> Option<&'s Object> {
    snapshot.trusted(kind(of)).unwrap().iter().find(|object| &*object.name == name)
}

#[test]
fn nothing_has_changed() {
    let sim = Sim::new(|settings| settings.cameras = 250);
    let full = read(&sim, &Past::default()).snapshot;
    let short = since(&sim, &full);
    assert_eq!((all(&short), doubts(&short)), (all(&full), Vec::new()));
}

#[test]
fn new_and_changed_objects_come_and_none_goes() {
    // More cameras than a page, few of everything else.
    let sim = Sim::new(|settings| settings.cameras = 250);
    let full = read(&sim, &Past::default()).snapshot;
    let camera = full.trusted(kind("cameras")).unwrap()[7].id;
    let doomed = full.trusted(kind("gisMapLocations")).unwrap()[0].clone();
    sim.call("PATCH", &format!("/cameras/{camera}"), json!({ "name": "Renamed" }));
    sim.call("POST", "/userDefinedEvents", json!({ "name": "New" }));
    sim.call("DELETE", &format!("/gisMapLocations/{}", doomed.id), json!({}));
    let group =
        named(&full, "cameraGroups", "All cameras").or(full.trusted(kind("cameraGroups")).unwrap().last());
    let parent = group.unwrap().id;
    let made = sim.call("POST", "/cameraGroups", json!({ "name": "New group" }));
    let made = made["result"]["path"]["id"].as_str().unwrap().to_owned();
    sim.call(
        "POST",
        &format!("/cameraGroups/{made}/cameras"),
        json!({ "type": "cameras", "id": camera.to_string() }),
    );
    let short = since(&sim, &full);
    assert_eq!(doubts(&short), Vec::<String>::new());
    assert_eq!(named(&short, "cameras", "Renamed").unwrap().id, camera);
    assert!(named(&short, "userDefinedEvents", "New").is_some());
    assert!(short.lists[&kind("gisMapLocations")].get(doomed.id).is_some());
    let members = |id: &str| {
        let group = short.lists[&kind("cameraGroups")].get(id.parse().unwrap()).unwrap();
        group.body.fields()["cameras"].as_array().unwrap().len()
    };
    assert_eq!(members(&made), 1);
    // The known ones keep theirs.
    let before = full.lists[&kind("cameraGroups")].get(parent).unwrap();
    assert_eq!(short.lists[&kind("cameraGroups")].get(parent), Some(before));
    // The next full reading says the same, but for what is gone.
    let mut next = read(&sim, &Past::default()).snapshot;
    let locations = &mut next.lists.get_mut(&kind("gisMapLocations")).unwrap().objects;
    locations.push(doomed);
    locations.sort_by_key(|object| object.id);
    assert_eq!(all(&next), all(&short));
}

#[test]
fn a_doubt_leaves_the_type_as_it_was_until_the_next_reading() {
    let sim = Sim::new(|_| {});
    let full = read(&sim, &Past::default()).snapshot;
    for (bad, doubt) in [
        (BadAnswer::ListError, "status"),
        (BadAnswer::Html, "garbled"),
        (BadAnswer::TruncatedJson, "garbled"),
    ] {
        sim.api.faults().set(Fault::Config(ConfigFault::Answer(bad, Some("roles"))));
        let short = since(&sim, &full);
        assert_eq!(short.doubts(kind("roles")).iter().map(|why| why.code()).collect::<Vec<_>>(), [doubt]);
        assert_eq!(all(&short), all(&full));
        assert!(short.trusted(kind("cameras")).is_some());
        sim.api.faults().lift(Lift::default());
    }
    assert_eq!(doubts(&since(&sim, &full)), Vec::<String>::new());
    // Empty says nothing: a short reading takes nothing away.
    sim.api.faults().set(Fault::Config(ConfigFault::Answer(BadAnswer::ListEmpty, None)));
    assert_eq!(all(&since(&sim, &full)), all(&full));
}

/// A field that may be missing may also not be shown any more.
#[test]
fn what_is_not_shown_any_more_stays_until_a_full_reading() {
    let sim = Sim::new(|_| {});
    let full = read(&sim, &Past::default()).snapshot;
    let storage = |s: &Snapshot| {
        let cameras = s.lists[&kind("cameras")].objects.iter();
        cameras.filter(|o| !o.body.fields()["recordingStorage"].is_null()).count()
    };
    let before = storage(&full);
    assert!(before > 0);
    let (of, field) = ("cameras", "recordingStorage".to_owned());
    sim.api.faults().set(Fault::Config(ConfigFault::Schema { kind: of, field, how: SchemaChange::Missing }));
    let short = since(&sim, &full);
    assert_eq!((all(&short), storage(&short)), (all(&full), before));
}

#[test]
fn a_canary_that_changes_between_full_readings_is_noticed() {
    let sim = Sim::new(|_| {});
    let made = sim.call("POST", "/analyticsEvents", json!({ "name": "gatekeeper-canary" }));
    let id = made["result"]["path"]["id"].as_str().unwrap().to_owned();
    let full = read(&sim, &Past::default()).snapshot;
    assert_eq!(doubts(&since(&sim, &full)), Vec::<String>::new());
    sim.call("PATCH", &format!("/analyticsEvents/{id}"), json!({ "description": "x" }));
    let short = since(&sim, &full);
    assert_eq!(short.distrust.iter().map(Distrust::code).collect::<Vec<_>>(), ["canary"]);
}
