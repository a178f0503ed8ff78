//! The objects of one type on both sides, and what has been found out about each.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::key::{Keys, Mark, Place, Places};
use super::{Dispute, Input, Moved, Outcome, Tally, Why};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::{Coverage, Key, Kind, Policy, Type};
use crate::sync::pair::{Confidence, Pair, Pairs, Side};
use crate::sync::snapshot::Object;

/// What is known of an object so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has a counterpart.
    Paired,
    /// Nothing on the other side is like it.
    Alone,
    /// Not paired, with the reason.
    Doubt(Why),
}

/// One type while it is being judged.
pub(super) struct Judge<'a> {
    pub(super) kind: Kind,
    pub(super) row: &'static Type,
    pub(super) sides: [&'a [Object]; 2],
    pub(super) verdicts: [Vec<Verdict>; 2],
    /// The place in `sides` of every id.
    pub(super) at: [HashMap<Guid, usize>; 2],
    /// Objects whose counterpart has vanished, and the pair that they were: free for another.
    pub(super) widows: [HashMap<Guid, (Pair, Confidence)>; 2],
    pub(super) apart: HashSet<(Guid, Guid)>,
    pub(super) gone: Vec<Pair>,
    pub(super) new: Vec<(Pair, Confidence)>,
    pub(super) held: usize,
    partners: [HashMap<Guid, Guid>; 2],
    pairs: Pairs,
    proposed: BTreeSet<Pair>,
    moved: Vec<Moved>,
    baseline: bool,
}

/// The objects of one side, by mark.
type Index<'a> = HashMap<&'a Mark, Vec<usize>>;

