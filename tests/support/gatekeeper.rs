//! The gatekeeper under test, in a directory of its own.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::client::{Http, Reply, get};
use super::config::{ADMIN_PASSWORD, Config};
use super::pki::Ca;
use super::process::{Ended, Process};
use super::{eventually, until};

pub const BINARY: &str = env!("CARGO_BIN_EXE_gatekeeper");

pub struct Gatekeeper {
    pub process: Process,
    pub dir: TempDir,
    pub ca: Ca,
    pub config: Config,
}

impl Gatekeeper {
    /// Starts it with a certificate for the names of all sites and waits for the `ready` line.
    #[track_caller]
    pub fn start(config: Config) -> Self {
        Self::try_start(config).unwrap_or_else(|e| panic!("gatekeeper ended with {:?}:\n{}", e.code, e.log))
    }

    pub fn try_start(config: Config) -> Result<Self, Ended> {
        Self::start_by(Command::new(BINARY), config)
    }

    /// Starts it with at most so many file descriptors.
    #[track_caller]
    pub fn with_files(most: u32, config: Config) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\""), BINARY]);
        Self::start_by(command, config).unwrap_or_else(|e| panic!("ended with {:?}:\n{}", e.code, e.log))
    }

    /// Starts it so that it logs everything there is.
    #[track_caller]
    pub fn talkative(config: Config) -> Self {
        let mut command = Command::new(BINARY);
        command.env("GATEKEEPER_LOG", "trace");
        Self::start_by(command, config).unwrap_or_else(|e| panic!("ended with {:?}:\n{}", e.code, e.log))
    }

    fn start_by(command: Command, config: Config) -> Result<Self, Ended> {
        let dir = TempDir::new().unwrap();
        let ca = Ca::new();
        let mut names: Vec<&str> = config.sites.iter().flat_map(|s| &s.hosts).map(String::as_str).collect();
        names.extend(["vms.test", "localhost"]);
        names.retain(|n| *n != "*");
        names.sort_unstable();
        names.dedup();
        let files = ca.issue(dir.path(), "server", &names);
        let config = Config { certificate: config.certificate.clone().or(Some(files)), ..config };
        let text = config.text();
        if text.contains(ADMIN_PASSWORD) {
            fs::write(dir.path().join(ADMIN_PASSWORD), "admin-password\n").unwrap();
        }
        fs::write(dir.path().join("gatekeeper.toml"), text).unwrap();
        let process = Self::spawn(command, &dir)?;
        Ok(Self { process, dir, ca, config })
    }

    fn spawn(mut command: Command, dir: &TempDir) -> Result<Process, Ended> {
        let file = dir.path().join("gatekeeper.toml");
        Process::start("gatekeeper", command.arg("run").arg("--config").arg(file).current_dir(dir))
    }

    /// Starts it and waits until every essential service is served.
    pub async fn ready(config: Config) -> Self {
        let gatekeeper = Self::start(config);
        gatekeeper.wait_ready().await;
        gatekeeper
    }

    pub async fn wait_ready(&self) {
        until("/readyz is 200", async || self.open("/readyz").await.status == 200).await;
    }

    /// Ends it (`TERM` or `KILL`) and starts it again with the same directory.
    #[track_caller]
    pub fn restart(&mut self, signal: &str) {
        self.process.signal(signal);
        self.process.exit(super::PATIENCE);
        self.process = Self::spawn(Command::new(BINARY), &self.dir).unwrap_or_else(|e| panic!("{}", e.log));
    }

    /// Replaces the configuration file; nothing is signalled.
    pub fn rewrite(&mut self, config: Config) {
        self.config = Config { certificate: self.config.certificate.clone(), ..config };
        self.rewrite_text(&self.config.text());
    }

    pub fn rewrite_text(&self, text: &str) {
        let new = self.dir.path().join("gatekeeper.toml.new");
        fs::write(&new, text).unwrap();
        fs::rename(new, self.dir.path().join("gatekeeper.toml")).unwrap();
    }

    pub fn listener(&self) -> SocketAddr {
        self.process.address("listener")
    }

    /// A client of `vms.test` over TLS and HTTP/1.1.
    pub fn h1(&self) -> Http {
        let tls = Some(self.ca.client(&["http/1.1"]));
        Http { address: self.listener(), host: "vms.test".into(), tls, h2: false, from: None }
    }

    /// The same over HTTP/2.
    pub fn h2(&self) -> Http {
        Http { tls: Some(self.ca.client(&["h2"])), h2: true, ..self.h1() }
    }

    /// The plain listener.
    pub fn plain(&self) -> Http {
        Http {
            address: self.process.address("plain"),
            host: "vms.test".into(),
            tls: None,
            h2: false,
            from: None,
        }
    }

    pub fn admin(&self) -> Http {
        let address = self.process.address("admin");
        Http { address, host: address.to_string(), tls: None, h2: false, from: None }
    }

    pub fn token_file(&self) -> PathBuf {
        self.dir.path().join("state/admin.token")
    }

    pub fn token(&self) -> String {
        fs::read_to_string(self.token_file()).unwrap().trim().to_owned()
    }

    /// A request to the admin API as the local administrator.
    pub async fn status(&self) -> Value {
        self.admin().send(get("/v1/status").bearer(&self.token())).await.unwrap().expect(200).json()
    }

    /// A request to the listener for scrapers.
    pub async fn open(&self, path: &str) -> Reply {
        let address = self.process.address("metrics");
        let http = Http { address, host: address.to_string(), tls: None, h2: false, from: None };
        http.send(get(path)).await.unwrap()
    }

    /// Every sample of one metric with these labels; histogram parts by their own names.
    pub async fn samples(&self, name: &str, labels: &[(&str, &str)]) -> Vec<(HashMap<String, String>, f64)> {
        let text = self.open("/metrics").await.expect(200);
        let parsed = text.text().lines().filter_map(parse_sample).filter(|(n, ..)| n == name);
        let wanted =
            |l: &HashMap<String, String>| labels.iter().all(|(k, v)| l.get(*k).is_some_and(|x| x == v));
        parsed.map(|(_, l, v)| (l, v)).filter(|(l, _)| wanted(l)).collect()
    }

    /// The sum of all samples of one metric with these labels.
    pub async fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples(name, labels).await.iter().map(|(_, v)| v).sum()
    }

    /// Which instance serves now, from `gatekeeper_serving`.
    pub async fn serving(&self, site: &str, service: &str) -> Option<String> {
        let all = self.samples("gatekeeper_serving", &[("site", site), ("service", service)]).await;
        all.into_iter().find(|(_, v)| *v == 1.0).and_then(|(mut l, _)| l.remove("instance"))
    }

    pub async fn wait_serving(&self, service: &str, instance: &str) {
        let what = format!("{service} of hq is served by {instance}");
        until(&what, async || self.serving("hq", service).await.as_deref() == Some(instance)).await;
    }

    /// Waits until health calls `service` of `instance` up, or no longer does: a service that the
    /// instance does not have is not shown at all.
    pub async fn wait_up(&self, instance: &str, service: &str, up: bool) {
        let labels = [("instance", instance), ("service", service)];
        until(&format!("{service} of {instance} up = {up}"), async || {
            up == self.samples("gatekeeper_upstream_up", &labels).await.iter().any(|(_, v)| *v == 1.0)
        })
        .await;
    }

    /// Waits until the objects of all instances were compared.
    pub async fn wait_matched(&self) {
        until("all are matched", async || {
            let shown = self.succeed(&["sync", "links", "--json"]);
            serde_json::from_str::<Value>(&shown).unwrap()["last_run"]["complete"] == true
        })
        .await;
    }

    /// Runs a command of the binary against the admin listener.
    pub fn command(&self, args: &[&str]) -> Output {
        let url = format!("http://{}", self.process.address("admin"));
        Command::new(BINARY)
            .args(args)
            .args(["--admin", &url, "--token-file"])
            .arg(self.token_file())
            .output()
            .unwrap()
    }

    /// The same; fails the test unless it exits with 0. Gives stdout.
    #[track_caller]
    pub fn succeed(&self, args: &[&str]) -> String {
        let output = self.command(args);
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{args:?}\nstdout: {out}\nstderr: {err}");
        out
    }

    /// Waits for a line on stderr that holds all of `words`.
    pub async fn wait_log(&self, words: &[&str]) -> String {
        eventually(&format!("a log line with {words:?}"), async || {
            let log = self.process.log();
            log.lines().find(|l| words.iter().all(|w| l.contains(w))).map(str::to_owned)
        })
        .await
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `name{a="b",c="d"} 1` of the Prometheus text format; our label values hold no quotes or commas.
fn parse_sample(line: &str) -> Option<(String, HashMap<String, String>, f64)> {
    let (series, value) = line.rsplit_once(' ').filter(|_| !line.starts_with('#'))?;
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels = labels.trim_end_matches('}').split(',').filter_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        Some((key.to_owned(), value.trim_matches('"').to_owned()))
    });
    Some((name.to_owned(), labels.collect(), value.parse().ok()?))
}
