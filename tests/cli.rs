//! The commands that need the running system: what they print, what they do, how they end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::process::{Command, Output};

use serde_json::{Value, json};
use support::client::{get, password_grant};
use support::config::Config;
use support::gatekeeper::{BINARY, Gatekeeper, text};
use support::sim::Sim;
use support::until;
use support::upstream::Upstream;

async fn pair() -> (Upstream, Upstream, Gatekeeper) {
    let (a, b) = (Upstream::saying("a").await, Upstream::saying("b").await);
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &a.url()), ("b", &b.url())])).await;
    gatekeeper.wait_up("b", "http", true).await;
    (a, b, gatekeeper)
}

fn alone(args: &[&str]) -> Output {
    Command::new(BINARY).args(args).output().unwrap()
}

/// Asserts the exit code and that stderr says why.
#[track_caller]
fn fails(output: &Output, code: i32, word: &str) {
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{}{err}", text(&output.stdout));
    assert!(err.contains(word), "{word:?} is not in: {err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_is_for_people_and_for_machines() {
    let (_a, _b, gatekeeper) = pair().await;
    let shown = gatekeeper.succeed(&["status"]);
    for word in ["hq", "http", "a", "b"] {
        assert!(shown.contains(word), "{word} is not in\n{shown}");
    }
    let json: Value = serde_json::from_str(&gatekeeper.succeed(&["status", "--json"])).unwrap();
    assert!(json.to_string().contains("\"hq\""), "{json}");
    let names = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&json), names(&gatekeeper.status().await), "the command shows what the API gives");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_is_shown_with_its_reason_and_released() {
    let (_a, _b, gatekeeper) = pair().await;
    gatekeeper.succeed(&["drain", "a", "--reason", "quarterly patches"]);
    gatekeeper.wait_serving("http", "b").await;
    assert!(gatekeeper.succeed(&["status"]).contains("quarterly patches"));
    assert_eq!(gatekeeper.h1().send(get("/x")).await.unwrap().expect(200).text(), "b");
    gatekeeper.succeed(&["release", "--all", "--reason", "done"]);
    assert!(!gatekeeper.succeed(&["status"]).contains("quarterly patches"));
    gatekeeper.succeed(&["failback", "--reason", "done"]);
    gatekeeper.wait_serving("http", "a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_say_what_was_wrong() {
    let (_a, _b, gatekeeper) = pair().await;
    fails(&gatekeeper.command(&["drain", "a"]), 2, "--reason");
    fails(&gatekeeper.command(&["drain", "--reason", "x"]), 2, "INSTANCE");
    fails(&gatekeeper.command(&["drain", "nobody", "--reason", "x"]), 1, "nobody");
    fails(&gatekeeper.command(&["release", "nobody", "--reason", "x"]), 1, "nobody");
    fails(&gatekeeper.command(&["failback", "nowhere", "--reason", "x"]), 1, "nowhere");
    assert_eq!(gatekeeper.command(&["failback", "hq", "nothing", "--reason", "x"]).status.code(), Some(1));
    assert_eq!(alone(&["no-such-command"]).status.code(), Some(2));
    assert_eq!(alone(&["run"]).status.code(), Some(2), "--config is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_need_a_gatekeeper_and_a_token() {
    let (_a, _b, gatekeeper) = pair().await;
    let url = format!("http://{}", gatekeeper.process.address("admin"));
    let wrong = gatekeeper.dir.path().join("wrong.token");
    std::fs::write(&wrong, "0000").unwrap();
    let status = |url: &str, file: &str| alone(&["status", "--admin", url, "--token-file", file]);
    fails(&status(&url, wrong.to_str().unwrap()), 1, "token");
    fails(&status(&url, "/no/such/file"), 2, "/no/such/file");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = status(&format!("http://{free}"), gatekeeper.token_file().to_str().unwrap());
    fails(&nobody, 1, &free.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn run_refuses_a_bad_configuration_before_it_listens() {
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("gatekeeper.toml");
    let path = file.to_str().unwrap();
    fails(&alone(&["run", "--config", path]), 2, "gatekeeper.toml");
    let good = Config::http(&[("a", "http://127.0.0.1:1")]).text();
    std::fs::write(&file, good.replace("primary = \"a\"", "primary = \"zz\"").replace("[health]", "[helth]"))
        .unwrap();
    let output = alone(&["run", "--config", path]);
    fails(&output, 2, "zz");
    fails(&output, 2, "helth");
    assert!(!text(&output.stdout).contains("ready"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_counted_and_those_named_that_cannot_fail_over() {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &["--users", "2"]));
    let gatekeeper = Gatekeeper::ready(Config::twinned(&[&a, &b])).await;
    gatekeeper.wait_up("b", "identity", true).await;
    assert_eq!(gatekeeper.succeed(&["sessions"]), "no sessions\n");
    let http = gatekeeper.h1();
    for user in ["user1", "user3"] {
        http.send(password_grant(user, &format!("{user}-password"))).await.unwrap().expect(200);
    }
    let report =
        || serde_json::from_str::<serde_json::Value>(&gatekeeper.succeed(&["sessions", "--json"])).unwrap();
    until("no twin is pending", async || !report()["counts"].to_string().contains("pending")).await;
    let counts = report()["counts"].clone();
    let of = |twin: &str| counts.as_array().unwrap().iter().find(|c| c["twin"] == twin).cloned().unwrap();
    for twin in ["ready", "refused"] {
        assert_eq!(
            (&of(twin)["site"], &of(twin)["home"], &of(twin)["sessions"]),
            (&json!("hq"), &json!("a"), &json!(1))
        );
    }
    let stuck = &report()["cannot_fail_over"];
    assert_eq!(
        (stuck.as_array().unwrap().len(), &stuck[0]["user"], &stuck[0]["reason"]),
        (1, &json!("user3"), &json!("refused"))
    );
    let screen = gatekeeper.succeed(&["sessions"]);
    assert!(screen.contains("user3") && screen.contains("does not accept"), "{screen}");
}
