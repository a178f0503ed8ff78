//! Bytes that no decent client sends. Each HTTP/1.1 case is a file in `cases/`; what the instance received is asserted
//! beside what the client was told. HTTP/2 needs frames and has a module of its own.
//!
//! A case file, line by line:
//!
//! ```text
//! # why this case exists
//! > bytes to send, joined without line breaks; \r \n \t \0 \\ \xNN
//! >*120 the same, repeated; {n} is the number
//! ? 400|close           status of the first answer, or `close` for none; 400 and 431 must close the connection, too
//! ? 400+                the same, but the connection may stay open
//! ! none                the instance received nothing
//! ! count 1             it received so many requests
//! ! line GET /x HTTP/1.1
//! ! body hello          content of every request that arrived, framing removed
//! ! without x-name      no request had this header
//! ! with x-name value   the first request had this header once, with this value
//! ```
//!
//! Always asserted: every request at the instance has one `Host`, at most one framing header, and no `smuggled` in its
//! request line; a well-behaved client is served afterwards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod h2;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use support::client::{Http, get};
use support::config::Config;
use support::gatekeeper::Gatekeeper;
use support::upstream::{Seen, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Case {
    name: String,
    send: Vec<u8>,
    outcomes: Vec<String>,
    asserts: Vec<(String, String)>,
}

impl Case {
    fn parse(name: &str, text: &str) -> Result<Self, String> {
        let mut case =
            Self { name: name.into(), send: Vec::new(), outcomes: Vec::new(), asserts: Vec::new() };
        for line in text.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
            match mark {
                ">" => case.send.extend(unescape(rest)?),
                "?" => case.outcomes = rest.split('|').map(str::to_owned).collect(),
                "!" => {
                    let (what, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                    case.asserts.push((what.into(), rest.into()));
                }
                repeat => {
                    let times = repeat.strip_prefix(">*").and_then(|n| n.parse::<usize>().ok());
                    for n in 0..times.ok_or_else(|| format!("{name}: what is {line:?}?"))? {
                        case.send.extend(unescape(&rest.replace("{n}", &n.to_string()))?);
                    }
                }
            }
        }
        match (case.send.is_empty(), case.outcomes.is_empty(), text.starts_with('#')) {
            (false, false, true) => Ok(case),
            _ => Err(format!("{name}: a case has a reason, bytes and an expected outcome")),
        }
    }

    /// Everything that is wrong with what happened.
    fn judge(&self, answer: &[u8], closed: bool, seen: &[Seen]) -> Vec<String> {
        let mut wrong = Vec::new();
        let status = status(answer).unwrap_or_else(|| "close".into());
        // `400+`: refused for what it asks, not for how it is framed, so the connection may live on.
        let may_stay = self.outcomes.contains(&format!("{status}+"));
        if !self.outcomes.contains(&status) && !may_stay {
            wrong.push(format!("answered {status}, expected {:?}", self.outcomes));
        }
        if ["400", "431", "close"].contains(&status.as_str()) && !closed && !may_stay {
            wrong.push(format!("{status}, but the connection stays open"));
        }
        for request in seen {
            let framing = request.values("content-length").len() + request.values("transfer-encoding").len();
            if framing > 1 || request.values("host").len() != 1 || request.line().contains("smuggled") {
                wrong.push(format!("the instance received\n{}", request.head));
            }
        }
        for (what, value) in &self.asserts {
            let good = match what.as_str() {
                "none" => seen.is_empty(),
                "count" => seen.len().to_string() == *value,
                "line" => seen.first().is_some_and(|s| s.line() == value),
                "body" => seen.iter().all(|s| content(s) == value.as_bytes()),
                "without" => seen.iter().all(|s| s.values(value).is_empty()),
                "with" => {
                    let (name, value) = value.split_once(' ').unwrap_or((value, ""));
                    seen.first().is_some_and(|s| s.values(name) == [value])
                }
                other => panic!("{}: unknown assertion {other:?}", self.name),
            };
            if !good {
                let heads: Vec<&str> = seen.iter().map(|s| s.head.as_str()).collect();
                wrong.push(format!("not so: {what} {value}; the instance received {heads:?}"));
            }
        }
        wrong
    }
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut chars = text.bytes();
    while let Some(c) = chars.next() {
        if c != b'\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let hex: Vec<u8> = chars.by_ref().take(2).collect();
                let hex = String::from_utf8(hex).map_err(|e| e.to_string())?;
                u8::from_str_radix(&hex, 16).map_err(|e| format!("\\x{hex}: {e}"))?
            }
            other => return Err(format!("escape {other:?} in {text:?}")),
        });
    }
    Ok(out)
}

