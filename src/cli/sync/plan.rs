//! `sync plan`: reads, waits, prints the plan.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::show::shown;
use crate::cli::Outcome;
use crate::cli::client::{Client, ClientError};
use crate::cli::remote::{Ask, list, text};
use crate::cli::table::printable;

pub(super) struct Plan;

impl Ask for Plan {
    async fn ask(&self, client: &Client) -> Result<Value, ClientError> {
        let mut answer = client.post("/v1/sync/plan", &json!({})).await?;
        let Some(before) = answer["after"].as_u64().filter(|_| answer["running"] == true) else {
            return Ok(answer["plan"].take());
        };
        // A large instance takes longer than a request may.
        let mut told = String::new();
        loop {
            tokio::time::sleep(POLL).await;
            let now = client.get("/v1/sync/status").await?;
            if now["number"].as_u64().is_some_and(|n| n > before) {
                return client.get("/v1/sync/plan").await;
            }
            let progress = progress(&now["running"]);
            if progress != told {
                let _ = writeln!(std::io::stderr(), "{progress}");
                told = progress;
            }
        }
    }

    fn show(&self, answer: &Value) -> String {
        shown(answer)
    }

    fn outcome(&self, answer: &Value) -> Outcome {
        outcome(answer)
    }
}

/// What a plan means for the exit code.
pub(super) fn outcome(plan: &Value) -> Outcome {
    let (failed, planned) = (list(plan, "failed"), list(plan, "pairs"));
    let old = failed.iter().filter(|f| f["old_plan"] == true).count();
    if !failed.is_empty() {
        return if planned.len() > old { Outcome::Partly } else { Outcome::Failed };
    }
    let held = |o: &Value| text(o, "verdict") != "pass";
    if list(plan, "operations").iter().any(held) || !list(plan, "conflicts").is_empty() {
        Outcome::Held
    } else {
        Outcome::Done
    }
}

/// One line about each instance that is being read.
fn progress(running: &Value) -> String {
    let one = |(instance, p): (&String, &Value)| {
        format!("reading {instance}: {} of {} types, {} objects", p["types"], p["of"], p["objects"])
    };
    let lines: Vec<String> = running.as_object().into_iter().flatten().map(one).collect();
    printable(&lines.join(" | "))
}

const POLL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes() {
        let plan = |operations: Value, failed: Value, pairs: Value| {
            outcome(&json!({"operations": operations, "failed": failed, "pairs": pairs, "conflicts": []}))
        };
        assert_eq!(plan(json!([]), json!([]), json!([{}])), Outcome::Done);
        assert_eq!(plan(json!([{"verdict": "pass"}]), json!([]), json!([{}])), Outcome::Done);
        assert_eq!(plan(json!([{"verdict": "hold"}]), json!([]), json!([{}])), Outcome::Held);
        assert_eq!(plan(json!([{"verdict": "block"}]), json!([]), json!([{}])), Outcome::Held);
        let failed = json!([{"why": "x", "old_plan": true}]);
        assert_eq!(plan(json!([{"verdict": "hold"}]), failed.clone(), json!([{}])), Outcome::Failed);
        assert_eq!(plan(json!([]), failed, json!([{}, {}])), Outcome::Partly);
        assert_eq!(plan(json!([]), json!([{"why": "x", "old_plan": false}]), json!([])), Outcome::Failed);
    }

    #[test]
    fn progress_names_instances() {
        let running =
            json!({"a": {"types": 3, "of": 40, "objects": 1200}, "b": {"types": 1, "of": 40, "objects": 7}});
        let line = "reading a: 3 of 40 types, 1200 objects | reading b: 1 of 40 types, 7 objects";
        assert_eq!(progress(&running), line);
        assert_eq!(progress(&json!(null)), "");
    }
}
