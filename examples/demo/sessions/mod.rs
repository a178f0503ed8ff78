//! Logged-in users ride through what happens to the primary: none of them should notice, but for those whose
//! log-in cannot be repeated for them (NTLM). Each fault gets fresh processes, as in `failover`.

mod client;
mod notes;
// A test's code: what it finds wrong ends the program.
#[allow(clippy::unwrap_used, dead_code, reason = "the simulator's own tests use all of it")]
#[path = "../../../sim/tests/server/ntlm_client.rs"]
mod ntlm;
mod oracle;
mod socket;
mod user;
mod verdict;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, bail};
use tokio::task::JoinSet;

use super::args::{Args, Fault};
use super::failover::settle;
use super::faults;
use super::gauge::Gauge;
use super::progress::Progress;
use super::record::Numbers;
use super::stage::{Place, Stage};
use client::Client;
use notes::{Notes, Tally};
use oracle::Oracle;
use socket::Socket;
use user::{Kind, User};
pub use verdict::{broken, table, to_json};

pub type Report = faults::Report<Measured>;
type Outcome = faults::Outcome<Measured>;

pub struct Measured {
    /// From the fault to the end of the fault.
    fault: Phase,
    /// From there until the primary has served for a while.
    back: Phase,
    /// From the fault until the standby serves; `None`: it never did.
    switched: Option<Duration>,
    /// From the end of the fault until the primary serves everything.
    failed_back: Option<Duration>,
    /// Changes that reached the instances twice.
    replayed: usize,
    /// What the instances' records say against the users.
    contradictions: Vec<String>,
    /// From the answer of a log-in until its twin existed, in order.
    twins: Vec<Duration>,
    /// How many log-ins should have one.
    log_ins: usize,
}

struct Phase {
    numbers: Numbers,
    tally: Tally,
}

/// Runs all faults.
pub async fn run(args: &Args, place: &Place, progress: &mut Progress) -> anyhow::Result<Vec<Report>> {
    let what = format!(
        "sessions: {} password users and {NTLM_USERS} NTLM users, a socket each, {} requests/s",
        args.clients(),
        args.rate
    );
    let one = async |fault, progress: &mut Progress| one(fault, args, place, progress).await;
    faults::each(args, progress, (&what, SECONDS_PER_FAULT), one).await
}

async fn one(fault: Fault, args: &Args, place: &Place, progress: &mut Progress) -> anyhow::Result<Outcome> {
    let name = fault.name();
    let mut stage = Stage::start(place.below(name)?, args, "2s").await?;
    let gauge = Arc::new(Gauge::start(stage.admin).await?);
    let (a, b) = (stage.primary.name, stage.standby.name);
    settle(&gauge, a, Duration::from_secs(10)).await?;
    progress.step(format!("{name}: the matcher finds out which cameras are the same"));
    if gauge.until(MATCH_LIMIT, |reading| reading.linked_cameras() >= CAMERAS).await.is_none() {
        bail!("only {} of {CAMERAS} cameras are linked", gauge.now().linked_cameras());
    }
    let oracle = Oracle::start(&[stage.primary.control(), stage.standby.control()]);
    progress.step(format!("{name}: users log in"));
    let crowd = Crowd::start(&stage, args).await?;
    let notes = Arc::clone(&crowd.notes);
    progress.follow(Arc::clone(&notes.journal), Arc::clone(&gauge), "config");

    progress.step(format!("{name}: all is well"));
    tokio::time::sleep(BEFORE).await;
    progress.step(format!("{name}: it happens"));
    let (broken_at, twins_until) = (Instant::now(), SystemTime::now());
    if let Some(reason) = stage.break_primary(fault).await? {
        crowd.stop().await?;
        return Ok(Outcome::NotPossible(reason));
    }
    let by_standby = |serving: &super::gauge::Serving| serving.get("config").is_some_and(|by| by == b);
    let switched = gauge.wait(BROKEN, by_standby).await;
    tokio::time::sleep_until((broken_at + BROKEN).into()).await;

    progress.step(format!("{name}: it is over"));
    let restored_at = Instant::now();
    stage.restore_primary(fault).await?;
    let all = |serving: &super::gauge::Serving| !serving.is_empty() && serving.values().all(|by| by == a);
    let returned = gauge.wait(RETURN_LIMIT, all).await;
    progress.step(format!("{name}: all is well again"));
    tokio::time::sleep(AFTER).await;
    let end = Instant::now();
    let sockets = crowd.stop().await?;
    notes.journal.write(&stage.dir.join("attempts.tsv"), broken_at)?;

    let phase =
        |from, to| Phase { numbers: notes.journal.numbers(from, to), tally: notes.tally(from, to, sockets) };
    Ok(Outcome::Measured(Box::new(Measured {
        fault: phase(broken_at, restored_at),
        back: phase(restored_at, end),
        switched: switched.map(|at| at.duration_since(broken_at)),
        failed_back: returned.map(|at| at.saturating_duration_since(restored_at)),
        replayed: oracle.replayed().len(),
        contradictions: oracle.contradictions(&notes.changes(), fault == Fault::Kill).await?,
        twins: oracle.twins(&notes.log_ins(), twins_until),
        log_ins: notes.log_ins().len(),
    })))
}

