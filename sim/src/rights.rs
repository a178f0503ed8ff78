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
const READ: u32 = 1;
const ALL_ACTIONS: u32 = 255;
const READ_ACTIONS: u32 = 1 | 4 | 8 | 16 | 32;

/// Types whose objects hang on physical cameras; so does everything below them.
const DEVICES: [&str; 7] =
    ["cameras", "hardware", "microphones", "speakers", "metadata", "inputEvents", "outputs"];
/// Types that guards do not see at all: who may do what, and what is set up for cameras that they do not see.
const SECURITY: [&str; 8] = [
    "basicUsers",
    "roles",
    "users",
    "alarmDefinitions",
    "loginProviders",
    "mailNotificationProfiles",
    "registeredClaims",
    "rules",
];

/// Types whose objects have rights of their own, and the readable name of each; what is below has their rights.
const NAMESPACES: [(&str, &str); 22] = [
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
    ("accessControlGroups", "Access control groups"),
    ("accessControlUnits", "Access control units"),
    ("childSites", "Child sites"),
    ("matrix", "Matrix"),
    ("mipItems", "MIP items"),
    ("videoWalls", "Video walls"),
    ("viewGroups", "View groups"),
];

/// Whether a role sees an object.
pub fn sees(world: &World, role: Role, object: &Object) -> bool {
    match role {
        Role::Granted(_) => mask(world, role, Some(object)) & READ != 0,
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
        Role::Operators | Role::Guards | Role::Granted(_) | Role::Nobody => false,
    }
}

/// Whether a caller may change this object: all of them, or a task gave that right on it.
pub fn changes(world: &World, switches: &Switches, caller: &Caller, object: &Object) -> bool {
    writes(switches, caller) || mask(world, caller.role, Some(object)) & action("GENERIC_WRITE") != 0
}

/// Whether a caller may say who may do what with this object.
pub fn administers(world: &World, caller: &Caller, object: &Object) -> bool {
    mask(world, caller.role, Some(object)) & action("ADMIN_SECURITY") != 0
}

/// What a role may do with an object by its own rights, without those on all objects of the type.
pub fn own_mask(world: &World, role: &str, object: &Object) -> u32 {
    let granted = world.grants.get(role);
    let given = granted.and_then(|granted| granted.on_object(owner(object).1));
    given.unwrap_or_else(|| mask(world, granted.map_or(Role::Nobody, |granted| granted.base), Some(object)))
}

/// Type and id of what decides about an object: itself, or what it belongs to.
fn owner(object: &Object) -> (&str, &str) {
    let own = (object.kind, object.id.as_str());
    if NAMESPACES.iter().any(|(kind, _)| *kind == object.kind) {
        return own;
    }
    object.parent.as_ref().map_or(own, |(kind, id)| (*kind, id.as_str()))
}

/// The bit of an action; 0 for an unknown one.
pub fn action(name: &str) -> u32 {
    ACTIONS.iter().find(|(action, _)| *action == name).map_or(0, |(_, bit)| *bit)
}

/// Names of all actions.
pub fn action_names() -> impl Iterator<Item = &'static str> {
    ACTIONS.iter().map(|(name, _)| *name)
}

/// The mask of `effectivePermissions` for an object; agrees with [`sees`].
pub fn mask(world: &World, role: Role, object: Option<&Object>) -> u32 {
    match (role, object) {
        (_, None) => 0,
        (Role::Granted(set), Some(object)) => {
            let owner = owner(object);
            let (mut allowed, mut denied) = (0, 0);
            for granted in world.grants.of(set) {
                let overall = granted.on_all(owner.0);
                let given = granted.on_object(owner.1);
                allowed |= given.unwrap_or_else(|| mask(world, granted.base, Some(object))) | overall.allow;
                denied |= overall.deny;
            }
            allowed & !denied
        }
        (Role::Administrators, Some(_)) => ALL_ACTIONS,
        (role, Some(object)) if sees(world, role, object) => READ_ACTIONS,
        _ => 0,
    }
}

/// Id, type and name of the security namespaces: ids are equal everywhere (sheet 3.6).
pub fn namespaces() -> Vec<(String, &'static str, &'static str)> {
    NAMESPACES
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
