//! Who sees and who writes what (design, D18). REST, effectivePermissions and the sockets ask here.

use serde_json::{Value, json};

use crate::{
    identity::{Caller, Role},
    switches::{SERVICE_WRITES, Switches},
    world::{Object, World, ids},
};

/// Names and bits of the security actions; the bits are our own, clients read them from the namespace.
const ACTIONS: [(&str, u32); 8] = [
    ("GENERIC_READ", 1),
    ("GENERIC_WRITE", 2),
    ("VIEW_LIVE", 4),
    ("PLAYBACK", 8),
    ("EXPORT", 16),
    ("PTZ_CONTROL", 32),
    ("DELETE", 64),
    ("ADMIN_SECURITY", 128),
];
const ALL_ACTIONS: u32 = 255;
const READ_ACTIONS: u32 = 1 | 4 | 8 | 16 | 32;

/// Types whose objects hang on physical cameras; so does everything below them.
const DEVICES: [&str; 7] =
    ["cameras", "hardware", "microphones", "speakers", "metadata", "inputEvents", "outputs"];
/// Types that guards do not see at all.
const SECURITY: [&str; 3] = ["basicUsers", "roles", "users"];

/// Whether a role sees an object.
pub fn sees(world: &World, role: Role, object: &Object) -> bool {
    match role {
        Role::Administrators | Role::Operators | Role::Service => true,
        Role::Guards if is_device(world, object) => {
            object.physical.is_some_and(|camera| camera < world.guarded)
        }
        Role::Guards => !SECURITY.contains(&object.kind),
        Role::Nobody => false,
    }
}

/// Whether an object is a device or below one; it has the device's physical camera then.
fn is_device(world: &World, object: &Object) -> bool {
    DEVICES.contains(&object.kind)
        || object.parent.as_ref().is_some_and(|(kind, id)| {
            *kind != object.kind && world.store.get(kind, id).is_some_and(|parent| is_device(world, parent))
        })
}

/// Whether a caller may change configuration.
pub fn writes(switches: &Switches, caller: &Caller) -> bool {
    match caller.role {
        Role::Administrators => true,
        Role::Service => switches.on(&SERVICE_WRITES),
        Role::Operators | Role::Guards | Role::Nobody => false,
    }
}

/// The mask of `effectivePermissions` for an object; agrees with [`sees`].
pub fn mask(world: &World, role: Role, object: Option<&Object>) -> u32 {
    match (role, object) {
        (_, None) => 0,
        (Role::Administrators, Some(_)) => ALL_ACTIONS,
        (role, Some(object)) if sees(world, role, object) => READ_ACTIONS,
        _ => 0,
    }
}

/// Id, type and name of the security namespaces: ids are equal everywhere (sheet 3.6).
pub fn namespaces() -> Vec<(String, &'static str, &'static str)> {
    [
        ("cameras", "Cameras"),
        ("microphones", "Microphones"),
        ("speakers", "Speakers"),
        ("metadata", "Metadata"),
        ("inputEvents", "Input events"),
        ("outputs", "Outputs"),
        ("hardware", "Hardware"),
        ("recordingServers", "Recording servers"),
        ("userDefinedEvents", "User-defined events"),
        ("cameraGroups", "Camera groups"),
        ("microphoneGroups", "Microphone groups"),
        ("speakerGroups", "Speaker groups"),
        ("metadataGroups", "Metadata groups"),
        ("inputEventGroups", "Input event groups"),
        ("outputGroups", "Output groups"),
    ]
    .into_iter()
    .map(|(kind, name)| {
        let id = if kind == "cameras" {
            ids::CAMERA_NAMESPACE.to_owned()
        } else {
            ids::shared("securityNamespaces", kind)
        };
        (id, kind, name)
    })
    .collect()
}

/// The `securityActions` of a namespace.
pub fn actions() -> Value {
    ACTIONS
        .iter()
        .map(|(name, mask)| json!({ "name": name, "displayName": name, "visible": true, "securityMask": mask }))
        .collect()
}
