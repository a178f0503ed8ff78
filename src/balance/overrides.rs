//! What an operator has decided about an instance. Overrides survive a restart; the admin side
//! stores them, the supervisor applies them.

use serde::{Deserialize, Serialize};

use crate::clock::Moment;
use crate::config::types::{Config, InstanceId};

/// One operator's decision about one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Name of the instance; names, unlike ids, outlive a reload. An unknown name has no effect.
    pub instance: String,
    /// What it means.
    pub kind: OverrideKind,
    /// The operator's words.
    pub reason: String,
    /// Who decided.
    pub by: String,
    /// When, in seconds of UNIX time.
    pub since_unix: u64,
}

/// How far an instance is kept out. Ordered by severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverrideKind {
    /// Serves the sessions that it has; nothing new goes to it.
    Drain,
    /// Treated as hostile: no request, no credential, nothing from it is trusted.
    Quarantine,
}

impl OverrideKind {
    /// The name in the admin API and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::Quarantine => "quarantine",
        }
    }
}

/// The overrides of a configuration's instances, the strongest of each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held(Vec<Hold>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hold {
    kind: Option<OverrideKind>,
    /// When the last override ended: an instance that was held is stable from here at the earliest.
    released: Option<Moment>,
}

impl Held {
    /// Resolves names to ids. `previous` tells by name what was held before, so that a release is
    /// noticed and dated `now`.
    pub fn resolve(
        config: &Config,
        overrides: &[Override],
        previous: Option<(&Config, &Self)>,
        now: Moment,
    ) -> Self {
        let hold = |id: InstanceId| {
            let name = &config.instance(id).name;
            let kind = overrides.iter().filter(|o| o.instance == *name).map(|o| o.kind).max();
            let before = previous.and_then(|(config, held)| {
                let id = config.instance_named(name)?;
                held.0.get(id.index())
            });
            let released = match (before, kind) {
                (Some(before), None) if before.kind.is_some() => Some(now),
                (Some(before), _) => before.released,
                (None, _) => None,
            };
            Hold { kind, released }
        };
        Self(config.instance_ids().map(hold).collect())
    }

    /// What holds an instance, if anything.
    pub fn kind(&self, instance: InstanceId) -> Option<OverrideKind> {
        self.0.get(instance.index()).and_then(|h| h.kind)
    }

    /// When the last override of this instance ended.
    pub fn released(&self, instance: InstanceId) -> Option<Moment> {
        self.0.get(instance.index()).and_then(|h| h.released)
    }
}
