//! Groups of devices.

use serde_json::json;

use super::{Fate, Seed, devices::AREAS};
use crate::world::{ids, store::Object};

/// Types of groups, of their members, and what all of these are called.
const OTHERS: [(&str, &str, &str); 5] = [
    ("microphoneGroups", "microphones", "microphones"),
    ("speakerGroups", "speakers", "speakers"),
    ("metadataGroups", "metadata", "metadata"),
    ("inputEventGroups", "inputEvents", "inputs"),
    ("outputGroups", "outputs", "outputs"),
];

impl Seed<'_> {
    pub(super) fn groups(&mut self) {
        self.camera_groups();
        for (group, member, name) in OTHERS {
            self.other_groups(group, member, name);
        }
    }

    /// A built-in group of all devices of a type, and one for each half of the site.
    fn other_groups(&mut self, kind: &'static str, member: &'static str, name: &str) {
        let devices: Vec<(usize, String)> = self
            .store
            .all(member)
            .map(|device| (device.physical.unwrap_or_default(), device.id.clone()))
            .collect();
        for (index, name) in [format!("All {name}"), "Ground floor".to_owned(), "Upper floor".to_owned()]
            .into_iter()
            .enumerate()
        {
            let id = self.ids.of(kind, index);
            let group = Object::new(kind, id.clone())
                .below("sites", &self.site)
                .with(json!({ "name": name, "lastModified": self.time(kind, index) }));
            let is_all = index == 0;
            self.store.insert(if is_all { group.built_in().with(json!({ "builtIn": true })) } else { group });
            let belongs = |area: usize| is_all || area % AREAS.len() % 2 == index - 1;
            let members =
                devices.iter().filter(|(area, _)| belongs(*area)).map(|(_, id)| id.clone()).collect();
            self.store.set_members(&id, member, members);
        }
    }

    fn camera_groups(&mut self) {
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
}
