//! Generic events and what they come from.

use serde_json::json;

use super::Seed;
use crate::{rest::finish, switches::ITEM_NOTATION, world::ids};

/// Name, expression and kind of expression.
const GENERIC: [(&str, &str, &str); 3] = [
    ("Barrier raised", "\"barrier\" AND \"raised\"", "0"),
    ("Temperature alarm", "TEMP HIGH", "1"),
    ("Badge reader", "^BADGE [0-9]+$", "2"),
];

impl Seed<'_> {
    pub(super) fn sources(&mut self) {
        self.make_built_in(
            "genericEventDataSources",
            ids::COMPATIBLE_SOURCE,
            json!({ "name": "Compatible", "dataSourceEncoding": 20127 }),
        );
        self.make_built_in(
            "genericEventDataSources",
            ids::INTERNATIONAL_SOURCE,
            json!({ "name": "International", "dataSourceEncoding": 65001, "dataSourcePort": 1235, "enabled": false }),
        );
        let gates =
            json!({ "name": "Gate controllers", "dataSourcePort": 5544, "dataSourceProtocol": "Udp" });
        let own = self.make("genericEventDataSources", 0, gates);
        let notation = self.settings.switches.get(&ITEM_NOTATION);
        for (index, (name, expression, kind)) in GENERIC.into_iter().enumerate() {
            let own = own.as_deref().filter(|_| index == 0);
            let event = json!({
                "name": name,
                "dataSource": finish::data_source(notation, own.unwrap_or(ids::COMPATIBLE_SOURCE)),
                "expression": expression,
                "expressionType": kind,
                "priority": index + 1,
                "shadowId": self.shadow(index),
            });
            if let Some(id) = self.make("genericEvents", index, event) {
                self.store.add_member(ids::EXTERNAL_EVENTS, "genericEvents", &id);
            }
        }
    }

    /// Id of the hidden user-defined event behind a generic event.
    pub(super) fn shadow(&self, generic_event: usize) -> String {
        self.ids.of("shadowEvents", generic_event)
    }
}
