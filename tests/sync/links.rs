//! `gatekeeper sync links`: what the matcher finds, what operators say, what survives.

use serde_json::{Value, json};

use crate::oracle::{Links, expected, is_judged, lists};
use crate::support::client::{call, get, login};
use crate::support::config::Config;
use crate::support::gatekeeper::{Gatekeeper, text};
use crate::support::sim::Sim;

/// Two instances of one site that differ in a tenth of their objects, and a gatekeeper that has matched them.
async fn matched(options: &[&str]) -> (Sim, Sim, Gatekeeper) {
    let diverging: Vec<&str> = options.iter().copied().chain(["--diverge", "0.1"]).collect();
    let (a, b) = (Sim::start("a", options), Sim::start("b", &diverging));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b]).with_accounts()).await;
    gatekeeper.wait_matched().await;
    (a, b, gatekeeper)
}

#[track_caller]
fn shown(gatekeeper: &Gatekeeper) -> Value {
    serde_json::from_str(&gatekeeper.succeed(&["sync", "links", "--json"])).unwrap()
}

#[track_caller]
fn links(gatekeeper: &Gatekeeper) -> Links {
    let answer = shown(gatekeeper);
    let linked = answer["links"].as_array().unwrap().iter().filter(|l| l["apart"] == false);
    let word = |v: &Value| v.as_str().unwrap().to_owned();
    linked.map(|l| (word(&l["type"]), word(&l["objects"]["a"]), word(&l["objects"]["b"]))).collect()
}

/// The audit log: actor, action, detail.
fn audit(gatekeeper: &Gatekeeper) -> Vec<(String, String, Value)> {
    let db = rusqlite::Connection::open(gatekeeper.dir.path().join("state/state.db")).unwrap();
    let mut query = db.prepare("SELECT actor, action, detail FROM audit ORDER BY seq").unwrap();
    let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get::<_, String>(2)?));
    let rows = query.query_map([], row).unwrap().map(Result::unwrap);
    rows.map(|(actor, action, detail)| (actor, action, serde_json::from_str(&detail).unwrap())).collect()
}

