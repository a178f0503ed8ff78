//! The site, its addresses, registered services, and security namespaces.

use serde_json::json;

use super::Seed;
use crate::{rights, stamp::Stamp, world::store::Object};

/// Service type ids of the sheet (1.3), with the path below the public address.
const SERVICES: [(&str, &str, &str); 5] = [
    ("API Gateway", "e46b7bf9-03ce-44eb-bbdc-8ba16d0aaa80", "/API/"),
    ("Management Server", "a10cd823-bb4e-4d31-a162-dd236fc78fa6", "/ManagementServer/"),
    ("Event Server", "08ab8f23-9aef-4298-9caa-f39259fe7cda", "/EventServer/"),
    ("Log Server", "3d6f1153-92ad-43f1-b467-9482ffd291b2", "/LogServer/"),
    ("Incident Manager", "3ce6b5e2-d861-4c0b-9085-00b938b2f45a", "/IncidentManager/"),
];

impl Seed<'_> {
    pub(super) fn site(&mut self) {
        let name = format!("VMS-{}", self.settings.name.to_uppercase());
        let site = Object::new("sites", self.site.clone()).with(json!({
            "computerName": name,
            "domainName": "vms.example",
            "lastModified": self.time("sites", 0),
            "lastStatusHandshake": self.time("handshake", 0),
            "name": name,
            "serviceAccount": "S-1-5-20",
            "timeZone": "W. Europe Standard Time",
            "version": self.settings.version.product(),
        }));
        self.store.insert(site);
        self.addresses();
        self.services();
        self.namespaces();
        self.servers();
        self.child_sites();
        self.options();
    }

    fn addresses(&mut self) {
        let url = format!("{}/", self.settings.public_url);
        for (index, kind) in ["Internal", "External"].into_iter().enumerate() {
            let address = Object::new("systemAddresses", self.ids.of("systemAddresses", index))
                .below("sites", &self.site)
                .with(json!({ "addressType": kind, "url": url }));
            self.store.insert(address);
        }
    }

    fn services(&mut self) {
        for (index, (name, kind, path)) in SERVICES.into_iter().enumerate() {
            let uri = format!("{}{path}", self.settings.public_url);
            let endpoint =
                json!({ "uri": uri, "authentication": "Windows", "name": name, "description": "" });
            let service = Object::new("registeredServices", self.ids.of("registeredServices", index))
                .below("sites", &self.site)
                .with(json!({ "name": name, "serviceType": kind, "uris": [uri], "endpoints": [endpoint] }));
            self.store.insert(service);
        }
    }

    fn namespaces(&mut self) {
        for (id, kind, name) in rights::namespaces() {
            let namespace = Object::new("securityNamespaces", id).below("sites", &self.site).with(json!({
                "name": name,
                "structure": 1,
                "resourceTypes": kind,
                "securityActions": rights::actions(),
            }));
            self.store.insert(namespace);
        }
    }

    fn servers(&mut self) {
        let host = self.settings.public_url.clone();
        for (index, (name, kind, _)) in SERVICES.into_iter().enumerate() {
            let id = self.ids.of("servers", index);
            self.make_built_in("servers", &id, json!({ "name": name, "type": kind, "addresses": [host] }));
        }
    }

    /// One other site; it answers on addresses of its own.
    fn child_sites(&mut self) {
        let branch = json!({
            "name": "Branch office",
            "connectionState": "Connected",
            "version": self.settings.version.product(),
        });
        let Some(branch) = self.make("childSites", 0, branch) else { return };
        let host = format!("branch-{}.vms.example", self.settings.name.to_lowercase());
        for (index, kind) in ["Internal", "External"].into_iter().enumerate() {
            let address = Object::new("siteAddresses", self.ids.of("siteAddresses", index))
                .below("childSites", &branch)
                .with(json!({ "addressType": kind, "url": format!("https://{host}/") }));
            self.store.insert(address);
        }
    }

    fn options(&mut self) {
        let id = self.ids.of("toolOptions", 0);
        self.make_built_in("toolOptions", &id, json!({ "deviceErrorTimeoutSec": "30" }));
        for (index, handler) in [1_129_730_893, 1_145_656_920].into_iter().enumerate() {
            let id = self.ids.of("compressors", index);
            let compressor = json!({ "aviGenerationHandler": handler, "aviGenerationSelected": index == 0 });
            self.make_built_in("compressors", &id, compressor);
        }
        let id = self.ids.of("owner", 0);
        let info = |index: usize, tag: &str| format!("[{}]/{tag}", self.ids.of("ownerInfo", index));
        let owner = json!({
            (info(0, "address.Name")): "Example Ltd",
            (info(1, "address.City")): "Copenhagen",
            (info(2, "admin.Phone")): "+45 00 00 00 00",
        });
        self.make_built_in("owner", &id, owner);
    }

    /// The moment that built-in objects were made.
    pub(super) fn installed() -> String {
        /// 2024-01-01T00:00:00Z.
        const INSTALLED: i64 = 1_704_067_200;
        Stamp::from_seconds(INSTALLED).wire()
    }
}
