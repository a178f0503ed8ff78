//! Readings that must not be believed: whatever is wrong with them, nothing follows from it (T1, T4, T16, S17, S18,
//! S21 of the sync design).

use serde_json::{Value, json};

use crate::sides::{AUTO, At, Plan, Sides};
use crate::support::until;

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The reasons why nothing of a type is believed, as the plan gives them.
fn doubts(plan: &Plan, kind: &str) -> Vec<String> {
    let all = plan.list("pairs")[0]["not_trusted"].as_array().unwrap();
    let of = all.iter().filter(|d| d["type"] == kind);
    of.map(|d| format!("{}: {}", d["instance"].as_str().unwrap(), d["why"].as_str().unwrap())).collect()
}

/// Sites that differ, so that there is something to be wrong about.
async fn differing() -> Sides {
    let sides = Sides::with(&["--cameras", "450"], &[], AUTO, |c| c).await;
    sides.plan();
    for kind in ["cameras", "alarmDefinitions", "timeProfiles"] {
        let name = sides.list(At::A, kind).await[0]["name"].as_str().unwrap().to_owned();
        sides.patch(At::A, kind, &name, &json!({"description": "edited"})).await;
    }
    sides
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_that_cannot_be_read_stops_and_so_does_what_refers_to_it_and_nothing_else() {
    let sides = differing().await;
    let healthy = sides.plan();
    assert_eq!(healthy.operations().len(), 3, "{:#}", healthy.json);
    for (mode, word) in [
        ("list-error", "status 500"),
        ("list-empty", "empty"),
        ("page-cut", "not whole"),
        ("truncated-json", "no list"),
        ("html", "no list"),
    ] {
        for at in [At::A, At::B] {
            sides.fault(at, &json!({"mode": mode, "type": "cameras"})).await;
            let plan = sides.plan();
            sides.sim(at).heal().await;
            assert_eq!(plan.code, healthy_code(&plan), "{mode}");
            let why = doubts(&plan, "cameras");
            assert!(why.len() == 1 && why[0].contains(word), "{mode}: {why:?}");
            assert!(plan.of_type("cameras").is_empty(), "{mode}: {:#}", plan.json);
            // Alarm definitions refer to cameras.
            assert!(plan.of_type("alarmDefinitions").is_empty(), "{mode}: {:#}", plan.json);
            let told: Vec<_> =
                plan.skipped("cameras").into_iter().filter(|(name, _)| name.is_empty()).collect();
            assert_eq!(told.len(), 1, "one alert, not one per object: {mode}: {told:?}");
            assert_eq!(plan.of_type("timeProfiles").len(), 1, "{mode}: {:#}", plan.json);
        }
    }
    // All types at once.
    for mode in ["list-error", "list-empty", "html"] {
        sides.fault(At::A, &json!({"mode": mode})).await;
        let plan = sides.plan();
        sides.a.heal().await;
        assert!(plan.operations().is_empty(), "{mode}: {:#}", plan.json);
    }
    let after = sides.plan();
    assert_eq!(after.operations(), healthy.operations(), "it goes on by itself");
    sides.assert_nothing_written().await;
}

/// Types that are not trusted do not change the exit code.
fn healthy_code(plan: &Plan) -> Option<i32> {
    let held = |o: &Value| o["verdict"] != "pass";
    Some(if plan.list("operations").iter().any(held) { 3 } else { 0 })
}

/// T4a, T4b, S21.
#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_looks_different_freezes_its_type_until_a_person_lets_it_pass() {
    let sides = differing().await;
    for (how, field) in
        [("missing", "description"), ("null", "enabled"), ("retyped", "enabled"), ("unknown", "colour")]
    {
        sides.fault(At::A, &json!({"mode": "schema", "type": "cameras", "field": field, "how": how})).await;
        let plan = sides.plan();
        sides.a.heal().await;
        let why = doubts(&plan, "cameras");
        assert!(why.len() == 1 && why[0].contains(field), "{how}: {why:?}");
        assert!(plan.of_type("cameras").is_empty(), "{how}: nothing is overwritten by omission or default");
        assert_eq!(plan.of_type("timeProfiles").len(), 1, "{how}");
    }
    // A person looks, and lets it pass: the type goes on, and nobody writes the unknown field.
    sides
        .fault(At::A, &json!({"mode": "schema", "type": "cameras", "field": "colour", "how": "unknown"}))
        .await;
    sides.plan();
    sides.ask(&["approve", "reading", "cameras", "--instance", "a", "--reason", "new version"]);
    let plan = sides.plan();
    assert!(doubts(&plan, "cameras").is_empty(), "{:#}", plan.json);
    assert_eq!(plan.of_type("cameras").len(), 1, "{:#}", plan.json);
    assert_eq!(plan.of_type("cameras")[0]["fields"], json!(["description"]));
    let again = ["sync", "approve", "reading", "cameras", "--instance", "a", "--reason", "x", "--json"];
    let again = sides.gatekeeper.command(&again);
    assert_eq!(again.status.code(), Some(1), "there is nothing to let pass");
    sides.assert_nothing_written().await;
}

