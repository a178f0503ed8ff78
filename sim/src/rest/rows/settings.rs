//! What there is once for a device or its hardware.

use crate::rest::table::Row;

/// What they share: no collection, one object with its parent's id.
const SINGLE: Row = Row { parent: "cameras", collection: "", item: "GUA", flags: "single", ..Row::PLAIN };

/// Their rows.
pub static ROWS: &[Row] = &[
    Row {
        name: "settings",
        display: "Settings",
        parent: "cameras microphones speakers metadata inputEvents outputs",
        fields: "generalSettings*:[<generalSettings>]=1 ptz:<ptz> ptzSessionTimeouts:<ptzSessionTimeouts> \
                 stream*:[<streamSettings>]=1",
        ..SINGLE
    },
    Row {
        name: "clientSettings",
        display: "Client settings",
        parent: "cameras microphones speakers metadata",
        fields: "multicastEnabled:b related:[>microphones] shortcut:i",
        ..SINGLE
    },
    Row {
        name: "customProperties",
        display: "Custom properties",
        parent: "cameras microphones speakers metadata inputEvents outputs hardware",
        flags: "single open",
        ..SINGLE
    },
    Row {
        name: "hardwareDeviceEvents",
        display: "Hardware device events",
        parent: "cameras microphones speakers metadata inputEvents outputs hardware",
        item: "G",
        fields: "lastModified*:dt",
        ..SINGLE
    },
    Row {
        name: "streams",
        display: "Streams",
        item: "GPUA",
        fields: "stream:[<stream>]=1",
        tasks: "AddStream RemoveStream",
        ..SINGLE
    },
    Row {
        name: "motionDetections",
        display: "Motion detection",
        fields: "detectionMethod:{Normal|Optimized|Fast} enabled:b=true excludeRegions:s \
                 generateMotionMetadata:b=true gridSize:{Grid16X16|Grid8X8|Grid32X32|Grid64X64} \
                 hardwareAccelerationMode:{Automatic|Off} id*:g keyframesOnly:b=true manualSensitivity:i=33 \
                 manualSensitivityEnabled:b processTime:{Ms500|Ms100|Ms250|Ms750|Ms1000} threshold:i=2000 \
                 useExcludeRegions:b",
        ..SINGLE
    },
    Row {
        name: "privacyProtections",
        display: "Privacy protection",
        fields: "enabled:b id*:g privacyMaskXml:s",
        ..SINGLE
    },
    Row {
        name: "fisheyeLens",
        display: "Fisheye lens",
        fields: "enabled:b fisheyeFieldOfView:n=180 orientation:{Ceiling|Wall|Ground} registeredPanomorphLens:{0} \
                 registeredPanomorphLensNumber:s=Generic",
        ..SINGLE
    },
    Row {
        name: "hardwareDriverSettings",
        display: "Hardware driver settings",
        parent: "hardware",
        flags: "single open",
        fields: "detectedModelName*:s firmwareVersion*:s hardwarePtz:<hardwarePtz> httpSEnabled:s=No \
                 httpSPort:s=443 macAddress*:s serialNumber*:s",
        ..SINGLE
    },
    Row {
        name: "hardwarePtzSettings",
        display: "Hardware PTZ settings",
        parent: "hardware",
        fields: "hardwarePtzDeviceSettings:[<hardwarePtzDeviceSettings>]=1",
        ..SINGLE
    },
];
