//! The commands of `gatekeeper`, one file each.

pub mod check;
