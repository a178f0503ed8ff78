//! The active faults, for everyone who has to suffer them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::{ConfigFault, EventsFault, Fault, Mode, Once, Target};
use crate::service::Service;

/// The active faults. Whoever waits subscribes and looks again after each change.
pub struct FaultBoard {
    state: watch::Sender<BoardState>,
}

/// What a board holds.
#[derive(Debug, Default)]
pub struct BoardState {
    transport: BTreeMap<Target, Mode>,
    history: BTreeMap<Target, History>,
    config: Arc<Vec<ConfigFault>>,
    events: Arc<Vec<EventsFault>>,
}

/// How often a target was hit since the start. Who waits compares: a fault that was lifted again before
/// anybody looked has still happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Times that it hung.
    pub hangs: u64,
    /// Times that it was stopped.
    pub stops: u64,
    /// Times that connections were reset.
    pub resets: u64,
    /// Times that sockets were dropped.
    pub drops: u64,
    /// Times that the gateway was recycled.
    pub recycles: u64,
}

/// Which faults to lift: all that fit both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lift {
    /// The faults of this target; those of single services do not belong to `all`.
    pub target: Option<Target>,
    /// The faults of this name.
    pub mode: Option<&'static str>,
}

impl Lift {
    /// Whether a fault is lifted.
    #[must_use]
    pub fn fits(&self, target: Target, mode: &str) -> bool {
        self.target.is_none_or(|wanted| wanted == target) && self.mode.is_none_or(|wanted| wanted == mode)
    }
}

impl FaultBoard {
    /// A board without faults.
    #[must_use]
    pub fn new() -> Self {
        Self { state: watch::Sender::new(BoardState::default()) }
    }

    /// What a request of `service` (`None`: a path of no service) suffers now.
    #[must_use]
    pub fn current(&self, service: Option<Service>) -> Option<Mode> {
        let state = self.state.borrow();
        let own = service.and_then(|service| state.transport.get(&Target::One(service)));
        own.or_else(|| state.transport.get(&Target::All)).cloned()
    }

    /// What `service` and the whole instance suffered until now.
    #[must_use]
    pub fn history(&self, service: Option<Service>) -> History {
        let state = self.state.borrow();
        let of = |target| state.history.get(&target).copied().unwrap_or_default();
        let own = service.map(|service| of(Target::One(service))).unwrap_or_default();
        let all = of(Target::All);
        History {
            hangs: own.hangs + all.hangs,
            stops: own.stops + all.stops,
            resets: own.resets + all.resets,
            drops: own.drops + all.drops,
            recycles: own.recycles + all.recycles,
        }
    }

    /// What the whole instance suffers now.
    #[must_use]
    pub fn whole(&self) -> Option<Mode> {
        self.state.borrow().transport.get(&Target::All).cloned()
    }

    /// Whether sockets of a service are open and silent.
    #[must_use]
    pub fn is_silent(&self, service: Service) -> bool {
        let stalled = service == Service::Events && self.events().contains(&EventsFault::Stall);
        stalled || self.current(Some(service)) == Some(Mode::Hang)
    }

    /// What is wrong with the configuration now.
    #[must_use]
    pub fn config(&self) -> Arc<Vec<ConfigFault>> {
        Arc::clone(&self.state.borrow().config)
    }

    /// What is wrong with the events now.
    #[must_use]
    pub fn events(&self) -> Arc<Vec<EventsFault>> {
        Arc::clone(&self.state.borrow().events)
    }

