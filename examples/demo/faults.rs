//! A scenario that breaks the primary in several ways, each with fresh processes.

use anyhow::Context as _;

use super::args::{Args, Fault};
use super::progress::Progress;

/// What one fault did.
pub struct Report<M> {
    pub fault: Fault,
    pub result: Outcome<M>,
}

pub enum Outcome<M> {
    Measured(Box<M>),
    NotPossible(String),
}

/// Runs `one` for every fault that was asked for. `what` happens; a fault takes about so many seconds.
pub async fn each<M>(
    args: &Args,
    progress: &mut Progress,
    (what, seconds): (&str, u64),
    mut one: impl AsyncFnMut(Fault, &mut Progress) -> anyhow::Result<Outcome<M>>,
) -> anyhow::Result<Vec<Report<M>>> {
    let faults = args.faults();
    let names: Vec<&str> = faults.iter().map(|fault| fault.name()).collect();
    let about = names.len() as u64 * seconds;
    progress.say(&format!("{what}; {}; about {about} s in all", names.join(", ")));
    let mut reports = Vec::new();
    for fault in faults {
        let name = fault.name();
        progress.step(format!("{name}: starting two instances and the gatekeeper"));
        let result = one(fault, progress).await.with_context(|| format!("fault {name}"))?;
        progress.rest();
        if let Outcome::NotPossible(reason) = &result {
            progress.step(format!("{name}: not possible here: {reason}"));
        }
        reports.push(Report { fault, result });
    }
    Ok(reports)
}
