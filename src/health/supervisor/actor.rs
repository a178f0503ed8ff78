//! The supervisor's loop: probes go out when due, results and signals come in, pictures go out.

mod send;
pub(super) mod tell;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;

use super::core::Core;
use super::lane::{Lane, period};
use super::{Command, Publish, REFRESH_PAUSE};
use crate::balance::picture::Picture;
use crate::clock::Moment;
use crate::config::types::{Config, InstanceId, Service};
use crate::health::cause::Cause;
use crate::health::probe::habit::Shape;
use crate::health::probe::{Probed, deep};
use crate::health::report::{Reporter, Tally};
use crate::health::signal::Monitor;
use crate::health::state::{Condition, DeepOutcome, Event, Outcome, Step};
use crate::upstream::connect::Target;
use crate::vms::documents::{Documents, Keys};

pub(super) struct Actor {
    core: Core,
    /// By [`InstanceId`] of the core's configuration.
    lanes: Vec<Lane>,
    jobs: JoinSet<Done>,
    reporter: Reporter,
    refresh: Arc<Notify>,
    publish: Publish,
    pictures: watch::Sender<Arc<Picture>>,
    housekeeping: Moment,
    rotation: Moment,
}

/// The end of a job. Names its instance by monitor, because ids change with a reload.
struct Done {
    monitor: Arc<Monitor>,
    what: Finished,
}

enum Finished {
    Probe { service: Service, started: Moment, found: Probed, burst: bool },
    Documents(Option<Documents>),
    Deep(deep::Found),
}

impl Actor {
    pub(super) fn new(
        core: Core,
        monitors: Vec<Arc<Monitor>>,
        targets: &[Arc<Target>],
        reporter: Reporter,
        refresh: Arc<Notify>,
        publish: Publish,
        pictures: watch::Sender<Arc<Picture>>,
    ) -> Self {
        let now = Moment::now();
        let lanes = lanes(core.config(), monitors, targets, Vec::new());
        Self {
            core,
            lanes,
            jobs: JoinSet::new(),
            reporter,
            refresh,
            publish,
            pictures,
            housekeeping: now,
            rotation: now,
        }
    }

