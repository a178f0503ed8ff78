//! What the instances themselves say about what reached them: the only witness that nothing was sent twice.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

use super::notes::{Change, Fate, FirstLogIn};
use crate::load::tag;
use crate::web;

/// Reads the records of all instances, again and again: an instance that is killed forgets its own.
pub struct Oracle {
    seen: Arc<Mutex<Seen>>,
    readers: Vec<JoinHandle<()>>,
    controls: Vec<SocketAddr>,
}

#[derive(Default)]
struct Seen {
    /// By tag: where requests that change something arrived, in order.
    changes: BTreeMap<u64, Vec<SocketAddr>>,
    /// By the SHA-256 of a body: where and when it was answered with 200.
    answered: HashMap<String, Vec<(SocketAddr, SystemTime)>>,
}

impl Oracle {
    /// Begins with what was recorded before.
    pub fn start(controls: &[SocketAddr]) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let readers =
            controls.iter().map(|control| tokio::spawn(follow(*control, Arc::clone(&seen)))).collect();
        Self { seen, readers, controls: controls.to_vec() }
    }

    /// Changes that reached more than one instance, or one of them twice.
    pub fn replayed(&self) -> BTreeSet<u64> {
        let seen = lock(&self.seen);
        seen.changes.iter().filter(|(_, places)| places.len() > 1).map(|(tag, _)| *tag).collect()
    }

    /// How long after the first answer the other instance had answered the same log-in, in order; log-ins that
    /// it was not asked for until `end` are missing.
    pub fn twins(&self, log_ins: &[FirstLogIn], end: SystemTime) -> Vec<Duration> {
        let seen = lock(&self.seen);
        let ready = |log_in: &FirstLogIn| {
            let answered = seen.answered.get(&sha256(&log_in.form))?;
            let home = answered.first()?.0;
            let (_, twin) = answered.iter().find(|(place, at)| *place != home && *at < end)?;
            Some(twin.duration_since(log_in.answered).unwrap_or_default())
        };
        let mut ready: Vec<Duration> = log_ins.iter().filter_map(ready).collect();
        ready.sort_unstable();
        ready
    }

    /// Compares the records of accepted changes with what the users know: a sentence for each contradiction.
    /// If one instance `forgot` what it did, nothing is said about changes that stand nowhere.
    pub async fn contradictions(
        &self,
        asked: &BTreeMap<u64, Change>,
        forgot: bool,
    ) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut done: BTreeMap<u64, usize> = BTreeMap::new();
        for control in &self.controls {
            let writes = web::once(*control, "GET", "/writes", "").await?.json()?;
            for write in writes.as_array().into_iter().flatten() {
                let tag = write["body"]["header"].as_str().and_then(|text| text.parse::<u64>().ok());
                let Some(tag) = tag else { continue };
                *done.entry(tag).or_default() += 1;
                let who = write["who"].as_str().unwrap_or_default();
                match asked.get(&tag) {
                    Some(change) if change.user.name() == who => {}
                    Some(change) => found.push(format!("{who} did what {} asked for", change.user.name())),
                    None => found.push(format!("{who} did what nobody asked for")),
                }
            }
        }
        for (tag, change) in asked {
            let done = done.get(tag).copied().unwrap_or_default();
            match &change.fate {
                _ if done > 1 => {
                    found.push(format!("a change of {} was done {done} times", change.user.name()))
                }
                Fate::Refused(why) if done > 0 => {
                    found.push(format!("a change of {} was refused ({why}) and done", change.user.name()));
                }
                Fate::Done if done == 0 && !forgot => {
                    found.push(format!("a change of {} was confirmed and not done", change.user.name()));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.readers.iter().for_each(JoinHandle::abort);
    }
}

async fn follow(control: SocketAddr, seen: Arc<Mutex<Seen>>) {
    let mut last = 0;
    // An answer comes later than its request: those without one are read again.
    let mut open: BTreeSet<u64> = BTreeSet::new();
    loop {
        let since = open.first().map_or(last, |n| n - 1);
        match web::once(control, "GET", &format!("/requests?since={since}"), "").await {
            Ok(reply) => {
                let list = reply.json().unwrap_or_default();
                let mut seen = lock(&seen);
                for arrival in list.as_array().into_iter().flatten() {
                    let n = arrival["n"].as_u64().unwrap_or_default();
                    if n > last {
                        seen.arrived(control, arrival);
                        last = n;
                        if is_log_in(arrival) {
                            open.insert(n);
                        }
                    }
                    if open.contains(&n) && seen.answer(control, arrival) {
                        open.remove(&n);
                    }
                }
            }
            // It is gone; the next one counts from 1 again.
            Err(_) => (last, open) = (0, BTreeSet::new()),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

impl Seen {
    fn arrived(&mut self, place: SocketAddr, arrival: &Value) {
        if arrival["method"] == "POST"
            && let Some(tag) = arrival["head"].as_str().and_then(tag)
        {
            self.changes.entry(tag).or_default().push(place);
        }
    }

    /// Whether it has been answered.
    fn answer(&mut self, place: SocketAddr, arrival: &Value) -> bool {
        let answer = &arrival["answer"];
        let at = answer["time"].as_str().and_then(|text| humantime::parse_rfc3339(text).ok());
        if let (Some(hash), Some(at), Some(200)) =
            (arrival["bodySha256"].as_str(), at, answer["status"].as_u64())
        {
            self.answered.entry(hash.to_owned()).or_default().push((place, at));
        }
        answer.is_object()
    }
}

fn is_log_in(arrival: &Value) -> bool {
    arrival["method"] == "POST"
        && arrival["path"].as_str().is_some_and(|path| path.ends_with("/connect/token"))
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What arrives in the last moment before a kill is not seen.
const PERIOD: Duration = Duration::from_millis(20);
