//! Changes of many objects that are more than the sum of them: readable texts that became noise, and the
//! same field changed everywhere. What is found is held as a whole.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::draft::Draft;
use super::noise::is_noise;
use super::{Act, Finding, Input};
use crate::sync::catalogue::Kind;
use crate::sync::pair::Side;

/// Finds what is to be looked at as a whole, and holds the operations that belong to it.
pub(super) fn findings(input: &Input<'_>, drafts: &mut [Draft]) -> Vec<Finding> {
    let mut noisy: BTreeMap<(Side, Kind, String), Vec<usize>> = BTreeMap::new();
    let mut changed: BTreeMap<(Side, Kind, String), Vec<usize>> = BTreeMap::new();
    let mut single = Vec::new();
    for (at, draft) in drafts.iter().enumerate() {
        for change in &draft.changes {
            if !is_change(draft) {
                // Made just before its name was lost: there is no text from before to tell by.
                if change.field == "name" && change.after.as_str().is_some_and(is_noise) {
                    single.push((at, change.field.clone()));
                }
                continue;
            }
            let key = (draft.from, draft.kind, change.field.clone());
            if became_noise(change.before.as_ref(), &change.after) {
                noisy.entry(key.clone()).or_default().push(at);
            }
            // Before both sides have agreed once, everything is new, and nobody has changed it.
            if !draft.never_agreed.contains(&change.field) {
                changed.entry(key).or_default().push(at);
            }
        }
    }
    let sizes: HashMap<Kind, usize> =
        drafts.iter().map(|draft| (draft.kind, size(input, draft.kind))).collect();
    let of = |kind: Kind| sizes.get(&kind).copied().unwrap_or_default();
    noisy.retain(|(_, kind, field), at| {
        let together = is_noise_finding(at.len(), of(*kind));
        if !together {
            single.extend(at.iter().map(|at| (*at, field.clone())));
        }
        together
    });
    // Of a small type, damage hits one object: too few for a finding, and still nobody's wish.
    for (at, field) in single {
        drafts[at].hold(format!("noise: {field} reads as nobody would write it"));
    }
    changed.retain(|key, at| !noisy.contains_key(key) && is_sweep(at.len(), of(key.1)));
    let both = noisy.into_iter().map(|found| ("noise", found));
    let both = both.chain(changed.into_iter().map(|found| ("sweep", found)));
    both.map(|(code, ((_, kind, field), at))| finding(drafts, code, kind, field, at, of(kind))).collect()
}

fn finding(
    drafts: &mut [Draft],
    code: &'static str,
    kind: Kind,
    field: String,
    at: Vec<usize>,
    of: usize,
) -> Finding {
    let count = at.len();
    let mut names = Vec::new();
    for at in at {
        let draft = &mut drafts[at];
        names.push(name_before(draft));
        draft.hold(format!("finding: {code} in {field} of {count} of {of} {kind}"));
    }
    names.sort_unstable();
    names.truncate(NAMES);
    Finding { kind, code, field, count, of, names }
}

/// A change of an object that is there.
fn is_change(draft: &Draft) -> bool {
    draft.before.is_some() && draft.act != Act::Delete
}

fn became_noise(before: Option<&Value>, after: &Value) -> bool {
    let (Some(Value::String(before)), Value::String(after)) = (before, after) else { return false };
    is_noise(after) && !is_noise(before)
}

fn is_noise_finding(count: usize, of: usize) -> bool {
    count >= NOISE_COUNT || count >= NOISE_COUNT_OF_FEW && count * NOISE_SHARE >= of
}

fn is_sweep(count: usize, of: usize) -> bool {
    count >= SWEEP_COUNT && count * SWEEP_SHARE > of
}

/// The name on the target, which is the one that people know.
fn name_before(draft: &Draft) -> String {
    let change = draft.changes.iter().find(|change| change.field == "name");
    let before = change.and_then(|change| change.before.as_ref()?.as_str().map(str::to_owned));
    before.unwrap_or_else(|| draft.name.clone())
}

fn size(input: &Input<'_>, kind: Kind) -> usize {
    let sizes = input.sides.map(|side| side.trusted(kind).map_or(0, <[_]>::len));
    sizes.into_iter().max().unwrap_or_default()
}

/// So many texts do not become noise by accident.
const NOISE_COUNT: usize = 5;
/// In a small type, two are enough if they are
const NOISE_COUNT_OF_FEW: usize = 2;
/// one in so many objects.
const NOISE_SHARE: usize = 10;
/// Fewer objects are a person's work of an afternoon (sync design 2.2, gate 4).
const SWEEP_COUNT: usize = 10;
/// More than one in so many objects of a type (sync design 2.2, gate 4).
const SWEEP_SHARE: usize = 10;
/// Names in a finding.
const NAMES: usize = 20;
