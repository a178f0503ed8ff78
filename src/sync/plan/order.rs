//! In which order operations would be carried out: what others need comes first, deletions come last and
//! the other way round. Circles are broken: an object is made without the references that close one, and
//! gets them afterwards (sync design, S27 and S28).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::draft::Draft;
use super::graph::{components, levels};
use super::references::{self, Target};
use super::resolve::Needs;
use super::{Act, Verdict};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::Kind;
use crate::sync::pair::Side;

/// Puts drafts in order and holds what waits for something that is held.
pub(super) fn order(mut drafts: Vec<Draft>, mut needs: Needs) -> Vec<Draft> {
    needs.resize_with(drafts.len(), Vec::new);
    // The order in which the types were looked at is no reason.
    cut_circles(&mut drafts, &mut needs);
    let mut edges: Vec<Vec<usize>> =
        needs.iter().map(|needs| needs.iter().map(|(_, first)| *first).collect()).collect();
    before_deletions(&drafts, &mut edges);
    for before in &mut edges {
        before.sort_unstable();
        before.dedup();
    }
    let mut drafts = sorted(drafts, edges);
    hold_what_waits(&mut drafts);
    drafts
}

/// What is compared where nothing else decides.
fn key(draft: &Draft) -> (Kind, &str, [Option<Guid>; 2], Side, Act) {
    (draft.kind, &draft.name, draft.ids, draft.from, draft.act)
}

/// Splits creations that need each other.
fn cut_circles(drafts: &mut Vec<Draft>, needs: &mut Needs) {
    let edges: Vec<Vec<usize>> =
        needs.iter().map(|needs| needs.iter().map(|(_, first)| *first).collect()).collect();
    let of = components(&edges);
    let mut circles: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (draft, component) in of.iter().enumerate() {
        circles.entry(*component).or_default().push(draft);
    }
    for members in circles.into_values() {
        let alone = members.len() == 1 && members.iter().all(|member| !edges[*member].contains(member));
        if !alone {
            cut(drafts, needs, members);
        }
    }
}

/// Cuts one circle: its members are made one after the other, parents first, and get later what refers to
/// a member that is made later.
fn cut(drafts: &mut Vec<Draft>, needs: &mut Needs, mut members: Vec<usize>) {
    members.sort_unstable_by(|a, b| key(&drafts[*a]).cmp(&key(&drafts[*b])));
    let place: HashMap<usize, usize> = members.iter().enumerate().map(|(at, member)| (*member, at)).collect();
    let parents: Vec<Vec<usize>> = members
        .iter()
        .map(|member| {
            let parents = needs[*member].iter().filter(|(field, _)| field.is_none());
            parents.filter_map(|(_, first)| place.get(first).copied()).collect()
        })
        .collect();
    let depth = levels(&parents);
    let turn = |member: usize| place.get(&member).map(|at| (depth[*at], *at));
    for member in members.iter().copied() {
        if turn(member).is_some_and(|(depth, _)| depth.is_none()) {
            drafts[member].hold("order: its parents are in a circle".to_owned());
            needs[member].retain(|(field, first)| field.is_some() || !place.contains_key(first));
        }
        let closing: BTreeSet<String> = needs[member]
            .iter()
            .filter(|(_, first)| turn(*first) >= turn(member) && place.contains_key(first))
            .filter_map(|(field, _)| field.clone())
            .collect();
        if !closing.is_empty() {
            split(drafts, needs, member, &closing);
        }
    }
}

/// Makes an object without some of its fields, and an operation that adds them.
fn split(drafts: &mut Vec<Draft>, needs: &mut Needs, member: usize, closing: &BTreeSet<String>) {
    let own = std::mem::take(&mut needs[member]);
    let (mut later, now): (Vec<_>, Vec<_>) =
        own.into_iter().partition(|(field, _)| field.as_ref().is_some_and(|field| closing.contains(field)));
    needs[member] = now;
    later.push((None, member));
    needs.push(later);
    let draft = &mut drafts[member];
    let (later, now) =
        std::mem::take(&mut draft.changes).into_iter().partition(|c| closing.contains(&c.field));
    let fields = closing.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    draft.changes = now;
    let mut second = Draft { act: Act::Update, changes: later, parent: None, ..draft.clone() };
    draft.reasons.push(format!("order: made without {fields}, which closes a circle"));
    second.reasons.push(format!("order: adds {fields} to what was made without, because of a circle"));
    second.references.retain(|reference| closing.contains(&reference.field));
    draft.references.retain(|reference| !closing.contains(&reference.field));
    drafts.push(second);
}

