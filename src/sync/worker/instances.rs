//! Which instances belong together, and whether they can be asked now.

use std::collections::BTreeSet;

use crate::balance::Picture;
use crate::config::types::{Config, InstanceId, Service};
use crate::health::Condition;
use crate::sync::pair::Side;

/// Two instances that serve one site, one of them its primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Couple {
    /// In the order of their names.
    pub(super) ids: [InstanceId; 2],
    /// The primary; of the first site in the configuration, if they serve several.
    pub(super) source: Side,
}

/// Every two instances that serve one site, one of them its primary.
pub(super) fn couples(config: &Config) -> Vec<Couple> {
    let mut couples: Vec<Couple> = Vec::new();
    for site in config.sites.iter().filter(|s| s.is_xprotect()) {
        for standby in &site.standby {
            let mut ids = [site.primary, *standby];
            ids.sort_unstable_by_key(|id| &config.instance(*id).name);
            let source = if ids[0] == site.primary { Side::A } else { Side::B };
            if couples.iter().all(|c| c.ids != ids) {
                couples.push(Couple { ids, source });
            }
        }
    }
    couples
}

/// Why an instance is not asked.
pub(super) fn hindrance(picture: &Picture, id: InstanceId) -> Option<&'static str> {
    if picture.quarantined(id) {
        return Some(QUARANTINE);
    }
    if picture.config.instance(id).account.is_none() {
        return Some(NO_ACCOUNT);
    }
    match picture.condition(id, Service::Config) {
        Condition::Up | Condition::Suspect => None,
        Condition::Unknown => Some("it was not probed yet"),
        Condition::Down | Condition::Absent => Some("its configuration service is down"),
    }
}

/// The instances that can be asked.
pub(super) fn readable(picture: &Picture) -> BTreeSet<String> {
    let all = couples(&picture.config).into_iter().flat_map(|c| c.ids);
    let usable = all.filter(|id| hindrance(picture, *id).is_none());
    usable.map(|id| picture.config.instance(id).name.clone()).collect()
}

pub(super) const QUARANTINE: &str = "it is in quarantine";
pub(super) const NO_ACCOUNT: &str = "it has no account";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::types::SiteId;
    use crate::testing::config;

    #[test]
    fn a_couple_is_sorted_by_name_and_knows_its_primary() {
        let couple = |names: &[&str]| couples(&config("hq", names));
        assert_eq!(couple(&["a", "b"]), [Couple { ids: [InstanceId(0), InstanceId(1)], source: Side::A }]);
        assert_eq!(couple(&["b", "a"]), [Couple { ids: [InstanceId(1), InstanceId(0)], source: Side::B }]);
        assert_eq!(couple(&["a", "b", "c"]).len(), 2, "two standbys are not compared with each other");
        assert!(couple(&["a"]).is_empty());
    }

    #[test]
    fn of_several_sites_the_first_says_who_is_primary() {
        let mut both = config("hq", &["a", "b"]);
        let mut other = both.sites[SiteId(0).index()].clone();
        (other.primary, other.standby) = (InstanceId(1), vec![InstanceId(0)]);
        both.sites.push(other);
        assert_eq!(couples(&both), [Couple { ids: [InstanceId(0), InstanceId(1)], source: Side::A }]);
    }
}
