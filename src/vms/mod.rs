//! The VMS as we consume it ourselves: what probes ask, and the documents that describe an
//! instance.

pub mod client;
pub mod documents;
pub mod jwks;
pub mod socket;
pub mod token;
