//! A hostile instance beside an honest one (design D8 to D12): it cannot make the honest one receive a byte that no user
//! sent, and no user is served something of another's.
//!
//! `evil` is a front of raw sockets before a real simulator (`mask`), so that it looks well until it plays its trick;
//! `good` is a simulator whose log of raw requests is the witness. Each hostile behaviour is a line in [`cases::CASES`].
//!
//! After each: the honest instance's user is served as before, the users of `evil` move (or are told to log in), the
//! witness is heard, and the gatekeeper has not grown.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod cases;
mod evil;
mod forge;
mod witness;
mod world;

use std::time::Instant;

use futures_util::future::join_all;

use self::cases::{CASES, Case};
use self::world::{Stage, World};

/// Stages at a time: two simulators each, and a gatekeeper for each play.
const STAGES: usize = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_instance_harms_nobody_else() {
    let wanted = std::env::var("ISOLATION_CASE").unwrap_or_default();
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.name.contains(&wanted)).collect();
    assert!(!cases.is_empty(), "no case is called {wanted:?}");
    let stages = cases.chunks(cases.len().div_ceil(STAGES)).map(async |cases| {
        let stage = Stage::new().await;
        let mut wrong = String::new();
        for case in cases {
            wrong += &play(case, &stage).await;
        }
        wrong
    });
    let wrong = join_all(stages).await.concat();
    assert!(wrong.is_empty(), "{wrong}");
}

/// Plays one case and gives everything that is wrong afterwards.
async fn play(case: &'static Case, stage: &Stage) -> String {
    let started = Instant::now();
    let mut world = World::new(stage).await;
    world.evil.plays(case, world.loot.clone());
    let before = world.memory();
    let mut wrong = (case.play)(&mut world).await;
    if world.loot.turns() == 0 {
        wrong.push("the trick was never asked for".into());
    }
    wrong.extend(world.aftermath(before).await);
    println!("{}: {:?}, {} wrong", case.name, started.elapsed(), wrong.len());
    wrong.into_iter().map(|what| format!("\n{}: {what}", case.name)).collect()
}
