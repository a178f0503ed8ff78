//! One id space (design section 1): the same object has another GUID on every instance; clients know
//! those of the site's primary, whoever serves.
//!
//! Pure: [`matcher`] finds out which objects are the same, [`map`] says which GUIDs mean the same,
//! [`translate`] finds them in a text on its way.

pub mod guid;
pub mod kind;
pub mod map;
pub mod matcher;
mod scan;
pub mod translate;
pub mod within;
