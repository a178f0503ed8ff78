//! Which objects of two instances are the same (sync design 2.1, S24, S25). Pure.
//!
//! A link is made only when exactly one object on each side has the key of its kind ([`Rule`]); all
//! else is reported with the reason, never guessed. What is linked stays linked while both objects
//! exist, whatever they are called by then: a new object cannot take a link over by its name.

mod key;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use self::key::{Hardware, Key, Keys, Place};
use super::guid::Guid;
use super::kind::{Kind, Rule};
pub use crate::sync::pair::Standing;

/// An object as its instance lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// On that instance.
    pub id: Guid,
    /// For people, and the key of what is matched by name or path.
    pub name: String,
    /// Of a device: its hardware. Of a group: the group around it; `None` at the root.
    pub parent: Option<Guid>,
    /// Of hardware, as the operator of the VMS wrote it; else empty.
    pub address: String,
    /// Of a device, counted on its hardware.
    pub channel: Option<i64>,
}

/// What one instance has. Only complete lists: a kind that could not be read is not in it.
pub type Lists = BTreeMap<Kind, Vec<Object>>;

/// A link or its opposite, from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The two objects.
    pub pair: Pair,
    /// Who says so, and what.
    pub standing: Standing,
}

/// Two objects that are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// Of both; `None`: a kind that is linked by operators only.
    pub kind: Option<Kind>,
    /// Id on side A.
    pub a: Guid,
    /// Id on side B.
    pub b: Guid,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// Links to be made, sorted.
    pub new: Vec<Pair>,
    /// Links of earlier matchings that end, because a complete list does not have the object any more.
    pub gone: Vec<Pair>,
    /// How every kind stands afterwards.
    pub kinds: BTreeMap<Kind, Tally>,
    /// Objects that exist on the other side too, as far as one can tell, and are not linked.
    pub disputed: Vec<Dispute>,
}

/// How the objects of one kind stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Both lists were there; if not, only `linked` means something.
    pub compared: bool,
    /// Links.
    pub linked: usize,
    /// Of them new.
    pub new: usize,
    /// Links that ended.
    pub gone: usize,
    /// Links that would have ended, were they not so many that the list is not believed.
    pub held: usize,
    /// Objects with one id on both sides: they need no link.
    pub same: usize,
    /// Objects in [`Matching::disputed`].
    pub ambiguous: usize,
    /// Objects that only side A has.
    pub only_a: usize,
    /// Objects that only side B has.
    pub only_b: usize,
}

/// Which of the two instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// An object that was not linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Its kind.
    pub kind: Kind,
    /// Where it is.
    pub side: Side,
    /// Its id there.
    pub id: Guid,
    /// Its name there.
    pub name: String,
    /// Why not.
    pub why: Why,
}

/// Why an object was not linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// So many objects of its own instance have its key.
    Twins(Rule, usize),
    /// So many objects of the other instance have its key.
    TwinsThere(Rule, usize),
    /// The only object with its key is linked to another, or has one id on both sides.
    Taken(Rule),
    /// An operator said so.
    Apart,
    /// It has no name, or one above it has none.
    NoName,
    /// It has no address.
    NoAddress,
    /// It has no channel.
    NoChannel,
    /// What it belongs to is not in the list, or lies in itself.
    NoParent,
    /// A device whose hardware is disputed.
    HardwareUnlinked,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twins(rule, n) => write!(f, "{n} objects of its instance have this {}", rule.word()),
            Self::TwinsThere(rule, n) => {
                write!(f, "{n} objects of the other instance have this {}", rule.word())
            }
            Self::Taken(rule) => {
                write!(
                    f,
                    "the object of the other instance with this {} is another's counterpart",
                    rule.word()
                )
            }
            Self::Apart => f.write_str("kept apart from its counterpart by an operator"),
            Self::NoName => f.write_str("it, or a group that it lies in, has no name"),
            Self::NoAddress => f.write_str("it has no address"),
            Self::NoChannel => f.write_str("it has no channel"),
            Self::NoParent => f.write_str("what it belongs to is not in the list"),
            Self::HardwareUnlinked => f.write_str("its hardware is not linked"),
        }
    }
}

