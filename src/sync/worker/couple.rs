//! Two instances that were read: what is the same, what differs, what would be done, and what of it is
//! kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::orders::Order;
use crate::clock::unix_time;
use crate::config::types::Config;
use crate::idmap::guid::Guid;
use crate::state::{PairChange, Store, StoreError, StoredDrift, StoredMissing};
use crate::sync::bases::KeptBases;
use crate::sync::catalogue::Kind;
use crate::sync::identity::{Input as Question, Known, Outcome as Identified, Said, identify};
use crate::sync::links::Links;
use crate::sync::pair::{Confidence, Pair, Side, Standing};
use crate::sync::plan::{Bases as _, Input, Missing, Plan, noisy_names, plan};
use crate::sync::planned::Planned;
use crate::sync::report::PairReport;
use crate::sync::rules::rules;
use crate::sync::snapshot::{Distrust, Snapshot};

/// What is remembered about two instances between runs.
pub(super) struct Memory {
    names: [String; 2],
    baseline: Option<(String, u64)>,
    bases: Arc<KeptBases>,
    missing: BTreeMap<(Side, Kind, Guid), Missing>,
    drift: BTreeMap<(Kind, Guid, String), u64>,
    /// Pairs of which one object was deleted and made again, with the pair that it was before, until both
    /// sides agree about it.
    replaced: BTreeMap<Pair, Pair>,
}

/// Where what comes out is kept, and by which rules.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) links: &'a Links,
    pub(super) store: &'a Store,
    pub(super) config: &'a Config,
}

/// What was read of them.
pub(super) struct Read {
    pub(super) sides: [Arc<Snapshot>; 2],
    /// The primary.
    pub(super) source: Side,
    /// Everything was read, not only what has changed.
    pub(super) full: bool,
}

impl Memory {
    /// What earlier runs of the program have left.
    pub(super) async fn load(store: &Store, names: &[String; 2]) -> Result<Self, StoreError> {
        let state = store.pair_state(names).await?;
        let side = |instance: &str| if *instance == names[0] { Side::A } else { Side::B };
        let missing = state.missing.iter().filter_map(|m| {
            let kind = Kind::from_name(&m.kind)?;
            let missing = Missing { since_unix: m.since_unix, readings: m.readings };
            Some(((side(&m.instance), kind, m.id), missing))
        });
        let drift = state
            .drift
            .iter()
            .filter_map(|d| Some(((Kind::from_name(&d.kind)?, d.id, d.field.clone()), d.since_unix)));
        Ok(Self {
            names: names.clone(),
            baseline: state.baseline.clone(),
            bases: Arc::new(KeptBases::new(&state, store.base_reader(names)?)),
            missing: missing.collect(),
            drift: drift.collect(),
            replaced: BTreeMap::new(),
        })
    }
}

