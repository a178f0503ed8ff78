//! The world at start. The physical site follows from the seed alone; ids and divergence also from the name.

mod alarms;
mod devices;
mod events;
mod groups;
mod ptz;
mod recorders;
mod site;
mod users;

use super::{
    World,
    accounts::Accounts,
    grants::Grants,
    ids::{Ids, dice, share},
    jobs::Jobs,
    store::Store,
};
use crate::{settings::Settings, stamp::Stamp};

/// What the parts of the seed share.
struct Seed<'a> {
    settings: &'a Settings,
    ids: Ids,
    /// Id of the site object.
    site: String,
    store: Store,
    accounts: Accounts,
}

/// What divergence does to an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// As on every instance.
    Kept,
    /// Missing here.
    Missing,
    /// Here, but changed.
    Changed,
}

/// Builds the world.
pub fn build(settings: &Settings) -> World {
    let ids = Ids::new(&settings.name, settings.seed);
    let site = ids.of("sites", 0);
    let mut seed = Seed { settings, ids, site, store: Store::default(), accounts: Accounts::default() };
    seed.site();
    seed.devices();
    seed.events();
    seed.alarms();
    let roles = seed.users();
    World {
        store: seed.store,
        accounts: seed.accounts,
        jobs: Jobs::default(),
        writes: Vec::new(),
        guarded: settings.cameras.div_ceil(2),
        grants: Grants::new(roles),
    }
}

impl Seed<'_> {
    /// A number of the physical site: the same on every instance of the seed.
    fn dice(&self, kind: &str, index: usize) -> u64 {
        dice(self.settings.seed, kind, index)
    }

    /// What divergence does to an object of this instance.
    fn fate(&self, kind: &str, index: usize) -> Fate {
        let name = &self.settings.name;
        if share(self.settings.seed, &format!("diverge/{name}/{kind}"), index) >= self.settings.diverge {
            Fate::Kept
        } else if dice(self.settings.seed, &format!("fate/{name}/{kind}"), index).is_multiple_of(2) {
            Fate::Missing
        } else {
            Fate::Changed
        }
    }

    /// A time in 2024 that belongs to the object on this instance: the two sides were set up one after the other, so
    /// nothing may rely on equal times.
    fn time(&self, kind: &str, index: usize) -> String {
        /// 2024-01-01T00:00:00Z.
        const START: i64 = 1_704_067_200;
        // Less than a year in milliseconds, so it fits.
        let millis = i64::try_from(
            dice(self.settings.seed, &format!("time/{}/{kind}", self.settings.name), index)
                % (365 * 86_400 * 1000),
        )
        .unwrap_or(0);
        Stamp::from_seconds(START).plus_millis(millis).wire()
    }
}

#[cfg(test)]
mod tests;
