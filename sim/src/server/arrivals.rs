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
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    last: u64,
    head_bytes: usize,
    kept: VecDeque<Kept>,
}

struct Kept {
    n: u64,
    head_bytes: usize,
    json: Value,
}

/// The most requests that are kept, and the most that their heads may weigh.
const MOST: usize = 10_000;
const MOST_HEAD_BYTES: usize = 64 << 20;
/// Hashing the list of 5,000 cameras would take a good part of the time that it takes to make it.
const MOST_HASHED: usize = 1 << 20;

impl Arrivals {
    /// Notes a request; gives its number.
    pub fn push(&self, arrival: Arrival) -> u64 {
        let mut inner = self.lock();
        inner.last += 1;
        let (n, head_bytes) = (inner.last, arrival.head.len());
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
        inner.head_bytes += head_bytes;
        inner.kept.push_back(Kept { n, head_bytes, json });
        while inner.kept.len() > MOST || inner.head_bytes > MOST_HEAD_BYTES {
            let Some(oldest) = inner.kept.pop_front() else { break };
            inner.head_bytes -= oldest.head_bytes;
        }
        n
    }

    /// Notes when and what request `n` was answered, so that a test can tell what a proxy made of it.
    pub fn answered(&self, n: u64, status: u16, body: &[u8]) {
        let mut answer = json!({ "time": Stamp::now().wire(), "status": status, "length": body.len() });
        if body.len() <= MOST_HASHED {
            answer["sha256"] = json!(sha256(body));
        }
        let mut inner = self.lock();
        let first = inner.kept.front().map_or(0, |kept| kept.n);
        let at = n.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(kept) = at.and_then(|at| inner.kept.get_mut(at)) {
            kept.json["answer"] = answer;
        }
    }

    /// Everything after number `since`, oldest first.
    #[must_use]
    pub fn after(&self, since: u64) -> Vec<Value> {
        self.lock().kept.iter().filter(|kept| kept.n > since).map(|kept| kept.json.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
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
    fn the_list_is_bounded() {
        let arrivals = Arrivals::default();
        let push = |head: String| {
            arrivals.push(Arrival {
                connection: 1,
                request: 1,
                protocol: String::new(),
                method: String::new(),
                path: String::new(),
                head,
                raw: true,
                refused: false,
                body: None,
            })
        };
        for _ in 0..=MOST {
            push(String::new());
        }
        assert_eq!(arrivals.after(0).len(), MOST);
        push("x".repeat(MOST_HEAD_BYTES));
        assert_eq!(arrivals.after(0).len(), MOST);
        push("x".into());
        assert_eq!(arrivals.after(0).len(), 1);
        assert_eq!(arrivals.after(0)[0]["n"], MOST + 3);
        arrivals.answered(1, 200, b"");
        let last = push(String::new());
        arrivals.answered(last, 404, b"no");
        assert_eq!(arrivals.after(last - 1)[0]["answer"]["length"], 2);
    }

    #[test]
    fn bytes_survive() {
        assert_eq!(latin1(b"a\r\n\xff"), "a\r\n\u{ff}");
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
