//! What alarms are described with (sheet 5.2). States and priorities are the product's defaults.

use serde_json::{Value, json};

use super::Seed;
use crate::{
    switches::ALARM_IDS,
    world::{ids, store::Object},
};

const STATES: [(&str, i64); 4] = [("New", 1), ("In progress", 4), ("On hold", 9), ("Closed", 11)];
const PRIORITIES: [(&str, i64); 3] = [("High", 1), ("Medium", 2), ("Low", 3)];
const CATEGORIES: [(&str, i64); 2] = [("Intrusion", 1), ("Technical", 2)];
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
    }

    fn alarm_setting(&mut self, kind: &'static str, index: usize, name: &str, fields: Value) {
        let own = self.settings.switches.get(&ALARM_IDS) == "own";
        let id = if own { self.ids.of(kind, index) } else { ids::shared(kind, name) };
        self.store.insert(Object::new(kind, id).with(fields).built_in());
    }
}
