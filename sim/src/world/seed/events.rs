//! Event types with their states, user-defined and analytics events.

use serde_json::json;

use super::{Fate, Seed};
use crate::{
    stamp::Stamp,
    world::{ids, last_modified, store::Object},
};

/// State group "motion" (sheet 4.6).
const MOTION: &str = "720ef62a-78be-418a-8e4c-ee04ffca6429";

/// A state group, and name, id and state of each of its event types; the ids are equal everywhere (sheet 4.6).
type Machine = (&'static str, &'static str, &'static [(&'static str, &'static str, &'static str)]);

const MACHINES: [Machine; 6] = [
    (
        "Motion",
        "Device",
        &[
            ("Motion Started", "6eb95dd6-7ccc-4bce-99f8-af0d0b582d77", "Motion"),
            ("Motion Stopped", "6f55a7a7-d21c-4629-ac18-af1975e395a2", "No Motion"),
        ],
    ),
    (
        "Recording",
        "Device",
        &[
            ("Recording Started", "4577f552-765a-438c-bc7d-e5ff1f754bc3", "Recording"),
            ("Recording Stopped", "79a94f89-92de-4fca-8a43-5561d407423d", "Not Recording"),
        ],
    ),
    (
        "Live Client Feed",
        "Device",
        &[
            ("Live Client Feed Requested", "66bdd008-b856-44b6-b385-b1f6c3f76f1b", "Live"),
            ("Live Client Feed Terminated", "eeda47ff-4f3d-459e-8143-69896c7c74ad", "No Live"),
        ],
    ),
    (
        "Communication",
        "Device",
        &[
            ("Communication Started (Device)", "dd3e6464-7dc0-405a-a92f-6150587563e8", "Responding"),
            ("Communication Stopped (Device)", "0ee90664-2924-42a0-a816-4129d0ecabdc", "Not Responding"),
            ("Communication Error (Device)", "a334af1c-4b4b-4957-9e5f-ab8ca07feab6", "Error"),
        ],
    ),
    (
        "Hardware Communication",
        "Hardware",
        &[
            ("Communication Started (Hardware)", "0553c396-5e16-4c22-b3d1-f548e42dfbb4", "Responding"),
            ("Communication Stopped (Hardware)", "63ea1f06-5a83-4f39-9fab-49959fde7b66", "Not Responding"),
            ("Communication Error (Hardware)", "6baad64b-c395-4f52-b6a3-dd1b64aa2f0f", "Error"),
        ],
    ),
    (
        "Output",
        "Device",
        &[
            ("Output Activated", "7a78f5bb-d8c3-4997-89b7-cae72713b7db", "Activated"),
            ("Output Deactivated", "35742498-bcc5-4f0a-9800-827c9388d1cd", "Deactivated"),
        ],
    ),
];

/// Event types without a state.
const STATELESS: [(&str, &str); 2] = [
    ("Settings Changed", "4c8be5ed-80fa-43e7-bf5b-4e7570ad0025"),
    ("Settings Changed Error", "87be2a0d-c33b-4b5f-ae1f-afa6770a2497"),
];

const BUILT_IN: [&str; 3] = ["Requested Start", "Requested Stop", "Requested Playback"];
const USER_DEFINED: [&str; 8] = [
    "Gate opened",
    "Door forced",
    "Panic button",
    "Fire drill",
    "Visitor announced",
    "Delivery",
    "Night mode",
    "Escort needed",
];
const ANALYTICS: [&str; 4] = ["Line crossed", "Object left", "Loitering", "Crowd detected"];

impl Seed<'_> {
    pub(super) fn events(&mut self) {
        self.event_types();
        for (index, (id, name)) in ids::BUILT_IN_EVENTS.into_iter().zip(BUILT_IN).enumerate() {
            let event = Object::new("userDefinedEvents", id.to_owned()).built_in();
            self.named("built-in", index, event, name);
        }
        for (index, name) in USER_DEFINED.into_iter().enumerate() {
            let id = self.ids.of("userDefinedEvents", index);
            self.named("userDefinedEvents", index, Object::new("userDefinedEvents", id), name);
        }
        for (index, name) in ANALYTICS.into_iter().enumerate() {
            let id = self.ids.of("analyticsEvents", index);
            self.named("analyticsEvents", index, Object::new("analyticsEvents", id), name);
        }
    }

    fn named(&mut self, series: &str, index: usize, object: Object, name: &str) {
        let fate = if object.built_in { Fate::Kept } else { self.fate(series, index) };
        let name = match fate {
            Fate::Missing => return,
            Fate::Kept => name.to_owned(),
            Fate::Changed => format!("{name} ({})", self.settings.name),
        };
        let time = self.time(series, index);
        let modified = Stamp::parse(&time).map(|time| last_modified(self.settings, object.kind, time));
        let mut object =
            object.below("sites", &self.site).with(json!({ "name": name, "lastModified": modified }));
        if object.kind == "userDefinedEvents" {
            object.set("createdDate", time);
            object.set("subtype", "UserDefined");
            self.store.add_member(ids::EXTERNAL_EVENTS, object.kind, &object.id);
        } else {
            self.store.add_member(&ids::analytics_group(), object.kind, &object.id);
        }
        self.store.insert(object);
    }

    fn event_types(&mut self) {
        let installed = Self::installed();
        let groups = [
            (ids::DEVICE_PREDEFINED.to_owned(), "Device - Predefined"),
            (ids::analytics_group(), "Analytics Events"),
            (ids::EXTERNAL_EVENTS.to_owned(), "External Events"),
        ];
        for (id, name) in groups {
            let group = Object::new("eventTypeGroups", id).below("sites", &self.site).built_in();
            self.store.insert(group.with(json!({ "name": name })));
        }
        for (name, source, types) in MACHINES {
            let group = if name == "Motion" { MOTION.to_owned() } else { ids::shared("stateGroups", name) };
            let states: Vec<&str> = types.iter().map(|(_, _, state)| *state).collect();
            let state_group = Object::new("stateGroups", group.clone())
                .below("sites", &self.site)
                .with(json!({ "name": name, "lastModified": installed, "states": states }))
                .built_in();
            self.store.insert(state_group);
            for (index, (name, id, state)) in types.iter().enumerate() {
                let counter = types.get(1 - index.min(1)).map_or("", |(_, id, _)| *id);
                self.event_type(
                    name,
                    id,
                    source,
                    json!({
                        "counterEventID": counter,
                        "state": state,
                        "stateGroupId": group,
                    }),
                );
            }
        }
        for (name, id) in STATELESS {
            self.event_type(name, id, "Device", json!({}));
        }
    }

    fn event_type(&mut self, name: &str, id: &str, source: &str, more: serde_json::Value) {
        let object = Object::new("eventTypes", id.to_owned())
            .below("eventTypeGroups", ids::DEVICE_PREDEFINED)
            .built_in()
            .with(json!({
                "name": name,
                "generatorName": source,
                "generatorType": "RecorderPlugin",
                "generatorGroupId": ids::DEVICE_PREDEFINED,
                "generatorGroupName": "Device - Predefined",
                "lastModified": Self::installed(),
            }))
            .with(more);
        self.store.insert(object);
    }
}