    /// Wakes at every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BoardState> {
        self.state.subscribe()
    }

    /// Makes a fault active, in place of the one that it replaces. What is done once is only noted.
    pub fn set(&self, fault: Fault) {
        self.state.send_modify(|state| match fault {
            Fault::Transport(target, mode) => {
                let history = state.history.entry(target).or_default();
                match mode {
                    Mode::Hang => history.hangs += 1,
                    Mode::Stop => history.stops += 1,
                    Mode::Reset => history.resets += 1,
                    _ => {}
                }
                state.transport.insert(target, mode);
            }
            Fault::Config(fault) => {
                let faults = Arc::make_mut(&mut state.config);
                faults.retain(|older| !fault.replaces(older));
                faults.push(fault);
            }
            Fault::Events(fault) => {
                let faults = Arc::make_mut(&mut state.events);
                let older = faults.iter().position(|older| fault.replaces(older)).map(|at| faults.remove(at));
                faults.push(older.map_or(fault, |older| fault.after(older)));
            }
            Fault::Once(once) => {
                let history = state.history.entry(Target::One(Service::Events)).or_default();
                match once {
                    Once::Drop => history.drops += 1,
                    Once::Recycle => history.recycles += 1,
                    Once::Restore(_) => {}
                }
            }
        });
    }

    /// Lifts faults.
    pub fn lift(&self, lift: Lift) {
        let (config, events) = (Target::One(Service::Config), Target::One(Service::Events));
        self.state.send_modify(|state| {
            state.transport.retain(|target, mode| !lift.fits(*target, mode.name()));
            Arc::make_mut(&mut state.config).retain(|fault| !lift.fits(config, fault.name()));
            Arc::make_mut(&mut state.events).retain(|fault| !lift.fits(events, fault.name()));
        });
    }

    /// All active faults, as they were asked for: transport, configuration, events.
    #[must_use]
    pub fn list(&self) -> Vec<Value> {
        let state = self.state.borrow();
        let transport = state.transport.iter().map(|(target, mode)| {
            let mut json = json!({ "service": target.to_string(), "mode": mode.name() });
            if let Mode::Slow(wait) = mode {
                json["ms"] = json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            }
            json
        });
        let config = state.config.iter().map(ConfigFault::to_json);
        transport.chain(config).chain(state.events.iter().map(EventsFault::to_json)).collect()
    }
}

impl Default for FaultBoard {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::config::BadAnswer;

    const ALL: Lift = Lift { target: None, mode: None };

    #[test]
    fn a_service_wins_over_all() {
        let board = FaultBoard::new();
        board.set(Fault::Transport(Target::All, Mode::Hang));
        board.set(Fault::Transport(Target::One(Service::Soap), Mode::Page503));
        assert_eq!(board.current(None), Some(Mode::Hang));
        assert_eq!(board.current(Some(Service::Soap)), Some(Mode::Page503));
        board.lift(Lift { target: Some(Target::All), ..ALL });
        assert_eq!(board.current(Some(Service::Config)), None);
        assert_eq!(board.history(Some(Service::Config)).hangs, 1);
    }

    #[test]
    fn data_faults_stand_side_by_side() {
        let board = FaultBoard::new();
        let list = |kind| Fault::Config(ConfigFault::Answer(BadAnswer::ListError, kind));
        board.set(Fault::Transport(Target::One(Service::Config), Mode::Hang));
        for fault in [list(None), list(Some("roles")), list(Some("roles"))] {
            board.set(fault);
        }
        board.set(Fault::Config(ConfigFault::WriteError(500)));
        board.set(Fault::Config(ConfigFault::WriteError(503)));
        board.set(Fault::Events(EventsFault::Skew(5)));
        board.set(Fault::Events(EventsFault::Step(5)));
        board.set(Fault::Events(EventsFault::Step(5)));
        assert_eq!(board.config().len(), 3);
        assert!(board.config().contains(&ConfigFault::WriteError(503)));
        assert_eq!(*board.events(), [EventsFault::Skew(5), EventsFault::Step(10)]);
        board.lift(Lift { mode: Some("list-error"), ..ALL });
        assert_eq!(board.list().len(), 4);
        board.lift(Lift { target: Some(Target::One(Service::Events)), ..ALL });
        assert_eq!(board.list().len(), 2);
        board.lift(Lift { target: Some(Target::All), ..ALL });
        assert_eq!(board.list().len(), 2, "a service's faults are not those of all");
        board.lift(ALL);
        assert!(board.list().is_empty());
    }

    #[test]
    fn what_is_done_once_is_noted_and_not_listed() {
        let board = FaultBoard::new();
        board.set(Fault::Once(Once::Drop));
        board.set(Fault::Once(Once::Recycle));
        let history = board.history(Some(Service::Events));
        assert_eq!((history.drops, history.recycles), (1, 1));
        assert!(board.list().is_empty());
    }
}