/// All users at work.
struct Crowd {
    clients: JoinSet<()>,
    sockets: JoinSet<()>,
    stop: Arc<AtomicBool>,
    notes: Arc<Notes>,
}

impl Crowd {
    /// Logs in everybody and opens the sockets; then the clock starts.
    async fn start(stage: &Stage, args: &Args) -> anyhow::Result<Self> {
        let (target, notes) = (stage.front()?, Arc::new(Notes::default()));
        let (tags, stop) = (Arc::new(AtomicU64::new(1)), Arc::new(AtomicBool::new(false)));
        let passwords = (1..=args.clients()).map(|number| User { kind: Kind::Password, number });
        let windows = (1..=NTLM_USERS).map(|number| User { kind: Kind::Ntlm, number });
        let (mut ready, mut sockets) = (Vec::new(), JoinSet::new());
        for (place, user) in passwords.chain(windows).enumerate() {
            let client = Client::start(user, &target, &tags, &notes).await.with_context(|| user.name())?;
            let (shared, target, notes) = (Arc::clone(&client.shared), target.clone(), Arc::clone(&notes));
            let socket = Socket { shared, place, target, notes };
            let open = socket.open().await.with_context(|| format!("socket of {}", user.name()))?;
            sockets.spawn(socket.run(open));
            ready.push(client);
        }
        // Each client asks every `period`; together they are spread evenly.
        let count = u32::try_from(ready.len())?;
        let period = Duration::from_secs(1) * count / args.rate;
        let begin = Instant::now() + Duration::from_millis(50);
        let mut clients = JoinSet::new();
        for (place, client) in (0..).zip(ready) {
            clients.spawn(client.run(begin + period * place / count, period, Arc::clone(&stop)));
        }
        Ok(Self { clients, sockets, stop, notes })
    }

    /// Nothing new is asked for; waits until what runs has ended. Gives the number of sockets.
    async fn stop(mut self) -> anyhow::Result<usize> {
        self.stop.store(true, Ordering::Relaxed);
        while let Some(ended) = self.clients.join_next().await {
            ended.context("a client failed")?;
        }
        Ok(self.sockets.len())
    }
}

/// A few: their log-ins are what cannot be repeated for them.
const NTLM_USERS: u32 = 6;
/// Rough; a start with its log-ins takes five, a return about five.
const SECONDS_PER_FAULT: u64 = 22;
const BEFORE: Duration = Duration::from_secs(2);
const BROKEN: Duration = Duration::from_secs(6);
/// Long enough to hear who is deaf.
const AFTER: Duration = Duration::from_secs(4);
/// What an instance has by default.
const CAMERAS: f64 = 50.0;
const MATCH_LIMIT: Duration = Duration::from_secs(20);
const RETURN_LIMIT: Duration = Duration::from_secs(30);
