//! One simulated XProtect VMS instance, written from its public protocol (`xprotect-protocol.md`, "the sheet").
//!
//! The crate answers real clients, so it shares no type with the gatekeeper. [`api::Api`] is the whole instance without
//! its sockets: settings in, requests in, responses out. What the sheet marks as inferred is a row of [`switches`].
//!
//! Configuration is a table that [`rest`] reads; events and alarms are the [`eventserver`]'s, bookmarks and evidence
//! locks are [`marks`].
//!
//! [`instance::Instance`] is what runs: the `Api`, the [`server`] that puts it on the network and records what arrives,
//! the [`physical`] world that [`feed`] turns into events of the [`journal`], the Events & State [`socket`] and its
//! neighbours ([`messages`], [`webrtc`]), and the [`faults`] that the [`control`] API makes. [`cli`] starts it.

pub mod api;
pub mod cli;
pub mod control;
pub mod discovery;
pub mod eventserver;
pub mod faults;
pub mod feed;
pub mod http;
pub mod identity;
pub mod instance;
pub mod journal;
pub mod marks;
pub mod messages;
pub mod physical;
pub mod rest;
pub mod rights;
pub mod server;
pub mod service;
pub mod settings;
pub mod soap;
pub mod socket;
pub mod stamp;
pub mod switches;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
mod testing;
pub mod webrtc;
pub mod world;
