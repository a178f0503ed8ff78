//! The unmodified simulator reads as complete, whatever its version.

use super::*;
use crate::sync::catalogue::field::{Class, Shape};

fn read_version(version: &str) -> Snapshot {
    let sim = Sim::new(|settings| settings.version = version.parse().unwrap());
    let Reading { snapshot, .. } = read(&sim, &Past::default());
    assert_eq!(snapshot.version, version);
    snapshot
}

#[test]
fn every_type_of_every_version_is_complete() {
    for (version, absent) in [
        ("25.2", [].as_slice()),
        ("24.1", &["securityNamespaces"]),
        ("22.1", &["alarmPriorities", "alarmCategories", "securityNamespaces"]),
    ] {
        let snapshot = read_version(version);
        let expected: Vec<String> =
            absent.iter().map(|kind| format!("{kind}: {}", Distrust::Absent)).collect();
        assert_eq!(doubts(&snapshot), expected, "{version}");
        let empty = snapshot
            .lists
            .iter()
            .filter(|(kind, listing)| listing.objects.is_empty() && !absent.contains(&kind.as_str()));
        assert_eq!(empty.map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

/// Texts for booleans are a matter of writing: what is compared is the same.
#[test]
fn old_and_new_versions_have_the_same_objects() {
    let (old, new) = (read_version("22.1"), read_version("25.2"));
    let mut compared = 0;
    for (kind, listing) in &old.lists {
        let row = kind.row();
        let is_plain =
            row.fields.iter().all(|field| field.class != Class::Opaque && !is_opaque(&field.shape));
        if is_plain && !row.open && listing.distrust.is_empty() {
            assert_eq!(listing.objects, new.lists[kind].objects, "{kind}");
            compared += listing.objects.len();
        }
    }
    assert!(compared > 100, "{compared}");
}

fn is_opaque(shape: &Shape) -> bool {
    match shape {
        Shape::List(inner) | Shape::Set(inner) => is_opaque(inner),
        shape => *shape == Shape::Any,
    }
}

/// The same world gives the same snapshot and the same past.
#[test]
fn a_reading_is_deterministic() {
    let sim = Sim::new(|_| {});
    let (first, second) = (read(&sim, &Past::default()), read(&sim, &Past::default()));
    assert_eq!(first.past.to_json(), second.past.to_json());
    let bodies = |reading: &Reading| -> Vec<String> {
        reading.snapshot.lists.values().flat_map(|l| l.objects.iter().map(|o| format!("{o:?}"))).collect()
    };
    assert_eq!(bodies(&first), bodies(&second));
    assert_eq!(Past::from_json(&first.past.to_json()), Some(first.past));
}
