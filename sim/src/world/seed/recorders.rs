//! Recording servers with their storages and drivers, and the failover servers.

use serde_json::json;

use super::Seed;
use crate::world::store::Object;

/// Name, driver number and model.
pub(super) const DRIVERS: [(&str, i64, &str); 3] = [
    ("ONVIF Conformant Device", 421, "ONVIF Conformant Device"),
    ("StableFPS", 5000, "StableFPS T800"),
    ("Universal 16 channels", 423, "Universal 16 channels driver"),
];
/// Recording servers that share one failover server.
const PER_FAILOVER: usize = 20;

impl Seed<'_> {
    pub(super) fn recorders(&mut self, servers: usize) {
        for server in 0..servers {
            self.recording_server(server);
        }
        self.failovers(servers);
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
        self.archive(index);
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

    /// What the first storage of a server is archived to, every day.
    fn archive(&mut self, server: usize) {
        let time = self.time("archiveStorages", server);
        let archive = Object::new("archiveStorages", self.ids.of("archiveStorages", server))
            .below("storages", &self.ids.of("storages", server * 2))
            .with(json!({
                "name": "Archive",
                "diskPath": "D:\\Archive",
                "maxSize": 5000,
                "createdDate": time,
                "lastModified": time,
                "archiveSchedules": { "activeEndTimeOfDay": 86_399.0, "activeStartTimeOfDay": 7200.0 },
            }));
        self.store.insert(archive);
    }

    /// One group with a server for every so many; the first recording server relies on it.
    fn failovers(&mut self, servers: usize) {
        let group = self.ids.of("failoverGroups", 0);
        let time = self.time("failoverGroups", 0);
        let object = Object::new("failoverGroups", group.clone())
            .below("sites", &self.site)
            .with(json!({ "name": "Failover", "createdDate": time, "lastModified": time }));
        self.store.insert(object);
        for index in 0..servers.div_ceil(PER_FAILOVER) {
            let host = format!("fo{}-{}.vms.example", index + 1, self.settings.name.to_lowercase());
            let uri = format!("http://{host}:7563/");
            let time = self.time("failoverRecorders", index);
            let recorder = Object::new("failoverRecorders", self.ids.of("failoverRecorders", index))
                .below("failoverGroups", &group)
                .with(json!({
                    "name": format!("Failover {}", index + 1),
                    "hostName": host,
                    "webServerUri": uri,
                    "activeWebServerUri": uri,
                    "position": index,
                    "createdDate": time,
                    "lastModified": time,
                }));
            self.store.insert(recorder);
        }
        let server = self.ids.of("recordingServers", 0);
        let settings = Object::new("recordingServerFailovers", server.clone())
            .below("recordingServers", &server)
            .with(json!({ "primaryFailoverGroup": format!("FailoverGroup[{group}]") }));
        self.store.insert(settings);
    }
}
