//! Recording servers, their storages, and the failover servers that stand in for them.

use crate::rest::table::Row;

/// What the information about a storage and about an archive say.
const INFORMATION: Row = Row {
    collection: "",
    item: "GUA",
    flags: "single",
    fields: "anyTablesWithData*:{ContainsData|Unknown|DoesNotContainData} isAvailable*:b=true isMounted*:b=true \
             lastUpdated*:dt lockedUsedSpace*:i usedSpace*:i",
    ..Row::PLAIN
};

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
        subs: "hardwareDrivers=G/G hardware=G/D recordingServerFailovers=G/G recordingServerMulticasts=G/G \
               storages=GP/D",
        tasks: "AddHardware GetOtherDevicesWithMediaOnRecorder HardwareScan HardwareScanExpress \
                ReadDrivesOnRecorder ReadDirectoriesOnRecorder CreateDirectoryOnRecorder",
        ..Row::PLAIN
    },
    Row {
        name: "recordingServerFailovers",
        display: "Failover settings",
        parent: "recordingServers",
        collection: "",
        item: "GUA",
        flags: "single",
        fields: "failoverPort:i=11000 hotStandby:^failoverRecorders id*:g primaryFailoverGroup:^failoverGroups \
                 secondaryFailoverGroup:^failoverGroups",
        ..Row::PLAIN
    },
    Row {
        name: "recordingServerMulticasts",
        display: "Multicast settings",
        parent: "recordingServers",
        collection: "",
        item: "GUA",
        flags: "single",
        fields: "enabled:b id*:g iPAddressEnd:s=232.0.1.0 iPAddressStart:s=232.0.1.0 MTU:s=1500 \
                 portRangeEnd:i=47199 portRangeStart:i=47100 TTL:s=32",
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
        subs: "archiveStorages=GP/D",
        tasks: "GetDevicesUsingStorage SetStorageAsDefault EnableEncryption MoveRecordingStorage \
                ChangeEncryptionMethod ValidateStorageEncryptionPassword DisableEncryption \
                ChangePasswordStorageEncryption",
        ..Row::PLAIN
    },
    Row { name: "storageInformation", display: "Storage information", parent: "storages", ..INFORMATION },
    Row {
        name: "archiveStorages",
        display: "Archive storages",
        parent: "storages",
        collection: "",
        item: "GPUAD",
        flags: "mounts",
        fields: "createdDate*:dt description:s diskPath*!:s framerateReductionEnabled:b id*:g lastModified*:dt \
                 maxSize:i=1000 mounted*:b=true name!:s retainMinutes:i=43200 targetFramerate:n=5 \
                 archiveSchedules:<archiveSchedules>",
        tasks: "ReadArchiveStorageInformation SetFramerateReductionArchiveStorage MoveArchiveStorage \
                MountArchiveStorage UnmountArchiveStorage",
        ..Row::PLAIN
    },
    Row {
        name: "archiveStorageInformation",
        display: "Archive storage information",
        parent: "archiveStorages",
        ..INFORMATION
    },
    Row {
        name: "failoverGroups",
        display: "Failover groups",
        collection: "GP",
        item: "GUAD",
        flags: "empty",
        fields: "createdDate*:dt description:s id*:g lastModified*:dt name!:s",
        subs: "failoverRecorders=G",
        collection_tasks: "MoveFailoverGroup",
        ..Row::PLAIN
    },
    Row {
        name: "failoverRecorders",
        display: "Failover recording servers",
        parent: "failoverGroups",
        item: "GUA",
        flags: "disabled",
        fields: "activeWebServerUri*:s createdDate*:dt databasePath:s=C:\\MediaDatabase description:s enabled:b=true \
                 hostName*:s id*:g lastModified*:dt multicastServerAddress:s=0.0.0.0 name:s portNumber*:i=7563 \
                 position*:i publicAccessEnabled:b publicWebserverHostName:s publicWebserverPort:i \
                 udpPort:i=8844 webServerUri*:s",
        ..Row::PLAIN
    },
];
