//! A gate in a byte stream that somebody else can close and open: while it is closed, the stream is pending.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// Open or closed. One reader and one writer wait at most: the task that owns the stream.
#[derive(Default)]
pub struct Gate {
    closed: AtomicBool,
    blocked: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl Gate {
    /// Closes or opens, and wakes who waits.
    pub fn set_closed(&self, closed: bool) {
        if closed {
            self.blocked.store(false, Ordering::SeqCst);
        }
        self.closed.store(closed, Ordering::SeqCst);
        self.reader.wake();
        self.writer.wake();
    }

    /// Whether a write waited since the gate was last closed.
    #[must_use]
    pub fn blocked(&self) -> bool {
        self.blocked.load(Ordering::SeqCst)
    }

    /// Ready when reading may go on.
    pub fn poll_read(&self, context: &mut Context<'_>) -> Poll<()> {
        self.poll(&self.reader, context)
    }

    /// Ready when writing may go on.
    pub fn poll_write(&self, context: &mut Context<'_>) -> Poll<()> {
        let poll = self.poll(&self.writer, context);
        if poll.is_pending() {
            self.blocked.store(true, Ordering::SeqCst);
        }
        poll
    }

    fn poll(&self, waker: &AtomicWaker, context: &mut Context<'_>) -> Poll<()> {
        if !self.closed.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        // Registered before the second look: an opening in between is seen by one of the two.
        waker.register(context.waker());
        if self.closed.load(Ordering::SeqCst) { Poll::Pending } else { Poll::Ready(()) }
    }
}
