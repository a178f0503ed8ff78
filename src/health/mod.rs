//! Health per (instance, service): active probes, what the data plane saw, and the machine that
//! decides from both (design D4, D5).
//!
//! [`signal`] and [`report`] are the data plane's side: atomics only. [`state`] and [`window`]
//! decide and are pure. [`board`] is the snapshot that [`crate::balance`] reads.

pub mod board;
pub mod cause;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod latency;
pub mod probe;
pub mod report;
pub mod signal;
pub mod state;
pub mod supervisor;
pub mod window;

pub use board::{Board, Fact};
pub use cause::Cause;
pub use report::{Reporter, Signal};
pub use signal::{Gauge, Monitor};
pub use state::Condition;
