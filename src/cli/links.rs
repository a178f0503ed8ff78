//! `sync links`: which objects of two instances are the same.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::remote::{Ask, list, perform, text};
use super::table::{columns, printable};
use super::{Order, Outcome, Remote};

/// `gatekeeper sync links ...`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Links {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the links (also without `list`)
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// Link two objects by your word
    ///
    /// Replaces what the matcher thought of them, and is never removed by it. TYPE is the name of a
    /// collection of the VMS's API, such as cameras, roles or storages.
    #[command(
        after_help = "Example:\n  gatekeeper sync links add roles a=0f7e8c7a-3a0e-4d0b-9a3c-0f1e2d3c4b5a b=6a5b4c3d-2e1f-4a0b-8c7d-9e8f7a6b5c4d --reason \"same guards\""
    )]
    Add(Two),
    /// End a link; the matcher does not make it again
    ///
    /// `add` undoes it.
    #[command(
        after_help = "Example:\n  gatekeeper sync links remove cameras a=0f7e8c7a-3a0e-4d0b-9a3c-0f1e2d3c4b5a b=6a5b4c3d-2e1f-4a0b-8c7d-9e8f7a6b5c4d --reason \"moved to another gate\""
    )]
    Remove(Two),
    /// Match now and say what came out
    ///
    /// Reads all instances that share a site. The matcher does so by itself at the start, when an
    /// instance has come back, and every sync.full_interval.
    #[command(
        after_help = "Examples:\n  gatekeeper sync links run\n  gatekeeper sync links run --json | jq '.last_run.pairs[].ambiguous'\n\nExit code 4: some objects could not be compared; the output says which and why."
    )]
    Run {
        /// End links also when a list lacks most of the linked objects, as after a new installation
        #[arg(long)]
        accept_losses: bool,
        #[command(flatten)]
        remote: Remote,
    },
}

#[derive(Debug, Args)]
struct List {
    /// Only objects of this type, such as cameras
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    #[command(flatten)]
    remote: Remote,
}

#[derive(Debug, Args)]
struct Two {
    /// Name of the collection, such as cameras
    #[arg(value_name = "TYPE")]
    kind: String,
    /// The two objects, each by instance and id
    #[arg(value_name = "INSTANCE=ID", num_args = 2, required = true, value_parser = object)]
    objects: Vec<(String, String)>,
    #[command(flatten)]
    order: Order,
}

fn object(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((instance, id)) if !instance.is_empty() && !id.is_empty() => {
            Ok((instance.to_owned(), id.to_owned()))
        }
        _ => Err("write an object as INSTANCE=ID".to_owned()),
    }
}

impl Links {
    pub(super) fn perform(self) -> Outcome {
        match self.action {
            None => show(self.list),
            Some(Action::List(list)) => show(list),
            Some(Action::Add(two)) => word(two, true),
            Some(Action::Remove(two)) => word(two, false),
            Some(Action::Run { accept_losses, remote }) => perform(&remote, RunNow { accept_losses }),
        }
    }
}

fn show(list: List) -> Outcome {
    perform(&list.remote, Show { kind: list.kind })
}

fn word(two: Two, add: bool) -> Outcome {
    let Two { kind, objects, order } = two;
    perform(&order.remote, Word { add, kind, objects, reason: order.reason })
}

struct Show {
    kind: Option<String>,
}

impl Ask for Show {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let kind = self.kind.as_ref().map_or_else(String::new, |k| format!("&type={}", escaped(k)));
        let mut all: Option<Value> = None;
        let mut offset = 0;
        loop {
            let mut answer = client.get(&format!("/v1/sync/links?offset={offset}{kind}")).await?;
            let next = answer["next"].as_u64();
            all = Some(match all {
                None => answer,
                Some(mut all) => {
                    let more = answer["links"].as_array_mut().map(std::mem::take).unwrap_or_default();
                    if let Some(links) = all["links"].as_array_mut() {
                        links.extend(more);
                    }
                    all
                }
            });
            match (next, &mut all) {
                (Some(next), _) if next > offset => offset = next,
                (_, all) => {
                    let mut all = all.take().unwrap_or_default();
                    if let Some(map) = all.as_object_mut() {
                        map.remove("next");
                    }
                    return Ok(all);
                }
            }
        }
    }

    fn show(&self, answer: &Value) -> String {
        let mut out = String::new();
        if let Some(links) = answer["links"].as_array() {
            let mut rows = vec![cells(&["TYPE", "OBJECT", "OBJECT", "BY", "SINCE"])];
            rows.extend(links.iter().map(|link| {
                let objects = link["objects"].as_object();
                let mut ends = objects
                    .into_iter()
                    .flatten()
                    .map(|(i, id)| format!("{i}={}", id.as_str().unwrap_or_default()));
                let by = if link["apart"] == true { "operator: apart" } else { text(link, "origin") };
                vec![
                    text(link, "type").to_owned(),
                    ends.next().unwrap_or_default(),
                    ends.next().unwrap_or_default(),
                    by.to_owned(),
                    text(link, "since").to_owned(),
                ]
            }));
            out.push_str(&columns(&rows));
            out.push('\n');
        }
        let mut rows = vec![cells(&["TYPE", "BY MATCHER", "BY OPERATOR", "KEPT APART"])];
        for count in list(answer, "counts") {
            let number = |key: &str| count[key].to_string();
            let [m, o, a] = ["matcher", "operator", "apart"].map(number);
            rows.push(vec![text(count, "type").to_owned(), m, o, a]);
        }
        out.push_str(&columns(&rows));
        for contradiction in list(answer, "contradictions") {
            let words = contradiction.as_str().unwrap_or_default();
            out.push_str(&format!("warning: {}\n", printable(words)));
        }
        out.push_str(&match answer["last_run"]["at"].as_str() {
            Some(at) => format!("\nlast matched {}\n", printable(at)),
            None => "\nnot matched yet since the start\n".to_owned(),
        });
        for pair in list(&answer["last_run"], "pairs") {
            if text(pair, "outcome") != "matched" {
                out.push_str(&headline(pair));
            }
        }
        out
    }
}

