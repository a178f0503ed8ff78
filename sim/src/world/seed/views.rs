//! Views, layouts and client profiles, searches and map locations.

use serde_json::{Value, json};

use super::Seed;
use crate::rest::finish;

/// Name and number of positions.
const LAYOUTS: [(&str, usize); 4] = [("1x1", 1), ("1+3", 4), ("2x2", 4), ("3x3", 9)];
/// Name, group and number of cameras.
const VIEWS: [(&str, usize, usize); 4] =
    [("Gates", 0, 4), ("Parking", 0, 2), ("Overview", 1, 9), ("Spot monitor", 2, 1)];

impl Seed<'_> {
    pub(super) fn views(&mut self) {
        self.layouts();
        self.view_groups();
        self.profiles();
        for (index, (name, public)) in
            [("People at the gate", true), ("Red cars", false)].into_iter().enumerate()
        {
            let search = json!({
                "name": name,
                "availability": if public { "Public" } else { "Private" },
                "includesScopeItems": public,
                "searchQuery": format!("{{\"searchFor\":\"{name}\"}}"),
            });
            self.make("saveSearches", index, search);
        }
        for (index, name) in ["Head office", "Warehouse"].into_iter().enumerate() {
            let place = json!({
                "name": name,
                "positionX": 12.377 + index as f64 / 100.0,
                "positionY": 55.658,
                "scale": 2000.0,
            });
            self.make("gisMapLocations", index, place);
        }
        for (index, name) in ["Reception", "Control room"].into_iter().enumerate() {
            let matrix = json!({
                "name": name,
                "address": format!("10.9.0.{}", 10 + index),
                "password": "matrix-password",
            });
            self.make("matrix", index, matrix);
        }
    }

    fn layouts(&mut self) {
        let id = self.ids.of("layoutGroups", 0);
        self.make_built_in("layoutGroups", &id, json!({ "name": "4:3" }));
        for (index, (name, positions)) in LAYOUTS.into_iter().enumerate() {
            let definition = format!("<ViewLayout ViewLayoutType=\"Custom\" Positions=\"{positions}\" />");
            self.make_below(
                ("layoutGroups", &id),
                "layouts",
                index,
                json!({ "name": name, "definitionXml": definition }),
            );
        }
    }

    fn view_groups(&mut self) {
        let mut groups: Vec<Option<String>> = Vec::new();
        for (index, name) in ["Entrances", "Control room"].into_iter().enumerate() {
            groups.push(self.make(
                "viewGroups",
                index,
                json!({ "name": name, "viewGroupDataXml": "<viewgroup />" }),
            ));
        }
        let inner = groups.get(1).cloned().flatten().and_then(|outer| {
            self.make_below(("viewGroups", &outer), "viewGroups", 2, json!({ "name": "Spot" }))
        });
        groups.push(inner);
        for (index, (name, group, positions)) in VIEWS.into_iter().enumerate() {
            let Some(group) = groups.get(group).cloned().flatten() else { continue };
            let view = json!({
                "name": name,
                "shortcut": (index + 1).to_string(),
                "clientId": self.ids.of("views", index),
                "layoutIcon": "",
                "layoutViewItems": self.positions(positions),
                "viewItem": (0..positions).map(|item| self.view_item(index, item)).collect::<Vec<_>>(),
            });
            let made = self.make_below(("viewGroups", &group), "views", index, view);
            if let Some(view) = made.and_then(|id| self.store.get_mut("views", &id)) {
                finish::view_items(view, self.settings.version);
            }
        }
    }

    fn positions(&self, count: usize) -> String {
        let rectangles =
            (0..count).map(|n| format!("<ViewItem position=\"{n}\" width=\"{}\" />", 1000 / count.max(1)));
        format!("<ViewItems>{}</ViewItems>", rectangles.collect::<String>())
    }

    fn view_item(&self, view: usize, item: usize) -> Value {
        let camera = self.camera_id(view * 4 + item).unwrap_or_default();
        json!({
            "id": self.ids.of("viewItems", view * 100 + item),
            "viewItemDefinitionXml": format!("<viewitem><iteminfo cameraid=\"{camera}\" /></viewitem>"),
        })
    }

    fn profiles(&mut self) {
        let layout = self.store.all("layouts").next().map(|layout| layout.id.clone());
        for (index, name) in ["Guards", "Supervisors"].into_iter().enumerate() {
            let disabled: Vec<Value> = layout
                .iter()
                .filter(|_| index == 0)
                .map(|id| json!({ "type": "layouts", "id": id }))
                .collect();
            let profile = json!({
                "name": name,
                "clientProfileGeneral": { "applicationExitButton": if index == 0 { "Unavailable" } else { "Available" } },
                "clientProfileLive": { "functionsLiveBookmarkModeLocked": index == 0 },
                "clientProfileViewLayouts": { "disabledViewLayouts": disabled },
            });
            self.make("clientProfiles", index, profile);
        }
        let id = self.ids.of("clientProfiles", 99);
        let default = json!({ "name": "Default Smart Client profile", "isDefaultProfile": true });
        self.make_built_in("clientProfiles", &id, default);
        let id = self.ids.of("evidenceLockProfiles", 99);
        let default =
            json!({ "name": "Default evidence lock profile", "retentionTimeOptions": ["1 week", "1 month"] });
        self.make_built_in("evidenceLockProfiles", &id, default);
        let police = json!({ "name": "Police", "retentionTimeOptions": ["1 year", "Indefinite"] });
        self.make("evidenceLockProfiles", 0, police);
    }
}
