//! The admin plane over a real loopback socket, with a real supervisor whose instances do not exist.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::*;
use crate::config::types::{AdminRole, AdminUser, Config};
use crate::health::Monitor;
use crate::health::supervisor;
use crate::sync::links::Links;
use crate::sync::worker;
use crate::testing::config;
use crate::upstream::connect::Target;

/// A running admin plane.
struct Plane {
    address: SocketAddr,
    state: AdminState,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
    dir: tempfile::TempDir,
}

fn with_users(dir: &Path) -> Config {
    let mut config = config("hq", &["a", "b"]);
    // Nobody listens at the instances; yet nothing may go down by itself while a test looks.
    config.health.fall = u32::MAX;
    config.admin.token_file = dir.join("admin.token");
    config.admin.hosts = vec!["gate.example".to_owned()];
    let roles = [("eye", AdminRole::Viewer), ("anna", AdminRole::Operator), ("judge", AdminRole::Approver)];
    for (name, role) in roles {
        let token_file = dir.join(name);
        std::fs::write(&token_file, token(name)).unwrap();
        std::fs::set_permissions(&token_file, std::fs::Permissions::from_mode(0o600)).unwrap();
        config.admin.users.push(AdminUser { name: name.to_owned(), role, token_file });
    }
    config
}

fn token(name: &str) -> String {
    format!("{name}-token-0123456789-0123456789")
}

impl Plane {
    async fn start() -> Self {
        Self::start_with(None).await
    }

