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
    note: "comes and goes with its hardware",
    ..Row::PLAIN
};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "hardware",
        lists_disabled: true,
        within: Some("recordingServers"),
        keys: &[Key::Address("address")],
        fields: "address=s description=s enabled=b ~hardwareDriverPath=>hardwareDrivers ~id=g ~lastModified=dt *model=s \
                 name=s ~passwordLastModified=dt userName=s",
        coverage: Coverage::ByTask,
        create: How::Task("AddHardware"),
        default: [Policy::Approve, Policy::Auto, Policy::Approve],
        note: "the password is not readable: creating needs a person",
        ..Row::PLAIN
    },
    Row {
        name: "cameras",
        fields: "*channel=i coverageDepth=n coverageDirection=n coverageFieldOfView=n ~createdDate=dt description=s \
                 edgeStorageEnabled=b edgeStoragePlaybackEnabled=b enabled=b \
                 failoverSetting={FullSupport|LiveOnly|Disabled} gisPoint=s icon=i ~id=g ~lastModified=dt \
                 manualRecordingTimeoutEnabled=b manualRecordingTimeoutMinutes=i name=s prebufferEnabled=b \
                 prebufferInMemory=b prebufferSeconds=i *ptzEnabled=b recordingEnabled=b recordingFramerate=n \
                 recordingStorage?=>storages recordKeyframesOnly=b recordOnRelatedDevices=b shortName=s",
        ..DEVICE
    },
];
