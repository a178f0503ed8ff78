//! Reads one instance through its API into a [`Snapshot`](super::snapshot::Snapshot), and says of every
//! type whether that may be believed.
//!
//! ```text
//! full -> list (one type) -> ask (pace, repeats) -> the instance
//!           |-> pages      a whole list, or the reason why it is none      (pure)
//!           '-> schema     JSON -> canonical object, or what is different  (pure)
//! ```

pub mod canonical;
pub mod pages;
mod reference;
pub mod schema;
pub mod stamp;
