//! What was measured beside what was promised.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::user::Kind;
use super::{Measured, Outcome, Phase, Report};
use crate::args::Args;
use crate::record::ms;
use crate::report;

/// A figure, what it should be at most, and what it is.
struct Figure {
    name: &'static str,
    target: f64,
    value: f64,
    /// Not only missed but a broken promise when it is above.
    promise: bool,
}

impl Figure {
    fn ok(&self) -> bool {
        self.value <= self.target
    }
}

impl Phase {
    /// The figures that the issue sets for password users across a fault.
    fn figures(&self) -> Vec<Figure> {
        let Self { numbers, tally } = self;
        let figure = |name, target, value, promise| Figure { name, target, value, promise };
        let strict = |name, value: usize| figure(name, 0.0, value as f64, true);
        vec![
            figure("failed GETs", 0.0, numbers.failed() as f64, false),
            figure("wrong bodies", 0.0, numbers.wrong_bodies as f64, false),
            figure("password re-logins", 0.0, tally.log_ins_of(Kind::Password) as f64, false),
            strict("404s for known ids", tally.not_found),
            strict("strange ids", tally.strange_ids),
            strict("wrong identities", tally.wrong_identities.len()),
            figure("changes without a word", 0.0, tally.unsaid() as f64, false),
            figure("longest gap, ms", 150.0, ms(numbers.longest_gap), false),
            figure("deaf sockets", 0.0, tally.silent_sockets as f64, false),
        ]
    }

    fn row(&self, name: &str) -> Vec<String> {
        let Self { numbers, tally } = self;
        let missed: Vec<&str> = self.figures().iter().filter(|f| !f.ok()).map(|f| f.name).collect();
        vec![
            name.to_owned(),
            numbers.requests.to_string(),
            numbers.failed().to_string(),
            tally.asked().to_string(),
            format!("{}/{}", tally.unknown(), tally.unsaid()),
            tally.log_ins_of(Kind::Password).to_string(),
            tally.log_ins_of(Kind::Ntlm).to_string(),
            format!("{}/{}", tally.not_found, tally.strange_ids),
            tally.wrong_identities.len().to_string(),
            report::time(Some(numbers.longest_gap)),
            format!("{}/{}", tally.sockets_back, tally.silent_sockets),
            report::time(Some(tally.longest_away).filter(|_| tally.sockets_back > 0)),
            if missed.is_empty() { "ok".into() } else { "missed".into() },
        ]
    }

    fn remarks(&self, name: &str) -> Vec<String> {
        let Self { numbers, tally } = self;
        let missed = self.figures().into_iter().filter(|figure| !figure.ok()).map(|figure| {
            let Figure { name: what, target, value, promise } = figure;
            let word = if promise { "PROMISE BROKEN" } else { "missed" };
            format!("{name}: {word}: {what}: {value}, target {target}")
        });
        let counted = |what: &str, counts: &BTreeMap<String, usize>| -> Vec<String> {
            counts.iter().map(|(why, n)| format!("{name}: {n} {what}: {why}")).collect()
        };
        let changes = tally.changes.iter().map(|(fate, n)| (format!("{fate:?}"), *n)).collect();
        let mut remarks: Vec<String> = missed.collect();
        remarks.extend(counted("GETs failed", &numbers.failures));
        remarks.extend(counted("changes", &changes));
        remarks.extend(counted("sockets not opened", &tally.sockets_refused));
        remarks.extend(tally.wrong_identities.iter().take(3).map(|what| format!("{name}: {what}")));
        remarks
    }

    fn to_json(&self) -> Value {
        let Self { numbers, tally } = self;
        let changes: BTreeMap<String, usize> =
            tally.changes.iter().map(|(fate, n)| (format!("{fate:?}"), *n)).collect();
        let figures = self.figures();
        let figure =
            |f: &Figure| json!({ "name": f.name, "target": f.target, "value": f.value, "ok": f.ok() });
        json!({
            "gets": numbers.to_json(),
            "changes": changes,
            "relogins": { "password": tally.log_ins_of(Kind::Password), "ntlm": tally.log_ins_of(Kind::Ntlm) },
            "not_found": tally.not_found,
            "strange_ids": tally.strange_ids,
            "wrong_identities": tally.wrong_identities,
            "sockets": {
                "reopened": tally.sockets_back,
                "longest_away_ms": ms(tally.longest_away),
                "refused": tally.sockets_refused,
                "deaf": tally.silent_sockets,
            },
            "figures": figures.iter().map(figure).collect::<Vec<_>>(),
        })
    }
}

