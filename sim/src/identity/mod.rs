//! The Identity Provider (sheet 2).

mod caller;

pub use caller::{AuthError, Caller, Role};