/// The status of the first answer that is not interim.
fn status(answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let lines =
        text.lines().filter_map(|l| l.strip_prefix("HTTP/1.1 ").or_else(|| l.strip_prefix("HTTP/1.0 ")));
    lines.map(|l| l.chars().take(3).collect::<String>()).find(|s| !s.starts_with('1'))
}

/// A body without its framing.
fn content(seen: &Seen) -> Vec<u8> {
    if seen.value("transfer-encoding").is_empty() {
        return seen.body.clone();
    }
    let (mut rest, mut out) = (seen.body.as_slice(), Vec::new());
    while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
        let size = usize::from_str_radix(&String::from_utf8_lossy(&rest[..end]), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        out.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
    }
    out
}

/// Sends a case's bytes; gives the answer and whether the connection was closed.
async fn exchange(http: &Http, bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut socket = http.raw().await.unwrap();
    let (mut answer, mut part) = (Vec::new(), vec![0; 16 * 1024]);
    // Refused and closed while we still write: the answer may be there all the same.
    let _ = socket.write_all(bytes).await;
    let _ = socket.flush().await;
    let start = Instant::now();
    loop {
        // Before the first byte patience, after it a moment for what else may come.
        let quiet = if answer.is_empty() { Duration::from_secs(3) } else { Duration::from_millis(400) };
        match tokio::time::timeout(quiet, socket.read(&mut part)).await {
            Ok(Ok(n @ 1..)) if start.elapsed() < support::PATIENCE => answer.extend_from_slice(&part[..n]),
            Ok(_) => return (answer, true),
            Err(_) => return (answer, false),
        }
    }
}

/// One server and one gatekeeper for one case, so that cases do not see each other's requests.
async fn play(case: &Case) -> Vec<String> {
    let upstream = Upstream::saying("fine").await;
    let gatekeeper = Gatekeeper::ready(Config::http(&[("a", &upstream.url())])).await;
    let http = gatekeeper.h1();
    let (answer, closed) = exchange(&http, &case.send).await;
    let mut wrong = case.judge(&answer, closed, &upstream.seen());
    if !http.send(get("/well-behaved")).await.is_ok_and(|r| r.status == 200) {
        wrong.push("a well-behaved client is not served any more".into());
    }
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/cases");
    let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 40, "only {} cases found", files.len());
    let cases = files.iter().map(|file| {
        let name = file.file_stem().unwrap().to_str().unwrap();
        Case::parse(name, &std::fs::read_to_string(file).unwrap()).unwrap_or_else(|e| panic!("{e}"))
    });
    let only = std::env::var("CASE").unwrap_or_default();
    let cases: Vec<Case> = cases.filter(|c| c.name.contains(&only)).collect();
    let results = futures_util::stream::iter(&cases).map(async |case| (case, play(case).await)).buffered(4);
    let results: Vec<_> = results.collect().await;
    let mut report = String::new();
    for (case, wrong) in results.iter().filter(|(_, wrong)| !wrong.is_empty()) {
        let _ = writeln!(report, "{}: {}", case.name, wrong.join("\n    "));
    }
    assert!(report.is_empty(), "run one alone with CASE=name\n{report}");
}

#[test]
fn a_case_that_does_not_hold_is_noticed() {
    let case = Case::parse("x", "# why\n> GET\\x20/\\r\\n\n? 400\n! none\n").unwrap();
    assert_eq!(case.send, b"GET /\r\n");
    let seen = Seen { head: "GET /smuggled HTTP/1.1\r\nHost: x".into(), ..Seen::default() };
    let wrong = case.judge(b"HTTP/1.1 200 OK\r\n\r\n", false, &[seen]);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    assert!(case.judge(b"HTTP/1.1 400 Bad Request\r\n\r\n", true, &[]).is_empty());
    assert!(!case.judge(b"HTTP/1.1 400 Bad Request\r\n\r\n", false, &[]).is_empty(), "it must close");
    assert!(Case::parse("y", "> GET / HTTP/1.1\n? 200").is_err(), "a reason is missing");
}
