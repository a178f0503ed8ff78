//! Towards the instances: connections, their reuse, and the rules for trying again.

pub mod attempt;
pub mod backend;
pub mod ban;
pub mod budget;
pub mod connect;
pub mod forward;
pub mod pinned;
pub mod pool;
pub mod socket;
pub mod tunnel;
