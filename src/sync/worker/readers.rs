//! Reads instances, and keeps what the next reading is compared with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::Targets;
use super::due::Run;
use super::instances::{NO_ACCOUNT, QUARANTINE};
use super::orders::OrderError;
use crate::clock::Moment;
use crate::config::types::{Config, InstanceId};
use crate::state::{Acceptance, Store, StoreError};
use crate::sync::catalogue::Kind;
use crate::sync::read::schema::Accepted;
use crate::sync::read::trust::Past;
use crate::sync::read::{self, Progress, ReadError};
use crate::sync::snapshot::{Distrust, Snapshot};
use crate::upstream::connect::{ConnectError, Target};
use crate::vms::client::{Client, ClientError};

/// What one instance contributes to a run.
pub(super) enum Source {
    /// Not asked.
    Not(&'static str),
    /// Why; and whether a person has to do something: asking again soon would only lock the account.
    Failed(String, bool),
    /// What it has, as far as it is believed.
    Read(Arc<Snapshot>, Past),
}

impl Source {
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Failed(_, true))
    }
}

/// Reads all instances.
pub(super) struct Readers {
    store: Arc<Store>,
    targets: Targets,
    progress: Arc<watch::Sender<BTreeMap<String, Progress>>>,
    /// What the last reading of each instance was like.
    known: HashMap<String, Known>,
    /// What persons have let pass, by instance.
    accepted: HashMap<String, Accepted>,
    loaded: bool,
}

#[derive(Default)]
struct Known {
    past: Past,
    snapshot: Option<Arc<Snapshot>>,
}

impl Readers {
    pub(super) fn new(store: Arc<Store>, targets: Targets) -> Self {
        let progress = Arc::new(watch::Sender::new(BTreeMap::new()));
        Self { store, targets, progress, known: HashMap::new(), accepted: HashMap::new(), loaded: false }
    }

    pub(super) fn progress(&self) -> watch::Receiver<BTreeMap<String, Progress>> {
        self.progress.subscribe()
    }

    /// Loads what earlier runs of the program have left about these instances.
    async fn prepare(&mut self, instances: impl Iterator<Item = &str>) -> Result<(), StoreError> {
        if !self.loaded {
            for one in self.store.acceptances().await? {
                self.take_acceptance(one);
            }
            self.loaded = true;
        }
        for name in instances {
            if !self.known.contains_key(name) {
                let past = self.store.past_reading(name).await?;
                let past = past.and_then(|text| Past::from_text(&text)).unwrap_or_default();
                self.known.insert(name.to_owned(), Known { past, snapshot: None });
            }
        }
        Ok(())
    }

    /// Reads these instances, at the same time.
    pub(super) async fn read_all(
        &mut self,
        config: &Config,
        wanted: &BTreeSet<InstanceId>,
        run: Run,
    ) -> BTreeMap<InstanceId, Source> {
        let name = |id: &InstanceId| config.instance(*id).name.as_str();
        if let Err(error) = self.prepare(wanted.iter().map(name)).await {
            let failed = |id| (id, Source::Failed(error.to_string(), false));
            return wanted.iter().copied().map(failed).collect();
        }
        let reading = wanted.iter().map(|id| self.read(config, *id, run));
        let read = join_all(reading).await;
        let mut sources: BTreeMap<InstanceId, Source> = wanted.iter().copied().zip(read).collect();
        for (id, source) in &mut sources {
            // While the slowest was being read, an operator may have lost faith in another.
            if (self.targets)(name(id)).is_none_or(|target| target.ban().is_raised()) {
                *source = Source::Not(QUARANTINE);
            }
            if let Source::Read(snapshot, past) = source
                && let Err(error) = self.keep(name(id), snapshot, past).await
            {
                *source = Source::Failed(error.to_string(), false);
            }
        }
        sources
    }

    /// Reads one instance.
    async fn read(&self, config: &Config, id: InstanceId, run: Run) -> Source {
        let instance = config.instance(id);
        let (Some(target), Some(account)) = ((self.targets)(&instance.name), &instance.account) else {
            return Source::Not(NO_ACCOUNT);
        };
        let known = self.known.get(&instance.name);
        let client = Client::new(Arc::clone(&target));
        let started = Moment::now();
        let tell = |progress: Progress| {
            self.progress.send_modify(|all| drop(all.insert(instance.name.clone(), progress)));
        };
        let reading = async {
            match (run, known.and_then(|k| k.snapshot.as_deref())) {
                (Run::Changes, Some(last)) => read::changes(&client, account, last).await,
                _ => read::full(&client, account, &self.wish(config, &instance.name), &tell).await,
            }
        };
        // Ends at once when the instance goes into quarantine.
        let result = tokio::select! {
            result = reading => result,
            () = target.ban().raised() => Err(ClientError::Connect(ConnectError::Banned).into()),
        };
        self.progress.send_modify(|all| drop(all.remove(&instance.name)));
        match result {
            Ok(snapshot) => {
                let objects: usize = snapshot.lists.values().map(|l| l.objects.len()).sum();
                let ms = Moment::now().since(started).as_millis();
                tracing::debug!(instance = instance.name, objects, ms, ?run, "objects read");
                Source::Read(Arc::new(snapshot))
            }
            Err(ReadError::Client(ClientError::Connect(ConnectError::Banned))) => Source::Not(QUARANTINE),
            Err(error) => {
                tracing::warn!(instance = instance.name, %error, "objects cannot be read: everything stays as it is");
                Source::Failed(error.to_string(), error.is_refusal())
            }
        }
    }
}