/// Compares two instances. With `believe_losses` links end in any number; without, a list that lacks
/// most of what was linked is not believed, and nothing of that kind ends.
pub fn compare(a: &Lists, b: &Lists, known: &[Known], believe_losses: bool) -> Matching {
    let mut out = Matching::default();
    for kind in Kind::ALL {
        end_links(kind, [a.get(&kind), b.get(&kind)], known, believe_losses, &mut out);
    }
    let gone: HashSet<Pair> = out.gone.iter().copied().collect();
    let mut links = Links::default();
    for Known { pair, standing } in known {
        match standing {
            Standing::Apart => drop(links.apart.insert((pair.a, pair.b))),
            Standing::Matched if gone.contains(pair) => {}
            Standing::Matched | Standing::Linked => links.add(*pair),
        }
    }
    let mut hardware = [Hardware::new(), Hardware::new()];
    for kind in Kind::ALL {
        let before = links.to_b.len();
        if let (Some(a), Some(b)) = (a.get(&kind), b.get(&kind))
            // Without a complete list of hardware, a device's place is not known.
            && (kind.rule() != Rule::Device || out.kinds.get(&Kind::Hardware).is_some_and(|t| t.compared))
        {
            Comparison { kind, sides: [a, b], hardware: &hardware }.run(&mut links, &mut out);
            if kind == Kind::Hardware {
                hardware = [places(Side::A, a, b, &links, &out), places(Side::B, b, a, &links, &out)];
            }
        }
        let tally = out.kinds.entry(kind).or_default();
        tally.new = links.to_b.len() - before;
        tally.linked += tally.new;
    }
    out.new.sort_unstable();
    out
}

/// The links of a run, old and new.
#[derive(Default)]
struct Links {
    to_b: HashMap<Guid, Guid>,
    to_a: HashMap<Guid, Guid>,
    apart: HashSet<(Guid, Guid)>,
}

impl Links {
    fn add(&mut self, pair: Pair) {
        self.to_b.insert(pair.a, pair.b);
        self.to_a.insert(pair.b, pair.a);
    }

    fn taken(&self, side: Side, id: &Guid) -> bool {
        match side {
            Side::A => self.to_b.contains_key(id),
            Side::B => self.to_a.contains_key(id),
        }
    }
}

/// Finds the links of a kind whose objects have vanished.
fn end_links(
    kind: Kind,
    [a, b]: [Option<&Vec<Object>>; 2],
    known: &[Known],
    believe_losses: bool,
    out: &mut Matching,
) {
    let lacks = |list: Option<&Vec<Object>>| {
        let ids = list.map(|l| l.iter().map(|o| o.id).collect::<HashSet<_>>());
        move |id: &Guid| ids.as_ref().is_some_and(|ids| !ids.contains(id))
    };
    let (not_in_a, not_in_b) = (lacks(a), lacks(b));
    let of_kind = || known.iter().filter(|k| k.pair.kind == Some(kind));
    let matched = || of_kind().filter(|k| k.standing == Standing::Matched).map(|k| k.pair);
    let lost: Vec<Pair> = matched().filter(|p| not_in_a(&p.a) || not_in_b(&p.b)).collect();
    let emptied = [a, b].into_iter().flatten().any(Vec::is_empty);
    let too_many = emptied || lost.len() > BELIEVED && lost.len() * 2 > matched().count();
    let tally = out.kinds.entry(kind).or_default();
    tally.linked = of_kind().filter(|k| k.standing != Standing::Apart).count();
    if too_many && !believe_losses {
        tally.held = lost.len();
    } else {
        tally.gone = lost.len();
        tally.linked -= lost.len();
        out.gone.extend(lost);
    }
}

/// Where the hardware of `side` stands.
fn places(side: Side, own: &[Object], other: &[Object], links: &Links, out: &Matching) -> Hardware {
    let there: HashSet<Guid> = other.iter().map(|o| o.id).collect();
    let disputed: HashSet<Guid> = out.disputed.iter().filter(|d| d.side == side).map(|d| d.id).collect();
    let place = |id: Guid| {
        let on_a = match side {
            Side::A => links.to_b.get(&id).map(|_| id),
            Side::B => links.to_a.get(&id).copied(),
        };
        match on_a.or_else(|| there.contains(&id).then_some(id)) {
            Some(on_a) => Place::Both(on_a),
            None if disputed.contains(&id) => Place::Disputed,
            None => Place::OnlyHere,
        }
    };
    own.iter().map(|o| (o.id, place(o.id))).collect()
}

