//! What every socket shares: the stream over the upgraded connection, and how it ends.

use std::ops::ControlFlow;
use std::sync::{Arc, Weak};
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use crate::faults::History;
use crate::instance::Instance;
use crate::server::wire::Connection;
use crate::service::Service;

/// A socket's stream.
pub type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// Why a socket ends.
#[derive(Debug)]
pub enum End {
    /// The peer is gone, or the connection was cut: nothing more to say.
    Gone,
    /// With a close frame.
    Close(CloseCode, String),
}

/// Goes on, or ends.
pub type Step = ControlFlow<End>;

/// How long a socket that must go may take to receive the close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// The stream, once the 101 has left; `largest` limits what the client may send at once.
pub async fn open(
    upgrade: OnUpgrade,
    connection: &Weak<Connection>,
    largest: usize,
) -> Option<(Stream, Arc<Connection>)> {
    let upgraded = upgrade.await.ok()?;
    let connection = connection.upgrade()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(8 << 10)
        .write_buffer_size(32 << 10)
        .max_message_size(Some(largest))
        .max_frame_size(Some(largest));
    let stream = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
    Some((stream, connection))
}

/// Says why, if there is something to say; a peer that does not take it is dropped.
pub async fn close(stream: &mut Stream, end: End) {
    if let End::Close(code, reason) = end {
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = tokio::time::timeout(CLOSE_PATIENCE, stream.close(Some(frame))).await;
    }
}

/// Returns when the connection was cut, or a fault of the service ends its sockets.
pub async fn broken(instance: &Instance, connection: &Connection, service: Service, before: History) -> End {
    let hit = async {
        let mut changes = instance.faults.subscribe();
        loop {
            changes.mark_unchanged();
            let now = instance.faults.history(Some(service));
            if (now.stops, now.resets, now.drops) != (before.stops, before.resets, before.drops) {
                connection.cut();
                return End::Gone;
            }
            if now.recycles != before.recycles {
                return End::Close(CloseCode::Away, "the gateway is recycled".into());
            }
            if changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = connection.wait_cut() => End::Gone,
        end = hit => end,
    }
}
