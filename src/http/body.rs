//! Bodies on their way: from the client, and back to it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pace::{Active, Pace};
use crate::clock::Moment;

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
        /// Told when we wait for the client (time limit of the body).
        pace: Arc<Pace>,
        /// Seen by whoever waits for the answer.
        upload: Arc<Upload>,
    },
}

/// How far a client's body is: while it is under way, the instance owes no answer.
#[derive(Debug)]
pub struct Upload {
    /// [`Moment`] in microseconds.
    last: AtomicU64,
    waits_for_client: AtomicBool,
}

impl Upload {
    /// When the instance last took a part, or now if it is the client who lets us wait.
    pub fn last(&self) -> Moment {
        if self.waits_for_client.load(Relaxed) {
            Moment::now()
        } else {
            Moment::from_micros(self.last.load(Relaxed))
        }
    }

    fn polled(&self, waits_for_client: bool) {
        self.last.store(Moment::now().as_micros(), Relaxed);
        self.waits_for_client.store(waits_for_client, Relaxed);
    }
}

impl RequestBody {
    /// A body that was read completely.
    pub fn full(bytes: Bytes) -> Self {
        if bytes.is_empty() { Self::Empty } else { Self::Full(Some(bytes)) }
    }

    /// The client's body, or none if it announced none.
    pub fn client(body: Incoming, pace: &Arc<Pace>) -> Self {
        if body.is_end_stream() {
            return Self::Empty;
        }
        let upload = Upload {
            last: AtomicU64::new(Moment::now().as_micros()),
            waits_for_client: AtomicBool::new(false),
        };
        Self::Client { body, pace: pace.clone(), upload: Arc::new(upload) }
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
            Self::Client { body, pace, upload } => {
                let frame = Pin::new(body).poll_frame(cx);
                pace.want_body(frame.is_pending());
                upload.polled(frame.is_pending());
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_none(),
            Self::Client { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Client { body, .. } => body.size_hint(),
        }
    }
}

/// What a client gets: an instance's stream, or our own bytes. Ends the request when dropped.
#[derive(Debug)]
pub struct ReplyBody<B> {
    content: Content<B>,
    _active: Active,
}

#[derive(Debug)]
enum Content<B> {
    Own(Option<Bytes>),
    Passed(B),
}

impl<B> ReplyBody<B> {
    /// Our own bytes.
    pub fn own(bytes: Bytes, active: Active) -> Self {
        Self { content: Content::Own((!bytes.is_empty()).then_some(bytes)), _active: active }
    }

    /// An instance's stream.
    pub const fn passed(body: B, active: Active) -> Self {
        Self { content: Content::Passed(body), _active: active }
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for ReplyBody<B> {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.content {
            Content::Own(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Content::Passed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Own(bytes) => bytes.is_none(),
            Content::Passed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Content::Passed(body) => body.size_hint(),
        }
    }
}

/// Why a body could not be read completely.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// Longer than allowed.
    #[error("the body is longer than {0} bytes")]
    TooLong(usize),
    /// The sender went away or broke the framing.
    #[error("the body ended early: {0}")]
    Broken(#[from] hyper::Error),
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// When it is longer, or ends early.
pub async fn collect<B>(mut body: B, limit: usize) -> Result<Bytes, CollectError>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(CollectError::TooLong(limit));
    }
    let mut all = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            if all.len() + data.len() > limit {
                return Err(CollectError::TooLong(limit));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(all.into())
}
