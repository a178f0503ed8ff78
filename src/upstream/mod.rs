//! Towards the instances: connections, their reuse, and the rules for trying again.

pub mod connect;
