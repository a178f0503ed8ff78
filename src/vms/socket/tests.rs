#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::config::types::{FailbackMode, Origin};
use crate::health::fixtures::config;
use crate::upstream::connect::Target;

async fn listener() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let origin = Origin { tls: false, host: address.ip().to_string(), port: address.port() };
    let config = config(&[origin], FailbackMode::Manual);
    let target = Target::new(&config.instances[0], &config.upstream).unwrap();
    (listener, Client::new(Arc::new(target)))
}

#[tokio::test]
async fn a_session_is_started_past_other_frames() {
    let (listener, client) = listener().await;
    let server = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(socket).await.unwrap();
        let command = socket.next().await.unwrap().unwrap();
        socket.send(Message::text(r#"{"events":[{"id":"x"}]}"#)).await.unwrap();
        let answer = r#"{"commandId":1,"status":201,"sessionId":"s","inactiveTimeoutSeconds":30}"#;
        socket.send(Message::text(answer)).await.unwrap();
        command.into_text().unwrap().to_string()
    });
    let status = start_session(&client, &SecretString::from("T")).await.unwrap();
    assert_eq!(status, 201);
    let command: Value = serde_json::from_str(&server.await.unwrap()).unwrap();
    assert_eq!(command["command"], "startSession");
}

#[tokio::test]
async fn another_status_is_told() {
    let (listener, client) = listener().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            read.push(socket.read_u8().await.unwrap());
        }
        let refusal = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";
        socket.write_all(refusal).await.unwrap();
        String::from_utf8(read).unwrap()
    });
    let error = start_session(&client, &SecretString::from("T")).await.unwrap_err();
    assert!(matches!(error, SocketError::Refused(StatusCode::SERVICE_UNAVAILABLE)), "{error}");
    let head = server.await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("get /api/ws/events/v1 http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nauthorization: bearer t\r\n"), "{head}");
}
