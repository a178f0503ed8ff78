//! Reads instances, and keeps what the next reading is compared with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::watch;

use super::due::Run;
use super::instances::{NO_ACCOUNT, QUARANTINE};
use super::orders::OrderError;
use super::{PARTNER, Targets};
use crate::clock::Moment;
use crate::config::types::{Account, Config, InstanceId};
use crate::state::{Acceptance, Store, StoreError};
use crate::sync::catalogue::{Kind, Place};
use crate::sync::coverage;
use crate::sync::read::changes::read_changes;
use crate::sync::read::full::{Progress, ReadError, Reading, Wish, log_in, read_full};
use crate::sync::read::schema::Accepted;
use crate::sync::read::trust::Past;
use crate::sync::snapshot::{Distrust, Listing, Snapshot};
use crate::vms::client::{Client, Reuse};
use crate::vms::token::Token;

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
    progress: watch::Sender<Running>,
    /// What the last reading of each instance was like.
    known: HashMap<String, Known>,
    /// What persons have let pass, by instance.
    accepted: HashMap<String, Accepted>,
    loaded: bool,
    /// By which the last readings were made.
    config: Option<Arc<Config>>,
}

#[derive(Default)]
struct Known {
    past: Past,
    /// The last reading.
    snapshot: Option<Arc<Snapshot>>,
    /// The last full reading: what short ones start from.
    full: Option<Arc<Snapshot>>,
    /// Of the account.
    token: Option<Token>,
    /// Short readings may start from `full`. Not after the account was refused: asking every few seconds
    /// would lock it; nor with another configuration: by its name it may be another server.
    continued: bool,
    /// Collections that it offers and nobody has written down.
    unknown: Vec<String>,
}

/// What one reading has brought.
struct Brought {
    source: Source,
    token: Option<Token>,
    /// `None`: not asked for, or not answered.
    unknown: Option<Vec<String>>,
}

impl Brought {
    const fn nothing(source: Source) -> Self {
        Self { source, token: None, unknown: None }
    }
}