/// Compares two instances, keeps what comes out, and reports it. The memory is lost with an error: it is
/// loaded again.
pub(super) async fn compare(
    Place { links, store, config }: Place<'_>,
    mut memory: Memory,
    read: Read,
    order: Option<&Order>,
    past: &PairReport,
) -> Result<(PairReport, Memory), StoreError> {
    let names = memory.names.clone();
    let believe_losses = order.is_some_and(Order::believes_losses);
    let mut identified = identified(links, config, &memory, &read, believe_losses).await?;
    if config.sync.enabled {
        // Before the links go over: a crash in between must not leave a link without its base.
        let carried = carry(&memory, &identified)?;
        write(store, &names, carried).await?;
    }
    let mut link_proposed = false;
    if config.sync.enabled && memory.baseline.is_none() {
        // What was not read nobody has looked at, and would be paired and carried over later all the same.
        let whole = read.full && is_whole(&read.sides);
        let by_order = order.and_then(|o| o.confirms(&names));
        let by_itself = whole && config.sync.baseline_auto && is_plausible(&read.sides);
        let by_config = by_itself.then_some((CONFIGURATION, "[sync] baseline = \"auto\""));
        if let Some((by, reason)) = by_order.or(by_config).filter(|_| whole) {
            // First the links, so that a crash in between leaves a baseline to be confirmed again.
            links.take(&names, &identified, true, Some(by)).await?;
            store.confirm_baseline(&names, reason, by).await?;
            memory.baseline = Some((by.to_owned(), unix_time().as_secs()));
            link_proposed = true;
            identified.proposed.clear();
        }
    }
    if !link_proposed {
        links.take(&names, &identified, false, order.map(Order::by)).await?;
    }
    let mut report = PairReport::of(&names, &identified);
    report.unread = doubts(&names, &read.sides);
    if !config.sync.enabled {
        return Ok((report, memory));
    }
    let mut change = PairChange::default();
    end_bases(&mut memory, &identified, &mut change);
    if read.full {
        note_missing(&mut memory, &identified, &read.sides, &mut change);
    }
    let plan = planned(&memory, &read, &identified, config).await?;
    if memory.baseline.is_some() {
        let adopted: BTreeSet<Pair> = plan.adopt.iter().map(|(pair, _)| *pair).collect();
        memory.replaced.retain(|pair, _| !adopted.contains(pair));
        let adopted = memory.bases.adopt(plan.adopt.clone());
        change.put.extend(adopted.put);
        change.drop.extend(adopted.drop);
    }
    note_drift(&mut memory, &plan, &read, &mut change);
    write(store, &names, change).await?;
    let full_unix = past.plan.as_ref().map_or(0, |p| p.full_unix);
    report.plan = Some(Arc::new(Planned {
        instances: names.clone(),
        source: read.source,
        at_unix: unix_time().as_secs(),
        full_unix: if read.full {
            read.sides.iter().map(|s| s.taken_unix).min().unwrap_or(0)
        } else {
            full_unix
        },
        baseline: memory.baseline.clone(),
        read: both_have(&read.sides),
        doubts: report.unread.clone(),
        plan,
        drift_since: memory.drift.clone(),
    }));
    Ok((report, memory))
}

/// Works out which objects are the same.
async fn identified(
    links: &Links,
    config: &Config,
    memory: &Memory,
    read: &Read,
    believe_losses: bool,
) -> Result<Identified, StoreError> {
    let names = &memory.names;
    let mut known = links.known(names);
    // Objects with one id on both sides have no link; that they were the same is in their base.
    let same = memory.bases.pairs().into_iter().filter(|pair| pair.a == pair.b);
    let (standing, confidence) = (Standing::Matched, Confidence::SameId);
    known.extend(same.map(|pair| Known { pair, standing, confidence }));
    let said: Vec<Said> = config
        .sync
        .pairs
        .iter()
        .filter(|p| p.objects[0].0 == names[0] && p.objects[1].0 == names[1])
        .map(|p| Said { kind: p.kind, objects: p.objects.clone().map(|(_, object)| object) })
        .collect();
    let baseline = config.sync.enabled && memory.baseline.is_some();
    let keep_missing = config.sync.enabled;
    let sides = read.sides.clone();
    let bases = Arc::clone(&memory.bases);
    // A hundred thousand objects take a while.
    let work = tokio::task::spawn_blocking(move || {
        let sides = [sides[0].as_ref(), sides[1].as_ref()];
        identify(&Question {
            sides,
            known: &known,
            said: &said,
            baseline,
            keep_missing,
            believe_losses,
            bases: bases.as_ref(),
        })
    });
    work.await.map_err(|_| StoreError::Closed)
}

