//! Every fault of the configuration that the simulator knows: what was read is right, or not believed.

use serde_json::json;
use xprotect_sim::faults::config::{BadAnswer, SchemaChange};
use xprotect_sim::faults::{ConfigFault, Fault, Lift};
use xprotect_sim::rest::table;
use xprotect_sim::stamp::Stamp;

use super::*;
use crate::sync::catalogue::field::{Class, Field};
use crate::sync::catalogue::{Members, Type};
use crate::sync::snapshot::Listing;

fn one(sim: &Sim, kind: Kind, past: &Past) -> Listing {
    let want = Want { kinds: Some([kind].into()), ..Want::default() };
    let reading = read_with(sim, past, &want);
    reading.unwrap().snapshot.lists.remove(&kind).unwrap()
}

fn with(sim: &Sim, fault: ConfigFault) {
    sim.api.faults().lift(Lift::default());
    sim.api.faults().set(Fault::Config(fault));
}

/// The name that the simulator knows a type by; alarm data are not configuration.
fn simulated(kind: Kind) -> Option<&'static str> {
    table::find(kind.as_str())
        .map(table::Type::name)
        .filter(|name| !name.starts_with("alarmP") && !name.starts_with("alarmC"))
}

#[test]
fn a_broken_answer_of_a_type_is_a_doubt_of_that_type() {
    let sim = Sim::new(|_| {});
    let Reading { past, snapshot: healthy } = read(&sim, &Past::default());
    for bad in BadAnswer::ALL {
        for (kind, before) in &healthy.lists {
            let Some(name) = simulated(*kind) else { continue };
            with(&sim, ConfigFault::Answer(bad, Some(name)));
            let now = one(&sim, *kind, &past);
            let is_fine = now.distrust.is_empty() && now.objects == before.objects;
            match bad {
                BadAnswer::ListError => assert_eq!(now.distrust, [Distrust::Status(500)], "{kind}"),
                BadAnswer::Html | BadAnswer::TruncatedJson => {
                    assert_eq!(now.distrust, [Distrust::Garbled], "{kind}");
                }
                BadAnswer::ListEmpty => {
                    assert_eq!(now.distrust, [Distrust::Empty(before.objects.len())], "{kind}");
                }
                BadAnswer::PageCut => assert!(is_fine, "{kind} has a single page"),
            }
        }
    }
}

#[test]
fn a_list_that_is_cut_after_two_pages_is_not_whole() {
    let sim = Sim::new(|settings| settings.cameras = 450);
    let (cameras, past) = (kind("cameras"), Past::default());
    assert_eq!(one(&sim, cameras, &past).objects.len(), 450);
    with(&sim, ConfigFault::Answer(BadAnswer::PageCut, None));
    let distrust = one(&sim, cameras, &past).distrust;
    assert!(matches!(distrust.as_slice(), [Distrust::Pages(_)]), "{distrust:?}");
}

/// The groups are read, and their members are not.
#[test]
fn members_that_cannot_be_read_are_a_doubt_of_the_group() {
    let sim = Sim::new(|_| {});
    let Reading { past, .. } = read(&sim, &Past::default());
    for (group, list) in
        [("cameraGroups", "cameras"), ("roles", "users"), ("loginProviders", "registeredClaims")]
    {
        for bad in [BadAnswer::ListError, BadAnswer::Html, BadAnswer::TruncatedJson, BadAnswer::ListEmpty] {
            with(&sim, ConfigFault::Answer(bad, Some(list)));
            let distrust = one(&sim, kind(group), &past).distrust;
            let few = bad == BadAnswer::ListEmpty && list == "registeredClaims";
            let doubted = matches!(distrust.as_slice(), [Distrust::Members(of, _)] if *of == list);
            assert!(doubted || few, "{group} with {bad:?}: {distrust:?}");
        }
    }
}

#[test]
fn what_is_below_an_unread_type_is_not_believed_either() {
    let sim = Sim::new(|_| {});
    let Reading { past, .. } = read(&sim, &Past::default());
    with(&sim, ConfigFault::Answer(BadAnswer::ListError, Some("recordingServers")));
    let snapshot = read(&sim, &past).snapshot;
    assert_eq!(
        doubts(&snapshot),
        [
            "recordingServers: answered with status 500",
            "hardwareDrivers: recordingServers could not be read",
            "storages: recordingServers could not be read",
            "archiveStorages: storages could not be read",
        ]
    );
}

