//! The site itself, other sites, its servers, services and addresses.

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
        subs: "*=G +licenseDetails=G +licenseInstalledProducts=G +licenseOverviewAll=G",
        tasks: "ClientLogOnSupported UploadFileChunk",
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
        name: "childSites",
        display: "Child sites",
        parent: "sites childSites",
        item: "GP",
        fields: "connectionState*:s description*:s id*:g lastModified*:dt serviceAccount*:s=S-1-5-20 \
                 synchronizationStatus*:i version*:s",
        subs: "siteAddresses=G childSites=G",
        tasks: "ChangeSecurityPermissions",
        ..Row::PLAIN
    },
    Row {
        name: "siteAddresses",
        display: "Site addresses",
        parent: "childSites",
        collection: "",
        item: "",
        fields: "addressType*:{Internal|External|Server} url*:s",
        ..Row::PLAIN
    },
    Row {
        name: "servers",
        display: "Servers",
        fields: "addresses*:[s] description*:s id*:g name*:s type*:s",
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
    Row {
        name: "toolOptions",
        display: "Tool options",
        item: "GUA",
        fields: "deviceErrorTimeoutSec:{0|5|10|15|30|45|60|120|300} pausePatrollingTimeoutSec:i=600 \
                 ptzManualSessionTimeoutSec:i=15 ptzReservedSessionTimeoutSec:i=3600 \
                 ptzUseDefaultPresetAsPtzHome:b",
        ..Row::PLAIN
    },
    Row {
        name: "compressors",
        display: "Compressors",
        item: "GUA",
        fields: "aviGenerationConfigData*:s aviGenerationDataRate*:i aviGenerationFlags*:i \
                 aviGenerationHandler*:i aviGenerationKeyFrames*:i=10 aviGenerationQuality*:i=75 \
                 aviGenerationSelected:b lastModified*:dt",
        ..Row::PLAIN
    },
    Row {
        name: "owner",
        display: "Basic Information",
        item: "GPUA",
        flags: "open",
        tasks: "AddBasicOwnerInfo RemoveBasicOwnerInfo",
        ..Row::PLAIN
    },
    Row {
        name: "gisMapLocations",
        display: "Smart map locations",
        collection: "GP",
        item: "GUAD",
        fields: "color:s=#FF0000 id*:g name!:s positionX:n positionY:n scale:n=1",
        ..Row::PLAIN
    },
];
