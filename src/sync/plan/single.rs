//! Objects that only one side has and that were never on the other.

use super::draft::{Draft, Found};
use super::scene::Scene;
use super::translate::fields;
use super::{Act, Change, Skipped, both, policy, references};
use crate::sync::catalogue::{How, Kind};
use crate::sync::pair::Side;
use crate::sync::snapshot::Object;

/// Works out what becomes of an object that only `side` has.
pub(super) fn single(found: &mut Found, scene: &Scene<'_>, kind: Kind, side: Side, object: &Object) {
    match create(found, scene, kind, side, object) {
        Ok(draft) => found.drafts.push(draft),
        Err(reason) => {
            found.left.insert((side, kind, object.id), reason.clone());
            found.skip(kind, side, object, reason);
        }
    }
}

fn create(
    found: &mut Found,
    scene: &Scene<'_>,
    kind: Kind,
    side: Side,
    object: &Object,
) -> Result<Draft, String> {
    if let Some(why) = scene.dispute(side, kind, object.id) {
        return Err(format!("disputed: {why}"));
    }
    let own = policy::of(scene.input.rules, kind);
    if !scene.flows_from(side, &own) {
        return Err("exists only on the target: left alone".to_owned());
    }
    if object.builtin {
        return Err("built in: comes with an installation".to_owned());
    }
    let judged = policy::judge(scene.input.rules, kind, Act::Create)?;
    let target = side.other();
    let written = fields(object.body.bytes());
    let translated = scene.ids.translate(kind, target, object.body.bytes());
    let row = kind.row();
    let mut changes = Vec::new();
    let mut left_out = Vec::new();
    for (name, value) in fields(&translated) {
        // Members for which there is no request are set by hand.
        if row.members.iter().any(|members| members.list == name && members.change == How::No) {
            if value.get() != "[]" {
                left_out.push(name);
            }
            continue;
        }
        changes.push(Change { field: name, before: None, after: both::value(value.get()) });
    }
    let mut ids = [None, None];
    ids[side.index()] = Some(object.id);
    let mut reasons = vec![format!("exists only on {}", scene.instance(side))];
    reasons.extend(judged.reasons);
    let names = changes.iter().map(|change| change.field.as_str());
    let mut draft = Draft {
        kind,
        act: Act::Create,
        name: object.name.to_string(),
        from: side,
        ids,
        parent: object.parent,
        references: names.flat_map(|name| references::of_field(kind, &written, name)).collect(),
        changes,
        never_agreed: Vec::new(),
        before: None,
        policy: judged.policy,
        verdict: judged.verdict,
        reasons,
        after: Vec::new(),
    };
    let missing = row.fields.iter().filter(|field| field.is_compared() && !written.contains_key(field.name));
    let missing: Vec<&str> = missing.map(|field| field.name).collect();
    if !missing.is_empty() {
        draft.hold(format!(
            "not compared on {}: {}; it would be made without",
            scene.instance(side),
            missing.join(", ")
        ));
    }
    if !left_out.is_empty() {
        found.skipped.push(Skipped {
            kind,
            name: object.name.to_string(),
            object: Some((side, object.id)),
            reason: format!(
                "coverage: these members cannot be set through the API: {} ({})",
                row.note,
                left_out.join(", ")
            ),
        });
    }
    Ok(draft)
}
