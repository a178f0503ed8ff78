#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;
use crate::sync::plan::TypePolicy;

fn rules() -> Rules {
    Rules {
        policies: std::collections::BTreeMap::new(),
        unconfirmed: false,
        baseline: true,
        delete_readings: 2,
        delete_age_s: 900,
    }
}

fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap()
}

fn entry_of(report: &Value, name: &str) -> Value {
    report["types"].as_array().unwrap().iter().find(|entry| entry["type"] == name).unwrap().clone()
}

#[test]
fn every_type_is_in_it_and_counted_once() {
    let report = report(&[], &rules());
    assert_eq!(report["types"].as_array().unwrap().len(), Kind::all().count());
    let counted: u64 = State::ALL.iter().map(|s| report["summary"][s.as_str()].as_u64().unwrap()).sum();
    assert_eq!(counted, Kind::all().count() as u64);
    assert_eq!(report["summary"]["unknown"], 0);
    assert_eq!(report["unseen"].as_array().unwrap().len(), UNSEEN.len());
}

#[test]
fn each_state_has_its_reason() {
    let b =
        Instance { name: "b".into(), absent: [kind("evidenceLockProfiles")].into(), ..Instance::default() };
    let a = Instance { name: "a".into(), ..Instance::default() };
    let instances = [a, b];
    let mut rules = rules();
    let of = |name: &str, rules: &Rules| state(kind(name), &instances, rules);
    assert_eq!(of("evidenceLockProfiles", &rules), (State::Absent, Some("not on b".into())));
    assert_eq!(of("privacyProtections", &rules).0, State::Ignored);
    assert_eq!(of("eventTypes", &rules), (State::MappedOnly, None));
    assert_eq!(of("securityNamespaces", &rules), (State::Compared, None));
    assert_eq!(of("cameras", &rules), (State::Synced, None));
    assert_eq!(of("mipKinds", &rules).0, State::Ignored);
    rules.unconfirmed = true;
    assert_eq!(of("mipKinds", &rules), (State::Synced, None));
}

#[test]
fn the_policy_is_that_of_the_operator_as_far_as_it_is_possible() {
    let mut rules = rules();
    let said = TypePolicy {
        create: Policy::Auto,
        update: Policy::Approve,
        delete: Policy::Auto,
        both: true,
        fields: vec!["name".into()],
    };
    rules.policies.insert(kind("cameras"), said.clone());
    let cameras = entry_of(&report(&[], &rules), "cameras");
    assert_eq!(cameras["create"], json!({"how": "not possible", "policy": "never"}));
    assert_eq!(cameras["update"], json!({"how": "rest", "policy": "approve"}));
    assert_eq!((&cameras["both"], &cameras["only_fields"]), (&json!(true), &json!(["name"])));

    rules.policies.insert(kind("cameras"), TypePolicy { update: Policy::Never, ..said });
    assert_eq!(entry_of(&report(&[], &rules), "cameras")["state"], "compared");
}

#[test]
fn every_field_says_what_becomes_of_it() {
    let report = report(&[], &rules());
    let users = entry_of(&report, "basicUsers");
    assert_eq!(users["fields"]["fixed"], json!(["name"]));
    assert_eq!(users["fields"]["secret"], json!(["password"]));
    assert!(users["fields"]["local"].as_array().unwrap().contains(&json!("sid")));
    assert_eq!(users["further_fields"], false);
    assert_eq!(entry_of(&report, "rules")["further_fields"], true);
    for kind in Kind::all() {
        let fields = &entry_of(&report, kind.as_str())["fields"];
        let listed: usize = Treatment::ALL.iter().map(|t| fields[t.as_str()].as_array().unwrap().len()).sum();
        assert_eq!(listed, kind.row().fields.len(), "{kind}");
    }
}

#[test]
fn what_nobody_has_written_down_is_unknown() {
    let offered = ["cameras", "HARDWARE", "users", "tasks", "holograms", "holograms", "aquariums"];
    let resources: Vec<Value> =
        offered.iter().map(|name| json!({"type": name, "displayName": "x"})).collect();
    let unknown = unknown(&json!({"resources": resources})).unwrap();
    assert_eq!(unknown, ["aquariums", "holograms"]);
    let instance = Instance { name: "a".into(), unknown, ..Instance::default() };
    let report = report(&[instance.clone(), instance], &rules());
    assert_eq!(report["summary"]["unknown"], 2);
    assert_eq!(report["instances"][0]["unknown"][0], "aquariums");
    for answer in [json!({}), json!({"resources": 1}), json!([])] {
        assert_eq!(super::unknown(&answer), None);
    }
}

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, document::document()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == document::document(), "run UPDATE_DOCS=1 cargo test --lib sync::coverage");
}
