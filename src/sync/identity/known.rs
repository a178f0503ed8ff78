//! What was paired before: what of it still holds.

use super::judge::Judge;
use super::said::Operators;
use super::{Input, Known};
use crate::sync::pair::{Confidence, Side, Standing};

impl Judge<'_> {
    /// Takes over what operators have said, then the links of earlier runs.
    pub(super) fn known(&mut self, known: &[Known], said: &Operators, input: &Input<'_>) {
        for word in known {
            match word.standing {
                Standing::Linked => drop(self.tie(word.pair, Confidence::Operator)),
                Standing::Apart => drop(self.apart.insert((word.pair.a, word.pair.b))),
                Standing::Matched => {}
            }
        }
        for pair in &said.pairs {
            let stored = known.iter().any(|k| k.pair == *pair && k.standing != Standing::Apart);
            if self.tie(*pair, Confidence::Operator) && !stored {
                self.new.push((*pair, Confidence::Operator));
            }
        }
        let matched: Vec<&Known> = known.iter().filter(|k| k.standing == Standing::Matched).collect();
        let mut lost = Vec::new();
        for word in &matched {
            let pair = word.pair;
            let unsaid = word.confidence == Confidence::Operator && !said.unclear;
            if self.is_pair(&pair) {
                // An operator says the same.
            } else if unsaid || Side::BOTH.iter().any(|side| self.is_taken(*side, pair.id(*side))) {
                self.gone.push(pair);
            } else if Side::BOTH.iter().all(|side| self.at[side.index()].contains_key(&pair.id(*side))) {
                self.tie(pair, word.confidence);
            } else {
                lost.push(*word);
            }
        }
        let emptied = self.sides.iter().any(|objects| objects.is_empty());
        let too_many = emptied || lost.len() > BELIEVED && lost.len() * 2 > matched.len();
        let believed = input.believe_losses || !too_many;
        for word in &lost {
            let survivor =
                Side::BOTH.into_iter().find(|side| self.at[side.index()].contains_key(&word.pair.id(*side)));
            match survivor {
                _ if !believed => {
                    self.held += 1;
                    self.tie(word.pair, word.confidence);
                }
                Some(side) if input.keep_missing => {
                    let survivor = word.pair.id(side);
                    self.widows[side.index()].insert(survivor, (word.pair, word.confidence));
                }
                _ => self.gone.push(word.pair),
            }
        }
    }
}

/// So many lost links of a type are believed, whatever their share.
const BELIEVED: usize = 2;
