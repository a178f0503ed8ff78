//! The site itself and its services.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "sites",
        display: "Sites",
        parent: "",
        item: "GPUA",
        fields: "computerName*:s description:s domainName*:s id*:g lastModified*:dt lastStatusHandshake*:dt \
                 masterSiteAddress*:s name:s physicalMemory*:i platform*:s=[Not_Available] processors*:i \
                 serviceAccount*:s synchronizationStatus*:i timeZone*:s version*:s",
        subs: "*=G",
        ..Row::PLAIN
    },
    Row {
        name: "systemAddresses",
        display: "System addresses",
        item: "",
        fields: "addressType*:{Internal|External|Server} url*:s",
        ..Row::PLAIN
    },
    Row {
        name: "registeredServices",
        display: "Registered services",
        collection: "GP",
        item: "GAD",
        flags: "disabled client-ids post-200 since-24.2",
        fields: "name!:s description:s id*:g enabled:b=true serviceType:g customData:s uris:[s] endpoints:[o]",
        ..Row::PLAIN
    },
];
