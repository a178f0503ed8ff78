//! What is set for each single device, each in a request of its own: not read yet.

use super::super::{Coverage, How, Place};
use super::{NEVER, Row};

/// Read and written device by device.
const OF_CAMERA: Row = Row {
    place: Place::Unread("needs a request for each device"),
    within: Some("cameras"),
    keys: &[],
    coverage: Coverage::UpdateOnly,
    create: How::No,
    delete: How::No,
    default: NEVER,
    note: "set by hand on both sides",
    ..Row::PLAIN
};

/// The API shows it, and has no verb to change it.
const SHOWN: Row = Row { coverage: Coverage::CompareOnly, update: How::No, ..OF_CAMERA };

/// Of hardware.
const OF_HARDWARE: Row =
    Row { place: Place::Unread("needs a request for each hardware"), within: Some("hardware"), ..SHOWN };

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "hardwareDriverSettings",
        open: true,
        fields: "hardwarePtz=o",
        note: "depends on the driver; the only place of MAC address, serial number and firmware",
        ..OF_HARDWARE
    },
    Row { name: "hardwarePtzSettings", fields: "hardwarePtzDeviceSettings=[o]", ..OF_HARDWARE },
    Row {
        name: "hardwareDeviceEvents",
        open: true,
        fields: "~lastModified=dt",
        note: "which events of a device are used: set by hand on both sides",
        ..OF_HARDWARE
    },
    Row {
        name: "customProperties",
        open: true,
        note: "belongs to integrations, which set it on both sides",
        ..SHOWN
    },
    Row {
        name: "settings",
        open: true,
        fields: "generalSettings=[o] ptz=o ptzSessionTimeouts=o stream=[o-streamReferenceId]",
        note: "codec, resolution, frame rate, quality: depends on the driver; set by hand on both sides",
        ..OF_CAMERA
    },
    Row {
        name: "streams",
        fields: "stream=[o-edgeTrackId,streamReferenceId]",
        coverage: Coverage::ByTask,
        create: How::Task("AddStream"),
        delete: How::Task("RemoveStream"),
        note: "which stream is shown and which recorded: set by hand on both sides",
        ..OF_CAMERA
    },
    Row {
        name: "motionDetections",
        fields: "detectionMethod={Normal|Optimized|Fast} enabled=b excludeRegions=s generateMotionMetadata=b \
                 gridSize={Grid8X8|Grid16X16|Grid32X32|Grid64X64} hardwareAccelerationMode={Off|Automatic} \
                 ~id=g keyframesOnly=b manualSensitivity=i manualSensitivityEnabled=b \
                 processTime={Ms100|Ms250|Ms500|Ms750|Ms1000} threshold=i useExcludeRegions=b",
        ..SHOWN
    },
    Row {
        name: "privacyProtections",
        fields: "enabled=b ~id=g privacyMaskXml=o",
        note: "privacy masks: set by hand on both sides, and looked at",
        ..SHOWN
    },
    Row {
        name: "fisheyeLens",
        fields: "enabled=b fisheyeFieldOfView=n orientation={Ceiling|Wall|Ground} registeredPanomorphLens={0} \
                 registeredPanomorphLensNumber=s",
        ..SHOWN
    },
    Row {
        name: "clientSettings",
        fields: "multicastEnabled=b related=(>microphones) shortcut=i",
        note: "related devices, multicast, shortcut: set by hand on both sides",
        ..SHOWN
    },
    Row {
        name: "ptzPresets",
        fields: "*defaultPreset=b +description=s *devicePreset=b ~devicePresetInternalId=s ~id=g +locked=b \
                 +name=s +pan=n +tilt=n +zoom=n",
        coverage: Coverage::Full,
        create: How::Rest,
        delete: How::Rest,
        ..SHOWN
    },
    Row {
        name: "patrollingProfiles",
        fields: "customizeTransitions=b description=s endPresetId=#ptzPresets endSpeed=n endTransitionTime=n \
                 ~id=g initSpeed=n initTransitionTime=n name=s patrollingEntry=[o]",
        coverage: Coverage::ByTask,
        create: How::Task("AddPatrollingEntry"),
        delete: How::Rest,
        note: "its entries come and go by tasks; set by hand on both sides",
        ..OF_CAMERA
    },
];
