//! Why something counts as failed: for logs, status and the operator.

use std::fmt;

use super::probe::habit::Shape;
use super::report::Signal;

/// The reason of a fault. Small, because every probe result carries one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Nothing listens.
    Refused,
    /// No route, or the name does not resolve.
    Unreachable,
    /// The certificate or handshake is wrong.
    Tls,
    /// No answer within the limit.
    Timeout,
    /// The connection was closed in the middle of the exchange.
    Closed,
    /// An answer with a status that a healthy service does not give.
    Status(u16),
    /// The right status, the wrong content: a page of the web server, an empty or cut document.
    WrongBody,
    /// Profile `http`: a good status, and an answer of another form than this instance usually gives.
    Unlike {
        /// What it usually is.
        expected: Shape,
        /// What it was.
        came: Shape,
    },
    /// It says that it is JSON, and is none.
    BrokenJson,
    /// A deep probe failed while the shallow one passes: the service answers but cannot work.
    Deep,
    /// So many requests failed and none worked, although probes pass.
    Window(u32),
    /// One report of the data plane.
    Seen(Signal),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Unreachable => f.write_str("unreachable"),
            Self::Tls => f.write_str("TLS failed"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::Closed => f.write_str("connection closed"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::WrongBody => f.write_str("wrong content"),
            Self::Unlike { expected, came } => write!(f, "wrong body: {came} instead of {expected}"),
            Self::BrokenJson => f.write_str("wrong body: JSON that cannot be read"),
            Self::Deep => f.write_str("answers, but does not work with an account"),
            Self::Window(faults) => write!(f, "{faults} requests failed and none worked"),
            Self::Seen(signal) => write!(f, "{} seen", signal.as_str()),
        }
    }
}
