//! The primary dies in several ways and comes back. Each fault gets fresh processes: the gatekeeper's flap
//! damping, which is there to remember, would otherwise make each return slower than the last.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};

use super::args::{Args, Fault, Profile};
use super::faults;
use super::gauge::{Gauge, Serving};
use super::load::{Load, tag};
use super::progress::Progress;
use super::record::{Numbers, ms};
use super::report;
use super::stage::{Place, Stage};

pub type Report = faults::Report<Measured>;
type Outcome = faults::Outcome<Measured>;

pub struct Measured {
    /// From the start of the load to the fault.
    before: Numbers,
    /// From the fault to the end.
    during: Numbers,
    /// See [`super::record::Journal::first_good`].
    first_good: Option<Duration>,
    /// From the fault until the standby serves; `None`: it never did.
    switched: Option<Duration>,
    /// From the end of the fault until the primary serves everything.
    failed_back: Option<Duration>,
    retries: BTreeMap<String, u64>,
    hedges: BTreeMap<String, u64>,
    switches: BTreeMap<String, u64>,
}

/// Runs all faults.
pub async fn run(args: &Args, place: &Place, progress: &mut Progress) -> anyhow::Result<Vec<Report>> {
    let what = format!(
        "failover, profile {}: {} requests/s over {} TLS connections",
        args.profile.name(),
        args.rate,
        args.clients()
    );
    let one = async |fault, progress: &mut Progress| one(fault, args, place, progress).await;
    faults::each(args, progress, (&what, SECONDS_PER_FAULT), one).await
}

/// The service that the clients use.
pub const fn measured_service(profile: Profile) -> &'static str {
    match profile {
        Profile::Xprotect => "config",
        Profile::Http => "http",
    }
}

fn serves_all(serving: &Serving, primary: &str) -> bool {
    !serving.is_empty() && serving.values().all(|by| by == primary)
}

/// Waits until the primary serves every service that anybody serves.
pub async fn settle(gauge: &Gauge, primary: &str, limit: Duration) -> anyhow::Result<Serving> {
    if gauge.wait(limit, |serving| serves_all(serving, primary)).await.is_none() {
        bail!("the primary does not serve everything after {limit:?}: {:?}", gauge.now().serving());
    }
    Ok(gauge.now().serving())
}

async fn one(fault: Fault, args: &Args, place: &Place, progress: &mut Progress) -> anyhow::Result<Outcome> {
    let name = fault.name();
    let mut stage = Stage::start(place.below(name)?, args, "2s").await?;
    let gauge = Arc::new(Gauge::start(stage.admin).await?);
    let (a, b) = (stage.primary.name, stage.standby.name);
    let service = measured_service(args.profile);
    settle(&gauge, a, Duration::from_secs(10)).await?;
    progress.step(format!("{name}: clients log in"));
    let load = Load::start(&stage.front()?, args).await?;
    let begin = Instant::now();
    progress.follow(Arc::clone(&load.journal), Arc::clone(&gauge), service);

    progress.step(format!("{name}: all is well"));
    tokio::time::sleep(BEFORE).await;
    let counted = gauge.fresh().await?;

    progress.step(format!("{name}: the primary is broken"));
    let broken_at = Instant::now();
    if let Some(reason) = stage.break_primary(fault).await? {
        load.stop().await?;
        return Ok(Outcome::NotPossible(reason));
    }
    let switched = gauge.wait(BROKEN, |serving| serving.get(service).is_some_and(|by| by == b)).await;
    tokio::time::sleep_until((broken_at + BROKEN).into()).await;

    progress.step(format!("{name}: the primary comes back"));
    stage.restore_primary(fault).await?;
    let restored_at = Instant::now();
    // Not "as before": a service that nobody has may still have been counted then.
    let returned = gauge.wait(RETURN_LIMIT, |serving| serves_all(serving, a)).await;
    progress.step(format!("{name}: all is well again"));
    tokio::time::sleep(AFTER).await;
    let end = Instant::now();
    let grown = gauge.fresh().await?;
    let journal = load.stop().await?;

    journal.write(&stage.dir.join("attempts.tsv"), broken_at)?;

    let reached: HashSet<u64> = stage.standby.arrived().await?.iter().filter_map(|head| tag(head)).collect();
    let growth = |name: &str, label: &str| grown.growth(&counted, name, label);
    Ok(Outcome::Measured(Box::new(Measured {
        before: journal.numbers(begin + SETTLED, broken_at),
        during: journal.numbers(broken_at, end),
        first_good: journal.first_good(broken_at, &reached),
        switched: switched.map(|at| at.duration_since(broken_at)),
        failed_back: returned.map(|at| at.saturating_duration_since(restored_at)),
        retries: growth("gatekeeper_retries_total", "reason"),
        hedges: growth("gatekeeper_hedges_total", "outcome"),
        switches: growth("gatekeeper_failovers_total", "service"),
    })))
}

