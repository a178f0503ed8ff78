//! `sync coverage`: what of two instances is kept alike, and what is not.

use serde_json::Value;

use super::remote::{list, text};
use super::table::{columns, printable};
use crate::sync::coverage::Treatment;

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
    let mut rows = vec![HEADING.map(str::to_owned).to_vec()];
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

/// All that the report says about one type. `None`: there is no such type.
pub fn render_type(report: &Value, name: &str) -> Option<String> {
    let entry = list(report, "types").iter().find(|entry| text(entry, "type").eq_ignore_ascii_case(name))?;
    let cells = row(entry);
    let mut rows: Vec<Vec<String>> =
        HEADING.iter().zip(cells).map(|(head, cell)| vec![(*head).to_owned(), cell]).collect();
    for (act, head) in [("create", "CREATED BY"), ("update", "CHANGED BY"), ("delete", "REMOVED BY")] {
        rows.push(vec![head.to_owned(), text(&entry[act], "how").to_owned()]);
    }
    for members in list(entry, "members") {
        rows.push(vec![format!("MEMBERS ({})", text(members, "list")), text(members, "how").to_owned()]);
    }
    let mut out = columns(&rows);
    let mut rows = vec![["FIELD", "WHAT BECOMES OF IT"].map(str::to_owned).to_vec()];
    for treatment in Treatment::ALL {
        for field in list(&entry["fields"], treatment.as_str()).iter().filter_map(Value::as_str) {
            rows.push(vec![field.to_owned(), treatment.meaning().to_owned()]);
        }
    }
    if entry["further_fields"] == true {
        rows.push(vec!["any other".to_owned(), Treatment::Compared.meaning().to_owned()]);
    }
    out.push('\n');
    out.push_str(&columns(&rows));
    Some(out)
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
    let fields: Vec<&str> = list(entry, "only_fields").iter().filter_map(Value::as_str).collect();
    let mut out = policy;
    if !fields.is_empty() {
        out.push_str(&format!(" ({})", fields.join(", ")));
    }
    if entry["both"] == true {
        out.push_str(", both ways");
    }
    out
}

const HEADING: [&str; 7] = ["TYPE", "STATE", "API", "CREATE", "CHANGE", "REMOVE", "TO KNOW"];
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
        assert_eq!(line(&shown, "mipKinds")[..3], ["mipKinds", "ignored", "full, unconfirmed"]);
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
    fn one_type_shows_its_fields() {
        let report = report(&[], &rules(BTreeMap::new()));
        let shown = render_type(&report, "ROLES").unwrap();
        assert_eq!(line(&shown, "CREATE"), ["CREATE", "approve"]);
        assert_eq!(line(&shown, "MEMBERS (users)"), ["MEMBERS (users)", "task AddRoleMember"]);
        assert_eq!(line(&shown, "users"), ["users", "kept alike"]);
        assert_eq!(line(&shown, "id"), ["id", "differs by nature; not compared"]);
        assert_eq!(render_type(&report, "rolls"), None);
        let rules = render_type(&report, "rules").unwrap();
        assert_eq!(line(&rules, "any"), ["any other", "kept alike"]);
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
