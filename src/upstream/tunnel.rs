//! After a correct 101: bytes both ways until one side ends, the gatekeeper drains, the instance is
//! down and has said nothing for a while, or the client is served better elsewhere.

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

use super::socket::flow::Flow;
use super::socket::pump::{self, Leave};
use crate::clock::Moment;

/// What the stack thinks of a tunnel's instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing to say against it.
    Fine,
    /// Its service is down. A tunnel that still carries bytes is not cut, whatever the probes say.
    Down,
    /// Another instance serves now, and would serve this client too.
    Left,
}

/// Joins the two sides until the first of `ends`: the gatekeeper drains, or the instance is banned.
/// `standing` is asked twice a second. Bytes are copied, unless the ways of a WebSocket are given:
/// from the client, and from the instance.
pub async fn join(
    client: OnUpgrade,
    instance: OnUpgrade,
    flows: Option<(Flow, Flow)>,
    (drained, banned): (impl Future<Output = ()>, impl Future<Output = ()>),
    standing: impl Fn() -> Standing,
) {
    let (Ok(client), Ok(instance)) = tokio::join!(client, instance) else { return };
    let heard = Arc::new(AtomicU64::new(Moment::now().as_micros()));
    let mut client = TokioIo::new(client);
    let mut instance = Heard { stream: TokioIo::new(instance), last: heard.clone() };
    let abandoned = async {
        loop {
            tokio::time::sleep(CHECK).await;
            let quiet = Moment::now().since(Moment::from_micros(heard.load(Relaxed)));
            match standing() {
                // A connection whose instance has died without a word would stay open for ever.
                Standing::Down if quiet >= QUIET => {
                    return tracing::info!("tunnel closed: its instance is down and silent");
                }
                Standing::Left => {
                    return tracing::info!("tunnel closed: its service has moved");
                }
                Standing::Fine | Standing::Down => {}
            }
        }
    };
    let leave = async {
        tokio::select! {
            () = drained => Leave::Stopping,
            () = banned => Leave::Cut,
            () = abandoned => Leave::Restart,
        }
    };
    match flows {
        Some((up, down)) => pump::run(client, instance, up, down, leave).await,
        None => tokio::select! {
            _ = copy_bidirectional_with_sizes(&mut client, &mut instance, BUFFER, BUFFER) => {}
            _ = leave => {}
        },
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
