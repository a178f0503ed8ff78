//! Recorders, their hardware and its devices.

use super::{
    Reader,
    devices::{self, DEVICES},
    text,
};
use crate::{
    soap::{methods::shorter, xml::Xml},
    world::Object,
};

/// All recorders with everything on them.
pub fn all(reader: &Reader<'_>, xml: &mut Xml) {
    xml.open("Recorders", |xml| {
        for recorder in reader.all("recordingServers") {
            xml.open("RecorderInfo", |xml| whole(reader, recorder, xml));
        }
    });
}

/// A recorder with everything on it.
pub fn whole(reader: &Reader<'_>, recorder: &Object, xml: &mut Xml) {
    own(recorder, xml);
    let boxes: Vec<&Object> = reader.children("hardware", &recorder.id).collect();
    xml.open("Hardware", |xml| boxes.iter().for_each(|object| hardware(reader, object, xml)));
    for device in &DEVICES {
        xml.open(device.list, |xml| {
            for object in boxes.iter().flat_map(|parent| reader.children(device.kind, &parent.id)) {
                devices::write(reader, device, object, &recorder.id, xml);
            }
        });
    }
}

/// A recorder alone; its lists are nil.
pub fn bare(recorder: &Object, xml: &mut Xml) {
    own(recorder, xml);
    xml.nil("Hardware");
    DEVICES.iter().for_each(|device| xml.nil(device.list));
}

fn own(recorder: &Object, xml: &mut Xml) {
    xml.put("RecorderId", &recorder.id);
    xml.put("ServiceId", &recorder.id);
    for (name, field) in [
        ("Name", "name"),
        ("Description", "description"),
        ("HostName", "hostName"),
        ("WebServerUri", "webServerUri"),
        ("TimeZoneName", "timeZoneName"),
    ] {
        xml.put(name, text(recorder, field));
    }
    xml.put("DefaultRecordingTimeSeconds", 0);
    xml.put("XmlEncoding", "utf-8");
    xml.put("LastModified", shorter(&text(recorder, "lastModified")));
}

/// Hardware with the ids of its devices.
pub fn hardware(reader: &Reader<'_>, hardware: &Object, xml: &mut Xml) {
    let recorder = hardware.parent.as_ref().map_or("", |(_, id)| id.as_str());
    let devices = DEVICES.iter().flat_map(|device| reader.children(device.kind, &hardware.id));
    xml.open("HardwareInfo", |xml| {
        xml.put("HardwareId", &hardware.id);
        xml.guids("DeviceIds", devices.map(|device| device.id.as_str()));
        xml.put("RecorderId", recorder);
        xml.put("Name", text(hardware, "name"));
        xml.put("Description", text(hardware, "description"));
        xml.put("Uri", text(hardware, "address"));
        xml.put("Interconnected", false);
        xml.put("LastModified", shorter(&text(hardware, "lastModified")));
    });
}

/// Devices that are switched off, themselves or with their hardware.
pub fn disabled(reader: &Reader<'_>, xml: &mut Xml) {
    let store = &reader.world.store;
    for device in &DEVICES {
        for object in store.all(device.kind).filter(|object| reader.sees(object)) {
            if reader.works(object) {
                continue;
            }
            let parent = object.parent.as_ref().and_then(|(_, id)| store.get("hardware", id));
            let recorder = parent.and_then(|hardware| hardware.parent.as_ref());
            xml.open("DeviceDisabledInfo", |xml| {
                xml.put("DeviceId", &object.id);
                xml.put("DeviceName", text(object, "name"));
                xml.put("DeviceType", device.name);
                xml.put("HardwareId", parent.map_or("", |hardware| hardware.id.as_str()));
                xml.put("RecorderId", recorder.map_or("", |(_, id)| id.as_str()));
            });
        }
    }
}
