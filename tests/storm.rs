//! Random faults on both instances while clients work. The seed and the number of rounds come from `STORM_SEED` and
//! `STORM_N` (`just storm SEED N`); without them a small fixed sample runs. A failure names its seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};
use support::client::{Http, get, password_grant};
use support::config::Config;
use support::dice::{Dice, setting};
use support::gatekeeper::Gatekeeper;
use support::sim::Sim;
use tokio::task::JoinSet;

const MODES: [&str; 6] = ["kill", "stop", "page503", "hang", "reset", "slow"];

struct Weather {
    sims: [Sim; 2],
    /// What each instance has received, also in its earlier lives.
    heard: [Vec<Value>; 2],
    dice: Dice,
    story: Vec<String>,
}

impl Weather {
    fn new(seed: u64) -> Self {
        let sims = [Sim::start("a", &[]), Sim::start("b", &[])];
        Self { sims, heard: [Vec::new(), Vec::new()], dice: Dice(seed), story: Vec::new() }
    }

    async fn listen(&mut self, n: usize) {
        let heard = self.sims[n].requests().await;
        self.heard[n].extend(heard);
    }

    /// One fault on one instance, the other is well; then back to a blue sky as the gatekeeper sees it.
    async fn round(&mut self, gatekeeper: &Gatekeeper, services: &[&str]) {
        let n = usize::try_from(self.dice.roll(2)).unwrap();
        let mode = MODES[usize::try_from(self.dice.roll(MODES.len() as u64)).unwrap()];
        let length = Duration::from_millis(200 + self.dice.roll(1500));
        self.story.push(format!("{} {mode} for {length:?}", self.sims[n].name));
        match mode {
            "kill" => {
                self.listen(n).await;
                self.sims[n].kill();
            }
            "slow" => {
                let reply =
                    self.sims[n].try_fault(&json!({"service": "all", "mode": "slow", "ms": 100})).await;
                assert!(reply.status < 300);
            }
            _ => self.sims[n].fault("all", mode).await,
        }
        // This is the length of the fault, not a wait for something.
        tokio::time::sleep(length).await;
        if mode == "kill" {
            self.sims[n].restart();
        } else {
            self.sims[n].heal().await;
        }
        for instance in ["a", "b"] {
            for service in services {
                gatekeeper.wait_up(instance, service, true).await;
            }
        }
    }
}

/// Runs `client` again and again on several tasks until told to stop; collects complaints.
struct Crowd {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    complaints: Arc<Mutex<Vec<String>>>,
    tasks: JoinSet<()>,
}

