//! One simulated XProtect VMS instance, written from its public protocol (`xprotect-protocol.md`, "the sheet").
//!
//! The crate answers real clients, so it shares no type with the gatekeeper. [`api::Api`] is the whole instance without
//! its sockets: settings in, requests in, responses out. What the sheet marks as inferred is a row of [`switches`].

pub mod api;
pub mod discovery;
pub mod http;
pub mod identity;
pub mod rest;
pub mod rights;
pub mod settings;
pub mod stamp;
pub mod switches;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
mod testing;
pub mod world;
