//! When the matcher runs: at the start as soon as both instances answer, after an instance has come
//! back, every `full_interval`, and when an operator asks.

mod due;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use self::due::Due;
use super::links::Links;
use super::lists::{self, ReadError, Reading, Unread};
use super::read;
use super::report::{Outcome, PairReport, Report};
use crate::balance::Picture;
use crate::clock::{Moment, unix_time};
use crate::config::types::{Account, Config, InstanceId, Service};
use crate::health::Condition;
use crate::idmap::guid::Guid;
use crate::idmap::kind::Kind;
use crate::idmap::matcher::{Lists, Tally};
use crate::metrics::{Metrics, SyncState};
use crate::upstream::connect::{ConnectError, Target};
use crate::vms::client::{Client, ClientError};

/// How to reach an instance of the configuration in force, by its name.
pub type Targets = Arc<dyn Fn(&str) -> Option<Arc<Target>> + Send + Sync>;

/// Talks to the worker. Cheap to clone.
#[derive(Clone)]
pub struct Matching {
    /// What it has found.
    pub links: Arc<Links>,
    orders: mpsc::Sender<Order>,
    report: watch::Receiver<Arc<Report>>,
    pictures: watch::Receiver<Arc<Picture>>,
    targets: Targets,
}

impl Matching {
    /// Matches now; `None` if the program is stopping. What is not finished when the caller loses
    /// patience goes on and is seen in [`Matching::report`].
    pub async fn run(&self, believe_losses: bool, by: &str) -> Option<Arc<Report>> {
        let (done, answer) = oneshot::channel();
        let order = Order { believe_losses, by: by.to_owned(), done };
        self.orders.send(order).await.ok()?;
        answer.await.ok()
    }

    /// Whether an instance has this object; `None`: it cannot be asked now.
    pub async fn exists(&self, instance: &str, kind: &str, id: Guid) -> Option<bool> {
        let picture = Arc::clone(&self.pictures.borrow());
        let at = picture.config.instance_named(instance)?;
        let account = picture.config.instance(at).account.as_ref()?;
        let target = (self.targets)(instance).filter(|_| hindrance(&picture, at).is_none())?;
        // In quarantine it is not reached at all.
        read::exists(&Client::new(target), account, kind, id).await
    }

    /// What the last run found.
    pub fn report(&self) -> Arc<Report> {
        Arc::clone(&self.report.borrow())
    }
}

struct Order {
    believe_losses: bool,
    by: String,
    done: oneshot::Sender<Arc<Report>>,
}

/// Starts the worker on the current runtime. It may be aborted at any time: what it has found out by
/// then is kept.
pub fn start(
    links: Arc<Links>,
    pictures: watch::Receiver<Arc<Picture>>,
    targets: Targets,
    metrics: Arc<Metrics>,
) -> (Matching, JoinHandle<()>) {
    let (orders, inbox) = mpsc::channel(ORDERS);
    let (reports, report) = watch::channel(Arc::default());
    let worker = Worker {
        links: Arc::clone(&links),
        pictures: pictures.clone(),
        targets: Arc::clone(&targets),
        metrics,
        reports,
        past: HashMap::new(),
        told: HashSet::new(),
    };
    let task = tokio::spawn(worker.run(inbox));
    (Matching { links, orders, report, pictures, targets }, task)
}

struct Worker {
    links: Arc<Links>,
    pictures: watch::Receiver<Arc<Picture>>,
    targets: Targets,
    metrics: Arc<Metrics>,
    reports: watch::Sender<Arc<Report>>,
    /// The last comparison of each pair.
    past: HashMap<[String; 2], PairReport>,
    /// Instances whose missing account was spoken of.
    told: HashSet<String>,
}

/// What one instance contributes to a run.
enum Source {
    /// Not asked.
    Not(&'static str),
    Failed(ReadError),
    Read {
        lists: Arc<Lists>,
        unread: BTreeMap<Kind, Unread>,
    },
}

impl Worker {
    async fn run(mut self, mut inbox: mpsc::Receiver<Order>) {
        let mut due = Due::default();
        let mut number = 0;
        loop {
            let picture = Arc::clone(&self.pictures.borrow_and_update());
            let readable = readable(&picture);
            due.see(&readable, &picture.config, Moment::now());
            let order = tokio::select! {
                order = inbox.recv() => match order {
                    Some(order) => Some(order),
                    None => return,
                },
                changed = self.pictures.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return,
                },
                () = until(due.at()) => None,
            };
            number += 1;
            let by = order.as_ref().map(|o| o.by.as_str());
            let believe_losses = order.as_ref().is_some_and(|o| o.believe_losses);
            let (report, again) = self.once(number, believe_losses, by).await;
            due.ran(again, &readable, picture.config.sync.full_interval, Moment::now());
            self.reports.send_replace(Arc::clone(&report));
            if let Some(order) = order {
                // Nobody waits any more: the report is published.
                let _ = order.done.send(report);
            }
        }
    }