/// An object goes only after everything that refers to it has gone or been changed.
fn before_deletions(drafts: &[Draft], edges: &mut [Vec<usize>]) {
    let deleted: HashMap<(Side, Kind, Guid), usize> = drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.act == Act::Delete)
        .filter_map(|(at, draft)| {
            Some(((draft.target(), draft.kind, draft.ids[draft.target().index()]?), at))
        })
        .collect();
    if deleted.is_empty() {
        return;
    }
    let by_id: HashMap<(Side, Guid), usize> =
        deleted.iter().map(|((side, _, id), at)| ((*side, *id), *at)).collect();
    for (at, draft) in drafts.iter().enumerate() {
        let Some(before) = &draft.before else { continue };
        let target = draft.target();
        let references = references::of_body(draft.kind, before.bytes()).into_iter();
        let is_changed = |field: &str| draft.changes.iter().any(|change| change.field == field);
        let leaves = references.filter(|r| draft.act == Act::Delete || is_changed(&r.field));
        let referred = leaves.filter_map(|reference| match (reference.target, reference.id) {
            (Target::Kind(kind), Some(id)) => deleted.get(&(target, kind, id)).copied(),
            (Target::Anything, Some(id)) => by_id.get(&(target, id)).copied(),
            _ => None,
        });
        let within = draft.kind.row().within.and_then(Kind::from_name);
        let parent = draft.parent.filter(|_| draft.act == Act::Delete).zip(within);
        let parent = parent.and_then(|(id, kind)| deleted.get(&(target, kind, id)).copied());
        for gone in referred.chain(parent).filter(|gone| *gone != at) {
            edges[gone].push(at);
        }
    }
    // Two that refer to each other can only go in some order.
    let of = components(edges);
    for (at, before) in edges.iter_mut().enumerate() {
        before.retain(|first| drafts[at].act != Act::Delete || of[*first] != of[at]);
    }
}

/// By waves, deletions behind everything else.
fn sorted(mut drafts: Vec<Draft>, edges: Vec<Vec<usize>>) -> Vec<Draft> {
    let levels = levels(&edges);
    let mut sequence: Vec<usize> = (0..drafts.len()).collect();
    sequence.sort_unstable_by(|a, b| {
        let deletes = |at: usize| drafts[at].act == Act::Delete;
        let (a_deletes, b_deletes) = (deletes(*a), deletes(*b));
        let by_wave = a_deletes.cmp(&b_deletes).then_with(|| levels[*a].cmp(&levels[*b]));
        by_wave.then_with(|| match a_deletes {
            true => key(&drafts[*b]).cmp(&key(&drafts[*a])),
            false => key(&drafts[*a]).cmp(&key(&drafts[*b])),
        })
    });
    let mut number = vec![0; drafts.len()];
    for (at, draft) in sequence.iter().enumerate() {
        number[*draft] = at;
    }
    for (draft, before) in drafts.iter_mut().zip(edges) {
        draft.after = before.into_iter().map(|first| number[first]).collect();
        draft.after.sort_unstable();
    }
    let mut slots: Vec<Option<Draft>> = drafts.into_iter().map(Some).collect();
    sequence.into_iter().filter_map(|at| slots[at].take()).collect()
}

/// What waits for an operation that does not pass does not pass either.
fn hold_what_waits(drafts: &mut [Draft]) {
    for at in 0..drafts.len() {
        let waits: Vec<usize> = drafts[at]
            .after
            .iter()
            .copied()
            .filter(|first| drafts[*first].verdict != Verdict::Pass)
            .collect();
        let Some(first) = waits.first() else { continue };
        let reason = match waits.len() - 1 {
            0 => format!("waits for operation {first}"),
            more => format!("waits for operation {first} and {more} more"),
        };
        drafts[at].hold(reason);
    }
}
