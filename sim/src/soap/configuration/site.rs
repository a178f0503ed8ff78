//! What concerns the whole site.

use super::{Reader, text};
use crate::{rights, soap::xml::Xml};

/// Seconds before and after a bookmark, as the product sets them.
const BOOKMARK_SECONDS: (u32, u32) = (3, 30);

/// Who the server is.
pub fn identity(reader: &Reader<'_>, xml: &mut Xml) {
    if let Some(site) = reader.world.store.all("sites").next() {
        xml.put("ServerId", &site.id);
        xml.put("ServerName", text(site, "name"));
        xml.put("ServerDescription", text(site, "description"));
    }
}

/// Everything that is neither device nor group. What this site has none of is empty.
pub fn rest(reader: &Reader<'_>, xml: &mut Xml) {
    for empty in ["AlertTypeGroups", "AlertTypes"] {
        xml.put(empty, "");
    }
    xml.open("AudioMessages", |xml| {
        for message in reader.all("audioMessages") {
            xml.open("AudioMessageInfo", |xml| {
                xml.put("Id", &message.id);
                xml.put("Name", text(message, "name"));
                xml.put("Description", text(message, "description"));
            });
        }
    });
    xml.open("MatrixMonitors", |xml| {
        for matrix in reader.all("matrix") {
            xml.open("MatrixMonitorInfo", |xml| {
                xml.put("MatrixMonitorId", &matrix.id);
                xml.put("DisplayName", text(matrix, "name"));
            });
        }
    });
    mappings(reader, xml);
    for empty in ["Licenses", "ServerOptions"] {
        xml.put(empty, "");
    }
    let uses = reader.world.store.all("sites").any(|site| reader.sees(site));
    let sets = rights::writes(&reader.settings.switches, reader.caller);
    xml.open("ApplicationAccess", |xml| {
        xml.open("SmartClientSecurity", |xml| {
            xml.put("SmartClientBrowse", uses);
            xml.put("SmartClientLive", uses);
            xml.put("SmartClientReport", sets);
            xml.put("SmartClientSetup", sets);
        });
    });
    xml.open("BookmarkSettings", |xml| {
        xml.put("DefaultPreTimeSec", BOOKMARK_SECONDS.0);
        xml.put("DefaultPostTimeSec", BOOKMARK_SECONDS.1);
    });
    xml.open("RetentionSettings", |xml| xml.put("RetentionOptions", ""));
    xml.put("FailoverCheckInterval", 0);
}

/// Devices that belong together: a microphone and the camera of the same hardware that it is beside.
fn mappings(reader: &Reader<'_>, xml: &mut Xml) {
    xml.open("DeviceMappings", |xml| {
        for microphone in reader.all("microphones") {
            let Some((_, hardware)) = &microphone.parent else { continue };
            let camera =
                reader.children("cameras", hardware).find(|camera| camera.physical == microphone.physical);
            if let Some(camera) = camera {
                xml.open("DeviceMappingInfo", |xml| {
                    xml.put("DeviceA", &camera.id);
                    xml.put("DeviceB", &microphone.id);
                });
            }
        }
    });
}
