//! The table of types (sheet 3.5 and 3.6), a file a subject. Cheap to extend: the engine reads everything from here.

mod alarms;
mod events;
mod groups;
mod recording;
mod security;
mod site;

use super::table::Row;

/// Every type that this instance serves.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [site::ROWS, recording::ROWS, groups::ROWS, security::ROWS, events::ROWS, alarms::ROWS]
        .into_iter()
        .flatten()
}