/// For people.
pub fn table(reports: &[Report]) -> String {
    let head = [
        "fault",
        "requests",
        "failed",
        "wrong body",
        "re-logins",
        "longest gap",
        "first good",
        "switch",
        "retries",
        "hedges",
        "fail back",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let mut notes = Vec::new();
    for Report { fault, result } in reports {
        let name = fault.name();
        match result {
            Outcome::NotPossible(reason) => {
                rows.push(vec![name.into(), "not possible here".into()]);
                notes.push(format!("{name}: not possible here: {reason}"));
            }
            Outcome::Measured(m) => {
                rows.push(vec![
                    name.into(),
                    m.during.requests.to_string(),
                    m.during.failed().to_string(),
                    m.during.wrong_bodies.to_string(),
                    m.during.logins.to_string(),
                    report::time(Some(m.during.longest_gap)),
                    report::time(m.first_good),
                    report::time(m.switched),
                    m.retries.values().sum::<u64>().to_string(),
                    m.hedges.values().sum::<u64>().to_string(),
                    match (m.switched, m.failed_back) {
                        (Some(_), None) => format!("> {}", report::time(Some(RETURN_LIMIT))),
                        (switched, returned) => report::time(returned.filter(|_| switched.is_some())),
                    },
                ]);
                notes.extend(m.during.failures.iter().map(|(why, n)| format!("{name}: {n} failed: {why}")));
                if m.before.failed() + m.before.wrong_bodies > 0 || m.before.logins > 0 {
                    notes.push(format!("{name}: not quiet before the fault: {}", m.before.to_json()));
                }
            }
        }
    }
    format!(
        "{}\n{}{EXPLANATION}",
        report::columns(&rows),
        notes.iter().map(|n| format!("{n}\n")).collect::<String>()
    )
}

/// For machines.
pub fn to_json(args: &Args, reports: &[Report]) -> Value {
    let one = |Report { fault, result }: &Report| match result {
        Outcome::NotPossible(reason) => json!({ "fault": fault.name(), "possible": false, "reason": reason }),
        Outcome::Measured(m) => {
            let mut value = json!({ "fault": fault.name(), "possible": true });
            value["during"] = m.during.to_json();
            value["first_good_ms"] = json!(m.first_good.map(ms));
            value["switch_ms"] = json!(m.switched.map(ms));
            value["fail_back_ms"] = json!(m.failed_back.filter(|_| m.switched.is_some()).map(ms));
            value["retries"] = json!(m.retries);
            value["hedges"] = json!(m.hedges);
            value["switches"] = json!(m.switches);
            value["before"] = m.before.to_json();
            value
        }
    };
    json!({
        "scenario": "failover",
        "profile": args.profile.name(),
        "rate": args.rate,
        "connections": args.clients(),
        "faults": reports.iter().map(one).collect::<Vec<_>>(),
    })
}

const EXPLANATION: &str = "
Counted from the fault to one second after the return to the primary, on the clients' side:
  requests     as a user sees them: a GET, repeated once after a new log-in if it was answered 401
  failed       no 2xx after that, a log-in that failed, or a broken connection
  wrong body   2xx, but not what was asked for; not among the failed
  re-logins    log-ins that a 401 made necessary
  longest gap  between two good answers to anybody; without a fault one is due every 1/rate
  first good   from the first request that the broken primary spoiled to the first good answer of the standby
  switch       from the fault until the standby serves (20 ms fine); -: it never did
  retries      requests that the gatekeeper sent again;  hedges: also sent to the standby (its metrics)
  fail back    from the repair of the primary until it serves everything (stable_for = 2s)
";

/// Rough; a start takes two, a return about five.
const SECONDS_PER_FAULT: u64 = 15;
const BEFORE: Duration = Duration::from_secs(2);
/// The first requests of a load open connections; that is not what `before` is about.
const SETTLED: Duration = Duration::from_millis(500);
const BROKEN: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_secs(1);
const RETURN_LIMIT: Duration = Duration::from_secs(30);
