//! `gatekeeper sync plan`: what would be done between two instances, and that nothing is.

use serde_json::{Value, json};

use crate::sides::{AUTO, At, Sides};
use crate::support::client::{call, get};
use crate::support::config::Config;
use crate::support::until;

#[tokio::test(flavor = "multi_thread")]
async fn two_equal_sites_need_nothing_and_the_plan_is_the_same_every_time() {
    let sides = Sides::equal(AUTO).await;
    let first = sides.plan();
    assert_eq!((first.code, first.operations()), (Some(0), Vec::new()), "{:#}", first.json);
    assert!(first.list("conflicts").is_empty() && first.list("findings").is_empty(), "{:#}", first.json);
    assert!(first.list("pairs")[0]["not_trusted"].as_array().unwrap().is_empty(), "{:#}", first.json);
    let second = sides.plan();
    assert_eq!(first.json["digest"], second.json["digest"]);
    assert_eq!(first.json["skipped"], second.json["skipped"]);
    sides.assert_nothing_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_on_the_primary_become_operations_and_nothing_else_does() {
    let sides = Sides::equal(AUTO).await;
    let camera = sides.list(At::A, "cameras").await[0]["name"].as_str().unwrap().to_owned();
    sides.patch(At::A, "cameras", &camera, &json!({"name": "Gate renamed", "shortName": "G"})).await;
    sides.edit(At::A, "POST", "userDefinedEvents", &json!({"name": "Evacuation test"})).await;
    sides.patch(At::A, "roles", "Operators", &json!({"description": "other people"})).await;
    let profile = sides.list(At::A, "timeProfiles").await[0]["name"].as_str().unwrap().to_owned();
    sides.patch(At::A, "timeProfiles", &profile, &json!({"description": "changed"})).await;
    let plan = sides.plan();
    assert_eq!(
        plan.operations(),
        [
            "create userDefinedEvents Evacuation test pass".to_owned(),
            "rename cameras Gate renamed pass".to_owned(),
            "update roles Operators hold".to_owned(),
            format!("update timeProfiles {profile} pass"),
        ],
        "{:#}",
        plan.json
    );
    assert_eq!(plan.code, Some(3), "something is held");
    assert_eq!(sides.gatekeeper.metric("gatekeeper_sync_held", &[("reason", "policy")]).await, 1.0);
    let read =
        sides.gatekeeper.metric("gatekeeper_sync_last_success_timestamp_seconds", &[("type", "roles")]);
    assert!(read.await > 1_700_000_000.0);
    let role = plan.one("roles", "Operators");
    assert!(role["reason"].as_str().unwrap().contains("roles.update = approve"), "{role}");
    let n = plan.one("cameras", "Gate renamed")["n"].to_string();
    let details = sides.ask(&["show", &n]);
    let change = details["changes"].as_array().unwrap().iter().find(|c| c["field"] == "name").unwrap();
    assert_eq!(
        (&change["before"], &change["after"]),
        (&json!(camera), &json!("Gate renamed")),
        "{details:#}"
    );
    let people = sides.gatekeeper.command(&["sync", "show"]);
    assert!(String::from_utf8_lossy(&people.stdout).contains("Evacuation test"));
    sides.assert_nothing_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_needs_two_readings_and_a_person() {
    let sides = Sides::equal(AUTO).await;
    let event = sides.list(At::A, "analyticsEvents").await[0]["name"].as_str().unwrap().to_owned();
    sides.delete(At::A, "analyticsEvents", &event).await;
    let first = sides.plan();
    assert_eq!(first.operations(), Vec::<String>::new(), "{:#}", first.json);
    assert!(first.skipped("analyticsEvents").iter().any(|(name, _)| *name == event), "{:#}", first.json);
    let second = sides.plan();
    assert_eq!(second.operations(), [format!("delete analyticsEvents {event} hold")], "{:#}", second.json);
    sides.assert_nothing_written().await;
}

/// T15b, S5.
#[tokio::test(flavor = "multi_thread")]
async fn both_sides_edited_while_apart_conflict_field_by_field() {
    let sides = Sides::equal(AUTO).await;
    let names: Vec<String> = {
        let cameras = sides.list(At::A, "cameras").await;
        cameras.iter().take(3).map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    };
    // One: the same field. Two: other fields. Three: the same value.
    sides.patch(At::A, "cameras", &names[0], &json!({"shortName": "from a"})).await;
    sides.patch(At::B, "cameras", &names[0], &json!({"shortName": "from b"})).await;
    sides.patch(At::A, "cameras", &names[1], &json!({"shortName": "from a"})).await;
    sides.patch(At::B, "cameras", &names[1], &json!({"description": "from b"})).await;
    sides.patch(At::A, "cameras", &names[2], &json!({"description": "alike"})).await;
    sides.patch(At::B, "cameras", &names[2], &json!({"description": "alike"})).await;
    let plan = sides.plan();
    assert_eq!(plan.operations(), [format!("update cameras {} pass", names[1])], "{:#}", plan.json);
    assert_eq!(plan.code, Some(3), "a conflict is held");
    let conflicts = sides.ask(&["conflicts"]);
    let all = conflicts["conflicts"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{conflicts:#}");
    let field = &all[0]["fields"][0];
    assert_eq!(
        (&field["field"], &field["a"], &field["b"]),
        (&json!("shortName"), &json!("from a"), &json!("from b"))
    );
    assert_eq!(all[0]["name"], names[0].as_str());
    let drift = sides.ask(&["drift"]);
    let drift = drift["drift"].as_array().unwrap();
    assert!(
        drift.iter().any(|d| d["name"] == names[1].as_str() && d["fields"] == json!(["description"])),
        "{drift:?}"
    );
    assert!(!drift.iter().any(|d| d["name"] == names[2].as_str()), "adopted: {drift:?}");
    sides.assert_nothing_written().await;
}

/// S32, T3b: within one poll, without anybody asking; with the time since when.
#[tokio::test(flavor = "multi_thread")]
async fn drift_is_seen_by_itself_and_remembered() {
    let sync = AUTO.replace("interval = \"1h\"\nfull", "interval = \"200ms\"\nfull");
    let mut sides = Sides::equal(&sync).await;
    let camera = sides.list(At::B, "cameras").await[3]["name"].as_str().unwrap().to_owned();
    sides.patch(At::B, "cameras", &camera, &json!({"recordingEnabled": false})).await;
    let drift = async |sides: &Sides| -> Option<Value> {
        let answer = sides.ask(&["drift", "--type", "cameras"]);
        let found = answer["drift"].as_array()?.iter().find(|d| d["name"] == camera.as_str())?.clone();
        assert_eq!(answer["spread"][0]["last_hour"], answer["spread"][0]["objects"], "{answer}");
        Some(found)
    };
    until("drift is seen", async || drift(&sides).await.is_some()).await;
    let before = drift(&sides).await.unwrap();
    assert_eq!(before["fields"], json!(["recordingEnabled"]));
    sides.gatekeeper.restart("TERM");
    sides.gatekeeper.wait_matched().await;
    until("drift is known again", async || drift(&sides).await.is_some()).await;
    assert_eq!(drift(&sides).await.unwrap()["since"], before["since"], "known since then");
    sides.assert_nothing_written().await;
}

/// S34.
#[tokio::test(flavor = "multi_thread")]
async fn everything_is_held_until_somebody_confirms_the_baseline() {
    let sides = Sides::equal(&AUTO.replace("\"auto\"", "\"confirm\"")).await;
    sides.edit(At::A, "POST", "userDefinedEvents", &json!({"name": "Evacuation test"})).await;
    let before = sides.plan();
    assert_eq!(before.operations(), ["create userDefinedEvents Evacuation test hold"], "{:#}", before.json);
    assert!(
        before.one("userDefinedEvents", "Evacuation test")["reason"].as_str().unwrap().contains("baseline")
    );
    let links = |kind: &str| sides.ask(&["links", "--type", kind])["links"].as_array().unwrap().len();
    assert_eq!(links("roles"), 0, "nobody has said that these are the same");
    sides.ask(&["approve", "baseline", "--reason", "looked"]);
    assert!(links("roles") > 0);
    assert_eq!(sides.plan().operations(), ["create userDefinedEvents Evacuation test pass"]);
    let again = sides.gatekeeper.command(&["sync", "approve", "baseline", "--reason", "looked", "--json"]);
    assert_eq!(again.status.code(), Some(1));
    // S25: afterwards a name is no proof.
    for at in [At::A, At::B] {
        sides.edit(at, "POST", "roles", &json!({"name": "Helpers"})).await;
    }
    let plan = sides.plan();
    assert!(plan.of_type("roles").is_empty(), "{:#}", plan.json);
    let disputes = sides.ask(&["disputes", "--type", "roles"]);
    let disputed = disputes["pairs"][0]["disputed"].as_array().unwrap();
    assert_eq!(disputed.iter().filter(|d| d["name"] == "Helpers").count(), 2, "{disputes:#}");
    sides.assert_nothing_written().await;
}

/// S4: what a policy says is what becomes of an operation.
#[tokio::test(flavor = "multi_thread")]
async fn policies_decide_by_type_and_operation() {
    let policy = |word: &str| {
        format!(
            "{AUTO}\n[[sync.policy]]\ntype = \"userDefinedEvents\"\ncreate = \"{word}\"\nupdate = \"{word}\"\ndelete = \"{word}\""
        )
    };
    let mut sides = Sides::equal(&policy("auto")).await;
    for name in ["New", "Old"] {
        if name == "Old" {
            // On both sides, so that its deletion is one.
            sides.edit(At::B, "POST", "userDefinedEvents", &json!({"name": name})).await;
        }
        sides.edit(At::A, "POST", "userDefinedEvents", &json!({"name": name})).await;
    }
    sides.plan();
    sides.delete(At::A, "userDefinedEvents", "Old").await;
    sides.plan();
    for (word, verdict) in [("auto", Some("pass")), ("approve", Some("hold")), ("never", None)] {
        let config = Config::xprotect(&[&sides.a, &sides.b]).with_accounts().table("sync", &policy(word));
        sides.gatekeeper.rewrite(config);
        sides.gatekeeper.restart("TERM");
        sides.gatekeeper.wait_matched().await;
        let plan = sides.plan();
        let verdicts: Vec<Value> =
            plan.of_type("userDefinedEvents").iter().map(|o| o["verdict"].clone()).collect();
        match verdict {
            Some(verdict) => assert_eq!(verdicts, [verdict, verdict], "{word}: {:#}", plan.json),
            None => {
                assert_eq!(verdicts, Vec::<Value>::new(), "{:#}", plan.json);
                let why = plan.skipped("userDefinedEvents");
                for name in ["New", "Old"] {
                    assert!(why.iter().any(|(n, r)| n == name && r.contains("never")), "{why:?}");
                }
            }
        }
    }
    sides.assert_nothing_written().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_numbers_only_and_an_operator_approves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let user = |name: &str, role: &str| {
        let file = dir.path().join(name);
        std::fs::write(&file, format!("{name}-token-0123456789-0123456789")).unwrap();
        format!("{{ name = {name:?}, role = {role:?}, token_file = {file:?} }}")
    };
    let users = format!("user = [{}, {}]", user("eye", "viewer"), user("hand", "operator"));
    let sides =
        Sides::with(&["--cameras", "4"], &["--diverge", "0.2"], AUTO, |c| c.table("admin", &users)).await;
    sides.plan();
    let admin = sides.gatekeeper.admin();
    let ask = async |who: &str, path: &str| {
        let token = format!("{who}-token-0123456789-0123456789");
        admin.send(get(path).bearer(&token)).await.unwrap()
    };
    for path in ["/v1/sync/plan", "/v1/sync/operations/1", "/v1/sync/conflicts", "/v1/sync/disputes"] {
        assert_eq!(ask("eye", path).await.status, 403, "{path}");
    }
    let status = ask("eye", "/v1/sync/status").await.expect(200).text().to_owned();
    assert!(status.contains("\"hold\""), "{status}");
    let drift = ask("eye", "/v1/sync/drift").await.expect(200).json();
    assert!(drift["drift"].is_null() && drift["spread"].is_array(), "{drift}");
    let token = "hand-token-0123456789-0123456789";
    for (path, body) in [
        ("/v1/sync/baseline", json!({"reason": "x"})),
        ("/v1/sync/accept", json!({"instance": "a", "type": "cameras", "reason": "x"})),
    ] {
        let reply = admin.send(call("POST", path).bearer(token).json(&body)).await.unwrap();
        assert_eq!(reply.status, 403, "{path}");
    }
    sides.assert_nothing_written().await;
}
