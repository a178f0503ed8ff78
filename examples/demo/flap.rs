//! The primary is down 3 s and up 3 s, again and again: how often does the gatekeeper move?

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
use super::stage::{Place, Stage};

/// What it did.
pub struct Report {
    seconds: u64,
    cycles: u32,
    /// By service; a way there and a way back are two.
    switches: BTreeMap<String, u64>,
    numbers: Numbers,
}

/// Runs it for `--seconds`.
pub async fn run(args: &Args, place: &Place, progress: &mut Progress) -> anyhow::Result<Report> {
    let seconds = args.seconds.unwrap_or(300);
    progress.say(&format!("flap, profile {}: down 3 s, up 3 s, for {seconds} s", args.profile.name()));
    progress.step("starting two instances and the gatekeeper");
    let stage = Stage::start(place.below("flap")?, args, "2s").await?;
    let gauge = Arc::new(Gauge::start(stage.admin).await?);
    settle(&gauge, stage.primary.name, Duration::from_secs(10)).await?;
    let load = Load::start(&stage.front()?, args).await?;
    progress.follow(Arc::clone(&load.journal), Arc::clone(&gauge), measured_service(args.profile));
    let counted = gauge.fresh().await?;

    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let mut cycles = 0;
    while Instant::now() < end {
        let cycle = begin + PHASE * 2 * cycles;
        cycles += 1;
        progress.step(format!("down, time {cycles}"));
        // As a process that is gone: connections are reset and refused. A real kill would add the time of
        // a start to each way up.
        if let Some(reason) = stage.primary.set_fault(&json!({ "service": "all", "mode": "stop" })).await? {
            bail!("not possible here: {reason}");
        }
        tokio::time::sleep_until((cycle + PHASE).into()).await;
        progress.step(format!("up, time {cycles}"));
        stage.primary.lift_faults().await?;
        tokio::time::sleep_until((cycle + PHASE * 2).into()).await;
    }
    let switches = gauge.fresh().await?.growth(&counted, "gatekeeper_failovers_total", "service");
    let stopped = Instant::now();
    let journal = load.stop().await?;
    journal.write(&stage.dir.join("attempts.tsv"), begin)?;
    let numbers = journal.numbers(begin, stopped);
    progress.rest();
    Ok(Report { seconds, cycles, switches, numbers })
}

/// For people.
pub fn text(report: &Report) -> String {
    let by_service: Vec<String> = report.switches.iter().map(|(s, n)| format!("{s} {n}")).collect();
    let n = &report.numbers;
    let failures: String = n.failures.iter().map(|(why, n)| format!("  {n} x {why}\n")).collect();
    format!(
        "primary down and up {} times in {} s\nswitches     {} (each way counts one)\nrequests     {}\nfailed       {}\n{failures}re-logins    {}\nlongest gap  {}\n",
        report.cycles,
        report.seconds,
        if by_service.is_empty() { "none".to_owned() } else { by_service.join(", ") },
        n.requests,
        n.failed(),
        n.logins,
        report::time(Some(n.longest_gap)),
    )
}

/// For machines.
pub fn to_json(args: &Args, report: &Report) -> Value {
    json!({
        "scenario": "flap",
        "profile": args.profile.name(),
        "seconds": report.seconds,
        "cycles": report.cycles,
        "switches": report.switches,
        "during": report.numbers.to_json(),
    })
}

const PHASE: Duration = Duration::from_secs(3);
