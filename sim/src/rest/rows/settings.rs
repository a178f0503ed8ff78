//! What there is once for a device, hardware or storage.

use crate::rest::table::Row;

/// What they share: no collection, one object with its parent's id.
const SINGLE: Row = Row { collection: "", item: "GUA", flags: "single", ..Row::PLAIN };

/// Their rows.
pub static ROWS: &[Row] = &[Row {
    name: "settings",
    display: "Settings",
    parent: "cameras",
    fields: "generalSettings*:[<generalSettings>]=1 ptz:<ptz> ptzSessionTimeouts:<ptzSessionTimeouts> \
                 stream*:[<streamSettings>]=1",
    ..SINGLE
}];
