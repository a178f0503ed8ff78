//! What add-on products and plug-ins bring along: access control, licence plates, MIP items.

use super::super::{Coverage, How, Key, MemberForm, Members, Place};
use super::{ASK, NEVER, Row};

/// Comes from another system, or only a plug-in knows what it means.
const FOREIGN: Row = Row {
    coverage: Coverage::CompareOnly,
    confirmed: false,
    create: How::No,
    update: How::No,
    delete: How::No,
    default: NEVER,
    note: "comes from the access control system, which is connected by hand to both sides",
    ..Row::PLAIN
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "accessControlSystems",
        fields: "~id=g *name=s ~ruleGroup?=>accessControlRuleGroups",
        ..FOREIGN
    },
    Row {
        name: "accessControlUnits",
        place: Place::Below("accessControlSystems"),
        within: Some("accessControlSystems"),
        keys: &[Key::NameWithin],
        fields: "~id=g *name=s ~ruleGroup?=>accessControlRuleGroups",
        note: "the first level only; comes from the access control system",
        ..FOREIGN
    },
    Row {
        name: "accessControlGroups",
        members: &[Members { list: "accessControlUnits", form: MemberForm::Name, change: How::No }],
        fields: "description=s ~id=g ~lastModified=dt name=s",
        confirmed: false,
        default: ASK,
        note: "which units are in it is compared by name, and set by hand",
        ..Row::PLAIN
    },
    Row {
        name: "lprMatchLists",
        fields: "customFields=s ~id=g name=s +registrationNumbers=s triggerEventList=(>any)",
        coverage: Coverage::ByTask,
        confirmed: false,
        create: How::Task("MethodIdAddOrEditRegistrationNumbersInfo"),
        default: ASK,
        note: "numbers are compared, and move by tasks; needs the plug-in on both sides",
        ..Row::PLAIN
    },
    Row {
        name: "mipKinds",
        fields: "*dataVersion=i displayOnGisMap=b ~id=g kindType={ITEM|OPTION} ~lastModified=dt \
                 *modifiedUser=s name=s parentKind=o +pluginId=s pluginName=s securityAction=s \
                 securityActionNames=s",
        confirmed: false,
        default: ASK,
        note: "belongs to a plug-in, which must be on both sides in the same version",
        ..Row::PLAIN
    },
    Row {
        name: "mipItems",
        place: Place::Below("mipKinds"),
        within: Some("mipKinds"),
        keys: &[Key::Fields(&["Name"])],
        open: true,
        fields: "__Encrypt=b enabled=b GisPoint=s ~Id=s ~LastModified=s Name=s",
        note: "the first level only; what a plug-in means by it is not public",
        ..FOREIGN
    },
];
