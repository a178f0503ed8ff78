//! TLS on both sides: what clients see, and whom we trust behind us.

pub mod client;
