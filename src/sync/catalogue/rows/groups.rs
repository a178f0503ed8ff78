//! Groups of devices.

use super::super::{Key, MemberForm, Members};
use super::Row;

const GROUP: Row = Row {
    keys: &[Key::Path],
    fields: "*builtIn=b description=s ~id=g ~lastModified=dt name=s",
    ..Row::PLAIN
};

pub(super) const ROWS: &[Row] = &[Row {
    name: "cameraGroups",
    within: Some("cameraGroups"),
    members: &[Members { list: "cameras", form: MemberForm::Id }],
    ..GROUP
}];