struct Word {
    add: bool,
    kind: String,
    objects: Vec<(String, String)>,
    reason: String,
}

impl Ask for Word {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let objects: serde_json::Map<String, Value> =
            self.objects.iter().map(|(instance, id)| (instance.clone(), json!(id))).collect();
        let order = json!({"type": self.kind, "objects": objects, "reason": self.reason});
        client.post(if self.add { "/v1/sync/links/add" } else { "/v1/sync/links/remove" }, &order).await
    }

    fn show(&self, answer: &Value) -> String {
        let ends: Vec<String> =
            self.objects.iter().map(|(instance, id)| format!("{instance}={id}")).collect();
        let what = if self.add { "linked" } else { "not linked any more, and not by the matcher" };
        let mut out = printable(&format!("{} {}: {what}", self.kind, ends.join(" "))) + "\n";
        for instance in list(answer, "unchecked").iter().filter_map(Value::as_str) {
            let note = format!("{instance} could not be asked whether it has the object");
            out.push_str(&(printable(&note) + "\n"));
        }
        out
    }
}

struct RunNow {
    accept_losses: bool,
}

impl Ask for RunNow {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let order = json!({"accept_losses": self.accept_losses});
        let answer = client.post("/v1/sync/links/run", &order).await?;
        let Some(before) = answer["after"].as_u64().filter(|_| answer["running"] == true) else {
            return Ok(answer);
        };
        // A large instance takes longer than a request may.
        loop {
            tokio::time::sleep(POLL).await;
            let now = client.get("/v1/sync/links?limit=0").await?;
            if now["last_run"]["number"].as_u64().is_some_and(|n| n > before) {
                return Ok(json!({"running": false, "last_run": now["last_run"]}));
            }
        }
    }

    fn show(&self, answer: &Value) -> String {
        let mut out = String::new();
        for pair in list(&answer["last_run"], "pairs") {
            out.push_str(&headline(pair));
            if text(pair, "outcome") == "matched" {
                out.push_str(&details(pair));
            }
        }
        if out.is_empty() { "no two instances share a site: nothing to match\n".to_owned() } else { out }
    }

    fn outcome(&self, answer: &Value) -> Outcome {
        let pairs = list(&answer["last_run"], "pairs");
        let matched = |p: &&Value| text(p, "outcome") == "matched";
        let whole =
            |p: &Value| list(p, "unread").is_empty() && list(p, "types").iter().all(|t| t["kept"] == 0);
        if pairs.iter().all(|p| matched(&p) && whole(p)) {
            Outcome::Done
        } else if pairs.iter().any(|p| matched(&p)) {
            Outcome::Partly
        } else {
            Outcome::Failed
        }
    }
}

fn headline(pair: &Value) -> String {
    let names: Vec<&str> = list(pair, "instances").iter().filter_map(Value::as_str).collect();
    let names = names.join(" and ");
    printable(&match text(pair, "outcome") {
        "matched" => format!("{names}: matched"),
        "waiting" => format!("{names}: not matched, {}", text(pair, "why")),
        _ => format!("{names}: failed, {}", text(pair, "why")),
    }) + "\n"
}