/// Three fields of every type, and all of the most important ones.
#[test]
fn an_object_that_looks_different_is_a_doubt_of_its_type() {
    let sim = Sim::new(|_| {});
    let Reading { past, snapshot: healthy } = read(&sim, &Past::default());
    let mut doubted = 0;
    for (kind, before) in &healthy.lists {
        let (Some(name), row) = (simulated(*kind), kind.row()) else { continue };
        let listed: Vec<&Field> = row.fields.iter().filter(|field| is_shown(row, field)).collect();
        let all = ["cameras", "roles", "alarmDefinitions", "userDefinedEvents", "hardware"]
            .contains(&kind.as_str());
        let step = if all { 1 } else { listed.len().div_ceil(3).max(1) };
        for field in listed.iter().step_by(step) {
            for how in SchemaChange::ALL.into_iter().filter(|how| *how != SchemaChange::Unknown) {
                with(&sim, ConfigFault::Schema { kind: name, field: field.name.to_owned(), how });
                let now = one(&sim, *kind, &past);
                let is_right = now.distrust.is_empty() && now.objects == before.objects;
                let what = format!("{kind}.{} {how:?}: {:?}", field.name, now.distrust);
                doubted += usize::from(!now.distrust.is_empty());
                // One or two objects without what may be missing are no news.
                assert!(is_right || !now.distrust.is_empty() || field.optional, "{what}");
                assert!(field.optional || how == SchemaChange::Retyped || !now.distrust.is_empty(), "{what}");
            }
        }
        with(
            &sim,
            ConfigFault::Schema { kind: name, field: "colour".to_owned(), how: SchemaChange::Unknown },
        );
        let now = one(&sim, *kind, &past);
        let expected = [Distrust::Schema(vec!["colour: unknown field".to_owned()])];
        assert!(row.open || now.distrust == expected, "{kind}: {:?}", now.distrust);
    }
    assert!(doubted > 300, "{doubted}");
}

fn is_shown(row: &Type, field: &Field) -> bool {
    let is_member = |members: &Members| members.list == field.name;
    field.class != Class::Secret && !row.members.iter().any(is_member)
}

/// A field that may be missing was there in many objects, and is there in none.
#[test]
fn a_field_that_vanished_everywhere_is_no_empty_field() {
    let sim = Sim::new(|_| {});
    let Reading { past, .. } = read(&sim, &Past::default());
    for how in [SchemaChange::Missing, SchemaChange::Null] {
        with(&sim, ConfigFault::Schema { kind: "cameras", field: "recordingStorage".to_owned(), how });
        let expected = Distrust::Schema(vec!["recordingStorage: missing everywhere".to_owned()]);
        assert_eq!(one(&sim, kind("cameras"), &past).distrust, [expected]);
    }
}

/// A person says that it may be lived with: the field is compared no more, and the type goes on.
#[test]
fn an_accepted_difference_is_no_doubt() {
    let sim = Sim::new(|_| {});
    with(
        &sim,
        ConfigFault::Schema { kind: "cameras", field: "shortName".to_owned(), how: SchemaChange::Missing },
    );
    let words = "shortName: missing".to_owned();
    let past = Past::default();
    assert_eq!(one(&sim, kind("cameras"), &past).distrust, [Distrust::Schema(vec![words.clone()])]);
    let accepted = Accepted::from([(kind("cameras"), [words].into())]);
    let reading = read_with(&sim, &past, &Want { accepted, ..Want::default() }).unwrap();
    assert_eq!(doubts(&reading.snapshot), Vec::<String>::new());
    let cameras = reading.snapshot.trusted(kind("cameras")).unwrap();
    assert!(cameras.iter().all(|camera| camera.body.fields().get("shortName").is_none()));
}

