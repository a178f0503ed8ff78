//! Which objects of two instances are the same (sync design 2.1, S24 to S26). Pure, and driven by the
//! catalogue alone.
//!
//! An automatic link needs exactly one object on each side with the same key; everything else is
//! reported with the reason, never guessed. What is paired stays paired while both objects exist,
//! whatever they are called by then: a new object cannot take a pair over by its name.
//!
//! ```text
//! for every type, what it lies within first:
//!   operator's words -> known links -> one id on both sides -> strongest key -> what looks like a
//!   vanished object -> weaker keys -> disputes
//! ```

mod dispute;
mod fold;
mod judge;
mod key;
mod known;
mod looks;
mod said;
mod similar;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use self::dispute::{Dispute, Misfit, Unfit, Why};
use self::judge::Judge;
use self::key::Places;
use super::catalogue::Kind;
use super::pair::{Confidence, Pair, Pairs, Side, Standing};
use super::plan::Bases;
use super::snapshot::{Object, Snapshot};
use crate::idmap::guid::Guid;

/// All that identity follows from.
pub struct Input<'a> {
    /// Side A and side B.
    pub sides: [&'a Snapshot; 2],
    /// Links of earlier runs and the words of operators. One partner for an object.
    pub known: &'a [Known],
    /// `[[sync.pair]]`, as far as it is about these two.
    pub said: &'a [Said],
    /// Somebody has confirmed the first pairing.
    pub baseline: bool,
    /// A pair of which one object has vanished stays until both have. If not, it ends at once.
    pub keep_missing: bool,
    /// Links may end or move in any number.
    pub believe_losses: bool,
    /// What both sides last agreed on: how vanished objects looked.
    pub bases: &'a dyn Bases,
}

/// A link or its opposite, from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// The two objects.
    pub pair: Pair,
    /// Who says so, and what.
    pub standing: Standing,
    /// How sure that is. Of [`Standing::Matched`] and [`Confidence::Operator`] is what the configuration
    /// said.
    pub confidence: Confidence,
}

/// Two objects that are the same by the configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// Of both.
    pub kind: Kind,
    /// On A and on B: an id, or a name that only one object of the type has.
    pub objects: [String; 2],
}

/// What came out. Every list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// All that is the same. Of types that were not judged, the links from before.
    pub pairs: Pairs,
    /// Those of `pairs` that nobody has confirmed yet: they must not be linked before a person has
    /// seen them.
    pub proposed: BTreeSet<Pair>,
    /// Links to be made. Objects with one id need none.
    pub new: Vec<(Pair, Confidence)>,
    /// Links that end.
    pub gone: Vec<Pair>,
    /// Links that go over to another object.
    pub moved: Vec<Moved>,
    /// Objects of `pairs` that a trusted list does not have.
    pub missing: Vec<(Side, Kind, Guid)>,
    /// Objects that exist on the other side too, as far as one can tell, and are not paired. Those that
    /// only follow from another come last.
    pub disputed: Vec<Dispute>,
    /// What the configuration says and does not fit.
    pub misfits: Vec<Misfit>,
    /// How every type stands afterwards.
    pub tally: BTreeMap<Kind, Tally>,
}

/// An object that was deleted and made again: its counterpart is now paired with the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moved {
    /// As it was.
    pub old: Pair,
    /// As it is. One of the two objects is the same.
    pub new: Pair,
    /// How sure that is.
    pub confidence: Confidence,
}

/// How the objects of one type stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Both lists were there; if not, only `linked` means something.
    pub compared: bool,
    /// Links.
    pub linked: usize,
    /// Of them new.
    pub new: usize,
    /// Of them gone over to another object.
    pub moved: usize,
    /// Of them without one of the objects.
    pub missing: usize,
    /// Links that ended.
    pub gone: usize,
    /// Links that would have ended or moved, were they not so many that the list is not believed.
    pub held: usize,
    /// Objects with one id on both sides: they need no link.
    pub same: usize,
    /// Pairs that wait for the baseline to be confirmed.
    pub proposed: usize,
    /// Objects in [`Outcome::disputed`].
    pub ambiguous: usize,
    /// Objects that only side A has.
    pub only_a: usize,
    /// Objects that only side B has.
    pub only_b: usize,
}

