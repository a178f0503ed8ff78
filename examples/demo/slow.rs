//! Every answer of the primary takes five times as long. It is slow, not ill: nothing should move.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};

use super::args::Args;
use super::failover::{measured_service, settle};
use super::gauge::Gauge;
use super::load::Load;
use super::progress::Progress;
use super::record::Numbers;
use super::report;
use super::stage::{Instance, Place, Stage};

/// What it did.
pub struct Report {
    before: Numbers,
    during: Numbers,
    switches: BTreeMap<String, u64>,
    hedges: BTreeMap<String, u64>,
    retries: BTreeMap<String, u64>,
}

impl Report {
    /// Requests that were also sent to the standby, of 100.
    fn hedge_percent(&self) -> f64 {
        // At least one request, so that an empty run is no division by nothing.
        100.0 * self.hedges.values().sum::<u64>() as f64 / self.during.requests.max(1) as f64
    }
}

/// Runs it: the primary is slow for `--seconds`.
pub async fn run(args: &Args, place: &Place, progress: &mut Progress) -> anyhow::Result<Report> {
    let seconds = args.seconds.unwrap_or(20);
    progress.say(&format!(
        "slow, profile {}: answers take {USUAL} ms, then {} ms on the primary for {seconds} s",
        args.profile.name(),
        USUAL * 5,
    ));
    progress.step("starting two instances and the gatekeeper");
    let stage = Stage::start(place.below("slow")?, args, "2s").await?;
    slow(&stage.primary, USUAL).await?;
    slow(&stage.standby, USUAL).await?;
    let gauge = Arc::new(Gauge::start(stage.admin).await?);
    settle(&gauge, stage.primary.name, Duration::from_secs(10)).await?;
    let load = Load::start(&stage.front()?, args).await?;
    progress.follow(Arc::clone(&load.journal), Arc::clone(&gauge), measured_service(args.profile));

    progress.step("usual answers");
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begin = Instant::now();
    tokio::time::sleep(BEFORE).await;
    let counted = gauge.fresh().await?;
    progress.step("slow answers");
    let slowed_at = Instant::now();
    slow(&stage.primary, USUAL * 5).await?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let end = Instant::now();
    let grown = gauge.fresh().await?;
    let journal = load.stop().await?;
    journal.write(&stage.dir.join("attempts.tsv"), slowed_at)?;
    progress.rest();
    let growth = |name: &str, label: &str| grown.growth(&counted, name, label);
    Ok(Report {
        before: journal.numbers(begin, slowed_at),
        during: journal.numbers(slowed_at, end),
        switches: growth("gatekeeper_failovers_total", "service"),
        hedges: growth("gatekeeper_hedges_total", "outcome"),
        retries: growth("gatekeeper_retries_total", "reason"),
    })
}

async fn slow(instance: &Instance, ms: u64) -> anyhow::Result<()> {
    match instance.set_fault(&json!({ "service": "all", "mode": "slow", "ms": ms })).await? {
        None => Ok(()),
        Some(reason) => bail!("not possible here: {reason}"),
    }
}

/// For people.
pub fn text(report: &Report) -> String {
    let mut rows = vec![
        ["", "requests", "failed", "re-logins", "median", "99 %", "longest gap"].map(str::to_owned).to_vec(),
    ];
    for (name, n) in [("usual", &report.before), ("slow", &report.during)] {
        rows.push(vec![
            name.into(),
            n.requests.to_string(),
            n.failed().to_string(),
            n.logins.to_string(),
            report::time(Some(n.latency(0.5))),
            report::time(Some(n.latency(0.99))),
            report::time(Some(n.longest_gap)),
        ]);
    }
    format!(
        "{}\nwhile it was slow: switches {}, hedges {} ({:.1} % of requests), retries {}\n",
        report::columns(&rows),
        report.switches.values().sum::<u64>(),
        report.hedges.values().sum::<u64>(),
        report.hedge_percent(),
        report.retries.values().sum::<u64>(),
    )
}

/// For machines.
pub fn to_json(args: &Args, report: &Report) -> Value {
    json!({
        "scenario": "slow",
        "profile": args.profile.name(),
        "usual": report.before.to_json(),
        "slow": report.during.to_json(),
        "switches": report.switches,
        "hedges": report.hedges,
        "hedge_percent": report.hedge_percent(),
        "retries": report.retries,
    })
}

/// Milliseconds. Five times as long is just more than the gatekeeper's shortest hedge delay, 50 ms, and still
/// lets 16 connections carry 200 requests/s.
const USUAL: u64 = 10;
const BEFORE: Duration = Duration::from_secs(5);
