//! Idle connections to the instances: one pool per core, so that reuse needs no lock and a
//! request never leaves the core that accepted it (design D1, D2).

use std::cell::RefCell;
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

use super::backend::Backend;
use super::connect::{ConnectError, Stream};
use crate::clock::Moment;
use crate::config::types::Service;
use crate::http::body::RequestBody;

/// A connection to an instance that can carry a request.
pub type Sender = SendRequest<RequestBody>;

/// The idle connections of one core. Last in, first out: the most recently used one is the least
/// likely to have been closed by the instance meanwhile.
#[derive(Default)]
pub struct Pool {
    // A handful of instances: a scan is quicker than hashing.
    idle: RefCell<Vec<(u64, Vec<Idle>)>>,
}

struct Idle {
    sender: Sender,
    answered: Moment,
}

impl Pool {
    /// An idle connection to `backend` that answered within `fresh`.
    pub fn take(&self, backend: &Backend, fresh: Duration) -> Option<Sender> {
        let mut pools = self.idle.borrow_mut();
        let (_, stack) = pools.iter_mut().find(|(key, _)| *key == backend.key)?;
        let now = Moment::now();
        while let Some(idle) = stack.pop() {
            if now.since(idle.answered) > fresh {
                // All below it are older. They stay for requests that may use them.
                stack.push(idle);
                return None;
            }
            if !idle.sender.is_closed() {
                return Some(idle.sender);
            }
        }
        None
    }

    fn put(&self, key: u64, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let idle = Idle { sender, answered: Moment::now() };
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
            stack.retain(|idle| !idle.sender.is_closed() && now.since(idle.answered) < MAX_AGE);
        }
    }
}

/// Opens a new connection and runs it on this core.
///
/// # Errors
/// When there is none; nothing was written.
pub async fn open(backend: &Backend) -> Result<Sender, ConnectError> {
    let stream: Stream = backend.target.connect().await?;
    let (sender, connection) = http1::Builder::new()
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|e| ConnectError::Unreachable(std::io::Error::other(e)))?;
    // Ends with the sender or the connection; its error is also the request's.
    tokio::task::spawn_local(async move {
        let _ = connection.with_upgrades().await;
    });
    Ok(sender)
}

/// An instance's answer on its way to the client. When it has been read to its end, the
/// connection it came on is idle again; otherwise the connection is closed.
pub struct Passed {
    body: Incoming,
    sender: Option<Sender>,
    pool: Rc<Pool>,
    backend: Arc<Backend>,
    service: Service,
}

impl Passed {
    /// The body of an answer that came over `sender`.
    pub const fn new(
        body: Incoming,
        sender: Sender,
        pool: Rc<Pool>,
        backend: Arc<Backend>,
        service: Service,
    ) -> Self {
        Self { body, sender: Some(sender), pool, backend, service }
    }

    /// The connection must carry nothing after this answer: it belongs to one client now.
    pub fn retire(&mut self) {
        self.sender = None;
    }
}

impl Body for Passed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(Some(Ok(_)))) {
            self.backend.gauge(self.service).touch(Moment::now());
        }
        frame
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
        if self.body.is_end_stream()
            && let Some(sender) = self.sender.take()
        {
            self.pool.put(self.backend.key, sender);
        }
    }
}

/// Per core and instance.
const MAX_IDLE: usize = 256;
/// Below the 120 s after which IIS closes an idle connection by default.
const MAX_AGE: Duration = Duration::from_secs(60);
