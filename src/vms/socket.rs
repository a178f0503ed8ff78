//! The events WebSocket (sheet 4.1, 4.2), as far as a probe needs it: can a session be started?

use futures_util::{SinkExt, StreamExt};
use http::header::{AUTHORIZATION, HOST, USER_AGENT};
use http::{Request, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use thiserror::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message, handshake::client::generate_key};

use super::client::{AGENT, Client, bearer};
use crate::upstream::connect::ConnectError;

/// Why no session could be started.
#[derive(Debug, Error)]
pub enum SocketError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The request cannot be made.
    #[error("cannot make the request: {0}")]
    Request(#[from] http::Error),
    /// The upgrade was answered with another status.
    #[error("the upgrade was answered with status {0}")]
    Refused(StatusCode),
    /// The connection failed or was closed.
    #[error("the socket failed: {0}")]
    Socket(#[source] Box<tungstenite::Error>),
    /// It was closed, or the answer is none that the protocol knows.
    #[error("startSession was not answered properly")]
    Answer,
}

/// Opens a socket, starts a new session and closes. Returns the status that `startSession` was
/// answered with: 201 when all is well.
///
/// # Errors
/// See [`SocketError`].
pub async fn start_session(client: &Client, token: &SecretString) -> Result<u64, SocketError> {
    tokio::select! {
        status = ask(client, token) => status,
        () = client.target().ban().raised() => Err(ConnectError::Banned.into()),
    }
}

async fn ask(client: &Client, token: &SecretString) -> Result<u64, SocketError> {
    let target = client.target();
    let authority = target.origin().authority();
    // The handshake code wants an absolute URI; only its path goes onto the wire.
    let request = Request::builder()
        .uri(format!("ws://{authority}{PATH}"))
        .header(HOST, &authority)
        .header(USER_AGENT, AGENT)
        .header(AUTHORIZATION, bearer(token)?)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", generate_key())
        .body(())?;
    let stream = target.connect().await?;
    let limits = WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
    let (mut socket, _) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(limits)).await.map_err(failed)?;
    let command = json!({"command": "startSession", "commandId": 1, "sessionId": "", "eventId": ""});
    socket.send(Message::text(command.to_string())).await.map_err(failed)?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message.map_err(failed)? else { continue };
        let answer: Value = serde_json::from_str(&text).map_err(|_| SocketError::Answer)?;
        if answer.get("commandId").is_some() {
            let status = answer.get("status").and_then(Value::as_u64).ok_or(SocketError::Answer)?;
            // Politeness; the session has served its purpose whether or not this arrives.
            let _ = socket.close(None).await;
            return Ok(status);
        }
    }
    Err(SocketError::Answer)
}

fn failed(error: tungstenite::Error) -> SocketError {
    match error {
        tungstenite::Error::Http(response) => SocketError::Refused(response.status()),
        other => SocketError::Socket(Box::new(other)),
    }
}

const PATH: &str = "/API/ws/events/v1";
/// The answer to startSession is a hundred bytes.
const MAX_FRAME: usize = 64 * 1024;

#[cfg(test)]
mod tests;
