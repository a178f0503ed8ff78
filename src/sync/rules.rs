//! The operator's rules about two instances, from the configuration and the catalogue.

use std::collections::BTreeMap;

use super::catalogue::Kind;
use super::plan::{Rules, TypePolicy};
use crate::config::types::Sync;

/// The rules in force; `baseline`: somebody has confirmed what was paired at first.
pub fn rules(config: &Sync, baseline: bool) -> Rules {
    let policies: BTreeMap<Kind, TypePolicy> = config
        .policies
        .iter()
        .map(|said| {
            let [create, update, delete] = said.kind.row().default;
            let policy = TypePolicy {
                create: said.create.unwrap_or(create),
                update: said.update.unwrap_or(update),
                delete: said.delete.unwrap_or(delete),
                both: said.both,
                fields: said.fields.clone(),
            };
            (said.kind, policy)
        })
        .collect();
    Rules {
        policies,
        unconfirmed: config.unconfirmed,
        baseline,
        delete_readings: config.delete_readings,
        delete_age_s: config.delete_min_age.as_secs(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config::types::SyncPolicy;
    use crate::sync::catalogue::Policy;
    use crate::testing::config;

    #[test]
    fn what_the_operator_does_not_say_is_as_in_the_catalogue() {
        let mut sync = config("hq", &["a", "b"]).sync;
        assert!(rules(&sync, false).policies.is_empty());
        let kind = Kind::from_name("timeProfiles").unwrap();
        sync.policies.push(SyncPolicy {
            kind,
            create: Some(Policy::Never),
            update: None,
            delete: None,
            both: true,
            fields: Vec::new(),
        });
        let policy = &rules(&sync, true).policies[&kind];
        let [_, update, delete] = kind.row().default;
        assert_eq!((policy.create, policy.update, policy.delete), (Policy::Never, update, delete));
        assert!(policy.both);
    }
}