fn run(gatekeeper: &Gatekeeper, more: &[&str]) -> (Option<i32>, Value) {
    let args: Vec<&str> =
        ["sync", "links", "run", "--json"].into_iter().chain(more.iter().copied()).collect();
    let output = gatekeeper.command(&args);
    (output.status.code(), serde_json::from_str(&text(&output.stdout)).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_safe_is_linked_and_still_is_when_both_instances_are_gone() {
    let (mut a, mut b, mut gatekeeper) = matched(&["--cameras", "60"]).await;
    let wanted = expected(&a, &b).await;
    let found = links(&gatekeeper);
    let judged = |l: &&(String, String, String)| is_judged(&l.0);
    let more: Vec<_> = found.difference(&wanted).filter(judged).collect();
    assert_eq!(more, Vec::<&_>::new(), "linked and should not be");
    assert_eq!(wanted.difference(&found).collect::<Vec<_>>(), Vec::<&_>::new(), "not linked");
    for (kind, least) in [
        ("hardware", 40),
        ("cameras", 40),
        ("cameraGroups", 2),
        ("timeProfiles", 1),
        ("userDefinedEvents", 1),
    ] {
        assert!(found.iter().filter(|l| l.0 == kind).count() >= least, "{kind}: {found:?}");
    }
    // Both have roles of the same name, and they stay strangers.
    let names = |list: &[Value]| list.iter().map(|r| r["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&lists(&a).await["roles"])[0], names(&lists(&b).await["roles"])[0]);
    assert!(
        found.iter().all(|l| !["roles", "basicUsers", "rules", "loginProviders"].contains(&l.0.as_str()))
    );
    // The counts agree, and so does the metric.
    let cameras = found.iter().filter(|l| l.0 == "cameras").count();
    let labels = [("type", "cameras"), ("state", "linked")];
    assert_eq!(gatekeeper.metric("gatekeeper_sync_objects", &labels).await, cameras as f64);
    // Nothing was written to either.
    assert!(a.writes().await.is_empty() && b.writes().await.is_empty());

    a.kill();
    b.kill();
    gatekeeper.restart("KILL");
    assert_eq!(links(&gatekeeper), found);
    let answer = shown(&gatekeeper);
    assert_ne!(answer["last_run"]["complete"], true);
    // And when they come back there is nothing to do.
    a.restart();
    b.restart();
    gatekeeper.wait_matched().await;
    assert_eq!(links(&gatekeeper), found);
    let matched = audit(&gatekeeper).into_iter().filter(|(actor, ..)| actor == "matcher").count();
    assert_eq!(matched, 1, "the second run changed nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_have_the_last_word_and_are_in_the_audit_log() {
    let (a, b, gatekeeper) = matched(&["--cameras", "6"]).await;
    let before = links(&gatekeeper);
    let role = |lists: &Value| lists["id"].as_str().unwrap().to_owned();
    let (on_a, on_b) = (role(&lists(&a).await["roles"][1]), role(&lists(&b).await["roles"][1]));
    let ends = |a: &str, b: &str| (format!("a={a}"), format!("b={b}"));
    let (left, right) = ends(&on_a, &on_b);
    let add = |kind: &str, left: &str, right: &str| {
        gatekeeper.command(&["sync", "links", "add", kind, left, right, "--reason", "same people"])
    };
    assert_eq!(add("roles", &left, &right).status.code(), Some(0));
    assert!(links(&gatekeeper).contains(&("roles".into(), on_a.clone(), on_b.clone())));

    // What an operator ends, no run makes again.
    let camera = before.iter().find(|l| l.0 == "cameras").unwrap().clone();
    let (gone_a, gone_b) = ends(&camera.1.to_uppercase(), &format!("{{{}}}", camera.2));
    let remove = ["sync", "links", "remove", "cameras", &gone_a, &gone_b, "--reason", "another gate"];
    gatekeeper.succeed(&remove);
    assert_eq!(run(&gatekeeper, &[]).0, Some(0));
    assert!(!links(&gatekeeper).contains(&camera));
    assert_eq!(gatekeeper.command(&remove).status.code(), Some(1), "there is nothing to end any more");

    let log = audit(&gatekeeper);
    let entry = |action: &str| log.iter().find(|(_, a, _)| a == action).unwrap();
    assert_eq!((&*entry("link").0, &entry("link").2["reason"]), ("local", &json!("same people")));
    assert_eq!(entry("link").2["objects"], json!({"a": on_a, "b": on_b}));
    assert_eq!((&*entry("unlink").0, &entry("unlink").2["reason"]), ("local", &json!("another gate")));
    assert_eq!(entry("links-matched").0, "matcher");

    // Mistakes are named.
    let other = format!("b={}", role(&lists(&b).await["roles"][0]));
    for (kind, left, right, word) in [
        ("nonsense", &*left, &*right, "unknown-type"),
        ("roles", &left, "b=5", "bad-id"),
        ("roles", &left, "nobody=939bbf53-fa25-5a64-aa79-3ec6420707ae", "unknown-instance"),
        ("roles", &left, &left, "bad-request"),
        ("roles", &left, "b=939bbf53-fa25-5a64-aa79-3ec6420707ae", "no-such-object"),
        ("cameras", &left, &right, "no-such-object"),
        ("roles", &left, &other, "already-linked"),
        ("roles", &left, "b=00000000-0000-0000-0000-000000000000", "bad-link"),
    ] {
        let output =
            gatekeeper.command(&["sync", "links", "add", kind, left, right, "--reason", "x", "--json"]);
        assert_eq!(output.status.code(), Some(1), "{word}");
        assert!(text(&output.stdout).contains(word), "{word}: {}", text(&output.stdout));
    }
    let people = gatekeeper.succeed(&["sync", "links", "--type", "ROLES"]);
    assert!(people.contains(&left) && !people.contains("cameras"), "{people}");
    assert!(gatekeeper.succeed(&["sync", "links", "run"]).contains("AMBIGUOUS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_cannot_be_believed_ends_no_link() {
    let (a, b, gatekeeper) = matched(&["--cameras", "450"]).await;
    let before = links(&gatekeeper);
    for fault in [
        json!({"service": "config", "mode": "list-error", "type": "cameras"}),
        json!({"service": "config", "mode": "list-empty", "type": "cameras"}),
        json!({"service": "config", "mode": "page-cut", "type": "cameras"}),
        json!({"service": "config", "mode": "truncated-json", "type": "cameras"}),
        json!({"service": "config", "mode": "html", "type": "cameras"}),
        json!({"service": "config", "mode": "schema", "type": "cameras", "field": "channel", "how": "null"}),
        json!({"service": "config", "mode": "encrypted", "share": 1.0}),
    ] {
        assert!(b.try_fault(&fault).await.status < 300, "{fault}");
        let (code, answer) = run(&gatekeeper, &[]);
        b.heal().await;
        assert_eq!(links(&gatekeeper), before, "{fault}: {answer}");
        let whole = fault["mode"] == "encrypted";
        assert_eq!(code, Some(if whole { 0 } else { 4 }), "{fault}: {answer}");
    }
    assert_eq!(run(&gatekeeper, &[]).0, Some(0));
    assert_eq!(links(&gatekeeper), before);

    // One that is really gone is gone, and linked again when it is there again.
    let token = login(&b.http()).await;
    let event = before.iter().find(|l| l.0 == "analyticsEvents").unwrap().clone();
    let path = format!("/API/rest/v1/analyticsEvents/{}", event.2);
    let name =
        b.http().send(get(&path).bearer(&token)).await.unwrap().expect(200).json()["data"]["name"].clone();
    b.http().send(call("DELETE", &path).bearer(&token)).await.unwrap().expect(200);
    run(&gatekeeper, &["--accept-losses"]);
    assert!(!links(&gatekeeper).contains(&event));
    let new = call("POST", "/API/rest/v1/analyticsEvents")
        .bearer(&token)
        .json(&json!({"name": name, "description": ""}));
    b.http().send(new).await.unwrap().expect(201);
    run(&gatekeeper, &[]);
    assert!(links(&gatekeeper).iter().any(|l| l.1 == event.1 && l.2 != event.2));

    // Two of one name are not guessed at.
    let token_a = login(&a.http()).await;
    for (sim, token, name) in [(&a, &token_a, "Twin"), (&b, &token, "Twin"), (&b, &token, "TWIN")] {
        let twin = call("POST", "/API/rest/v1/userDefinedEvents").bearer(token).json(&json!({"name": name}));
        sim.http().send(twin).await.unwrap().expect(201);
    }
    let (code, answer) = run(&gatekeeper, &[]);
    let all = answer["last_run"]["pairs"][0]["ambiguous"].as_array().unwrap();
    let disputed: Vec<&Value> = all.iter().filter(|d| d["type"] == "userDefinedEvents").collect();
    assert_eq!((code, disputed.len()), (Some(0), 3), "{answer}");
    let why = "2 objects of the other instance have this name";
    assert!(
        disputed.iter().any(|d| d["instance"] == "a" && d["name"] == "Twin" && d["why"] == why),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_without_an_account_or_in_quarantine() {
    let (a, b, gatekeeper) = matched(&["--cameras", "4"]).await;
    let before = links(&gatekeeper);
    gatekeeper.succeed(&["quarantine", "b", "--reason", "test"]);
    let asked = b.requests().await.len();
    let (code, answer) = run(&gatekeeper, &[]);
    assert_eq!((code, b.requests().await.len()), (Some(1), asked), "{answer}");
    assert!(answer.to_string().contains("quarantine"), "{answer}");
    assert_eq!(links(&gatekeeper), before, "what clients remember still has to be translated");
    let status = gatekeeper.succeed(&["status"]);
    assert!(status.contains("OBJECTS OF") && status.contains("b: it is in quarantine"), "{status}");
    assert_eq!(gatekeeper.status().await["links"][0]["linked"], before.len());
    drop(gatekeeper);

    let mut config = Config::xprotect(&[&a, &b]).with_accounts();
    config.instances[1].extra.clear();
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_log(&["no account", "instance"]).await;
    for _ in 0..2 {
        let (code, answer) = run(&gatekeeper, &[]);
        assert_eq!(code, Some(1), "{answer}");
        assert!(answer.to_string().contains("it has no account"), "{answer}");
    }
    assert_eq!(gatekeeper.process.log().matches("no account").count(), 1, "said once");
    assert!(links(&gatekeeper).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_counts_only() {
    let (a, b) = (Sim::start("a", &["--cameras", "4"]), Sim::start("b", &["--cameras", "4"]));
    let file = tempfile::NamedTempFile::new().unwrap();
    let eye = file.path();
    std::fs::write(eye, "viewer-token-0123456789-0123456789").unwrap();
    let user = format!("user = [{{ name = \"eye\", role = \"viewer\", token_file = {eye:?} }}]");
    let gatekeeper =
        Gatekeeper::ready(Config::xprotect(&[&a, &b]).with_accounts().table("admin", &user)).await;
    gatekeeper.wait_matched().await;
    let token = std::fs::read_to_string(eye).unwrap();
    let question = get("/v1/sync/links").bearer(&token);
    let answer = gatekeeper.admin().send(question).await.unwrap().expect(200).json();
    assert!(answer["counts"].as_array().unwrap().len() > 5 && answer["links"].is_null(), "{answer}");
    for (_, one, other) in links(&gatekeeper) {
        assert!(!answer.to_string().contains(&one) && !answer.to_string().contains(&other), "{answer}");
    }
    let order = call("POST", "/v1/sync/links/run").bearer(&token).json(&json!({}));
    gatekeeper.admin().send(order).await.unwrap().expect(403);
    std::fs::remove_file(eye).unwrap();
}
