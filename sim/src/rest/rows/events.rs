//! Events, their types and states.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "userDefinedEvents",
        display: "User-defined events",
        collection: "GP",
        item: "GPUAD",
        fields: "createdDate*:dt id*:g lastModified*:dt name!:s subtype*:s",
        tasks: "ChangeSecurityPermissions",
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
        subs: "eventTypes=G ~analyticsEvents=G ~userDefinedEvents= ~genericEvents=",
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
    Row {
        name: "genericEventDataSources",
        display: "Generic event data sources",
        collection: "GP",
        item: "GUAD",
        flags: "disabled unique",
        fields: "dataSourceAddressFamily:{Both|InterNetwork|InterNetworkV6} dataSourceAllowed:s dataSourceAllowed6:s \
                 dataSourceEcho:{Full|Statistics|None} dataSourceEncoding:i=20127 dataSourceLog:b dataSourcePort:i=1234 \
                 dataSourceProtocol:{Both|Tcp|Udp} dataSourceSeparator:s=13,10 enabled:b=true id*:g name!:s",
        ..Row::PLAIN
    },
    Row {
        name: "genericEvents",
        display: "Generic events",
        collection: "GP",
        item: "GUAD",
        flags: "disabled",
        fields: "dataSource:^genericEventDataSources enabled:b=true expression:s expressionType:{0|1|2} id*:g \
                 lastModified*:dt name!:s priority:i=1 shadowId*:s",
        ..Row::PLAIN
    },
];
