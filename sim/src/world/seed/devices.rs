//! Recording servers, hardware, devices and camera groups.

use serde_json::json;

use super::{Fate, Seed};
use crate::world::{ids, store::Object};

/// Of 11 cameras 7 have a device of their own and 4 share an encoder.
const BLOCK: usize = 11;
const SINGLE: usize = 7;
/// Hardware per block.
const BOXES: usize = 8;
/// Cameras for each recording server.
const PER_SERVER: usize = 40;
const MAX_SERVERS: usize = 40;

const AREAS: [&str; 8] = [
    "Main gate",
    "Parking deck",
    "Lobby",
    "Loading dock",
    "Stairwell",
    "Server room",
    "Corridor",
    "Perimeter",
];
const VIEWS: [&str; 4] = ["north", "east", "south", "west"];
/// Name, driver number and model.
const DRIVERS: [(&str, i64, &str); 3] = [
    ("ONVIF Conformant Device", 421, "ONVIF Conformant Device"),
    ("StableFPS", 5000, "StableFPS T800"),
    ("Universal 16 channels", 423, "Universal 16 channels driver"),
];

impl Seed<'_> {
    pub(super) fn devices(&mut self) {
        let servers = (1 + self.settings.cameras / PER_SERVER).min(MAX_SERVERS);
        for server in 0..servers {
            self.recording_server(server);
        }
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
            if channel == 0 && hardware.is_multiple_of(2) {
                self.microphone(camera, hardware, hardware % servers);
            }
        }
        self.groups();
    }

    fn recording_server(&mut self, index: usize) {
        let id = self.ids.of("recordingServers", index);
        let host = format!("rs{}-{}.vms.example", index + 1, self.settings.name.to_lowercase());
        let uri = format!("http://{host}:7563/");
        let server = Object::new("recordingServers", id.clone()).below("sites", &self.site).with(json!({
            "name": format!("Recorder {}", index + 1),
            "hostName": host,
            "webServerUri": uri,
            "activeWebServerUri": uri,
            "lastModified": self.time("recordingServers", index),
            "timeZoneName": "W. Europe Standard Time",
            "version": self.settings.version.product(),
        }));
        self.store.insert(server);
        for (slot, (name, minutes)) in
            [("Local default", 10_080), ("Long term", 43_200)].into_iter().enumerate()
        {
            let number = index * 2 + slot;
            let storage = Object::new("storages", self.ids.of("storages", number))
                .below("recordingServers", &id)
                .with(json!({
                    "name": name,
                    "diskPath": format!("D:\\MediaDatabase{}", slot + 1),
                    "isDefault": slot == 0,
                    "retainMinutes": minutes,
                    "createdDate": self.time("storages", number),
                    "lastModified": self.time("storages", number),
                }));
            self.store.insert(storage);
        }
        for (slot, (name, number, _)) in DRIVERS.into_iter().enumerate() {
            let driver =
                Object::new("hardwareDrivers", self.ids.of("hardwareDrivers", index * DRIVERS.len() + slot))
                    .below("recordingServers", &id)
                    .with(json!({
                        "name": name,
                        "number": number,
                        "groupName": "Simulated",
                        "driverRevision": "1.0",
                        "driverVersion": "13.2",
                    }));
            self.store.insert(driver);
        }
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
        self.store.insert(camera);
    }

    fn microphone(&mut self, index: usize, hardware: usize, server: usize) {
        let name = format!("{} - Microphone 1", camera_name(index));
        let microphone = self
            .device("microphones", index, hardware, server)
            .with(json!({ "name": name, "enabled": true, "shortName": "" }));
        self.store.insert(microphone);
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

    fn groups(&mut self) {
        let all = Object::new("cameraGroups", ids::ALL_CAMERAS.to_owned())
            .below("sites", &self.site)
            .built_in()
            .with(json!({ "name": "All cameras", "builtIn": true, "lastModified": Self::installed() }));
        self.store.insert(all);
        let cameras: Vec<(usize, String)> = self
            .store
            .all("cameras")
            .map(|camera| (camera.physical.unwrap_or_default(), camera.id.clone()))
            .collect();
        let everyone = cameras.iter().map(|(_, id)| id.clone()).collect();
        self.store.set_members(ids::ALL_CAMERAS, "cameras", everyone);
        let buildings = self.ids.of("cameraGroups", 0);
        for (index, name) in std::iter::once("Buildings").chain(AREAS).enumerate() {
            let fate = self.fate("cameraGroups", index);
            if index > 0 && fate == Fate::Missing {
                continue;
            }
            let id = self.ids.of("cameraGroups", index);
            let group = Object::new("cameraGroups", id.clone());
            // Half of the areas are inside, so that the tree of groups has two levels.
            let inside = index > 0 && index.is_multiple_of(2);
            let mut group = if inside {
                group.below("cameraGroups", &buildings)
            } else {
                group.below("sites", &self.site)
            };
            group.set("name", name);
            group.set("lastModified", self.time("cameraGroups", index));
            if fate == Fate::Changed {
                group.set("description", format!("changed on {}", self.settings.name));
            }
            self.store.insert(group);
            let of_area = |camera: usize| index > 0 && camera % AREAS.len() == index - 1;
            let members =
                cameras.iter().filter(|(camera, _)| of_area(*camera)).map(|(_, id)| id.clone()).collect();
            self.store.set_members(&id, "cameras", members);
        }
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
