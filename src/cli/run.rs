//! `gatekeeper run`.

use std::path::Path;
use std::process::ExitCode;

use super::Outcome;
use crate::app;
use crate::config::reload::Watch;

/// Serves until it is told to stop.
pub fn run(path: &Path) -> ExitCode {
    if let Err(e) = crate::log::init() {
        eprintln!("gatekeeper: {e}");
        return Outcome::Usage.into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("gatekeeper: cannot start threads: {e}");
            return Outcome::Failed.into();
        }
    };
    let outcome = runtime.block_on(async {
        // Before the configuration is read: a change in between is then seen.
        let watch = Watch::new(path);
        let config = match crate::config::load(path) {
            Ok(config) => config,
            Err(e) => {
                eprintln!("{e}");
                return Outcome::Usage;
            }
        };
        match app::run(config, watch).await {
            Ok(()) => Outcome::Done,
            Err(e) => {
                eprintln!("gatekeeper: {e}");
                Outcome::Failed
            }
        }
    });
    // What still runs (a second signal has cut the drain) must not hold the exit up.
    runtime.shutdown_background();
    outcome.into()
}

/// Probes and operators need little; two, so that one slow task does not stop the other.
const CONTROL_THREADS: usize = 2;
