//! Groups of devices, and event types with their groups.

use super::{
    Reader,
    devices::{DEVICES, Device},
    text,
};
use crate::{soap::xml::Xml, world::Object};

/// Deepest nesting of groups that is shown.
const DEEPEST: usize = 16;

/// The trees of groups of all types of devices.
pub fn devices(reader: &Reader<'_>, xml: &mut Xml) {
    for device in &DEVICES {
        let top = reader.all(device.groups).filter(|group| !is_inside(group, device));
        xml.open(&format!("{}Groups", device.name), |xml| {
            top.for_each(|group| tree(reader, device, group, DEEPEST, xml));
        });
    }
}

fn is_inside(group: &Object, device: &Device) -> bool {
    group.parent.as_ref().is_some_and(|(kind, _)| *kind == device.groups)
}

fn tree(reader: &Reader<'_>, device: &Device, group: &Object, depth: usize, xml: &mut Xml) {
    let name = device.name;
    xml.open(&format!("{name}GroupInfo"), |xml| {
        head(group, xml);
        xml.open(&format!("{name}Groups"), |xml| {
            if depth > 0 {
                let inner = reader.children(device.groups, &group.id);
                inner.for_each(|group| tree(reader, device, group, depth - 1, xml));
            }
        });
        let members = reader.world.store.members(&group.id, device.kind).iter();
        let shown = members
            .filter(|id| reader.world.store.get(device.kind, id).is_some_and(|object| reader.shows(object)));
        xml.guids(device.list, shown.map(String::as_str));
    });
}

fn head(group: &Object, xml: &mut Xml) {
    xml.put("GroupId", &group.id);
    xml.put("Name", text(group, "name"));
    xml.put("Description", text(group, "description"));
}

/// Event types: those that somebody made (`EventTypes`), those of the product (`SystemEventTypes`), and groups.
pub fn events(reader: &Reader<'_>, xml: &mut Xml) {
    xml.open("EventTypeGroups", |xml| {
        for group in reader.all("eventTypeGroups") {
            let own = reader.children("eventTypes", &group.id).map(|object| object.id.as_str());
            let members = reader.world.store.members(&group.id, "analyticsEvents").iter();
            xml.open("EventTypeGroupInfo", |xml| {
                head(group, xml);
                xml.put("EventTypeGroups", "");
                xml.guids("EventTypes", own.chain(members.map(String::as_str)));
            });
        }
    });
    xml.open("EventTypes", |xml| {
        for event in reader.all("userDefinedEvents").chain(reader.all("analyticsEvents")) {
            xml.open("EventTypeInfo", |xml| event_type(event, xml));
        }
    });
    xml.open("SystemEventTypes", |xml| {
        for event in reader.all("eventTypes") {
            xml.open("SystemEventTypeInfo", |xml| {
                event_type(event, xml);
                xml.put("EventSource", text(event, "generatorName"));
            });
        }
    });
}

fn event_type(event: &Object, xml: &mut Xml) {
    xml.put("EventTypeId", &event.id);
    xml.put("Name", text(event, "name"));
    xml.put("Description", text(event, "description"));
}