/// T1d.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_turn_to_noise_are_one_finding_with_the_names() {
    let sides = Sides::with(&["--cameras", "40"], &[], AUTO, |c| c).await;
    sides.plan();
    sides.fault(At::A, &json!({"mode": "encrypted", "share": 0.3})).await;
    let plan = sides.plan();
    let found: Vec<&Value> = plan.list("findings").iter().filter(|f| f["code"] == "noise").collect();
    assert_eq!(found.len(), 1, "one alert for all types: {:#}", plan.json);
    assert!(found[0]["types"].as_array().unwrap().contains(&json!("cameras")), "{}", found[0]);
    let names = found[0]["names"].as_array().unwrap();
    let readable = |n: &Value| n.as_str().unwrap().chars().any(char::is_lowercase);
    assert!(names.len() >= 10 && names.iter().all(readable), "the names before: {}", found[0]);
    assert!(plan.list("operations").iter().all(|o| o["verdict"] != "pass"), "{:#}", plan.json);
    assert_eq!(plan.code, Some(3));
    sides.assert_nothing_written().await;
}

/// T16.
#[tokio::test(flavor = "multi_thread")]
async fn a_source_from_the_past_is_refused() {
    let sides = differing().await;
    let healthy = sides.plan();
    sides.fault(At::A, &json!({"mode": "clock", "offset_s": -86_400})).await;
    let plan = sides.plan();
    sides.a.heal().await;
    assert!(plan.operations().is_empty(), "{:#}", plan.json);
    assert!(plan.json.to_string().contains("clock"), "{:#}", plan.json);
    assert_eq!(sides.plan().operations(), healthy.operations());

    // Back to before an edit that was seen, as from a backup.
    let before = now();
    until("two seconds have passed", async || now() > before + 2.0).await;
    let name = sides.list(At::A, "timeProfiles").await[0]["name"].as_str().unwrap().to_owned();
    sides.patch(At::A, "timeProfiles", &name, &json!({"description": "edited later"})).await;
    sides.plan();
    sides.fault(At::A, &json!({"mode": "restore", "to": before + 0.5})).await;
    let plan = sides.plan();
    assert!(plan.operations().is_empty(), "{:#}", plan.json);
    assert!(plan.json.to_string().contains("restored from a backup"), "{:#}", plan.json);
    // A person says that this is what counts.
    sides.ask(&["approve", "reading", "--instance", "a", "--reason", "restored on purpose"]);
    assert!(!sides.plan().json.to_string().contains("restored from a backup"));
    sides.assert_nothing_written().await;
}

/// S17.
#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_was_seen_has_to_stay_as_it_is() {
    let sides = differing().await;
    let canary = json!({"name": "gatekeeper-canary", "description": "made 2026-01-31"});
    sides.edit(At::A, "POST", "analyticsEvents", &canary).await;
    let plan = sides.plan();
    assert_eq!(plan.operations().len(), 3, "it is never copied: {:#}", plan.json);
    sides.patch(At::A, "analyticsEvents", "gatekeeper-canary", &json!({"description": "x"})).await;
    let plan = sides.plan();
    assert!(plan.operations().is_empty() && plan.json.to_string().contains("canary"), "{:#}", plan.json);
    sides
        .patch(At::A, "analyticsEvents", "gatekeeper-canary", &json!({"description": "made 2026-01-31"}))
        .await;
    assert_eq!(sides.plan().operations().len(), 3);
    sides.delete(At::A, "analyticsEvents", "gatekeeper-canary").await;
    assert!(sides.plan().operations().is_empty());
    sides.assert_nothing_written().await;

    let required = format!("{AUTO}\ncanary = \"required\"");
    let sides = Sides::with(&["--cameras", "4"], &["--diverge", "0.3"], &required, |c| c).await;
    let plan = sides.plan();
    assert!(plan.operations().is_empty() && plan.json.to_string().contains("canary"), "{:#}", plan.json);
    sides.assert_nothing_written().await;
}

/// T4c: an older version lacks types and fields; what both have goes on, and nothing is overwritten.
#[tokio::test(flavor = "multi_thread")]
async fn two_versions_compare_what_both_have() {
    let sides = Sides::with(&["--cameras", "6", "--version", "25.2"], &[], AUTO, |c| c).await;
    drop(sides);
    for older in ["24.1", "22.1"] {
        let a = crate::support::sim::Sim::start("a", &["--cameras", "6"]);
        let b = crate::support::sim::Sim::start("b", &["--cameras", "6", "--version", older]);
        let config = crate::support::config::Config::xprotect(&[&a, &b]).with_accounts().table("sync", AUTO);
        let gatekeeper = crate::support::gatekeeper::Gatekeeper::ready(config).await;
        gatekeeper.wait_matched().await;
        let output = gatekeeper.command(&["sync", "plan", "--json"]);
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(plan["operations"], json!([]), "{older}: {plan:#}");
        assert!(a.writes().await.is_empty() && b.writes().await.is_empty());
    }
}
