//! What is broken on purpose: one table of fault modes, and the board that holds the active ones.
//!
//! To add a mode: a variant of [`Mode`], a row in `MODES`, and the place that acts on it. A service has at
//! most one active mode; a new one replaces it. A fault of a single service wins over one of `all`, except
//! that what `all` does to sockets (stop, hang, blackhole) leaves nothing that a service could answer on.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::service::Service;

/// What a fault applies to. `All` also covers discovery and unknown paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The whole instance.
    All,
    /// One service.
    One(Service),
}

/// One way to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `all`: the listening socket is closed and connections are reset. One service: like `Page503`.
    Stop,
    /// The HTML page of a stopped IIS application pool.
    Page503,
    /// Requests are accepted and read, and never answered.
    Hang,
    /// No packet is answered (`all` only).
    Blackhole,
    /// Every answer waits.
    Slow(Duration),
    /// 200 with a body that nobody asked for.
    WrongBody,
    /// The connection that carries the request is reset.
    Reset,
}

impl Mode {
    /// The name in the control API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Page503 => "page503",
            Self::Hang => "hang",
            Self::Blackhole => "blackhole",
            Self::Slow(_) => "slow",
            Self::WrongBody => "wrong-body",
            Self::Reset => "reset",
        }
    }
}

/// A request for a fault that is not understood: which member, and what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {text}")]
pub struct BadInput {
    /// The member of the body, or the parameter of the query.
    pub field: String,
    /// What is wrong with it.
    pub text: String,
    /// What may stand there; empty when that is not a list.
    pub allowed: Vec<String>,
}

impl BadInput {
    /// A complaint about `field`.
    pub fn new(field: impl Into<String>, text: impl Into<String>, allowed: Vec<String>) -> Self {
        Self { field: field.into(), text: text.into(), allowed }
    }
}

/// A fault as somebody asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub target: Target,
    /// How.
    pub mode: Mode,
}

impl Fault {
    /// Reads `{"service", "mode", ...}`.
    ///
    /// # Errors
    /// The first member that is missing, unknown or out of range.
    pub fn parse(body: &Value) -> Result<Self, BadInput> {
        let Value::Object(members) = body else {
            return Err(BadInput::new("body", "must be a JSON object", vec![]));
        };
        let target = target(text(members, "service", &service_names())?)?;
        let wanted = text(members, "mode", &mode_names())?;
        let Some(row) = MODES.iter().find(|row| row.name.eq_ignore_ascii_case(wanted)) else {
            return Err(BadInput::new("mode", format!("{wanted:?} is not a mode"), mode_names()));
        };
        if row.all_only && target != Target::All {
            let text = format!("{} works on the whole instance only", row.name);
            return Err(BadInput::new("service", text, vec!["all".into()]));
        }
        let known = |name: &str| name == "service" || name == "mode" || row.members.contains(&name);
        if let Some(stranger) = members.keys().find(|name| !known(name)) {
            let allowed = ["service", "mode"].iter().chain(row.members).map(|name| (*name).into()).collect();
            return Err(BadInput::new(stranger, format!("not a member of {}", row.name), allowed));
        }
        Ok(Self { target, mode: (row.read)(members)? })
    }

    /// The fault as [`Fault::parse`] reads it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({ "service": self.target.to_string(), "mode": self.mode.name() });
        if let Mode::Slow(wait) = self.mode {
            json["ms"] = json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        }
        json
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::One(service) => service.fmt(f),
        }
    }
}

/// One row of the table of modes.
struct ModeRow {
    name: &'static str,
    all_only: bool,
    members: &'static [&'static str],
    read: fn(&Map<String, Value>) -> Result<Mode, BadInput>,
}

const MODES: [ModeRow; 7] = [
    ModeRow { name: "stop", all_only: false, members: &[], read: |_| Ok(Mode::Stop) },
    ModeRow { name: "page503", all_only: false, members: &[], read: |_| Ok(Mode::Page503) },
    ModeRow { name: "hang", all_only: false, members: &[], read: |_| Ok(Mode::Hang) },
    ModeRow { name: "blackhole", all_only: true, members: &[], read: |_| Ok(Mode::Blackhole) },
    ModeRow { name: "slow", all_only: false, members: &["ms"], read: slow },
    ModeRow { name: "wrong-body", all_only: false, members: &[], read: |_| Ok(Mode::WrongBody) },
    ModeRow { name: "reset", all_only: false, members: &[], read: |_| Ok(Mode::Reset) },
];

/// A longer wait is a hang, and there is a mode for that.
const SLOWEST_MS: u64 = 3_600_000;

