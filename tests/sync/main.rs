//! What keeps the objects of two instances together, as an operator and the instances see it: real processes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod doubts;
mod hostile;
mod links;
mod oracle;
mod plan;
mod sides;
