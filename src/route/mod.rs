//! From host and path to a site and a service.

pub mod discovery;
pub mod normalise;
pub mod table;
