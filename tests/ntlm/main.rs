//! Who logs in by the connection (NTLM) is never taken for somebody else, whatever ends in between. `STORM_SEED` and
//! `STORM_N` (hundreds of logins) choose a run (`just storm SEED N`); without them a small fixed sample runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../sim/tests/server/ntlm_client.rs"]
#[allow(dead_code, reason = "the simulator's own tests use all of it")]
mod client_half;
mod crowd;
mod dialect;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crowd::{Crowd, Tally};
use dialect::{Dialect, MADE_UP, VMS};
use support::config::Config;
use support::dice::{Dice, setting};
use support::gatekeeper::Gatekeeper;
use support::ntlm::Iis;
use support::sim::Sim;
use support::{PATIENCE, until};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Connections at once.
const CLIENTS: u64 = 24;
const USERS: u64 = 50;

struct Run {
    seed: u64,
    crowd: Crowd,
    tasks: JoinSet<()>,
    started: Instant,
}

impl Run {
    fn start(dialect: Dialect, gatekeeper: &Gatekeeper) -> Self {
        let (seed, logins) = (setting("STORM_SEED", 1), 100 * setting("STORM_N", 10));
        let (http, tally) = (gatekeeper.h1(), Arc::default());
        let until = Instant::now() + PATIENCE + Duration::from_millis(100 * logins);
        let crowd = Crowd { dialect, http, users: USERS, logins, until, tally };
        let mut tasks = JoinSet::new();
        for n in 0..CLIENTS {
            tasks.spawn(crowd.clone().run(Dice(seed << 8 | n)));
        }
        Self { seed, crowd, tasks, started: Instant::now() }
    }

    /// Waits a moment of the storm; `false` once the crowd has gone home.
    async fn goes_on(&self, dice: &mut Dice) -> bool {
        sleep(Duration::from_millis(5 + dice.roll(60))).await;
        !self.crowd.is_over()
    }

    /// Waits for the last of the crowd and judges.
    async fn end(mut self, gatekeeper: &Gatekeeper, trouble: u64) {
        while let Some(done) = self.tasks.join_next().await {
            done.unwrap();
        }
        let (tally, logins) = (&self.crowd.tally, self.crowd.logins);
        let story = format!(
            "STORM_SEED={} STORM_N={}: {tally:?} in {:?}, {trouble} troubles",
            self.seed,
            logins / 100,
            self.started.elapsed()
        );
        println!("{story}");
        assert!(tally.wrong.lock().unwrap().is_empty(), "{story}");
        let counts = [&tally.aborted, &tally.strangers, &tally.remembered].map(Tally::of);
        assert!(counts.iter().all(|n| *n > 0), "nothing was tried: {story}");
        let broken: u64 = tally.broken.lock().unwrap().values().sum();
        assert!(Tally::of(&tally.logins) >= logins && broken < logins, "hardly anything worked: {story}");
        until("no connection is pinned any more", async || {
            gatekeeper.metric("gatekeeper_pinned_connections", &[]).await == 0.0
        })
        .await;
    }
}

/// Another configuration that means the same for NTLM.
fn reload(gatekeeper: &mut Gatekeeper, n: u64) {
    let timeout = format!("response_timeout = \"{}s\"", 20 + n % 10);
    let config = gatekeeper.config.clone().table("upstream", &timeout);
    gatekeeper.rewrite(config);
    gatekeeper.process.signal("HUP");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_taken_for_another_while_connections_are_cut() {
    let (a, b) = (Iis::start("a").await, Iis::start("b").await);
    let config = Config::http(&[("a", &a.url()), ("b", &b.url())])
        .table("failback", "mode = \"after-stable\"\nstable_for = \"1s\"");
    let mut gatekeeper = Gatekeeper::ready(config).await;
    gatekeeper.wait_up("b", "http", true).await;
    let run = Run::start(MADE_UP, &gatekeeper);
    let (mut dice, mut trouble) = (Dice(run.seed), 0);
    while run.goes_on(&mut dice).await {
        trouble += 1;
        match dice.roll(6) {
            0 => reload(&mut gatekeeper, trouble),
            1 => drop(gatekeeper.command(&["drain", "a", "--reason", "storm"])),
            2 => drop(gatekeeper.command(&["release", "a", "--reason", "storm"])),
            3 => b.upstream.cut(),
            _ => a.upstream.cut(),
        }
    }
    run.end(&gatekeeper, trouble).await;
    for server in [&a, &b] {
        let misplaced = server.misplaced.load(Ordering::SeqCst);
        assert_eq!(misplaced, 0, "messages on a connection that had not asked for them");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn windows_users_get_their_own_tokens_while_instances_fail() {
    let options = ["--users", "50", "--cameras", "4", "--event-rate", "0"];
    let mut sims = [Sim::start("a", &options), Sim::start("b", &options)];
    let config = Config::xprotect(&[&sims[0], &sims[1]])
        .table("health", "interval = \"400ms\"\ntimeout = \"400ms\"\nrise = 2\nfall = 2")
        .table("failback", "mode = \"after-stable\"\nstable_for = \"1s\"");
    let mut gatekeeper = Gatekeeper::ready(config).await;
    for service in ["identity", "config"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    let run = Run::start(VMS, &gatekeeper);
    let (mut dice, mut trouble, mut drained) = (Dice(run.seed), 0, false);
    while run.goes_on(&mut dice).await {
        trouble += 1;
        match dice.roll(5) {
            0 => reload(&mut gatekeeper, trouble),
            1 => {
                drained = !drained;
                let order = if drained { "drain" } else { "release" };
                gatekeeper.succeed(&[order, "a", "--reason", "storm"]);
            }
            kind => {
                // Never both sides at once: somebody can always serve.
                let n = usize::from(!drained && dice.percent(30));
                if kind == 2 {
                    sims[n].kill();
                    sleep(Duration::from_millis(dice.roll(300))).await;
                    sims[n].restart();
                } else {
                    sims[n].fault("identity", "reset").await;
                    sleep(Duration::from_millis(dice.roll(100))).await;
                    sims[n].heal().await;
                }
                gatekeeper.wait_up(["a", "b"][n], "identity", true).await;
            }
        }
    }
    run.end(&gatekeeper, trouble).await;
}
