#![allow(clippy::unwrap_used)]

use super::*;
use crate::rest::{references, table};

fn world(name: &str, diverge: f64) -> World {
    World::new(&Settings { name: name.to_owned(), diverge, ..Settings::default() })
}

fn names(world: &World, kind: &str) -> Vec<String> {
    world.store.all(kind).map(|object| object.text("name").to_owned()).collect()
}

#[test]
fn same_seed_is_the_same_site_under_other_ids() {
    let (one, again, other) = (world("A", 0.0), world("A", 0.0), world("B", 0.0));
    for kind in ["cameras", "hardware", "microphones", "storages", "basicUsers", "cameraGroups"] {
        let ids = |world: &World| world.store.all(kind).map(|object| object.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&one), ids(&again), "{kind}");
        assert_eq!(names(&one, kind), names(&other, kind), "{kind}");
        let shared = ids(&one).into_iter().filter(|id| ids(&other).contains(id)).count();
        assert_eq!(shared, usize::from(kind == "cameraGroups"), "{kind}: only the well-known group");
    }
    let addresses = |world: &World| -> Vec<String> {
        world.store.all("hardware").map(|object| object.text("address").to_owned()).collect()
    };
    assert_eq!(addresses(&one), addresses(&other));
    assert_eq!(one.store.count("cameras"), 50);
    let unique: std::collections::BTreeSet<_> = addresses(&one).into_iter().collect();
    assert_eq!(unique.len(), one.store.count("hardware"));
}

#[test]
fn divergence_leaves_out_and_changes() {
    let (plain, changed) = (world("B", 0.0), world("B", 0.3));
    assert!(changed.store.count("hardware") < plain.store.count("hardware"));
    assert_eq!(changed.store.count("basicUsers"), plain.store.count("basicUsers"));
    assert!(names(&changed, "cameras").iter().any(|name| name.ends_with("(B)")));
    assert_eq!(names(&changed, "cameras"), names(&world("B", 0.3), "cameras"));
}

#[test]
fn roles_follow_membership() {
    let mut world = world("A", 0.0);
    let mut role = |name: &str| {
        let sid = world.accounts.by_name(name).unwrap().sid.clone();
        world.role_of(&sid)
    };
    assert_eq!(role("ADMIN"), crate::identity::Role::Administrators);
    assert_eq!(role("user1"), crate::identity::Role::Operators);
    assert_eq!(role("user2"), crate::identity::Role::Guards);
    assert_eq!(world.role_of("S-1-5-1"), crate::identity::Role::Nobody);
}

#[test]
fn no_camera_is_no_problem() {
    let world = World::new(&Settings { cameras: 0, users: 0, ..Settings::default() });
    assert_eq!(world.store.count("cameras"), 0);
}

#[test]
fn windows_users_have_one_sid_and_an_object_on_each_side() {
    let (one, other) = (world("A", 0.0), world("B", 0.0));
    let account = |world: &World, name: &str| world.accounts.windows("vms", name).unwrap().clone();
    let (here, there) = (account(&one, "WIN1"), account(&other, "win1"));
    assert_eq!((&here.sid, &here.name), (&there.sid, &there.name));
    assert_ne!(here.user, there.user);
    assert_eq!(one.store.get("users", &here.user).unwrap().text("sid"), here.sid);
    assert_eq!(one.role_of(&here.sid), crate::identity::Role::Operators);
    assert_eq!(one.role_of(&account(&one, "win2").sid), crate::identity::Role::Guards);
    assert!(one.accounts.windows("", "win20").is_some() && one.accounts.windows("OTHER", "win1").is_none());
    let few = World::new(&Settings { users: 0, ..Settings::default() });
    assert!(few.accounts.windows("VMS", "win2").is_some() && few.accounts.windows("VMS", "win3").is_none());
}

#[test]
fn references_of_the_seed_lead_somewhere() {
    for (cameras, diverge) in [(50, 0.0), (50, 0.3), (50, 0.9), (1, 0.0), (0, 0.5)] {
        let world = World::new(&Settings { cameras, diverge, ..Settings::default() });
        for kind in table::types() {
            for object in world.store.all(kind.name()) {
                for field in &kind.fields {
                    let Some(value) = object.fields.get(field.name) else { continue };
                    for (target, id) in references::of(field, value) {
                        let found = references::find(&world, target, id);
                        assert!(
                            found.is_some(),
                            "{}/{} {}: {target}/{id}",
                            kind.name(),
                            object.id,
                            field.name
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn instances_share_only_well_known_ids() {
    let (one, other) = (world("A", 0.0), world("B", 0.0));
    // What ships with the product, and numbers.
    let known = [
        "securityNamespaces",
        "eventTypes",
        "eventTypeGroups",
        "stateGroups",
        "genericEventDataSources",
        "registeredClaims",
        "userDefinedEvents",
    ];
    for kind in table::types() {
        let own: Vec<&str> = one.store.all(kind.name()).map(|object| object.id.as_str()).collect();
        let both = own.iter().filter(|id| other.store.get(kind.name(), id).is_some()).count();
        let groups = usize::from(kind.name().ends_with("Groups"));
        assert!(both <= groups || known.contains(&kind.name()), "{}: {both}", kind.name());
        assert_eq!(own.len(), other.store.count(kind.name()), "{}", kind.name());
    }
}
