//! Presets and patrols of the cameras that move.

use serde_json::json;

use super::{Fate, Seed};
use crate::world::store::Object;

/// Name, pan, tilt and zoom.
const PRESETS: [(&str, f64, f64, f64); 3] =
    [("Home", 0.0, 0.0, 0.0), ("Entrance", -0.4, -0.1, 0.3), ("Far end", 0.6, 0.05, 0.8)];

impl Seed<'_> {
    pub(super) fn presets(&mut self, camera: usize) {
        let owner = self.ids.of("cameras", camera);
        for (slot, (name, pan, tilt, zoom)) in PRESETS.into_iter().enumerate() {
            let number = camera * PRESETS.len() + slot;
            let fate = self.fate("ptzPresets", number);
            // Those of the patrol are everywhere.
            if fate == Fate::Missing && slot == 2 {
                continue;
            }
            let mut preset = Object::new("ptzPresets", self.ids.of("ptzPresets", number))
                .below("cameras", &owner)
                .at(camera)
                .with(json!({ "name": name, "defaultPreset": slot == 0, "pan": pan, "tilt": tilt, "zoom": zoom }));
            if fate == Fate::Changed {
                preset.set("description", format!("changed on {}", self.settings.name));
            }
            self.store.insert(preset);
        }
        let preset = |slot: usize| self.ids.of("ptzPresets", camera * PRESETS.len() + slot);
        let patrol = Object::new("patrollingProfiles", self.ids.of("patrollingProfiles", camera))
            .below("cameras", &owner)
            .at(camera)
            .with(json!({
                "name": "Round",
                "endPresetId": preset(0),
                "patrollingEntry": [
                    { "order": 0, "presetId": preset(0), "waitTime": 10.0 },
                    { "order": 1, "presetId": preset(1), "waitTime": 20.0 },
                ],
            }));
        self.store.insert(patrol);
    }
}