/// Works out the plan.
async fn planned(
    memory: &Memory,
    read: &Read,
    identified: &Identified,
    config: &Config,
) -> Result<Plan, StoreError> {
    let rules = rules(&config.sync, memory.baseline.is_some());
    let sides = read.sides.clone();
    let (pairs, source, bases) = (identified.pairs.clone(), read.source, Arc::clone(&memory.bases));
    let disputed: Vec<_> =
        identified.disputed.iter().map(|d| (d.side, d.kind, d.id, d.why.to_string())).collect();
    let replaced = memory.replaced.clone();
    let missing = memory.missing.clone();
    let now_unix = unix_time().as_secs();
    let work = tokio::task::spawn_blocking(move || {
        let input = Input {
            sides: [&sides[0], &sides[1]],
            source,
            pairs: &pairs,
            replaced: &replaced,
            disputed: &disputed,
            bases: bases.as_ref(),
            missing: &missing,
            rules: &rules,
            now_unix,
        };
        plan(&input)
    });
    // Only a panic ends it early; it has been reported.
    let plan = work.await.map_err(|_| StoreError::Closed)?;
    // Without a base that exists, both sides would seem never to have agreed.
    match memory.bases.take_failure() {
        Some(error) => Err(error),
        None => Ok(plan),
    }
}

/// Everything that is there was believed; what a version does not have, or the account may not see, is
/// not there.
fn is_whole(sides: &[Arc<Snapshot>; 2]) -> bool {
    let harmless = |d: &Distrust| matches!(d, Distrust::Absent | Distrust::Status(403));
    sides
        .iter()
        .all(|side| side.distrust.is_empty() && side.lists.values().flat_map(|l| &l.distrust).all(harmless))
}

/// No type is empty, and no names are noise, on one side only. At first nobody can tell an instance that
/// has nothing from one that shows nothing: all that the other has would be made again on it.
fn is_plausible(sides: &[Arc<Snapshot>; 2]) -> bool {
    let [a, b] = sides;
    let odd = Kind::all().find_map(|kind| {
        let counts = (a.trusted(kind)?.len(), b.trusted(kind)?.len());
        matches!(counts, (0, FEW..) | (FEW.., 0)).then_some((kind, counts))
    });
    if let Some((kind, (of_a, of_b))) = odd {
        let (a, b) = (&a.instance, &b.instance);
        tracing::warn!(
            "the baseline does not confirm itself: {a} has {of_a} {kind} and {b} has {of_b}; see `gatekeeper sync approve baseline`"
        );
    }
    let noisy = sides.each_ref().map(|side| noisy_names(side));
    if noisy[0].abs_diff(noisy[1]) >= FEW {
        tracing::warn!(
            "the baseline does not confirm itself: {} names of {} and {} of {} are noise; see `gatekeeper sync approve baseline`",
            noisy[0],
            a.instance,
            noisy[1],
            b.instance
        );
        return false;
    }
    odd.is_none()
}

/// The types that were read of both and that both have.
fn both_have(sides: &[Arc<Snapshot>; 2]) -> Vec<Kind> {
    let has = |side: &Snapshot, kind: &Kind| {
        side.lists.get(kind).is_some_and(|list| !list.distrust.contains(&Distrust::Absent))
    };
    sides[0].lists.keys().copied().filter(|kind| sides.iter().all(|side| has(side, kind))).collect()
}

/// What was not believed, and why: instance, type, words.
fn doubts(names: &[String; 2], sides: &[Arc<Snapshot>; 2]) -> Vec<(String, Kind, String)> {
    let mut all = Vec::new();
    for (name, side) in names.iter().zip(sides) {
        for kind in side.lists.keys() {
            let doubts = side.doubts(*kind);
            let words: Vec<String> =
                doubts.iter().filter(|d| ***d != Distrust::Absent).map(ToString::to_string).collect();
            if !words.is_empty() {
                all.push((name.clone(), *kind, words.join("; ")));
            }
        }
    }
    all
}

/// Gives the bases of links that go over to another object to the new ones; the old ones have them still.
fn carry(memory: &Memory, identified: &Identified) -> Result<PairChange, StoreError> {
    let moved = identified.moved.iter();
    let bases = moved.filter_map(|moved| Some((moved.new, Some(memory.bases.body(&moved.old)?)))).collect();
    match memory.bases.take_failure() {
        Some(error) => Err(error),
        None => Ok(memory.bases.adopt(bases)),
    }
}