    /// One run over all pairs. Also tells whether to try again soon.
    async fn once(&mut self, number: u64, believe_losses: bool, by: Option<&str>) -> (Arc<Report>, bool) {
        let picture = Arc::clone(&self.pictures.borrow());
        let pairs = pairs(&picture.config);
        let name = |id: InstanceId| picture.config.instance(id).name.as_str();
        let hindered: BTreeMap<InstanceId, &'static str> =
            pairs.iter().flatten().filter_map(|id| Some((*id, hindrance(&picture, *id)?))).collect();
        for (id, _) in hindered.iter().filter(|(_, why)| **why == NO_ACCOUNT) {
            self.tell(name(*id));
        }
        // An instance whose partners cannot be read need not be read either.
        let complete = |pair: &&[InstanceId; 2]| pair.iter().all(|id| !hindered.contains_key(id));
        let wanted: BTreeSet<InstanceId> = pairs.iter().filter(complete).flatten().copied().collect();
        let reading = wanted.iter().map(|id| self.source(&picture.config, *id));
        let mut sources: BTreeMap<InstanceId, Source> =
            wanted.iter().copied().zip(join_all(reading).await).collect();
        for (id, source) in &mut sources {
            // While the slowest was being read, an operator may have lost faith in another.
            if (self.targets)(name(*id)).is_none_or(|target| target.ban().is_raised()) {
                *source = Source::Not(QUARANTINE);
            }
        }
        for id in pairs.iter().flatten() {
            let why = hindered.get(id).copied().unwrap_or(PARTNER);
            sources.entry(*id).or_insert(Source::Not(why));
        }
        let mut reports = Vec::new();
        for pair in pairs {
            let names = pair.map(|id| name(id).to_owned());
            let own: Vec<&Source> = pair.iter().filter_map(|id| sources.get(id)).collect();
            reports.push(self.pair(names, &own, believe_losses, by).await);
        }
        let again = reports.iter().any(|r| matches!(r.outcome, Outcome::Failed(_)))
            && !sources.values().any(|s| matches!(s, Source::Failed(error) if error.is_refusal()));
        self.past = reports.iter().map(|r| (r.instances.clone(), r.clone())).collect();
        self.count();
        (Arc::new(Report { number, at_unix: unix_time().as_secs(), pairs: reports }), again)
    }

    async fn source(&self, config: &Config, id: InstanceId) -> Source {
        let instance = config.instance(id);
        let (Some(target), Some(account)) = ((self.targets)(&instance.name), &instance.account) else {
            return Source::Not(NO_ACCOUNT);
        };
        let started = Moment::now();
        match read_unless_banned(&target, account).await {
            Ok(Reading { lists, unread }) => {
                let objects: usize = lists.values().map(Vec::len).sum();
                let ms = Moment::now().since(started).as_millis();
                tracing::debug!(instance = instance.name, objects, ms, "objects read");
                Source::Read { lists: Arc::new(lists), unread }
            }
            Err(ReadError::Client(ClientError::Connect(ConnectError::Banned))) => Source::Not(QUARANTINE),
            Err(error) => {
                tracing::warn!(instance = instance.name, %error, "objects cannot be read: links stay as they are");
                Source::Failed(error)
            }
        }
    }

