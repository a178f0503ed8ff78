//! The real binary, from outside.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cli;
mod codeflow;
mod config_faults;
mod event_faults;
mod eventserver;
mod faults;
mod marks;
mod messages;
mod ntlm;
mod ntlm_client;
mod requests;
mod soap;
mod socket;
mod support;
mod tls;
mod webrtc;
mod world;
