//! Questions to one instance: as many at once as it likes, repeated when it is busy, given up when it
//! is silent.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryFutureExt as _;
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use secrecy::SecretString;
use tokio::sync::Notify;

use super::pace::{Outcome, Pace, Patience, Turn};
use super::stamp::Stamp;
use crate::clock::{Moment, unix_seconds};
use crate::vms::client::{Answer, Client, ClientError, Reuse};

/// Whoever answers questions about one instance, with the rights of its account.
pub trait Ask: Sync {
    /// GET of a path with its query.
    fn get(&self, path: &str) -> impl Future<Output = Result<Answer, Unanswered>> + Send;
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It is larger than we take, or it was cut.
    TooLarge,
    /// Nothing came, in these words.
    Silent(String),
}

/// An instance on which we have logged in.
pub struct LoggedIn<'a> {
    /// To it.
    pub client: &'a Client,
    /// Its own.
    pub token: &'a SecretString,
}

impl Ask for LoggedIn<'_> {
    fn get(&self, path: &str) -> impl Future<Output = Result<Answer, Unanswered>> + Send {
        self.client.get(path, Some(self.token), Reuse::Kept).map_err(|error| match error {
            ClientError::Body => Unanswered::TooLarge,
            other => Unanswered::Silent(other.to_string()),
        })
    }
}

/// Asks at the pace of the instance.
pub struct Line<'a, A> {
    ask: &'a A,
    state: Mutex<State>,
    /// A question has ended.
    free: Notify,
}

struct State {
    pace: Pace,
    /// Questions without an answer, in a row.
    silent: usize,
    /// How far its clock is from ours, in seconds, by the answer that was nearest.
    clock: Option<i64>,
}

impl<'a, A: Ask> Line<'a, A> {
    /// At full speed.
    pub fn new(ask: &'a A, patience: Patience) -> Self {
        let state = State { pace: Pace::new(patience), silent: 0, clock: None };
        Self { ask, state: Mutex::new(state), free: Notify::new() }
    }

    /// GET of a path with its query. A busy instance is asked again a few times, a silent one once.
    ///
    /// # Errors
    /// See [`Unanswered`]. An instance that was silent too often is not asked any more.
    pub async fn get(&self, path: &str) -> Result<Answer, Unanswered> {
        let mut tries = 0;
        loop {
            let running = self.turn().await?;
            let answer = tokio::time::timeout(REQUEST, self.ask.get(path)).await;
            let answer = answer.unwrap_or_else(|_| {
                Err(Unanswered::Silent(format!("nothing within {} s", REQUEST.as_secs())))
            });
            running.end(&answer);
            tries += 1;
            let again = match &answer {
                Ok(answer) if is_busy(answer.status) => tries < TRIES_BUSY,
                Err(Unanswered::Silent(_)) => tries < TRIES_SILENT,
                Ok(_) | Err(Unanswered::TooLarge) => false,
            };
            if !again {
                return answer;
            }
        }
    }

    /// How far its clock is ahead of ours, in seconds; `None`: it does not say.
    pub fn clock(&self) -> Option<i64> {
        self.with(|state| state.clock)
    }

    /// Whether it has been silent too often to be asked any more.
    pub fn is_dead(&self) -> bool {
        self.with(|state| state.silent >= DEAD)
    }

    async fn turn(&self) -> Result<Running<'_, 'a, A>, Unanswered> {
        loop {
            // Before the look, so that no end of a question is missed.
            let freed = self.free.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            if self.is_dead() {
                return Err(Unanswered::Silent("it has stopped answering".to_owned()));
            }
            let now = Moment::now();
            match self.with(|state| state.pace.begin(now)) {
                Turn::Now => return Ok(Running { line: self, began: now, ended: false }),
                Turn::At(moment) => tokio::time::sleep(moment.since(now)).await,
                Turn::Later => freed.await,
            }
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A question that counts until it has ended or was given up.
struct Running<'l, 'a, A: Ask> {
    line: &'l Line<'a, A>,
    began: Moment,
    ended: bool,
}

impl<A: Ask> Running<'_, '_, A> {
    fn end(mut self, answer: &Result<Answer, Unanswered>) {
        self.ended = true;
        let (began, now, unix) = (self.began, Moment::now(), unix_seconds());
        self.line.with(|state| {
            let outcome = match answer {
                Ok(answer) if is_busy(answer.status) => Outcome::Busy(retry_after(&answer.headers)),
                Ok(_) | Err(Unanswered::TooLarge) => Outcome::Answered,
                Err(Unanswered::Silent(_)) => Outcome::Silent,
            };
            state.pace.end(began, now, outcome);
            state.silent = if outcome == Outcome::Silent { state.silent + 1 } else { 0 };
            if let Some(clock) = answer.as_ref().ok().and_then(|a| clock(&a.headers, unix)) {
                let nearest = state.clock.filter(|known| known.abs() <= clock.abs());
                state.clock = Some(nearest.unwrap_or(clock));
            }
        });
    }
}

impl<A: Ask> Drop for Running<'_, '_, A> {
    fn drop(&mut self) {
        if !self.ended {
            self.line.with(|state| state.pace.give_up());
        }
        self.line.free.notify_waiters();
    }
}

fn is_busy(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE
}

/// In seconds; the form with a date is not waited for.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn clock(headers: &HeaderMap, ours: i64) -> Option<i64> {
    let theirs = Stamp::parse_http(headers.get(DATE)?.to_str().ok()?)?;
    Some(theirs.millis().div_euclid(1000) - ours)
}

/// One answer.
const REQUEST: Duration = Duration::from_secs(10);
/// A restart of an application pool takes some seconds.
const TRIES_BUSY: usize = 4;
/// Connections break.
const TRIES_SILENT: usize = 2;
/// As many as may run at once, and all were silent.
const DEAD: usize = super::pace::MOST;
