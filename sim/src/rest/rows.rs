//! The table of types (sheet 3.5 and 3.6). Cheap to extend: the engine reads everything from here.

use super::table::Row;

/// Every type that this instance serves.
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
        name: "recordingServers",
        display: "Recording servers",
        item: "GPUAD",
        flags: "disabled",
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
    Row {
        name: "cameraGroups",
        display: "Camera groups",
        parent: "sites cameraGroups",
        collection: "GP",
        item: "GUAD",
        fields: "builtIn*:b description:s id*:g lastModified*:dt name!:s",
        subs: "~cameras=GP/GD cameraGroups=G",
        ..Row::PLAIN
    },
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
        name: "roles",
        display: "Roles",
        collection: "GP",
        item: "GUAD",
        flags: "unique",
        fields: "allowMobileClientLogOn:b=true allowSmartClientLogOn:b=true allowWebClientLogOn:b=true description:s \
                 dualAuthorizationRequired:b id*:g lastModified*:dt makeUsersAnonymousDuringPTZSession:b name!:s \
                 roleType*:{UserDefined|Adminstrative}",
        subs: "~users=GP[AddRoleMember,RemoveRoleMember]/G claims=G",
        collection_tasks: "CopyRole",
        ..Row::PLAIN
    },
    Row {
        name: "users",
        display: "Users",
        parent: "roles",
        collection: "",
        item: "",
        fields: "accountName*:s description:s domain*:s \
                 identityType*:{BasicUser|InvalidIdentity|UnknownIdentityType|WindowsUser|WindowsGroup|Role} \
                 id*:g memberOf*:s memberOfRoles*:s members*:s sid*:s",
        ..Row::PLAIN
    },
    Row {
        name: "basicUsers",
        display: "Basic users",
        collection: "GP",
        item: "GPUAD",
        flags: "unique",
        fields: "canChangePassword:b=true createdDate*:dt description:s forcePasswordChange:b id*:g isExternal*:b \
                 lastModified*:dt lockoutEnd*:dt name*!:s password!:pw sid*:s \
                 status:{Enabled|LockedOutByAdmin|LockedOutBySystem}",
        subs: "claims=G",
        tasks: "ChangePasswordBasicUser",
        ..Row::PLAIN
    },
    Row {
        name: "claims",
        display: "Claims",
        parent: "roles basicUsers",
        collection: "",
        item: "",
        fields: "claimName*:s claimProvider*:s claimValue*:s",
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
        name: "securityNamespaces",
        display: "Security namespaces",
        flags: "since-24.2",
        fields: "name*:s id*:g userDefined*:b structure*:i resourceTypes*:s securityActions*:[o]",
        ..Row::PLAIN
    },
    Row {
        name: "alarmStates",
        display: "Alarm states",
        item: "",
        flags: "plain since-23.2",
        fields: "id*:g name*:s level*:i",
        ..Row::PLAIN
    },
];
