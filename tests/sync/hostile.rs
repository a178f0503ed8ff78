//! An instance that is ill from the start, or lies, and people who are in a hurry.

use serde_json::{Value, json};

use crate::sides::{AUTO, At, Sides};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;
use crate::support::until;

fn plan(gatekeeper: &Gatekeeper) -> Value {
    serde_json::from_slice(&gatekeeper.command(&["sync", "plan", "--json"]).stdout).unwrap()
}

/// Operations that would be carried out.
fn passing(plan: &Value) -> Vec<&Value> {
    plan["operations"].as_array().unwrap().iter().filter(|o| o["verdict"] == "pass").collect()
}

/// Nothing is known yet with which the first reading could be compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_first_reading_is_no_baseline() {
    for (fault, bad) in [
        (json!({"mode": "list-empty"}), 1),
        (json!({"mode": "list-empty", "type": "cameras"}), 0),
        (json!({"mode": "list-empty", "type": "userDefinedEvents"}), 1),
        (json!({"mode": "list-error", "type": "roles"}), 0),
        (json!({"mode": "encrypted", "share": 1.0}), 1),
        (json!({"mode": "encrypted", "share": 0.3}), 0),
        (json!({"mode": "clock", "offset_s": -86_400}), 1),
    ] {
        let (a, b) = (Sim::start("a", &["--cameras", "12"]), Sim::start("b", &["--cameras", "12"]));
        let mut body = fault.clone();
        body["service"] = json!("config");
        assert!([&a, &b][bad].try_fault(&body).await.status < 300, "{fault}");
        let config = Config::xprotect(&[&a, &b]).with_accounts().table("sync", AUTO);
        let gatekeeper = Gatekeeper::ready(config).await;
        gatekeeper.wait_matched().await;
        let during = plan(&gatekeeper);
        assert!(during["pairs"][0]["baseline"].is_null(), "{fault}: {during:#}");
        assert!(passing(&during).is_empty(), "{fault}: {during:#}");
        [&a, &b][bad].heal().await;
        let after = plan(&gatekeeper);
        assert_eq!(after["pairs"][0]["baseline"]["confirmed_by"], "configuration", "{fault}: {after:#}");
        assert_eq!(after["operations"], json!([]), "{fault}");
        assert!(a.writes().await.is_empty() && b.writes().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_confirms_what_was_not_read() {
    let sides = Sides::equal(&AUTO.replace("\"auto\"", "\"confirm\"")).await;
    let approve = || sides.gatekeeper.command(&["sync", "approve", "baseline", "--reason", "in a hurry"]);
    for fault in [json!({"mode": "clock", "offset_s": 4000}), json!({"mode": "html", "type": "roles"})] {
        sides.fault(At::B, &fault).await;
        let refused = approve();
        let words = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{fault}: {words}");
        assert!(words.contains("not everything is believed"), "{fault}: {words}");
        sides.b.heal().await;
    }
    assert_eq!(approve().status.code(), Some(0));
    sides.assert_nothing_written().await;
}

/// Every few seconds would lock the account.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_account_is_not_asked_again_with_every_short_reading() {
    let (a, b) = (Sim::start("a", &["--cameras", "4"]), Sim::start("b", &["--cameras", "4"]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "wrong-password").unwrap();
    let sync = AUTO.replace("interval = \"1h\"\nfull", "interval = \"100ms\"\nfull");
    let mut config = Config::xprotect(&[&a, &b]).with_accounts().table("sync", &sync);
    let path = file.path();
    config.instances[1].extra = format!("account = {{ username = \"user1\", password_file = {path:?} }}");
    let gatekeeper = Gatekeeper::ready(config).await;
    until("many runs", async || {
        let status = gatekeeper.succeed(&["sync", "status", "--json"]);
        serde_json::from_str::<Value>(&status).unwrap()["number"].as_u64().unwrap() > 8
    })
    .await;
    let logins = b.requests_with("/API/IDP/connect/token").await;
    // Probes of the instance log in, too, in their own time.
    assert!(logins < 5, "{logins}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_gone_everywhere_can_be_let_pass() {
    let sides = Sides::equal(AUTO).await;
    let doubts = |plan: &Value| plan["pairs"][0]["not_trusted"].as_array().unwrap().len();
    let gone = json!({"mode": "schema", "type": "cameras", "field": "recordingStorage", "how": "missing"});
    sides.fault(At::A, &gone).await;
    assert_eq!(doubts(&sides.plan().json), 1);
    sides.ask(&["approve", "reading", "cameras", "--instance", "a", "--reason", "new version"]);
    let plan = sides.plan();
    assert_eq!((doubts(&plan.json), plan.operations()), (0, Vec::new()), "{:#}", plan.json);
    // That there were cameras is not forgotten.
    sides.fault(At::A, &json!({"mode": "list-empty", "type": "cameras"})).await;
    let plan = sides.plan();
    assert!(plan.json["pairs"].to_string().contains("the list is empty"), "{:#}", plan.json);
    sides.assert_nothing_written().await;
}
