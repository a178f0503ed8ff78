//! Lists of the primary that cannot be read, or not be believed: nothing may follow from them.

use std::collections::BTreeSet;

use anyhow::bail;
use serde_json::{Value, json};

use super::operator::{Operator, list, text};
use crate::progress::Progress;
use crate::stage::Instance;

/// What one fault did.
pub struct Doubt {
    /// What was wrong.
    pub what: &'static str,
    /// What the gatekeeper says about it.
    pub said: Vec<String>,
    /// Types that were left alone because of it.
    pub left_alone: Vec<String>,
    /// Operations that were not there before and are held.
    pub held: usize,
    /// Operations about what could not be read, or that were not there before and would be done.
    pub followed: Vec<String>,
    /// Afterwards everything was as before.
    pub healed: bool,
}

/// Makes lists unreadable, one way after the other.
pub async fn provoke(
    primary: &Instance,
    operator: &mut Operator,
    progress: &Progress,
) -> anyhow::Result<Vec<Doubt>> {
    let mut doubts = Vec::new();
    let mut before = View::of(&operator.plan().await?);
    for (what, mut fault) in [
        ("its list of cameras answers 500", json!({ "mode": "list-error", "type": "cameras" })),
        ("its list of cameras ends after 400", json!({ "mode": "page-cut", "type": "cameras" })),
        ("30 % of all names are noise, as if encrypted", json!({ "mode": "encrypted", "share": 0.3 })),
    ] {
        progress.step(format!("{}: {what}", primary.name));
        fault["service"] = json!("config");
        if let Some(reason) = primary.set_fault(&fault).await? {
            bail!("not possible here: {reason}");
        }
        let plan = operator.plan().await;
        primary.lift_faults().await?;
        let mut doubt = judge(what, &fault, &plan?, &before);
        let after = View::of(&operator.plan().await?);
        doubt.healed = after.operations == before.operations;
        doubts.push(doubt);
        before = after;
    }
    Ok(doubts)
}

fn judge(what: &'static str, fault: &Value, plan: &Value, before: &View) -> Doubt {
    let kind = text(fault, "type");
    let (mut held, mut followed) = (0, Vec::new());
    for o in list(plan, "operations") {
        let is_new = !before.operations.contains(text(o, "digest"));
        let unreadable = !kind.is_empty() && text(o, "type") == kind;
        if unreadable || is_new && text(o, "verdict") == "pass" {
            followed.push(format!("{} {} {:?}", text(o, "kind"), text(o, "type"), text(o, "name")));
        } else if is_new {
            held += 1;
        }
    }
    let now = View::of(plan);
    // Of the types that depend on this one, the reason is the same.
    let own = |said: &&String| kind.is_empty() || said.starts_with(&format!("{kind} of "));
    Doubt {
        what,
        said: now.said.difference(&before.said).filter(own).cloned().collect(),
        left_alone: now.left_alone.difference(&before.left_alone).cloned().collect(),
        held,
        followed,
        healed: false,
    }
}

impl Doubt {
    /// What followed from it, in words.
    pub fn follows(&self) -> String {
        match self.followed.as_slice() {
            [] => "nothing follows".to_owned(),
            [one] => format!("an operation followed: {one}"),
            [first, ..] => format!("{} operations followed, the first: {first}", self.followed.len()),
        }
    }
}

/// What of a plan is compared.
struct View {
    /// The digests of its operations.
    operations: BTreeSet<String>,
    /// What was not believed, and what is to be looked at as a whole.
    said: BTreeSet<String>,
    /// Types that were left alone because of a reading.
    left_alone: BTreeSet<String>,
}

impl View {
    fn of(plan: &Value) -> Self {
        let pairs = list(plan, "pairs").iter().flat_map(|pair| list(pair, "not_trusted"));
        let doubts =
            pairs.map(|d| format!("{} of {}: {}", text(d, "type"), text(d, "instance"), text(d, "why")));
        let failed = list(plan, "failed").iter().map(|f| text(f, "why").to_owned());
        let findings = list(plan, "findings").iter().map(|f| {
            let (code, field) = (text(f, "code"), text(f, "field"));
            let types = list(f, "types").len();
            format!("{code} in {field} of {} of {} objects of {types} types", f["count"], f["of"])
        });
        let is_whole = |s: &&Value| text(s, "name").is_empty() && text(s, "reason").starts_with("reading");
        Self {
            operations: list(plan, "operations").iter().map(|o| text(o, "digest").to_owned()).collect(),
            said: doubts.chain(failed).chain(findings).collect(),
            left_alone: list(plan, "skipped")
                .iter()
                .filter(is_whole)
                .map(|s| text(s, "type").to_owned())
                .collect(),
        }
    }
}
