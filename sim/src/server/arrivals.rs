//! The record of what arrived: the last requests, with the bytes of their heads.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::stamp::Stamp;

/// One request.
pub struct Arrival {
    /// Number of its connection.
    pub connection: u64,
    /// Its place on that connection, from 1.
    pub request: u64,
    /// `HTTP/1.1` and so on.
    pub protocol: String,
    /// Method; empty when the server refused to read the head.
    pub method: String,
    /// Path and query as sent; empty when the server refused to read the head.
    pub path: String,
    /// The head's bytes, each written as the character of the same number: nothing is lost.
    pub head: String,
    /// The head is exactly what arrived. Not so on HTTP/2, where it is put together again.
    pub raw: bool,
    /// The server answered by itself, because it did not accept the head.
    pub refused: bool,
    /// Length and SHA-256 of the body, without transfer coding.
    pub body: Option<(usize, String)>,
}

/// The bounded list.
#[derive(Default)]
pub struct Arrivals {
    inner: Mutex<(u64, VecDeque<(u64, Value)>)>,
}

const KEPT: usize = 10_000;

impl Arrivals {
    /// Notes a request.
    pub fn push(&self, arrival: Arrival) {
        let mut inner = self.lock();
        inner.0 += 1;
        let n = inner.0;
        let mut json = json!({
            "n": n,
            "time": Stamp::now().wire(),
            "connection": arrival.connection,
            "request": arrival.request,
            "protocol": arrival.protocol,
            "method": arrival.method,
            "path": arrival.path,
            "head": arrival.head,
            "raw": arrival.raw,
        });
        if arrival.refused {
            json["refused"] = json!(true);
        }
        if let Some((length, hash)) = arrival.body {
            json["bodyLength"] = json!(length);
            json["bodySha256"] = json!(hash);
        }
        if inner.1.len() == KEPT {
            inner.1.pop_front();
        }
        inner.1.push_back((n, json));
    }

    /// Everything after number `since`, oldest first.
    #[must_use]
    pub fn after(&self, since: u64) -> Vec<Value> {
        self.lock().1.iter().filter(|(n, _)| *n > since).map(|(_, json)| json.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, (u64, VecDeque<(u64, Value)>)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes as characters of the same numbers, so that JSON carries them unchanged.
#[must_use]
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The SHA-256 of a body, in hex.
#[must_use]
pub fn sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive() {
        assert_eq!(latin1(b"a\r\n\xff"), "a\r\n\u{ff}");
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
