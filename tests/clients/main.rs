//! Clients that nobody here wrote: curl, and Python with `requests` and `websockets`. Each works against the simulator
//! alone, through the gatekeeper, and across a kill of the primary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::{fs, thread};

use serde_json::Value;
use support::PATIENCE;
use support::config::Config;
use support::gatekeeper::{Gatekeeper, text};
use support::sim::Sim;

/// Where a client finds its VMS and whom it trusts.
struct Target {
    url: String,
    ca: PathBuf,
}

impl Target {
    fn sim(sim: &Sim) -> Self {
        Self { url: sim.url(), ca: sim.ca_file().unwrap() }
    }

    fn gatekeeper(gatekeeper: &Gatekeeper) -> Self {
        let ca = gatekeeper.ca.write(gatekeeper.dir.path());
        Self { url: format!("https://{}", gatekeeper.listener()), ca }
    }
}

async fn pair() -> (Sim, Sim, Gatekeeper) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    for service in ["identity", "config", "events"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    (a, b, gatekeeper)
}

/// One call of curl: status and JSON body.
struct Curl<'a> {
    target: &'a Target,
    version: &'static str,
    token: Option<String>,
}

impl Curl<'_> {
    fn call(&self, method: &str, path: &str, data: Option<&str>) -> (u16, Value) {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--max-time",
            "20",
            self.version,
            "-X",
            method,
            "-w",
            "\n%{http_code} %{http_version}",
        ]);
        curl.arg("--cacert").arg(&self.target.ca);
        if let Some(token) = &self.token {
            curl.args(["-H", &format!("Authorization: Bearer {token}")]);
            if data.is_some() {
                curl.args(["-H", "Content-Type: application/json"]);
            }
        }
        if let Some(data) = data {
            curl.args(["-d", data]);
        }
        let output = curl.arg(format!("{}{path}", self.target.url)).output();
        let output = output.unwrap_or_else(|e| panic!("curl: {e}; install it with: apt-get install curl"));
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "curl {} {method} {path}: {err}", self.version);
        let (body, trailer) = out.rsplit_once('\n').unwrap();
        let (status, version) = trailer.split_once(' ').unwrap();
        let wanted = if self.version == "--http2" { "2" } else { "1.1" };
        assert_eq!(version, wanted, "the protocol that was spoken");
        let body = serde_json::from_str(body).unwrap_or_else(|e| panic!("{e}: {body}"));
        (status.parse().unwrap(), body)
    }

    fn log_in(&mut self) {
        self.token = None;
        let form =
            "grant_type=password&username=admin&password=admin-password&client_id=GrantValidatorClient";
        let (status, body) = self.call("POST", "/API/IDP/connect/token", Some(form));
        assert_eq!(status, 200, "{body}");
        self.token = Some(body["access_token"].as_str().unwrap().to_owned());
    }

    fn day(&mut self) {
        const EVENTS: &str = "/API/rest/v1/userDefinedEvents";
        self.log_in();
        let (status, cameras) = self.call("GET", "/API/rest/v1/cameras?disabled", None);
        assert_eq!((status, cameras["array"].as_array().map(Vec::len)), (200, Some(50)));
        let (status, created) = self.call("POST", EVENTS, Some(r#"{"name":"made by curl"}"#));
        assert_eq!(status, 201, "{created}");
        let item = format!("{EVENTS}/{}", created["result"]["id"].as_str().unwrap());
        assert_eq!(self.call("GET", &item, None).1["data"]["name"], "made by curl");
        let (status, changed) = self.call("PATCH", &item, Some(r#"{"name":"changed"}"#));
        assert_eq!((status, changed["data"]["name"].as_str()), (200, Some("changed")));
        assert_eq!(self.call("DELETE", &item, None).0, 200);
        assert_eq!(self.call("GET", &item, None).0, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_and_the_simulator_alone() {
    let a = Sim::start("a", &[]);
    let target = Target::sim(&a);
    Curl { target: &target, version: "--http1.1", token: None }.day();
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_through_the_gatekeeper() {
    let (_a, _b, gatekeeper) = pair().await;
    let target = Target::gatekeeper(&gatekeeper);
    for version in ["--http1.1", "--http2"] {
        Curl { target: &target, version, token: None }.day();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_across_a_kill() {
    let (mut a, _b, gatekeeper) = pair().await;
    let target = Target::gatekeeper(&gatekeeper);
    let mut curl = Curl { target: &target, version: "--http2", token: None };
    curl.day();
    a.kill();
    let (status, body) = curl.call("GET", "/API/rest/v1/cameras?disabled", None);
    assert_eq!(status, 401, "{body}");
    // The next login is good at once: nothing has to be waited for.
    curl.day();
}

/// curl speaks NTLMv2 by itself. It offers HTTP/2, is told that this needs HTTP/1.1, and comes again.
#[tokio::test(flavor = "multi_thread")]
async fn curl_logs_in_as_a_windows_user() {
    let (mut a, _b, gatekeeper) = pair().await;
    let target = Target::gatekeeper(&gatekeeper);
    let log_in = |password: &str| {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "20", "-w", "\n%{http_code} %{http_version}", "--ntlm", "-u"]);
        curl.arg(format!("VMS\\win1:{password}")).arg("--cacert").arg(&target.ca);
        curl.args(["-d", "grant_type=windows_credentials&client_id=GrantValidatorClient"]);
        let output = curl.arg(format!("{}/IDP/connect/token", target.url)).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    for kill in [false, true] {
        if kill {
            a.kill();
        }
        let answer = log_in("win1-password");
        assert!(answer.contains("access_token") && answer.ends_with("\n200 1.1"), "{answer}");
        let answer = log_in("wrong");
        assert!(answer.ends_with("\n401 1.1"), "{answer}");
    }
}

/// The interpreter of a virtual environment with the pinned packages, made once under `target/`.
fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
        let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients-venv");
        let wanted = fs::read_to_string(here.join("requirements.txt")).unwrap();
        let (stamp, python) = (venv.join("installed.txt"), venv.join("bin/python"));
        if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
            return python;
        }
        let _ = fs::remove_dir_all(&venv);
        let run = |command: &mut Command, help: &str| {
            let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}\n{help}"));
            let (out, err) = (text(&output.stdout), text(&output.stderr));
            assert!(output.status.success(), "{command:?}\n{out}{err}\n{help}");
        };
        let install = "install Python with: apt-get install python3 python3-venv";
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv), install);
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
        run(pip.arg(here.join("requirements.txt")), "pip needs PyPI once");
        fs::write(stamp, wanted).unwrap();
        python
    })
}

fn script(mode: &str, target: &Target) -> Command {
    let mut command = Command::new(python());
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/client.py"));
    command.args([mode, &target.url]).arg(&target.ca);
    command
}

fn python_day(target: &Target) {
    let output = script("day", target).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn python_and_the_simulator_alone() {
    let a = Sim::start("a", &[]);
    python_day(&Target::sim(&a));
}

#[tokio::test(flavor = "multi_thread")]
async fn python_through_the_gatekeeper() {
    let (_a, _b, gatekeeper) = pair().await;
    python_day(&Target::gatekeeper(&gatekeeper));
}

#[tokio::test(flavor = "multi_thread")]
async fn python_across_a_kill() {
    let (mut a, _b, gatekeeper) = pair().await;
    let mut command = script("across", &Target::gatekeeper(&gatekeeper));
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
    assert_eq!(report["logins"], 2, "one login more, no other disturbance: {report}");
    assert!(report["sockets"].as_u64() >= Some(2), "{report}");
}