impl Measured {
    fn phases<'a>(&'a self, fault: &str) -> [(String, &'a Phase); 2] {
        [(fault.to_owned(), &self.fault), ("  fail-back".to_owned(), &self.back)]
    }

    fn twin(&self, share: f64) -> Option<Duration> {
        let rank = (self.twins.len() as f64 * share).ceil() as usize;
        self.twins.get(rank.saturating_sub(1)).copied()
    }

    fn twins_ok(&self) -> bool {
        self.twins.len() == self.log_ins && self.twin(0.99).is_some_and(|p99| p99 <= TWIN_READY)
    }

    fn promise_broken(&self) -> bool {
        let phases = [&self.fault, &self.back];
        self.replayed > 0
            || !self.contradictions.is_empty()
            || phases.iter().any(|phase| phase.figures().iter().any(|f| f.promise && !f.ok()))
    }
}

/// Whether a promise was broken by any fault.
pub fn broken(reports: &[Report]) -> bool {
    reports.iter().any(|report| match &report.result {
        Outcome::Measured(measured) => measured.promise_broken(),
        Outcome::NotPossible(_) => false,
    })
}

/// For people.
pub fn table(reports: &[Report]) -> String {
    let head = [
        "phase",
        "GETs",
        "failed",
        "changes",
        "unknown",
        "re-login pw",
        "ntlm",
        "404 ids",
        "wrong who",
        "gap",
        "sockets",
        "away",
        "verdict",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let (mut notes, mut per_fault) = (Vec::new(), Vec::new());
    for Report { fault, result } in reports {
        let name = fault.name();
        let m = match result {
            Outcome::NotPossible(reason) => {
                rows.push(vec![name.into(), format!("not possible here: {reason}")]);
                continue;
            }
            Outcome::Measured(m) => m,
        };
        for (label, phase) in m.phases(name) {
            rows.push(phase.row(&label));
            notes.extend(phase.remarks(&format!(
                "{name}{}",
                label.trim_start().replace(name, "").replace("fail-back", ", fail-back")
            )));
        }
        notes.extend(m.contradictions.iter().take(5).map(|what| format!("{name}: PROMISE BROKEN: {what}")));
        per_fault.push(format!(
            "{name}: switch {}, fail-back {}; changes that reached the instances twice: {} ({}); twins: {} of {}, ready p50 {} p99 {} ({}, target {})",
            report::time(m.switched),
            report::time(m.failed_back),
            m.replayed,
            if m.replayed == 0 { "ok" } else { "PROMISE BROKEN" },
            m.twins.len(),
            m.log_ins,
            report::time(m.twin(0.5)),
            report::time(m.twin(0.99)),
            if m.twins_ok() { "ok" } else { "missed" },
            report::time(Some(TWIN_READY)),
        ));
    }
    let lines = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    format!("{}\n{}\n{}{EXPLANATION}", report::columns(&rows), lines(&per_fault), lines(&notes))
}

/// For machines.
pub fn to_json(args: &Args, reports: &[Report]) -> Value {
    let one = |Report { fault, result }: &Report| match result {
        Outcome::NotPossible(reason) => json!({ "fault": fault.name(), "possible": false, "reason": reason }),
        Outcome::Measured(m) => json!({
            "fault": fault.name(),
            "possible": true,
            "during": m.fault.to_json(),
            "fail_back": m.back.to_json(),
            "switch_ms": m.switched.map(ms),
            "fail_back_ms": m.failed_back.map(ms),
            "replayed": m.replayed,
            "contradictions": m.contradictions,
            "twins": {
                "log_ins": m.log_ins,
                "ready": m.twins.len(),
                "p50_ms": m.twin(0.5).map(ms),
                "p99_ms": m.twin(0.99).map(ms),
                "ok": m.twins_ok(),
            },
            "promise_broken": m.promise_broken(),
        }),
    };
    json!({
        "scenario": "sessions",
        "clients": args.clients(),
        "ntlm_clients": super::NTLM_USERS,
        "rate": args.rate,
        "faults": reports.iter().map(one).collect::<Vec<_>>(),
        "promise_broken": broken(reports),
    })
}

/// From the answer of the log-in.
const TWIN_READY: Duration = Duration::from_millis(250);

const EXPLANATION: &str = "
Counted on the clients' side, from the fault to its end and from there until the primary has served for 4 s:
  failed       GETs that were not answered with what was asked for, also not after one new log-in
  unknown      changes (bookmarks) of which nobody knows whether they were done: said so / without a word
  re-login     log-ins that a 401 made necessary: password users (target 0), NTLM users (they cannot be moved)
  404 ids      404s for ids that the client was given before the fault / ids that it was never given (targets 0)
  wrong who    answers as for somebody else: rights of the user, name of who made a bookmark (target 0)
  gap          between two good answers to anybody; without a fault one is due every 1/rate (target 150 ms)
  sockets      opened again / deaf in the last 3 s of the phase;  away: the longest that one was away
  twins        from the answer of a log-in until the other instance had answered the same grant
Targets for the fault wrong-body hold from when it is noticed: two probe intervals.
";
