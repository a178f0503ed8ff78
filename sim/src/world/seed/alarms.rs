//! What alarms are described with (sheet 5.2). States and priorities are the product's defaults.

use serde_json::{Value, json};

use super::{Fate, Seed};
use crate::{
    switches::ALARM_IDS,
    world::{ids, store::Object},
};

const STATES: [(&str, i64); 4] = [("New", 1), ("In progress", 4), ("On hold", 9), ("Closed", 11)];
const PRIORITIES: [(&str, i64); 3] = [("High", 1), ("Medium", 2), ("Low", 3)];
const CATEGORIES: [(&str, i64); 2] = [("Technical", 1), ("Intrusion", 2)];
const SOUNDS: [&str; 2] = ["Default", "Siren"];
const MESSAGES: [&str; 2] = ["Call the guard", "Check the camera"];
const REASONS: [&str; 3] = ["False alarm", "Handled", "Test"];

impl Seed<'_> {
    /// Makes them.
    pub(super) fn alarms(&mut self) {
        for (kind, list) in [
            ("alarmStates", &STATES[..]),
            ("alarmPriorities", &PRIORITIES[..]),
            ("alarmCategories", &CATEGORIES[..]),
        ] {
            for (index, (name, level)) in list.iter().enumerate() {
                self.alarm_setting(kind, index, name, json!({ "name": name, "level": level }));
            }
        }
        for (kind, list) in
            [("alarmSounds", &SOUNDS[..]), ("alarmMessages", &MESSAGES[..]), ("closeReasons", &REASONS[..])]
        {
            for (index, name) in list.iter().enumerate() {
                self.alarm_setting(kind, index, name, json!({ "name": name }));
            }
        }
        self.alarm_setting("alarmSettings", 0, "settings", json!({}));
        self.definitions();
    }

    /// One that the physical world meets now and then.
    fn definitions(&mut self) {
        const COMMUNICATION_ERROR: &str = "a334af1c-4b4b-4957-9e5f-ab8ca07feab6";
        let name = match self.fate("alarmDefinitions", 0) {
            Fate::Missing => return,
            Fate::Kept => "Camera lost".to_owned(),
            Fate::Changed => format!("Camera lost ({})", self.settings.name),
        };
        let first = |kind| self.store.all(kind).next().map(|object| object.id.clone());
        let definition = Object::new("alarmDefinitions", self.ids.of("alarmDefinitions", 0))
            .below("sites", &self.site)
            .with(json!({
                "name": name,
                "eventTypeGroup": ids::DEVICE_PREDEFINED,
                "eventType": COMMUNICATION_ERROR,
                "sourceList": [{ "type": "cameraGroups", "id": ids::ALL_CAMERAS }],
                "priority": first("alarmPriorities"),
                "category": first("alarmCategories"),
            }));
        self.store.insert(definition);
    }

    fn alarm_setting(&mut self, kind: &'static str, index: usize, name: &str, fields: Value) {
        let own = self.settings.switches.get(&ALARM_IDS) == "own";
        let id = if own { self.ids.of(kind, index) } else { ids::shared(kind, name) };
        self.store.insert(Object::new(kind, id).with(fields).built_in());
    }
}
