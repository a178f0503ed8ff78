//! The task on the control runtime that owns machines, probes, bursts and the serving table, and
//! publishes a [`Picture`] whenever one of them changes.

mod actor;
mod core;
mod lane;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};

use self::actor::Actor;
use self::core::Core;
use super::report::Reporter;
use super::signal::Monitor;
use crate::balance::failback::{FailbackError, FailbackOutcome};
use crate::balance::overrides::Override;
use crate::balance::picture::Picture;
use crate::clock::Moment;
use crate::config::types::{Config, Service};
use crate::upstream::connect::Target;

/// Receives each new picture, in order. Called on the supervisor's task: it must not block.
pub type Publish = Box<dyn Fn(Arc<Picture>) + Send>;

/// Starts the supervisor on the current tokio runtime. The first picture, in which everybody
/// counts as healthy, is published before this returns. The task ends when the last handle is
/// dropped.
///
/// `monitors` and `targets` are indexed by `InstanceId`; both have one element per instance.
pub fn start(
    config: Arc<Config>,
    monitors: Vec<Arc<Monitor>>,
    targets: Vec<Arc<Target>>,
    overrides: Vec<Override>,
    publish: Publish,
) -> (SupervisorHandle, Reporter) {
    let reporter = Reporter::default();
    let now = Moment::now();
    let mut core = Core::new(config, overrides, now);
    // A new core always has a picture to show.
    let first = Arc::new(
        core.settle(now).unwrap_or_else(|| Picture::initial(Arc::clone(core.config()), Vec::new(), now)),
    );
    publish(Arc::clone(&first));
    let (pictures, watch) = watch::channel(first);
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let refresh = Arc::new(Notify::new());
    let actor =
        Actor::new(core, monitors, &targets, reporter.clone(), Arc::clone(&refresh), publish, pictures);
    tokio::spawn(actor.run(inbox));
    (SupervisorHandle { commands, watch, refresh }, reporter)
}

/// Talks to the supervisor. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SupervisorHandle {
    commands: mpsc::Sender<Command>,
    watch: watch::Receiver<Arc<Picture>>,
    refresh: Arc<Notify>,
}

impl SupervisorHandle {
    /// Changes to another configuration; a picture of it is published before this returns. What
    /// is known about an instance stays if its monitor is the same `Arc` as before.
    pub async fn reload(&self, config: Arc<Config>, monitors: Vec<Arc<Monitor>>, targets: Vec<Arc<Target>>) {
        self.ask(|done| Command::Reload { config, monitors, targets, done }).await;
    }

    /// Replaces all overrides; the picture that follows from them is published before this
    /// returns.
    pub async fn set_overrides(&self, overrides: Vec<Override>) {
        self.ask(|done| Command::Overrides { overrides, done }).await;
    }

    /// Returns services to their primary now, without waiting for the fail-back policy; `None`
    /// means all sites, all services.
    ///
    /// # Errors
    /// When nothing of that name exists, or nothing could return.
    pub async fn failback(
        &self,
        site: Option<String>,
        service: Option<Service>,
    ) -> Result<Vec<FailbackOutcome>, FailbackError> {
        let answer = self.ask(|done| Command::Failback { site, service, done }).await;
        answer.unwrap_or(Err(FailbackError::Stopped))
    }

    /// The pictures, the present one first.
    pub fn watch(&self) -> watch::Receiver<Arc<Picture>> {
        self.watch.clone()
    }

    /// Asks for the discovery documents to be read soon, because a token with an unknown key came.
    /// Never blocks; an instance whose keys are known is read at most once in [`REFRESH_PAUSE`].
    pub fn refresh_documents(&self) {
        self.refresh.notify_one();
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (done, answer) = oneshot::channel();
        self.commands.send(command(done)).await.ok()?;
        answer.await.ok()
    }
}

/// What a handle asks for; `done` is answered when the picture is out.
enum Command {
    Reload {
        config: Arc<Config>,
        monitors: Vec<Arc<Monitor>>,
        targets: Vec<Arc<Target>>,
        done: oneshot::Sender<()>,
    },
    Overrides {
        overrides: Vec<Override>,
        done: oneshot::Sender<()>,
    },
    Failback {
        site: Option<String>,
        service: Option<Service>,
        done: oneshot::Sender<Result<Vec<FailbackOutcome>, FailbackError>>,
    },
}

/// Between two readings of an instance's documents because of unknown keys (design D9).
pub const REFRESH_PAUSE: Duration = Duration::from_secs(10);

/// Operators and reloads are rare; whoever fills this waits.
const COMMANDS: usize = 16;
