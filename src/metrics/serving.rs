//! Gauges and counters that follow the published [`Picture`].

use std::collections::BTreeSet;

use super::{Closed, Metrics, NOBODY, Throttled, lock};
use crate::balance::{Failover, Picture};
use crate::config::types::{InstanceId, Service};

/// The label values on display: what has to go when a reload removes its subject. Names and not
/// ids, because ids mean nothing after a reload.
#[derive(Debug, Default)]
pub(super) struct Shown {
    up: BTreeSet<(String, &'static str)>,
    serving: BTreeSet<(String, &'static str, String)>,
    moves: BTreeSet<[String; 5]>,
    sites: BTreeSet<String>,
}

impl Metrics {
    /// Shows the picture and counts the failovers that led to it. Call for every new picture.
    pub fn apply(&self, picture: &Picture, failovers: &[Failover]) {
        let mut shown = lock(&self.shown);
        let next = Shown::of(picture);
        self.remove_gone(&mut shown, &next);
        for id in picture.config.instance_ids() {
            for service in existing(picture, id) {
                let labels = [picture.config.instance(id).name.as_str(), service.as_str()];
                self.upstream_up.with_label_values(&labels).set(picture.usable(id, service).into());
            }
        }
        for id in picture.config.site_ids() {
            let site = picture.config.site(id);
            for service in site.services() {
                let serving = picture.table.get(id, *service).instance;
                for candidate in site.candidates() {
                    let name = picture.config.instance(candidate).name.as_str();
                    let labels = [site.name.as_str(), service.as_str(), name];
                    self.serving.with_label_values(&labels).set((serving == Some(candidate)).into());
                }
            }
        }
        let moves = std::mem::take(&mut shown.moves);
        *shown = Shown { moves, ..next };
        for f in failovers {
            if !shown.sites.contains(&f.site) || !f.exists {
                continue;
            }
            let labels = [
                f.site.clone(),
                f.service.as_str().to_owned(),
                f.from.clone().unwrap_or_else(|| NOBODY.to_owned()),
                f.to.clone().unwrap_or_else(|| NOBODY.to_owned()),
                f.reason.as_str().to_owned(),
            ];
            self.failovers.with_label_values(&labels).inc();
            shown.moves.insert(labels);
        }
    }

    /// Only what an earlier picture showed is removed: a route for the next configuration may
    /// have asked for its series before the first picture of that configuration comes.
    fn remove_gone(&self, shown: &mut Shown, next: &Shown) {
        // An error of `remove_label_values` says that the series is not there: as wanted.
        for (instance, service) in shown.up.difference(&next.up) {
            let _ = self.upstream_up.remove_label_values(&[instance.as_str(), service]);
        }
        for (site, service, instance) in shown.serving.difference(&next.serving) {
            let _ = self.serving.remove_label_values(&[site.as_str(), service, instance]);
            self.remove_requests(site, service, instance);
        }
        let services = |s: &Shown| -> BTreeSet<(String, &'static str)> {
            s.serving.iter().map(|(site, service, _)| (site.clone(), *service)).collect()
        };
        for (site, service) in services(shown).difference(&services(next)) {
            self.remove_requests(site, service, NOBODY);
            let _ = self.duration.remove_label_values(&[site.as_str(), service]);
        }
        for site in shown.sites.difference(&next.sites) {
            let _ = self.standby_writes.remove_label_values(&[site.as_str()]);
            for scope in Throttled::ALL {
                let _ = self.throttled.remove_label_values(&[site.as_str(), scope.as_str()]);
            }
            let _ = self.ids_without_partner.remove_label_values(&[site.as_str()]);
            // Those of the others come back with the next count.
            self.sessions.reset();
        }
        // A move away from an instance that was removed in the same reload must still be seen, so
        // moves go with their site only.
        shown.moves.retain(|labels| {
            let stays = next.sites.contains(&labels[0]);
            if !stays {
                let _ = self.failovers.remove_label_values(labels);
            }
            stays
        });
    }

    fn remove_requests(&self, site: &str, service: &str, instance: &str) {
        let key = [site.to_owned(), service.to_owned(), instance.to_owned()];
        if let Some(series) = lock(&self.series).remove(&key) {
            for code in series.retire() {
                let _ = self.requests.remove_label_values(&[site, service, instance, &code]);
            }
        }
    }
}

/// What an instance does not have is neither up nor down: an alert on it would never clear.
fn existing(picture: &Picture, id: InstanceId) -> impl Iterator<Item = Service> {
    picture.config.services_of(id).into_iter().filter(move |s| picture.fact(id, *s).exists())
}

impl Shown {
    fn of(picture: &Picture) -> Self {
        let config = &picture.config;
        let mut shown = Self::default();
        for id in config.instance_ids() {
            let name = &config.instance(id).name;
            shown.up.extend(existing(picture, id).map(|s| (name.clone(), s.as_str())));
        }
        for site in &config.sites {
            shown.sites.insert(site.name.clone());
            for service in site.services() {
                for candidate in site.candidates() {
                    let instance = config.instance(candidate).name.clone();
                    shown.serving.insert((site.name.clone(), service.as_str(), instance));
                }
            }
        }
        shown
    }
}
