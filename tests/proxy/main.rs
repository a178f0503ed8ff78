//! The gatekeeper as a client, an operator and an instance see it: real processes, real sockets, TLS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod affinity;
mod blame;
mod codeflow;
mod cookies;
mod discovery;
mod failback;
mod failover;
mod flow;
mod http;
mod in_band;
mod limits;
mod made;
mod native;
mod ntlm;
mod ntlm_moves;
mod ntlm_users;
mod odd;
mod operate;
mod promises;
mod quarantine;
mod reload;
mod reuse;
mod routing;
mod sockets;
mod stalls;
mod streams;
mod throttle;
mod voice;
