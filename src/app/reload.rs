//! Hot reload: all of a new configuration, or nothing of it.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{AppError, backends, certificate_hosts};
use crate::admin::{AdminState, ReloadReport, Users};
use crate::config::reload::{Watch, changes, files, frozen};
use crate::config::types::{CertificateSource, Config};
use crate::config::{self, LoadError};
use crate::health::supervisor::SupervisorHandle;
use crate::live::Prepared;
use crate::metrics::{Metrics, ReloadResult};
use crate::session::cookie::Signer;
use crate::sync::links::Links;
use crate::tls::resolver::{self, Resolver};

/// Everything that a reload replaces.
pub(super) struct Reloader {
    pub(super) current: Arc<ArcSwap<Prepared>>,
    pub(super) supervisor: SupervisorHandle,
    pub(super) links: Arc<Links>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) signer: Arc<Signer>,
    pub(super) certificate: Arc<Resolver>,
    pub(super) admin_certificate: Option<Arc<Resolver>>,
    pub(super) state: AdminState,
}

impl Reloader {
    /// Watches the files of the configuration that is in force.
    pub(super) fn follow(&self, watch: &mut Watch) {
        watch.follow(files(&self.current.load().config));
    }

    /// Reads the configuration again and applies it, or keeps the old one and says why.
    pub(super) async fn reload(&self, why: &str, watch: &mut Watch) {
        let old = self.current.load_full().config.clone();
        let path = old.file.clone();
        // Reads files; a slow disk must not hold up the control plane.
        let loaded = tokio::task::spawn_blocking(move || config::load(&path)).await;
        let complaints = match loaded {
            Ok(Ok(new)) => match self.apply(&old, Arc::new(new)).await {
                Ok(differences) => {
                    tracing::info!(why, changes = differences.join("; "), "configuration reloaded");
                    self.metrics.reloaded(ReloadResult::Applied);
                    self.state.reload_report.store(Arc::new(ReloadReport::applied()));
                    return self.follow(watch);
                }
                Err(complaints) => {
                    self.follow(watch);
                    complaints
                }
            },
            Ok(Err(LoadError { complaints, files: named })) => {
                // The repair may happen in a file that only the refused configuration names.
                watch.follow(files(&old).into_iter().chain(named));
                complaints.iter().map(ToString::to_string).collect()
            }
            Err(e) => vec![format!("reading the configuration failed: {e}")],
        };
        for complaint in &complaints {
            tracing::error!(why, "reload refused, the old configuration stays in force: {complaint}");
        }
        self.metrics.reloaded(ReloadResult::Failed);
        self.state.reload_report.store(Arc::new(ReloadReport::failed(complaints)));
    }

    /// Builds everything first; only then replaces it.
    async fn apply(&self, old: &Config, new: Arc<Config>) -> Result<Vec<String>, Vec<String>> {
        let frozen: Vec<String> = frozen(old, &new).iter().map(ToString::to_string).collect();
        if !frozen.is_empty() {
            return Err(frozen);
        }
        let say = |e: &dyn std::error::Error| vec![e.to_string()];
        // A self-signed certificate is made anew only for new names: clients may have accepted it.
        let keep = old.listener.certificate == CertificateSource::SelfSigned
            && new.listener.certificate == CertificateSource::SelfSigned
            && certificate_hosts(old) == certificate_hosts(&new);
        let certificate = if keep {
            None
        } else {
            let loaded = resolver::load(&new.listener.certificate, &certificate_hosts(&new));
            Some(loaded.map_err(|e| say(&e))?)
        };
        let admin_certificate = match &new.admin.certificate {
            Some((chain, key)) => Some(resolver::from_files(chain, key).map_err(|e| say(&e))?),
            None => None,
        };
        let users = Users::load(&new.admin).map_err(|e| say(&e))?;
        let before = self.current.load_full();
        let earlier: Vec<_> =
            before.config.instances.iter().cloned().zip(before.backends().iter().cloned()).collect();
        let backends = backends(&new, &earlier).map_err(|e: AppError| say(&e))?;
        let prepared = Arc::new(Prepared::new(new.clone(), backends, &self.signer, &self.metrics));

        // From here on nothing can fail.
        for warning in new.warnings.iter().chain(&users.warnings) {
            tracing::warn!("{warning}");
        }
        if let Some(key) = certificate {
            self.certificate.replace(key);
            if let Some(expiry) = self.certificate.expiry() {
                self.metrics.set_certificate_expiry(expiry);
            }
        }
        if let (Some(resolver), Some(key)) = (&self.admin_certificate, admin_certificate) {
            resolver.replace(key);
        }
        self.state.users.store(Arc::new(users));
        let monitors = prepared.backends().iter().map(|b| b.monitor.clone()).collect();
        let targets = prepared.backends().iter().map(|b| b.target.clone()).collect();
        self.current.store(prepared);
        self.links.configure(new.clone()).await;
        self.supervisor.reload(new.clone(), monitors, targets).await;
        Ok(changes(old, &new))
    }
}
