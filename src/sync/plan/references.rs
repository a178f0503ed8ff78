//! What the fields of an object refer to.

use std::collections::BTreeSet;

use serde_json::Value;

use super::translate::{Fields, fields};
use crate::idmap::guid::Guid;
use crate::idmap::within::guids;
use crate::sync::catalogue::field::{Class, Shape};
use crate::sync::catalogue::{Kind, MemberForm, Place};

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The field that holds it.
    pub field: String,
    /// To what.
    pub target: Target,
    /// The object; `None`: it is known by its name.
    pub id: Option<Guid>,
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An object of this type.
    Kind(Kind),
    /// An object of a type that the catalogue does not know.
    Unknown(String),
    /// Some GUID in a text: an object of any type, or no object at all.
    Anything,
    /// The object of this type with this name, in any case.
    Named(Kind, String),
}

/// The types to which objects of this type refer by the catalogue.
pub(super) fn declared(kind: Kind) -> BTreeSet<Kind> {
    let row = kind.row();
    let below = match row.place {
        Place::Below(parent) => Some(parent),
        Place::Top | Place::Unread(_) => None,
    };
    let compared = row.fields.iter().filter(|field| field.is_compared());
    let fields = compared.filter_map(|field| field.shape.target());
    let members = row.members.iter().filter_map(|members| by_name(members.form));
    let names = row.within.into_iter().chain(below).chain(fields).chain(members);
    names.filter_map(Kind::from_name).collect()
}

/// Whether objects of this type may refer to objects of types that the catalogue does not name.
pub(super) fn may_be_anything(kind: Kind) -> bool {
    let row = kind.row();
    row.open
        || row.fields.iter().filter(|field| field.is_compared()).any(|field| {
            field.shape.target().is_some_and(|target| target == ANY) || holds_anything(&field.shape)
        })
}

/// Every reference of a body.
pub(super) fn of_body(kind: Kind, body: &[u8]) -> Vec<Reference> {
    let fields = fields(body);
    fields.keys().flat_map(|name| of_field(kind, &fields, name)).collect()
}

/// The references of one field.
pub(super) fn of_field(kind: Kind, fields: &Fields<'_>, name: &str) -> Vec<Reference> {
    let Some(raw) = fields.get(name).map(|value| value.get()) else { return Vec::new() };
    let row = kind.row();
    let reference = |target, id| Reference { field: name.to_owned(), target, id };
    if let Some(members) = row.members.iter().find(|members| members.list == name)
        && let Some(target) = by_name(members.form).and_then(Kind::from_name)
    {
        let names = texts(raw).into_iter().filter_map(|text| named(members.form, &text).map(str::to_owned));
        return names.map(|name| reference(Target::Named(target, name), None)).collect();
    }
    let Some(field) = row.field(name) else { return anything(raw, reference) };
    match field.shape.target() {
        Some(ANY) => {
            texts(raw).iter().filter_map(|text| any(text)).map(|(t, id)| reference(t, Some(id))).collect()
        }
        Some(target) => {
            let ids = texts(raw).into_iter().filter_map(|text| Guid::parse(text.as_bytes()));
            let target =
                Kind::from_name(target).map_or_else(|| Target::Unknown(target.to_owned()), Target::Kind);
            ids.map(|id| reference(target.clone(), Some(id))).collect()
        }
        None if field.class == Class::Opaque || holds_anything(&field.shape) => anything(raw, reference),
        None => Vec::new(),
    }
}

/// Ids in a text that nobody has described. NIL stands for no object.
fn anything(raw: &str, reference: impl Fn(Target, Option<Guid>) -> Reference) -> Vec<Reference> {
    let ids: BTreeSet<Guid> = guids(raw.as_bytes()).map(|(_, id)| id).filter(|id| *id != Guid::NIL).collect();
    ids.into_iter().map(|id| reference(Target::Anything, Some(id))).collect()
}

/// `type/guid` or `guid`; a folder, which stands for all objects of a type, is no reference.
fn any(text: &str) -> Option<(Target, Guid)> {
    let (name, id) = text.split_once('/').map_or((None, text), |(name, id)| (Some(name), id));
    let id = Guid::parse(id.as_bytes()).filter(|id| *id != Guid::NIL)?;
    let target = name.map_or(Target::Anything, |name| {
        Kind::from_name(name).map_or_else(|| Target::Unknown(name.to_owned()), Target::Kind)
    });
    Some((target, id))
}

/// Every text of a text or a list of them.
fn texts(raw: &str) -> Vec<String> {
    match serde_json::from_str(raw) {
        Ok(Value::String(text)) => vec![text],
        Ok(Value::Array(items)) => {
            items.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => Vec::new(),
    }
}

fn holds_anything(shape: &Shape) -> bool {
    match shape {
        Shape::Any => true,
        Shape::List(inner) | Shape::Set(inner) => holds_anything(inner),
        _ => false,
    }
}

/// The type whose objects stand in a list of members by their names.
const fn by_name(form: MemberForm) -> Option<&'static str> {
    match form {
        MemberForm::Account => Some("basicUsers"),
        MemberForm::Claim => Some("loginProviders"),
        MemberForm::Id | MemberForm::Name => None,
    }
}

/// The name in such a member. Accounts of Windows are the same on both sides.
fn named(form: MemberForm, text: &str) -> Option<&str> {
    match form {
        MemberForm::Account => text.strip_prefix("BasicUser:"),
        MemberForm::Claim => text.split_once('/').map(|(provider, _)| provider),
        MemberForm::Id | MemberForm::Name => None,
    }
}

/// A reference that may lead anywhere.
const ANY: &str = "any";
