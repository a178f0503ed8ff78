//! What untouched children say about their parent: facts that no default can know.

use serde_json::{Value, json};

use super::effects::ptz;
use crate::world::{Object, ids};

/// Hidden member of hardware that took the place of other hardware.
pub const MAC: &str = "_mac";
/// What every device runs at first.
const FIRMWARE: &str = "9.80.1";

/// The fields of a child of that type that follow from its parent.
pub fn of(kind: &str, parent: &Object) -> Value {
    // The name by which settings and streams of a camera know each other.
    let stream = || ids::shared("streams", &parent.id);
    match kind {
        "hardwareDriverSettings" => json!({
            "detectedModelName": parent.text("model"),
            "firmwareVersion": FIRMWARE,
            "macAddress": mac(parent),
            "serialNumber": mac(parent).replace(':', ""),
        }),
        "settings" if parent.kind == "cameras" => json!({
            "ptz": { "ptzEnabled": ptz::is_ptz(parent) },
            "stream": [{ "streamReferenceId": stream() }],
        }),
        // Other devices neither move nor have pictures.
        "settings" => json!({ "ptz": null, "ptzSessionTimeouts": null, "stream": [] }),
        "streams" => json!({ "stream": [{ "streamReferenceId": stream() }] }),
        "storageInformation" | "archiveStorageInformation" => json!({
            "lastUpdated": parent.fields.get("lastModified"),
            "usedSpace": used(parent),
            "isMounted": parent.fields.get("mounted") != Some(&Value::Bool(false)),
        }),
        _ => Value::Null,
    }
}

/// Hardware that several sites record has one MAC address and one serial number (sheet 3.6): they must not depend on
/// the ids of this site.
pub fn mac(hardware: &Object) -> String {
    match (hardware.text(MAC), hardware.physical) {
        ("", Some(physical)) => written(physical as u64),
        ("", None) => mac_at(hardware.text("address")),
        (mac, _) => mac.to_owned(),
    }
}

/// The MAC address of a device that a site of its own does not know yet.
pub fn mac_at(address: &str) -> String {
    written(ids::dice(0, address, 0) | 1 << 31)
}

/// In the range for addresses that nobody has to register.
fn written(number: u64) -> String {
    let [.., a, b, c, d] = number.to_be_bytes();
    format!("02:40:{a:02X}:{b:02X}:{c:02X}:{d:02X}")
}

/// Megabytes of a storage that are in use: some part of what it may hold.
fn used(storage: &Object) -> u64 {
    let most = storage.fields.get("maxSize").and_then(Value::as_u64).unwrap_or(1000);
    ids::dice(0, &storage.id, 0) % most.max(1)
}
