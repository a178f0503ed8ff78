//! What people ask the worker for.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};

use super::Targets;
use super::instances::hindrance;
use super::readers::Running;
use crate::balance::Picture;
use crate::idmap::guid::Guid;
use crate::state::StoreError;
use crate::sync::catalogue::Kind;
use crate::sync::links::Links;
use crate::sync::read;
use crate::sync::read::full::Progress;
use crate::sync::report::{PairReport, Report};
use crate::sync::snapshot::Distrust;
use crate::vms::client::Client;

/// Talks to the worker. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    /// Which objects are the same.
    pub links: Arc<Links>,
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) report: watch::Receiver<Arc<Report>>,
    pub(super) pictures: watch::Receiver<Arc<Picture>>,
    pub(super) targets: Targets,
    pub(super) progress: watch::Receiver<Running>,
}

/// Why an order was not carried out.
#[derive(Debug, Error)]
pub enum OrderError {
    /// Something speaks against it.
    #[error("{message}")]
    Refused {
        /// What.
        message: String,
        /// What to do about it.
        remedy: String,
    },
    /// It could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is stopping.
    #[error("the gatekeeper is stopping")]
    Stopping,
}

pub(super) struct Order {
    pub(super) wanted: Wanted,
    done: Done,
}

pub(super) enum Wanted {
    /// Read everything, compare, plan.
    Run {
        /// Links end although most of what was linked is missing.
        believe_losses: bool,
        by: String,
    },
    /// The same, and what is paired by now counts from then on.
    Baseline {
        /// Both instances; `None`: all that share a site.
        instances: Option<[String; 2]>,
        reason: String,
        by: String,
    },
    /// What the last reading of a type was not believed for is let pass.
    Accept { instance: String, kind: Option<Kind>, reason: String, by: String },
}

enum Done {
    Report(oneshot::Sender<Arc<Report>>),
    Accepted(oneshot::Sender<Result<Vec<String>, OrderError>>),
}

impl Handle {
    /// Reads everything, compares and plans now; `None` if the program is stopping. What is not
    /// finished when the caller loses patience goes on and is seen in [`Handle::report`].
    pub async fn run(&self, believe_losses: bool, by: &str) -> Option<Arc<Report>> {
        self.report_of(Wanted::Run { believe_losses, by: by.to_owned() }).await
    }

    /// Reads everything, and from then on what is paired counts. Gives the instances.
    ///
    /// # Errors
    /// If there is nothing to confirm, or it could not be read or written down.
    pub async fn confirm_baseline(
        &self,
        instances: Option<[String; 2]>,
        reason: &str,
        by: &str,
    ) -> Result<Vec<[String; 2]>, OrderError> {
        let instances = instances.map(|mut names| {
            names.sort();
            names
        });
        let wanted = |names: &[String; 2]| instances.as_ref().is_none_or(|i| i == names);
        let confirmed = |report: &Report| -> Vec<[String; 2]> {
            let planned = report.pairs.iter().filter_map(|p| p.plan.as_ref());
            planned
                .filter(|p| wanted(&p.instances) && p.baseline.is_some())
                .map(|p| p.instances.clone())
                .collect()
        };
        let before = confirmed(&self.report());
        let order =
            Wanted::Baseline { instances: instances.clone(), reason: reason.to_owned(), by: by.to_owned() };
        let report = self.report_of(order).await.ok_or(OrderError::Stopping)?;
        let new: Vec<_> = confirmed(&report).into_iter().filter(|names| !before.contains(names)).collect();
        if !new.is_empty() {
            return Ok(new);
        }
        let why = report.pairs.iter().filter(|p| wanted(&p.instances)).find_map(|p| p.outcome.why());
        let unseen = Distrust::Status(403).to_string();
        let unread =
            |p: &&PairReport| wanted(&p.instances) && p.plan.as_ref().is_some_and(|p| p.baseline.is_none());
        let unread =
            report.pairs.iter().filter(unread).find_map(|p| p.unread.iter().find(|(.., why)| *why != unseen));
        let (message, remedy) = match why {
            Some(why) => (format!("not confirmed: {why}"), "see `gatekeeper sync status`"),
            None if let Some((instance, kind, why)) = unread => (
                format!("not confirmed: not everything is believed: {kind} of {instance}: {why}"),
                "mend it, or let it pass by `gatekeeper sync approve reading`; `gatekeeper sync plan` lists all",
            ),
            None if before.is_empty() => (
                "no two instances share a site".to_owned(),
                "name two that are primary and standby of one site",
            ),
            None => (
                "it is confirmed already".to_owned(),
                "there is nothing to do; `gatekeeper sync status` says by whom",
            ),
        };
        Err(OrderError::Refused { message, remedy: remedy.to_owned() })
    }

