//! Who decides about an operation: what the API can do, what may never happen by itself, and the
//! operator's policy.

use super::{Act, Rules, TypePolicy, Verdict};
use crate::sync::catalogue::field::Class;
use crate::sync::catalogue::{Coverage, How, Kind, Policy};

/// What becomes of an operation as far as its type says, and why.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub policy: Policy,
    pub verdict: Verdict,
    pub reasons: Vec<String>,
}

/// The policy of a type: the operator's, or that of the catalogue.
pub(super) fn of(rules: &Rules, kind: Kind) -> TypePolicy {
    rules.policies.get(&kind).cloned().unwrap_or_else(|| {
        let [create, update, delete] = kind.row().default;
        TypePolicy { create, update, delete, both: false, fields: Vec::new() }
    })
}

/// Judges an operation by its type alone.
///
/// # Errors
/// There will be no such operation; the reason.
pub(super) fn judge(rules: &Rules, kind: Kind, act: Act) -> Result<Judged, String> {
    let row = kind.row();
    let own = of(rules, kind);
    let (word, passive, how, policy) = match act {
        Act::Create => ("create", "created", row.create, own.create),
        Act::Delete => ("delete", "deleted", row.delete, own.delete),
        Act::Update | Act::Rename | Act::Replace => ("update", "changed", row.update, own.update),
    };
    if row.coverage == Coverage::CompareOnly || how == How::No {
        return Err(format!("coverage: {kind} cannot be {passive} through the API: {}", row.note));
    }
    let mut judged = Judged {
        policy,
        verdict: Verdict::Pass,
        reasons: vec![format!("policy: {kind}.{word} = {}", policy.as_str())],
    };
    match policy {
        Policy::Never => return Err(judged.reasons.swap_remove(0)),
        Policy::Approve => judged.verdict = Verdict::Hold,
        Policy::Auto => {}
    }
    if act == Act::Delete && HOLDS_RECORDINGS.contains(&kind.as_str()) {
        judged.hold(format!("floor: {kind} are never deleted by themselves: recordings may go with them"));
    }
    if act == Act::Create && needs_secret(kind) {
        judged.hold("needs a secret".to_owned());
    }
    if !rules.baseline {
        judged.hold("baseline: not confirmed; see gatekeeper sync approve baseline".to_owned());
    }
    Ok(judged)
}

impl Judged {
    /// Makes it wait for a person.
    fn hold(&mut self, reason: String) {
        self.verdict = self.verdict.max(Verdict::Hold);
        self.reasons.push(reason);
    }
}

/// The password of hardware is a parameter of the task that adds it, and no field.
fn needs_secret(kind: Kind) -> bool {
    let row = kind.row();
    row.create == How::Task("AddHardware") || row.fields.iter().any(|field| field.class == Class::Secret)
}

/// Types whose objects take recordings with them when they go (sync design, S20). Compiled in: no
/// configuration lets such a deletion pass.
const HOLDS_RECORDINGS: [&str; 8] = [
    "recordingServers",
    "storages",
    "archiveStorages",
    "hardware",
    "cameras",
    "microphones",
    "speakers",
    "metadata",
];
