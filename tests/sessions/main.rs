//! Sessions that survive the switch: two simulated instances over TLS, the real binary before them, clients over real
//! sockets. One file a subject; what an instance was sent is read from the instance's own record.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod binding;
mod ending;
mod expiry;
mod ids;
#[path = "../../sim/tests/server/ntlm_client.rs"]
#[allow(dead_code, reason = "the simulator's own tests use all of it")]
mod ntlm_client;
mod operators;
mod policy;
mod refresh;
mod refusals;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod twins;
mod windows;
mod world;
