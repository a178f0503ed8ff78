//! `sync show`: a plan, or one operation of it, for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::plan::outcome;
use crate::cli::Outcome;
use crate::cli::client::{Client, ClientError};
use crate::cli::remote::{Ask, list, text};
use crate::cli::table::{columns, printable};

pub(super) struct Newest;

impl Ask for Newest {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get("/v1/sync/plan").await
    }

    fn show(&self, answer: &Value) -> String {
        shown(answer)
    }

    fn outcome(&self, answer: &Value) -> Outcome {
        outcome(answer)
    }
}

pub(super) struct Operation {
    pub(super) number: u32,
}

impl Ask for Operation {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get(&format!("/v1/sync/operations/{}", self.number)).await
    }

    fn show(&self, o: &Value) -> String {
        let mut out = String::new();
        let title =
            format!("{} {} {:?} on {}", text(o, "kind"), text(o, "type"), text(o, "name"), text(o, "target"));
        let _ = writeln!(out, "{}", printable(&title));
        let _ = writeln!(out, "verdict  {} (policy {})", text(o, "verdict"), text(o, "policy"));
        for reason in text(o, "reason").split("; ").filter(|r| !r.is_empty()) {
            let _ = writeln!(out, "reason   {}", printable(reason));
        }
        let ids = o["ids"].as_object().into_iter().flatten();
        for (instance, id) in ids {
            let _ = writeln!(
                out,
                "{}",
                printable(&format!("object   {instance}={}", id.as_str().unwrap_or("none yet")))
            );
        }
        if !list(o, "after").is_empty() {
            let after: Vec<String> = list(o, "after").iter().map(ToString::to_string).collect();
            let _ = writeln!(out, "after    {}", after.join(", "));
        }
        let _ = writeln!(out, "digest   {}", text(o, "digest"));
        let mut rows = vec![vec!["FIELD".to_owned(), "BEFORE".to_owned(), "AFTER".to_owned()]];
        rows.extend(
            list(o, "changes")
                .iter()
                .map(|c| vec![text(c, "field").to_owned(), value(&c["before"]), value(&c["after"])]),
        );
        if rows.len() > 1 {
            let _ = write!(out, "\n{}", columns(&rows));
        }
        out
    }
}

/// What is not trusted, a line for each reason: a clock that is off is no reason for sixty.
pub(super) fn doubts(plan: &Value) -> Vec<String> {
    let mut all: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for doubt in list(plan, "not_trusted") {
        let (instance, why, kind) = (text(doubt, "instance"), text(doubt, "why"), text(doubt, "type"));
        match all.iter_mut().find(|(of, words, _)| (*of, *words) == (instance, why)) {
            Some((.., kinds)) => kinds.push(kind),
            None => all.push((instance, why, vec![kind])),
        }
    }
    let line = |(instance, why, kinds): (&str, &str, Vec<&str>)| {
        let kinds = if kinds.len() > NAMED { format!("{} types", kinds.len()) } else { kinds.join(", ") };
        format!("not trusted: {kinds} of {instance}: {why}")
    };
    all.into_iter().map(line).collect()
}