#[test]
fn a_clock_that_is_off_is_a_doubt_of_everything() {
    let sim = Sim::new(|_| {});
    let Reading { past, .. } = read(&sim, &Past::default());
    for (offset, doubted) in [(-3600, true), (-400, true), (-200, false), (200, false), (600, true)] {
        with(&sim, ConfigFault::Clock(offset));
        let reading = read(&sim, &past);
        let clock = reading.snapshot.distrust.iter().find_map(|why| match why {
            Distrust::Clock(seconds) => Some(*seconds),
            _ => None,
        });
        assert_eq!(clock.is_some(), doubted, "{offset}");
        assert!(clock.is_none_or(|clock| (clock - offset).abs() <= 2), "{clock:?} of {offset}");
        if doubted {
            assert_eq!(reading.past, past, "it is not remembered");
        }
    }
}

/// Edits, then an old backup.
#[test]
fn an_instance_that_was_set_back_is_a_doubt_of_everything() {
    let sim = Sim::new(|_| {});
    let Reading { past, snapshot } = read(&sim, &Past::default());
    let moment = Stamp::now();
    let camera = snapshot.trusted(kind("cameras")).unwrap()[0].id;
    sim.call("PATCH", &format!("/cameras/{camera}"), json!({ "name": "Renamed" }));
    let Reading { past, snapshot } = read(&sim, &past);
    assert_eq!(doubts(&snapshot), Vec::<String>::new());
    sim.api.restore(moment).unwrap();
    let older = read(&sim, &past);
    assert!(matches!(older.snapshot.distrust.as_slice(), [Distrust::Older(seconds)] if *seconds > 0));
    assert_eq!(older.snapshot.trusted(kind("roles")), None);
    // Until a person says that this is how it is now.
    let mut accepted = older.past;
    accepted.forget(None);
    assert_eq!(doubts(&read(&sim, &accepted).snapshot), Vec::<String>::new());
}

/// The newest objects of all were deleted by somebody: that is no backup.
#[test]
fn deletions_alone_are_no_older_state() {
    let sim = Sim::new(|_| {});
    let mut past = read(&sim, &Past::default()).past;
    let made: Vec<String> = (0..8)
        .map(|n| {
            let made = sim.call("POST", "/userDefinedEvents", json!({ "name": format!("Event {n}") }));
            made["result"]["path"]["id"].as_str().unwrap().to_owned()
        })
        .collect();
    past = read(&sim, &past).past;
    for id in made {
        sim.call("DELETE", &format!("/userDefinedEvents/{id}"), json!({}));
    }
    assert_eq!(doubts(&read(&sim, &past).snapshot), Vec::<String>::new());
}

#[test]
fn names_of_noise_are_read_as_they_are_unless_the_canary_is_among_them() {
    let sim = Sim::new(|_| {});
    with(&sim, ConfigFault::Encrypted(1.0));
    assert_eq!(doubts(&read(&sim, &Past::default()).snapshot), Vec::<String>::new());
    sim.api.faults().lift(Lift::default());
    sim.call("POST", "/analyticsEvents", json!({ "name": "gatekeeper-canary", "description": "" }));
    let Reading { past, snapshot } = read(&sim, &Past::default());
    assert_eq!(doubts(&snapshot), Vec::<String>::new());
    with(&sim, ConfigFault::Encrypted(1.0));
    assert_eq!(doubts(&read(&sim, &past).snapshot), ["all: canary: it is missing"]);
}

#[test]
fn a_required_canary() {
    let sim = Sim::new(|_| {});
    let want = Want { kinds: Some([kind("roles")].into()), canary_required: true, ..Want::default() };
    let read = |past: &Past| read_with(&sim, past, &want).unwrap().snapshot;
    assert_eq!(doubts(&read(&Past::default())), ["all: canary: there is none"]);
    sim.call("POST", "/analyticsEvents", json!({ "name": "gatekeeper-canary", "description": "" }));
    assert_eq!(doubts(&read(&Past::default())), Vec::<String>::new());
    with(&sim, ConfigFault::Answer(BadAnswer::ListError, Some("analyticsEvents")));
    let doubts = doubts(&read(&Past::default()));
    assert!(doubts.contains(&"all: canary: analyticsEvents could not be read".to_owned()), "{doubts:?}");
}

#[test]
fn an_account_that_may_not_read_is_told_so() {
    let mut sim = Sim::new(|_| {});
    sim.token.push('x');
    let reading = read_with(&sim, &Past::default(), &Want::default());
    assert!(matches!(reading, Err(ReadError::Denied)));
}
