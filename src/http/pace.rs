//! Time limits of client connections (design D12): head, body, idleness.
//!
//! A timer a request would cost more than everything else here, and hyper's own header timer also
//! runs on idle connections. So each connection notes its phase in a few cells, and once in a while
//! the core looks at all of its connections ([`Registry::sweep`]). Limits are exact to one sweep.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::Upload;
use crate::clock::Moment;

/// From the first byte of a request to the end of its head.
pub const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// Without a byte of a body that one side waits for.
pub const BODY_LIMIT: Duration = Duration::from_secs(30);
/// Without a request.
pub const IDLE_LIMIT: Duration = Duration::from_secs(300);
/// What the last bytes of a request without a body are.
const BLANK_LINE: u32 = u32::from_be_bytes(*b"\r\n\r\n");
/// How often a core looks; the precision of the limits above.
pub const SWEEP_INTERVAL: Duration = Duration::from_millis(500);

/// What a client connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Phase {
    /// Between requests.
    Idle,
    /// Some bytes of a head have come (HTTP/1 only: on HTTP/2 a ping looks the same).
    Head,
    /// At least one request is being served.
    Busy,
    /// Upgraded; no limits.
    Tunnel,
}

/// Why a connection was ended by us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Expired {
    /// [`HEAD_LIMIT`].
    Head = 1,
    /// [`BODY_LIMIT`].
    Body,
    /// [`IDLE_LIMIT`]; ordinary.
    Idle,
}

/// The pace of one connection; shared by its I/O, its requests and the registry.
///
/// Only one core ever touches it. The atomics are there because hyper hands upgraded streams over
/// as `Send`; relaxed loads and stores cost no more than cells.
#[derive(Debug)]
pub struct Pace {
    http2: AtomicBool,
    phase: AtomicU8,
    /// [`Moment`] in microseconds: begin of the phase, or its last progress.
    since: AtomicU64,
    requests: AtomicU32,
    /// The last four bytes that came: a blank line, unless the next request has begun.
    tail: AtomicU32,
    write_blocked: AtomicBool,
    /// The streams of HTTP/2: each is timed on its own, because pings and other streams are
    /// progress of the connection but not of the stream.
    streams: Mutex<Vec<Arc<Stream>>>,
    uploads: Mutex<Vec<Weak<Upload>>>,
    expired: AtomicU8,
    draining: AtomicBool,
    task: AtomicWaker,
}

impl Pace {
    fn new(draining: bool, now: Moment) -> Self {
        Self {
            http2: AtomicBool::new(false),
            phase: AtomicU8::new(Phase::Idle as u8),
            since: AtomicU64::new(now.as_micros()),
            requests: AtomicU32::new(0),
            tail: AtomicU32::new(BLANK_LINE),
            streams: Mutex::default(),
            uploads: Mutex::default(),
            write_blocked: AtomicBool::new(false),
            expired: AtomicU8::new(0),
            draining: AtomicBool::new(draining),
            task: AtomicWaker::new(),
        }
    }

    /// A request begins; it ends when the returned value is dropped.
    pub fn request(self: &Arc<Self>) -> Active {
        self.requests.store(self.requests.load(Relaxed) + 1, Relaxed);
        self.enter(Phase::Busy);
        let stream = self.http2().then(|| {
            let stream = Arc::new(Stream::default());
            lock(&self.streams).push(stream.clone());
            stream
        });
        Active { pace: self.clone(), stream }
    }

    /// The connection carries something else from now on, without limits.
    pub fn tunnel(&self) {
        self.phase.store(Phase::Tunnel as u8, Relaxed);
    }

    /// A request has a body: the client must not let us wait for it too long.
    pub fn watch_upload(&self, upload: &Arc<Upload>) {
        let mut uploads = lock(&self.uploads);
        uploads.retain(|u| u.strong_count() > 0);
        uploads.push(Arc::downgrade(upload));
    }

    /// Set once the connection has outlived a limit; its task then ends.
    pub fn expired(&self) -> Option<Expired> {
        match self.expired.load(Relaxed) {
            e if e == Expired::Head as u8 => Some(Expired::Head),
            e if e == Expired::Body as u8 => Some(Expired::Body),
            e if e == Expired::Idle as u8 => Some(Expired::Idle),
            _ => None,
        }
    }

    /// Whether the connection speaks HTTP/2.
    pub fn http2(&self) -> bool {
        self.http2.load(Relaxed)
    }

    /// The handshake has agreed on HTTP/2.
    pub fn set_http2(&self) {
        self.http2.store(true, Relaxed);
    }

