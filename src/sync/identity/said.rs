//! What the configuration says: `[[sync.pair]]`.

use std::collections::HashMap;

use super::fold::fold;
use super::judge::Judge;
use super::{Known, Misfit, Outcome, Said, Unfit};
use crate::idmap::guid::Guid;
use crate::sync::pair::{Pair, Side, Standing};

/// The operator's pairs of one type.
pub(super) struct Operators {
    /// Those that fit, sorted.
    pub(super) pairs: Vec<Pair>,
    /// Some do not fit: nothing ends because it is not said any more.
    pub(super) unclear: bool,
}

impl Judge<'_> {
    /// Finds the objects of the operator's pairs.
    pub(super) fn said(&self, said: &[Said], known: &[Known], out: &mut Outcome) -> Operators {
        let said: Vec<&Said> = said.iter().filter(|s| s.kind == self.kind).collect();
        let mut found = Vec::new();
        let mut refuse = |said: &Said, why| {
            out.misfits.push(Misfit { kind: said.kind, objects: said.objects.clone(), why });
        };
        let names = if said.is_empty() { Default::default() } else { Side::BOTH.map(|s| self.names(s)) };
        for said in said {
            let end = |side: Side| {
                let text = said.objects[side.index()].as_str();
                let id: Option<Guid> = text.trim().trim_matches(['{', '}']).parse().ok();
                if let Some(id) = id.filter(|id| self.at[side.index()].contains_key(id)) {
                    return Ok(id);
                }
                match names[side.index()].get(&fold(text)).map(Vec::as_slice) {
                    None | Some([]) => Err(Unfit::Nobody(side)),
                    Some([one]) => Ok(*one),
                    Some(many) => Err(Unfit::Several(side, many.len())),
                }
            };
            match end(Side::A).and_then(|a| Ok(Pair { kind: self.kind, a, b: end(Side::B)? })) {
                Ok(pair) => found.push((pair, said)),
                Err(why) => refuse(said, why),
            }
        }
        let mut pairs = Vec::new();
        for (pair, said) in &found {
            let meets = |other: &Pair| *other != *pair && (other.a == pair.a || other.b == pair.b);
            let against = |k: &Known| match k.standing {
                Standing::Linked => meets(&k.pair),
                Standing::Apart => k.pair == *pair,
                Standing::Matched => false,
            };
            if found.iter().any(|(other, _)| meets(other)) {
                refuse(said, Unfit::Twice);
            } else if known.iter().any(against) {
                refuse(said, Unfit::Contradicted);
            } else {
                pairs.push(*pair);
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        let unclear = out.misfits.iter().any(|m| m.kind == self.kind);
        Operators { pairs, unclear }
    }

    /// Ids by name.
    fn names(&self, side: Side) -> HashMap<String, Vec<Guid>> {
        let mut names: HashMap<String, Vec<Guid>> = HashMap::new();
        for object in self.sides[side.index()].iter().filter(|o| !o.name.trim().is_empty()) {
            names.entry(fold(&object.name)).or_default().push(object.id);
        }
        names
    }
}
