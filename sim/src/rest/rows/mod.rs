//! The table of types (sheet 3.5 and 3.6), a file a subject. Cheap to extend: the engine reads everything from here.

mod alarms;
mod devices;
mod events;
mod groups;
mod licences;
mod plugins;
mod ptz;
mod reactions;
mod recording;
mod security;
mod settings;
mod shapes;
mod site;
mod site_shapes;
mod views;

use super::{shape::ShapeRow, table::Row};

/// Every type that this instance serves.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        site::ROWS,
        licences::ROWS,
        reactions::ROWS,
        views::ROWS,
        plugins::ROWS,
        recording::ROWS,
        devices::ROWS,
        settings::ROWS,
        ptz::ROWS,
        groups::ROWS,
        security::ROWS,
        events::ROWS,
        alarms::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Every embedded object.
pub fn shapes() -> impl Iterator<Item = &'static ShapeRow> {
    [shapes::SHAPES, site_shapes::SHAPES].into_iter().flatten()
}
