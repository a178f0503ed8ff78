//! Bodies on their way: from the client, and back to it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pace::{Active, Pace};
use super::translated::Translated;
use crate::clock::Moment;
use crate::idmap::translate::Translator;

/// What an instance gets. Repeatable unless it is the client's own stream.
#[derive(Debug)]
pub enum RequestBody {
    /// No body.
    Empty,
    /// Read before it was sent (token requests).
    Full(Option<Bytes>),
    /// Passed on as it comes.
    Client {
        /// The client's stream.
        body: Incoming,
        /// Seen by whoever waits for the answer, and by the time limits of the connection.
        upload: Arc<Upload>,
        /// Its ids become those of the instance that it goes to.
        text: Option<Box<Translated>>,
    },
}

/// How far a client's body is: while it is under way, the instance owes no answer.
#[derive(Debug)]
pub struct Upload {
    /// [`Moment`] in microseconds.
    last: AtomicU64,
    waits_for_client: AtomicBool,
    state: AtomicU8,
}

/// How a client's body has ended, if it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum UploadState {
    /// More may come.
    Open,
    /// The instance was given all of it.
    Complete,
    /// The client broke it off, or was too slow.
    Broken,
}

impl Upload {
    fn new() -> Self {
        Self {
            last: AtomicU64::new(Moment::now().as_micros()),
            waits_for_client: AtomicBool::new(false),
            state: AtomicU8::new(UploadState::Open as u8),
        }
    }

    /// When the instance last took a part, or now if it is the client who lets us wait.
    pub fn last(&self) -> Moment {
        if self.waits_for_client.load(Relaxed) { Moment::now() } else { self.moved() }
    }

    /// Whether and how it has ended. A connection whose upload is still open carries nothing else.
    pub fn state(&self) -> UploadState {
        match self.state.load(Relaxed) {
            s if s == UploadState::Complete as u8 => UploadState::Complete,
            s if s == UploadState::Broken as u8 => UploadState::Broken,
            _ => UploadState::Open,
        }
    }

    /// The client has owed us the next part for so long.
    pub fn client_owes(&self, now: Moment) -> Duration {
        if self.waits_for_client.load(Relaxed) { now.since(self.moved()) } else { Duration::ZERO }
    }

    fn moved(&self) -> Moment {
        Moment::from_micros(self.last.load(Relaxed))
    }

    fn polled(&self, frame: &Poll<Option<Result<Frame<Bytes>, hyper::Error>>>, complete: bool) {
        let waits = frame.is_pending();
        // The first wait begins a period; later polls within it do not prolong it.
        if !(waits && self.waits_for_client.load(Relaxed)) {
            self.last.store(Moment::now().as_micros(), Relaxed);
        }
        self.waits_for_client.store(waits, Relaxed);
        match frame {
            Poll::Ready(Some(Err(_))) => self.state.store(UploadState::Broken as u8, Relaxed),
            Poll::Ready(None) => self.state.store(UploadState::Complete as u8, Relaxed),
            _ if complete => self.state.store(UploadState::Complete as u8, Relaxed),
            _ => {}
        }
    }
}

impl RequestBody {
    /// A body that was read completely.
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Full(Some(bytes)) }
    }

    /// The client's body, or none if it announced none.
    pub fn client(body: Incoming, pace: &Pace) -> Self {
        if body.is_end_stream() {
            return Self::Empty;
        }
        let upload = Arc::new(Upload::new());
        pace.watch_upload(&upload);
        Self::Client { body, upload, text: None }
    }

    /// Has the ids of the client's own stream translated, from its first byte on: must not be called
    /// after that was sent.
    pub fn translate(&mut self, translator: Translator) {
        if let Self::Client { text, .. } = self {
            *text = Some(Box::new(Translated::new(translator)));
        }
    }

    /// How far the client's own stream is; `None` for a body that is there completely.
    pub fn upload(&self) -> Option<Arc<Upload>> {
        match self {
            Self::Client { upload, .. } => Some(upload.clone()),
            Self::Empty | Self::Full(_) => None,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Client { body, upload, text: None } => {
                let frame = Pin::new(&mut *body).poll_frame(cx);
                upload.polled(&frame, body.is_end_stream());
                frame
            }
            Self::Client { body, upload, text: Some(text) } => {
                let frame = text.poll(|| Pin::new(&mut *body).poll_frame(cx));
                upload.polled(&frame, body.is_end_stream() && text.pending() == 0);
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_none(),
            Self::Client { body, text, .. } => body.is_end_stream() && pending(text.as_deref()) == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Client { body, text, .. } => and_pending(body.size_hint(), text.as_deref()),
        }
    }
}

/// What a client gets: an instance's stream, or our own bytes. Ends the request when dropped.
#[derive(Debug)]
pub struct ReplyBody<B> {
    content: Content<B>,
    active: Active,
}

#[derive(Debug)]
enum Content<B> {
    Own(Option<Bytes>),
    Passed(B),
    Translated(B, Box<Translated>),
}

impl<B> ReplyBody<B> {
    /// Our own bytes.
    pub fn own(bytes: Bytes, active: Active) -> Self {
        active.client_owes(true);
        Self { content: Content::Own((!bytes.is_empty()).then_some(bytes)), active }
    }

    /// An instance's stream.
    pub fn passed(body: B, active: Active) -> Self {
        active.client_owes(true);
        Self { content: Content::Passed(body), active }
    }

    /// An instance's stream, whose ids become those that the client knows.
    pub fn translated(body: B, translator: Translator, active: Active) -> Self {
        active.client_owes(true);
        Self { content: Content::Translated(body, Box::new(Translated::new(translator))), active }
    }
}

impl<B: Body<Data = Bytes, Error = io::Error> + Unpin> Body for ReplyBody<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = match &mut self.content {
            Content::Own(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Content::Passed(body) => Pin::new(body).poll_frame(cx),
            Content::Translated(body, text) => text.poll(|| Pin::new(&mut *body).poll_frame(cx)),
        };
        // Whoever is not asked for more has not got rid of what it has: the client reads slowly.
        self.active.client_owes(frame.is_ready());
        frame
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(bytes) => bytes.is_none(),
            Content::Passed(body) => body.is_end_stream(),
            Content::Translated(body, text) => body.is_end_stream() && text.pending() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Content::Passed(body) => body.size_hint(),
            Content::Translated(body, text) => and_pending(body.size_hint(), Some(text)),
        }
    }
}

fn pending(text: Option<&Translated>) -> u64 {
    text.map_or(0, Translated::pending)
}

/// Translation keeps the length; what it holds back is still to come.
fn and_pending(inner: SizeHint, text: Option<&Translated>) -> SizeHint {
    let pending = pending(text);
    let mut hint = SizeHint::new();
    hint.set_lower(inner.lower() + pending);
    if let Some(upper) = inner.upper() {
        hint.set_upper(upper + pending);
    }
    hint
}

/// Why a body could not be read completely.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Longer than allowed.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// The sender went away or broke the framing.
    #[error("the body ended early: {0}")]
    Broken(#[from] Box<dyn std::error::Error + Send + Sync>),
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// When it is longer, or ends early.
pub async fn collect<B>(mut body: B, limit: usize) -> Result<Bytes, CollectError>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(CollectError::TooLong(limit));
    }
    let mut all = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame.map_err(Into::into)?.into_data() {
            if all.len() + data.len() > limit {
                return Err(CollectError::TooLong(limit));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all.into())
}
