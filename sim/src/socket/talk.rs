//! The loop of the sockets whose protocol is frames of text in and frames of text out.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::Origin;
use super::link::{self, End, Step, Stream};
use crate::faults::{History, Mode};
use crate::instance::Instance;
use crate::server::wire::Connection;
use crate::service::Service;

/// One side of such a socket. What it puts into `out` leaves before the socket ends.
pub trait Protocol: Send {
    /// Whose faults the socket suffers.
    const SERVICE: Service;
    /// The largest frame that a client may send, in bytes.
    const LARGEST: usize;

    /// A frame came.
    fn receive(&mut self, text: &str, out: &mut Vec<String>) -> Step;

    /// When [`Protocol::late`] wants to be called.
    fn due(&self) -> Option<Instant>;

    /// The time has come.
    fn late(&mut self, out: &mut Vec<String>) -> Step;

    /// The next frame that is not an answer. Dropping the future loses nothing.
    fn pushed(&mut self) -> impl Future<Output = Result<String, End>> + Send;
}

/// Serves a socket from the upgrade to its end.
pub async fn run<P: Protocol>(instance: Arc<Instance>, upgrade: OnUpgrade, origin: Origin, mut protocol: P) {
    let Some((stream, connection)) = link::open(upgrade, &origin.connection, P::LARGEST).await else {
        return;
    };
    let mut socket = Socket { instance, stream, connection, before: origin.before, service: P::SERVICE };
    let end = socket.serve(&mut protocol).await;
    // What the protocol holds is free before the peer sees the end.
    drop(protocol);
    link::close(&mut socket.stream, end).await;
}

struct Socket {
    instance: Arc<Instance>,
    stream: Stream,
    connection: Arc<Connection>,
    before: History,
    service: Service,
}

impl Socket {
    async fn serve<P: Protocol>(&mut self, protocol: &mut P) -> End {
        let mut faults = self.instance.faults.subscribe();
        let (instance, connection) = (Arc::clone(&self.instance), Arc::clone(&self.connection));
        loop {
            faults.mark_unchanged();
            let stalled = instance.faults.is_silent(self.service);
            let due = protocol.due();
            let mut out = Vec::new();
            let step = tokio::select! {
                biased;
                end = link::broken(&instance, &connection, self.service, self.before) => return end,
                _ = faults.changed() => Step::Continue(()),
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() && !stalled => {
                    protocol.late(&mut out)
                }
                // Before the client's next frame, or one that publishes much drowns in its own messages.
                frame = protocol.pushed(), if !stalled => match frame {
                    Ok(frame) => {
                        out.push(frame);
                        Step::Continue(())
                    }
                    Err(end) => return end,
                },
                message = self.stream.next(), if !stalled => match self.text(message).await {
                    Ok(Some(text)) => protocol.receive(&text, &mut out),
                    Ok(None) => Step::Continue(()),
                    Err(end) => Step::Break(end),
                },
            };
            for frame in out {
                if let ControlFlow::Break(end) = self.send(Message::text(frame)).await {
                    return end;
                }
            }
            if let ControlFlow::Break(end) = step {
                return end;
            }
        }
    }

    /// The text of a message, when the service has got round to it.
    async fn text(&mut self, message: Option<Result<Message, Error>>) -> Result<Option<String>, End> {
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            // tungstenite answers both by itself; the answer leaves with the flush.
            Some(Ok(Message::Ping(_) | Message::Close(_))) => {
                return self.stream.flush().await.map(|()| None).map_err(|_| End::Gone);
            }
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => return Ok(None),
            Some(Ok(Message::Binary(_))) => return Err(malformed("binary frame")),
            Some(Err(Error::Capacity(_))) => {
                return Err(End::Close(CloseCode::Size, "the frame is too large".into()));
            }
            Some(Err(_)) | None => return Err(End::Gone),
        };
        if let Some(Mode::Slow(wait)) = self.instance.faults.current(Some(self.service)) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                end = link::broken(&self.instance, &self.connection, self.service, self.before) => return Err(end),
            }
        }
        Ok(Some(text.to_string()))
    }

    /// Sends and flushes; a peer that does not read must not outlive a cut.
    async fn send(&mut self, message: Message) -> Step {
        tokio::select! {
            biased;
            end = link::broken(&self.instance, &self.connection, self.service, self.before) => Step::Break(end),
            sent = self.stream.send(message) => match sent {
                Ok(()) => Step::Continue(()),
                Err(_) => Step::Break(End::Gone),
            },
        }
    }
}

/// The end of a socket whose client does not speak the protocol.
pub fn malformed(reason: &str) -> End {
    End::Close(CloseCode::Invalid, reason.to_owned())
}
