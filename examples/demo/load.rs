//! The load: clients that each send a request when it is due (open loop) and note what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use tokio::task::JoinSet;

use super::args::{Args, Profile};
use super::record::{Asked, Attempt, Journal, Outcome};
use super::web::{Kept, Reply, Target};

/// Running clients.
pub struct Load {
    clients: JoinSet<()>,
    stop: Arc<AtomicBool>,
    /// What they note.
    pub journal: Arc<Journal>,
}

impl Load {
    /// Connects and logs in every client, and lets each read once; then the clock starts.
    pub async fn start(target: &Target, args: &Args) -> anyhow::Result<Self> {
        let journal = Arc::new(Journal::default());
        let stop = Arc::new(AtomicBool::new(false));
        let tags = Arc::new(AtomicU64::new(1));
        let mut ready = Vec::new();
        for number in 1..=args.clients() {
            let mut client = Client {
                number,
                profile: args.profile,
                connection: Kept::new(target.clone()),
                token: None,
                tags: Arc::clone(&tags),
                journal: Arc::clone(&journal),
            };
            client.warm_up().await.with_context(|| format!("client {number}"))?;
            ready.push(client);
        }
        journal.clear();
        // Each client sends every `period`; together they are spread evenly.
        let period = Duration::from_secs(1) * args.clients() / args.rate;
        let begin = Instant::now() + Duration::from_millis(50);
        let mut clients = JoinSet::new();
        for client in ready {
            let first = begin + period * (client.number - 1) / args.clients();
            clients.spawn(client.run(first, period, Arc::clone(&stop)));
        }
        Ok(Self { clients, stop, journal })
    }

    /// No new requests; waits until the running ones have ended.
    pub async fn stop(mut self) -> anyhow::Result<Arc<Journal>> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.context("a client failed")?;
        }
        Ok(self.journal)
    }
}

/// The request header by which an instance's record of arrivals and our own can be compared.
pub const TAG: &str = "x-demo-request";

/// Our number in the head of a request.
pub fn tag(head: &str) -> Option<u64> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case(TAG) { value.trim().parse().ok() } else { None }
    })
}

struct Client {
    number: u32,
    profile: Profile,
    connection: Kept,
    /// The value of `Authorization`.
    token: Option<HeaderValue>,
    tags: Arc<AtomicU64>,
    journal: Arc<Journal>,
}

impl Client {
    async fn warm_up(&mut self) -> anyhow::Result<()> {
        // At first the gatekeeper may still be getting to know its instances.
        let limit = Instant::now() + Duration::from_secs(10);
        loop {
            let mut logins = 0;
            match self.read(&mut logins).await {
                Ok(()) => return Ok(()),
                Err(reason) if Instant::now() > limit => {
                    bail!("cannot read through the gatekeeper: {reason}")
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn run(mut self, mut due: Instant, period: Duration, stop: Arc<AtomicBool>) {
        loop {
            tokio::time::sleep_until(due.into()).await;
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let mut logins = 0;
            let result = self.read(&mut logins).await;
            let asked = Asked { due, ended: Instant::now(), failure: result.err(), logins };
            self.journal.asked(asked);
            // Late requests are sent without a pause, and their lateness counts.
            due += period;
        }
    }

    /// One request as a user sees it: with one new log-in, if the token is refused. `Err`: why it failed.
    async fn read(&mut self, logins: &mut u32) -> Result<(), String> {
        if self.profile == Profile::Xprotect && self.token.is_none() {
            *logins += 1;
            self.log_in().await?;
        }
        let mut outcome = self.attempt().await;
        if outcome == Outcome::Status(401) && self.profile == Profile::Xprotect && *logins == 0 {
            *logins += 1;
            self.log_in().await?;
            outcome = self.attempt().await;
        }
        match outcome {
            Outcome::Good | Outcome::WrongBody => Ok(()),
            Outcome::Status(status) => Err(format!("status {status}")),
            Outcome::Broken(why) => Err(why),
        }
    }

    async fn attempt(&mut self) -> Outcome {
        let tag = self.tags.fetch_add(1, Ordering::Relaxed);
        let mut headers = HeaderMap::new();
        headers.insert(TAG, tag.into());
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, token.clone());
        }
        let path = match self.profile {
            Profile::Xprotect => "/API/rest/v1/cameras?page=0&size=1",
            Profile::Http => "/API/.well-known/uris",
        };
        let sent = Instant::now();
        let outcome = match self.connection.exchange("GET", path, headers, "").await {
            Ok(reply) if !reply.status.is_success() => Outcome::Status(reply.status.as_u16()),
            Ok(reply) if self.is_what_we_asked_for(&reply) => Outcome::Good,
            Ok(_) => Outcome::WrongBody,
            Err(error) => Outcome::Broken(format!("{error:#}")),
        };
        self.journal.attempt(Attempt { tag, sent, ended: Instant::now(), outcome: outcome.clone() });
        outcome
    }

    fn is_what_we_asked_for(&self, reply: &Reply) -> bool {
        let Ok(body) = reply.json() else { return false };
        match self.profile {
            Profile::Xprotect => body["array"].as_array().is_some_and(|cameras| cameras.len() == 1),
            Profile::Http => body["ProductVersion"].is_string(),
        }
    }

    async fn log_in(&mut self) -> Result<(), String> {
        let user = format!("user{}", self.number);
        let form = format!(
            "grant_type=password&username={user}&password={user}-password&client_id=GrantValidatorClient"
        );
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        self.token = None;
        let reply = self.connection.exchange("POST", "/API/IDP/connect/token", headers, &form).await;
        let reply = reply.map_err(|error| format!("log-in: {error:#}"))?;
        if reply.status != StatusCode::OK {
            return Err(format!("log-in: status {}", reply.status.as_u16()));
        }
        let body = reply.json().map_err(|_| "log-in: wrong body".to_owned())?;
        let token = body["access_token"].as_str().ok_or("log-in: no token in the answer")?;
        let value = HeaderValue::try_from(format!("Bearer {token}"));
        self.token = Some(value.map_err(|_| "log-in: not a token")?);
        Ok(())
    }
}
