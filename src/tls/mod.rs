//! TLS on both sides: what clients see, and whom we trust behind us.

pub mod client;
pub mod resolver;
pub mod server;
