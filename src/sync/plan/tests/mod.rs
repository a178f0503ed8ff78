//! Plans of small worlds.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod alias;
mod build;
mod golden;
mod model;
mod rules;
mod show;
