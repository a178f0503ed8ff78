//! From a listening socket to a client connection: one set of listeners per core, limits, the PROXY
//! header, TLS, and the end of it all.

pub mod listener;
pub mod proxy;
pub mod worker;
