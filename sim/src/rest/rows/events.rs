//! Events, their types and states.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "userDefinedEvents",
        display: "User-defined events",
        collection: "GP",
        item: "GUAD",
        fields: "createdDate*:dt id*:g lastModified*:dt name!:s subtype*:s",
        ..Row::PLAIN
    },
    Row {
        name: "analyticsEvents",
        display: "Analytics events",
        collection: "GP",
        item: "GUAD",
        fields: "description:s id*:g lastModified*:dt name!:s sourceArray*:[s]",
        ..Row::PLAIN
    },
    Row {
        name: "eventTypeGroups",
        display: "Event type groups",
        subs: "eventTypes=G ~analyticsEvents=G",
        ..Row::PLAIN
    },
    Row {
        name: "eventTypes",
        display: "Event types",
        parent: "eventTypeGroups",
        fields: "builtIn*:b=true counterEventID*:s description*:s generatorGroupId*:s generatorGroupName*:s \
                 generatorID*:s generatorName*:s generatorSubtype*:s generatorType*:s id*:g lastModified*:dt name*:s \
                 occursGlobally*:b sourceArray*:[s] sourceFilterArray*:[s] state*:s stateGroupId*:s",
        ..Row::PLAIN
    },
    Row {
        name: "stateGroups",
        display: "State groups",
        collection: "GP",
        item: "GUAD",
        fields: "id*:g lastModified*:dt name!:s states:[s]",
        ..Row::PLAIN
    },
];
