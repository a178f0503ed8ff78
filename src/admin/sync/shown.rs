//! Plans as JSON.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::admin::status::rfc3339;
use crate::sync::catalogue::Kind;
use crate::sync::plan::{Conflict, Drift, Finding, Operation, Skipped, Verdict};
use crate::sync::planned::{Planned, digest};

/// Everything that would be done and everything that would not (design section 5), operations
/// numbered from 1 over all pairs of instances.
pub(super) fn plan(plans: &[&Planned]) -> Value {
    let mut first = 1;
    let mut operations = Vec::new();
    for planned in plans {
        operations.extend(planned.plan.operations.iter().enumerate().map(|(at, o)| {
            let mut shown = operation(planned, o, first + at);
            shown["after"] = o.after.iter().map(|n| first + n).collect();
            shown
        }));
        first += planned.plan.operations.len();
    }
    let all = |one: fn(&Planned) -> Vec<Value>| plans.iter().flat_map(|p| one(p)).collect::<Vec<_>>();
    json!({
        "digest": digest(plans).to_string(),
        "pairs": plans.iter().map(|p| summary(p)).collect::<Vec<_>>(),
        "operations": operations,
        "skipped": all(|p| p.plan.skipped.iter().map(|s| skipped(p, s)).collect()),
        "conflicts": all(|p| p.plan.conflicts.iter().map(|c| conflict(p, c)).collect()),
        "findings": all(|p| p.plan.findings.iter().map(|f| finding(p, f)).collect()),
    })
}

/// Whose plan it is, and how it stands in numbers: nothing that a viewer may not see.
pub(super) fn summary(planned: &Planned) -> Value {
    let doubts = planned.doubts.iter();
    let doubts =
        doubts.map(|(instance, kind, why)| json!({"instance": instance, "type": kind.as_str(), "why": why}));
    json!({
        "instances": planned.instances,
        "source": planned.instance(planned.source),
        "target": planned.instance(planned.source.other()),
        "digest": planned.plan.digest.to_string(),
        "planned_at": date(planned.at_unix),
        "read_at": date(planned.full_unix),
        "baseline": planned.baseline.as_ref().map(|(who, at)| json!({"confirmed_by": who, "at": date(*at)})),
        "pass": planned.count(Verdict::Pass),
        "hold": planned.count(Verdict::Hold),
        "block": planned.count(Verdict::Block),
        "skipped": planned.plan.skipped.len(),
        "conflicts": planned.plan.conflicts.len(),
        "drift": planned.plan.drift.len(),
        "findings": planned.plan.findings.len(),
        "not_trusted": doubts.collect::<Vec<_>>(),
    })
}

/// The operation with this number, with every field that it changes.
pub(super) fn details(plans: &[&Planned], number: usize) -> Option<Value> {
    let mut first = 1;
    for planned in plans {
        let at = number.checked_sub(first)?;
        if let Some(o) = planned.plan.operations.get(at) {
            let mut shown = operation(planned, o, number);
            shown["after"] = o.after.iter().map(|n| first + n).collect();
            shown["ids"] = planned
                .instances
                .iter()
                .zip(o.ids)
                .map(|(instance, id)| (instance.clone(), json!(id.map(|id| id.to_string()))))
                .collect();
            shown["changes"] = o
                .changes
                .iter()
                .map(|c| json!({"field": c.field, "before": c.before, "after": c.after}))
                .collect();
            return Some(shown);
        }
        first += planned.plan.operations.len();
    }
    None
}

fn operation(planned: &Planned, o: &Operation, number: usize) -> Value {
    json!({
        "n": number,
        "type": o.kind.as_str(),
        "kind": o.act.as_str(),
        "name": o.name,
        "policy": o.policy.as_str(),
        "verdict": o.verdict.as_str(),
        "reason": o.reasons.join("; "),
        "target": planned.instance(o.target),
        "fields": o.changes.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(),
        "digest": o.digest.to_string(),
    })
}

fn skipped(planned: &Planned, s: &Skipped) -> Value {
    let object = s.object.map(|(side, id)| (planned.instance(side), id.to_string()));
    json!({
        "type": s.kind.as_str(), "name": s.name, "reason": s.reason,
        "instance": object.as_ref().map(|o| o.0), "id": object.as_ref().map(|o| &o.1),
    })
}

/// What both sides say about an object, and what was agreed.
pub(super) fn conflict(planned: &Planned, c: &Conflict) -> Value {
    let [a, b] = &planned.instances;
    let fields =
        c.fields.iter().map(|f| json!({"field": f.field, "base": f.base, a.as_str(): f.a, b.as_str(): f.b}));
    json!({
        "type": c.pair.kind.as_str(),
        "name": c.name,
        "objects": {a.as_str(): c.pair.a.to_string(), b.as_str(): c.pair.b.to_string()},
        "fields": fields.collect::<Vec<_>>(),
        "deleted_on": c.deleted_on.map(|side| planned.instance(side)),
    })
}

/// What was changed on the target alone, and since when that is known.
pub(super) fn drift(planned: &Planned, d: &Drift) -> Value {
    json!({
        "type": d.kind.as_str(), "name": d.name, "instance": planned.instance(d.side), "id": d.id.to_string(),
        "what": d.what, "fields": d.fields, "since": first_seen(planned, d).map(date),
    })
}

/// How drift has spread, by type: objects that drift now, and how many of them since lately.
pub(super) fn spread(planned: &Planned, now_unix: u64) -> Vec<(Kind, Value)> {
    let mut types: BTreeMap<Kind, [usize; 4]> = BTreeMap::new();
    for drift in &planned.plan.drift {
        let since = first_seen(planned, drift).unwrap_or(now_unix);
        let [all, hour, day, week] = types.entry(drift.kind).or_default();
        let age = now_unix.saturating_sub(since);
        *all += 1;
        *hour += usize::from(age < HOUR);
        *day += usize::from(age < 24 * HOUR);
        *week += usize::from(age < 7 * 24 * HOUR);
    }
    let one = |(kind, [all, hour, day, week]): (Kind, [usize; 4])| {
        let shown = json!({
            "type": kind.as_str(), "instance": planned.instance(planned.source.other()), "objects": all,
            "last_hour": hour, "last_day": day, "last_week": week,
        });
        (kind, shown)
    };
    types.into_iter().map(one).collect()
}

fn first_seen(planned: &Planned, drift: &Drift) -> Option<u64> {
    let since = |field: &str| planned.drift_since.get(&(drift.kind, drift.id, field.to_owned()));
    drift.fields.iter().filter_map(|f| since(f)).chain(since("")).min().copied()
}

fn finding(planned: &Planned, f: &Finding) -> Value {
    json!({
        "types": f.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), "code": f.code, "field": f.field, "count": f.count, "of": f.of, "names": f.names,
        "instance": planned.instance(planned.source),
    })
}

/// Seconds of UNIX time for people and machines.
pub(super) fn date(unix: u64) -> String {
    rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(unix))
}

/// In seconds.
const HOUR: u64 = 3600;
