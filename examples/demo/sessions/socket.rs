//! A user's WebSocket: subscribes to the cameras that the user knows, is opened again whenever it ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use http::Request;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::client::Shared;
use super::notes::{Fact, Notes};
use crate::web::{Stream, Target};

/// A socket that stays open, as far as that is up to its owner.
pub struct Socket {
    /// Whose.
    pub shared: Arc<Shared>,
    /// Its place among all sockets.
    pub place: usize,
    /// Where to.
    pub target: Target,
    /// What is noted.
    pub notes: Arc<Notes>,
}

type Open = WebSocketStream<Box<dyn Stream>>;

impl Socket {
    /// Opens it for the first time.
    pub async fn open(&self) -> anyhow::Result<Open> {
        timeout(PATIENCE, self.shake()).await.context("no socket in time")?
    }

    /// Listens; opens it again when it ends. Until it is dropped.
    pub async fn run(self, mut open: Open) {
        loop {
            self.listen(&mut open).await;
            drop(open);
            let lost = Instant::now();
            open = loop {
                match self.open().await {
                    Ok(open) => break open,
                    Err(error) => {
                        self.notes.fact(Fact::SocketRefused(format!("{error:#}")));
                        tokio::time::sleep(RETRY).await;
                    }
                }
            };
            self.notes.fact(Fact::SocketBack(lost.elapsed()));
        }
    }

    async fn shake(&self) -> anyhow::Result<Open> {
        // Browsers cannot set the header: one in four says its token in-band.
        let (token, in_band) = (self.shared.token(), self.place % 4 == 3);
        let mut request = Request::builder()
            .uri("ws://localhost/API/ws/events/v1")
            .header("host", "localhost")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        if !in_band {
            request = request.header("authorization", token.clone());
        }
        let stream = self.target.open().await?;
        let (mut open, _) = match tokio_tungstenite::client_async(request.body(())?, stream).await {
            Ok(open) => open,
            Err(Error::Http(reply)) => bail!("upgrade: status {}", reply.status().as_u16()),
            Err(error) => return Err(error).context("upgrade"),
        };
        if in_band {
            let token = token.to_str().context("not a token")?;
            self.command(&mut open, json!({ "command": "authenticate", "commandId": 0, "token": token }))
                .await?;
        }
        // A new session each time: to go on with the old one is for the gatekeeper's event part to offer.
        self.command(&mut open, json!({ "command": "startSession", "commandId": 1 })).await?;
        let known: Vec<&String> = self.shared.known.keys().collect();
        let filters = json!([{
            "modifier": "include", "resourceTypes": ["cameras"], "sourceIds": known, "eventTypes": ["*"],
        }]);
        self.command(&mut open, json!({ "command": "addSubscription", "commandId": 2, "filters": filters }))
            .await?;
        Ok(open)
    }

    async fn command(&self, open: &mut Open, command: Value) -> anyhow::Result<()> {
        open.send(Message::text(command.to_string())).await?;
        while let Some(message) = open.next().await {
            let Message::Text(text) = message? else { continue };
            let frame: Value = serde_json::from_str(text.as_str())?;
            if frame["commandId"] == command["commandId"] {
                return match frame["status"].as_u64() {
                    Some(200..=299) => Ok(()),
                    _ => bail!("{}: status {}", command["command"], frame["status"]),
                };
            }
        }
        bail!("{}: the socket was closed", command["command"])
    }

    /// Until the socket ends.
    async fn listen(&self, open: &mut Open) {
        while let Some(Ok(message)) = open.next().await {
            let Message::Text(text) = message else { continue };
            let Ok(frame) = serde_json::from_str::<Value>(text.as_str()) else { continue };
            for event in frame["events"].as_array().into_iter().flatten() {
                self.notes.fact(Fact::Events(self.place));
                let source = event["source"].as_str().unwrap_or_default();
                let id = source.strip_prefix("cameras/").map(str::to_ascii_lowercase);
                if id.is_some_and(|id| !self.shared.known.contains_key(&id)) {
                    self.notes.fact(Fact::StrangeId);
                }
            }
        }
    }
}

/// How long opening may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two tries, as the sample clients do.
const RETRY: Duration = Duration::from_secs(1);
