//! What untouched children say about their parent: facts that no default can know.

use serde_json::{Value, json};

use super::effects::ptz;
use crate::world::{Object, ids};

/// The fields of a child of that type that follow from its parent.
pub fn of(kind: &str, parent: &Object) -> Value {
    match kind {
        "hardwareDriverSettings" => driver(parent),
        "settings" if parent.kind == "cameras" => json!({ "ptz": { "ptzEnabled": ptz::is_ptz(parent) } }),
        // Other devices neither move nor have pictures.
        "settings" => json!({ "ptz": null, "ptzSessionTimeouts": null, "stream": [] }),
        _ => Value::Null,
    }
}

/// Hardware that several sites record has one MAC address and one serial number (sheet 3.6): they must not depend on
/// the ids of this site.
fn driver(hardware: &Object) -> Value {
    let number = match hardware.physical {
        Some(physical) => physical as u64,
        // Added here, so unknown elsewhere.
        None => ids::dice(0, hardware.text("address"), 0) | 1 << 23,
    };
    let [.., a, b, c] = number.to_be_bytes();
    json!({
        "detectedModelName": hardware.text("model"),
        "firmwareVersion": "9.80.1",
        "macAddress": format!("00:40:8C:{a:02X}:{b:02X}:{c:02X}"),
        "serialNumber": format!("00408C{a:02X}{b:02X}{c:02X}"),
    })
}
