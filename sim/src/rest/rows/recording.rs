//! The site's recorders and what hangs on them: hardware, devices, storages.

use crate::rest::table::Row;

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "recordingServers",
        display: "Recording servers",
        item: "GPUAD",
        flags: "disabled confirm",
        fields: "activeWebServerUri*:s description:s enabled:b=true hostName*:s id*:g lastModified*:dt \
                 multicastServerAddress:s=0.0.0.0 name:s portNumber*:i=7563 publicAccessEnabled:b \
                 publicWebserverHostName:s publicWebserverPort:i shutdownOnStorageFailure:b \
                 synchronizationTime:i=-1 timeZoneName*:s version*:s webServerUri*:s",
        subs: "hardwareDrivers=G/G hardware=G/D storages=GP/D",
        tasks: "AddHardware",
        ..Row::PLAIN
    },
    Row {
        name: "hardwareDrivers",
        display: "Hardware drivers",
        parent: "recordingServers",
        collection: "",
        item: "",
        fields: "driverRevision*:s driverType*:{DevicePack|Unknown|InterconnectedProduct} driverVersion*:s \
                 groupName*:s id*:g name:s number*:i useCount*:i",
        ..Row::PLAIN
    },
    Row {
        name: "storages",
        display: "Storages",
        parent: "recordingServers",
        collection: "",
        item: "GPUAD",
        fields: "createdDate*:dt description:s diskPath*!:s encryptionMethod*:{None|Light|Strong} id*:g isDefault*:b \
                 lastModified*:dt maxSize:i=1000 name!:s retainMinutes:i=10080 signing:b",
        tasks: "GetDevicesUsingStorage SetStorageAsDefault",
        ..Row::PLAIN
    },
    Row {
        name: "hardware",
        display: "Hardware",
        parent: "recordingServers",
        item: "GPUAD",
        flags: "disabled",
        fields: "address:s description:s enabled:b hardwareDriverPath:>hardwareDrivers id*:g lastModified*:dt \
                 model*:s name:s passwordLastModified*:dt userName:s",
        subs: "cameras=G/G microphones=G/G",
        tasks: "ReadPasswordHardware ChangePasswordHardware MoveHardware",
        ..Row::PLAIN
    },
    Row {
        name: "cameras",
        display: "Cameras",
        parent: "hardware",
        item: "GPUA",
        flags: "disabled",
        fields: "channel*:i coverageDepth:n coverageDirection:n coverageFieldOfView:n createdDate*:dt description:s \
                 edgeStorageEnabled:b edgeStoragePlaybackEnabled:b enabled:b \
                 failoverSetting:{FullSupport|LiveOnly|Disabled} gisPoint:s=POINT_EMPTY icon:i id*:g \
                 lastModified*:dt manualRecordingTimeoutEnabled:b=true manualRecordingTimeoutMinutes:i=5 name:s \
                 prebufferEnabled:b=true prebufferInMemory:b=true prebufferSeconds:i=3 ptzEnabled*:b \
                 recordingEnabled:b=true recordingFramerate:n=5 recordingStorage:>storages recordKeyframesOnly:b \
                 recordOnRelatedDevices:b=true shortName:s",
        subs: "settings=G",
        tasks: "ChangeDeviceRecordingStorage GetSequences",
        ..Row::PLAIN
    },
    Row {
        name: "microphones",
        display: "Microphones",
        parent: "hardware",
        item: "GPUA",
        flags: "disabled",
        fields: "channel*:i coverageDepth:n coverageDirection:n coverageFieldOfView:n createdDate*:dt description:s \
                 edgeStorageEnabled:b edgeStoragePlaybackEnabled:b enabled:b \
                 failoverSetting:{FullSupport|LiveOnly|Disabled} gisPoint:s=POINT_EMPTY icon:i id*:g \
                 lastModified*:dt manualRecordingTimeoutEnabled:b=true manualRecordingTimeoutMinutes:i=5 name:s \
                 prebufferEnabled:b=true prebufferInMemory:b=true prebufferSeconds:i=3 recordingEnabled:b=true \
                 recordingStorage:>storages shortName:s",
        tasks: "ChangeDeviceRecordingStorage GetSequences",
        ..Row::PLAIN
    },
];
