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
use super::connect::{ConnectError, Stream};
use crate::clock::Moment;
use crate::config::types::Service;
use crate::http::body::{RequestBody, Upload, UploadState};

/// A connection to an instance, held by one request or by the pool. It ends when dropped: what is
/// left of an upload that nobody waits for must not keep it open.
pub struct Lease {
    /// Carries the request.
    pub sender: SendRequest<RequestBody>,
    task: Option<AbortHandle>,
}

impl Lease {
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

/// The idle connections of one core. Last in, first out: the most recently used one is the least
/// likely to have been closed by the instance meanwhile.
#[derive(Default)]
pub struct Pool {
    // A handful of instances: a scan is quicker than hashing.
    idle: RefCell<Vec<(u64, Vec<Idle>)>>,
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
        if lease.sender.is_closed() {
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

    /// Closes what has been idle for long, and everything of instances that `keep` no longer names.
    pub fn sweep(&self, now: Moment, keep: impl Fn(u64) -> bool) {
        let mut pools = self.idle.borrow_mut();
        pools.retain(|(key, _)| keep(*key));
        for (_, stack) in pools.iter_mut() {
            stack.retain(|idle| !idle.lease.sender.is_closed() && now.since(idle.answered) < MAX_AGE);
        }
    }
}

/// Opens a new connection and runs it on this core.
///
/// # Errors
/// When there is none; nothing was written.
pub async fn open(backend: &Backend) -> Result<Lease, ConnectError> {
    let stream: Stream = backend.target.connect().await?;
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(LARGEST_PART)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| ConnectError::Unreachable(std::io::Error::other(e)))?;
    // Its error is also the request's.
    let task = tokio::task::spawn_local(async move {
        let _ = connection.with_upgrades().await;
    });
    Ok(Lease { sender, task: Some(task.abort_handle()) })
}

/// An instance's answer on its way to the client. When both it and the request have come to their
/// end, the connection is idle again; otherwise it is closed.
pub struct Passed {
    body: Incoming,
    ended: bool,
    lease: Option<Lease>,
    reusable: bool,
    upload: Option<Arc<Upload>>,
    pool: Rc<Pool>,
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
    /// The body of an answer that came over `lease`, which may be `reusable` afterwards. Each part
    /// of it has to come within the response time-out.
    pub fn new(
        body: Incoming,
        (lease, reusable): (Lease, bool),
        upload: Option<Arc<Upload>>,
        (pool, backend, service): (Rc<Pool>, Arc<Backend>, Service),
    ) -> Self {
        let lease = Some(lease);
        Self { body, ended: false, lease, reusable, upload, pool, backend, service, stall: None }
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
        match Pin::new(&mut self.body).poll_frame(cx) {
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
        // An answer may come before the request is complete; what follows then on the connection
        // is the rest of the request.
        let sent = self.upload.as_ref().is_none_or(|u| u.state() == UploadState::Complete);
        if sent
            && self.reusable
            && (self.ended || self.body.is_end_stream())
            && let Some(lease) = self.lease.take()
        {
            self.pool.put(self.backend.key, lease);
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
