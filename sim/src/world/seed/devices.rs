//! Hardware and devices.

use serde_json::json;

use super::{Fate, Seed, recorders::DRIVERS};
use crate::world::store::Object;

/// Of 11 cameras 7 have a device of their own and 4 share an encoder.
const BLOCK: usize = 11;
const SINGLE: usize = 7;
/// Hardware per block.
const BOXES: usize = 8;
/// Cameras for each recording server.
const PER_SERVER: usize = 40;
const MAX_SERVERS: usize = 40;

/// Where cameras are.
pub(super) const AREAS: [&str; 8] = [
    "Main gate",
    "Parking deck",
    "Lobby",
    "Loading dock",
    "Stairwell",
    "Server room",
    "Corridor",
    "Perimeter",
];
/// Type of a device, what it is called, and which hardware carries one: each so many, from which on.
const COMPANIONS: [(&str, &str, usize, usize); 4] = [
    ("speakers", "Speaker", 4, 0),
    ("metadata", "Metadata", 4, 1),
    ("inputEvents", "Input", 3, 0),
    ("outputs", "Output", 3, 0),
];
const VIEWS: [&str; 4] = ["north", "east", "south", "west"];
impl Seed<'_> {
    pub(super) fn devices(&mut self) {
        let servers = (1 + self.settings.cameras / PER_SERVER).min(MAX_SERVERS);
        self.recorders(servers);
        for camera in 0..self.settings.cameras {
            let (hardware, channel) = place(camera);
            // The box decides: a device cannot be missing from it.
            if self.fate("hardware", hardware) == Fate::Missing {
                continue;
            }
            if channel == 0 {
                self.hardware(hardware, camera, hardware % servers);
            }
            self.camera(camera, hardware, channel, hardware % servers);
            if channel == 0 {
                self.companions(camera, hardware, hardware % servers);
            }
        }
        self.groups();
    }

    fn hardware(&mut self, index: usize, camera: usize, server: usize) {
        let kind = self.driver(index);
        let (_, _, model) = DRIVERS.get(kind).copied().unwrap_or(DRIVERS[0]);
        let address = format!("http://10.{}.{}.{}/", 20 + index / 65_000, index / 250 % 250, 1 + index % 250);
        let mut hardware = Object::new("hardware", self.ids.of("hardware", index))
            .below("recordingServers", &self.ids.of("recordingServers", server))
            .at(camera)
            .with(json!({
                "name": format!("{model} ({address})"),
                "address": address,
                "enabled": true,
                "model": model,
                "userName": "operator",
                "hardwareDriverPath": {
                    "type": "hardwareDrivers",
                    "id": self.ids.of("hardwareDrivers", server * DRIVERS.len() + kind),
                },
                "lastModified": self.time("hardware", index),
                "passwordLastModified": self.time("password", index),
            }));
        if self.fate("hardware", index) == Fate::Changed {
            hardware.set("description", format!("changed on {}", self.settings.name));
        }
        self.store.insert(hardware);
    }

    fn camera(&mut self, index: usize, hardware: usize, channel: usize, server: usize) {
        let dice = self.dice("cameras", index);
        let framerate = [5.0, 8.0, 12.5, 25.0].get((dice % 4) as usize).copied().unwrap_or(5.0);
        let mut camera = self.device("cameras", index, hardware, server).with(json!({
            "name": camera_name(index),
            "channel": channel,
            "shortName": format!("C{:03}", index + 1),
            // A few are switched off: they show only with `?disabled` (sheet 3.2).
            "enabled": index % 25 != 24,
            "gisPoint": format!("POINT (12.{:04} 55.{:04})", 3000 + dice % 1000, 6000 + dice / 1000 % 1000),
            "coverageDirection": (dice % 360) as f64 / 360.0,
            "recordingFramerate": framerate,
            "ptzEnabled": dice.is_multiple_of(6),
        }));
        if self.fate("cameras", index) != Fate::Kept {
            camera.set("name", format!("{} ({})", camera_name(index), self.settings.name));
        }
        let is_ptz = camera.fields.get("ptzEnabled") == Some(&true.into());
        self.store.insert(camera);
        if is_ptz {
            self.presets(index);
        }
    }

    /// What hardware carries besides cameras.
    fn companions(&mut self, camera: usize, hardware: usize, server: usize) {
        if hardware.is_multiple_of(2) {
            let name = format!("{} - Microphone 1", camera_name(camera));
            let microphone = self
                .device("microphones", camera, hardware, server)
                .with(json!({ "name": name, "enabled": true, "shortName": "" }));
            self.store.insert(microphone);
        }
        for (kind, name, every, from) in COMPANIONS {
            if hardware % every != from {
                continue;
            }
            let mut device = self.device(kind, camera, hardware, server).with(json!({ "enabled": true }));
            device.set("name", format!("{} - {name} 1", camera_name(camera)));
            if self.fate(kind, camera) == Fate::Changed {
                device.set("description", format!("changed on {}", self.settings.name));
            }
            self.store.insert(device);
        }
    }

    fn device(&self, kind: &'static str, index: usize, hardware: usize, server: usize) -> Object {
        let time = self.time(kind, index);
        Object::new(kind, self.ids.of(kind, index))
            .below("hardware", &self.ids.of("hardware", hardware))
            .at(index)
            .with(json!({
                "createdDate": time,
                "lastModified": time,
                "recordingStorage": { "type": "storages", "id": self.ids.of("storages", server * 2) },
            }))
    }

    fn driver(&self, hardware: usize) -> usize {
        if hardware % BOXES == SINGLE { 2 } else { (self.dice("driver", hardware) % 2) as usize }
    }
}

/// Hardware and channel of a physical camera.
fn place(camera: usize) -> (usize, usize) {
    let (block, slot) = (camera / BLOCK, camera % BLOCK);
    if slot < SINGLE { (block * BOXES + slot, 0) } else { (block * BOXES + SINGLE, slot - SINGLE) }
}

fn camera_name(index: usize) -> String {
    let area = AREAS.get(index % AREAS.len()).copied().unwrap_or_default();
    let view = VIEWS.get(index / AREAS.len() % VIEWS.len()).copied().unwrap_or_default();
    format!("{area} {view} {:03}", index + 1)
}