    async fn start_with(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = Arc::new(with_users(dir.path()));
        let store = Arc::new(Store::open(&dir.path().join("state")).unwrap());
        let monitors = config.instances.iter().map(|i| Arc::new(Monitor::new(&*i.name))).collect();
        let targets =
            config.instances.iter().map(|i| Arc::new(Target::new(i, &config.upstream).unwrap())).collect();
        let users = Users::load(&config.admin).unwrap();
        let (supervisor, _) =
            supervisor::start(config, monitors, targets, store.overrides(), Box::new(|_| {}));
        let metrics = Arc::new(Metrics::new().unwrap());
        let known = supervisor.watch().borrow().config.clone();
        let links = Links::load(store.clone(), known, metrics.clone()).await.unwrap();
        let nowhere = Arc::new(|_: &str| None);
        let (sync, _) =
            worker::start(Arc::new(links), store.clone(), supervisor.watch(), nowhere, metrics.clone());
        let state =
            AdminState::new(supervisor, store, sync, metrics, users).with_sessions(Arc::new(some_sessions));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, tls, state.clone(), async {
            let _ = stopped.await;
        }));
        Self { address, state, stop, task, dir }
    }

    /// Sends a request as written and returns status and body.
    async fn raw(&self, request: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    async fn get(&self, path: &str, user: &str) -> (u16, Value) {
        let token = token(user);
        let (status, body) = self
            .raw(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"))
            .await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    async fn post(&self, path: &str, user: &str, body: Value) -> (u16, Value) {
        self.post_as(path, user, "application/json", &body.to_string()).await
    }

    async fn post_as(&self, path: &str, user: &str, kind: &str, body: &str) -> (u16, Value) {
        let (token, length) = (token(user), body.len());
        let (status, body) = self
            .raw(&format!(
                "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            ))
            .await;
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    async fn audit_entries(&self) -> i64 {
        self.state.store.verify_audit().await.unwrap().unwrap().seq
    }
}

#[tokio::test]
async fn open_paths_need_no_token_but_a_good_host() {
    let plane = Plane::start().await;
    let get =
        |path: &str, host: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    assert_eq!(plane.raw(&get("/healthz", "localhost")).await, (200, "ok\n".to_owned()));
    let (status, body) = plane.raw(&get("/readyz", "127.0.0.1:9180")).await;
    assert_eq!(status, 503, "nothing was probed");
    assert!(body.contains("identity"), "{body}");
    let (status, body) = plane.raw(&get("/metrics", "gate.example")).await;
    assert_eq!(status, 200);
    assert!(body.contains("gatekeeper_build_info"), "{body}");
    for path in ["/healthz", "/metrics", "/v1/status"] {
        assert_eq!(plane.raw(&get(path, "evil.example")).await.0, 421, "{path}");
    }
    assert_eq!(plane.raw(&get("/v1/status", "localhost")).await.0, 401);
    assert_eq!(plane.raw(&get("/v1/status?token=x", "localhost")).await.0, 401);
}

#[tokio::test]
async fn every_refusal_has_the_same_shape() {
    let plane = Plane::start().await;
    let order = json!({"instance": "a", "reason": "x"});
    let large = json!({"instance": "a", "reason": "x".repeat(20_000)}).to_string();
    let refused = [
        (plane.get("/v1/status", "nobody").await, 401, "unauthorized"),
        (plane.get("/v1/nothing", "eye").await, 404, "not-found"),
        (plane.get("/v1/drain", "anna").await, 405, "method-not-allowed"),
        (plane.post("/v1/drain", "eye", order.clone()).await, 403, "role-too-low"),
        (plane.post("/v1/drain", "judge", order.clone()).await, 403, "role-too-low"),
        (plane.post_as("/v1/drain", "anna", "text/plain", &order.to_string()).await, 415, "content-type"),
        (plane.post_as("/v1/drain", "anna", "application/json", "{").await, 400, "bad-request"),
        (plane.post_as("/v1/drain", "anna", "application/json", &large).await, 413, "too-large"),
        (plane.post("/v1/drain", "anna", json!({"instance": "a"})).await, 400, "bad-request"),
        (plane.post("/v1/drain", "anna", json!({"instance": "a", "reason": " "})).await, 400, "bad-request"),
        (
            plane.post("/v1/drain", "anna", json!({"instance": "a", "reason": "a\nb"})).await,
            400,
            "bad-request",
        ),
        (
            plane.post("/v1/drain", "anna", json!({"instance": "c", "reason": "x"})).await,
            404,
            "unknown-instance",
        ),
        (plane.post("/v1/release", "anna", json!({"reason": "x"})).await, 400, "bad-request"),
        (
            plane.post("/v1/release", "anna", json!({"instance": "a", "all": true, "reason": "x"})).await,
            400,
            "bad-request",
        ),
        (
            plane.post("/v1/release", "anna", json!({"instance": "c", "reason": "x"})).await,
            404,
            "unknown-instance",
        ),
        (plane.post("/v1/failback", "anna", json!({"site": "x", "reason": "x"})).await, 404, "unknown-site"),
        (
            plane.post("/v1/failback", "anna", json!({"service": "x", "reason": "x"})).await,
            404,
            "unknown-service",
        ),
    ];
    for ((status, body), expected, code) in refused {
        assert_eq!((status, body["error"]["code"].as_str()), (expected, Some(code)), "{body}");
        assert!(body["error"]["message"].is_string() && body["error"]["remedy"].is_string(), "{body}");
    }
    assert_eq!(plane.audit_entries().await, 0, "nothing was ordered");
    assert!(plane.state.store.overrides().is_empty());
}

#[tokio::test]
async fn a_drain_moves_services_and_is_remembered() {
    let plane = Plane::start().await;
    let (status, answer) =
        plane.post("/v1/drain", "anna", json!({"instance": "a", "reason": "updates"})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["moved"].as_array().unwrap().len(), 5);
    assert_eq!(answer["moved"][0], json!({"site": "hq", "service": "identity", "from": "a", "to": "b"}));
    assert_eq!(plane.state.store.overrides()[0].by, "anna");
    assert_eq!(plane.audit_entries().await, 1);

    let (_, seen) = plane.get("/v1/status", "anna").await;
    let config = &seen["sites"][0]["services"][1];
    assert_eq!((config["serving"].as_str(), config["reason"].as_str()), (Some("b"), Some("drained")));
    assert_eq!(config["candidates"][0]["why"], "drained by an operator");
    assert_eq!(seen["overrides"][0]["reason"], "updates");

    let (status, answer) = plane.post("/v1/drain", "anna", json!({"instance": "b", "reason": "too"})).await;
    assert_eq!(status, 200);
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 5, "{answer}");

    let (status, answer) = plane.post("/v1/release", "anna", json!({"all": true, "reason": "done"})).await;
    assert_eq!((status, answer["released"].as_array().unwrap().len()), (200, 2), "{answer}");
    assert_eq!(answer["moved"][0]["to"], "a");
    assert!(plane.state.store.overrides().is_empty());
    assert_eq!(plane.audit_entries().await, 4);
}

#[tokio::test]
async fn a_failback_to_an_instance_that_is_not_proven_is_refused_and_audited() {
    let plane = Plane::start().await;
    let (status, answer) = plane.post("/v1/failback", "anna", json!({"reason": "home"})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["services"][0]["result"], "at-home");
    plane.post("/v1/drain", "anna", json!({"instance": "a", "reason": "x"})).await;
    let (status, answer) = plane
        .post("/v1/failback", "anna", json!({"site": "hq", "service": "config", "reason": "home"}))
        .await;
    assert_eq!((status, answer["error"]["code"].as_str()), (409, Some("not-ready")), "{answer}");
    assert_eq!(plane.audit_entries().await, 4, "failback, drain, failback, failback-refused");
}

#[tokio::test]
async fn a_viewer_sees_no_people() {
    let plane = Plane::start().await;
    plane.post("/v1/drain", "anna", json!({"instance": "a", "reason": "Otto asked"})).await;
    let (status, seen) = plane.get("/v1/status", "eye").await;
    assert_eq!(status, 200);
    let text = seen.to_string();
    assert!(!text.contains("anna") && !text.contains("Otto"), "{text}");
    assert_eq!(seen["overrides"][0]["kind"], "drain");
    assert_eq!(plane.get("/v1/status", "judge").await.1["overrides"][0]["by"], "anna");
}

fn some_sessions() -> SessionReport {
    let count = SessionCount { site: "hq".into(), home: Some("a".into()), twin: "refused", sessions: 2 };
    let stuck = StuckUser { site: "hq".into(), user: "paula".into(), reason: "refused", text: "not there" };
    SessionReport { counts: vec![count], stuck: vec![stuck] }
}

#[tokio::test]
async fn sessions_are_for_everybody_their_users_are_not() {
    let plane = Plane::start().await;
    let (status, seen) = plane.get("/v1/sessions", "anna").await;
    assert_eq!((status, &seen["sessions"], &seen["counts"][0]["home"]), (200, &json!(2), &json!("a")));
    assert_eq!(seen["cannot_fail_over"][0]["user"], "paula");
    let (_, seen) = plane.get("/v1/sessions", "eye").await;
    assert_eq!(seen["users_that_cannot_fail_over"], 1);
    assert!(!seen.to_string().contains("paula"), "{seen}");
}

#[tokio::test]
async fn status_says_everything_once() {
    let plane = Plane::start().await;
    plane.state.reload_report.store(Arc::new(ReloadReport::failed(vec!["line 1: what".to_owned()])));
    let (_, seen) = plane.get("/v1/status", "anna").await;
    for key in [
        "version",
        "since",
        "config_file",
        "reload",
        "sites",
        "instances",
        "overrides",
        "warnings",
        "connections",
    ] {
        assert!(seen.get(key).is_some(), "{key} is missing in {seen}");
    }
    assert_eq!(seen["reload"]["complaints"][0], "line 1: what");
    assert_eq!(seen["instances"][0]["url"], "http://127.0.0.1:1");
    let service = &seen["sites"][0]["services"][0];
    assert_eq!(service["failback"]["mode"], "after-stable");
    assert_eq!(service["candidates"][1]["why"], "standby");
}

#[tokio::test]
async fn tokens_are_read_again_at_a_reload() {
    let plane = Plane::start().await;
    assert_eq!(plane.get("/v1/status", "anna").await.0, 200);
    let config = with_users(plane.dir.path());
    std::fs::write(plane.dir.path().join("anna"), token("replaced")).unwrap();
    plane.state.users.store(Arc::new(Users::load(&config.admin).unwrap()));
    assert_eq!(plane.get("/v1/status", "anna").await.0, 401);
    assert_eq!(plane.get("/v1/status", "replaced").await.0, 200);
}

#[tokio::test]
async fn an_order_that_cannot_be_written_changes_nothing() {
    let plane = Plane::start().await;
    let file = plane.dir.path().join("state/state.db");
    rusqlite::Connection::open(file).unwrap().execute_batch("DROP TABLE audit").unwrap();
    let (status, answer) = plane.post("/v1/drain", "anna", json!({"instance": "a", "reason": "x"})).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (500, Some("state-not-written")), "{answer}");
    let (_, seen) = plane.get("/v1/status", "anna").await;
    assert_eq!(seen["sites"][0]["services"][0]["serving"], "a");
}

#[tokio::test]
async fn the_metrics_listener_has_nothing_to_order() {
    let mut plane = Plane::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    plane.address = listener.local_addr().unwrap();
    tokio::spawn(serve_metrics(listener, plane.state.clone(), std::future::pending()));
    let get =
        |path: &str| format!("GET {path} HTTP/1.1\r\nHost: scrape.example\r\nConnection: close\r\n\r\n");
    assert_eq!(plane.raw(&get("/metrics")).await.0, 200);
    assert_eq!(plane.raw(&get("/healthz")).await.0, 200);
    assert_eq!(plane.raw(&get("/readyz")).await.0, 503);
    assert_eq!(plane.get("/v1/status", "anna").await.0, 404);
    assert_eq!(plane.post("/v1/drain", "anna", json!({})).await.0, 404);
}

#[tokio::test]
async fn it_stops_although_a_client_stays_connected() {
    let plane = Plane::start().await;
    let mut idle = TcpStream::connect(plane.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    plane.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(5), plane.task).await.unwrap().unwrap();
}

/// Runs `gatekeeper ARGS` against the plane, as its user `anna` unless ARGS say otherwise.
async fn command(plane: &Plane, args: &[&str]) -> ExitCode {
    let admin = format!("http://{}", plane.address);
    let token = plane.dir.path().join("anna").display().to_string();
    let mut line = vec!["gatekeeper".to_owned()];
    line.extend(args.iter().map(|a| (*a).to_owned()));
    line.extend(["--admin".to_owned(), admin]);
    if !args.contains(&"--token-file") {
        line.extend(["--token-file".to_owned(), token]);
    }
    let run = move || crate::cli::run_from(line.into_iter().map(Into::into));
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test]
async fn the_command_line_speaks_to_it() {
    let plane = Plane::start().await;
    let viewer = plane.dir.path().join("eye").display().to_string();
    let wrong = plane.dir.path().join("wrong");
    std::fs::write(&wrong, "some-other-token").unwrap();
    let wrong = wrong.display().to_string();
    for (args, code) in [
        (vec!["status"], 0),
        (vec!["status", "--json"], 0),
        (vec!["failback", "--reason", "is at home", "--json"], 0),
        (vec!["status", "--token-file", &viewer], 0),
        (vec!["status", "--token-file", &wrong], 1),
        (vec!["status", "--token-file", "/nowhere/token"], 2),
        (vec!["drain", "a"], 2),
        (vec!["drain", "a", "--reason", "updates"], 0),
        (vec!["drain", "c", "--reason", "typo"], 1),
        (vec!["drain", "b", "--reason", "no", "--token-file", &viewer], 1),
        (vec!["failback", "hq", "config", "--reason", "too early"], 1),
        (vec!["release", "a", "--reason", "done"], 0),
        (vec!["release", "--all", "--reason", "nothing left", "--json"], 0),
        (vec!["failback", "hq", "--reason", "not proven yet", "--json"], 1),
    ] {
        assert_eq!(command(&plane, &args).await, ExitCode::from(code), "{args:?}");
    }
    assert!(plane.state.store.overrides().is_empty());
}

#[tokio::test]
async fn over_https_the_certificate_is_checked() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let tls =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
    let plane = Plane::start_with(Some(Arc::new(tls))).await;
    let ca = plane.dir.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let ca = ca.display().to_string();
    let url = format!("https://localhost:{}", plane.address.port());
    let by_address = format!("https://{}", plane.address);
    let ask = async |url: &str, ca: Option<&str>| {
        let token = plane.dir.path().join("anna").display().to_string();
        let mut line = vec!["gatekeeper", "status", "--admin", url, "--token-file", &token];
        line.extend(ca.iter().flat_map(|ca| ["--ca", ca]));
        let line: Vec<std::ffi::OsString> = line.into_iter().map(Into::into).collect();
        tokio::task::spawn_blocking(move || crate::cli::run_from(line)).await.unwrap()
    };
    assert_eq!(ask(&url, Some(&ca)).await, ExitCode::from(0));
    assert_eq!(ask(&by_address, Some(&ca)).await, ExitCode::from(1), "not in the certificate");
    assert_ne!(ask(&url, None).await, ExitCode::from(0), "unknown CA");
}