    /// Ends when the connection should. Only one task at a time may wait on a connection.
    pub async fn drained(&self) {
        std::future::poll_fn(|cx| {
            self.register(cx.waker());
            if self.draining() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The connection should end after the running requests.
    pub fn draining(&self) -> bool {
        self.draining.load(Relaxed)
    }

    /// Remembers the task to wake when a limit has passed or a drain begins.
    pub fn register(&self, waker: &Waker) {
        self.task.register(waker);
    }

    fn in_phase(&self, phase: Phase) -> bool {
        self.phase.load(Relaxed) == phase as u8
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        self.progress();
    }

    fn progress(&self) {
        self.since.store(Moment::now().as_micros(), Relaxed);
    }

    fn received(&self, bytes: &[u8]) {
        let tail = bytes[bytes.len().saturating_sub(4)..]
            .iter()
            .fold(self.tail.load(Relaxed), |tail, byte| tail << 8 | u32::from(*byte));
        self.tail.store(tail, Relaxed);
        if self.in_phase(Phase::Idle) && !self.http2() {
            self.enter(Phase::Head);
        }
    }

    /// Half a head has come and all answers are out: nothing is lost if the connection ends now.
    pub fn is_in_head(&self) -> bool {
        self.in_phase(Phase::Head) && !self.write_blocked.load(Relaxed)
    }

    fn check(&self, now: Moment) -> Option<Expired> {
        let waited = now.since(Moment::from_micros(self.since.load(Relaxed)));
        if self.in_phase(Phase::Head) && waited >= HEAD_LIMIT {
            Some(Expired::Head)
        } else if self.in_phase(Phase::Idle) && waited >= IDLE_LIMIT {
            Some(Expired::Idle)
        } else if self.in_phase(Phase::Busy) && self.client_is_stuck(now, waited) {
            Some(Expired::Body)
        } else {
            None
        }
    }

    /// The client neither sends what it announced nor takes what it asked for.
    fn client_is_stuck(&self, now: Moment, waited: Duration) -> bool {
        if self.write_blocked.load(Relaxed) && waited >= BODY_LIMIT {
            return true;
        }
        let uploads: Vec<Duration> =
            lock(&self.uploads).iter().filter_map(Weak::upgrade).map(|u| u.client_owes(now)).collect();
        if !self.http2() {
            return uploads.iter().any(|owed| *owed >= BODY_LIMIT);
        }
        let streams = lock(&self.streams);
        let stuck = |limit| {
            uploads.iter().filter(|owed| **owed >= limit).count()
                + streams.iter().filter(|s| s.client_owes(now) >= limit).count()
        };
        // A stream that is paused must not end the others; but neither may it stay for ever.
        stuck(BODY_LIMIT) >= streams.len().max(1) || stuck(IDLE_LIMIT) > 0
    }
}

/// The reply of one HTTP/2 stream.
#[derive(Debug, Default)]
struct Stream {
    /// [`Moment`] in microseconds since which the client owes us room for more; 0: it does not.
    owed_since: AtomicU64,
}

impl Stream {
    fn client_owes(&self, now: Moment) -> Duration {
        match self.owed_since.load(Relaxed) {
            0 => Duration::ZERO,
            since => now.since(Moment::from_micros(since)),
        }
    }
}

/// A request in progress.
#[derive(Debug)]
pub struct Active {
    pace: Arc<Pace>,
    stream: Option<Arc<Stream>>,
}

impl Active {
    /// The client has been offered all there is, and must take it before there is more.
    pub fn client_owes(&self, owes: bool) {
        if let Some(stream) = &self.stream {
            stream.owed_since.store(if owes { Moment::now().as_micros() } else { 0 }, Relaxed);
        }
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let pace = &self.pace;
        if let Some(stream) = &self.stream {
            lock(&pace.streams).retain(|s| !Arc::ptr_eq(s, stream));
        }
        let left = pace.requests.load(Relaxed).saturating_sub(1);
        pace.requests.store(left, Relaxed);
        if left == 0 && pace.in_phase(Phase::Busy) {
            let had_body = !std::mem::take(&mut *lock(&pace.uploads)).is_empty();
            // Half a head behind a finished request lies in hyper's buffer, where its bytes will
            // not be seen again. After a body, the last bytes say nothing of that kind.
            let begun = pace.tail.load(Relaxed) != BLANK_LINE && !had_body && !pace.http2();
            pace.enter(if begun { Phase::Head } else { Phase::Idle });
        }
    }
}

/// Uncontended: one core uses it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All client connections of one core.
#[derive(Debug, Default)]
pub struct Registry {
    next: Cell<u64>,
    draining: Cell<bool>,
    open: RefCell<HashMap<u64, Arc<Pace>>>,
}

impl Registry {
    /// Adds a connection; it leaves when the returned value is dropped.
    pub fn enter(self: &Rc<Self>) -> Entry {
        let pace = Arc::new(Pace::new(self.draining.get(), Moment::now()));
        let key = self.next.replace(self.next.get() + 1);
        self.open.borrow_mut().insert(key, pace.clone());
        Entry { registry: self.clone(), key, pace }
    }

    /// Open connections.
    pub fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// Whether no connection is open.
    pub fn is_empty(&self) -> bool {
        self.open.borrow().is_empty()
    }

    /// Wakes the connections that have outlived a limit.
    pub fn sweep(&self, now: Moment) {
        for pace in self.open.borrow().values() {
            if let Some(why) = pace.check(now) {
                pace.expired.store(why as u8, Relaxed);
                pace.task.wake();
            }
        }
    }

    /// Asks every connection to end after its running requests.
    pub fn drain(&self) {
        self.draining.set(true);
        for pace in self.open.borrow().values() {
            pace.draining.store(true, Relaxed);
            pace.task.wake();
        }
    }
}

/// A connection's place in its [`Registry`].
#[derive(Debug)]
pub struct Entry {
    registry: Rc<Registry>,
    key: u64,
    /// The connection's pace.
    pub pace: Arc<Pace>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.open.borrow_mut().remove(&self.key);
    }
}

/// A client's stream that notes progress.
#[derive(Debug)]
pub struct Timed<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S> Timed<S> {
    /// Notes in `pace` what happens on `stream`.
    pub const fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }

    fn wrote<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let blocked = result.is_pending();
        if blocked != self.pace.write_blocked.load(Relaxed) {
            self.pace.write_blocked.store(blocked, Relaxed);
            self.pace.progress();
        }
        result
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.pace.received(&buf.filled()[before..]);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pace: &Pace, d: Duration) -> Option<Expired> {
        pace.check(Moment::from_micros(pace.since.load(Relaxed)) + d)
    }

