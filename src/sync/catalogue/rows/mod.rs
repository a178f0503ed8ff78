//! The rows of the catalogue.
//!
//! In an order in which what others refer to comes first. Fields are written in the notation of
//! [`field`](super::field); a test compares them with the protocol sheet.

mod devices;
mod events;
mod groups;
mod plugins;
mod reactions;
mod recording;
mod security;
mod settings;
mod site;
mod views;

use super::field::Field;
use super::{Coverage, How, Key, Members, Place, Policy, Type};

/// A type as it is written down.
pub(super) struct Row {
    name: &'static str,
    place: Place,
    lists_disabled: bool,
    within: Option<&'static str>,
    keys: &'static [Key],
    privileged: bool,
    members: &'static [Members],
    alias: Option<&'static str>,
    /// Members that it does not know are compared as they are, instead of being a schema difference.
    open: bool,
    fields: &'static str,
    coverage: Coverage,
    confirmed: bool,
    create: How,
    update: How,
    delete: How,
    default: [Policy; 3],
    note: &'static str,
}

impl Row {
    /// What most types have in common.
    const PLAIN: Self = Self {
        name: "",
        place: Place::Top,
        lists_disabled: false,
        within: None,
        keys: &[Key::Name],
        privileged: false,
        members: &[],
        alias: None,
        open: false,
        fields: "",
        coverage: Coverage::Full,
        confirmed: true,
        create: How::Rest,
        update: How::Rest,
        delete: How::Rest,
        default: [Policy::Auto, Policy::Auto, Policy::Approve],
        note: "",
    };

    pub(super) fn parse(&self) -> Type {
        // A test reads every row: there is none that is misspelt.
        let listed = self.fields.split_whitespace().filter_map(|token| Field::parse(token).ok());
        let fields = listed.chain(self.members.iter().map(Field::of_members)).collect();
        Type {
            name: self.name,
            place: self.place,
            lists_disabled: self.lists_disabled,
            within: self.within,
            keys: self.keys,
            privileged: self.privileged,
            members: self.members,
            alias: self.alias,
            open: self.open,
            fields,
            coverage: self.coverage,
            confirmed: self.confirmed,
            create: self.create,
            update: self.update,
            delete: self.delete,
            default: self.default,
            note: self.note,
        }
    }
}

/// Every row.
pub(super) fn all() -> impl Iterator<Item = &'static Row> {
    [
        site::FIRST,
        recording::ROWS,
        devices::ROWS,
        settings::ROWS,
        groups::ROWS,
        events::ROWS,
        views::ROWS,
        reactions::ROWS,
        security::ROWS,
        plugins::ROWS,
        site::LAST,
    ]
    .into_iter()
    .flatten()
}

/// Cannot be carried over, whatever anybody says.
const NEVER: [Policy; 3] = [Policy::Never; 3];
/// Only ever with a person's word.
const ASK: [Policy; 3] = [Policy::Approve; 3];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_field_can_be_read() {
        for row in all() {
            for token in row.fields.split_whitespace() {
                Field::parse(token).unwrap();
            }
        }
    }
}
