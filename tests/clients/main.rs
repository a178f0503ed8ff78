//! Clients that nobody here wrote, against the simulator alone, through the gatekeeper, and across a kill of the primary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod programs;
mod rounds;
mod table;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::{env, fs, thread};

use rounds::{Script, Target};
use serde_json::Value;
use support::PATIENCE;
use support::config::Config;
use support::gatekeeper::Gatekeeper;
use support::sim::Sim;
use table::{Client, Login, Part, Row};

const ADMIN: &str = "admin";
const WINDOWS: &str = "VMS\\win1";
/// A basic user of the role Operators.
const USER: &str = "user1";

const fn plain(
    name: &'static str,
    script: &'static str,
    user: &'static str,
    parts: &'static [Part],
) -> Client {
    Client { name, script, more: &[], user, parts, simulator: &[], site: "", login: Login::Users }
}

static CLIENTS: &[Client] = &[
    Client { more: &["--http1.1"], ..plain("curl, HTTP/1.1", "curl.py", ADMIN, &[Part::Program("curl")]) },
    Client { more: &["--http2"], ..plain("curl, HTTP/2", "curl.py", ADMIN, &[Part::Program("curl")]) },
    Client { more: &["--http1.1"], ..plain("curl --ntlm", "curl.py", WINDOWS, &[Part::Program("curl")]) },
    Client {
        more: &["--http2"],
        ..plain("curl --ntlm, offered HTTP/2", "curl.py", WINDOWS, &[Part::Program("curl")])
    },
    plain(
        "Python requests and websockets",
        "plain.py",
        ADMIN,
        &[Part::Package("requests"), Part::Package("websockets")],
    ),
    plain(
        "Python requests with requests-ntlm",
        "plain.py",
        WINDOWS,
        &[Part::Package("requests_ntlm"), Part::Package("pyspnego")],
    ),
    plain("Python aiohttp", "aio.py", USER, &[Part::Package("aiohttp")]),
    Client {
        login: Login::EveryTime,
        ..plain("authlib, code flow with PKCE", "codeflow.py", USER, &[Part::Package("Authlib")])
    },
    plain("Node fetch and ws", "node.mjs", ADMIN, &[Part::Program("node"), Part::Package("ws")]),
    Client {
        simulator: &["--set", "cors=on"],
        ..plain(
            "Chromium with a page of another origin",
            "browser.mjs",
            USER,
            &[Part::Program("chromium"), Part::Package("playwright-core")],
        )
    },
    plain("milestonexprotectrestpython", "pyr.py", ADMIN, &[Part::Package("milestonexprotectrestPython")]),
    plain(
        "milestonexprotectrestpython, Windows",
        "pyr.py",
        WINDOWS,
        &[Part::Package("milestonexprotectrestPython")],
    ),
    plain("milestonexprotectwspython", "pyw.py", ADMIN, &[Part::Package("milestonexprotectwsPython")]),
    Client {
        // It takes ids of cameras to recorders by itself (design D19).
        site: "ids = \"native\"",
        ..plain(
            "milestonexprotectwspython, Windows",
            "pyw.py",
            WINDOWS,
            &[Part::Package("milestonexprotectwsPython")],
        )
    },
];

/// A site as it comes: sessions have twins, and what is the same on both instances is linked.
async fn pair(options: &[&str], site: &str) -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", options), Sim::start("b", options));
    let config = Config::twinned(&[&a, &b]).with_accounts().in_site(site);
    let gatekeeper = Gatekeeper::ready(config).await;
    for service in ["identity", "config", "events"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    gatekeeper.wait_matched().await;
    (a, b, gatekeeper)
}

async fn run(client: &'static Client) -> Row {
    let alone = Sim::start("a", client.simulator);
    // Recorders are not behind the gatekeeper.
    let recorders = |sims: &[&Sim]| {
        let each = sims.iter().map(|sim| format!("VMS-{}={}", sim.name.to_uppercase(), sim.url()));
        each.collect::<Vec<_>>().join(",")
    };
    let mut command = client.command(&Target::sim(&alone));
    let direct = Script::start(command.env("RECORDERS", recorders(&[&alone]))).round();
    drop(alone);
    let (mut a, b, gatekeeper) = pair(client.simulator, client.site).await;
    let mut command = client.command(&Target::gatekeeper(&gatekeeper));
    let mut script = Script::start(command.env("RECORDERS", recorders(&[&a, &b])));
    let through = script.round();
    a.kill();
    if client.login == Login::EveryTime {
        // A login that begins before the switch is noticed reads the issuer of one instance and gets a token of the
        // other; see the document.
        gatekeeper.wait_serving("identity", "b").await;
    }
    script.again();
    let across = script.round();
    Row { client, direct, through, across }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_works() {
    // For one client only, while something is looked into.
    let only = env::var("CLIENT").unwrap_or_default();
    let mut rows = Vec::new();
    for client in CLIENTS.iter().filter(|client| client.name.contains(&only)) {
        rows.push(run(client).await);
    }
    let complaints: Vec<String> = rows.iter().flat_map(Row::complaints).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    if !only.is_empty() {
        return;
    }
    let file = programs::here().join("../../docs/compatibility.md");
    let new = table::document(&rows);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &new).unwrap();
    }
    let old = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        table::comparable(&old),
        table::comparable(&new),
        "docs/compatibility.md is old; write it anew with UPDATE_DOCS=1 cargo test --test clients"
    );
}

/// Not a round of calls but a client that never stops working.
#[tokio::test(flavor = "multi_thread")]
async fn python_across_a_kill() {
    let (mut a, _b, gatekeeper) = pair(&[], "").await;
    let target = Target::gatekeeper(&gatekeeper);
    let mut command = Command::new(programs::python());
    command.arg(programs::here().join("client.py")).arg(&target.url).arg(&target.ca);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (tell, lines) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let reader = thread::spawn(move || {
        let mut report = None;
        for line in stdout.lines().map_while(Result::ok) {
            match line.strip_prefix("report ") {
                Some(json) => report = Some(serde_json::from_str::<Value>(json).unwrap()),
                None => drop(tell.send(line)),
            }
        }
        report
    });
    let wait = |word: &str| {
        while lines.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("no {word:?}: {e}")) != word {}
    };
    wait("working");
    a.kill();
    wait("recovered");
    child.stdin.take().unwrap().write_all(b"enough\n").unwrap();
    let report = reader.join().unwrap().expect("a report");
    assert!(child.wait().unwrap().success());
    assert_eq!(report["failures"], serde_json::json!([]), "{report}");
    assert_eq!(report["logins"], 1, "its twin took over: {report}");
    assert!(report["sockets"].as_u64() >= Some(2), "{report}");
}
