//! One user at work: reads a list, reads cameras by the ids that it was given, makes bookmarks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::notes::{Fact, Fate, Notes};
use super::user::{Kind, User};
use crate::load::TAG;
use crate::record::{Asked, Attempt, Outcome};
use crate::web::{Kept, Reply, Target};

/// What a user and its socket share.
pub struct Shared {
    /// Who.
    pub user: User,
    /// The ids of the cameras that it was given, in lower case, and their names.
    pub known: HashMap<String, String>,
    token: Mutex<HeaderValue>,
}

impl Shared {
    /// The value of `Authorization`.
    pub fn token(&self) -> HeaderValue {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A user.
pub struct Client {
    /// What its socket needs too.
    pub shared: Arc<Shared>,
    /// The ids once more, in order.
    ids: Vec<String>,
    line: Kept,
    tags: Arc<AtomicU64>,
    notes: Arc<Notes>,
    turn: usize,
}

impl Client {
    /// Logs in and learns which cameras there are.
    pub async fn start(
        user: User,
        target: &Target,
        tags: &Arc<AtomicU64>,
        notes: &Arc<Notes>,
    ) -> anyhow::Result<Self> {
        let mut line = Kept::new(target.clone());
        let token = user.log_in(&mut line).await?;
        if user.kind == Kind::Password {
            notes.first_log_in(user.form());
        }
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, token.clone());
        let reply = line.exchange("GET", LIST, headers, "").await?;
        let known: HashMap<String, String> = cameras(&reply).context("no list of cameras")?.collect();
        if known.len() < 2 {
            bail!("{} sees {} cameras", user.name(), known.len());
        }
        let mut ids: Vec<String> = known.keys().cloned().collect();
        ids.sort_unstable();
        let shared = Arc::new(Shared { user, known, token: Mutex::new(token) });
        let (tags, notes, turn) = (Arc::clone(tags), Arc::clone(notes), user.number as usize);
        Ok(Self { shared, ids, line, tags, notes, turn })
    }

    /// Asks for something every `period` until `stop`.
    pub async fn run(mut self, mut due: Instant, period: Duration, stop: Arc<AtomicBool>) {
        loop {
            tokio::time::sleep_until(due.into()).await;
            if stop.load(Ordering::Relaxed) {
                return;
            }
            self.turn += 1;
            match self.turn % 5 {
                0 => self.change().await,
                1 => self.read(LIST.to_owned(), due, Self::judge_list).await,
                _ => {
                    let path = format!("/API/rest/v1/cameras/{}", self.some_id());
                    self.read(path, due, Self::judge_camera).await;
                }
            }
            // Late requests are sent without a pause, and their lateness counts.
            due += period;
        }
    }

    fn some_id(&self) -> String {
        // Never empty, see `start`.
        self.ids.get(self.turn % self.ids.len().max(1)).cloned().unwrap_or_default()
    }

    /// A read as a user sees it: with one new log-in, if the token is refused.
    async fn read(&mut self, path: String, due: Instant, judge: fn(&Self, &str, &Reply) -> Outcome) {
        let mut logins = 0;
        let mut outcome = self.attempt(&path, judge).await;
        if outcome == Outcome::Status(401) {
            logins = 1;
            outcome = match self.log_in_again().await {
                Ok(()) => self.attempt(&path, judge).await,
                Err(error) => Outcome::Broken(format!("{error:#}")),
            };
        }
        let failure = match outcome {
            Outcome::Good | Outcome::WrongBody => None,
            Outcome::Status(status) => Some(format!("status {status}")),
            Outcome::Broken(why) => Some(why),
        };
        self.notes.journal.asked(Asked { due, ended: Instant::now(), failure, logins });
    }

    async fn attempt(&mut self, path: &str, judge: fn(&Self, &str, &Reply) -> Outcome) -> Outcome {
        let tag = self.tags.fetch_add(1, Ordering::Relaxed);
        let sent = Instant::now();
        let outcome = match self.line.exchange("GET", path, self.headers(tag), "").await {
            Ok(reply) => judge(self, path, &reply),
            Err(error) => Outcome::Broken(format!("{error:#}")),
        };
        self.notes.journal.attempt(Attempt { tag, sent, ended: Instant::now(), outcome: outcome.clone() });
        outcome
    }

    fn headers(&self, tag: u64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(TAG, tag.into());
        headers.insert(AUTHORIZATION, self.shared.token());
        headers
    }

    /// As many cameras as this user may see, and those that it knows.
    fn judge_list(&self, _: &str, reply: &Reply) -> Outcome {
        if !reply.status.is_success() {
            return Outcome::Status(reply.status.as_u16());
        }
        let Some(seen) = cameras(reply) else { return Outcome::WrongBody };
        let seen: Vec<(String, String)> = seen.collect();
        let (now, before) = (seen.len(), self.shared.known.len());
        if now != before {
            let what = format!("{} was shown {now} cameras instead of {before}", self.shared.user.name());
            self.notes.fact(Fact::WrongIdentity(what));
        } else if seen.iter().any(|(id, _)| !self.shared.known.contains_key(id)) {
            self.notes.fact(Fact::StrangeId);
        }
        Outcome::Good
    }

    /// The camera that was asked for, under the id that it was asked by.
    fn judge_camera(&self, path: &str, reply: &Reply) -> Outcome {
        if reply.status.as_u16() == 404 {
            self.notes.fact(Fact::NotFound);
        }
        if !reply.status.is_success() {
            return Outcome::Status(reply.status.as_u16());
        }
        let body = reply.json().unwrap_or_default();
        let id = body["data"]["id"].as_str().unwrap_or_default().to_ascii_lowercase();
        let name = body["data"]["name"].as_str().map(str::to_owned);
        if path.ends_with(&id) && name.is_some() && self.shared.known.get(&id) == name.as_ref() {
            Outcome::Good
        } else {
            Outcome::WrongBody
        }
    }

    /// A bookmark: its answer says whose it is, and the record of changes says whose it was.
    async fn change(&mut self) {
        let mut fate = self.bookmark().await;
        if fate == Fate::Refused("status 401".to_owned()) {
            fate = match self.log_in_again().await {
                Ok(()) => self.bookmark().await,
                Err(error) => Fate::Refused(format!("{error:#}")),
            };
        }
        drop(fate);
    }

    async fn bookmark(&mut self) -> Fate {
        let tag = self.tags.fetch_add(1, Ordering::Relaxed);
        let device = json!({ "type": "cameras", "id": self.some_id() });
        let body = json!({ "devicePath": device, "header": tag.to_string() });
        let mut headers = self.headers(tag);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let reply = self.line.exchange("POST", "/API/rest/v1/bookmarks", headers, &body.to_string()).await;
        let fate = match reply {
            Ok(reply) if reply.status.is_success() => {
                self.judge_bookmark(&reply.json().unwrap_or_default()["result"]);
                Fate::Done
            }
            Ok(reply) if reply.header("gatekeeper-reason") == "outcome-unknown" => Fate::Unknown,
            Ok(reply) => {
                // The device that a bookmark is for is not found by its id: the VMS says 400 or 404.
                if matches!(reply.status.as_u16(), 400 | 404) {
                    self.notes.fact(Fact::NotFound);
                }
                Fate::Refused(format!("status {}", reply.status.as_u16()))
            }
            Err(error) => Fate::Unsaid(format!("{error:#}")),
        };
        self.notes.change(tag, self.shared.user, fate.clone());
        fate
    }

    fn judge_bookmark(&self, made: &Value) {
        let (given, own) = (made["user"].as_str().unwrap_or_default(), self.shared.user.name());
        if given != own {
            self.notes.fact(Fact::WrongIdentity(format!("{own} made a bookmark as {given:?}")));
        }
    }

    async fn log_in_again(&mut self) -> anyhow::Result<()> {
        let user = self.shared.user;
        self.notes.fact(Fact::LogIn(user.kind));
        let token = user.log_in(&mut self.line).await?;
        *self.shared.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }
}

/// Ids, in lower case, and names.
fn cameras(reply: &Reply) -> Option<impl Iterator<Item = (String, String)> + use<>> {
    let mut body = reply.json().ok()?;
    let Value::Array(list) = body["array"].take() else { return None };
    Some(list.into_iter().filter_map(|camera| {
        Some((camera["id"].as_str()?.to_ascii_lowercase(), camera["name"].as_str()?.to_owned()))
    }))
}

/// All that the user may see.
const LIST: &str = "/API/rest/v1/cameras?page=0&size=1000";
