#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::config::types::{FailbackMode, Origin};
use crate::health::fixtures::config;
use crate::upstream::connect::Target;

/// Answers every question after `pause` with what config and identity want to hear.
async fn slow(pause: Duration) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while let Ok(byte) = socket.read_u8().await {
                    head.push(byte);
                    if !head.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    head.clear();
                    tokio::time::sleep(pause).await;
                    let body = r#"{"token_endpoint":"t","ProductVersion":"1","array":[]}"#;
                    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                    socket.write_all(text.as_bytes()).await.unwrap();
                }
            });
        }
    });
    let origin = Origin { tls: false, host: address.ip().to_string(), port: address.port() };
    let config = config(&[origin], FailbackMode::Manual);
    Client::new(Arc::new(Target::new(&config.instances[0], &config.upstream).unwrap()))
}

#[tokio::test]
async fn a_slow_instance_has_the_whole_time_for_each_question() {
    // In the proportion of 300 ms to 400 ms, but long enough for a busy machine.
    let client = slow(Duration::from_millis(900)).await;
    for service in [Service::Identity, Service::Config] {
        for reuse in [Reuse::Fresh, Reuse::Kept] {
            let found = shallow(&client, service, "/", reuse, Duration::from_millis(1_500)).await;
            assert_eq!(found.outcome, Outcome::Passed, "{service} {reuse:?}");
        }
    }
}

#[tokio::test]
async fn the_worse_of_two_answers_counts_and_a_failure_ends_it() {
    let failed = Outcome::Failed(Cause::WrongBody);
    let one = async |a, b| both(std::future::ready(a), std::future::ready(b)).await;
    assert_eq!(one(Outcome::Passed, Outcome::Passed).await, Outcome::Passed);
    for (a, b) in [(Outcome::Absent, failed), (failed, Outcome::Absent), (Outcome::Passed, failed)] {
        assert_eq!(one(a, b).await, failed);
    }
    assert_eq!(one(Outcome::Passed, Outcome::Absent).await, Outcome::Absent);
    assert_eq!(one(Outcome::Inconclusive, Outcome::Absent).await, Outcome::Absent);
    assert_eq!(one(Outcome::Passed, Outcome::Inconclusive).await, Outcome::Inconclusive);
    let quick = both(std::future::pending(), std::future::ready(failed));
    assert_eq!(quick.await, failed);
}
