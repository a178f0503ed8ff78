//! What the caller may do with a device, from the mask of its rights.

use super::devices::Device;
use crate::{rights, soap::xml::Xml};

/// Rights of a device that records: the action that gives it.
const RECORDING: [(&str, &str); 13] = [
    ("Live", "VIEW_LIVE"),
    ("Browse", "PLAYBACK"),
    ("GetSequences", "PLAYBACK"),
    ("ExportDatabase", "EXPORT"),
    ("RetrieveEdgeRecordings", "PLAYBACK"),
    ("StartRecording", "GENERIC_WRITE"),
    ("StopRecording", "GENERIC_WRITE"),
    ("RetentionView", "PLAYBACK"),
    ("RetentionCreate", "GENERIC_WRITE"),
    ("RetentionRemove", "DELETE"),
    ("RestrictedMediaView", "ADMIN_SECURITY"),
    ("RestrictedMediaCreate", "ADMIN_SECURITY"),
    ("RestrictedMediaRemove", "ADMIN_SECURITY"),
];
const BOOKMARKS: [(&str, &str); 4] = [
    ("BookmarkView", "PLAYBACK"),
    ("BookmarkAdd", "GENERIC_WRITE"),
    ("BookmarkEdit", "GENERIC_WRITE"),
    ("BookmarkDelete", "DELETE"),
];
const CAMERA: [(&str, &str); 6] = [
    ("ExportAvi", "EXPORT"),
    ("ExportJpeg", "EXPORT"),
    ("SmartSearch", "PLAYBACK"),
    ("ManagePresets", "GENERIC_WRITE"),
    ("ManagePresetLocks", "GENERIC_WRITE"),
    ("ManagePatrollingProfiles", "GENERIC_WRITE"),
];
const PTZ: [(&str, &str); 3] =
    [("ManualControl", "PTZ_CONTROL"), ("PresetControl", "PTZ_CONTROL"), ("ReserveControl", "PTZ_CONTROL")];

/// The security element of a device.
pub fn write(device: &Device, mask: u32, xml: &mut Xml) {
    let put = |xml: &mut Xml, rights: &[(&str, &str)]| {
        for (name, action) in rights {
            xml.put(name, mask & rights::action(action) != 0);
        }
    };
    xml.open(&format!("{}Security", device.name), |xml| {
        if device.records {
            put(xml, &RECORDING);
        }
        match device.kind {
            "cameras" => {
                put(xml, &BOOKMARKS);
                put(xml, &CAMERA);
                xml.open("PtzSecurity", |xml| put(xml, &PTZ));
            }
            "microphones" => put(xml, &BOOKMARKS),
            "speakers" => {
                put(xml, &BOOKMARKS);
                put(xml, &[("Speak", "GENERIC_WRITE")]);
            }
            "inputEvents" => put(xml, &[("ReadInput", "GENERIC_READ")]),
            "outputs" => put(xml, &[("Activate", "GENERIC_WRITE")]),
            _ => {}
        }
    });
}