/// Compares two instances.
pub fn identify(input: &Input<'_>) -> Outcome {
    let mut out = Outcome::default();
    let mut world = World { on_a: HashMap::new(), places: BTreeMap::new() };
    let mut known: BTreeMap<Kind, Vec<Known>> = BTreeMap::new();
    let sorted: BTreeSet<Known> = input.known.iter().copied().collect();
    for word in sorted {
        known.entry(word.pair.kind).or_default().push(word);
    }
    let mut judged = BTreeSet::new();
    for kind in Kind::all() {
        let known = known.remove(&kind).unwrap_or_default();
        match lists(input, kind, &judged) {
            Some(sides) => {
                judged.insert(kind);
                compare(input, kind, sides, &known, &mut world, &mut out);
            }
            None => keep(kind, &known, &mut world, &mut out),
        }
    }
    out.new.sort_unstable();
    out.gone.sort_unstable();
    out.moved.sort_unstable();
    out.missing.sort_unstable();
    out.disputed.sort_unstable_by_key(|d| (d.why == Why::ParentUnlinked, d.kind, d.side, d.id));
    out.misfits.sort_unstable();
    out
}

/// What of one type has been found out for those that come after it.
struct World {
    /// Ids of B whose object has another id on A.
    on_a: HashMap<Guid, Guid>,
    /// Where the objects of types stand in which others lie.
    places: BTreeMap<Kind, [Places; 2]>,
}

impl World {
    fn learn(&mut self, pair: &Pair) {
        if pair.a != pair.b {
            self.on_a.insert(pair.b, pair.a);
        }
    }
}

/// Both lists of a type, if they and what its objects lie within are to be believed.
fn lists<'a>(input: &Input<'a>, kind: Kind, judged: &BTreeSet<Kind>) -> Option<[&'a [Object]; 2]> {
    let around = kind.row().within.and_then(Kind::from_name);
    if around.is_some_and(|around| around != kind && !judged.contains(&around)) {
        return None;
    }
    let [a, b] = input.sides;
    Some([a.trusted(kind)?, b.trusted(kind)?])
}

/// A type of which nothing is known keeps its links.
fn keep(kind: Kind, known: &[Known], world: &mut World, out: &mut Outcome) {
    let links = known.iter().filter(|k| k.standing != Standing::Apart);
    let mut tally = Tally::default();
    for Known { pair, confidence, .. } in links {
        world.learn(pair);
        out.pairs.insert(*pair, *confidence);
        tally.linked += usize::from(*confidence != Confidence::SameId);
    }
    if tally.linked > 0 {
        out.tally.insert(kind, tally);
    }
}

fn compare(
    input: &Input<'_>,
    kind: Kind,
    sides: [&[Object]; 2],
    known: &[Known],
    world: &mut World,
    out: &mut Outcome,
) {
    let mut judge = Judge::new(input, kind, sides);
    let said = judge.said(input.said, known, out);
    judge.known(known, &said, input);
    judge.same_ids();
    let nowhere = [Places::new(), Places::new()];
    let around = kind.row().within.and_then(Kind::from_name).filter(|around| *around != kind);
    let places = around.and_then(|around| world.places.get(&around)).unwrap_or(&nowhere);
    for (rank, key) in kind.row().keys.iter().enumerate() {
        let confidence = if rank == 0 { Confidence::Strong } else { Confidence::Fallback };
        judge.by_key(*key, confidence, places);
        if rank == 0 {
            judge.by_resemblance(input.bases, places, &world.on_a);
        }
    }
    judge.finish(out);
    let of_kind = Pair { kind, a: Guid::NIL, b: Guid::NIL };
    for (pair, _) in out.pairs.range(of_kind..).take_while(|(pair, _)| pair.kind == kind) {
        world.learn(pair);
    }
    if Kind::all().any(|other| other != kind && other.row().within == Some(kind.as_str())) {
        world.places.insert(kind, Side::BOTH.map(|side| judge.places(side)));
    }
}
