//! After a correct 101: bytes both ways until one side ends, the gatekeeper drains, or the instance
//! is down and has said nothing for a while.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};

use crate::clock::Moment;

/// Joins the two sides until `drained`. `down` says whether the instance's service is down now.
pub async fn join(
    client: OnUpgrade,
    instance: OnUpgrade,
    drained: impl Future<Output = ()>,
    down: impl Fn() -> bool,
) {
    let (Ok(client), Ok(instance)) = tokio::join!(client, instance) else { return };
    let heard = Arc::new(AtomicU64::new(Moment::now().as_micros()));
    let mut client = TokioIo::new(client);
    let mut instance = Heard { stream: TokioIo::new(instance), last: heard.clone() };
    // A connection whose instance has died without a word would stay open for ever; one that still
    // carries bytes is not cut, whatever the probes say.
    let abandoned = async {
        loop {
            tokio::time::sleep(CHECK).await;
            let quiet = Moment::now().since(Moment::from_micros(heard.load(Relaxed)));
            if quiet >= QUIET && down() {
                return;
            }
        }
    };
    tokio::select! {
        _ = copy_bidirectional_with_sizes(&mut client, &mut instance, BUFFER, BUFFER) => {}
        () = drained => {}
        () = abandoned => tracing::info!("tunnel closed: its instance is down and silent"),
    }
}

const CHECK: Duration = Duration::from_millis(500);
const QUIET: Duration = Duration::from_secs(2);
const BUFFER: usize = 8 * 1024;

/// Notes when the instance was last heard.
struct Heard<S> {
    stream: S,
    last: Arc<AtomicU64>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Heard<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.last.store(Moment::now().as_micros(), Relaxed);
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heard<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
