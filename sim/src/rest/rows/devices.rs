//! Hardware and the devices on it.

use crate::rest::table::Row;

/// What all devices share.
const DEVICE: Row = Row { parent: "hardware", item: "GPUA", flags: "disabled", ..Row::PLAIN };
/// Microphones, speakers and metadata record as cameras do, with fewer options.
const MEDIA: Row = Row {
    fields: "channel*:i coverageDepth:n coverageDirection:n coverageFieldOfView:n createdDate*:dt description:s \
             edgeStorageEnabled:b edgeStoragePlaybackEnabled:b enabled:b \
             failoverSetting:{FullSupport|LiveOnly|Disabled} gisPoint:s=POINT_EMPTY icon:i id*:g \
             lastModified*:dt manualRecordingTimeoutEnabled:b=true manualRecordingTimeoutMinutes:i=5 name:s \
             prebufferEnabled:b=true prebufferInMemory:b=true prebufferSeconds:i=3 recordingEnabled:b=true \
             recordingStorage:>storages shortName:s",
    subs: "clientSettings=G/G customProperties=G/G settings=G hardwareDeviceEvents=G/G",
    tasks: "GetOtherRecordingServersWithMedia GetOtherRecordingStoragesWithMedia RetrieveEdgeStorage \
            TruncateStorage TruncateStorageOnOtherRecordingServer ChangeDeviceRecordingStorage \
            ChangeSecurityPermissions SendDriverCommand@24.2 StartRecording StopRecording GetSequences",
    ..DEVICE
};
/// Inputs and outputs record nothing.
const SIGNAL: Row = Row {
    fields: "channel*:i coverageDepth:n coverageDirection:n coverageFieldOfView:n createdDate*:dt description:s \
             enabled:b gisPoint:s=POINT_EMPTY icon:i id*:g lastModified*:dt name:s shortName:s",
    subs: "customProperties=G/G settings=G hardwareDeviceEvents=G/G",
    ..DEVICE
};

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "hardware",
        display: "Hardware",
        parent: "recordingServers",
        item: "GPUAD",
        flags: "disabled",
        fields: "address:s description:s enabled:b hardwareDriverPath:>hardwareDrivers id*:g lastModified*:dt \
                 model*:s name:s passwordLastModified*:dt userName:s",
        subs: "cameras=G/G customProperties=G/G hardwareDeviceEvents=G/G hardwareDriverSettings=G/G \
               hardwarePtzSettings=G/G inputEvents=G/G metadata=G/G microphones=G/G outputs=G/G speakers=G/G",
        tasks: "ReadPasswordHardware ChangePasswordHardware MoveHardware ReplaceHardware UpdateFirmwareHardware",
        ..Row::PLAIN
    },
    Row {
        name: "cameras",
        display: "Cameras",
        fields: "channel*:i coverageDepth:n coverageDirection:n coverageFieldOfView:n createdDate*:dt description:s \
                 edgeStorageEnabled:b edgeStoragePlaybackEnabled:b enabled:b \
                 failoverSetting:{FullSupport|LiveOnly|Disabled} gisPoint:s=POINT_EMPTY icon:i id*:g \
                 lastModified*:dt manualRecordingTimeoutEnabled:b=true manualRecordingTimeoutMinutes:i=5 name:s \
                 prebufferEnabled:b=true prebufferInMemory:b=true prebufferSeconds:i=3 ptzEnabled*:b \
                 recordingEnabled:b=true recordingFramerate:n=5 recordingStorage:>storages recordKeyframesOnly:b \
                 recordOnRelatedDevices:b=true shortName:s",
        subs: "clientSettings=G/G customProperties=G/G settings=G fisheyeLens=G/G hardwareDeviceEvents=G/G \
               motionDetections=G/G patrollingProfiles=GP/D privacyProtections=G/G \
               ptzPresets=GP[DefaultPtzPreset,GetDevicePresets]/GPD streams=G",
        tasks: "GetOtherRecordingServersWithMedia GetOtherRecordingStoragesWithMedia RetrieveEdgeStorage \
                TruncateStorage TruncateStorageOnOtherRecordingServer ChangeDeviceRecordingStorage \
                ChangeSecurityPermissions GetPtzAbsolutePosition@24.2 SetPtzAbsolutePosition@24.2 JpegGetLive SendDriverCommand@24.2 \
                ReservePTZ@24.2 ReleasePTZ@24.2 ExtendPTZ@24.2 GetPTZSessionInfo@24.2 StartRecording \
                StopRecording PTZStartPatrolling@24.2 PTZStopPatrolling@24.2 AuxOn@24.2 AuxOff@24.2 GetSequences",
        ..DEVICE
    },
    Row { name: "microphones", display: "Microphones", ..MEDIA },
    Row { name: "speakers", display: "Speakers", ..MEDIA },
    Row { name: "metadata", display: "Metadata", ..MEDIA },
    Row {
        name: "inputEvents",
        display: "Input events",
        tasks: "ChangeSecurityPermissions SendDriverCommand@24.2",
        ..SIGNAL
    },
    Row {
        name: "outputs",
        display: "Outputs",
        tasks: "ChangeSecurityPermissions Trigger@24.2 Activate@24.2 Deactivate@24.2 GetState@24.2 SendDriverCommand@24.2",
        ..SIGNAL
    },
];
