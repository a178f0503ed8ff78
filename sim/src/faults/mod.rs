//! What is broken on purpose: a table of modes ([`parse`]), and the [`board`] that holds the active ones.
//!
//! Three sorts, with different rules:
//! - *Transport* ([`Mode`]): what happens to requests and connections. A service has at most one, a new one replaces
//!   it, and one of a single service wins over one of `all`, except that what `all` does to sockets (stop, hang,
//!   blackhole) leaves nothing that a service could answer on.
//! - *Data* ([`config`], [`events`]): the service answers, and what it says is wrong. Any number at a time, one of each
//!   mode and each type, field or camera; a new one replaces only that.
//! - *Once* ([`Once`]): done when the control API answers. Never listed, and nothing is left that could be lifted.
//!
//! To add a mode: a variant, a row in the table of [`parse`], and the place that acts on it.

mod board;
pub mod config;
pub mod events;
mod parse;

use std::fmt;
use std::time::Duration;

pub use board::{BoardState, FaultBoard, History, Lift};
pub use config::ConfigFault;
pub use events::EventsFault;
pub use parse::{mode, target};

use crate::service::Service;

/// What a transport fault applies to. `All` also covers discovery and unknown paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The whole instance.
    All,
    /// One service.
    One(Service),
}

/// One way in which requests and connections fail.
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

/// What is done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    /// Resets the connections of all event sockets.
    Drop,
    /// Restarts the gateway: closes all event sockets, and the next one is slow to open.
    Recycle,
    /// Sets the configuration back to what it was at this moment, in ticks since the UNIX epoch. Later changes are
    /// made to that. Another restore may go forward again; tasks, sessions and the record of writes stay.
    Restore(i64),
}

/// A fault as somebody asked for it.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// What happens to requests and connections.
    Transport(Target, Mode),
    /// What the configuration API says wrong.
    Config(ConfigFault),
    /// What the event service says wrong.
    Events(EventsFault),
    /// What is done once.
    Once(Once),
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

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::One(service) => service.fmt(f),
        }
    }
}
