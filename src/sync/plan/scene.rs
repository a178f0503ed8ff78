//! What every step of planning looks at.

use std::collections::{BTreeMap, HashMap};

use super::translate::Ids;
use super::{Input, TypePolicy};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::Kind;
use crate::sync::pair::{Pair, Side};
use crate::sync::snapshot::Object;

/// The input, and which ids mean the same.
pub(super) struct Scene<'a> {
    pub input: &'a Input<'a>,
    pub ids: Ids,
    /// Other ids of objects ([`Object::alias`]), by side, and the objects that have them.
    aliases: [BTreeMap<Guid, (Kind, Guid)>; 2],
    /// Why objects may be the same as others and are not paired. There may be as many as objects.
    disputes: HashMap<(Side, Kind, Guid), &'a str>,
}

impl<'a> Scene<'a> {
    pub fn new(input: &'a Input<'a>) -> Self {
        let aliases = Side::BOTH.map(|side| {
            let aliased = Kind::all().filter(|kind| kind.row().alias.is_some());
            let objects = aliased.flat_map(|kind| {
                let objects = input.sides[side.index()].trusted(kind).unwrap_or_default();
                objects.iter().filter_map(move |object| Some((object.alias?, (kind, object.id))))
            });
            objects.collect()
        });
        let of_pair = |pair: &Pair| {
            pair.kind.row().alias?;
            let alias = |side: Side| find(input, side, pair.kind, pair.id(side))?.alias;
            Some(Pair { kind: pair.kind, a: alias(Side::A)?, b: alias(Side::B)? })
        };
        let paired: Vec<Pair> = input.pairs.keys().filter_map(of_pair).collect();
        let mut disputes: HashMap<_, &str> = HashMap::new();
        for (side, kind, id, why) in input.disputed {
            let known = disputes.entry((*side, *kind, *id)).or_insert(why);
            *known = (*known).min(why);
        }
        Self { input, ids: Ids::new(input.pairs.keys().chain(&paired)), aliases, disputes }
    }

    /// Why an object is not paired although it may be the same as another.
    pub fn dispute(&self, side: Side, kind: Kind, id: Guid) -> Option<&'a str> {
        self.disputes.get(&(side, kind, id)).copied()
    }

    /// The object of a side of which this is the other id.
    pub fn aliased(&self, side: Side, alias: Guid) -> Option<(Kind, Guid)> {
        self.aliases[side.index()].get(&alias).copied()
    }

    /// An object of a type that is read.
    pub fn find(&self, side: Side, kind: Kind, id: Guid) -> Option<&'a Object> {
        find(self.input, side, kind, id)
    }

    /// The name of a side's instance.
    pub fn instance(&self, side: Side) -> &str {
        &self.input.sides[side.index()].instance
    }

    /// Whether both sides have an object with this id: one that every installation has.
    pub fn is_on_both(&self, kind: Kind, id: Guid) -> bool {
        Side::BOTH.into_iter().all(|side| self.find(side, kind, id).is_some())
    }

    /// Whether changes of this side are carried to the other one.
    pub fn flows_from(&self, side: Side, own: &TypePolicy) -> bool {
        own.both || side == self.input.source
    }
}

fn find<'a>(input: &Input<'a>, side: Side, kind: Kind, id: Guid) -> Option<&'a Object> {
    let objects = input.sides[side.index()].trusted(kind)?;
    objects.get(objects.binary_search_by_key(&id, |object| object.id).ok()?)
}
