//! Devices: what all of them have, and what each type adds.

use super::{Reader, flag, security, text};
use crate::{soap::xml::Xml, world::Object};

/// A type of device.
pub struct Device {
    /// Its collection in the configuration API.
    pub kind: &'static str,
    /// Its name here; elements are called after it.
    pub name: &'static str,
    /// Name of a list of them.
    pub list: &'static str,
    /// Groups of them in the configuration API.
    pub groups: &'static str,
    /// Whether it records.
    pub records: bool,
}

/// All types (sheet 2.8, RecorderInfo).
pub const DEVICES: [Device; 6] = [
    Device { kind: "cameras", name: "Camera", list: "Cameras", groups: "cameraGroups", records: true },
    Device {
        kind: "microphones",
        name: "Microphone",
        list: "Microphones",
        groups: "microphoneGroups",
        records: true,
    },
    Device { kind: "speakers", name: "Speaker", list: "Speakers", groups: "speakerGroups", records: true },
    Device {
        kind: "metadata",
        name: "MetadataDevice",
        list: "MetadataDevices",
        groups: "metadataGroups",
        records: true,
    },
    Device { kind: "inputEvents", name: "Input", list: "Inputs", groups: "inputEventGroups", records: false },
    Device { kind: "outputs", name: "Output", list: "Outputs", groups: "outputGroups", records: false },
];

/// How long a manual recording lasts at most if nothing says so; 0: until it is stopped.
const FOR_EVER: u64 = 0;

/// One device.
pub fn write(reader: &Reader<'_>, device: &Device, object: &Object, recorder: &str, xml: &mut Xml) {
    xml.open(&format!("{}Info", device.name), |xml| {
        let parent = object.parent.as_ref().map_or("", |(_, id)| id.as_str());
        xml.put("RecorderId", recorder);
        xml.put("HardwareId", parent);
        xml.put("DeviceId", &object.id);
        xml.put("Name", text(object, "name"));
        xml.put("Description", text(object, "description"));
        xml.put("Shortcut", "");
        xml.put("DeviceIndex", number(object, "channel"));
        xml.put("GisPoint", text(object, "gisPoint"));
        xml.put("ShortName", text(object, "shortName"));
        xml.put("Icon", number(object, "icon"));
        for name in ["Direction", "Depth", "FieldOfView"] {
            xml.put(&format!("Coverage{name}"), number(object, &format!("coverage{name}")));
        }
        if device.records {
            recording(object, xml);
        }
        security::write(device, reader.mask(object), xml);
        match device.kind {
            "cameras" => camera(reader, object, xml),
            "metadata" => xml.put("MetadataTypes", ""),
            _ => {}
        }
    });
}

/// What devices that record have.
fn recording(object: &Object, xml: &mut Xml) {
    let edge = flag(object, "edgeStorageEnabled");
    xml.open("Tracks", |xml| {
        // The track on the recorder has the id of the device; one in the device has none that is public.
        xml.open("TrackInfo", |xml| {
            xml.put("Edge", false);
            xml.put("TrackId", &object.id);
        });
    });
    xml.put("MulticastEnabled", false);
    xml.put("EdgeStorageSupported", edge);
    xml.put("EdgeStoragePlayback", flag(object, "edgeStoragePlaybackEnabled"));
    let seconds = if flag(object, "manualRecordingTimeoutEnabled") {
        super::field(object, "manualRecordingTimeoutMinutes").as_u64().unwrap_or(FOR_EVER) * 60
    } else {
        FOR_EVER
    };
    xml.put("StopManualRecordingSeconds", seconds);
}

fn camera(reader: &Reader<'_>, object: &Object, xml: &mut Xml) {
    xml.put("BrowsableStream", false);
    xml.open("IpixSettings", |xml| {
        xml.put("CeilingMounted", false);
        xml.nil("Hemisphere");
        xml.nil("Homeposition");
        xml.put("IpixEnabled", false);
    });
    xml.put("MaxFPS", 0);
    xml.open("PanoramicLensSettings", |xml| {
        xml.nil("CameraMount");
        xml.nil("ImmerVision");
        xml.put("PanoramicLensEnabled", false);
        xml.nil("PanoramicLensType");
    });
    xml.open("PtzSettings", |xml| {
        xml.put("Capabilities", "");
        for name in [
            "EditPreset",
            "IsCenterOnPositionInViewSupported",
            "IsPtzCenterAndZoomToRectangleSupported",
            "IsPtzDiagonalSupported",
            "IsPtzHomeSupported",
        ] {
            xml.put(name, false);
        }
        presets(reader, object, xml);
        xml.put("PtzEnabled", flag(object, "ptzEnabled"));
    });
    // Live systems leave them out here; the recorder knows them.
    xml.nil("Streams");
}

/// The positions that a camera knows by name.
fn presets(reader: &Reader<'_>, camera: &Object, xml: &mut Xml) {
    let mut presets = reader.children("ptzPresets", &camera.id).peekable();
    if presets.peek().is_none() {
        return xml.nil("Presets");
    }
    xml.open("Presets", |xml| {
        for preset in presets {
            xml.open("PresetInfo", |xml| {
                xml.put("Name", text(preset, "name"));
                xml.open("Position", |xml| {
                    for (name, field) in [("Pan", "pan"), ("Tilt", "tilt"), ("Zoom", "zoom")] {
                        xml.put(name, number(preset, field));
                    }
                });
                xml.put("Shortcut", "");
                xml.put("Id", &preset.id);
                xml.put("Locked", flag(preset, "locked"));
            });
        }
    });
}

/// A number, 0 if there is none; whole ones without a fraction.
fn number(object: &Object, name: &str) -> f64 {
    super::field(object, name).as_f64().unwrap_or_default()
}
