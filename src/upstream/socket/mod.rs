//! A WebSocket on its way (RFC 6455): its frames are understood as far as their messages have to be
//! read, and no further.
//!
//! [`flow::Flow`] is one direction, without I/O: bytes in, bytes out. Control frames and binary
//! messages pass as they are. Text messages pass through a translator that keeps their length, so a
//! frame keeps its head; only the bytes that the translator may hold back at the end of a fragment
//! travel with the next one. Messages that may carry a token are read completely and judged.
//! [`pump`] moves the bytes and ends the socket properly.

pub mod flow;
pub mod head;
pub mod pump;
mod text;

use std::sync::Arc;

use thiserror::Error;

use crate::idmap::map::View;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client; its frames are masked.
    Client,
    /// The instance.
    Instance,
}

/// What an end must not send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A bit that belongs to an extension.
    #[error("a reserved bit is set")]
    Reserved,
    /// A kind of frame that does not exist.
    #[error("unknown kind of frame")]
    Opcode,
    /// A client has to mask, a server must not.
    #[error("masked by the wrong side")]
    Mask,
    /// Not the shortest form, or beyond 63 bits.
    #[error("malformed length")]
    Length,
    /// Too long, or split.
    #[error("malformed control frame")]
    Control,
    /// A new message inside another, or the rest of none.
    #[error("frames of messages in the wrong order")]
    Order,
}

/// Why a socket has to end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Stop {
    /// The standard is broken.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// A message that has to be read completely is longer than [`flow::LONGEST_READ`].
    #[error("a message that may carry a token is too long")]
    TooLong,
    /// A message whose token is read differently by different readers.
    #[error("a message that may carry a token cannot be read")]
    Unreadable,
    /// The message must not reach the instance.
    #[error("the token is not accepted")]
    Refused {
        /// What the client is told, as a text message.
        answer: String,
    },
}

/// Judges what a client says before the instance hears it.
pub trait Inspect {
    /// What to do with a whole text message.
    fn inspect(&mut self, message: &[u8]) -> Verdict;

    /// Whether a message that is too long to be read may pass.
    fn passes_unread(&self) -> bool;
}

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passes as it is.
    Pass,
    /// This goes instead.
    Replace(Vec<u8>),
    /// The socket ends.
    Stop(Stop),
}

/// How the other end knows ids now; `None`: as this one does. Asked for each message, because links
/// come and go while a socket is open.
pub type Ids = Box<dyn Fn() -> Option<Arc<View>>>;