fn details(pair: &Value) -> String {
    let names: Vec<&str> = list(pair, "instances").iter().filter_map(Value::as_str).collect();
    let only = |name: &str| format!("ONLY {name}");
    let mut head = cells(&["TYPE", "LINKED", "NEW", "REMOVED", "SAME ID", "AMBIGUOUS"]);
    head.extend(names.iter().map(|n| only(n)));
    let mut rows = vec![head];
    let mut kept = Vec::new();
    for kind in list(pair, "types").iter().filter(|t| t["compared"] == true) {
        let mut row = vec![text(kind, "type").to_owned()];
        row.extend(["linked", "new", "removed", "same_id", "ambiguous"].map(|key| kind[key].to_string()));
        row.extend(names.iter().map(|n| kind["only"][n].to_string()));
        rows.push(row);
        if kind["kept"] != 0 {
            kept.push(format!(
                "{}: {} links kept although a list lacks their objects (--accept-losses ends them)",
                text(kind, "type"),
                kind["kept"]
            ));
        }
    }
    let mut out = columns(&rows);
    let unread = list(pair, "unread").iter();
    let unread = unread
        .map(|u| format!("{} of {} not read: {}", text(u, "type"), text(u, "instance"), text(u, "why")));
    let disputed = list(pair, "ambiguous").iter().map(|d| {
        let (kind, instance, id) = (text(d, "type"), text(d, "instance"), text(d, "id"));
        format!("ambiguous: {kind} {instance}={id} ({}): {}", text(d, "name"), text(d, "why"))
    });
    for line in kept.into_iter().chain(unread).chain(disputed) {
        out.push_str(&printable(&line));
        out.push('\n');
    }
    if pair["ambiguous_more"].as_u64().is_some_and(|n| n > 0) {
        out.push_str(&format!("and {} more\n", pair["ambiguous_more"]));
    }
    out
}

/// For a query: everything that is not a letter or digit.
pub(super) fn escaped(text: &str) -> String {
    let one = |b: u8| match b.is_ascii_alphanumeric() {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(one).collect()
}

fn cells(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

const POLL: Duration = Duration::from_secs(1);
pub(super) const LIST_EXAMPLES: &str = "Examples:\n  gatekeeper sync links\n  gatekeeper sync links --type cameras\n  gatekeeper sync links --json | jq '.counts'";

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(outcome: &str, kept: u64) -> Value {
        json!({
            "instances": ["a", "b"], "outcome": outcome, "why": "a: it has no account",
            "types": [{"type": "cameras", "compared": true, "linked": 4, "new": 1, "removed": 0, "kept": kept,
                "same_id": 0, "ambiguous": 1, "only": {"a": 2, "b": 0}}, {"type": "outputs", "compared": false, "kept": 0}],
            "unread": [], "ambiguous_more": 7,
            "ambiguous": [{"type": "cameras", "instance": "a", "id": "1f", "name": "Ga\u{1b}te", "why": "why not"}],
        })
    }

    #[test]
    fn a_run_says_what_came_out() {
        let run = RunNow { accept_losses: false };
        let answer = json!({"last_run": {"pairs": [pair("matched", 3)]}});
        assert_eq!(
            run.show(&answer),
            "a and b: matched
TYPE     LINKED  NEW  REMOVED  SAME ID  AMBIGUOUS  ONLY a  ONLY b
cameras  4       1    0        0        1          2       0
cameras: 3 links kept although a list lacks their objects (--accept-losses ends them)
ambiguous: cameras a=1f (Ga?te): why not
and 7 more
"
        );
        assert_eq!(run.outcome(&answer), Outcome::Partly);
        let outcome = |pairs: Value| run.outcome(&json!({"last_run": {"pairs": pairs}}));
        assert_eq!(outcome(json!([pair("matched", 0)])), Outcome::Done);
        assert_eq!(outcome(json!([pair("matched", 0), pair("waiting", 0)])), Outcome::Partly);
        assert_eq!(outcome(json!([pair("waiting", 0)])), Outcome::Failed);
        assert_eq!(outcome(json!([])), Outcome::Done);
        assert!(run.show(&json!({})).starts_with("no two instances"));
    }

    #[test]
    fn a_list_shows_links_counts_and_what_is_missing() {
        let link = json!({"type": "roles", "objects": {"a": "1", "b": "2"}, "origin": "operator", "apart": true, "since": "T"});
        let counts = json!([{"type": "roles", "matcher": 0, "operator": 0, "apart": 1}]);
        let answer = json!({"links": [link], "counts": counts, "last_run": {"at": "T2", "pairs": [pair("waiting", 0)]}});
        let show = Show { kind: None };
        assert_eq!(
            show.show(&answer),
            "TYPE   OBJECT  OBJECT  BY               SINCE
roles  a=1     b=2     operator: apart  T

TYPE   BY MATCHER  BY OPERATOR  KEPT APART
roles  0           0            1

last matched T2
a and b: not matched, a: it has no account
"
        );
        assert!(show.show(&json!({"links": null})).ends_with("not matched yet since the start\n"));
    }

    #[test]
    fn objects_are_instance_and_id() {
        assert_eq!(object("a=1"), Ok(("a".to_owned(), "1".to_owned())));
        for wrong in ["", "a", "a=", "=1"] {
            assert!(object(wrong).is_err(), "{wrong}");
        }
        assert_eq!(escaped("a b&c"), "a%20b%26c");
    }
}
