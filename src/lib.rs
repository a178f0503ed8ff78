//! Gatekeeper: the front door of an active-active video management system.

pub mod cli;
pub mod clock;
pub mod config;