fn slow(members: &Map<String, Value>) -> Result<Mode, BadInput> {
    let allowed = || vec![format!("1..={SLOWEST_MS}")];
    match members.get("ms").and_then(Value::as_u64) {
        Some(ms) if (1..=SLOWEST_MS).contains(&ms) => Ok(Mode::Slow(Duration::from_millis(ms))),
        _ => Err(BadInput::new("ms", "must be a whole number of milliseconds", allowed())),
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str, allowed: &[String]) -> Result<&'a str, BadInput> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(BadInput::new(name, "must be a string", allowed.to_vec())),
        None => Err(BadInput::new(name, "is missing", allowed.to_vec())),
    }
}

/// Reads the name of a service, or `all`.
///
/// # Errors
/// A name that is neither.
pub fn target(name: &str) -> Result<Target, BadInput> {
    if name.eq_ignore_ascii_case("all") {
        return Ok(Target::All);
    }
    Service::ALL
        .into_iter()
        .find(|service| service.name().eq_ignore_ascii_case(name))
        .map(Target::One)
        .ok_or_else(|| BadInput::new("service", format!("{name:?} is not a service"), service_names()))
}

fn service_names() -> Vec<String> {
    Service::ALL.iter().map(|service| service.name().into()).chain(["all".into()]).collect()
}

fn mode_names() -> Vec<String> {
    MODES.iter().map(|row| row.name.into()).collect()
}

/// The active faults. Whoever waits subscribes and looks again after each change.
pub struct FaultBoard {
    state: watch::Sender<BoardState>,
}

/// What a board holds.
#[derive(Debug, Default)]
pub struct BoardState {
    active: BTreeMap<Target, Mode>,
    history: BTreeMap<Target, History>,
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
        let own = service.and_then(|service| state.active.get(&Target::One(service)));
        own.or_else(|| state.active.get(&Target::All)).cloned()
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
        }
    }

    /// What the whole instance suffers now.
    #[must_use]
    pub fn whole(&self) -> Option<Mode> {
        self.state.borrow().active.get(&Target::All).cloned()
    }

    /// Wakes at every change.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BoardState> {
        self.state.subscribe()
    }

    /// Makes a fault active, in place of the target's last one.
    pub fn set(&self, fault: Fault) {
        self.state.send_modify(|state| {
            let history = state.history.entry(fault.target).or_default();
            match fault.mode {
                Mode::Hang => history.hangs += 1,
                Mode::Stop => history.stops += 1,
                Mode::Reset => history.resets += 1,
                _ => {}
            }
            state.active.insert(fault.target, fault.mode);
        });
    }

    /// Lifts one target's fault, or all of them.
    pub fn lift(&self, target: Option<Target>) {
        self.state.send_modify(|state| match target {
            Some(target) => drop(state.active.remove(&target)),
            None => state.active.clear(),
        });
    }

    /// All active faults.
    #[must_use]
    pub fn list(&self) -> Vec<Fault> {
        let state = self.state.borrow();
        state.active.iter().map(|(target, mode)| Fault { target: *target, mode: mode.clone() }).collect()
    }
}

impl Default for FaultBoard {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_listed() {
        for row in &MODES {
            let mut body = json!({ "service": "all", "mode": row.name });
            if row.name == "slow" {
                body["ms"] = json!(5);
            }
            assert_eq!(Fault::parse(&body).unwrap().to_json(), body);
        }
    }

    #[test]
    fn complaints_name_field_and_choices() {
        let wrong = |body: Value| Fault::parse(&body).unwrap_err();
        assert_eq!(wrong(json!([])).field, "body");
        assert_eq!(wrong(json!({ "mode": "stop" })).field, "service");
        assert_eq!(wrong(json!({ "service": "x", "mode": "stop" })).allowed.len(), 6);
        assert!(wrong(json!({ "service": "all", "mode": "melt" })).allowed.contains(&"hang".to_owned()));
        assert_eq!(wrong(json!({ "service": "config", "mode": "blackhole" })).allowed, ["all"]);
        assert_eq!(wrong(json!({ "service": "config", "mode": "slow" })).field, "ms");
        assert_eq!(wrong(json!({ "service": "config", "mode": "hang", "ms": 3 })).field, "ms");
    }

    #[test]
    fn a_service_wins_over_all() {
        let board = FaultBoard::new();
        board.set(Fault { target: Target::All, mode: Mode::Hang });
        board.set(Fault { target: Target::One(Service::Soap), mode: Mode::Page503 });
        assert_eq!(board.current(None), Some(Mode::Hang));
        assert_eq!(board.current(Some(Service::Soap)), Some(Mode::Page503));
        board.lift(Some(Target::All));
        assert_eq!(board.current(Some(Service::Config)), None);
        assert_eq!(board.history(Some(Service::Config)).hangs, 1);
    }
}
