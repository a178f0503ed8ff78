//! Who serves what: from health, policy and the operator's overrides to one instance per request.
//! Everything here is pure; the supervisor calls it and publishes the result.

pub mod failback;
pub mod history;
pub mod overrides;
pub mod pick;
pub mod picture;
pub mod serving;

pub use overrides::{Override, OverrideKind};
pub use pick::{Bound, Pick, PickReason, Twins, pick};
pub use picture::{Failover, Picture};
pub use serving::{Entry, Reason, Table, serve};
