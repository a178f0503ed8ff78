//! What keeps two instances' objects alike. This version knows both sides exactly and says what would be
//! done; nothing here can write to an instance, it reads with the `account`.
//!
//! ```text
//! worker: when? -> read (both sides, parallel by type) -> snapshot: objects, and what is not believed
//!              -> identity (pure): which are the same  -> links (stored; published for idmap)
//!              -> plan (pure): three-way difference with the agreed bases, policy, order, digest
//!              -> report: admin API, metrics
//! ```
//!
//! What is known about types of objects stands in one table, the [`catalogue`].

pub mod bases;
pub mod catalogue;
pub mod coverage;
pub mod identity;
pub mod links;
pub mod pair;
pub mod plan;
pub mod planned;
pub mod read;
pub mod report;
pub mod rules;
pub mod snapshot;
pub mod worker;

#[cfg(test)]
mod tests;
