//! What keeps two instances' objects together. For now: which objects are the same.
//!
//! ```text
//! worker: when? -> read (both sides, whole lists) -> idmap::matcher (pure) -> links (stored, published)
//! ```
//!
//! Reads with the instance's `account` only; nothing here can write to an instance.

pub mod bases;
pub mod catalogue;
pub mod coverage;
pub mod identity;
pub mod links;
mod lists;
pub mod pair;
pub mod plan;
pub mod read;
pub mod report;
pub mod rules;
pub mod snapshot;
pub mod worker;

#[cfg(test)]
mod tests;
