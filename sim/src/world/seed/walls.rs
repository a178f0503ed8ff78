//! Video walls.

use serde_json::json;

use super::Seed;
use crate::{rest::finish::PRESET, world::store::Object};

const MONITORS: [&str; 3] = ["Left", "Middle", "Right"];
const PRESETS: [&str; 2] = ["Day", "Night"];

impl Seed<'_> {
    pub(super) fn walls(&mut self) {
        let wall = json!({ "name": "Control room wall", "titleBar": "Caption", "width": 5760.0 });
        let Some(wall) = self.make("videoWalls", 0, wall) else { return };
        let mut presets = Vec::new();
        for (index, name) in PRESETS.into_iter().enumerate() {
            let made =
                self.make_below(("videoWalls", &wall), "videoWallPresets", index, json!({ "name": name }));
            presets.extend(made.map(|id| (index, name, id)));
        }
        let view = self.store.all("views").next().map(|view| json!({ "type": "views", "id": view.id }));
        for (index, name) in MONITORS.into_iter().enumerate() {
            let mut monitor = json!({
                "name": name,
                "locationX": index as f64 * 1920.0,
                "monitorState": "<monitorstate layout=\"\" text=\"\"></monitorstate>",
            });
            if let Some(view) = view.clone().filter(|_| index == 0) {
                monitor["view"] = view;
            }
            let Some(id) = self.make_below(("videoWalls", &wall), "monitors", index, monitor) else {
                continue;
            };
            for (preset, name, preset_id) in &presets {
                let number = index * PRESETS.len() + preset;
                let camera = self.camera_id(number).unwrap_or_default();
                let part = Object::new("monitorPresets", self.ids.of("monitorPresets", number))
                    .below("monitors", &id)
                    .with(json!({
                        "name": name,
                        "definitionXml": format!(
                            "<monitorstate layout=\"\" text=\"\"><camera position=\"0\" id=\"{camera}\" /></monitorstate>"
                        ),
                        (PRESET): preset_id,
                    }));
                self.insert(part, number);
            }
        }
    }
}