/// Two lists of one kind.
struct Comparison<'a> {
    kind: Kind,
    sides: [&'a [Object]; 2],
    hardware: &'a [Hardware; 2],
}

/// The objects of one side, by key.
type Index<'a> = HashMap<Key, Vec<&'a Object>>;

impl Comparison<'_> {
    fn run(&self, links: &mut Links, out: &mut Matching) {
        let [a, b] = self.sides;
        let ids: HashSet<Guid> = a.iter().map(|o| o.id).collect();
        let same: HashSet<Guid> = b.iter().map(|o| o.id).filter(|id| ids.contains(id)).collect();
        let keys = [0, 1].map(|i| Keys::new(self.kind, self.sides[i], &self.hardware[i]));
        let index = [0, 1].map(|i| index(&keys[i], self.sides[i]));
        // Judged against what was linked before this kind, so that no object's place in the list matters.
        let mut pairs = Vec::new();
        let mut tally = Tally { compared: true, same: same.len(), ..Tally::default() };
        for (i, side) in [Side::A, Side::B].into_iter().enumerate() {
            let free = |o: &&&Object| !links.taken(side, &o.id) && !same.contains(&o.id);
            let mut objects: Vec<&Object> = self.sides[i].iter().collect();
            objects.sort_unstable_by_key(|o| o.id);
            for object in objects.iter().filter(free) {
                let verdict = keys[i].of(object).and_then(|key| match key {
                    Some(key) => self.judge(side, object, &key, [&index[i], &index[1 - i]], &same, links),
                    None => Ok(None),
                });
                match verdict {
                    Ok(Some(other)) if side == Side::A => {
                        pairs.push(Pair { kind: Some(self.kind), a: object.id, b: other });
                    }
                    Ok(Some(_)) => {}
                    Ok(None) if side == Side::A => tally.only_a += 1,
                    Ok(None) => tally.only_b += 1,
                    Err(why) => {
                        tally.ambiguous += 1;
                        let name = object.name.clone();
                        out.disputed.push(Dispute { kind: self.kind, side, id: object.id, name, why });
                    }
                }
            }
        }
        pairs.iter().for_each(|p| links.add(*p));
        out.new.extend(pairs);
        let entry = out.kinds.entry(self.kind).or_default();
        *entry = Tally { linked: entry.linked, gone: entry.gone, held: entry.held, ..tally };
    }

    /// The counterpart of a free object; `None`: the other side does not have it.
    fn judge(
        &self,
        side: Side,
        object: &Object,
        key: &Key,
        [own, other]: [&Index<'_>; 2],
        same: &HashSet<Guid>,
        links: &Links,
    ) -> Result<Option<Guid>, Why> {
        let rule = self.kind.rule();
        let there = other.get(key).map_or(&[][..], Vec::as_slice);
        let counterpart = match there {
            [] => return Ok(None),
            [one] => one.id,
            many => return Err(Why::TwinsThere(rule, many.len())),
        };
        if let Some(twins) = own.get(key).filter(|twins| twins.len() > 1) {
            return Err(Why::Twins(rule, twins.len()));
        }
        let (opposite, pair) = match side {
            Side::A => (Side::B, (object.id, counterpart)),
            Side::B => (Side::A, (counterpart, object.id)),
        };
        if same.contains(&counterpart) || links.taken(opposite, &counterpart) {
            return Err(Why::Taken(rule));
        }
        if links.apart.contains(&pair) { Err(Why::Apart) } else { Ok(Some(counterpart)) }
    }
}

fn index<'a>(keys: &Keys<'a>, objects: &'a [Object]) -> Index<'a> {
    let mut index = Index::new();
    for object in objects {
        if let Ok(Some(key)) = keys.of(object) {
            index.entry(key).or_default().push(object);
        }
    }
    index
}

/// So many lost links of a kind are believed, whatever their share.
const BELIEVED: usize = 2;
