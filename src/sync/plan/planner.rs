//! The way from an input to a plan.

use super::both::{alike, both};
use super::draft::{Draft, Found};
use super::findings::findings;
use super::gone::{both_gone, gone};
use super::order::order;
use super::part::Parts;
use super::resolve::resolve;
use super::scene::Scene;
use super::single::single;
use super::walk::{Matched, walk};
use super::{Act, Digest, Input, Operation, Plan, Skipped, digest};
use crate::sync::catalogue::Kind;
use crate::sync::pair::Side;
use crate::sync::read::trust::{CANARY, CANARY_KIND};
use crate::sync::snapshot::Object;

/// Works out what would have to be done.
pub fn plan(input: &Input<'_>) -> Plan {
    let scene = Scene::new(input);
    let parts = Parts::of(input);
    let mut found = Found::default();
    for (kind, reason) in &parts.out {
        found.skipped.push(Skipped {
            kind: *kind,
            name: String::new(),
            object: None,
            reason: reason.clone(),
        });
    }
    for kind in &parts.full {
        of_kind(&mut found, &scene, *kind);
    }
    let needs = resolve(&mut found, &scene, &parts);
    let findings = findings(input, &mut found.drafts);
    let drafts = order(found.drafts, needs);
    found.skipped.extend(std::mem::take(&mut found.incomparable).into_iter().map(|(kind, reason)| Skipped {
        kind,
        name: String::new(),
        object: None,
        reason,
    }));
    found.skipped.sort_unstable();
    found.skipped.dedup();
    found.conflicts.sort_unstable_by_key(|conflict| conflict.pair);
    found.drift.sort_unstable();
    found.adopt.sort_unstable_by_key(|(pair, _)| *pair);
    let mut plan = Plan {
        digest: Digest([0; 32]),
        operations: drafts.into_iter().map(operation).collect(),
        skipped: found.skipped,
        conflicts: found.conflicts,
        drift: found.drift,
        findings,
        adopt: found.adopt,
    };
    plan.digest = digest::of_plan(input, &plan);
    plan
}

fn of_kind(found: &mut Found, scene: &Scene<'_>, kind: Kind) {
    let walk = walk(scene.input, kind);
    for Matched { pair, objects } in walk.matched {
        if objects.iter().flatten().any(|object| is_canary(kind, object)) {
            continue;
        }
        match objects {
            [Some(a), Some(b)] if scene.ids.same(kind, a.body.bytes(), b.body.bytes()) => {
                alike(found, scene, pair, [a, b]);
            }
            [Some(a), Some(b)] => both(found, scene, pair, [a, b]),
            [Some(left), None] => gone(found, scene, pair, Side::B, left),
            [None, Some(left)] => gone(found, scene, pair, Side::A, left),
            [None, None] => both_gone(found, scene, pair),
        }
    }
    for side in Side::BOTH {
        for object in &walk.unpaired[side.index()] {
            if is_canary(kind, object) {
                found.skip(kind, side, object, "canary: every instance has its own".to_owned());
            } else {
                single(found, scene, kind, side, object);
            }
        }
    }
}

/// By which a database that was replaced is noticed (sync design S17): never carried over.
fn is_canary(kind: Kind, object: &Object) -> bool {
    &*object.name == CANARY && kind.as_str() == CANARY_KIND
}

fn operation(draft: Draft) -> Operation {
    Operation {
        digest: digest::of_operation(&draft),
        kind: draft.kind,
        act: draft.act,
        target: draft.target(),
        name: draft.name,
        ids: draft.ids,
        parent: draft.parent.filter(|_| draft.act == Act::Create),
        changes: draft.changes,
        policy: draft.policy,
        verdict: draft.verdict,
        reasons: draft.reasons,
        after: draft.after,
    }
}