impl Readers {
    pub(super) fn new(store: Arc<Store>, targets: Targets) -> Self {
        let progress = watch::Sender::new(BTreeMap::new());
        Self {
            store,
            targets,
            progress,
            known: HashMap::new(),
            accepted: HashMap::new(),
            loaded: false,
            config: None,
        }
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
                self.known.insert(name.to_owned(), Known { past, ..Known::default() });
            }
        }
        Ok(())
    }

    /// Reads these instances, at the same time.
    pub(super) async fn read_all(
        &mut self,
        config: &Arc<Config>,
        wanted: &BTreeSet<InstanceId>,
        run: Run,
    ) -> BTreeMap<InstanceId, Source> {
        if self.config.as_ref().is_none_or(|known| !Arc::ptr_eq(known, config)) {
            self.config = Some(Arc::clone(config));
            self.known.values_mut().for_each(|known| (known.token, known.continued) = (None, false));
        }
        let name = |id: &InstanceId| config.instance(*id).name.as_str();
        if let Err(error) = self.prepare(wanted.iter().map(name)).await {
            let failed = |id| (id, Source::Failed(error.to_string(), false));
            return wanted.iter().copied().map(failed).collect();
        }
        let reading = wanted.iter().map(|id| self.read(config, *id, run));
        let brought = join_all(reading).await;
        let mut sources = BTreeMap::new();
        for (id, Brought { mut source, token, unknown }) in wanted.iter().zip(brought) {
            // While the slowest was being read, an operator may have lost faith in another.
            if (self.targets)(name(id)).is_none_or(|target| target.ban().is_raised()) {
                source = Source::Not(QUARANTINE);
            }
            let known = self.known.entry(name(id).to_owned()).or_default();
            known.token = token;
            known.continued &= !source.is_refusal();
            if let Some(unknown) = unknown {
                known.unknown = unknown;
            }
            if let Source::Read(snapshot, past) = &source
                && let Err(error) = self.keep(name(id), snapshot, past, run).await
            {
                source = Source::Failed(error.to_string(), false);
            }
            sources.insert(*id, source);
        }
        sources
    }

    /// Reads one instance.
    async fn read(&self, config: &Config, id: InstanceId, run: Run) -> Brought {
        let instance = config.instance(id);
        let (Some(target), Some(account)) = ((self.targets)(&instance.name), &instance.account) else {
            return Brought::nothing(Source::Not(NO_ACCOUNT));
        };
        if run == Run::Changes && !self.known.get(&instance.name).is_some_and(|known| known.continued) {
            return Brought::nothing(Source::Not(PARTNER));
        }
        let (progress, running) = watch::channel(Progress::default());
        self.progress.send_modify(|all| drop(all.insert(instance.name.clone(), running)));
        let started = Moment::now();
        let client = Client::new(Arc::clone(&target));
        // Ends at once when the instance goes into quarantine.
        let result = tokio::select! {
            result = self.ask(config, &instance.name, account, &client, run, &progress) => Some(result),
            () = target.ban().raised() => None,
        };
        self.progress.send_modify(|all| drop(all.remove(&instance.name)));
        match result {
            None => Brought::nothing(Source::Not(QUARANTINE)),
            Some(Ok(brought)) => {
                let ms = Moment::now().since(started).as_millis();
                tracing::debug!(instance = instance.name, ms, ?run, "objects read");
                brought
            }
            Some(Err(error)) => {
                tracing::warn!(instance = instance.name, %error, "objects cannot be read: everything stays as it is");
                Brought::nothing(Source::Failed(error.to_string(), error.is_refusal()))
            }
        }
    }

    async fn ask(
        &self,
        config: &Config,
        name: &str,
        account: &Account,
        client: &Client,
        run: Run,
        progress: &watch::Sender<Progress>,
    ) -> Result<Brought, ReadError> {
        let (unread, unaccepted) = (Known::default(), Accepted::default());
        let known = self.known.get(name).unwrap_or(&unread);
        let accepted = self.accepted.get(name).unwrap_or(&unaccepted);
        if let (Run::Changes, Some(full)) = (run, &known.full) {
            let token = match known.token.clone().filter(|token| Moment::now() < token.renew_at) {
                Some(token) => token,
                None => log_in(client, account).await?,
            };
            let snapshot = read_changes(client, &token.access, full, accepted).await?;
            let source = Source::Read(Arc::new(snapshot), known.past.clone());
            return Ok(Brought { source, token: Some(token), unknown: None });
        }
        let wish = Wish {
            instance: name,
            kinds: &wanted(config),
            past: &known.past,
            canary_required: config.sync.canary_required,
            accepted,
        };
        let token = log_in(client, account).await?;
        let Reading { snapshot, past } = read_full(client, &token.access, wish, progress).await?;
        let resources = client.get(RESOURCES, Some(&token.access), Reuse::Kept).await.ok();
        let unknown = resources.and_then(|answer| coverage::unknown(&answer.json()?));
        Ok(Brought { source: Source::Read(Arc::new(snapshot), past), token: Some(token), unknown })
    }

    /// What every instance that was read says about itself.
    pub(super) fn instances(&self) -> Vec<coverage::Instance> {
        let one = |(name, known): (&String, &Known)| {
            let snapshot = known.full.as_ref()?;
            let is_absent = |(kind, listing): (&Kind, &Listing)| {
                listing.distrust.contains(&Distrust::Absent).then_some(*kind)
            };
            Some(coverage::Instance {
                name: name.clone(),
                version: snapshot.version.clone(),
                absent: snapshot.lists.iter().filter_map(is_absent).collect(),
                unknown: known.unknown.clone(),
            })
        };
        let mut all: Vec<_> = self.known.iter().filter_map(one).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// What the next reading is compared with.
    async fn keep(
        &mut self,
        name: &str,
        snapshot: &Arc<Snapshot>,
        past: &Past,
        run: Run,
    ) -> Result<(), StoreError> {
        let known = self.known.entry(name.to_owned()).or_default();
        known.snapshot = Some(Arc::clone(snapshot));
        if run == Run::Full {
            known.full = Some(Arc::clone(snapshot));
            known.continued = true;
        }
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
        let refused =
            |message: String, remedy: &str| OrderError::Refused { message, remedy: remedy.to_owned() };
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
                (Distrust::Schema(differences), Some(kind)) => {
                    past.forget_fields(kind, differences);
                    new.extend(differences.iter().cloned());
                }
                (Distrust::Empty(_) | Distrust::Members(..), Some(_))
                | (Distrust::Canary(_) | Distrust::Older(_), None) => {
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

/// The types to be read. Without a plan only those whose ids are translated, and what they lie within; the
/// reading itself adds those below which they are listed.
fn wanted(config: &Config) -> BTreeSet<Kind> {
    let readable = |kind: &Kind| !matches!(kind.row().place, Place::Unread(_));
    let all = Kind::all().filter(readable);
    if config.sync.enabled {
        return all.collect();
    }
    let mut wanted: BTreeSet<Kind> =
        all.filter(|kind| !kind.row().keys.is_empty() && !kind.row().privileged).collect();
    loop {
        let around = |kind: &Kind| kind.row().within.and_then(Kind::from_name);
        let missing: Vec<Kind> = wanted.iter().filter_map(around).filter(|k| !wanted.contains(k)).collect();
        if missing.is_empty() {
            return wanted;
        }
        wanted.extend(missing);
    }
}

/// The collections that an instance offers.
const RESOURCES: &str = "/API/rest/v1/sites?resources&noData";
