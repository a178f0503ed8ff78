//! Objects that both sides have: what differs, and which way it would go.

use std::collections::BTreeMap;

use serde_json::Value;

use super::difference::{Since, Three, text};
use super::draft::{Draft, Found};
use super::references::Target;
use super::scene::Scene;
use super::translate::{Fields, fields, written};
use super::{Act, Change, Conflict, Disagreement, Drift, TypePolicy, policy, references};
use crate::sync::catalogue::{Coverage, How, Kind};
use crate::sync::pair::{Pair, Side};
use crate::sync::snapshot::{Body, Object};

/// The fields of an object that go one way.
#[derive(Default)]
struct OneWay<'b> {
    /// Changed since both sides agreed.
    changed: Vec<&'b str>,
    /// Never alike, and the primary's value counts.
    never_agreed: Vec<&'b str>,
}

/// Adopts what both sides say, if that is news. Nothing is parsed.
pub(super) fn alike(found: &mut Found, scene: &Scene<'_>, pair: Pair, [a, b]: [&Object; 2]) {
    if scene.input.bases.digest(&pair) != Some(a.body.digest()) {
        found.adopt.push((pair, Some(a.body.clone())));
        let old = scene.input.replaced.get(&pair).filter(|old| scene.input.bases.digest(old).is_some());
        found.adopt.extend(old.map(|old| (*old, None)));
    }
    moved(found, scene, pair, [a, b]);
}

/// Works out what an object needs whose sides are not known to be alike.
pub(super) fn both(found: &mut Found, scene: &Scene<'_>, pair: Pair, [a, b]: [&Object; 2]) {
    let kind = pair.kind;
    let old = scene.input.replaced.get(&pair);
    let own_base = scene.input.bases.body(&pair);
    let inherited = own_base.is_none().then(|| scene.input.bases.body(old?)).flatten();
    let base = own_base.as_ref().or(inherited.as_ref()).map(|body| fields(body.bytes()));
    let b_translated = scene.ids.translate(kind, Side::A, b.body.bytes());
    let (a_fields, b_fields) = (fields(a.body.bytes()), fields(&b_translated));
    let three = Three { kind, base: base.as_ref(), a: &a_fields, b: &b_fields };

    adopt(found, pair, old.copied(), &three, inherited.is_some());
    moved(found, scene, pair, [a, b]);

    let own = policy::of(scene.input.rules, kind);
    let mut ways: [OneWay<'_>; 2] = Default::default();
    let (mut disagreements, mut drifted) = (Vec::new(), Vec::new());
    let mut left_out: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, since) in three.differences() {
        if let Some(reason) = left_alone(kind, &own, name) {
            left_out.entry(reason).or_default().push(name);
            continue;
        }
        if since == Since::NeverAgreed
            && let Some(reason) = incomparable(scene, kind, name, [a, b])
        {
            found.incomparable.insert((kind, reason));
            continue;
        }
        match since {
            Since::ChangedOn(side) if scene.flows_from(side, &own) => ways[side.index()].changed.push(name),
            Since::ChangedOn(_) => drifted.push(name.to_owned()),
            Since::NeverAgreed if !own.both => ways[scene.input.source.index()].never_agreed.push(name),
            Since::NeverAgreed | Since::Both => disagreements.push(Disagreement {
                field: name.to_owned(),
                base: three.base(name).map(value),
                a: value(text(three.a, name)),
                b: value(text(three.b, name)),
            }),
        }
    }

    let source = scene.input.source;
    let objects = [a, b];
    for (reason, names) in left_out {
        found.skip(kind, source, objects[source.index()], format!("{reason} ({})", names.join(", ")));
    }
    if !disagreements.is_empty() {
        let name = objects[source.index()].name.to_string();
        found.conflicts.push(Conflict { pair, name, fields: disagreements, deleted_on: None });
    }
    if !drifted.is_empty() {
        let (side, target) = (source.other(), objects[source.other().index()]);
        let name = target.name.to_string();
        found.drift.push(Drift { kind, id: target.id, side, name, what: "changed", fields: drifted });
    }
    let translated = [None, Some(&b_fields)];
    for (from, way) in Side::BOTH.into_iter().zip(&ways) {
        update(found, scene, pair, objects, from, way, translated[from.index()]);
    }
}

/// What both sides agree on by now becomes the base. A base that was that of the pair before moves.
fn adopt(found: &mut Found, pair: Pair, old: Option<Pair>, three: &Three<'_>, inherited: bool) {
    let new = three.new_base().or_else(|| {
        let base = three.base.filter(|_| inherited)?;
        Some(Body::new(written(base)))
    });
    if let Some(body) = new {
        found.adopt.push((pair, Some(body)));
        if let Some(old) = old.filter(|_| inherited) {
            found.adopt.push((old, None));
        }
    }
}

/// Why a difference of this field is not for an operation, whoever changed it.
fn left_alone(kind: Kind, own: &TypePolicy, name: &str) -> Option<String> {
    let row = kind.row();
    if row.field(name).is_some_and(|field| field.fixed) {
        return Some("fixed: can only be set when the object is made".to_owned());
    }
    if row.members.iter().any(|members| members.list == name && members.change == How::No) {
        return Some(format!("coverage: these members cannot be changed through the API: {}", row.note));
    }
    let leaves_out = !own.fields.is_empty() && !own.fields.iter().any(|field| field == name);
    leaves_out.then(|| format!("policy: {kind}.fields leaves it out"))
}

