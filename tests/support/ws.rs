//! A WebSocket client of the Events & State protocol.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http::Request;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::client::{Http, Socket};

pub struct Events {
    socket: WebSocketStream<Box<dyn Socket>>,
}

/// How a socket has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// With a Close that carried this code; 1005: none.
    Closed(u16),
    /// Without one.
    Cut,
}

/// An HTTP status instead of an upgrade.
#[derive(Debug)]
pub struct Refused(pub u16);

impl Events {
    /// Opens the socket; `token` goes into the `Authorization` header.
    pub async fn connect(http: &Http, path: &str, token: Option<&str>) -> Result<Self, Refused> {
        let mut request = Request::builder()
            .uri(format!("ws://{}{path}", http.host))
            .header("host", &http.host)
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let raw = http.raw().await.unwrap();
        let shake = tokio_tungstenite::client_async(request.body(()).unwrap(), raw);
        match timeout(super::PATIENCE, shake).await.expect("an answer to the upgrade") {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(response)) => Err(Refused(response.status().as_u16())),
            Err(other) => panic!("upgrade: {other}"),
        }
    }

    pub async fn send(&mut self, value: &Value) {
        self.socket.send(Message::text(value.to_string())).await.unwrap();
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// Sends a text in frames of so many bytes, wherever they fall.
    pub async fn send_in_frames(&mut self, text: &str, size: usize) {
        let count = text.len().div_ceil(size);
        for (n, part) in text.as_bytes().chunks(size).enumerate() {
            let code = OpCode::Data(if n == 0 { Data::Text } else { Data::Continue });
            let frame = Frame::message(part.to_vec(), code, n + 1 == count);
            self.socket.send(Message::Frame(frame)).await.unwrap();
        }
    }

    /// Sends a ping and waits for its pong.
    pub async fn ping(&mut self, payload: &'static [u8]) {
        self.socket.send(Message::Ping(payload.into())).await.unwrap();
        loop {
            match timeout(super::PATIENCE, self.socket.next()).await.expect("a pong in time") {
                Some(Ok(Message::Pong(back))) => return assert_eq!(&back[..], payload),
                Some(Ok(Message::Text(_))) => {}
                other => panic!("no pong but {other:?}"),
            }
        }
    }

    pub async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.close(Some(frame)).await.unwrap();
    }

    /// Waits for the end; what comes before it is skipped.
    pub async fn end(&mut self) -> Ended {
        loop {
            match timeout(super::PATIENCE, self.socket.next()).await.expect("an end in time") {
                Some(Ok(Message::Close(frame))) => {
                    return Ended::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Ended::Cut,
            }
        }
    }

    /// The next JSON frame; `None` when the socket is closed or cut.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match timeout(super::PATIENCE, self.socket.next()).await.expect("a frame in time")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(text.as_str()).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Sends a command and gives its response; event frames before it are skipped.
    pub async fn command(&mut self, command: Value) -> Value {
        self.send(&command).await;
        loop {
            let frame = self.next().await.expect("a response, not a closed socket");
            if frame["commandId"] == command["commandId"] {
                return frame;
            }
        }
    }

    /// Starts a session and subscribes to everything of all cameras.
    pub async fn subscribe(&mut self) {
        let started =
            self.command(json!({"command": "startSession", "commandId": 1, "sessionId": "", "eventId": ""}));
        assert_eq!(started.await["status"], 201);
        let filters = json!([{"modifier": "include", "resourceTypes": ["cameras"], "sourceIds": ["*"], "eventTypes": ["*"]}]);
        let reply =
            self.command(json!({"command": "addSubscription", "commandId": 2, "filters": filters})).await;
        assert_eq!(reply["status"], 200, "{reply}");
    }

    /// The next frame that carries events.
    pub async fn events(&mut self) -> Vec<Value> {
        loop {
            let frame = self.next().await.expect("events, not a closed socket");
            if let Some(events) = frame["events"].as_array() {
                return events.clone();
            }
        }
    }

    /// Whether the other side ends the socket within `limit`.
    pub async fn ends_within(&mut self, limit: Duration) -> bool {
        timeout(limit, async { while self.socket.next().await.is_some_and(|m| m.is_ok()) {} }).await.is_ok()
    }
}
