//! The report: for people and for machines.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::doubts::Doubt;
use super::groups::{self, Group, explained};
use super::operator::{list, text as word};
use super::pairs::INTERVAL;
use super::{CAMERAS, DIVERGE, Report};
use crate::record::ms;
use crate::report::{list as table, time};

/// For people.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let pair = &report.plan["pairs"][0];
    let (source, target) = (word(pair, "source"), word(pair, "target"));
    let _ = writeln!(
        out,
        "Two sites of {CAMERAS} cameras; {target} lacks or has changed a share of {DIVERGE} of its objects."
    );
    differs(&mut out, report, (source, target));
    not_done(&mut out, &groups::skipped(&report.plan));
    edited(&mut out, report);
    unreadable(&mut out, &report.doubts, source);
    unknown(&mut out, &report.coverage);
    written(&mut out, report);
    out
}

fn differs(out: &mut String, report: &Report, (source, target): (&str, &str)) {
    let early = list(&report.unconfirmed, "operations");
    let held = early.iter().filter(|o| word(o, "verdict") != "pass").count();
    let _ = writeln!(
        out,
        "\n1. What differs, and what would be done about it on {target} ({source} is the primary)\n\n\
         Before anybody had confirmed what was paired: {} operations, {held} of them held. Since then:\n",
        early.len()
    );
    let operations = groups::operations(&report.plan);
    let mut rows = vec![["VERDICT", "TYPE", "KIND", "OBJECTS", "WHY"].map(str::to_owned).to_vec()];
    rows.extend(operations.iter().map(|group| {
        let count: usize = group.types.iter().map(|(_, count)| count).sum();
        let own = [count.to_string(), group.reason.clone()];
        group.words.iter().cloned().chain(own).collect()
    }));
    out.push_str(&table(&rows));
    meanings(out, &operations);
}

fn not_done(out: &mut String, skipped: &[Group]) {
    let _ = writeln!(out, "\n2. What will not be done, and why\n");
    for group in skipped {
        let one = |(kind, count): &(String, usize)| match count {
            0 => kind.clone(),
            count => format!("{count} {kind}"),
        };
        let types: Vec<String> = group.types.iter().map(one).collect();
        let example = match group.example.as_str() {
            "" => String::new(),
            name => format!(", such as {name:?}"),
        };
        let _ = writeln!(out, "{}\n    {}{example}", group.reason, types.join(", "));
    }
    meanings(out, skipped);
}

fn meanings(out: &mut String, groups: &[Group]) {
    let rows = explained(groups);
    if !rows.is_empty() {
        let _ = write!(out, "\nWhat these words mean:\n{}", table(&rows));
    }
}

fn edited(out: &mut String, report: &Report) {
    let _ = writeln!(
        out,
        "\n3. What persons changed meanwhile, and how soon it was seen ([sync] interval = {INTERVAL:?})\n"
    );
    let mut rows = vec![["SEEN AFTER", "EDIT", "SHOWN AS"].map(str::to_owned).to_vec()];
    rows.extend(
        report.edits.iter().map(|edit| vec![time(edit.seen_after), edit.what.clone(), edit.shown.clone()]),
    );
    out.push_str(&table(&rows));
}

fn unreadable(out: &mut String, doubts: &[Doubt], primary: &str) {
    let _ =
        writeln!(out, "\n4. What follows when lists of {primary} cannot be read or believed for a moment\n");
    for doubt in doubts {
        let mut line = format!("{}: {}", doubt.what, doubt.follows());
        for (count, what) in [(doubt.held, "held"), (doubt.left_alone.len(), "types left alone")] {
            if count > 0 {
                let _ = write!(line, ", {count} {what}");
            }
        }
        line.push_str(if doubt.healed { ", afterwards as before" } else { ", NOT AS BEFORE AFTERWARDS" });
        let said: Vec<&str> = doubt.said.iter().take(MOST_SAID).map(String::as_str).collect();
        let more = match doubt.said.len() - said.len() {
            0 => String::new(),
            n => format!("; {n} more"),
        };
        let _ = writeln!(out, "{line} ({}{more})", said.join("; "));
    }
}

fn unknown(out: &mut String, coverage: &Value) {
    let _ = writeln!(out, "\n5. What cannot be known (gatekeeper sync coverage)\n");
    let counts = coverage["summary"].as_object().into_iter().flatten();
    let counts: Vec<String> = counts.map(|(state, count)| format!("{count} {state}")).collect();
    let _ = writeln!(out, "Types of objects: {}.", counts.join(", "));
    let unconfirmed = |t: &&Value| word(t, "state") == "ignored" && t["confirmed"] == false;
    let names: Vec<&str> =
        list(coverage, "types").iter().filter(unconfirmed).map(|t| word(t, "type")).collect();
    if !names.is_empty() {
        let _ = writeln!(out, "Ignored because nobody has confirmed how they look: {}", names.join(", "));
    }
    let unseen = list(coverage, "unseen");
    if !unseen.is_empty() {
        let _ = writeln!(out, "No type of the API shows these; whether they differ cannot be said:");
    }
    let row = |u: &Value| vec![format!("  {}", word(u, "what")), word(u, "by_hand").to_owned()];
    out.push_str(&table(&unseen.iter().map(row).collect::<Vec<_>>()));
}

fn written(out: &mut String, report: &Report) {
    let _ = writeln!(out, "\n6. What was written, as the instances themselves say (GET /writes)\n");
    for w in &report.written {
        let rest =
            if w.is_clean() { "nothing else".to_owned() } else { format!("{} OTHERS", w.by_others.len()) };
        let _ = writeln!(
            out,
            "{}: {} changes, {} of them by the persons of this demo, {rest}",
            w.instance, w.count, w.by_person
        );
    }
    let broken = report.broken();
    let kept = "\nEvery promise was kept: the gatekeeper wrote nothing.\n";
    out.push_str(if broken.is_empty() { kept } else { "\n" });
    for what in broken {
        let _ = writeln!(out, "PROMISE BROKEN: {what}");
    }
}

/// For machines.
pub fn to_json(report: &Report) -> Value {
    let edit =
        |e: &super::Edit| json!({ "what": e.what, "seen_after_ms": e.seen_after.map(ms), "shown": e.shown });
    let doubt = |d: &Doubt| {
        json!({
            "what": d.what,
            "followed": d.followed,
            "held": d.held,
            "left_alone": d.left_alone,
            "said": d.said,
            "afterwards_as_before": d.healed,
        })
    };
    json!({
        "scenario": "drift",
        "cameras": CAMERAS.parse::<u32>().ok(),
        "diverge": DIVERGE.parse::<f64>().ok(),
        "interval": INTERVAL,
        "unconfirmed_operations": list(&report.unconfirmed, "operations").len(),
        "pair": report.plan["pairs"][0],
        "digest": report.plan["digest"],
        "operations": report.plan["operations"],
        "not_done": report.plan["skipped"],
        "findings": report.plan["findings"],
        "edits": report.edits.iter().map(edit).collect::<Vec<_>>(),
        "unreadable": report.doubts.iter().map(doubt).collect::<Vec<_>>(),
        "coverage": { "summary": report.coverage["summary"], "unseen": report.coverage["unseen"] },
        "written": report.written.iter().map(super::Written::to_json).collect::<Vec<_>>(),
        "broken_promises": report.broken(),
    })
}

/// Of what the gatekeeper says about one fault.
const MOST_SAID: usize = 3;
