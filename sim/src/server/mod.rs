//! The instance on the network: listener, TLS, HTTP, the record of what arrived, and faults of connections.

pub mod arrivals;
pub mod breaker;
mod connection;
mod gate;
mod head;
pub mod listener;
pub mod pages;
mod plain;
mod request;
pub mod tls;
pub mod wire;
