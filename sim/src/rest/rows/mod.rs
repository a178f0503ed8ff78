//! The table of types (sheet 3.5 and 3.6), a file a subject. Cheap to extend: the engine reads everything from here.

mod events;
mod groups;
mod recording;
mod security;
mod settings;
mod shapes;
mod site;

use super::{shape::ShapeRow, table::Row};

/// Every type that this instance serves.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [site::ROWS, recording::ROWS, settings::ROWS, groups::ROWS, security::ROWS, events::ROWS]
        .into_iter()
        .flatten()
}

/// Every embedded object.
pub fn shapes() -> impl Iterator<Item = &'static ShapeRow> {
    [shapes::SHAPES].into_iter().flatten()
}
