//! Groups of devices, a type for each type of device.

use crate::rest::table::Row;

/// What they share.
const GROUP: Row = Row {
    collection: "GP",
    item: "GUAD",
    flags: "group",
    fields: "builtIn*:b description:s id*:g lastModified*:dt name!:s",
    ..Row::PLAIN
};

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "cameraGroups",
        display: "Camera groups",
        parent: "sites cameraGroups",
        subs: "~cameras=GP/GD cameraGroups=G",
        ..GROUP
    },
    Row {
        name: "microphoneGroups",
        display: "Microphone groups",
        parent: "sites microphoneGroups",
        subs: "~microphones=GP/GD microphoneGroups=G",
        ..GROUP
    },
    Row {
        name: "speakerGroups",
        display: "Speaker groups",
        parent: "sites speakerGroups",
        subs: "~speakers=GP/GD speakerGroups=G",
        ..GROUP
    },
    Row {
        name: "metadataGroups",
        display: "Metadata groups",
        parent: "sites metadataGroups",
        subs: "~metadata=GP/GD metadataGroups=G",
        ..GROUP
    },
    Row {
        name: "inputEventGroups",
        display: "Input event groups",
        parent: "sites inputEventGroups",
        subs: "~inputEvents=GP/GD inputEventGroups=G",
        ..GROUP
    },
    Row {
        name: "outputGroups",
        display: "Output groups",
        parent: "sites outputGroups",
        subs: "~outputs=GP/GD outputGroups=G",
        ..GROUP
    },
];
