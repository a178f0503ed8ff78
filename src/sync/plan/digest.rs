//! Digests of operations and plans, over an encoding in which no two things have the same bytes: texts
//! and lists are preceded by their lengths.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;

use super::draft::Draft;
use super::{Input, Plan, Rules, Skipped};
use crate::idmap::guid::Guid;
use crate::sync::pair::Side;
use crate::sync::snapshot::Digest;

/// Collects what a digest is over.
struct Writer(Context);

impl Writer {
    fn new(subject: &str) -> Self {
        let mut writer = Self(Context::new(&SHA256));
        writer.text(subject);
        writer
    }

    fn number(&mut self, number: impl TryInto<u64>) {
        // There is no larger number here.
        self.0.update(&number.try_into().unwrap_or(u64::MAX).to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len());
        self.0.update(text.as_bytes());
    }

    fn id(&mut self, id: Option<Guid>) {
        self.number(u8::from(id.is_some()));
        self.0.update(&id.unwrap_or(Guid::NIL).bytes());
    }

    fn value(&mut self, value: Option<&Value>) {
        match value {
            // Members keep the order of the canonical form.
            Some(value) => self.text(&value.to_string()),
            None => self.number(0_u8),
        }
    }

    fn digest(&mut self, digest: Option<Digest>) {
        self.0.update(&digest.map_or([0; 32], |digest| digest.0));
    }

    fn list<T>(&mut self, items: impl ExactSizeIterator<Item = T>, mut one: impl FnMut(&mut Self, T)) {
        self.number(items.len());
        items.for_each(|item| one(self, item));
    }

    fn texts(&mut self, texts: &[String]) {
        self.list(texts.iter(), |writer, text| writer.text(text));
    }

    fn finish(self) -> Digest {
        let mut digest = [0; 32];
        digest.copy_from_slice(self.0.finish().as_ref());
        Digest(digest)
    }
}

/// Of one operation: what it does, to what, from what. Why, and when, is not in it: an approval holds as
/// long as the same would be done to the same object.
pub(super) fn of_operation(draft: &Draft) -> Digest {
    let mut writer = Writer::new("operation");
    writer.text(draft.act.as_str());
    writer.text(draft.kind.as_str());
    writer.number(draft.target().index());
    draft.ids.iter().for_each(|id| writer.id(*id));
    writer.id(draft.parent);
    writer.digest(draft.before());
    writer.list(draft.changes.iter(), |writer, change| {
        writer.text(&change.field);
        writer.value(Some(&change.after));
    });
    writer.text(draft.policy.as_str());
    writer.finish()
}

/// Of everything in a plan, and all that it follows from but the time.
pub(super) fn of_plan(input: &Input<'_>, plan: &Plan) -> Digest {
    let mut writer = Writer::new("plan");
    writer.list(plan.operations.iter(), |writer, operation| {
        writer.digest(Some(operation.digest));
        writer.text(&operation.name);
        writer.text(operation.verdict.as_str());
        writer.texts(&operation.reasons);
        writer.list(operation.after.iter(), |writer, first| writer.number(*first));
    });
    writer.list(plan.skipped.iter(), skipped);
    writer.list(plan.conflicts.iter(), |writer, conflict| {
        writer.text(conflict.pair.kind.as_str());
        writer.id(Some(conflict.pair.a));
        writer.id(Some(conflict.pair.b));
        writer.number(conflict.deleted_on.map_or(2, Side::index));
        writer.list(conflict.fields.iter(), |writer, field| {
            writer.text(&field.field);
            writer.value(field.base.as_ref());
            writer.value(Some(&field.a));
            writer.value(Some(&field.b));
        });
    });
    writer.list(plan.drift.iter(), |writer, drift| {
        writer.text(drift.kind.as_str());
        writer.number(drift.side.index());
        writer.id(Some(drift.id));
        writer.text(drift.what);
        writer.texts(&drift.fields);
    });
    writer.list(plan.findings.iter(), |writer, finding| {
        writer.list(finding.kinds.iter(), |writer, kind| writer.text(kind.as_str()));
        writer.text(finding.code);
        writer.text(&finding.field);
        writer.number(finding.count);
        writer.number(finding.of);
        writer.texts(&finding.names);
    });
    writer.list(plan.adopt.iter(), |writer, (pair, body)| {
        writer.text(pair.kind.as_str());
        writer.id(Some(pair.a));
        writer.id(Some(pair.b));
        writer.digest(body.as_ref().map(crate::sync::snapshot::Body::digest));
    });
    rules(&mut writer, input.rules);
    writer.number(input.source.index());
    snapshots(&mut writer, input);
    writer.finish()
}

fn skipped(writer: &mut Writer, skipped: &Skipped) {
    writer.text(skipped.kind.as_str());
    writer.text(&skipped.name);
    writer.number(skipped.object.map_or(2, |(side, _)| side.index()));
    writer.id(skipped.object.map(|(_, id)| id));
    writer.text(&skipped.reason);
}

fn rules(writer: &mut Writer, rules: &Rules) {
    writer.list(rules.policies.iter(), |writer, (kind, policy)| {
        writer.text(kind.as_str());
        for policy in [policy.create, policy.update, policy.delete] {
            writer.text(policy.as_str());
        }
        writer.number(u8::from(policy.both));
        writer.texts(&policy.fields);
    });
    writer.number(u8::from(rules.unconfirmed));
    writer.number(u8::from(rules.baseline));
    writer.number(rules.delete_readings);
    writer.number(rules.delete_age_s);
}

fn snapshots(writer: &mut Writer, input: &Input<'_>) {
    for snapshot in input.sides {
        writer.text(&snapshot.instance);
        writer.text(&snapshot.version);
        writer.list(snapshot.lists.keys(), |writer, kind| {
            writer.text(kind.as_str());
            writer.list(snapshot.doubts(*kind).iter(), |writer, doubt| writer.text(&doubt.to_string()));
            writer.list(snapshot.trusted(*kind).unwrap_or_default().iter(), |writer, object| {
                writer.id(Some(object.id));
                writer.digest(Some(object.body.digest()));
            });
        });
    }
    writer.list(input.pairs.keys(), |writer, pair| {
        writer.text(pair.kind.as_str());
        writer.id(Some(pair.a));
        writer.id(Some(pair.b));
    });
}
