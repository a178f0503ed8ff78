//! What sync says about every type (`src/sync/catalogue`) against the protocol sheet: nothing left out, nothing made
//! up, and nothing that the API has no verb for. The exceptions are listed, each with its reason.

use std::collections::BTreeSet;

use gatekeeper::sync::catalogue::field::{Class, Field, Notation, Shape};
use gatekeeper::sync::catalogue::unseen::NO_OBJECTS;
use gatekeeper::sync::catalogue::{How, Kind as Type, MemberForm, Members, Place};

use crate::SHEET;
use crate::sheet::{self, Kind, Sub};

/// Types of the catalogue that the sheet's catalogue of resources does not have.
const NO_RESOURCE: [(&str, &str); 2] = [
    ("alarmPriorities", "of the alarm API (sheet 5.2); alarm definitions refer to them"),
    ("alarmCategories", "of the alarm API (sheet 5.2); alarm definitions refer to them"),
];
/// Fields of the catalogue that the sheet's lists of fields do not have.
const MORE_FIELDS: [(&str, &str, &str); 3] = [
    ("eventTypeGroups", "displayName", "has no other name, and every object has this one"),
    ("eventTypes", "state", "below the lists of fields in the sheet"),
    ("basicUsers", "password", "written when a user is made, never shown (sheet 3.7)"),
];
/// Fields that the sheet calls read-only and sync would write.
const WRITTEN: [(&str, &str, &str); 2] = [
    ("settings", "generalSettings", "the list is fixed, what is in it can be set"),
    ("settings", "stream", "the list is fixed, what is in it can be set"),
];
/// Targets of references that are no type of the catalogue.
const NO_TARGET: [(&str, &str); 2] = [
    ("any", "the reference says itself of which type it is"),
    ("accessControlRuleGroups", "named by the API in references, and shown nowhere"),
];

