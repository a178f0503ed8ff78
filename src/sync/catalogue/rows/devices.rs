//! Hardware and the devices on it.

use super::super::{Coverage, How, Key, Policy};
use super::Row;

/// A device: comes with its hardware, and can only be changed.
const DEVICE: Row = Row {
    lists_disabled: true,
    within: Some("hardware"),
    keys: &[Key::Channel("channel")],
    coverage: Coverage::UpdateOnly,
    create: How::No,
    delete: How::No,
    default: [Policy::Never, Policy::Auto, Policy::Never],
    note: "comes and goes with its hardware; what is set for each single device is in types of its own",
    ..Row::PLAIN
};

/// Records sound or metadata.
const MEDIUM: Row = Row {
    fields: "*channel=i coverageDepth=n coverageDirection=n coverageFieldOfView=n ~createdDate=dt \
             description=s edgeStorageEnabled=b edgeStoragePlaybackEnabled=b enabled=b \
             failoverSetting={FullSupport|LiveOnly|Disabled} gisPoint=s icon=i ~id=g ~lastModified=dt \
             manualRecordingTimeoutEnabled=b manualRecordingTimeoutMinutes=i name=s prebufferEnabled=b \
             prebufferInMemory=b prebufferSeconds=i recordingEnabled=b recordingStorage?=>storages shortName=s",
    ..DEVICE
};

/// Gives or takes a signal.
const SIGNAL: Row = Row {
    fields: "*channel=i coverageDepth=n coverageDirection=n coverageFieldOfView=n ~createdDate=dt \
             description=s enabled=b gisPoint=s icon=i ~id=g ~lastModified=dt name=s shortName=s",
    ..DEVICE
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "hardware",
        lists_disabled: true,
        within: Some("recordingServers"),
        keys: &[Key::Address("address")],
        fields: "address=s description=s enabled=b ~hardwareDriverPath=>hardwareDrivers ~id=g ~lastModified=dt \
                 *model=s name=s ~passwordLastModified=dt ~userName=s",
        coverage: Coverage::ByTask,
        create: How::Task("AddHardware"),
        default: [Policy::Approve, Policy::Auto, Policy::Approve],
        note: "the password is not readable: a person gives it to create one, and changes user, password and \
               driver by hand; removing it may remove its recordings",
        ..Row::PLAIN
    },
    Row {
        name: "cameras",
        fields: "*channel=i coverageDepth=n coverageDirection=n coverageFieldOfView=n ~createdDate=dt \
                 description=s edgeStorageEnabled=b edgeStoragePlaybackEnabled=b enabled=b \
                 failoverSetting={FullSupport|LiveOnly|Disabled} gisPoint=s icon=i ~id=g ~lastModified=dt \
                 manualRecordingTimeoutEnabled=b manualRecordingTimeoutMinutes=i name=s prebufferEnabled=b \
                 prebufferInMemory=b prebufferSeconds=i *ptzEnabled=b recordingEnabled=b recordingFramerate=n \
                 recordingStorage?=>storages recordKeyframesOnly=b recordOnRelatedDevices=b shortName=s",
        ..DEVICE
    },
    Row { name: "microphones", ..MEDIUM },
    Row { name: "speakers", ..MEDIUM },
    Row { name: "metadata", ..MEDIUM },
    Row { name: "inputEvents", ..SIGNAL },
    Row { name: "outputs", ..SIGNAL },
];