/// A plan for people.
pub(super) fn shown(plan: &Value) -> String {
    let mut out = String::new();
    let mut line = |words: &str| {
        let _ = writeln!(out, "{}", printable(words));
    };
    for failed in list(plan, "failed") {
        let old = if failed["old_plan"] == true { "; what follows is the plan from before" } else { "" };
        line(&format!("{}: not planned, {}{old}", names(failed), text(failed, "why")));
    }
    for pair in list(plan, "pairs") {
        line(&format!(
            "{} -> {}, read {}",
            text(pair, "source"),
            text(pair, "target"),
            text(pair, "read_at")
        ));
        if pair["baseline"].is_null() {
            line(
                "everything is held until somebody confirms what was paired at first: gatekeeper sync disputes, then gatekeeper sync approve baseline",
            );
        }
        doubts(pair).iter().for_each(|doubt| line(doubt));
    }
    for finding in list(plan, "findings") {
        let names: Vec<&str> = list(finding, "names").iter().filter_map(Value::as_str).collect();
        let kinds: Vec<&str> = list(finding, "types").iter().filter_map(Value::as_str).collect();
        let (code, kind, field) = (text(finding, "code"), kinds.join(", "), text(finding, "field"));
        line(&format!(
            "finding: {code}: {field} of {} of {} {kind}: {}",
            finding["count"],
            finding["of"],
            names.join(", ")
        ));
    }
    if !list(plan, "operations").is_empty() {
        let head = ["N", "VERDICT", "KIND", "TYPE", "NAME", "TARGET", "FIELDS", "REASON"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(list(plan, "operations").iter().map(|o| {
            let fields: Vec<&str> = list(o, "fields").iter().filter_map(Value::as_str).collect();
            let fields = if fields.len() > MOST_FIELDS {
                format!("{} fields", fields.len())
            } else {
                fields.join(",")
            };
            let cell = |key: &str| text(o, key).to_owned();
            let number = o["n"].to_string();
            vec![
                number,
                cell("verdict"),
                cell("kind"),
                cell("type"),
                cell("name"),
                cell("target"),
                fields,
                cell("reason"),
            ]
        }));
        let _ = write!(out, "\n{}", columns(&rows));
    }
    skipped(plan, &mut out);
    let count =
        |verdict: &str| list(plan, "operations").iter().filter(|o| text(o, "verdict") == verdict).count();
    let sum = |key: &str| list(plan, "pairs").iter().filter_map(|p| p[key].as_u64()).sum::<u64>();
    let _ = writeln!(
        out,
        "\n{} would be done, {} held, {} blocked; {} not done; {} conflicts, {} drifted. Nothing was written.",
        count("pass"),
        count("hold"),
        count("block"),
        list(plan, "skipped").len(),
        list(plan, "conflicts").len(),
        sum("drift"),
    );
    let _ = writeln!(out, "digest {}", text(plan, "digest"));
    out
}

/// What is not done, by type and reason: the same words for a thousand objects are one line.
fn skipped(plan: &Value, out: &mut String) {
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for one in list(plan, "skipped") {
        let (kind, reason, name) = (text(one, "type"), text(one, "reason"), text(one, "name"));
        match groups.iter_mut().find(|g| g.0 == kind && g.1 == reason) {
            Some(group) => group.2.push(name),
            None => groups.push((kind, reason, vec![name])),
        }
    }
    if groups.is_empty() {
        return;
    }
    let mut rows = vec![["NOT DONE", "TYPE", "OBJECTS", "REASON"].map(str::to_owned).to_vec()];
    rows.extend(groups.iter().map(|(kind, reason, names)| {
        let whole = names.iter().all(|n| n.is_empty());
        let shown: Vec<&str> = names.iter().copied().filter(|n| !n.is_empty()).take(MOST_NAMES).collect();
        let more = names.len().saturating_sub(MOST_NAMES);
        let mut objects = shown.join(", ");
        if more > 0 {
            let _ = write!(objects, " and {more} more");
        }
        let count = if whole { "type".to_owned() } else { names.len().to_string() };
        vec![count, (*kind).to_owned(), objects, (*reason).to_owned()]
    }));
    let _ = write!(out, "\n{}", columns(&rows));
}

fn names(pair: &Value) -> String {
    list(pair, "instances").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" and ")
}

/// A value in a table: short, and told from a missing one.
pub(super) fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST_VALUE) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// Characters.
const LONGEST_VALUE: usize = 80;
const MOST_FIELDS: usize = 4;
const MOST_NAMES: usize = 5;

/// Types that are named in one line.
const NAMED: usize = 6;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plan_reads_like_a_table() {
        let plan = json!({
            "digest": "d1",
            "failed": [],
            "pairs": [{"source": "a", "target": "b", "read_at": "T", "baseline": null, "drift": 2,
                "not_trusted": [{"instance": "b", "type": "rules", "why": "the answer is no list"}]}],
            "findings": [{"code": "noise", "types": ["cameras", "hardware"], "field": "name", "count": 6, "of": 20, "names": ["Gate", "Yard"]}],
            "operations": [{"n": 1, "verdict": "hold", "kind": "rename", "type": "cameras", "name": "Ga\u{1b}te", "target": "b",
                "fields": ["name"], "reason": "baseline: not confirmed"}],
            "skipped": [{"type": "hardware", "name": "x", "reason": "only on the target"},
                {"type": "hardware", "name": "y", "reason": "only on the target"},
                {"type": "rules", "name": "", "reason": "not trusted"}],
            "conflicts": [],
        });
        let wanted = "a -> b, read T
everything is held until somebody confirms what was paired at first: gatekeeper sync disputes, then gatekeeper sync approve baseline
not trusted: rules of b: the answer is no list
finding: noise: name of 6 of 20 cameras, hardware: Gate, Yard

N  VERDICT  KIND    TYPE     NAME   TARGET  FIELDS  REASON
1  hold     rename  cameras  Ga?te  b       name    baseline: not confirmed

NOT DONE  TYPE      OBJECTS  REASON
2         hardware  x, y     only on the target
type      rules              not trusted

0 would be done, 1 held, 0 blocked; 3 not done; 0 conflicts, 2 drifted. Nothing was written.
digest d1
";
        assert_eq!(shown(&plan), wanted);
    }

    #[test]
    fn an_operation_shows_every_field() {
        let o = json!({"kind": "update", "type": "cameras", "name": "Gate", "target": "b", "verdict": "pass", "policy": "auto",
            "reason": "policy: cameras.update = auto", "ids": {"a": "1", "b": null}, "after": [2], "digest": "d",
            "changes": [{"field": "enabled", "before": true, "after": false}, {"field": "name", "before": null, "after": "x".repeat(100)}]});
        let text = Operation { number: 1 }.show(&o);
        assert!(text.contains("object   b=none yet") && text.contains("after    2"), "{text}");
        assert!(
            text.contains("enabled  true    false") && text.contains(&format!("\"{}...", "x".repeat(79))),
            "{text}"
        );
    }
}
