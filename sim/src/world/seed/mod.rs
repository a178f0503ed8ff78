//! The world at start. The physical site follows from the seed alone; ids and divergence also from the name.

mod alarms;
mod devices;
mod events;
mod groups;
mod licences;
mod plugins;
mod ptz;
mod reactions;
mod recorders;
mod site;
mod sources;
mod users;
mod views;
mod walls;

use serde_json::Value;

use super::{
    World,
    accounts::Accounts,
    grants::Grants,
    ids::{Ids, dice, share},
    jobs::Jobs,
    last_modified,
    store::{Object, Store},
};
use crate::{rest::table, settings::Settings, stamp::Stamp};

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
    seed.sources();
    seed.reactions();
    seed.views();
    seed.walls();
    seed.plugins();
    seed.licences();
    seed.providers();
    let roles = seed.users();
    World {
        store: seed.store,
        accounts: seed.accounts,
        jobs: Jobs::default(),
        writes: crate::world::Writes::default(),
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

    /// Makes an object below the site, unless divergence leaves it out; gives its id.
    fn make(&mut self, kind: &'static str, index: usize, fields: Value) -> Option<String> {
        let site = self.site.clone();
        self.make_below(("sites", &site), kind, index, fields)
    }

    /// [`make`](Self::make) below another object.
    fn make_below(
        &mut self,
        parent: (&'static str, &str),
        kind: &'static str,
        index: usize,
        fields: Value,
    ) -> Option<String> {
        let fate = self.fate(kind, index);
        if fate == Fate::Missing {
            return None;
        }
        let id = self.ids.of(kind, index);
        let mut object = Object::new(kind, id.clone()).below(parent.0, parent.1).with(fields);
        if fate == Fate::Changed {
            let (field, text) = match table::find(kind).and_then(|kind| kind.field("description")) {
                Some(_) => ("description", format!("changed on {}", self.settings.name)),
                None => ("name", format!("{} ({})", object.text("name"), self.settings.name)),
            };
            object.set(field, text);
        }
        self.insert(object, index);
        Some(id)
    }

    /// Makes what every installation has: it is never missing and cannot be deleted.
    fn make_built_in(&mut self, kind: &'static str, id: &str, fields: Value) {
        let object = Object::new(kind, id.to_owned()).below("sites", &self.site).built_in().with(fields);
        self.insert(object, 0);
    }

    /// Stores an object with the times that its type has.
    fn insert(&mut self, mut object: Object, index: usize) {
        let has = |field| table::find(object.kind).is_some_and(|kind| kind.field(field).is_some());
        let time = if object.built_in { Self::installed() } else { self.time(object.kind, index) };
        for field in ["createdDate", "lastModified", "LastModified"].into_iter().filter(|field| has(field)) {
            let stamp = Stamp::parse(&time).map(|stamp| last_modified(self.settings, object.kind, stamp));
            object.set(field, stamp.unwrap_or_else(|| time.clone()));
        }
        self.store.insert(object);
    }

    /// A camera that the guards see, too: the one of that physical index, counted round.
    fn camera_id(&self, index: usize) -> Option<String> {
        let id = self.ids.of("cameras", index.checked_rem(self.settings.cameras.div_ceil(2))?);
        self.store.get("cameras", &id).map(|camera| camera.id.clone())
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
