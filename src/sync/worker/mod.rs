//! When both sides are read, compared and planned for: at the start as soon as both instances answer,
//! after an instance has come back, every `full_interval`, what has changed every `interval`, and when a
//! person asks.

mod count;
mod couple;
mod due;
mod instances;
mod orders;
mod readers;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use self::couple::{Memory, Place, Read};
use self::due::{Due, Run};
use self::instances::{Couple, NO_ACCOUNT, couples, hindrance, readable};
pub use self::orders::{Handle, OrderError};
use self::orders::{Order, Wanted};
use self::readers::{Readers, Source};
use super::links::Links;
use super::report::{Outcome, PairReport, Report};
use crate::balance::Picture;
use crate::clock::{Moment, unix_time};
use crate::config::types::InstanceId;
use crate::metrics::Metrics;
use crate::state::Store;
use crate::upstream::connect::Target;

/// How to reach an instance of the configuration in force, by its name.
pub type Targets = Arc<dyn Fn(&str) -> Option<Arc<Target>> + Send + Sync>;

/// Starts the worker on the current runtime. It may be aborted at any time: what it has found out by
/// then is kept.
pub fn start(
    links: Arc<Links>,
    store: Arc<Store>,
    pictures: watch::Receiver<Arc<Picture>>,
    targets: Targets,
    metrics: Arc<Metrics>,
) -> (Handle, JoinHandle<()>) {
    let (orders, inbox) = mpsc::channel(ORDERS);
    let (reports, report) = watch::channel(Arc::default());
    let readers = Readers::new(Arc::clone(&store), Arc::clone(&targets));
    let progress = readers.progress();
    let worker = Worker {
        links: Arc::clone(&links),
        store,
        pictures: pictures.clone(),
        readers,
        metrics,
        reports,
        past: HashMap::new(),
        memories: HashMap::new(),
        told: HashSet::new(),
    };
    let task = tokio::spawn(worker.run(inbox));
    (Handle { links, orders, report, pictures, targets, progress }, task)
}

struct Worker {
    links: Arc<Links>,
    store: Arc<Store>,
    pictures: watch::Receiver<Arc<Picture>>,
    readers: Readers,
    metrics: Arc<Metrics>,
    reports: watch::Sender<Arc<Report>>,
    /// The last comparison of each two instances.
    past: HashMap<[String; 2], PairReport>,
    /// What is remembered about them between runs.
    memories: HashMap<[String; 2], Memory>,
    /// Instances whose missing account was spoken of.
    told: HashSet<String>,
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
            let (order, run) = match order {
                None => (None, due.run(Moment::now())),
                Some(order) => match self.obey(order).await {
                    Some(order) => (Some(order), Run::Full),
                    None => continue,
                },
            };
            number += 1;
            let (report, again) = self.once(number, run, order.as_ref()).await;
            due.ran(run, again, &readable, &picture.config.sync, Moment::now());
            self.reports.send_replace(Arc::clone(&report));
            if let Some(order) = order {
                order.answer(report);
            }
        }
    }

    /// Carries an order out, but for one that wants a run: that is given back.
    async fn obey(&mut self, order: Order) -> Option<Order> {
        match order.wanted {
            Wanted::Run { .. } | Wanted::Baseline { .. } => Some(order),
            Wanted::Accept { ref instance, kind, ref reason, ref by, .. } => {
                let accepted = self.readers.accept(instance, kind, reason, by).await;
                order.answer_accepted(accepted);
                None
            }
        }
    }

    /// One run over all couples. Also tells whether to try again soon.
    async fn once(&mut self, number: u64, run: Run, order: Option<&Order>) -> (Arc<Report>, bool) {
        let picture = Arc::clone(&self.pictures.borrow());
        let couples = couples(&picture.config);
        let name = |id: InstanceId| picture.config.instance(id).name.as_str();
        let all = || couples.iter().flat_map(|c| c.ids);
        let hindered: BTreeMap<InstanceId, &'static str> =
            all().filter_map(|id| Some((id, hindrance(&picture, id)?))).collect();
        for (id, _) in hindered.iter().filter(|(_, why)| **why == NO_ACCOUNT) {
            self.tell(name(*id));
        }
        // An instance whose partners cannot be read need not be read either.
        let complete = |couple: &&Couple| couple.ids.iter().all(|id| !hindered.contains_key(id));
        let wanted: BTreeSet<InstanceId> = couples.iter().filter(complete).flat_map(|c| c.ids).collect();
        let mut sources = self.readers.read_all(&picture.config, &wanted, run).await;
        for id in all() {
            sources.entry(id).or_insert(Source::Not(hindered.get(&id).copied().unwrap_or(PARTNER)));
        }
        let mut reports = Vec::new();
        for couple in couples {
            let own = couple.ids.map(|id| sources.get(&id));
            reports.push(self.couple(&picture, couple, own, run, order).await);
        }
        let again = reports.iter().any(|r| matches!(r.outcome, Outcome::Failed(_)))
            && !sources.values().any(Source::is_refusal);
        self.past = reports.iter().map(|r| (r.instances.clone(), r.clone())).collect();
        self.memories.retain(|names, _| self.past.contains_key(names));
        let instances = self.readers.instances();
        let report = Report { number, at_unix: unix_time().as_secs(), pairs: reports, instances };
        count::count(&self.metrics, &report);
        (Arc::new(report), again)
    }

    async fn couple(
        &mut self,
        picture: &Picture,
        couple: Couple,
        sources: [Option<&Source>; 2],
        run: Run,
        order: Option<&Order>,
    ) -> PairReport {
        let names = couple.ids.map(|id| picture.config.instance(id).name.clone());
        let mut report = self.past.remove(&names).unwrap_or_else(|| PairReport::new(names.clone()));
        let mut snapshots = Vec::new();
        for (name, source) in names.iter().zip(sources.into_iter().flatten()) {
            match source {
                Source::Not(PARTNER) => {}
                Source::Not(why) => report.outcome = Outcome::Waiting(name.clone(), why),
                Source::Failed(why, _) => report.outcome = Outcome::Failed(format!("{name}: {why}")),
                Source::Read(snapshot, _) => snapshots.push(Arc::clone(snapshot)),
            }
        }
        let Ok(sides) = snapshots.try_into() else { return report };
        let memory = match self.memories.remove(&names) {
            Some(memory) => Ok(memory),
            None => Memory::load(&self.store, &names).await,
        };
        let read = Read { sides, source: couple.source, full: run == Run::Full };
        let compared = match memory {
            Ok(memory) => {
                let place = Place { links: &self.links, store: &self.store, config: &picture.config };
                couple::compare(place, memory, read, order, &report).await
            }
            Err(error) => Err(error),
        };
        match compared {
            Ok((compared, memory)) => {
                self.memories.insert(names, memory);
                compared
            }
            Err(error) => {
                tracing::error!(%error, "what was found out about two instances could not be kept");
                report.outcome = Outcome::Failed(error.to_string());
                report
            }
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
}

async fn until(moment: Option<Moment>) {
    match moment {
        Some(moment) => tokio::time::sleep(moment.since(Moment::now())).await,
        None => std::future::pending().await,
    }
}

/// Could be asked, but there is nobody to compare it with, or nothing to start from.
const PARTNER: &str = "";
/// Operators are few.
const ORDERS: usize = 16;
