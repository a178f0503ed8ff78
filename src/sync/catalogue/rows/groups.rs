//! Groups of devices.

use super::super::{How, Key, MemberForm, Members};
use super::Row;

const GROUP: Row = Row {
    keys: &[Key::Path],
    fields: "*builtIn=b description=s ~id=g ~lastModified=dt name=s",
    note: "those that come with the installation are read-only",
    ..Row::PLAIN
};

/// The devices in a group.
const fn devices(list: &'static str) -> Members {
    Members { list, form: MemberForm::Id, change: How::Rest }
}

pub(super) const ROWS: &[Row] = &[
    Row { name: "cameraGroups", within: Some("cameraGroups"), members: &[devices("cameras")], ..GROUP },
    Row {
        name: "microphoneGroups",
        within: Some("microphoneGroups"),
        members: &[devices("microphones")],
        ..GROUP
    },
    Row { name: "speakerGroups", within: Some("speakerGroups"), members: &[devices("speakers")], ..GROUP },
    Row { name: "metadataGroups", within: Some("metadataGroups"), members: &[devices("metadata")], ..GROUP },
    Row {
        name: "inputEventGroups",
        within: Some("inputEventGroups"),
        members: &[devices("inputEvents")],
        ..GROUP
    },
    Row { name: "outputGroups", within: Some("outputGroups"), members: &[devices("outputs")], ..GROUP },
];