impl<'a> Judge<'a> {
    pub(super) fn new(input: &Input<'_>, kind: Kind, sides: [&'a [Object]; 2]) -> Self {
        Self {
            kind,
            row: kind.row(),
            sides,
            verdicts: sides.map(|objects| vec![Verdict::Alone; objects.len()]),
            at: sides.map(|objects| objects.iter().enumerate().map(|(i, o)| (o.id, i)).collect()),
            widows: Default::default(),
            apart: HashSet::new(),
            gone: Vec::new(),
            new: Vec::new(),
            held: 0,
            partners: Default::default(),
            pairs: Pairs::new(),
            proposed: BTreeSet::new(),
            moved: Vec::new(),
            baseline: input.baseline,
        }
    }

    /// Makes a pair of two objects, unless one of them has another partner.
    pub(super) fn tie(&mut self, pair: Pair, confidence: Confidence) -> bool {
        if Side::BOTH.iter().any(|side| self.is_taken(*side, pair.id(*side))) {
            return false;
        }
        for side in Side::BOTH {
            let own = pair.id(side);
            self.partners[side.index()].insert(own, pair.id(side.other()));
            if let Some(i) = self.at[side.index()].get(&own) {
                self.verdicts[side.index()][*i] = Verdict::Paired;
            }
        }
        self.pairs.insert(pair, confidence);
        true
    }

    pub(super) fn is_taken(&self, side: Side, id: Guid) -> bool {
        self.partners[side.index()].contains_key(&id)
    }

    pub(super) fn is_pair(&self, pair: &Pair) -> bool {
        self.pairs.contains_key(pair)
    }

    pub(super) fn partner(&self, side: Side, id: Guid) -> Option<Guid> {
        self.partners[side.index()].get(&id).copied()
    }

    /// Objects with one id, which every installation has or which one was copied from the other.
    pub(super) fn same_ids(&mut self) {
        for (i, object) in self.sides[0].iter().enumerate() {
            let Some(j) = self.at[1].get(&object.id).copied() else { continue };
            let free = [(0, i), (1, j)].iter().all(|(side, i)| self.verdicts[*side][*i] == Verdict::Alone);
            let both_lost = self.widows.iter().all(|widows| widows.contains_key(&object.id));
            if !free || both_lost {
                continue;
            }
            if self.apart.contains(&(object.id, object.id)) {
                self.doubt([i, j], Why::Apart);
            } else if self.is_claimed([i, j]) {
                self.doubt([i, j], Why::Privileged(self.kind, None));
            } else {
                self.join([i, j], Confidence::SameId);
            }
        }
    }

    /// Whether a new object says that it is one that gives rights, by its id alone. Whoever owns an
    /// instance chooses what ids it shows, so that is no more proof than a name; unless both come with
    /// the product, or nothing of the type is ever written.
    fn is_claimed(&self, [i, j]: [usize; 2]) -> bool {
        let (a, b) = (&self.sides[0][i], &self.sides[1][j]);
        let lost = self.is_widow(Side::A, a.id) || self.is_widow(Side::B, b.id);
        let product = a.builtin && b.builtin || self.row.coverage == Coverage::CompareOnly;
        self.row.privileged && self.baseline && (lost || !product)
    }

    /// Pairs what has one mark, exactly once on each side. Judged against what was paired before, so
    /// that no object's place in the list matters.
    pub(super) fn by_key(&mut self, key: Key, confidence: Confidence, places: &[Places; 2]) {
        let mark = |side: usize| {
            let keys = Keys::new(self.kind, key, self.sides[side], &places[side]);
            self.sides[side].iter().map(|object| keys.of(object)).collect::<Vec<_>>()
        };
        let marks = [mark(0), mark(1)];
        let indexes = [index(&marks[0]), index(&marks[1])];
        let (mut found, mut verdicts) = (Vec::new(), Vec::new());
        for side in Side::BOTH {
            for (i, mark) in marks[side.index()].iter().enumerate() {
                if !self.is_open(side, i) {
                    continue;
                }
                let verdict = match mark {
                    Err(why) => Err(*why),
                    Ok(None) => Ok(None),
                    Ok(Some(mark)) => self.counterpart(side, i, key, mark, &indexes),
                };
                match verdict {
                    Ok(Some(j)) if side == Side::A => found.push([i, j]),
                    Ok(Some(_)) => {}
                    Ok(None) => verdicts.push((side, i, Verdict::Alone)),
                    Err(why) => verdicts.push((side, i, Verdict::Doubt(why))),
                }
            }
        }
        for (side, i, verdict) in verdicts {
            self.verdicts[side.index()][i] = verdict;
        }
        for pair in found {
            self.settle(pair, Some(key), confidence);
        }
    }

    /// The only object of the other side with the mark of this one.
    fn counterpart(
        &self,
        side: Side,
        i: usize,
        key: Key,
        mark: &Mark,
        indexes: &[Index<'_>; 2],
    ) -> Result<Option<usize>, Why> {
        let other = side.other();
        let j = match indexes[other.index()].get(mark).map(Vec::as_slice) {
            None | Some([]) => return Ok(None),
            Some([one]) => *one,
            Some(many) => return Err(Why::TwinsThere(key, many.len())),
        };
        if let Some(twins) = indexes[side.index()].get(mark).filter(|twins| twins.len() > 1) {
            return Err(Why::Twins(key, twins.len()));
        }
        let (own, there) = (&self.sides[side.index()][i], &self.sides[other.index()][j]);
        if self.verdicts[other.index()][j] == Verdict::Paired {
            return Err(Why::Taken(key));
        }
        if !self.is_open(other, j) {
            return Err(Why::Disputed(key));
        }
        if self.is_widow(side, own.id) && self.is_widow(other, there.id) {
            return Err(Why::Taken(key));
        }
        let ids = if side == Side::A { (own.id, there.id) } else { (there.id, own.id) };
        if self.apart.contains(&ids) {
            return Err(Why::Apart);
        }
        if own.builtin == there.builtin { Ok(Some(j)) } else { Err(Why::Builtin(key)) }
    }

    /// Pairs two objects that match, if that may be done without a person. `key`: by what; `None`:
    /// they look alike.
    pub(super) fn settle(&mut self, places: [usize; 2], key: Option<Key>, confidence: Confidence) {
        let lost = Side::BOTH.iter().any(|s| self.is_widow(*s, self.sides[s.index()][places[s.index()]].id));
        if self.row.privileged && (lost || self.baseline) {
            return self.doubt(places, Why::Privileged(self.kind, key));
        }
        if let (Confidence::Fallback, Some(key)) = (confidence, key)
            && (self.row.privileged || self.row.default[0] != Policy::Auto)
        {
            return self.doubt(places, Why::Weak(key));
        }
        self.join(places, confidence);
    }

    fn join(&mut self, [i, j]: [usize; 2], confidence: Confidence) {
        let pair = Pair { kind: self.kind, a: self.sides[0][i].id, b: self.sides[1][j].id };
        if !self.tie(pair, confidence) {
            return;
        }
        let before = Side::BOTH.iter().find_map(|side| self.widows[side.index()].remove(&pair.id(*side)));
        if let Some((old, _)) = before {
            self.moved.push(Moved { old, new: pair, confidence });
        } else if confidence == Confidence::SameId {
            // Needs no link: the id says it.
        } else if self.row.privileged {
            self.proposed.insert(pair);
        } else {
            self.new.push((pair, confidence));
        }
    }

    fn doubt(&mut self, places: [usize; 2], why: Why) {
        for (side, i) in places.into_iter().enumerate() {
            self.verdicts[side][i] = Verdict::Doubt(why);
        }
    }

    pub(super) fn is_widow(&self, side: Side, id: Guid) -> bool {
        self.widows[side.index()].contains_key(&id)
    }

    /// Whether a key may still decide about an object.
    fn is_open(&self, side: Side, i: usize) -> bool {
        let verdict = self.verdicts[side.index()][i];
        matches!(verdict, Verdict::Alone | Verdict::Doubt(Why::NoName | Why::NoValue(_)))
    }

    /// Widows go back into their pairs, and everything is written down.
    pub(super) fn finish(&mut self, out: &mut Outcome) {
        for (pair, confidence) in
            self.widows.iter_mut().flat_map(std::mem::take).map(|(_, was)| was).collect::<Vec<_>>()
        {
            self.tie(pair, confidence);
        }
        if self.row.keys.is_empty() && self.verdicts.iter().all(|all| all.contains(&Verdict::Alone)) {
            let alone = self.verdicts.iter_mut().flatten().filter(|v| **v == Verdict::Alone);
            alone.for_each(|verdict| *verdict = Verdict::Doubt(Why::ByOperator));
        }
        let mut missing = BTreeSet::new();
        for pair in self.pairs.keys() {
            let absent = Side::BOTH.into_iter().filter(|s| !self.at[s.index()].contains_key(&pair.id(*s)));
            missing.extend(absent.map(|side| (side, self.kind, pair.id(side))));
        }
        let same = self.pairs.values().filter(|c| **c == Confidence::SameId).count();
        let alone = |side: usize| self.verdicts[side].iter().filter(|v| **v == Verdict::Alone).count();
        let disputed = out.disputed.len();
        for side in Side::BOTH {
            for (object, verdict) in self.sides[side.index()].iter().zip(&self.verdicts[side.index()]) {
                if let Verdict::Doubt(why) = *verdict {
                    let name = object.name.to_string();
                    out.disputed.push(Dispute { kind: self.kind, side, id: object.id, name, why });
                }
            }
        }
        let tally = Tally {
            compared: true,
            linked: self.pairs.len() - same - self.proposed.len(),
            new: self.new.len(),
            moved: self.moved.len(),
            missing: missing.len(),
            gone: self.gone.len(),
            held: self.held,
            same,
            proposed: self.proposed.len(),
            ambiguous: out.disputed.len() - disputed,
            only_a: alone(0),
            only_b: alone(1),
        };
        out.tally.insert(self.kind, tally);
        out.missing.extend(missing);
        out.pairs.append(&mut self.pairs);
        out.proposed.append(&mut self.proposed);
        out.new.append(&mut self.new);
        out.gone.append(&mut self.gone);
        out.moved.append(&mut self.moved);
    }

    /// Where the objects of a side stand, for those that lie in them.
    pub(super) fn places(&self, side: Side) -> Places {
        let place = |(object, verdict): (&Object, &Verdict)| {
            let partner = self.partner(side, object.id);
            let place = match (verdict, partner) {
                (_, Some(partner)) => Place::Both(if side == Side::A { object.id } else { partner }),
                (Verdict::Doubt(_), None) => Place::Disputed,
                (Verdict::Alone | Verdict::Paired, None) => Place::OnlyHere,
            };
            (object.id, place)
        };
        self.sides[side.index()].iter().zip(&self.verdicts[side.index()]).map(place).collect()
    }
}

fn index(marks: &[Result<Option<Mark>, Why>]) -> Index<'_> {
    let mut index = Index::new();
    for (i, mark) in marks.iter().enumerate() {
        if let Ok(Some(mark)) = mark {
            index.entry(mark).or_default().push(i);
        }
    }
    index
}
