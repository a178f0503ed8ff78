//! A plan as readable text.

use std::fmt::Write;

use crate::idmap::guid::Guid;
use crate::sync::plan::{Operation, Plan};

/// The plan, without its digests.
pub fn show(plan: &Plan) -> String {
    let mut out = String::new();
    for (number, operation) in plan.operations.iter().enumerate() {
        show_operation(&mut out, number, operation);
    }
    for skipped in &plan.skipped {
        let object = skipped.object.map(|(side, id)| format!(" '{}' {side:?} {}", skipped.name, short(id)));
        writeln!(out, "skipped {}{}: {}", skipped.kind, object.unwrap_or_default(), skipped.reason).unwrap();
    }
    for conflict in &plan.conflicts {
        let pair = conflict.pair;
        let deleted = conflict.deleted_on.map(|side| format!(", deleted on {side:?}")).unwrap_or_default();
        writeln!(
            out,
            "conflict {} '{}' {}={}{deleted}",
            pair.kind,
            conflict.name,
            short(pair.a),
            short(pair.b)
        )
        .unwrap();
        for field in &conflict.fields {
            let base = field.base.as_ref().map_or("nothing".to_owned(), ToString::to_string);
            writeln!(out, "    {}: {base} -> A {} | B {}", field.field, field.a, field.b).unwrap();
        }
    }
    for drift in &plan.drift {
        let fields = drift.fields.join(", ");
        writeln!(
            out,
            "drift {} '{}' {:?} {} {} {fields}",
            drift.kind,
            drift.name,
            drift.side,
            short(drift.id),
            drift.what
        )
        .unwrap();
    }
    for finding in &plan.findings {
        let names = finding.names.join(", ");
        let kinds: Vec<&str> = finding.kinds.iter().map(|kind| kind.as_str()).collect();
        writeln!(
            out,
            "finding {} {}.{}: {} of {}: {names}",
            finding.code,
            kinds.join("+"),
            finding.field,
            finding.count,
            finding.of
        )
        .unwrap();
    }
    for (pair, body) in &plan.adopt {
        let body = body
            .as_ref()
            .map_or("nothing".to_owned(), |body| String::from_utf8_lossy(body.bytes()).into_owned());
        writeln!(out, "adopt {} {}={}: {body}", pair.kind, short(pair.a), short(pair.b)).unwrap();
    }
    out
}

fn show_operation(out: &mut String, number: usize, operation: &Operation) {
    let ids = operation.ids.map(|id| id.map_or("-".to_owned(), short)).join("=");
    writeln!(
        out,
        "{number} {} {} {} '{}' {ids} on {:?}",
        operation.verdict.as_str(),
        operation.act.as_str(),
        operation.kind,
        operation.name,
        operation.target
    )
    .unwrap();
    if let Some(parent) = operation.parent {
        writeln!(out, "    in {}", short(parent)).unwrap();
    }
    for change in &operation.changes {
        let before = change.before.as_ref().map(|before| format!("{before} -> ")).unwrap_or_default();
        writeln!(out, "    {}: {before}{}", change.field, change.after).unwrap();
    }
    for reason in &operation.reasons {
        writeln!(out, "    - {reason}").unwrap();
    }
    if !operation.after.is_empty() {
        writeln!(out, "    after {:?}", operation.after).unwrap();
    }
}

fn short(id: Guid) -> String {
    let text = id.to_string();
    text[28..].trim_start_matches('0').to_owned()
}