/// Ends the bases of links that end, and of those that went over to another object.
fn end_bases(memory: &mut Memory, identified: &Identified, change: &mut PairChange) {
    let moved = identified.moved.iter().map(|moved| moved.old);
    let ended = identified.gone.iter().copied().chain(moved).map(|pair| (pair, None)).collect();
    for moved in &identified.moved {
        memory.replaced.remove(&moved.old);
        memory.replaced.insert(moved.new, moved.old);
    }
    *change = memory.bases.adopt(ended);
}

/// Counts in how many full readings linked objects were missing.
fn note_missing(
    memory: &mut Memory,
    identified: &Identified,
    sides: &[Arc<Snapshot>; 2],
    change: &mut PairChange,
) {
    let now = unix_time().as_secs();
    let mut missing = BTreeMap::new();
    for key in &identified.missing {
        let before = memory.missing.get(key);
        let since_unix = before.map_or(now, |m| m.since_unix);
        let readings = before.map_or(0, |m| m.readings).saturating_add(1);
        missing.insert(*key, Missing { since_unix, readings });
    }
    // What was not read this time is as missing as before.
    for (key, before) in &memory.missing {
        let (side, kind, _) = key;
        if sides[side.index()].trusted(*kind).is_none() {
            missing.insert(*key, *before);
        }
    }
    if missing == memory.missing {
        return;
    }
    let stored = missing.iter().map(|((side, kind, id), m)| StoredMissing {
        instance: memory.names[side.index()].clone(),
        kind: kind.as_str().to_owned(),
        id: *id,
        since_unix: m.since_unix,
        readings: m.readings,
    });
    change.missing = Some(stored.collect());
    memory.missing = missing;
}

/// Remembers since when the target differs by itself.
fn note_drift(memory: &mut Memory, plan: &Plan, read: &Read, change: &mut PairChange) {
    let now = unix_time().as_secs();
    let mut drift = BTreeMap::new();
    for one in &plan.drift {
        let whole = one.fields.is_empty().then(String::new);
        for field in one.fields.iter().cloned().chain(whole) {
            let key = (one.kind, one.id, field);
            let since = memory.drift.get(&key).copied().unwrap_or(now);
            drift.insert(key, since);
        }
    }
    // What was not judged this time drifts as before.
    let judged = |kind: Kind| read.sides.iter().all(|side| side.trusted(kind).is_some());
    drift.extend(memory.drift.iter().filter(|((kind, ..), _)| !judged(*kind)).map(|(k, v)| (k.clone(), *v)));
    if drift == memory.drift {
        return;
    }
    let target = &memory.names[read.source.other().index()];
    let stored = drift.iter().map(|((kind, id, field), since)| StoredDrift {
        instance: target.clone(),
        kind: kind.as_str().to_owned(),
        id: *id,
        field: field.clone(),
        since_unix: *since,
    });
    change.drift = Some(stored.collect());
    memory.drift = drift;
}

/// In pieces: an operator's override must not wait for a hundred thousand bases.
async fn write(store: &Store, names: &[String; 2], mut change: PairChange) -> Result<(), StoreError> {
    while change.put.len() > AT_ONCE {
        let rest = change.put.split_off(AT_ONCE);
        let put = std::mem::replace(&mut change.put, rest);
        store.change_pair(names, PairChange { put, ..PairChange::default() }).await?;
    }
    if change.is_empty() { Ok(()) } else { store.change_pair(names, change).await }
}

/// The actor where the configuration speaks.
const CONFIGURATION: &str = "configuration";
/// Of so few objects the other side may well have none.
const FEW: usize = 3;
/// Bases in one transaction.
const AT_ONCE: usize = 2000;
