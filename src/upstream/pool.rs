//! Idle connections to the instances: one pool per core, so that reuse needs no lock and a
//! request never leaves the core that accepted it (design D1, D2).

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep};

use super::backend::Backend;
use super::connect::{ConnectError, Stream, Target};
use super::pinned::{Challenge, Pinned};
use crate::clock::Moment;
use crate::config::types::Service;
use crate::http::body::{RequestBody, Upload, UploadState};
use crate::metrics::OpenConnection;

/// A connection to an instance, held by one request or by the pool. It ends when dropped: what is
/// left of an upload that nobody waits for must not keep it open.
#[derive(Debug)]
pub struct Lease {
    /// Carries the request.
    pub sender: SendRequest<RequestBody>,
    task: Option<AbortHandle>,
    pinned: Option<OpenConnection>,
}

impl Lease {
    /// The instance has not closed it.
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// It is counted as a pinned one from now on, if it is not yet.
    pub fn count(&mut self, pinned: impl FnOnce() -> OpenConnection) {
        self.pinned.get_or_insert_with(pinned);
    }

    /// The connection carries something else from now on, and ends by itself.
    pub fn detach(mut self) {
        self.task = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The connections of one core. Idle ones last in, first out: the most recently used one is the
/// least likely to have been closed by the instance meanwhile.
#[derive(Default)]
pub struct Pool {
    // A handful of instances: a scan is quicker than hashing.
    idle: RefCell<Vec<(u64, Vec<Idle>)>>,
    /// The tasks that hold a connection, used or idle, pooled or pinned or a tunnel.
    holders: RefCell<Vec<(Arc<Target>, AbortHandle)>>,
}

struct Idle {
    lease: Lease,
    answered: Moment,
}

impl Pool {
    /// An idle connection to `backend` that answered within `fresh`.
    pub fn take(&self, backend: &Backend, fresh: Duration) -> Option<Lease> {
        let mut pools = self.idle.borrow_mut();
        let (_, stack) = pools.iter_mut().find(|(key, _)| *key == backend.key)?;
        let now = Moment::now();
        while let Some(idle) = stack.pop() {
            if now.since(idle.answered) > fresh {
                // All below it are older. They stay for requests that may use them.
                stack.push(idle);
                return None;
            }
            // Not ready: the instance closes it, or has not taken all of the last request.
            if idle.lease.sender.is_ready() {
                return Some(idle.lease);
            }
        }
        None
    }

    fn put(&self, key: u64, lease: Lease) {
        if !lease.is_open() {
            return;
        }
        let idle = Idle { lease, answered: Moment::now() };
        let mut pools = self.idle.borrow_mut();
        match pools.iter_mut().find(|(known, _)| *known == key) {
            Some((_, stack)) if stack.len() < MAX_IDLE => stack.push(idle),
            Some(_) => {}
            None => pools.push((key, vec![idle])),
        }
    }

    /// Opens a new connection and runs it on this core.
    ///
    /// # Errors
    /// When there is none; nothing was written.
    pub async fn open(&self, backend: &Backend) -> Result<Lease, ConnectError> {
        let stream: Stream = backend.target.connect().await?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(LARGEST_PART)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| ConnectError::Unreachable(io::Error::other(e)))?;
        // Its error is also the request's.
        let task = tokio::task::spawn_local(async move {
            let _ = connection.with_upgrades().await;
        });
        self.holds(&backend.target, task.abort_handle());
        Ok(Lease { sender, task: Some(task.abort_handle()), pinned: None })
    }

    /// `task` holds a connection to this instance and ends with its quarantine.
    pub fn holds(&self, target: &Arc<Target>, task: AbortHandle) {
        if target.ban().is_raised() {
            task.abort();
        }
        self.holders.borrow_mut().push((Arc::clone(target), task));
    }

    /// Closes every connection to an instance in quarantine, whatever is under way on it.
    pub fn close_banned(&self) {
        for (target, task) in self.holders.borrow().iter() {
            if target.ban().is_raised() {
                task.abort();
            }
        }
    }

    /// Closes what has been idle for long, and everything of instances that `keep` no longer names.
    pub fn sweep(&self, now: Moment, keep: impl Fn(u64) -> bool) {
        let mut pools = self.idle.borrow_mut();
        pools.retain(|(key, _)| keep(*key));
        for (_, stack) in pools.iter_mut() {
            stack.retain(|idle| idle.lease.is_open() && now.since(idle.answered) < MAX_AGE);
        }
        self.holders.borrow_mut().retain(|(_, task)| !task.is_finished());
    }
}

/// What becomes of a connection when the answer on it has come to its end.
pub enum Afterwards {
    /// Anybody of this core may use it.
    Shared(Rc<Pool>),
    /// A handshake has touched it ([`super::pinned`]): it is closed, unless the client claims it.
    Private(Option<Challenge>),
    /// Its client may use it.
    Pinned(Rc<Pinned>),
}

/// An instance's answer on its way to the client. When both it and the request have come to their
/// end, the connection is idle again; otherwise it is closed.
pub struct Passed {
    body: Incoming,
    ended: bool,
    lease: Option<Lease>,
    afterwards: Afterwards,
    upload: Option<Arc<Upload>>,
    backend: Arc<Backend>,
    service: Service,
    stall: Option<Stall>,
}

/// Ends an answer that stands still.
struct Stall {
    limit: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Passed {
    /// The body of an answer that came over `lease`. Each part of it has to come within the
    /// response time-out.
    pub fn new(
        body: Incoming,
        (lease, afterwards): (Lease, Afterwards),
        upload: Option<Arc<Upload>>,
        (backend, service): (Arc<Backend>, Service),
    ) -> Self {
        let lease = Some(lease);
        Self { body, ended: false, lease, afterwards, upload, backend, service, stall: None }
    }

    /// Nobody but the client that it answers may use its connection.
    pub const fn is_private(&self) -> bool {
        matches!(self.afterwards, Afterwards::Private(_))
    }

    /// The client keeps the connection, if it is private.
    pub fn pin(&mut self, pinned: &Rc<Pinned>) {
        if let (Afterwards::Private(challenge), Some(lease)) = (&self.afterwards, &mut self.lease) {
            pinned.claim(self.backend.key, lease, *challenge);
            self.afterwards = Afterwards::Pinned(pinned.clone());
        }
    }

    /// After a 101 the connection is a tunnel and no longer ours.
    pub fn detach(&mut self) {
        if let Some(lease) = self.lease.take() {
            lease.detach();
        }
    }

    /// Whether the wait for the next part has taken too long.
    fn stalled(&mut self, cx: &mut Context<'_>) -> bool {
        let limit = self.backend.target.response_timeout();
        let stall = self.stall.get_or_insert_with(|| Stall { limit, timer: Box::pin(sleep(limit)) });
        stall.timer.as_mut().poll(cx).is_ready()
    }
}

impl Body for Passed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.backend.target.ban().is_raised() {
            // Cut, and seen to be cut: an answer whose connection has gone may look complete.
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        }
        match polled {
            Poll::Ready(Some(frame)) => {
                self.backend.gauge(self.service).touch(Moment::now());
                if let Some(stall) = &mut self.stall {
                    let next = Instant::now() + stall.limit;
                    stall.timer.as_mut().reset(next);
                }
                Poll::Ready(Some(frame.map_err(io::Error::other)))
            }
            Poll::Ready(None) => {
                self.ended = true;
                Poll::Ready(None)
            }
            Poll::Pending if self.stalled(cx) => {
                tracing::warn!(instance = self.backend.monitor.name(), "an answer stood still and was cut");
                Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        let over = self.ended || self.body.is_end_stream();
        let Some(lease) = self.lease.take().filter(|_| over) else { return };
        match &self.afterwards {
            // An answer may come before the request is complete; what follows then on the
            // connection is the rest of the request.
            Afterwards::Shared(pool)
                if self.upload.as_ref().is_none_or(|u| u.state() == UploadState::Complete) =>
            {
                pool.put(self.backend.key, lease);
            }
            Afterwards::Pinned(pinned) => pinned.put(self.backend.key, lease),
            Afterwards::Shared(_) | Afterwards::Private(_) => {}
        }
    }
}

/// Bytes of an answer that are passed on at once. A client that takes longer than the body limit
/// for so much is slower than any line.
const LARGEST_PART: usize = 64 * 1024;
/// Per core and instance.
const MAX_IDLE: usize = 256;
/// Below the 120 s after which IIS closes an idle connection by default.
const MAX_AGE: Duration = Duration::from_secs(60);
