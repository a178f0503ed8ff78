//! Whether a finished reading is believed, by what was read of the same instance before. Pure.
//!
//! What a list says about itself has been judged while it was read. Here is what only memory can tell: a
//! list that is empty and was not, a field that has vanished everywhere, an instance that was set back
//! to an older state, a canary that is gone, a clock that is off.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::idmap::guid::Guid;
use crate::sync::catalogue::Kind;
use crate::sync::snapshot::{Distrust, Listing, Object, Snapshot};

/// What is remembered of an instance: a few kilobytes of JSON. Advanced only by readings that are
/// believed, type by type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Past {
    /// By the name of the type.
    kinds: BTreeMap<String, Count>,
    /// The objects that were changed last, newest first.
    newest: Vec<Stamped>,
    /// The canary, if one was ever seen.
    canary: Option<Canary>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Count {
    objects: usize,
    /// Objects that have a field which may be missing, and members, by field.
    fields: BTreeMap<String, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamped {
    kind: String,
    id: String,
    modified_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Canary {
    id: String,
    digest: String,
}

/// What is known of a reading besides its objects.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How far the clock of the instance is ahead of ours, in seconds; `None`: it does not say.
    pub clock: Option<i64>,
    /// By type and field, as in [`Whole::counts`](super::list::Whole::counts).
    pub counts: BTreeMap<Kind, BTreeMap<&'static str, usize>>,
}

impl Past {
    /// Reads what [`Past::to_json`] wrote; `None`: it is something else.
    pub fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    /// For the store.
    pub fn to_json(&self) -> String {
        // Maps with text keys and plain values always can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether a canary was ever seen.
    pub const fn has_canary(&self) -> bool {
        self.canary.is_some()
    }

    /// A person says that these differences of a type are right: fields that are missing everywhere are not
    /// missed any more. That there were objects is still known.
    pub fn forget_fields(&mut self, kind: Kind, differences: &[String]) {
        if let Some(count) = self.kinds.get_mut(kind.as_str()) {
            count.fields.retain(|field, _| !differences.contains(&missing_everywhere(field)));
        }
    }

    /// A person says that what is doubted is right: of a type, that its objects or fields are gone; of the
    /// whole instance, that it was set back, or that its canary is gone or another one.
    pub fn forget(&mut self, kind: Option<Kind>) {
        match kind {
            Some(kind) => drop(self.kinds.remove(kind.as_str())),
            None => {
                self.newest.clear();
                self.canary = None;
            }
        }
    }
}

/// Adds to a full reading the reasons not to believe it, and gives what is to be remembered.
pub fn judge(snapshot: &mut Snapshot, facts: &Facts, past: &Past, canary_required: bool) -> Past {
    for (kind, listing) in &mut snapshot.lists {
        if let Some(count) = past.kinds.get(kind.as_str()) {
            let doubt = vanished(*kind, listing, facts.counts.get(kind), count);
            listing.distrust.extend(doubt);
        }
    }
    snapshot.distrust.extend(clock(facts.clock));
    snapshot.distrust.extend(older(snapshot, past));
    snapshot.distrust.extend(canary(snapshot, past, canary_required).err());
    if snapshot.distrust.is_empty() { remember(snapshot, facts, past) } else { past.clone() }
}

/// The same for a short reading, which has added to the objects of `before` and has removed none.
pub fn judge_changes(snapshot: &mut Snapshot, before: &Snapshot, facts: &Facts) {
    snapshot.distrust.extend(clock(facts.clock));
    let lists = snapshot.lists.iter().filter(|(_, listing)| listing.distrust.is_empty());
    let steps = lists.filter_map(|(kind, listing)| {
        let before = before.lists.get(kind)?;
        let step = |object: &Object| back(before.get(object.id)?.modified_ms?, object.modified_ms);
        listing.objects.iter().filter_map(step).max()
    });
    let steps = steps.max().map(Distrust::Older);
    let seen = canary(before, &Past::default(), false).ok().flatten();
    let canary = seen.and_then(|seen| {
        let past = Past { canary: Some(seen), ..Past::default() };
        canary(snapshot, &past, false).err()
    });
    for doubt in steps.into_iter().chain(canary) {
        // What the full reading said is still said.
        if !snapshot.distrust.contains(&doubt) {
            snapshot.distrust.push(doubt);
        }
    }
}

/// Nothing where there was something.
fn vanished(
    kind: Kind,
    listing: &Listing,
    now: Option<&BTreeMap<&'static str, usize>>,
    before: &Count,
) -> Option<Distrust> {
    let is_gone = listing.distrust == [Distrust::Absent];
    if before.objects > 0 && (is_gone || (listing.distrust.is_empty() && listing.objects.is_empty())) {
        return Some(Distrust::Empty(before.objects));
    }
    if !listing.distrust.is_empty() || listing.objects.is_empty() {
        return None;
    }
    let now = |field: &str| now.and_then(|now| now.get(field)).copied();
    let members = |field: &str| kind.row().members.iter().find(|members| members.list == field);
    before.fields.iter().find_map(|(field, count)| match (members(field), now(field)) {
        (Some(members), None) => Some(Distrust::Members(members.list, "it is not there any more".to_owned())),
        (_, Some(1..)) => None,
        _ if *count < FEW => None,
        (Some(members), _) => {
            Some(Distrust::Members(members.list, format!("all are empty, before there were {count}")))
        }
        (None, _) => Some(Distrust::Schema(vec![missing_everywhere(field)])),
    })
}

/// In the words of [`Distrust::Schema`].
fn missing_everywhere(field: &str) -> String {
    format!("{field}: missing everywhere")
}

fn clock(offset: Option<i64>) -> Option<Distrust> {
    offset.filter(|offset| offset.abs() > MOST_OFFSET).map(Distrust::Clock)
}

/// Whether the instance was set back to an older state.
///
/// An object whose own stamp went back is a sure sign. That objects are gone is none: people delete what
/// they have just made. Only if nothing is left of all that was changed last, nobody has deleted it.
fn older(snapshot: &Snapshot, past: &Past) -> Option<Distrust> {
    let (mut kept, mut gone, mut step) = (0, 0, None);
    for stamped in &past.newest {
        let Some(listing) = listing(snapshot, &stamped.kind) else { continue };
        match stamped.id.parse().ok().and_then(|id| listing.get(id)) {
            None => gone += 1,
            Some(object) => match back(stamped.modified_ms, object.modified_ms) {
                None => kept += 1,
                back => step = step.max(back),
            },
        }
    }
    if step.is_none() && kept == 0 && gone >= MANY {
        let before = past.newest.first().map(|stamped| stamped.modified_ms)?;
        let now = stamps(snapshot).map(|(_, modified_ms, _)| modified_ms).max();
        step = Some(back(before, now).unwrap_or(1));
    }
    step.map(Distrust::Older)
}

/// Seconds from a stamp back to an earlier one; `None`: it is not earlier.
fn back(before_ms: i64, now_ms: Option<i64>) -> Option<u64> {
    let step = before_ms.saturating_sub(now_ms.unwrap_or(0));
    // Clocks are set right by less than that.
    (step > 1000).then(|| u64::try_from(step / 1000).unwrap_or_default())
}

/// The canary as it should be remembered.
fn canary(snapshot: &Snapshot, past: &Past, required: bool) -> Result<Option<Canary>, Distrust> {
    let says = |words: &str| Err(Distrust::Canary(words.to_owned()));
    let Some(listing) = listing(snapshot, CANARY_KIND) else {
        let is_missed = required || past.canary.is_some();
        return if is_missed { says("analyticsEvents could not be read") } else { Ok(None) };
    };
    let mut found = listing.objects.iter().filter(|object| &*object.name == CANARY);
    match (found.next(), &past.canary) {
        (None, Some(_)) => says("it is missing"),
        (None, None) if required => says("there is none"),
        (None, None) => Ok(None),
        (Some(_), _) if found.next().is_some() => says("there is more than one"),
        (Some(object), seen) => {
            let now = Canary { id: object.id.to_string(), digest: object.body.digest().to_string() };
            match seen {
                Some(seen) if seen.id != now.id => says("it is another object"),
                Some(seen) if *seen != now => says("it was changed"),
                _ => Ok(Some(now)),
            }
        }
    }
}

fn remember(snapshot: &Snapshot, facts: &Facts, past: &Past) -> Past {
    let mut kinds = past.kinds.clone();
    for (kind, listing) in snapshot.lists.iter().filter(|(_, listing)| listing.distrust.is_empty()) {
        let fields = facts.counts.get(kind).into_iter().flatten();
        let fields = fields.map(|(field, count)| ((*field).to_owned(), *count)).collect();
        kinds.insert(kind.as_str().to_owned(), Count { objects: listing.objects.len(), fields });
    }
    let unread = |stamped: &&Stamped| listing(snapshot, &stamped.kind).is_none();
    let mut newest: Vec<Stamped> = past.newest.iter().filter(unread).cloned().collect();
    let mut stamps: Vec<_> = stamps(snapshot).collect();
    // By id where stamps are equal: the same objects give the same past.
    stamps.sort_unstable_by_key(|(kind, modified, id)| (std::cmp::Reverse(*modified), *kind, *id));
    newest.extend(stamps.into_iter().take(KEPT).map(|(kind, modified_ms, id)| Stamped {
        kind: kind.as_str().to_owned(),
        id: id.to_string(),
        modified_ms,
    }));
    newest.sort_by_key(|stamped| std::cmp::Reverse(stamped.modified_ms));
    newest.truncate(KEPT);
    let canary = canary(snapshot, past, false).ok().flatten().or_else(|| past.canary.clone());
    Past { kinds, newest, canary }
}

/// A type that was read and is not doubted.
fn listing<'s>(snapshot: &'s Snapshot, kind: &str) -> Option<&'s Listing> {
    snapshot.lists.get(&Kind::from_name(kind)?).filter(|listing| listing.distrust.is_empty())
}

/// When each object was last changed.
fn stamps(snapshot: &Snapshot) -> impl Iterator<Item = (Kind, i64, Guid)> {
    let lists = snapshot.lists.iter().filter(|(_, listing)| listing.distrust.is_empty());
    lists.flat_map(|(kind, listing)| {
        listing.objects.iter().filter_map(|object| Some((*kind, object.modified_ms?, object.id)))
    })
}

/// The name of the canary (sync design S17).
pub const CANARY: &str = "gatekeeper-canary";
/// What the canary is.
pub const CANARY_KIND: &str = "analyticsEvents";
/// Seconds; what Kerberos allows, too: an instance further off cannot work in a domain.
const MOST_OFFSET: i64 = 300;
/// Fewer may be emptied by a person in one go.
const FEW: usize = 3;
/// Fewer of the objects that were changed last may be deleted by a person.
const MANY: usize = 5;
/// Objects whose stamps are remembered.
const KEPT: usize = 64;

#[cfg(test)]
mod tests;
