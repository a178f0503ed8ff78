//! Paired objects that are gone from one side or both.

use std::time::{Duration, UNIX_EPOCH};

use super::difference::text;
use super::draft::{Draft, Found};
use super::scene::Scene;
use super::translate::fields;
use super::{Act, Conflict, Drift, Missing, policy};
use crate::sync::catalogue::Kind;
use crate::sync::pair::{Pair, Side};
use crate::sync::snapshot::Object;

/// What the other side still has compared with what was agreed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Since {
    Unchanged,
    Changed,
    /// Nothing was agreed, or not about all of it.
    NeverAgreed,
}

/// `side` does not have it any more; `left` is what the other side has.
pub(super) fn gone(found: &mut Found, scene: &Scene<'_>, pair: Pair, side: Side, left: &Object) {
    let own = policy::of(scene.input.rules, pair.kind);
    let since = compare(scene, pair, side.other(), left);
    let conflict =
        || Conflict { pair, name: left.name.to_string(), fields: Vec::new(), deleted_on: Some(side) };
    if !scene.flows_from(side, &own) {
        match since {
            Since::Changed => found.conflicts.push(conflict()),
            Since::Unchanged | Since::NeverAgreed => found.drift.push(Drift {
                kind: pair.kind,
                id: pair.id(side),
                side,
                name: left.name.to_string(),
                what: "removed",
                fields: Vec::new(),
            }),
        }
        return;
    }
    match since {
        Since::Unchanged => delete(found, scene, pair, side, left),
        Since::Changed | Since::NeverAgreed => found.conflicts.push(conflict()),
    }
}

/// Neither side has it any more: once that is sure, there is nothing left to agree on.
pub(super) fn both_gone(found: &mut Found, scene: &Scene<'_>, pair: Pair) {
    if Side::BOTH.into_iter().all(|side| long_enough(scene, pair, side).is_ok()) {
        found.adopt.push((pair, None));
    }
}

fn delete(found: &mut Found, scene: &Scene<'_>, pair: Pair, side: Side, left: &Object) {
    let (kind, target) = (pair.kind, side.other());
    let instance = scene.instance(side);
    if left.builtin {
        return found.skip(kind, target, left, "built in: never deleted".to_owned());
    }
    let judged = match policy::judge(scene.input.rules, kind, Act::Delete) {
        Ok(judged) => judged,
        Err(reason) => return found.skip(kind, target, left, format!("{reason} (deleted on {instance})")),
    };
    let missing = match long_enough(scene, pair, side) {
        Ok(missing) => missing,
        Err(reason) => return found.skip(kind, target, left, format!("missing on {instance}: {reason}")),
    };
    let rules = scene.input.rules;
    let mut reasons = vec![format!(
        "deleted on {instance}: missing since {} in {} readings (delete_snapshots = {}, delete_min_age = {} s)",
        time(missing.since_unix),
        missing.readings,
        rules.delete_readings,
        rules.delete_age_s
    )];
    reasons.extend(judged.reasons);
    let mut ids = [None, None];
    ids[target.index()] = Some(left.id);
    found.drafts.push(Draft {
        kind,
        act: Act::Delete,
        name: left.name.to_string(),
        from: side,
        ids,
        parent: left.parent,
        changes: Vec::new(),
        never_agreed: Vec::new(),
        references: Vec::new(),
        before: Some(left.body.clone()),
        policy: judged.policy,
        verdict: judged.verdict,
        reasons,
        after: Vec::new(),
    });
}

/// Whether what is missing counts as deleted.
///
/// # Errors
/// Not yet; in words. The words do not depend on the time, so that the plan does not change with it.
fn long_enough(scene: &Scene<'_>, pair: Pair, side: Side) -> Result<Missing, String> {
    let (input, rules) = (scene.input, scene.input.rules);
    let key: (Side, Kind, _) = (side, pair.kind, pair.id(side));
    let missing = input.missing.get(&key).copied();
    let missing = missing.unwrap_or(Missing { since_unix: input.now_unix, readings: 0 });
    let from = missing.since_unix.saturating_add(rules.delete_age_s);
    if missing.readings >= rules.delete_readings && input.now_unix >= from {
        return Ok(missing);
    }
    let from = match missing.readings {
        0 => format!("{} s after it was first seen to be missing", rules.delete_age_s),
        _ => time(from),
    };
    Err(format!(
        "in {} of {} readings; counts as deleted not before {from}",
        missing.readings, rules.delete_readings
    ))
}

fn compare(scene: &Scene<'_>, pair: Pair, side: Side, left: &Object) -> Since {
    let old = || scene.input.bases.body(scene.input.replaced.get(&pair)?);
    let Some(base) = scene.input.bases.body(&pair).or_else(old) else { return Since::NeverAgreed };
    let own = match side {
        Side::A => left.body.bytes().into(),
        Side::B => scene.ids.translate(pair.kind, Side::A, left.body.bytes()),
    };
    let (base, own) = (fields(base.bytes()), fields(&own));
    let row = pair.kind.row();
    // Where fields come and go, one that only the base has was removed; else it is not compared here.
    let removed = row.open && base.keys().any(|name| row.field(name).is_none() && !own.contains_key(name));
    let differs = own.keys().any(|name| base.contains_key(name) && text(&own, name) != text(&base, name));
    let agreed = own.keys().all(|name| base.contains_key(name));
    match () {
        () if removed || differs || row.open && !agreed => Since::Changed,
        () if agreed => Since::Unchanged,
        () => Since::NeverAgreed,
    }
}

/// As in RFC 3339; seconds that no calendar knows as they are.
fn time(unix: u64) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_secs(unix)) {
        Some(at) if unix < YEAR_10000 => humantime::format_rfc3339_seconds(at).to_string(),
        _ => format!("second {unix}"),
    }
}

/// The first second that RFC 3339 cannot write.
const YEAR_10000: u64 = 253_402_300_800;
