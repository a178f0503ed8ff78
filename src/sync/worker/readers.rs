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
use crate::sync::catalogue::{Kind, Place};
use crate::sync::read::schema::Accepted;
use crate::sync::read::trust::Past;
use crate::sync::read::full::{Progress, ReadError, Reading, Wish, read_full};
use crate::sync::snapshot::{Distrust, Snapshot};
use crate::vms::client::Client;

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

/// What is being read now, by instance.
pub(super) type Running = BTreeMap<String, watch::Receiver<Progress>>;

/// Reads all instances.
pub(super) struct Readers {
    store: Arc<Store>,
    targets: Targets,
    /// What is being read now.
    progress: Arc<watch::Sender<Running>>,
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

    pub(super) fn progress(&self) -> watch::Receiver<Running> {
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
                let past = past.and_then(|text| Past::from_json(&text)).unwrap_or_default();
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
        let nothing = (Past::default(), Accepted::default());
        let wish = Wish {
            instance: &instance.name,
            kinds: &wanted(config),
            past: known.map_or(&nothing.0, |k| &k.past),
            canary_required: config.sync.canary_required,
            accepted: self.accepted.get(&instance.name).unwrap_or(&nothing.1),
        };
        let client = Client::new(Arc::clone(&target));
        let started = Moment::now();
        let (progress, running) = watch::channel(Progress::default());
        self.progress.send_modify(|all| drop(all.insert(instance.name.clone(), running)));
        let reading = async {
            match (run, known.and_then(|k| k.snapshot.as_deref())) {
                (Run::Changes, Some(last)) => read_changes(&client, account, wish, last).await,
                _ => read_full(&client, account, wish, &progress).await,
            }
        };
        // Ends at once when the instance goes into quarantine.
        let result = tokio::select! {
            result = reading => Some(result),
            () = target.ban().raised() => None,
        };
        self.progress.send_modify(|all| drop(all.remove(&instance.name)));
        match result {
            None => Source::Not(QUARANTINE),
            Some(Ok(Reading { snapshot, past })) => {
                let objects: usize = snapshot.lists.values().map(|l| l.objects.len()).sum();
                let ms = Moment::now().since(started).as_millis();
                tracing::debug!(instance = instance.name, objects, ms, ?run, "objects read");
                Source::Read(Arc::new(snapshot), past)
            }
            Some(Err(error)) => {
                tracing::warn!(instance = instance.name, %error, "objects cannot be read: everything stays as it is");
                Source::Failed(error.to_string(), error.is_refusal())
            }
        }
    }

    /// What the next reading is compared with.
    async fn keep(&mut self, name: &str, snapshot: &Arc<Snapshot>, past: &Past) -> Result<(), StoreError> {
        let known = self.known.entry(name.to_owned()).or_default();
        known.snapshot = Some(Arc::clone(snapshot));
        if known.past != *past {
            known.past = past.clone();
            self.store.keep_reading(name, past.to_json()).await?;
        }
        Ok(())
    }

    /// Lets pass what the newest reading of a type (`None`: of the instance as a whole) was not believed
    /// for. Gives that in words.
    pub(super) async fn accept(
        &mut self,
        name: &str,
        kind: Option<Kind>,
        reason: &str,
        by: &str,
    ) -> Result<Vec<String>, OrderError> {
        let refused = |message: String, remedy: &str| OrderError::Refused { message, remedy: remedy.to_owned() };
        let Some((snapshot, past)) =
            self.known.get(name).and_then(|k| Some((k.snapshot.clone()?, k.past.clone())))
        else {
            return Err(refused(format!("{name} was not read yet"), "see `gatekeeper sync status`"));
        };
        let doubts = match kind {
            Some(kind) => snapshot.lists.get(&kind).map(|l| l.distrust.clone()).unwrap_or_default(),
            None => snapshot.distrust.clone(),
        };
        if doubts.is_empty() {
            let what = kind.map_or_else(String::new, |kind| format!("{kind} of "));
            let message = format!("the newest reading of {what}{name} is believed");
            return Err(refused(message, "there is nothing to let pass"));
        }
        let (mut past, mut new) = (past, Vec::new());
        for doubt in &doubts {
            match (doubt, kind) {
                (Distrust::Schema(differences), Some(_)) => new.extend(differences.iter().cloned()),
                (Distrust::Empty(_) | Distrust::Members(..), Some(_)) | (Distrust::Canary(_) | Distrust::Older(_), None) => {
                    past.forget(kind);
                }
                (other, _) => {
                    let remedy = "mend it; nobody can let that pass";
                    return Err(refused(format!("{name}: {other}"), remedy));
                }
            }
        }
        let words: Vec<String> = doubts.iter().map(ToString::to_string).collect();
        let accept = |deviation: &String| Acceptance {
            instance: name.to_owned(),
            kind: kind.map_or_else(String::new, |kind| kind.as_str().to_owned()),
            deviation: deviation.clone(),
        };
        // Kept for good are only differences from the catalogue; the rest is in the audit log.
        let lasting: Vec<Acceptance> = new.iter().map(accept).collect();
        let what = (name, kind.map(Kind::as_str));
        self.store.accept(lasting.clone(), what, &words, reason, by).await?;
        lasting.into_iter().for_each(|one| self.take_acceptance(one));
        self.store.keep_reading(name, past.to_json()).await?;
        if let Some(known) = self.known.get_mut(name) {
            known.past = past;
        }
        Ok(words)
    }

    fn take_acceptance(&mut self, one: Acceptance) {
        // Of types that this version does not know nothing is read.
        if let Some(kind) = Kind::from_name(&one.kind) {
            self.accepted.entry(one.instance).or_default().entry(kind).or_default().insert(one.deviation);
        }
    }
}

/// The types to be read. Without a plan only those whose ids are translated, and what they lie within.
fn wanted(config: &Config) -> BTreeSet<Kind> {
    let readable = |kind: &Kind| !matches!(kind.row().place, Place::Unread(_));
    let all = Kind::all().filter(readable);
    if config.sync.enabled {
        return all.collect();
    }
    let mut wanted: BTreeSet<Kind> =
        all.filter(|kind| !kind.row().keys.is_empty() && !kind.row().privileged).collect();
    loop {
        let around = |kind: &Kind| {
            let row = kind.row();
            let below = match row.place {
                Place::Below(parent) => Some(parent),
                Place::Top | Place::Unread(_) => None,
            };
            row.within.into_iter().chain(below).filter_map(Kind::from_name).collect::<Vec<_>>()
        };
        let missing: Vec<Kind> = wanted.iter().flat_map(around).filter(|k| !wanted.contains(k)).collect();
        if missing.is_empty() {
            return wanted;
        }
        wanted.extend(missing);
    }
}
