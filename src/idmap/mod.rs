//! One id space (design section 1): the same object has another GUID on every instance; clients know
//! those of the site's primary, whoever serves.
//!
//! Pure: [`map`] says which GUIDs mean the same, [`translate`] finds them in a text on its way. Which
//! objects are the same is found out by [`sync::identity`](crate::sync::identity).

pub mod guid;
pub mod map;
mod scan;
pub mod translate;
pub mod within;
