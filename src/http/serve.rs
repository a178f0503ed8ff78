//! One client connection: HTTP/1.1 or HTTP/2, with every limit, until it ends or is told to.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::guard::{MAX_HEAD, MAX_HEADERS};
use super::pace::{Expired, Pace, Timed};
use super::unanswered::Unanswered;

/// How a connection ended.
#[derive(Debug)]
pub enum End {
    /// By the client, or because it was drained.
    Closed,
    /// A time limit.
    Expired(Expired),
    /// hyper refused what came: it is not HTTP, or too large.
    Refused(hyper::Error),
}

/// Serves requests from `stream` with `handle` until the connection ends. Which HTTP it is, `pace`
/// knows.
pub async fn serve<S, H, F, B>(stream: S, pace: Arc<Pace>, handle: H) -> End
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<B>, Unanswered>> + 'static,
    B: Body<Data = Bytes, Error = std::io::Error> + 'static,
{
    let io = TokioIo::new(Timed::new(stream, pace.clone()));
    // Boxed, so that an idle connection does not hold the memory of a request in progress; the
    // connections below, so that HTTP/1 does not pay for the size of HTTP/2.
    let service = service_fn(move |request| Box::pin(handle(request)));
    if pace.http2() {
        let connection = http2::Builder::new(Local)
            // Against rapid reset, CONTINUATION and settings floods (design D12).
            .max_concurrent_streams(MAX_STREAMS)
            .max_pending_accept_reset_streams(Some(MAX_RESETS))
            .max_local_error_reset_streams(Some(MAX_RESETS))
            .max_header_list_size(HEAD_BUFFER as u32)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .serve_connection(io, service);
        Box::pin(Watched { connection, pace, told: false }).await
    } else {
        let connection = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .max_buf_size(HEAD_BUFFER)
            .serve_connection(io, service)
            .with_upgrades();
        Box::pin(Watched { connection, pace, told: false }).await
    }
}

/// The two kinds of hyper connection that can be asked to end after their running requests.
trait Graceful: Future<Output = Result<(), hyper::Error>> {
    fn graceful(self: Pin<&mut Self>);
}

impl<I, B, S> Graceful for http1::UpgradeableConnection<I, S>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn graceful(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<I, B, S> Graceful for http2::Connection<I, S, Local>
where
    S: hyper::service::HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    Local: hyper::rt::bounds::Http2ServerConnExec<S::Future, B>,
{
    fn graceful(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

pin_project_lite::pin_project! {
    /// A hyper connection that also obeys its [`Pace`].
    struct Watched<C> {
        #[pin]
        connection: C,
        pace: Arc<Pace>,
        told: bool,
    }
}

impl<C: Graceful> Future for Watched<C> {
    type Output = End;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        let mut this = self.project();
        this.pace.register(cx.waker());
        if let Some(why) = this.pace.expired() {
            return Poll::Ready(End::Expired(why));
        }
        if this.pace.draining() && !*this.told {
            *this.told = true;
            this.connection.as_mut().graceful();
            if this.pace.is_in_head() {
                // hyper would wait for the rest of a head that has begun.
                return Poll::Ready(End::Closed);
            }
        }
        this.connection.poll(cx).map(|result| match result {
            Ok(()) => End::Closed,
            Err(e) if e.is_parse() || e.is_parse_too_large() => End::Refused(e),
            Err(_) => End::Closed,
        })
    }
}

/// Runs HTTP/2 streams on the core that accepted the connection.
#[derive(Clone, Copy, Debug)]
pub struct Local;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// What is buffered of a head before anybody looks at it; the guard decides what is too large.
const HEAD_BUFFER: usize = MAX_HEAD + 16 * 1024;
const MAX_STREAMS: u32 = 128;
const MAX_RESETS: usize = 64;
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
const SEND_BUFFER: usize = 256 * 1024;
