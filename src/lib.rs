//! Gatekeeper: the front door of an active-active video management system.

pub mod accept;
pub mod admin;
pub mod app;
pub mod balance;
pub mod cli;
pub mod clock;
pub mod config;
pub mod health;
pub mod http;
pub mod live;
pub mod log;
pub mod metrics;
pub mod route;
pub mod session;
pub mod stack;
pub mod state;
pub mod tls;
pub mod upstream;
pub mod vms;

#[cfg(test)]
pub(crate) mod testing;
