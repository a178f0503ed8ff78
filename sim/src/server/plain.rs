//! The stream above TLS: notes what arrives and holds answers back while the instance hangs.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::HeadScanner;
use super::wire::Connection;

/// The scanner of a connection; the stream feeds it, the request service takes the heads.
#[derive(Clone, Default)]
pub struct Heads(Arc<Mutex<HeadScanner>>);

impl Heads {
    /// The scanner.
    pub fn lock(&self) -> MutexGuard<'_, HeadScanner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A decrypted stream.
pub struct Plain<S> {
    inner: S,
    connection: Arc<Connection>,
    heads: Option<Heads>,
}

impl<S> Plain<S> {
    /// Wraps a stream; `heads` is given for HTTP/1 only.
    pub fn new(inner: S, connection: Arc<Connection>, heads: Option<Heads>) -> Self {
        Self { inner, connection, heads }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Plain<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        if let Some(heads) = &self.heads {
            heads.lock().feed(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Plain<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.connection.answers.poll_write(context));
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Not held back: what was written before the gate closed is on its way already.
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
