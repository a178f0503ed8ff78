//! What the clients saw, and the numbers that follow from it.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

/// How one request on the wire ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx with what was asked for.
    Good,
    /// 2xx with something else.
    WrongBody,
    /// Any other status.
    Status(u16),
    /// No answer: the connection failed, or it took too long.
    Broken(String),
}

/// One request on the wire.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its number, which the instance saw as well.
    pub tag: u64,
    /// Before the first byte went out.
    pub sent: Instant,
    /// After the last byte of the answer.
    pub ended: Instant,
    /// How it ended.
    pub outcome: Outcome,
}

/// One request as its user sees it: an attempt, perhaps a log-in and another attempt.
#[derive(Clone, Debug)]
pub struct Asked {
    /// When it should have been sent.
    pub due: Instant,
    /// When the user had the answer, or knew that there is none.
    pub ended: Instant,
    /// Why it failed.
    pub failure: Option<String>,
    /// Log-ins that it needed.
    pub logins: u32,
}

/// Everything that was noted.
#[derive(Debug, Default)]
pub struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    attempts: Vec<Attempt>,
    asked: Vec<Asked>,
}

/// The numbers of a span of time.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// Requests that ended in it.
    pub requests: usize,
    /// Those that failed, by reason.
    pub failures: BTreeMap<String, usize>,
    /// 2xx with a body that was not asked for.
    pub wrong_bodies: usize,
    /// Log-ins.
    pub logins: u32,
    /// The longest time without a good answer for anybody.
    pub longest_gap: Duration,
    /// Times from due to done of requests that did not fail, in order.
    latencies: Vec<Duration>,
}

impl Journal {
    /// Notes a request on the wire.
    pub fn attempt(&self, attempt: Attempt) {
        self.lock().attempts.push(attempt);
    }

    /// Notes a request of a user.
    pub fn asked(&self, asked: Asked) {
        self.lock().asked.push(asked);
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.lock() = Inner::default();
    }

    /// Requests, failed ones and log-ins until now, for a line of progress.
    pub fn sums(&self) -> (usize, usize, u32) {
        let inner = self.lock();
        let failed = inner.asked.iter().filter(|asked| asked.failure.is_some()).count();
        (inner.asked.len(), failed, inner.asked.iter().map(|asked| asked.logins).sum())
    }

    /// The numbers of what ended from `from` until `to`.
    pub fn numbers(&self, from: Instant, to: Instant) -> Numbers {
        let inner = self.lock();
        let within = |at: Instant| from <= at && at < to;
        let mut numbers = Numbers::default();
        for asked in inner.asked.iter().filter(|asked| within(asked.ended)) {
            numbers.requests += 1;
            numbers.logins += asked.logins;
            match &asked.failure {
                Some(why) => *numbers.failures.entry(why.clone()).or_default() += 1,
                None => numbers.latencies.push(asked.ended.duration_since(asked.due)),
            }
        }
        numbers.latencies.sort_unstable();
        let ended = inner.attempts.iter().filter(|attempt| within(attempt.ended));
        let (mut good, bad): (Vec<&Attempt>, Vec<&Attempt>) =
            ended.partition(|attempt| attempt.outcome == Outcome::Good);
        numbers.wrong_bodies = bad.iter().filter(|attempt| attempt.outcome == Outcome::WrongBody).count();
        good.sort_unstable_by_key(|attempt| attempt.ended);
        // The ends of the span count as well: silence until the end is a gap too.
        let moments = std::iter::once(from).chain(good.iter().map(|a| a.ended)).chain([to]);
        let moments: Vec<Instant> = moments.collect();
        let gaps = moments.windows(2).map(|pair| pair[1].duration_since(pair[0]));
        numbers.longest_gap = gaps.max().unwrap_or_default();
        numbers
    }

    /// From the first request that the broken instance did not answer well (sent then, or under way when it
    /// broke) to the first good answer to a request that reached the standby, by its tag.
    pub fn first_good(&self, broken_at: Instant, reached_standby: &HashSet<u64>) -> Option<Duration> {
        let inner = self.lock();
        let after = inner.attempts.iter().filter(|attempt| attempt.ended >= broken_at);
        let (rescued, other): (Vec<&Attempt>, Vec<&Attempt>) = after
            .partition(|attempt| attempt.outcome == Outcome::Good && reached_standby.contains(&attempt.tag));
        let first_good = rescued.iter().map(|attempt| attempt.ended).min()?;
        let spoiled = other.iter().filter(|attempt| attempt.outcome != Outcome::Good);
        // A rescued request first met the broken instance too, at least the first one did.
        let first_met = spoiled.chain(&rescued).map(|attempt| attempt.sent.max(broken_at)).min()?;
        Some(first_good.saturating_duration_since(first_met))
    }

    /// Writes every request on the wire, times in milliseconds from `zero`.
    pub fn write(&self, path: &Path, zero: Instant) -> anyhow::Result<()> {
        // Signed: what came before the fault has a minus.
        let from = |at: Instant| match at.checked_duration_since(zero) {
            Some(after) => ms(after),
            None => -ms(zero.duration_since(at)),
        };
        let mut text = "tag\tsent\tended\toutcome\n".to_owned();
        for Attempt { tag, sent, ended, outcome } in &self.lock().attempts {
            text.push_str(&format!("{tag}\t{:.1}\t{:.1}\t{outcome:?}\n", from(*sent), from(*ended)));
        }
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Numbers {
    /// Requests that failed.
    pub fn failed(&self) -> usize {
        self.failures.values().sum()
    }

    /// The time within which a share of the requests was done.
    pub fn latency(&self, share: f64) -> Duration {
        // Rounded up, so that 1.0 is the slowest; the product is far below 2^52.
        let rank = (self.latencies.len() as f64 * share).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "requests": self.requests,
            "failed": self.failed(),
            "failures": self.failures,
            "wrong_bodies": self.wrong_bodies,
            "relogins": self.logins,
            "longest_gap_ms": ms(self.longest_gap),
            "latency_ms": {
                "p50": ms(self.latency(0.5)),
                "p99": ms(self.latency(0.99)),
                "max": ms(self.latency(1.0)),
            },
        })
    }
}

/// Milliseconds, with one decimal.
pub fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}