    /// Lets pass what the newest reading of a type (`None`: of the instance as a whole) was not believed
    /// for. Gives that in words.
    ///
    /// # Errors
    /// If it was believed, or for what nobody can let pass, or it could not be written down.
    pub async fn accept(
        &self,
        instance: &str,
        kind: Option<Kind>,
        reason: &str,
        by: &str,
    ) -> Result<Vec<String>, OrderError> {
        let (done, answer) = oneshot::channel();
        let wanted = Wanted::Accept {
            instance: instance.to_owned(),
            kind,
            reason: reason.to_owned(),
            by: by.to_owned(),
        };
        let order = Order { wanted, done: Done::Accepted(done) };
        self.orders.send(order).await.map_err(|_| OrderError::Stopping)?;
        answer.await.unwrap_or(Err(OrderError::Stopping))
    }

    /// Whether an instance has this object; `None`: it cannot be asked now.
    pub async fn exists(&self, instance: &str, kind: &str, id: Guid) -> Option<bool> {
        let picture = Arc::clone(&self.pictures.borrow());
        let at = picture.config.instance_named(instance)?;
        let account = picture.config.instance(at).account.as_ref()?;
        // In quarantine it is not reached at all.
        let target = (self.targets)(instance).filter(|_| hindrance(&picture, at).is_none())?;
        read::exists(&Client::new(target), account, kind, id).await
    }

    /// What the last run found.
    pub fn report(&self) -> Arc<Report> {
        Arc::clone(&self.report.borrow())
    }

    /// What is being read now, by instance.
    pub fn progress(&self) -> BTreeMap<String, Progress> {
        self.progress.borrow().iter().map(|(name, progress)| (name.clone(), *progress.borrow())).collect()
    }

    async fn report_of(&self, wanted: Wanted) -> Option<Arc<Report>> {
        let (done, answer) = oneshot::channel();
        self.orders.send(Order { wanted, done: Done::Report(done) }).await.ok()?;
        answer.await.ok()
    }
}

impl Order {
    /// The run is over. Nobody may wait any more: the report is published.
    pub(super) fn answer(self, report: Arc<Report>) {
        if let Done::Report(done) = self.done {
            let _ = done.send(report);
        }
    }

    pub(super) fn answer_accepted(self, accepted: Result<Vec<String>, OrderError>) {
        if let Done::Accepted(done) = self.done {
            let _ = done.send(accepted);
        }
    }

    /// Links end although most of what was linked is missing.
    pub(super) const fn believes_losses(&self) -> bool {
        matches!(self.wanted, Wanted::Run { believe_losses: true, .. })
    }

    /// Who gave it.
    pub(super) fn by(&self) -> &str {
        match &self.wanted {
            Wanted::Run { by, .. } | Wanted::Baseline { by, .. } | Wanted::Accept { by, .. } => by,
        }
    }

    /// Who confirms the baseline of these instances by it, and why.
    pub(super) fn confirms(&self, names: &[String; 2]) -> Option<(&str, &str)> {
        match &self.wanted {
            Wanted::Baseline { instances, reason, by } if instances.as_ref().is_none_or(|i| i == names) => {
                Some((by, reason))
            }
            _ => None,
        }
    }
}
