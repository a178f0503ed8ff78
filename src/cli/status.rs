//! `status`: who serves what, and why, on one screen.

use serde_json::Value;

use super::client::{Client, ClientError};
use super::remote::{Ask, list, text};
use super::table::{columns, printable};

/// `gatekeeper status`.
pub(super) struct Status;

impl Ask for Status {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get("/v1/status").await
    }

    fn show(&self, answer: &Value) -> String {
        [head(answer), serving(answer), instances(answer), overrides(answer), links(answer), warnings(answer)]
            .concat()
    }
}

fn head(answer: &Value) -> String {
    let reload = &answer["reload"];
    let who = format!(
        "gatekeeper {} since {}, {} client connections",
        text(answer, "version"),
        text(answer, "since"),
        answer["connections"],
    );
    let mut what = format!("configuration {}", text(answer, "config_file"));
    if let Some(when) = reload["when"].as_str() {
        what.push_str(&format!(", last reload {} {when}", text(reload, "result")));
    }
    let mut out = format!("{}\n{}", printable(&who), printable(&what));
    for complaint in list(reload, "complaints") {
        out.push_str(&format!("\n  {}", printable(complaint.as_str().unwrap_or_default())));
    }
    out + "\n"
}

fn serving(answer: &Value) -> String {
    let mut rows = vec![cells(&["SITE", "SERVICE", "SERVED BY", "SINCE", "REASON", "OTHERS"])];
    for site in list(answer, "sites") {
        for service in list(site, "services") {
            let serving = service["serving"].as_str();
            let others = list(service, "candidates").iter().filter(|c| c["instance"].as_str() != serving);
            let others: Vec<String> =
                others.map(|c| format!("{} {}", text(c, "instance"), text(c, "why"))).collect();
            let mut row = cells(&[text(site, "name"), text(service, "service"), serving.unwrap_or("NOBODY")]);
            row.extend(cells(&[text(service, "since"), text(service, "reason"), &others.join("; ")]));
            rows.push(row);
        }
    }
    section(&rows)
}

fn instances(answer: &Value) -> String {
    let mut rows = vec![cells(&["INSTANCE", "URL", "VERSION", "HELD", "SERVICES"])];
    for instance in list(answer, "instances") {
        let held: Vec<&str> = list(instance, "overrides").iter().filter_map(Value::as_str).collect();
        let services: Vec<String> = list(instance, "services")
            .iter()
            .map(|s| format!("{} {}", text(s, "service"), text(s, "condition")))
            .collect();
        let version = instance["version"].as_str().unwrap_or("?");
        let mut row = cells(&[text(instance, "name"), text(instance, "url"), version]);
        row.extend(cells(&[if held.is_empty() { "-" } else { held[0] }, &services.join(", ")]));
        rows.push(row);
    }
    section(&rows)
}

fn overrides(answer: &Value) -> String {
    let overrides = list(answer, "overrides");
    if overrides.is_empty() {
        return String::new();
    }
    let mut rows = vec![cells(&["OVERRIDE", "INSTANCE", "SINCE", "BY", "REASON"])];
    for o in overrides {
        let (by, reason) =
            (o["by"].as_str().unwrap_or("(hidden)"), o["reason"].as_str().unwrap_or("(hidden)"));
        rows.push(cells(&[text(o, "kind"), text(o, "instance"), text(o, "since"), by, reason]));
    }
    section(&rows)
}

/// Which instances know each other's objects.
fn links(answer: &Value) -> String {
    let pairs = list(answer, "links");
    if pairs.is_empty() {
        return String::new();
    }
    let mut rows = vec![cells(&["OBJECTS OF", "LINKED", "AMBIGUOUS", "MATCHED", "NOW"])];
    for pair in pairs {
        let names: Vec<&str> = list(pair, "instances").iter().filter_map(Value::as_str).collect();
        let number = |key: &str| pair[key].as_u64().map_or_else(|| "?".to_owned(), |n| n.to_string());
        let (linked, ambiguous) = (number("linked"), number("ambiguous"));
        let at = pair["matched_at"].as_str().unwrap_or("not since the start");
        let now = pair["why"].as_str().unwrap_or_else(|| text(pair, "last_run"));
        rows.push(cells(&[&names.join(", "), &linked, &ambiguous, at, now]));
    }
    section(&rows)
}

fn warnings(answer: &Value) -> String {
    let lines: Vec<String> = list(answer, "warnings")
        .iter()
        .map(|w| format!("warning: {}\n", printable(w.as_str().unwrap_or_default())))
        .collect();
    if lines.is_empty() { String::new() } else { format!("\n{}", lines.concat()) }
}

fn section(rows: &[Vec<String>]) -> String {
    format!("\n{}", columns(rows))
}

fn cells(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_screen() {
        let answer = json!({
            "version": "0.1.0", "since": "2026-01-01T00:00:00Z", "config_file": "gatekeeper.toml",
            "connections": 3,
            "reload": {"result": "failed", "when": "2026-01-02T00:00:00Z", "complaints": ["line 3: what"]},
            "sites": [{"name": "hq", "services": [
                {"service": "config", "serving": "b", "since": "T", "reason": "down", "candidates": [
                    {"instance": "a", "why": "down: connection refused"}, {"instance": "b", "why": "serves"}]},
                {"service": "soap", "serving": null, "since": "T", "reason": "all-down", "candidates": []}]}],
            "instances": [{"name": "a", "url": "https://a", "version": null, "overrides": ["drain"],
                "services": [{"service": "config", "condition": "down"}]}],
            "overrides": [{"kind": "drain", "instance": "a", "since": "T", "by": "anna", "reason": "up\u{1b}dates"}],
            "links": [{"instances": ["a", "b"], "linked": 7, "ambiguous": null, "last_run": "waiting",
                "why": "a: it is in quarantine", "matched_at": null}],
            "warnings": ["site hq: no instance serves soap"],
        });
        assert_eq!(
            Status.show(&answer),
            "gatekeeper 0.1.0 since 2026-01-01T00:00:00Z, 3 client connections
configuration gatekeeper.toml, last reload failed 2026-01-02T00:00:00Z
  line 3: what

SITE  SERVICE  SERVED BY  SINCE  REASON    OTHERS
hq    config   b          T      down      a down: connection refused
hq    soap     NOBODY     T      all-down

INSTANCE  URL        VERSION  HELD   SERVICES
a         https://a  ?        drain  config down

OVERRIDE  INSTANCE  SINCE  BY    REASON
drain     a         T      anna  up?dates

OBJECTS OF  LINKED  AMBIGUOUS  MATCHED              NOW
a, b        7       ?          not since the start  a: it is in quarantine

warning: site hq: no instance serves soap
"
        );
    }

    #[test]
    fn an_answer_with_nothing_in_it_does_not_break_it() {
        assert!(Status.show(&json!({})).starts_with("gatekeeper"));
    }
}
