//! What the gatekeeper says about itself: its metrics, read again and again from the admin listener.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use http::HeaderMap;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::web::{Connection, Target};

/// Service -> name of the instance that serves it; services that nobody serves are missing.
pub type Serving = BTreeMap<String, String>;

/// One reading.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    samples: Vec<Sample>,
}

#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

impl Reading {
    fn parse(text: &str) -> Self {
        Self { samples: text.lines().filter(|line| !line.starts_with('#')).filter_map(sample).collect() }
    }

    /// The sums of a counter by one of its labels.
    fn by_label(&self, name: &str, label: &str) -> BTreeMap<String, f64> {
        let mut sums = BTreeMap::new();
        for sample in self.samples.iter().filter(|sample| sample.name == name) {
            let value = sample.labels.get(label).cloned().unwrap_or_default();
            *sums.entry(value).or_default() += sample.value;
        }
        sums
    }

    /// What a counter has grown by since `before`, by one of its labels; without those that stood still.
    pub fn growth(&self, before: &Self, name: &str, label: &str) -> BTreeMap<String, u64> {
        let earlier = before.by_label(name, label);
        let grown = self.by_label(name, label).into_iter().map(|(value, sum)| {
            let by = sum - earlier.get(&value).copied().unwrap_or_default();
            // Counters count whole things; a smaller number than before would be a restart.
            (value, by.max(0.0) as u64)
        });
        grown.filter(|(_, by)| *by > 0).collect()
    }

    /// How many cameras of the two instances are known to be the same.
    pub fn linked_cameras(&self) -> f64 {
        let is = |s: &&Sample, label, value| s.labels.get(label).is_some_and(|found| found == value);
        let objects = self.samples.iter().filter(|s| s.name == "gatekeeper_sync_objects");
        objects.filter(|s| is(s, "type", "cameras") && is(s, "state", "linked")).map(|s| s.value).sum()
    }

    /// Who serves what, of the services that anybody has: one that nobody has may stay where it is.
    pub fn serving(&self) -> Serving {
        let exists = |sample: &Sample| {
            let service = sample.labels.get("service");
            let up = |s: &Sample| s.name == "gatekeeper_upstream_up" && s.labels.get("service") == service;
            self.samples.iter().any(up)
        };
        let served =
            |sample: &&Sample| sample.name == "gatekeeper_serving" && sample.value == 1.0 && exists(sample);
        let pair = |s: &Sample| Some((s.labels.get("service")?.clone(), s.labels.get("instance")?.clone()));
        self.samples.iter().filter(served).filter_map(pair).collect()
    }
}

/// `name{label="value",...} number`; values of our labels contain neither quotes nor commas.
fn sample(line: &str) -> Option<Sample> {
    let (series, value) = line.rsplit_once(' ')?;
    let (name, rest) = series.split_once('{').unwrap_or((series, ""));
    let labels = rest.trim_end_matches('}').split(',').filter_map(|pair| {
        let (label, value) = pair.split_once('=')?;
        Some((label.to_owned(), value.trim_matches('"').to_owned()))
    });
    Some(Sample { name: name.to_owned(), labels: labels.collect(), value: value.parse().ok()? })
}

/// Reads the metrics every [`PERIOD`] until it is dropped.
pub struct Gauge {
    readings: watch::Receiver<(Instant, Reading)>,
    reader: JoinHandle<()>,
}

impl Gauge {
    /// Takes a first reading and goes on.
    pub async fn start(admin: SocketAddr) -> anyhow::Result<Self> {
        let target = Target::plain(admin);
        let mut connection = target.connect().await.context("the gatekeeper's admin listener")?;
        let first = read(&mut connection).await?;
        let (sender, readings) = watch::channel((Instant::now(), first));
        let reader = tokio::spawn(async move {
            loop {
                tokio::time::sleep(PERIOD).await;
                match read(&mut connection).await {
                    Ok(reading) => drop(sender.send_replace((Instant::now(), reading))),
                    // It may close a connection whenever it likes; whoever waits has a time limit.
                    Err(_) => {
                        if let Ok(new) = target.connect().await {
                            connection = new;
                        }
                    }
                }
            }
        });
        Ok(Self { readings, reader })
    }

    /// The last reading.
    pub fn now(&self) -> Reading {
        self.readings.borrow().1.clone()
    }

    /// A reading that was taken after this call.
    pub async fn fresh(&self) -> anyhow::Result<Reading> {
        let called = Instant::now();
        let mut readings = self.readings.clone();
        let newer = readings.wait_for(|(at, _)| *at > called + PERIOD);
        match tokio::time::timeout(Duration::from_secs(5), newer).await {
            Ok(Ok(reading)) => Ok(reading.1.clone()),
            _ => bail!("the gatekeeper's metrics cannot be read any more"),
        }
    }

    /// Waits until who serves what is as wanted; the time of the reading, or `None` after `limit`.
    pub async fn wait(&self, limit: Duration, wanted: impl Fn(&Serving) -> bool) -> Option<Instant> {
        self.until(limit, |reading| wanted(&reading.serving())).await
    }

    /// The same for anything that a reading says.
    pub async fn until(&self, limit: Duration, wanted: impl Fn(&Reading) -> bool) -> Option<Instant> {
        let mut readings = self.readings.clone();
        let fits = readings.wait_for(|(_, reading)| wanted(reading));
        match tokio::time::timeout(limit, fits).await {
            Ok(Ok(reading)) => Some(reading.0),
            _ => None,
        }
    }
}

impl Drop for Gauge {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn read(connection: &mut Connection) -> anyhow::Result<Reading> {
    let asked = connection.exchange("GET", "/metrics", HeaderMap::new(), "");
    let reply = tokio::time::timeout(Duration::from_secs(2), asked).await.context("/metrics")??;
    if !reply.status.is_success() {
        bail!("/metrics answered {}", reply.status);
    }
    Ok(Reading::parse(&String::from_utf8_lossy(&reply.body)))
}

/// How fine times of switches are.
pub const PERIOD: Duration = Duration::from_millis(20);
