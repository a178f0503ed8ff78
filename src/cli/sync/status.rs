//! `sync status`.

use std::fmt::Write as _;

use serde_json::Value;

use super::show::doubts;
use crate::cli::client::{Client, ClientError};
use crate::cli::remote::{Ask, list, text};
use crate::cli::table::{columns, printable};

pub(super) struct Status;

impl Ask for Status {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        client.get("/v1/sync/status").await
    }

    fn show(&self, answer: &Value) -> String {
        let mut out = String::new();
        if answer["enabled"] != true {
            out.push_str("sync is off: objects are only linked, so that their ids can be translated\n");
        }
        let head = [
            "SOURCE",
            "TARGET",
            "BASELINE",
            "READ",
            "PASS",
            "HELD",
            "BLOCKED",
            "CONFLICTS",
            "DRIFT",
            "DISPUTED",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        for pair in list(answer, "pairs") {
            let plan = &pair["plan"];
            if plan.is_null() {
                continue;
            }
            let who = text(&plan["baseline"], "confirmed_by");
            let number = |key: &str| plan[key].to_string();
            let [pass, hold, block, conflicts, drift] =
                ["pass", "hold", "block", "conflicts", "drift"].map(number);
            rows.push(vec![
                text(plan, "source").to_owned(),
                text(plan, "target").to_owned(),
                if who.is_empty() { "not confirmed".to_owned() } else { format!("by {who}") },
                text(plan, "read_at").to_owned(),
                pass,
                hold,
                block,
                conflicts,
                drift,
                pair["disputed"].to_string(),
            ]);
        }
        if rows.len() > 1 {
            out.push_str(&columns(&rows));
        }
        for pair in list(answer, "pairs") {
            if text(pair, "last_run") != "matched" {
                let names: Vec<&str> = list(pair, "instances").iter().filter_map(Value::as_str).collect();
                let why = if text(pair, "why").is_empty() { "not read yet" } else { text(pair, "why") };
                let _ = writeln!(out, "{}", printable(&format!("{}: {why}", names.join(" and "))));
            }
            for doubt in doubts(&pair["plan"]) {
                let _ = writeln!(out, "{}", printable(&doubt));
            }
        }
        if list(answer, "pairs").is_empty() {
            out.push_str("no two instances were compared yet\n");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_first_then_what_is_wrong() {
        let plan = json!({"source": "a", "target": "b", "baseline": {"confirmed_by": "anna"}, "read_at": "T", "pass": 1, "hold": 2,
            "block": 0, "conflicts": 3, "drift": 4, "not_trusted": [{"type": "rules", "instance": "b", "why": "no answer"}]});
        let answer = json!({"enabled": true, "pairs": [{"instances": ["a", "b"], "last_run": "failed", "why": "b: down",
            "disputed": 5, "plan": plan}]});
        let wanted = "SOURCE  TARGET  BASELINE  READ  PASS  HELD  BLOCKED  CONFLICTS  DRIFT  DISPUTED
a       b       by anna   T     1     2     0        3          4      5
a and b: b: down
not trusted: rules of b: no answer
";
        assert_eq!(Status.show(&answer), wanted);
        assert!(Status.show(&json!({"enabled": false, "pairs": []})).starts_with("sync is off"));
    }
}
