//! What add-on products and plug-ins bring along: access control, licence plates, MIP items.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "accessControlSystems",
        display: "Access control systems",
        item: "GP",
        fields: "id*:g name*:s ruleGroup*:>accessControlRuleGroups",
        subs: "accessControlUnits=G",
        tasks: "GetInternalUnitPath",
        ..Row::PLAIN
    },
    Row {
        name: "accessControlUnits",
        display: "Access control units",
        parent: "accessControlSystems accessControlUnits",
        collection: "",
        item: "GP",
        fields: "id*:g name*:s ruleGroup*:>accessControlRuleGroups",
        subs: "accessControlUnits=G",
        tasks: "ChangeSecurityPermissions",
        ..Row::PLAIN
    },
    // Other objects only refer to them.
    Row {
        name: "accessControlRuleGroups",
        display: "Access control rule groups",
        parent: "accessControlSystems",
        collection: "",
        item: "",
        fields: "id*:g name*:s",
        ..Row::PLAIN
    },
    Row {
        name: "accessControlGroups",
        display: "Access control groups",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "description:s id*:g lastModified*:dt name!:s",
        subs: "~accessControlUnits=G",
        tasks: "ChangeSecurityPermissions",
        ..Row::PLAIN
    },
    Row {
        name: "lprMatchLists",
        display: "License plate match lists",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "customFields:s id*:g name!:s registrationNumbers*:s triggerEventList:[>any]",
        tasks: "MethodIdGetCustomFieldsForRegistrationNumber MethodIdGetRegistrationNumbersInfo \
                MethodIdAddOrEditRegistrationNumbersInfo MethodIdDeleteRegistrationNumbers \
                MethodIdDeleteAllRegistrationNumbers",
        ..Row::PLAIN
    },
    Row {
        name: "mipKinds",
        display: "MIP kinds",
        collection: "GP",
        item: "GUAD",
        fields: "dataVersion*:i=1 displayOnGisMap:b id*:g kindType:{ITEM|OPTION} lastModified*:dt modifiedUser*:s \
                 name!:s parentKind:s pluginId*+:s pluginName:s securityAction:s securityActionNames:s",
        subs: "mipItems=GP/GD",
        collection_tasks: "GetMIPOptionProperty SetMIPOptionProperty",
        ..Row::PLAIN
    },
    Row {
        name: "mipItems",
        display: "MIP items",
        parent: "mipKinds mipItems",
        collection: "",
        item: "P",
        flags: "open",
        fields: "__Encrypt:b enabled:b=true GisPoint:s=POINT_EMPTY Id*:s LastModified*:dt Name!:s",
        subs: "mipItems=G/G",
        tasks: "ChangeSecurityPermissions",
        ..Row::PLAIN
    },
];
