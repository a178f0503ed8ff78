#![allow(clippy::unwrap_used)]

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::config::types::FailbackMode;
use crate::config::types::Origin;
use crate::health::fixtures::config;

async fn listener() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let origin = Origin { tls: false, host: address.ip().to_string(), port: address.port() };
    let config = config(&[origin], FailbackMode::Manual);
    let target = Target::new(&config.instances[0], &config.upstream).unwrap();
    (listener, Client::new(Arc::new(target)))
}

/// Reads one request head and returns it.
async fn head(socket: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(socket.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

#[tokio::test]
async fn a_kept_connection_is_used_again_and_replaced_when_the_peer_has_closed_it() {
    let (listener, client) = listener().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        for _ in 0..2 {
            head(&mut socket).await;
            socket.write_all(OK).await.unwrap();
        }
        // The third request is read and the connection dropped: the peer was just closing it.
        head(&mut socket).await;
        drop(socket);
        let (mut socket, _) = listener.accept().await.unwrap();
        head(&mut socket).await;
        socket.write_all(OK).await.unwrap();
        socket
    });
    for _ in 0..3 {
        let answer = client.get("/x", None, Reuse::Kept).await.unwrap();
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"{}"[..]));
    }
    server.await.unwrap();
}

#[tokio::test]
async fn a_form_is_sent_once() {
    let (listener, client) = listener().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let head = head(&mut socket).await;
        drop(socket);
        (head, listener)
    });
    let error = client.post_form("/t", SecretString::from("password=x")).await.unwrap_err();
    assert!(matches!(error, ClientError::Exchange(_)), "{error}");
    let (head, listener) = server.await.unwrap();
    assert!(head.starts_with("POST /t HTTP/1.1\r\nhost: 127.0.0.1:"), "{head}");
    let second = std::pin::pin!(listener.accept());
    assert!(futures_util::poll!(second).is_pending(), "no second attempt");
}

#[tokio::test]
async fn redirects_are_answers_and_endless_bodies_errors() {
    let (listener, client) = listener().await;
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        head(&mut socket).await;
        socket
            .write_all(b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
        head(&mut socket).await;
        let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", MAX_BODY + 1);
        socket.write_all(huge.as_bytes()).await.unwrap();
        // The client stops reading at its limit.
        let _ = socket.write_all(&vec![b' '; MAX_BODY + 1]).await;
        // On the second, fresh try as well.
        let (mut socket, _) = listener.accept().await.unwrap();
        head(&mut socket).await;
        socket.write_all(huge.as_bytes()).await.unwrap();
        let _ = socket.write_all(&vec![b' '; MAX_BODY + 1]).await;
    });
    assert_eq!(client.get("/", None, Reuse::Kept).await.unwrap().status, StatusCode::FOUND);
    assert!(matches!(client.get("/", None, Reuse::Kept).await, Err(ClientError::Body)));
    server.await.unwrap();
}

#[test]
fn no_debug_output_shows_a_token() {
    let header = bearer(&SecretString::from("s3cret")).unwrap();
    assert!(!format!("{header:?}").contains("s3cret"));
    assert!(bearer(&SecretString::from("line\nbreak")).is_err());
}
