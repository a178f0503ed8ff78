//! The licence of the site and what it covers. Each instance has its own.

use serde_json::json;

use super::Seed;
use crate::world::{ids, store::Object};

impl Seed<'_> {
    pub(super) fn licences(&mut self) {
        let plugin = ids::shared("plugins", "base");
        let id = self.ids.of("licenseInformations", 0);
        let code =
            format!("M01-P04-{:06}-{}", self.settings.seed % 1_000_000, self.settings.name.to_uppercase());
        self.make_built_in(
            "licenseInformations",
            &id,
            json!({
                "activationAutomatic": true,
                "careId": "",
                "careLevel": "Care Plus",
                "productionEnvironment": "Test",
                "sku": "XPCO",
                "slc": code,
                "licenseProperties": [{ "displayName": "SmartClientProfiles", "parameters": [] }],
            }),
        );
        let hardware = self.store.count("hardware");
        let overview = json!({
            "activated": format!("{hardware} out of {}", hardware + 50),
            "licenseType": "Hardware Device",
            "pluginId": plugin,
        });
        let details = json!({
            "activated": hardware.to_string(),
            "changesWithoutActivation": "3 out of 10",
            "firstGraceExpirationDate": "",
            "graceExpired": "0",
            "inGrace": 0,
            "licenseType": "Hardware Device",
            "note": "",
            "notLicensed": "0",
            "pluginId": plugin,
        });
        let product = json!({
            "carePlus": "Unlimited",
            "carePremium": "N/A",
            "expirationDate": "Unlimited",
            "pluginId": plugin,
            "productDisplayName": "XProtect Corporate",
            "slc": code,
        });
        for (kind, fields) in [
            ("licenseDetails", details),
            ("licenseInstalledProducts", product),
            ("licenseOverviewAll", overview),
        ] {
            let part = Object::new(kind, self.ids.of(kind, 0)).below("licenseInformations", &id).with(fields);
            self.insert(part.built_in(), 0);
        }
    }
}
