//! The demo: two simulated XProtect instances and the gatekeeper in front of them, on loopback.
//!
//! `cargo run --release --example demo -- --help` says what it can show. One file a subject: the processes
//! ([`child`], [`stage`]), the load ([`load`]) and what it noted ([`record`]), what the gatekeeper says
//! about itself ([`gauge`]), and one file per scenario.

#[path = "demo/args.rs"]
mod args;
#[path = "demo/ca.rs"]
mod ca;
#[path = "demo/child.rs"]
mod child;
#[path = "demo/configuration.rs"]
mod configuration;
#[path = "demo/drift/mod.rs"]
mod drift;
#[path = "demo/failover.rs"]
mod failover;
#[path = "demo/faults.rs"]
mod faults;
#[path = "demo/flap.rs"]
mod flap;
#[path = "demo/gauge.rs"]
mod gauge;
#[path = "demo/load.rs"]
mod load;
#[path = "demo/ports.rs"]
mod ports;
#[path = "demo/progress.rs"]
mod progress;
#[path = "demo/record.rs"]
mod record;
#[path = "demo/report.rs"]
mod report;
#[path = "demo/serve.rs"]
mod serve;
#[path = "demo/sessions/mod.rs"]
mod sessions;
#[path = "demo/slow.rs"]
mod slow;
#[path = "demo/stage.rs"]
mod stage;
#[path = "demo/web.rs"]
mod web;

use std::process::ExitCode;

use args::{Args, Scenario};
use progress::Progress;
use stage::Place;
use tokio::signal::unix::{SignalKind, signal};

// The gatekeeper runs in this program; it shall run as in its own.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args = match child::run_as_child(std::env::args_os().collect()) {
        Ok(code) => return code,
        Err(args) => args,
    };
    let args = match args::parse(args) {
        Ok(args) => args,
        Err(error) => {
            // Help comes here too: stdout and 0; mistakes: stderr and 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // Outlives everything that uses it.
    let place = Place::new(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stopped = tokio::select! {
            result = perform(args, &place) => return result,
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
        };
        // To serve until somebody says stop is what was asked for; a scenario that was cut short is not.
        Ok(if args.scenario.is_none() { ExitCode::SUCCESS } else { ExitCode::from(stopped) })
    })
}

async fn perform(args: &Args, place: &Place) -> anyhow::Result<ExitCode> {
    let Some(scenario) = args.scenario else {
        return serve::run(args, place).await.map(|()| ExitCode::SUCCESS);
    };
    let mut code = ExitCode::SUCCESS;
    let mut progress = Progress::new();
    let progress = &mut progress;
    let (text, json) = match scenario {
        Scenario::Failover => {
            let reports = failover::run(args, place, progress).await?;
            (failover::table(&reports), failover::to_json(args, &reports))
        }
        Scenario::Flap => {
            let report = flap::run(args, place, progress).await?;
            (flap::text(&report), flap::to_json(args, &report))
        }
        Scenario::Slow => {
            let report = slow::run(args, place, progress).await?;
            (slow::text(&report), slow::to_json(args, &report))
        }
        Scenario::Sessions => {
            let reports = sessions::run(args, place, progress).await?;
            if sessions::broken(&reports) {
                code = ExitCode::FAILURE;
            }
            (sessions::table(&reports), sessions::to_json(args, &reports))
        }
        Scenario::Drift => {
            let report = drift::run(args, place, progress).await?;
            if report.is_broken() {
                code = ExitCode::FAILURE;
            }
            (drift::text(&report), drift::to_json(&report))
        }
    };
    progress.rest();
    if args.json {
        println!("{json:#}");
    } else {
        print!("{text}");
    }
    Ok(code)
}
