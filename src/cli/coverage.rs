//! `sync coverage`: what of two instances is kept alike, and what is not.

use serde_json::Value;

use super::remote::{list, text};
use super::table::{columns, printable};

/// The report of [`crate::sync::coverage::report`] for people: what is kept alike first, at the end what
/// has to be done by hand.
pub fn render(report: &Value) -> String {
    let mut out = String::new();
    for instance in list(report, "instances") {
        out.push_str(&headline(instance));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let mut types: Vec<&Value> = list(report, "types").iter().collect();
    // Stable: within a state the order is that of the catalogue.
    types.sort_by_key(|entry| STATES.iter().position(|state| *state == text(entry, "state")));
    let heading = ["TYPE", "STATE", "API", "CREATE", "CHANGE", "REMOVE", "TO KNOW"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(types.into_iter().map(row));
    out.push_str(&columns(&rows));

    let unseen = list(report, "unseen");
    if !unseen.is_empty() {
        out.push_str("\nWhat the API does not show at all:\n");
        let mut rows = vec![["WHAT", "BY HAND"].map(str::to_owned).to_vec()];
        rows.extend(
            unseen
                .iter()
                .map(|entry| vec![text(entry, "what").to_owned(), text(entry, "by_hand").to_owned()]),
        );
        out.push_str(&columns(&rows));
    }
    out
}

/// The instance, and a warning for what it offers and nobody has written down.
fn headline(instance: &Value) -> String {
    let name = text(instance, "name");
    let version = match text(instance, "version") {
        "" => "version not known",
        version => version,
    };
    let mut out = printable(&format!("{name}: {version}")) + "\n";
    let unknown: Vec<&str> = list(instance, "unknown").iter().filter_map(Value::as_str).collect();
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        out.push_str(
            &(printable(&format!("warning: {name} also has {names}: not known, and ignored")) + "\n"),
        );
    }
    out
}

fn row(entry: &Value) -> Vec<String> {
    let policy = |act: &str| match text(&entry[act], "how") {
        "not possible" => "-".to_owned(),
        _ => text(&entry[act], "policy").to_owned(),
    };
    let confirmed = if entry["confirmed"] == false { ", unconfirmed" } else { "" };
    let known: Vec<&str> =
        [text(entry, "why"), text(entry, "note")].into_iter().filter(|words| !words.is_empty()).collect();
    vec![
        text(entry, "type").to_owned(),
        text(entry, "state").to_owned(),
        format!("{}{confirmed}", text(entry, "coverage")),
        policy("create"),
        update(entry, policy("update")),
        policy("delete"),
        known.join("; "),
    ]
}

/// The policy of changes, and what of it is said.
fn update(entry: &Value, policy: String) -> String {
    let fields: Vec<&str> = list(entry, "fields").iter().filter_map(Value::as_str).collect();
    let mut out = policy;
    if !fields.is_empty() {
        out.push_str(&format!(" ({})", fields.join(", ")));
    }
    if entry["both"] == true {
        out.push_str(", both ways");
    }
    out
}

/// In the order in which people want to see them.
const STATES: [&str; 5] = ["synced", "compared", "mapped only", "ignored", "absent"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::sync::catalogue::{Kind, Policy};
    use crate::sync::coverage::{Instance, State, report};
    use crate::sync::plan::{Rules, TypePolicy};

    fn rules(policies: BTreeMap<Kind, TypePolicy>) -> Rules {
        Rules { policies, unconfirmed: false, baseline: true, delete_readings: 2, delete_age_s: 900 }
    }

    fn line<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
        let found = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        found.unwrap().split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
    }

    #[test]
    fn people_see_what_is_kept_alike_first_and_what_to_do_by_hand_last() {
        let cameras = Kind::from_name("cameras").unwrap();
        let policy = TypePolicy {
            create: Policy::Auto,
            update: Policy::Approve,
            delete: Policy::Never,
            both: true,
            fields: vec!["name".into()],
        };
        let a = Instance { name: "a".into(), version: "25.2".into(), ..Instance::default() };
        let b = Instance {
            name: "b".into(),
            absent: [Kind::from_name("matrix").unwrap()].into(),
            unknown: vec!["holo\u{1b}grams".into()],
            ..Instance::default()
        };
        let shown = render(&report(&[a, b], &rules([(cameras, policy)].into())));
        assert!(
            shown.starts_with("a: 25.2\nb: version not known\nwarning: b also has holo?grams: "),
            "{shown}"
        );
        assert_eq!(
            line(&shown, "cameras")[..6],
            ["cameras", "synced", "update-only", "-", "approve (name), both ways", "-"]
        );
        assert_eq!(line(&shown, "rules")[..3], ["rules", "ignored", "full, unconfirmed"]);
        assert_eq!(line(&shown, "matrix")[1..2], ["absent"]);
        assert!(line(&shown, "matrix").last().unwrap().starts_with("not on b; "));
        let at = |text: &str| shown.find(text).unwrap();
        assert!(
            at("cameras ") < at("storages ")
                && at("storages ") < at("eventTypes ")
                && at("eventTypes ") < at("streams ")
        );
        assert!(at("does not show at all") > at("matrix "));
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn an_answer_of_another_version_is_shown_as_far_as_it_goes() {
        assert_eq!(render(&Value::Null).lines().count(), 1);
    }

    #[test]
    fn every_state_has_its_place() {
        assert_eq!(STATES, State::ALL.map(State::as_str));
    }
}
