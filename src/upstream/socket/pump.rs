//! Moves the bytes of a WebSocket between its two ends, and ends it as the standard wants it: with a
//! Close that says why, wherever one fits between the frames.

use std::future::Future;
use std::io;
use std::time::Duration;

use aws_lc_rs::rand;
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use super::flow::Flow;
use super::head::{Head, Kind, mask};
use super::{Side, Stop};

/// Why a socket is ended although both ends would go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// The gatekeeper stops.
    Stopping,
    /// Its instance is gone, or no longer the one to talk to: the client should come again.
    Restart,
    /// The same, and the instance must not be told anything.
    Cut,
}

/// How it came to its end.
enum End {
    /// The side is gone.
    Gone(Side),
    /// The side said what does not pass.
    Stop(Side, Stop),
    Leave(Leave),
}

/// Carries the socket until an end goes away, breaks the rules, or `leave` says so. `up` takes what
/// the client says, `down` what the instance says.
pub async fn run<C, I>(client: C, instance: I, up: Flow, down: Flow, leave: impl Future<Output = Leave>)
where
    C: AsyncRead + AsyncWrite,
    I: AsyncRead + AsyncWrite,
{
    let ((from_client, to_client), (from_instance, to_instance)) = (split(client), split(instance));
    let mut up = Way::new(from_client, to_instance, up);
    let mut down = Way::new(from_instance, to_client, down);
    let end = tokio::select! {
        end = up.carry() => end.seen_by(Side::Client),
        end = down.carry() => end.seen_by(Side::Instance),
        why = leave => End::Leave(why),
    };
    // Nothing from here on may wait for long: an end that is gone does not answer.
    match end {
        End::Gone(Side::Client) => {
            // What the instance has still to say is for a client that may only have stopped talking.
            let _ = timeout(GRACE, up.sink.to.shutdown()).await;
            let _ = timeout(GRACE, down.carry()).await;
        }
        End::Gone(Side::Instance) => {
            // It may have said why.
            let _ = timeout(GRACE, down.carry()).await;
            down.sink.say(None, RESTART, None).await;
            swallow(&mut up.from).await;
        }
        End::Stop(side, stop) => {
            tracing::info!(?side, error = %stop, "socket closed");
            let (answer, to_client, to_instance) = match stop {
                Stop::Violation(_) => (None, PROTOCOL, PROTOCOL),
                Stop::Unreadable => (None, INVALID, AWAY),
                Stop::TooLong => (None, TOO_LONG, AWAY),
                Stop::Refused { answer } => (Some(answer), POLICY, AWAY),
            };
            tokio::join!(
                down.sink.say(answer, to_client, None),
                up.sink.say(None, to_instance, fresh_mask())
            );
            swallow(&mut up.from).await;
        }
        End::Leave(Leave::Cut) => {
            drop((up.sink, down.from));
            down.sink.say(None, RESTART, None).await;
            swallow(&mut up.from).await;
        }
        End::Leave(why) => {
            let code = if why == Leave::Stopping { AWAY } else { RESTART };
            tokio::join!(down.sink.say(None, code, None), up.sink.say(None, AWAY, fresh_mask()));
            swallow(&mut up.from).await;
        }
    }
}

/// One direction with its streams. Everything under way is kept here, so [`Way::carry`] may be
/// dropped and called again.
struct Way<R, W> {
    from: ReadHalf<R>,
    read: BytesMut,
    stop: Option<Stop>,
    sink: Sink<W>,
}

/// Where it leads.
struct Sink<W> {
    to: WriteHalf<W>,
    flow: Flow,
    out: BytesMut,
}

/// How a direction came to its end.
enum Over {
    /// Nothing more comes.
    Source,
    /// Nobody takes it.
    Sink,
    Stop(Stop),
}

impl Over {
    fn seen_by(self, from: Side) -> End {
        let to = if from == Side::Client { Side::Instance } else { Side::Client };
        match self {
            Self::Source => End::Gone(from),
            Self::Sink => End::Gone(to),
            Self::Stop(stop) => End::Stop(from, stop),
        }
    }
}

impl<R: AsyncRead, W: AsyncWrite> Way<R, W> {
    fn new(from: ReadHalf<R>, to: WriteHalf<W>, flow: Flow) -> Self {
        let sink = Sink { to, flow, out: BytesMut::new() };
        Self { from, read: BytesMut::new(), stop: None, sink }
    }

    async fn carry(&mut self) -> Over {
        loop {
            // What came before a mistake is good.
            if self.sink.flush().await.is_err() {
                return Over::Sink;
            }
            if let Some(stop) = self.stop.take() {
                return Over::Stop(stop);
            }
            self.read.reserve(BUFFER);
            match self.from.read_buf(&mut self.read).await {
                Ok(0) | Err(_) => return Over::Source,
                Ok(_) => {
                    let part = self.read.split().freeze();
                    self.stop = self.sink.flow.push(part, &mut self.sink.out).err();
                }
            }
        }
    }
}

impl<W: AsyncWrite> Sink<W> {
    async fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            self.to.write_buf(&mut self.out).await?;
        }
        self.to.flush().await
    }

    /// Writes a last message and a Close, if there is room for them between the frames, and ends
    /// the stream.
    async fn say(&mut self, message: Option<String>, (code, reason): Code, key: Option<[u8; 4]>) {
        if let Some(text) = message
            && self.flow.is_between_messages()
        {
            frame(Kind::Text, text.into_bytes(), key, &mut self.out);
        }
        if self.flow.is_between_frames() && !self.flow.is_closed() {
            frame(Kind::Close, [&code.to_be_bytes(), reason.as_bytes()].concat(), key, &mut self.out);
        }
        let _ = timeout(GRACE, async {
            self.flush().await?;
            self.to.shutdown().await
        })
        .await;
    }
}

/// Reads until the source ends: whoever closes with bytes unread resets the connection, and the Close
/// on its way may be lost with it.
async fn swallow<R: AsyncRead>(from: &mut ReadHalf<R>) {
    let mut scratch = [0; 1024];
    let _ = timeout(GRACE, async { while from.read(&mut scratch).await.is_ok_and(|n| n > 0) {} }).await;
}

fn frame(kind: Kind, mut payload: Vec<u8>, key: Option<[u8; 4]>, out: &mut BytesMut) {
    Head { kind, last: true, mask: key, length: payload.len() as u64 }.write(out);
    if let Some(key) = key {
        mask(&mut payload, key, 0);
    }
    out.extend_from_slice(&payload);
}

fn fresh_mask() -> Option<[u8; 4]> {
    let mut key = [0; 4];
    // Nothing depends on it: what is masked is the same few words every time.
    let _ = rand::fill(&mut key);
    Some(key)
}

/// A number of RFC 6455 7.4 and its registry, and a word for people.
type Code = (u16, &'static str);
const AWAY: Code = (1001, "going away");
const PROTOCOL: Code = (1002, "protocol error");
const INVALID: Code = (1007, "unreadable message");
const POLICY: Code = (1008, "not authenticated");
const TOO_LONG: Code = (1009, "message too long");
const RESTART: Code = (1012, "service restart");

/// Bytes, each way.
const BUFFER: usize = 8 * 1024;
/// How long an end may take to hear that it is over.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