    /// Runs until the last handle is dropped; then all probes are cancelled.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        loop {
            self.start_due(Moment::now());
            let pause = self.next_timer().since(Moment::now());
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                () = self.reporter.woken() => self.hear(Moment::now()),
                Some(done) = self.jobs.join_next() => {
                    self.finish(done.ok());
                    while let Some(done) = self.jobs.try_join_next() {
                        self.finish(done.ok());
                    }
                }
                () = self.refresh.notified() => self.refresh_documents(Moment::now()),
                () = tokio::time::sleep(pause) => {}
            }
            self.settle();
        }
    }

    fn settle(&mut self) {
        let Some(picture) = self.core.settle(Moment::now()) else { return };
        let picture = Arc::new(picture);
        tell::moves(&picture, &self.pictures.borrow());
        (self.publish)(Arc::clone(&picture));
        self.pictures.send_replace(picture);
    }

    fn obey(&mut self, command: Command) {
        let now = Moment::now();
        // Who asked may have gone; the command holds all the same.
        match command {
            Command::Reload { config, monitors, targets, done } => {
                self.reload(config, monitors, &targets, now);
                self.settle();
                let _ = done.send(());
            }
            Command::Overrides { overrides, done } => {
                let before = self.banned();
                self.core.set_overrides(overrides, now);
                self.follow_bans(&before, now);
                self.settle();
                let _ = done.send(());
            }
            Command::Failback { site, service, done } => {
                let answer = self.core.failback(site.as_deref(), service, now);
                self.settle();
                let _ = done.send(answer);
            }
        }
    }

    fn reload(
        &mut self,
        config: Arc<Config>,
        monitors: Vec<Arc<Monitor>>,
        targets: &[Arc<Target>],
        now: Moment,
    ) {
        let before: Vec<Arc<Monitor>> = self.lanes.iter().map(|l| Arc::clone(&l.monitor)).collect();
        let earlier = |id: InstanceId| {
            let monitor = monitors.get(id.index())?;
            let index = before.iter().position(|m| Arc::ptr_eq(m, monitor))?;
            u16::try_from(index).ok().map(InstanceId)
        };
        self.core.reload(Arc::clone(&config), earlier, now);
        self.lanes = lanes(&config, monitors, targets, std::mem::take(&mut self.lanes));
        for (id, instance) in config.instance_ids().zip(&config.instances) {
            // Without an account nobody could lift what a deep probe has found.
            if instance.account.is_none() {
                for service in Service::ALL {
                    self.observe(id, service, now, Event::Deep(DeepOutcome::Inconclusive));
                }
            }
        }
    }

    fn banned(&self) -> Vec<InstanceId> {
        self.core.config().instance_ids().filter(|id| self.core.quarantined(*id)).collect()
    }

    /// What goes with the facts that the core forgets about an instance in quarantine; one that is
    /// released is asked at once.
    fn follow_bans(&mut self, before: &[InstanceId], now: Moment) {
        let banned = self.banned();
        for (id, lane) in self.core.config().instance_ids().zip(&mut self.lanes) {
            if banned.contains(&id) {
                lane.token = None;
                Service::ALL.iter().for_each(|s| lane.monitor.gauge(*s).clear_silence());
            } else if before.contains(&id) {
                lane.hurry(now);
            }
        }
    }

    /// Takes what the data plane has reported.
    fn hear(&mut self, now: Moment) {
        for id in self.core.config().instance_ids() {
            let Some(lane) = self.lanes.get(id.index()) else { continue };
            if !lane.monitor.inbox.take_pending() {
                continue;
            }
            for service in Service::ALL {
                self.hear_of(id, service, now);
            }
        }
    }

    fn hear_of(&mut self, id: InstanceId, service: Service, now: Moment) {
        let Some(lane) = self.lanes.get(id.index()) else { return };
        let counted = lane.monitor.inbox.take(service);
        if counted.is_empty() {
            return;
        }
        let waiting = lane.monitor.gauge(service).waiting();
        let last_resort = self.core.last_resort(id, service);
        let tally = Tally { waiting, last_resort, ..counted };
        self.observe(id, service, now, Event::Seen(tally));
        if tally.concerns_instance() {
            self.spread(id, service, &tally, now);
        }
    }

    /// A listener that is gone is gone for all services.
    fn spread(&mut self, id: InstanceId, from: Service, tally: &Tally, now: Moment) {
        let tally = Tally {
            refused: tally.refused.min(1),
            connect_timeout: tally.connect_timeout.min(1),
            connect_failed: tally.connect_failed.min(1),
            ..Tally::default()
        };
        let Some(lane) = self.lanes.get(id.index()) else { return };
        for service in lane.services.clone() {
            if service != from {
                self.observe(id, service, now, Event::Seen(tally));
            }
        }
    }

    fn observe(&mut self, id: InstanceId, service: Service, now: Moment, event: Event) -> Step {
        let step = self.core.observe(id, service, now, event);
        let Some(lane) = self.lanes.get_mut(id.index()) else { return step };
        if step.silence_over {
            lane.monitor.gauge(service).clear_silence();
        }
        let answers_again =
            step.change.is_some_and(|c| c.to == Condition::Up && c.from != Condition::Suspect);
        if answers_again && matches!(service, Service::Identity | Service::Config) {
            lane.documents.hurry(now);
        }
        if step.burst {
            self.burst(id, service);
        }
        step
    }

    fn finish(&mut self, done: Option<Done>) {
        let Some(done) = done else { return };
        let Some(index) = self.lanes.iter().position(|l| Arc::ptr_eq(&l.monitor, &done.monitor)) else {
            return;
        };
        // Lanes are indexed by instance ids.
        let id = InstanceId(index as u16);
        let now = Moment::now();
        match done.what {
            Finished::Probe { service, started, found, burst } => {
                let outcome = self.usual(id, now, &found);
                self.probed(id, service, now, started, outcome, burst);
            }
            Finished::Documents(found) => self.read(id, now, found),
            Finished::Deep(found) => self.deep(id, now, found),
        }
    }

    fn probed(
        &mut self,
        id: InstanceId,
        service: Service,
        now: Moment,
        started: Moment,
        outcome: Outcome,
        burst: bool,
    ) {
        self.observe(id, service, now, Event::Probe { outcome, started });
        if !burst && outcome == Outcome::Failed(Cause::Refused) {
            self.spread(id, service, &Tally { refused: 1, ..Tally::default() }, now);
        }
        let interval = self.core.config().health.interval;
        let slot = self.lanes[id.index()].slot(service);
        if !burst {
            let first = slot.probe.due == Moment::default();
            // Counted from the start, so that a slow answer does not stretch the interval.
            slot.probe.end((started + period(interval, first, id, service)).max(now));
            return;
        }
        slot.burst_left = slot.burst_left.saturating_sub(1);
        if slot.burst_left == 0 {
            self.observe(id, service, now, Event::BurstOver);
        }
    }

    /// The result, in the light of what this instance and the others usually answer.
    fn usual(&mut self, id: InstanceId, now: Moment, found: &Probed) -> Outcome {
        let rise = self.core.config().health.rise;
        let others: Vec<Shape> = match found.shape {
            Some(_) => self.core.peers(id).filter_map(|c| self.lanes.get(c.index())?.habit.last()).collect(),
            None => Vec::new(),
        };
        let lane = &mut self.lanes[id.index()];
        match (found.shape, found.outcome) {
            (Some(shape), _) => match lane.habit.judge(shape, rise, &others) {
                Ok(()) => found.outcome,
                Err(cause) => Outcome::Failed(cause),
            },
            (None, Outcome::Inconclusive) => {
                if lane.told_inconclusive.is_none_or(|told| now.since(told) >= TELL_PAUSE) {
                    lane.told_inconclusive = Some(now);
                    let instance = lane.monitor.name();
                    tracing::warn!(instance, "probes cannot be made: no descriptors, ports or memory here");
                }
                found.outcome
            }
            (None, outcome) => {
                lane.habit.failed();
                outcome
            }
        }
    }

    fn read(&mut self, id: InstanceId, now: Moment, found: Option<Documents>) {
        if let Some(found) = found
            && !self.core.quarantined(id)
        {
            self.core.learn(id, found);
        }
        let complete = self.core.documents(id).is_some_and(|d| d.keys != Keys::Unread);
        let pause = if complete { DOCUMENTS_INTERVAL } else { DOCUMENTS_PAUSE };
        self.lanes[id.index()].documents.end(now + pause);
    }

    fn deep(&mut self, id: InstanceId, now: Moment, found: deep::Found) {
        let interval = self.core.config().health.interval;
        let failed = found.results.iter().any(|(_, outcome)| *outcome == DeepOutcome::Failed);
        let pause = if failed { interval * 2 } else { (interval * 10).max(DEEP_INTERVAL) };
        let lane = &mut self.lanes[id.index()];
        lane.deep.end(now + pause);
        lane.token = found.token.filter(|_| !self.core.quarantined(id));
        if lane.complaint != found.complaint {
            lane.complaint = found.complaint;
            let instance = lane.monitor.name();
            match &lane.complaint {
                Some(why) => tracing::warn!(instance, why, "no deep probes: the account does not work"),
                None => tracing::info!(instance, "the account works again"),
            }
        }
        for (service, outcome) in found.results {
            // Bad service beats none: nobody else could take over.
            if outcome == DeepOutcome::Failed && self.core.last_resort(id, service) {
                continue;
            }
            self.observe(id, service, now, Event::Deep(outcome));
        }
    }

    /// An unknown key came: read again, but not too often. Who has never answered is asked as often
    /// as without a wish.
    fn refresh_documents(&mut self, now: Moment) {
        for (id, lane) in self.core.config().instance_ids().zip(&mut self.lanes) {
            let complete = self.core.documents(id).is_some_and(|d| d.keys != Keys::Unread);
            lane.wish_documents(now, if complete { REFRESH_PAUSE } else { DOCUMENTS_PAUSE });
        }
    }

    /// Once a second: successes, hedge delays, the latency window.
    fn housekeep(&mut self, now: Moment) {
        self.housekeeping = now + HOUSEKEEPING;
        let rotate = self.rotation <= now;
        if rotate {
            self.rotation = now + ROTATION;
        }
        for id in self.core.config().instance_ids() {
            for service in Service::ALL {
                self.hear_of(id, service, now);
                let Some(lane) = self.lanes.get(id.index()) else { continue };
                let gauge = lane.monitor.gauge(service);
                gauge.refresh_hedge_delay();
                if rotate {
                    gauge.rotate();
                }
            }
        }
    }

    fn next_timer(&self) -> Moment {
        let probes = self.lanes.iter().filter_map(Lane::next_timer).min();
        [probes, self.core.next_wakeup()].into_iter().flatten().fold(self.housekeeping, Moment::min)
    }
}

/// Lanes for every instance; those whose monitor is known are carried on.
fn lanes(
    config: &Config,
    monitors: Vec<Arc<Monitor>>,
    targets: &[Arc<Target>],
    mut before: Vec<Lane>,
) -> Vec<Lane> {
    let pairs = monitors.into_iter().zip(targets);
    let lane = |(id, (monitor, target)): (InstanceId, (Arc<Monitor>, &Arc<Target>))| match before
        .iter()
        .position(|l| Arc::ptr_eq(&l.monitor, &monitor))
    {
        Some(known) => before.swap_remove(known).renew(config, id, target),
        None => Lane::new(config, id, monitor, target),
    };
    config.instance_ids().zip(pairs).map(lane).collect()
}

const DEEP_INTERVAL: Duration = Duration::from_secs(5);
const DOCUMENTS_INTERVAL: Duration = Duration::from_secs(15);
const DOCUMENTS_PAUSE: Duration = Duration::from_secs(1);
/// Between two complaints about our own resources, for one instance.
const TELL_PAUSE: Duration = Duration::from_secs(60);
const HOUSEKEEPING: Duration = Duration::from_secs(1);
const ROTATION: Duration = Duration::from_secs(10);
