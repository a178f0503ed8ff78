//! Access control, licence plates and MIP items.

use serde_json::json;

use super::Seed;
use crate::world::{ids, store::Object};

/// Units below the system: name, and index of the unit above.
const UNITS: [(&str, Option<usize>); 6] = [
    ("Controller 1", None),
    ("Main door", Some(0)),
    ("Side door", Some(0)),
    ("Controller 2", None),
    ("Server room door", Some(3)),
    ("Garage door", Some(3)),
];

impl Seed<'_> {
    pub(super) fn plugins(&mut self) {
        self.access_control();
        let unlisted = self.ids.of("lprMatchLists", 99);
        self.make_built_in("lprMatchLists", &unlisted, json!({ "name": "Unlisted license plate" }));
        let staff = json!({
            "name": "Staff",
            "customFields": "Owner;Department",
            "registrationNumbers": "AB12345;CD67890",
            "_entries": ["AB12345,Jo,Sales", "CD67890,Kim,Security"],
        });
        self.make("lprMatchLists", 0, staff);
        let kind = json!({
            "name": "Incident categories",
            "pluginId": ids::shared("plugins", "incidents"),
            "pluginName": "Incidents",
            "modifiedUser": "admin",
        });
        let Some(kind) = self.make("mipKinds", 0, kind) else { return };
        for (index, name) in ["Theft", "Damage", "Accident"].into_iter().enumerate() {
            self.make_below(("mipKinds", &kind), "mipItems", index, json!({ "Name": name, "Severity": "2" }));
        }
    }

    fn access_control(&mut self) {
        let system = json!({ "name": "Door control" });
        let Some(system) = self.make("accessControlSystems", 0, system) else { return };
        let group = Object::new("accessControlRuleGroups", self.ids.of("accessControlRuleGroups", 0))
            .below("accessControlSystems", &system)
            .with(json!({ "name": "Doors" }));
        let rule_group = json!({ "type": group.kind, "id": group.id });
        self.insert(group, 0);
        if let Some(system) = self.store.get_mut("accessControlSystems", &system) {
            system.set("ruleGroup", rule_group.clone());
        }
        let doors = self.make("accessControlGroups", 0, json!({ "name": "Outer doors" }));
        for (index, (name, above)) in UNITS.into_iter().enumerate() {
            let unit = json!({ "name": name, "ruleGroup": rule_group });
            let above = above.map(|above| self.ids.of("accessControlUnits", above));
            let parent = match &above {
                Some(above) if self.store.get("accessControlUnits", above).is_none() => continue,
                Some(above) => ("accessControlUnits", above.as_str()),
                None => ("accessControlSystems", system.as_str()),
            };
            let made = self.make_below(parent, "accessControlUnits", index, unit);
            if let (Some(unit), Some(doors), true) = (made, &doors, above.is_some()) {
                self.store.add_member(doors, "accessControlUnits", &unit);
            }
        }
    }
}
