//! All that a request needs to know, as one immutable snapshot: the picture of health and balance,
//! and what was prepared once for the configuration that the picture is about.

use std::sync::Arc;

use prometheus::IntCounter;

use crate::balance::Picture;
use crate::config::types::{Config, InstanceId, Service, SiteId};
use crate::metrics::{Closed, Metrics, NOBODY, RequestSeries, Throttled};
use crate::route::table::Hosts;
use crate::session::cookie::Signer;
use crate::upstream::backend::Backend;

/// One consistent view for one request. Replaced as a whole.
pub struct Live {
    /// Who is healthy, who serves.
    pub picture: Arc<Picture>,
    /// What follows from the configuration alone.
    pub prepared: Arc<Prepared>,
}

/// What follows from a configuration alone. All ids belong to `config`.
pub struct Prepared {
    /// The configuration.
    pub config: Arc<Config>,
    /// Host names.
    pub hosts: Hosts,
    backends: Vec<Arc<Backend>>,
    sites: Vec<SiteParts>,
}

struct SiteParts {
    /// By [`Service::index`], then by instance; the last is "answered by us".
    series: Vec<Vec<Arc<RequestSeries>>>,
    /// The affinity cookie's value for each candidate.
    cookies: Vec<(InstanceId, String)>,
    standby_writes: IntCounter,
    throttled: Vec<IntCounter>,
}

impl Prepared {
    /// Prepares `config`; `backends` are indexed by [`InstanceId`].
    pub fn new(config: Arc<Config>, backends: Vec<Arc<Backend>>, signer: &Signer, metrics: &Metrics) -> Self {
        let sites = config
            .sites
            .iter()
            .map(|site| SiteParts {
                series: Service::ALL
                    .iter()
                    .map(|service| {
                        let names = config.instances.iter().map(|i| i.name.as_str()).chain([NOBODY]);
                        names.map(|n| metrics.request_series(&site.name, service.as_str(), n)).collect()
                    })
                    .collect(),
                cookies: site
                    .candidates()
                    .map(|id| (id, signer.value(&site.name, &config.instance(id).name)))
                    .collect(),
                standby_writes: metrics.standby_writes(&site.name),
                throttled: metrics.throttled(&site.name),
            })
            .collect();
        Self { hosts: Hosts::new(&config), backends, sites, config }
    }

    /// The instance as the data plane sees it.
    pub fn backend(&self, id: InstanceId) -> &Arc<Backend> {
        &self.backends[id.index()]
    }

    /// All of them, by [`InstanceId`].
    pub fn backends(&self) -> &[Arc<Backend>] {
        &self.backends
    }

    /// The instance with this backend, if the configuration still has it.
    pub fn by_key(&self, key: u64) -> Option<InstanceId> {
        self.config.instance_ids().find(|id| self.backend(*id).key == key)
    }

    /// The same, if the instance is a candidate of this site: one client connection may have been to
    /// several.
    pub fn candidate_by_key(&self, site: SiteId, key: u64) -> Option<InstanceId> {
        self.config.site(site).candidates().find(|id| self.backend(*id).key == key)
    }

    /// The counters for requests of `site` to `service` that `instance` (or we) answered.
    pub fn series(&self, site: SiteId, service: Service, instance: Option<InstanceId>) -> &RequestSeries {
        let row = &self.sites[site.index()].series[service.index()];
        &row[instance.map_or(row.len() - 1, InstanceId::index)]
    }

    /// The affinity cookie's value for `instance`.
    pub fn cookie(&self, site: SiteId, instance: InstanceId) -> Option<&str> {
        self.sites[site.index()].cookies.iter().find(|(id, _)| *id == instance).map(|(_, v)| v.as_str())
    }

    /// The instance that an affinity cookie names. Values are compared, not decoded: only one that
    /// we made can be equal.
    pub fn named_by_cookie(&self, site: SiteId, value: &str) -> Option<InstanceId> {
        self.sites[site.index()].cookies.iter().find(|(_, known)| known == value).map(|(id, _)| *id)
    }

    /// Counts a write that a standby takes (design D20).
    pub fn count_standby_write(&self, site: SiteId) {
        self.sites[site.index()].standby_writes.inc();
    }

    /// Counts a login that has to wait.
    pub fn count_throttled(&self, site: SiteId, scope: Throttled) {
        self.sites[site.index()].throttled[scope.index()].inc();
    }
}
