//! Connections to instances that belong to one client connection, because NTLM and Negotiate
//! authenticate a connection and not a request (fact sheet 2.9).
//!
//! A connection on which such a message or a challenge was seen never carries a request of anybody
//! else: it is pinned here until one of the two sides ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use http::header::{HeaderMap, WWW_AUTHENTICATE};
use http::{Response, StatusCode};

use super::pool::Lease;
use crate::metrics::Metrics;

/// What an answer says about the connection that carried it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Authenticate this connection if you like, or: it is authenticated now.
    Offered,
    /// A handshake is in progress; the client's next message belongs to this connection.
    Awaits,
}

/// The challenge in an answer. Generous, like the reader of a client's messages.
pub fn challenge<B>(response: &Response<B>) -> Option<Challenge> {
    let has_token = challenges(response.headers()).reduce(|one, other| one || other)?;
    // With another status the token is the last one of a handshake that succeeded.
    let awaits = has_token && response.status() == StatusCode::UNAUTHORIZED;
    Some(if awaits { Challenge::Awaits } else { Challenge::Offered })
}

/// For each challenge of this kind, whether it holds a message.
fn challenges(headers: &HeaderMap) -> impl Iterator<Item = bool> {
    let lines = headers.get_all(WWW_AUTHENTICATE).iter();
    lines.flat_map(|line| line.as_bytes().split(|b| *b == b',')).filter_map(|one| {
        let one = one.trim_ascii();
        let scheme =
            SCHEMES.iter().find(|s| one.get(..s.len()).is_some_and(|o| o.eq_ignore_ascii_case(s)))?;
        Some(!one[scheme.len()..].trim_ascii().is_empty())
    })
}

const SCHEMES: [&[u8]; 2] = [b"ntlm", b"negotiate"];

/// Over whose connections a request may go.
#[derive(Clone, Copy, Debug)]
pub enum Over<'c> {
    /// The pool's: the client has pinned none.
    Shared,
    /// The client's own where it has one, the pool's elsewhere.
    Own(&'c Rc<Pinned>),
    /// It begins a handshake: its own, or a new one that becomes its own.
    Begins(&'c Rc<Pinned>),
    /// It answers a challenge: only the one that carried it.
    Continues(&'c Rc<Pinned>),
}

impl<'c> Over<'c> {
    /// Where to look for the client's connection to this instance; `None`: in the pool.
    pub fn own(self, backend: u64) -> Option<&'c Rc<Pinned>> {
        match self {
            Self::Shared => None,
            Self::Own(pinned) => pinned.knows(backend).then_some(pinned),
            Self::Begins(pinned) | Self::Continues(pinned) => Some(pinned),
        }
    }

    /// Whether the request carries a message of a handshake: written at most once, and the instance
    /// may have to ask somebody else before it answers.
    pub const fn is_handshake(self) -> bool {
        matches!(self, Self::Begins(_) | Self::Continues(_))
    }

    /// Whether no other connection will do.
    pub const fn continues(self) -> bool {
        matches!(self, Self::Continues(_))
    }
}

/// The connections of one client connection: at most one an instance, and one request at a time,
/// because HTTP/1.1 has no more.
#[derive(Debug)]
pub struct Pinned {
    /// The one used last stands last.
    pins: RefCell<Vec<Pin>>,
    /// The instance whose challenge was the last answer.
    awaits: Cell<Option<u64>>,
    metrics: Arc<Metrics>,
}

/// A client's place at one instance; stays when the connection has ended: what follows is still
/// nothing for the pool.
#[derive(Debug)]
struct Pin {
    backend: u64,
    /// While no request uses it.
    idle: Option<Lease>,
}

impl Pinned {
    /// None yet.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { pins: RefCell::default(), awaits: Cell::new(None), metrics }
    }

    /// Whether the client has, or had, a connection of its own to this instance.
    pub fn knows(&self, backend: u64) -> bool {
        self.pins.borrow().iter().any(|pin| pin.backend == backend)
    }

    /// The instance on whose connection the client was seen last, if it is still open.
    pub fn home(&self) -> Option<u64> {
        let pins = self.pins.borrow();
        pins.last().filter(|pin| pin.idle.as_ref().is_some_and(Lease::is_open)).map(|pin| pin.backend)
    }

    /// The instance whose challenge the client has just got. Asking ends the wait: a message that
    /// does not follow its challenge directly answers none.
    pub fn awaits(&self) -> Option<u64> {
        self.awaits.take()
    }

    /// The client begins to log in at this instance. Whoever it was at others, it is no longer: it
    /// would have two names.
    pub fn begin(&self, backend: u64) {
        for pin in self.pins.borrow_mut().iter_mut().filter(|pin| pin.backend != backend) {
            pin.idle = None;
        }
    }

    /// The client's connection to this instance, if it is still there.
    pub fn take(&self, backend: u64) -> Option<Lease> {
        let mut pins = self.pins.borrow_mut();
        let pin = pins.iter_mut().find(|pin| pin.backend == backend)?;
        pin.idle.take().filter(Lease::is_open)
    }

    /// The answer that is on its way to the client came over a connection that is its own from now
    /// on.
    pub fn claim(&self, backend: u64, lease: &mut Lease, challenge: Option<Challenge>) {
        lease.count(|| self.metrics.connection_pinned());
        self.awaits.set((challenge == Some(Challenge::Awaits)).then_some(backend));
        let mut pins = self.pins.borrow_mut();
        pins.retain(|pin| pin.backend != backend);
        pins.push(Pin { backend, idle: None });
    }

    /// The answer has come to its end. Its request need not have: the client cannot send the next
    /// one before we have all of it, and the instance gets the rest of it first.
    pub fn put(&self, backend: u64, lease: Lease) {
        if let Some(pin) = self.pins.borrow_mut().iter_mut().find(|pin| pin.backend == backend) {
            pin.idle = Some(lease);
        }
    }

    /// Closes connections to instances that `keep` no longer names; one in use, when its answer ends.
    pub fn sweep(&self, keep: impl Fn(u64) -> bool) {
        let mut pins = self.pins.borrow_mut();
        pins.retain(|pin| keep(pin.backend));
        for pin in pins.iter_mut() {
            pin.idle.take_if(|lease| !lease.is_open());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(status: u16, challenges: &[&str]) -> Option<Challenge> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for value in challenges {
            response.headers_mut().append(WWW_AUTHENTICATE, value.parse().unwrap());
        }
        challenge(&response)
    }

    #[test]
    fn a_challenge_awaits_an_answer_if_it_holds_a_message() {
        assert_eq!(of(401, &["Negotiate", "NTLM"]), Some(Challenge::Offered));
        assert_eq!(of(401, &["ntlm TlRMTVNTUAACAAAA"]), Some(Challenge::Awaits));
        assert_eq!(of(401, &["Negotiate", "NTLM TlRMTVNTUAACAAAA"]), Some(Challenge::Awaits));
        assert_eq!(of(401, &["Basic realm=\"x\", Negotiate, NTLM"]), Some(Challenge::Offered));
        assert_eq!(of(200, &["Negotiate oYG2MIGz"]), Some(Challenge::Offered), "the last of a handshake");
        assert_eq!(of(401, &["Basic realm=\"x\"", "Bearer"]), None);
        assert_eq!(of(401, &[]), None);
    }
}
