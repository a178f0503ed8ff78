//! A simulated instance as a process of its own, and its control API.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::client::{Http, Reply, call, get};
use super::pki::Ca;
use super::process::Process;

pub struct Sim {
    pub name: String,
    process: Process,
    args: Vec<String>,
    dir: TempDir,
    ca: Ca,
    tls: bool,
    address: std::net::SocketAddr,
}

/// The simulator's binary lies beside the gatekeeper's.
pub fn binary() -> PathBuf {
    let path = Path::new(super::gatekeeper::BINARY).with_file_name("xprotect-sim");
    let how = if cfg!(debug_assertions) { "" } else { " --release" };
    assert!(path.exists(), "{path:?} is missing; build it with: cargo build --workspace{how}");
    path
}

impl Sim {
    /// An instance of the site with seed 1, over TLS.
    #[track_caller]
    pub fn start(name: &str, options: &[&str]) -> Self {
        Self::launch(name, options, true)
    }

    /// The same without TLS.
    #[track_caller]
    pub fn plain(name: &str, options: &[&str]) -> Self {
        Self::launch(name, options, false)
    }

    #[track_caller]
    fn launch(name: &str, options: &[&str], tls: bool) -> Self {
        let dir = TempDir::new().unwrap();
        let ca = Ca::new();
        ca.write(dir.path());
        let mut args: Vec<String> = ["--name", name, "--control", "127.0.0.1:0"].map(String::from).into();
        if !options.contains(&"--seed") {
            args.extend(["--seed".into(), "1".into()]);
        }
        args.extend(options.iter().map(|o| (*o).to_owned()));
        if tls {
            let files = ca.issue(dir.path(), "server", &["127.0.0.1", "localhost"]);
            let path = |p: &Path| p.to_str().unwrap().to_owned();
            args.extend(["--tls-cert".into(), path(&files.chain), "--tls-key".into(), path(&files.key)]);
        }
        let process = spawn(name, &args, "127.0.0.1:0");
        let address = process.address("listener");
        Self { name: name.into(), process, args, dir, ca, tls, address }
    }

    pub const fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.address)
    }

    pub fn ca_file(&self) -> Option<PathBuf> {
        self.tls.then(|| self.dir.path().join("ca.pem"))
    }

    /// A client that goes to the instance directly.
    pub fn http(&self) -> Http {
        let tls = self.tls.then(|| self.ca.client(&["http/1.1"]));
        Http { address: self.address, host: self.address.to_string(), tls, h2: false, from: None }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// The same instance again: same name, seed and port.
    pub fn restart(&mut self) {
        self.process = spawn(&self.name, &self.args, &self.address.to_string());
    }

    async fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Reply {
        let address = self.process.address("control");
        let http = Http { address, host: address.to_string(), tls: None, h2: false, from: None };
        let call = body.map_or_else(|| call(method, path), |b| call(method, path).json(b));
        http.send(call).await.unwrap()
    }

    async fn read(&self, path: &str) -> Value {
        let reply = self.control("GET", path, None).await.expect(200);
        reply.json()
    }

    /// Starts a fault and gives the control API's answer.
    pub async fn try_fault(&self, fault: &Value) -> Reply {
        self.control("POST", "/faults", Some(fault)).await
    }

    pub async fn fault(&self, service: &str, mode: &str) {
        let reply = self.try_fault(&json!({ "service": service, "mode": mode })).await;
        assert!((200..300).contains(&reply.status), "fault {mode}: {} {}", reply.status, reply.text());
    }

    /// Ends all faults.
    pub async fn heal(&self) {
        let reply = self.control("DELETE", "/faults", None).await;
        assert!((200..300).contains(&reply.status), "{}", reply.text());
    }

    /// Accepted changes of objects.
    pub async fn writes(&self) -> Vec<Value> {
        list(self.read("/writes").await)
    }

    /// Everything that arrived, as the control API prints it (raw heads included).
    pub async fn requests(&self) -> Vec<Value> {
        list(self.read("/requests?since=0").await)
    }

    /// Requests whose record mentions `needle`.
    pub async fn requests_with(&self, needle: &str) -> usize {
        self.requests().await.iter().filter(|r| r.to_string().contains(needle)).count()
    }

    /// The oracle of events.
    pub async fn events(&self) -> Vec<Value> {
        list(self.read("/events?since=0").await)
    }

    pub async fn state(&self) -> Value {
        self.read("/state").await
    }

    /// A physical event for the camera with this index.
    pub async fn emit(&self, event: &Value) {
        let reply = self.control("POST", "/events", Some(event)).await;
        assert!((200..300).contains(&reply.status), "{}", reply.text());
    }
}

fn spawn(name: &str, args: &[String], listen: &str) -> Process {
    let mut command = Command::new(binary());
    Process::start(&format!("simulator {name}"), command.args(args).args(["--listen", listen]))
        .unwrap_or_else(|e| panic!("simulator {name} ended with {:?}:\n{}", e.code, e.log))
}

/// The list itself, or the one list inside an object.
fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list,
        Value::Object(map) => map.into_iter().find_map(|(_, v)| v.as_array().cloned()).unwrap_or_default(),
        other => panic!("neither list nor object: {other}"),
    }
}

/// Whether an instance can be reached at all.
pub async fn alive(sim: &Sim) -> bool {
    sim.http().send(get("/API/.well-known/uris")).await.is_ok_and(|r| r.status == 200)
}
