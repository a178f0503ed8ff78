//! Groups of devices.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[Row {
    name: "cameraGroups",
    display: "Camera groups",
    parent: "sites cameraGroups",
    collection: "GP",
    item: "GUAD",
    flags: "group",
    fields: "builtIn*:b description:s id*:g lastModified*:dt name!:s",
    subs: "~cameras=GP/GD cameraGroups=G",
    ..Row::PLAIN
}];