impl Crowd {
    fn new<F, Fut>(size: usize, client: F) -> Self
    where
        F: Fn(usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = Result<(), String>> + Send,
    {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = JoinSet::new();
        for n in 0..size {
            let (stop, done, complaints, client) =
                (stop.clone(), done.clone(), complaints.clone(), client.clone());
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    match client(n).await {
                        Ok(()) => drop(done.fetch_add(1, Ordering::Relaxed)),
                        Err(complaint) => complaints.lock().unwrap().push(complaint),
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
        }
        Self { stop, done, complaints, tasks }
    }

    async fn end(self) -> (usize, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        let complaints = std::mem::take(&mut *self.complaints.lock().unwrap());
        (self.done.load(Ordering::Relaxed), complaints)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn web_clients_never_notice() {
    let (seed, rounds) = (setting("STORM_SEED", 1), setting("STORM_N", 5));
    let mut weather = Weather::new(seed);
    let stable = Duration::from_secs(1);
    let config = Config::http_sims(&[&weather.sims[0], &weather.sims[1]])
        .table("failback", "mode = \"after-stable\"\nstable_for = \"1s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    let started = Instant::now();
    let http = gatekeeper.h1();
    let crowd = Crowd::new(6, move |_| {
        let http = http.clone();
        async move {
            match http.send(get("/API/.well-known/uris")).await {
                Ok(reply) if reply.status == 200 => Ok(()),
                Ok(reply) => Err(format!("{} {}", reply.status, reply.text())),
                Err(e) => Err(e.to_string()),
            }
        }
    });
    for _ in 0..rounds {
        weather.round(&gatekeeper, &["http"]).await;
    }
    let (done, complaints) = crowd.end().await;
    let story = format!("STORM_SEED={seed} STORM_N={rounds}: {:#?}", weather.story);
    assert!(
        complaints.is_empty(),
        "{} of {done} failed, first {:?}\n{story}",
        complaints.len(),
        complaints.first()
    );
    // A fault moves the service at most once; returns are damped: each waits twice as long as the last.
    let switches = gatekeeper.metric("gatekeeper_failovers_total", &[]).await;
    let returns = (started.elapsed().as_secs_f64() / stable.as_secs_f64() + 1.0).log2().ceil() + 1.0;
    #[allow(clippy::cast_precision_loss, reason = "a small number")]
    let allowed = rounds as f64 + returns;
    assert!(switches <= allowed, "{switches} switches, {allowed} at the most\n{story}");
}

/// The issuer inside a token.
fn issuer(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["iss"].as_str().unwrap().to_owned()
}

/// A client that keeps its token until it hears 401.
async fn work(http: &Http, token: &Mutex<Option<String>>, all: &Mutex<Vec<String>>) -> Result<(), String> {
    let current = token.lock().unwrap().clone();
    let Some(current) = current else {
        let reply = http.send(password_grant("admin", "admin-password")).await.map_err(|e| e.to_string())?;
        if reply.status != 200 {
            return Err(format!("login {} {}", reply.status, reply.text()));
        }
        let fresh = reply.json()["access_token"].as_str().unwrap().to_owned();
        all.lock().unwrap().push(fresh.clone());
        *token.lock().unwrap() = Some(fresh);
        return Ok(());
    };
    let reply = http.send(get("/API/rest/v1/sites").bearer(&current)).await.map_err(|e| e.to_string())?;
    match reply.status {
        200 => Ok(()),
        401 => {
            *token.lock().unwrap() = None;
            Ok(())
        }
        other => Err(format!("GET {other} {}", reply.text())),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_to_its_issuer_only() {
    let (seed, rounds) = (setting("STORM_SEED", 1), setting("STORM_N", 5));
    let mut weather = Weather::new(seed ^ 0x5eed);
    let config = Config::xprotect(&[&weather.sims[0], &weather.sims[1]])
        .table("failback", "mode = \"after-stable\"\nstable_for = \"1s\"");
    let gatekeeper = Gatekeeper::ready(config).await;
    let services = ["identity", "config"];
    for service in services {
        gatekeeper.wait_up("b", service, true).await;
    }
    let all = Arc::new(Mutex::new(Vec::new()));
    let tokens: Arc<[Mutex<Option<String>>; 4]> = Arc::default();
    let http = gatekeeper.h2();
    let crowd = Crowd::new(4, {
        let all = all.clone();
        move |n| {
            let (http, tokens, all) = (http.clone(), tokens.clone(), all.clone());
            async move { work(&http, &tokens[n], &all).await }
        }
    });
    for _ in 0..rounds {
        weather.round(&gatekeeper, &services).await;
    }
    let (done, complaints) = crowd.end().await;
    let story = format!("STORM_SEED={seed} STORM_N={rounds}: {:#?}", weather.story);
    for n in 0..2 {
        weather.listen(n).await;
    }
    let mut by_issuer: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for token in all.lock().unwrap().iter() {
        by_issuer.entry(issuer(token)).or_default().push(token.clone());
    }
    for (n, heard) in weather.heard.iter().enumerate() {
        let heard: String = heard.iter().map(Value::to_string).collect();
        let own =
            weather.sims[n].http().send(get("/IDP/.well-known/openid-configuration")).await.unwrap().json();
        for (issuer, tokens) in by_issuer.iter().filter(|(issuer, _)| own["issuer"] != issuer.as_str()) {
            let shown = tokens.iter().filter(|t| heard.contains(t.as_str())).count();
            assert_eq!(shown, 0, "{} was shown tokens of {issuer}\n{story}", weather.sims[n].name);
        }
    }
    // An interrupted login or request may fail, but not go on failing.
    assert!(done > 20 * complaints.len(), "{} of {done} failed: {complaints:#?}\n{story}", complaints.len());
}