    #[test]
    fn each_phase_has_its_limit() {
        let registry = Rc::new(Registry::default());
        let entry = registry.enter();
        let pace = &entry.pace;
        assert_eq!(after(pace, IDLE_LIMIT - SWEEP_INTERVAL), None);
        assert_eq!(after(pace, IDLE_LIMIT), Some(Expired::Idle));
        pace.received(b"GET /");
        assert_eq!(after(pace, HEAD_LIMIT), Some(Expired::Head));
        let active = pace.request();
        assert_eq!(after(pace, IDLE_LIMIT), None, "a slow instance is not the client's fault");
        pace.write_blocked.store(true, Relaxed);
        assert_eq!(after(pace, BODY_LIMIT), Some(Expired::Body));
        pace.write_blocked.store(false, Relaxed);
        pace.received(b" HTTP/1.1\r\n\r");
        pace.received(b"\n");
        drop(active);
        assert_eq!(after(pace, IDLE_LIMIT), Some(Expired::Idle));
    }

    #[test]
    fn pings_do_not_start_a_head_on_http2() {
        let registry = Rc::new(Registry::default());
        let entry = registry.enter();
        entry.pace.set_http2();
        entry.pace.received(b"GE");
        assert_eq!(after(&entry.pace, HEAD_LIMIT), None);
        drop(entry);
        assert!(registry.is_empty());
    }

    #[test]
    fn a_stream_that_is_not_read_is_not_saved_by_pings() {
        let registry = Rc::new(Registry::default());
        let entry = registry.enter();
        entry.pace.set_http2();
        let active = entry.pace.request();
        active.client_owes(true);
        let later = Moment::now() + BODY_LIMIT;
        entry.pace.received(b"GE");
        assert_eq!(entry.pace.check(later), Some(Expired::Body));
        active.client_owes(false);
        assert_eq!(entry.pace.check(later), None);
    }

    #[test]
    fn half_a_head_behind_a_request_is_timed() {
        let registry = Rc::new(Registry::default());
        let entry = registry.enter();
        let active = entry.pace.request();
        entry.pace.received(b"GE");
        drop(active);
        assert_eq!(after(&entry.pace, HEAD_LIMIT), Some(Expired::Head));
    }
}