/// Why nobody can say whether a field that was never alike differs: on a side it refers to an object that is not
/// paired and that sync cannot make.
fn incomparable(scene: &Scene<'_>, kind: Kind, name: &str, objects: [&Object; 2]) -> Option<String> {
    kind.row().field(name)?.shape.target()?;
    let unpaired = Side::BOTH.into_iter().find_map(|side| {
        let fields = fields(objects[side.index()].body.bytes());
        references::of_field(kind, &fields, name).into_iter().find_map(|reference| {
            let (Target::Kind(target), Some(id)) = (reference.target, reference.id) else { return None };
            let is_made = target.row().create != How::No && target.row().coverage != Coverage::CompareOnly;
            let is_paired = scene.ids.on(side.other(), id).is_some() || scene.is_on_both(target, id);
            (!is_made && !is_paired).then_some(target)
        })
    })?;
    let hint = if unpaired.row().keys.is_empty() { " ([[sync.pair]])" } else { "" };
    Some(format!("{name}: cannot be compared: {unpaired} are not paired{hint}"))
}

fn update(
    found: &mut Found,
    scene: &Scene<'_>,
    pair: Pair,
    objects: [&Object; 2],
    from: Side,
    way: &OneWay<'_>,
    in_ids_of_a: Option<&Fields<'_>>,
) {
    let mut names: Vec<&str> = way.changed.iter().chain(&way.never_agreed).copied().collect();
    if names.is_empty() {
        return;
    }
    names.sort_unstable();
    let (kind, target) = (pair.kind, from.other());
    let (object, counterpart) = (objects[from.index()], objects[target.index()]);
    let act = match () {
        () if scene.input.replaced.contains_key(&pair) => Act::Replace,
        () if names.contains(&"name") => Act::Rename,
        () => Act::Update,
    };
    let listed = names.join(", ");
    if object.builtin || counterpart.builtin {
        found.skip(kind, from, object, format!("built in: read-only ({listed})"));
        return;
    }
    let judged = match policy::judge(scene.input.rules, kind, act) {
        Ok(judged) => judged,
        Err(reason) => {
            found.skip(kind, from, object, format!("{reason} ({listed})"));
            return;
        }
    };
    let own = fields(object.body.bytes());
    let before = fields(counterpart.body.bytes());
    let new = scene.ids.translate(kind, target, object.body.bytes());
    let owned;
    let after = match in_ids_of_a {
        Some(translated) => translated,
        None => {
            owned = fields(&new);
            &owned
        }
    };
    let change = |name: &&str| Change {
        field: (*name).to_owned(),
        before: Some(value(text(&before, name))),
        after: value(text(after, name)),
    };
    let mut reasons = Vec::new();
    let instance = scene.instance(from);
    if let Some(old) = scene.input.replaced.get(&pair) {
        let old =
            Side::BOTH.into_iter().find(|side| old.id(*side) != pair.id(*side)).map(|side| old.id(side));
        let before = old.map_or_else(String::new, |id| format!(", before {id}"));
        reasons.push(format!("replaced: deleted and made again{before}"));
    }
    if !way.changed.is_empty() {
        reasons.push(format!("changed on {instance}: {}", way.changed.join(", ")));
    }
    if !way.never_agreed.is_empty() {
        reasons.push(format!("never agreed: the primary's value counts ({})", way.never_agreed.join(", ")));
    }
    reasons.extend(judged.reasons);
    found.drafts.push(Draft {
        kind,
        act,
        name: object.name.to_string(),
        from,
        ids: [Some(pair.a), Some(pair.b)],
        parent: None,
        changes: names.iter().map(change).collect(),
        never_agreed: way.never_agreed.iter().map(|name| (*name).to_owned()).collect(),
        references: names.iter().flat_map(|name| references::of_field(kind, &own, name)).collect(),
        before: Some(counterpart.body.clone()),
        policy: judged.policy,
        verdict: judged.verdict,
        reasons,
        after: Vec::new(),
    });
}

/// An object that stands elsewhere on the other side: its parent is no field.
fn moved(found: &mut Found, scene: &Scene<'_>, pair: Pair, [a, b]: [&Object; 2]) {
    let expected = a.parent.map(|parent| scene.ids.on(Side::B, parent));
    let elsewhere = match (expected, b.parent) {
        (Some(Some(expected)), Some(parent)) => expected != parent && scene.ids.on(Side::A, parent).is_some(),
        // In a tree, one of them stands at the root.
        (Some(_), None) | (None, Some(_)) => pair.kind.row().within == Some(pair.kind.as_str()),
        _ => false,
    };
    if elsewhere {
        let source = scene.input.source;
        let object = [a, b][source.index()];
        found.skip(pair.kind, source, object, "moved: it stands elsewhere on the other side".to_owned());
    }
}

/// A value as it is shown.
pub(super) fn value(text: &str) -> Value {
    // Canonical bytes are JSON.
    serde_json::from_str(text).unwrap_or_default()
}