#[test]
fn every_object_of_the_sheet_is_in_the_catalogue_with_every_field() {
    let embedded = embedded();
    let members: BTreeSet<&str> = Type::all().flat_map(|t| t.row().members).map(|m| m.list).collect();
    let mut complaints = Vec::new();
    let mut compared = 0;
    for name in SHEET.objects() {
        if embedded.contains(name) || NO_OBJECTS.iter().any(|(no, _)| *no == name) {
            continue;
        }
        let Some(kind) = Type::from_name(name) else {
            if !members.contains(name) {
                complaints.push(format!("{name} is not in the catalogue"));
            }
            continue;
        };
        let listed = SHEET.fields(name).unwrap_or_default();
        let ours: Vec<&Field> = own_fields(kind).collect();
        for field in listed {
            match ours.iter().find(|f| f.name == field.name) {
                Some(ours) => complaints.extend(differences(name, field, ours)),
                None => complaints.push(format!("{name}.{} is not in the catalogue", field.name)),
            }
            compared += 1;
        }
        for field in ours {
            let known = listed.iter().any(|f| f.name == field.name)
                || MORE_FIELDS.iter().any(|(t, f, _)| (*t, *f) == (name, field.name));
            if !known {
                complaints.push(format!("{name}.{} is not in the sheet", field.name));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(compared > 500, "only {compared} fields were compared");
}

#[test]
fn every_resource_is_in_the_catalogue_and_nothing_else() {
    let mut known: BTreeSet<&str> = Type::all().flat_map(|t| t.row().members).map(|m| m.list).collect();
    known.extend(Type::all().map(Type::as_str));
    let mut offered = BTreeSet::new();
    for resource in &SHEET.resources {
        offered.insert(resource.name);
        offered.extend(resource.subs.iter().map(|sub| sub.name));
    }
    for name in &offered {
        let excused = NO_OBJECTS.iter().any(|(no, _)| no == name);
        assert!(known.contains(name) != excused, "{name}");
    }
    for kind in Type::all() {
        let excused = NO_RESOURCE.iter().any(|(no, _)| *no == kind.as_str());
        assert!(offered.contains(kind.as_str()) != excused, "{kind}");
    }
}

#[test]
fn what_sync_would_do_the_api_has_a_verb_or_a_task_for() {
    let tasks: BTreeSet<&str> = SHEET
        .resources
        .iter()
        .flat_map(|r| r.tasks.iter().chain(&r.collection_tasks).chain(r.subs.iter().flat_map(|s| &s.tasks)))
        .copied()
        .collect();
    for kind in Type::all() {
        let row = kind.row();
        let (collection, item) = verbs(kind);
        for (how, has, what) in [
            (row.create, collection.contains('P'), "create"),
            (row.update, item.contains(['U', 'A']), "update"),
            (row.delete, item.contains('D'), "delete"),
        ] {
            match how {
                How::Rest => assert!(has, "{kind}: no verb to {what}: {collection} {item}"),
                How::Task(task) => assert!(tasks.contains(task), "{kind}: no task {task}"),
                How::No => {}
            }
        }
        for members in row.members {
            let sub =
                sub(kind.as_str(), members.list).unwrap_or_else(|| panic!("{kind} has no {}", members.list));
            match members.change {
                How::Rest => {
                    assert!(sub.collection.contains('P') && sub.item.contains('D'), "{kind} {}", sub.name)
                }
                How::Task(task) => assert!(sub.tasks.contains(&task), "{kind} {}: no task {task}", sub.name),
                How::No => assert!(!sub.collection.contains('P'), "{kind} {}", sub.name),
            }
        }
    }
}

#[test]
fn every_list_is_where_the_sheet_has_it() {
    for kind in Type::all() {
        let (row, resource) = (kind.row(), SHEET.resource(kind.as_str()));
        match row.place {
            Place::Top => match resource {
                Some(resource) => assert!(resource.collection.contains('G'), "{kind}"),
                None => assert!(NO_RESOURCE.iter().any(|(no, _)| *no == kind.as_str()), "{kind}"),
            },
            Place::Below(parent) => {
                let sub = sub(parent, kind.as_str());
                assert!(sub.is_some_and(|s| s.collection.contains('G')), "{kind} below {parent}");
            }
            Place::Unread(_) => {}
        }
        assert_eq!(row.lists_disabled, resource.is_some_and(|r| r.disabled), "{kind}");
        for Members { list, .. } in row.members {
            assert!(sub(kind.as_str(), list).is_some_and(|s| s.collection.contains('G')), "{kind} {list}");
        }
    }
}

#[test]
fn references_lead_to_what_comes_before() {
    for kind in Type::all() {
        let ids = kind.row().members.iter().filter(|m| m.form == MemberForm::Id).map(|m| m.list);
        for target in own_fields(kind).filter_map(|f| f.shape.target()).chain(ids) {
            if NO_TARGET.iter().any(|(no, _)| *no == target) {
                continue;
            }
            let before = Type::from_name(target).is_some_and(|t| t < kind);
            assert!(before, "{kind} refers to {target}, which does not come before it");
        }
    }
}

/// Without those of members, and of a type whose members are free.
fn own_fields(kind: Type) -> impl Iterator<Item = &'static Field> {
    let row = kind.row();
    row.fields.iter().filter(|f| row.members.iter().all(|m| m.list != f.name))
}

/// What is left out of an embedded object has to be in it. `displayName` is in every object.
#[test]
fn what_is_left_out_is_there() {
    for name in SHEET.objects() {
        for field in SHEET.fields(name).unwrap_or_default() {
            let ours = Type::from_name(name).and_then(|kind| kind.row().field(field.name));
            let Some(shape) = inside(&field.kind) else { continue };
            for left_out in ours.map_or(&[][..], |f| &f.without) {
                let known = SHEET.fields(shape).unwrap_or_default().iter().any(|f| f.name == *left_out);
                assert!(known || *left_out == "displayName", "{name}.{} has no {left_out}", field.name);
            }
        }
    }
}

fn differences(name: &str, sheet: &sheet::Field, ours: &Field) -> Vec<String> {
    let mut complaints = Vec::new();
    if !agrees(&sheet.kind, &ours.shape) {
        complaints
            .push(format!("{name}.{}: {:?} in the sheet, {:?} here", ours.name, sheet.kind, ours.shape));
    }
    let written = ours.is_compared() && !ours.fixed;
    let excused = WRITTEN.iter().any(|(t, f, _)| (*t, *f) == (name, ours.name));
    if sheet.read_only && written != excused {
        complaints.push(format!("{name}.{} is read-only", ours.name));
    }
    complaints
}

/// A text or a GUID may be more to us: a reference, or something with ids inside.
fn agrees(sheet: &Kind, ours: &Shape) -> bool {
    match (sheet, ours) {
        (Kind::Guid, Shape::Guid | Shape::Reference(Notation::Bare, _))
        | (Kind::Text, Shape::Text | Shape::Any | Shape::Reference(Notation::Item | Notation::Path, _))
        | (Kind::Integer, Shape::Integer)
        | (Kind::Number, Shape::Number)
        | (Kind::Boolean, Shape::Flag)
        | (Kind::Time, Shape::Date)
        | (Kind::Embedded(_), Shape::Any)
        | (Kind::Reference(_), Shape::Reference(Notation::Object, "any")) => true,
        (Kind::Reference(target), Shape::Reference(Notation::Object, ours)) => target == ours,
        (Kind::OneOf(words), Shape::Word(ours)) => words == ours,
        (Kind::List(inner), Shape::List(ours) | Shape::Set(ours)) => agrees(inner, ours),
        _ => false,
    }
}

/// Objects that are part of others.
fn embedded() -> BTreeSet<&'static str> {
    SHEET
        .objects()
        .flat_map(|name| SHEET.fields(name).unwrap_or_default())
        .filter_map(|f| inside(&f.kind))
        .collect()
}

fn inside(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Embedded(name) => Some(name),
        Kind::List(inner) => inside(inner),
        _ => None,
    }
}

fn sub(of: &str, name: &str) -> Option<&'static Sub> {
    SHEET.resource(of)?.subs.iter().find(|sub| sub.name == name)
}

/// The verbs of the collection and of an item, wherever they are: of their own, or below the parent.
fn verbs(kind: Type) -> (String, String) {
    let (mut collection, mut item) = (String::new(), String::new());
    if let Some(resource) = SHEET.resource(kind.as_str()) {
        collection.push_str(resource.collection);
        item.push_str(resource.item);
    }
    let below = match kind.row().place {
        Place::Below(parent) => Some(parent),
        _ => kind.row().within,
    };
    if let Some(sub) = below.and_then(|parent| sub(parent, kind.as_str())) {
        collection.push_str(sub.collection);
        item.push_str(sub.item);
    }
    (collection, item)
}

/// A secret is nowhere but where it is named one.
#[test]
fn secrets_are_marked() {
    for kind in Type::all() {
        for field in own_fields(kind) {
            let name = field.name.to_ascii_lowercase();
            let secret = name == "password" || name == "clientsecret";
            assert_eq!(field.class == Class::Secret, secret, "{kind}.{}", field.name);
        }
    }
}
