//! Changes of many objects that are more than the sum of them: readable texts that became noise, and the
//! same field changed everywhere. What is found is held as a whole.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::draft::Draft;
use super::noise::is_noise;
use super::{Act, Finding, Input};
use crate::sync::catalogue::Kind;
use crate::sync::pair::Side;
use crate::sync::snapshot::Snapshot;

/// Finds what is to be looked at as a whole, and holds the operations that belong to it.
pub(super) fn findings(input: &Input<'_>, drafts: &mut [Draft]) -> Vec<Finding> {
    let mut noisy: BTreeMap<(Side, String), Vec<usize>> = BTreeMap::new();
    let mut changed: BTreeMap<(Side, Kind, String), Vec<usize>> = BTreeMap::new();
    for (at, draft) in drafts.iter().enumerate() {
        for change in &draft.changes {
            if !is_change(draft) {
                // Made just before its name was lost: there is no text from before to tell by.
                if change.field == "name" && change.after.as_str().is_some_and(is_noise) {
                    noisy.entry((draft.from, change.field.clone())).or_default().push(at);
                }
                continue;
            }
            let key = (draft.from, draft.kind, change.field.clone());
            // What was never alike may be noise on the target: then it is the target that is ill.
            let is_new = draft.never_agreed.contains(&change.field);
            let before = change.before.as_ref();
            if became_noise(before, &change.after)
                || is_new && before.is_some_and(|before| became_noise(Some(&change.after), before))
            {
                // Whatever encrypts a database does not stop at a type: one finding for all.
                noisy.entry((draft.from, change.field.clone())).or_default().push(at);
                continue;
            }
            // Before both sides have agreed once, everything is new, and nobody has changed it.
            if !is_new {
                changed.entry(key).or_default().push(at);
            }
        }
    }
    let sizes: HashMap<Kind, usize> =
        drafts.iter().map(|draft| (draft.kind, size(input, draft.kind))).collect();
    let of = |kind: Kind| sizes.get(&kind).copied().unwrap_or_default();
    changed.retain(|key, at| is_sweep(at.len(), of(key.1)));
    let noisy = noisy.into_iter().map(|((_, field), at)| ("noise", field, at));
    let swept = changed.into_iter().map(|((_, _, field), at)| ("sweep", field, at));
    let all: Vec<_> = noisy.chain(swept).collect();
    all.into_iter().map(|(code, field, at)| finding(drafts, code, field, at, &of)).collect()
}

fn finding(
    drafts: &mut [Draft],
    code: &'static str,
    field: String,
    at: Vec<usize>,
    size: &dyn Fn(Kind) -> usize,
) -> Finding {
    let count = at.len();
    let kinds: BTreeSet<Kind> = at.iter().map(|at| drafts[*at].kind).collect();
    let of = kinds.iter().map(|kind| size(*kind)).sum();
    let mut names = Vec::new();
    for at in at {
        let draft = &mut drafts[at];
        names.push(name_before(draft));
        draft.hold(format!("finding: {code} in {field} of {count} of {of} objects"));
    }
    names.sort_unstable();
    names.truncate(NAMES);
    Finding { kinds: kinds.into_iter().collect(), code, field, count, of, names }
}

/// A change of an object that is there.
fn is_change(draft: &Draft) -> bool {
    draft.before.is_some() && draft.act != Act::Delete
}

/// How many objects of a side have names that nobody would have chosen.
pub fn noisy_names(side: &Snapshot) -> usize {
    let all = Kind::all().filter_map(|kind| side.trusted(kind)).flatten();
    all.filter(|object| is_noise(&object.name)).count()
}

fn became_noise(before: Option<&Value>, after: &Value) -> bool {
    let (Some(Value::String(before)), Value::String(after)) = (before, after) else { return false };
    is_noise(after) && !is_noise(before)
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

/// Fewer objects are a person's work of an afternoon (sync design 2.2, gate 4).
const SWEEP_COUNT: usize = 10;
/// More than one in so many objects of a type (sync design 2.2, gate 4).
const SWEEP_SHARE: usize = 10;
/// Names in a finding.
const NAMES: usize = 20;
