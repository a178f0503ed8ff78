//! Renames and moves (S26): an object that was deleted and made again, with another key but
//! otherwise as it was.
//!
//! What has vanished is compared with what is new in the same place of the same instance. Two belong
//! together if they are alike enough, if nothing else is nearly as much, seen from either, and if they
//! share something that no other object has: any two are alike as they come out of the box.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::Why;
use super::judge::{Judge, Verdict};
use super::key::{Places, scope};
use super::looks::{Looks, Token};
use crate::idmap::guid::Guid;
use crate::sync::pair::{Confidence, Side};
use crate::sync::plan::Bases;

/// An object, by its place in the list, and how it looks. Of a vanished one the place is that of its
/// counterpart.
type Look = (usize, Map<String, Value>);

/// By what they lie in.
type Scopes<T> = BTreeMap<Guid, Vec<T>>;

impl Judge<'_> {
    /// Pairs what has lost its counterpart with what looks like the one that it had.
    pub(super) fn by_resemblance(
        &mut self,
        bases: &dyn Bases,
        places: &[Places; 2],
        on_a: &HashMap<Guid, Guid>,
    ) {
        for side in Side::BOTH {
            let lost = self.lost(side, bases, places);
            if lost.is_empty() {
                continue;
            }
            let looks = Looks::new(self.kind, (side == Side::B).then_some(on_a));
            let mut found = Vec::new();
            for (scope, new) in self.unknown(side, places, &lost) {
                let Some(lost) = lost.get(&scope) else { continue };
                if lost.len().saturating_mul(new.len()) > LARGEST {
                    let why = Why::Mass(lost.len(), new.len());
                    new.into_iter().for_each(|i| self.verdicts[side.index()][i] = Verdict::Doubt(why));
                    continue;
                }
                let body = |i: usize| looks.of(&self.sides[side.index()][i].body);
                let new: Vec<Look> = new.into_iter().map(|i| (i, body(i))).collect();
                let (sure, unsure) = assign(&looks, lost, &new);
                for i in unsure {
                    self.verdicts[side.index()][i] = Verdict::Doubt(Why::Alike);
                }
                found.extend(sure);
            }
            for (survivor, new) in self.telling(side, &looks, found) {
                let places = if side == Side::A { [new, survivor] } else { [survivor, new] };
                self.settle(places, None, Confidence::Similar);
            }
        }
    }

    /// What has vanished from a side and was not found again by its key.
    fn lost(&self, side: Side, bases: &dyn Bases, places: &[Places; 2]) -> Scopes<Look> {
        let mut lost = Scopes::new();
        let home = side.other();
        for (id, (pair, _)) in &self.widows[home.index()] {
            let survivor = self.at[home.index()].get(id).copied();
            let alone = |i: &usize| self.verdicts[home.index()][*i] == Verdict::Alone;
            let Some(i) = survivor.filter(alone) else { continue };
            let (Some(scope), Some(body)) = (self.scope(home, i, places), bases.body(pair)) else { continue };
            lost.entry(scope).or_insert_with(Vec::new).push((i, body.fields()));
        }
        lost
    }

    /// What is alone on a side, where something has vanished.
    fn unknown(&self, side: Side, places: &[Places; 2], lost: &Scopes<Look>) -> Scopes<usize> {
        let mut new = Scopes::new();
        for (i, object) in self.sides[side.index()].iter().enumerate() {
            let alone = self.verdicts[side.index()][i] == Verdict::Alone && !self.is_widow(side, object.id);
            let scope = alone.then(|| self.scope(side, i, places)).flatten();
            if let Some(scope) = scope.filter(|scope| lost.contains_key(scope)) {
                new.entry(scope).or_insert_with(Vec::new).push(i);
            }
        }
        new
    }

    fn scope(&self, side: Side, i: usize, places: &[Places; 2]) -> Option<Guid> {
        let object = &self.sides[side.index()][i];
        scope(object, side, self.kind, &places[side.index()], |id| self.partner(side, id))
    }

    /// Those matches that share something with each other and with nothing else.
    fn telling(&self, side: Side, looks: &Looks<'_>, found: Vec<Match>) -> Vec<(usize, usize)> {
        if found.is_empty() {
            return Vec::new();
        }
        let tokens = found.iter().flat_map(|m| &m.shared).map(|(token, _)| (token, 0_usize));
        let mut holders: HashMap<&Token, usize> = tokens.collect();
        for object in self.sides[side.index()] {
            for (token, _) in looks.tokens(&looks.of(&object.body)) {
                if let Some(count) = holders.get_mut(&token) {
                    *count += 1;
                }
            }
        }
        // Among few, something is quickly the only one of its sort.
        let wanted = if self.sides[side.index()].len() > FEW { 1 } else { 2 };
        let enough = |m: &&Match| {
            let own = m.shared.iter().filter(|(token, _)| holders.get(token) == Some(&1));
            own.map(|(_, weight)| weight).sum::<usize>() >= wanted
        };
        found.iter().filter(enough).map(|m| (m.survivor, m.new)).collect()
    }
}

/// Two that belong together.
struct Match {
    survivor: usize,
    new: usize,
    /// What both have.
    shared: Vec<(Token, usize)>,
}

/// Who belongs to whom; and which of the new ones nobody can tell.
fn assign(looks: &Looks<'_>, lost: &[Look], new: &[Look]) -> (Vec<Match>, Vec<usize>) {
    let scores: Vec<Vec<f64>> =
        lost.iter().map(|(_, old)| new.iter().map(|(_, new)| looks.likeness(old, new)).collect()).collect();
    let (mut of_lost, mut of_new) = (vec![Best::default(); lost.len()], vec![Best::default(); new.len()]);
    for (i, row) in scores.iter().enumerate() {
        for (j, score) in row.iter().enumerate() {
            of_lost[i].see(j, *score);
            of_new[j].see(i, *score);
        }
    }
    let (mut sure, mut decided) = (Vec::new(), vec![false; lost.len()]);
    let mut like: Vec<Vec<usize>> = vec![Vec::new(); new.len()];
    for (i, row) in scores.iter().enumerate() {
        for (j, score) in row.iter().enumerate().filter(|(_, score)| **score >= ALIKE) {
            if score - of_lost[i].but(j).max(of_new[j].but(i)) >= AHEAD {
                decided[i] = true;
                let shared = looks.shared(&lost[i].1, &new[j].1);
                sure.push(Match { survivor: lost[i].0, new: new[j].0, shared });
            } else {
                like[j].push(i);
            }
        }
    }
    // What is like one that clearly belongs to another is simply new.
    let unsure = like.iter().zip(new).filter(|(like, _)| like.iter().any(|i| !decided[*i]));
    (sure, unsure.map(|(_, (i, _))| *i).collect())
}

/// The two highest scores.
#[derive(Clone, Copy, Default)]
struct Best {
    at: usize,
    first: f64,
    second: f64,
}

impl Best {
    fn see(&mut self, at: usize, score: f64) {
        if score > self.first {
            *self = Self { at, first: score, second: self.first };
        } else {
            self.second = self.second.max(score);
        }
    }

    /// The highest, but for this one.
    fn but(&self, at: usize) -> f64 {
        if at == self.at { self.second } else { self.first }
    }
}

/// The share of what an object consists of.
const ALIKE: f64 = 0.85;
/// So much more than any other.
const AHEAD: f64 = 0.10;
/// Pairs of vanished and new objects in one place that are looked at.
const LARGEST: usize = 1_000_000;
/// Objects of a type.
const FEW: usize = 10;