    async fn pair(
        &mut self,
        names: [String; 2],
        sources: &[&Source],
        believe_losses: bool,
        by: Option<&str>,
    ) -> PairReport {
        let mut report = self.past.remove(&names).unwrap_or_else(|| PairReport {
            instances: names.clone(),
            outcome: Outcome::Matched,
            matched_unix: None,
            kinds: BTreeMap::new(),
            unread: Vec::new(),
            disputed: Vec::new(),
            disputed_more: 0,
        });
        let (mut lists, mut unread) = (Vec::new(), Vec::new());
        for (name, source) in names.iter().zip(sources) {
            match source {
                Source::Not(PARTNER) => {}
                Source::Not(why) => report.outcome = Outcome::Waiting(name.clone(), why),
                Source::Failed(error) => report.outcome = Outcome::Failed(format!("{name}: {error}")),
                Source::Read { lists: all, unread: missing } => {
                    lists.push(Arc::clone(all));
                    unread.extend(missing.iter().map(|(kind, why)| (name.clone(), *kind, why.to_string())));
                }
            }
        }
        let Ok(lists) = <[Arc<Lists>; 2]>::try_from(lists) else { return report };
        let matching = match self.links.compare(&names, lists, believe_losses, by).await {
            Ok(matching) => matching,
            Err(error) => {
                tracing::error!(%error, "what was matched could not be kept");
                report.outcome = Outcome::Failed(error.to_string());
                return report;
            }
        };
        let total = |count: fn(&Tally) -> usize| matching.kinds.values().map(count).sum::<usize>();
        if !matching.new.is_empty() || !matching.gone.is_empty() || report.matched_unix.is_none() {
            let (a, b) = (names[0].as_str(), names[1].as_str());
            let (linked, new, removed) = (total(|t| t.linked), total(|t| t.new), total(|t| t.gone));
            let disputed = matching.disputed.len();
            tracing::info!(a, b, linked, new, removed, disputed, "objects matched");
        }
        if total(|t| t.held) > 0 {
            let held = total(|t| t.held);
            tracing::warn!(
                a = names[0],
                b = names[1],
                held,
                "a list lacks most of what was linked: its links stay"
            );
        }
        let mut disputed = matching.disputed;
        report.disputed_more = disputed.len().saturating_sub(MOST_DISPUTED);
        disputed.truncate(MOST_DISPUTED);
        PairReport {
            outcome: Outcome::Matched,
            matched_unix: Some(unix_time().as_secs()),
            kinds: matching.kinds,
            unread,
            disputed,
            ..report
        }
    }

    /// Says once for each instance that there will be no matching.
    fn tell(&mut self, instance: &str) {
        if self.told.insert(instance.to_owned()) {
            tracing::warn!(
                instance,
                "no account: its objects are not linked with those of other instances, and ids that clients know mean nothing there; set account in [[instance]]"
            );
        }
    }

    fn count(&self) {
        for kind in Kind::ALL {
            let sum = |count: fn(&Tally) -> usize| {
                self.past.values().filter_map(|r| r.kinds.get(&kind)).map(count).sum::<usize>()
            };
            for (state, count) in [
                (SyncState::Linked, sum(|t| t.linked)),
                (SyncState::Ambiguous, sum(|t| t.ambiguous)),
                (SyncState::OnlyOneSide, sum(|t| t.only_a + t.only_b)),
            ] {
                self.metrics.set_sync_objects(kind.as_str(), state, count);
            }
        }
    }
}

/// Ends at once when the instance goes into quarantine, and believes nothing of what was read.
async fn read_unless_banned(target: &Arc<Target>, account: &Account) -> Result<Reading, ReadError> {
    let client = Client::new(Arc::clone(target));
    let banned = || Err(ClientError::Connect(ConnectError::Banned).into());
    let reading = tokio::select! {
        reading = lists::read(&client, account) => reading,
        () = target.ban().raised() => banned(),
    };
    if target.ban().is_raised() { banned() } else { reading }
}

/// Every two instances that serve one site, one of them its primary; by name.
fn pairs(config: &Config) -> Vec<[InstanceId; 2]> {
    let mut pairs = Vec::new();
    for site in config.sites.iter().filter(|s| s.is_xprotect()) {
        for standby in &site.standby {
            let mut pair = [site.primary, *standby];
            pair.sort_unstable_by_key(|id| &config.instance(*id).name);
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
    }
    pairs
}

/// Why an instance is not asked.
fn hindrance(picture: &Picture, id: InstanceId) -> Option<&'static str> {
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
fn readable(picture: &Picture) -> BTreeSet<String> {
    let all = pairs(&picture.config).into_iter().flatten();
    let usable = all.filter(|id| hindrance(picture, *id).is_none());
    usable.map(|id| picture.config.instance(id).name.clone()).collect()
}

async fn until(moment: Option<Moment>) {
    match moment {
        Some(moment) => tokio::time::sleep(moment.since(Moment::now())).await,
        None => std::future::pending().await,
    }
}

const QUARANTINE: &str = "it is in quarantine";
const NO_ACCOUNT: &str = "it has no account";
/// Could be asked, but there is nobody to compare it with.
const PARTNER: &str = "";
/// Operators are few.
const ORDERS: usize = 16;
/// Of two instances, in memory and in answers.
const MOST_DISPUTED: usize = 1000;
