//! Cuts a byte stream of HTTP/1 requests into heads, so that a test sees exactly what framing an instance
//! was sent. It decides nothing: hyper alone decides what is served. Where it cannot follow the framing it
//! stops and keeps what it has.

use std::collections::VecDeque;

/// Follows one connection. Feed it every byte in order.
#[derive(Default)]
pub struct HeadScanner {
    state: State,
    partial: Vec<u8>,
    complete: VecDeque<Vec<u8>>,
}

#[derive(Default)]
enum State {
    /// Inside a head.
    #[default]
    Head,
    /// This many bytes of a body with Content-Length are to come.
    Body(u64),
    /// The line with a chunk's size.
    ChunkSize(Vec<u8>),
    /// A chunk and the line end behind it.
    Chunk(u64),
    /// Lines after the last chunk; true: nothing of the present line has come.
    Trailer(bool),
    /// The stream is not HTTP/1 any more, or its framing is not clear.
    Lost,
}

/// Longer heads than this are cut in the record.
const LONGEST: usize = 512 * 1024;

/// A chunk size has at most 16 digits; extensions are bounded too.
const LONGEST_SIZE_LINE: usize = 8 * 1024;

impl HeadScanner {
    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Lost => return,
                State::Body(left) | State::Chunk(left) => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= take as u64;
                    bytes = &bytes[take..];
                    if *left == 0 {
                        let body = matches!(self.state, State::Body(_));
                        self.state = if body { State::Head } else { State::ChunkSize(Vec::new()) };
                    }
                }
                _ => {
                    let (first, rest) = (bytes[0], &bytes[1..]);
                    bytes = rest;
                    self.step(first);
                }
            }
        }
    }

    /// The oldest complete head that was not taken yet.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        self.complete.pop_front()
    }

    /// What has come of a head that is not complete.
    pub fn take_partial(&mut self) -> Option<Vec<u8>> {
        let partial = std::mem::take(&mut self.partial);
        (!partial.is_empty()).then_some(partial)
    }

    /// The connection speaks something else from here on.
    pub fn stop(&mut self) {
        self.state = State::Lost;
        self.partial.clear();
    }

    fn step(&mut self, byte: u8) {
        match &mut self.state {
            State::Head => {
                self.partial.push(byte);
                if self.partial.ends_with(b"\r\n\r\n") || self.partial.ends_with(b"\n\n") {
                    self.end_head();
                } else if self.partial.len() >= LONGEST {
                    self.complete.push_back(std::mem::take(&mut self.partial));
                    self.state = State::Lost;
                } else if self.partial == b"\r\n" {
                    // Empty lines before a request are skipped by every server.
                    self.partial.clear();
                }
            }
            State::ChunkSize(line) => {
                line.push(byte);
                if byte == b'\n' {
                    self.state = match chunk_size(line) {
                        Some(0) => State::Trailer(true),
                        Some(size) => size.checked_add(2).map_or(State::Lost, State::Chunk),
                        None => State::Lost,
                    };
                } else if line.len() > LONGEST_SIZE_LINE {
                    self.state = State::Lost;
                }
            }
            State::Trailer(fresh) => match byte {
                b'\n' if *fresh => self.state = State::Head,
                b'\n' => *fresh = true,
                b'\r' => {}
                _ => *fresh = false,
            },
            State::Body(_) | State::Chunk(_) | State::Lost => {}
        }
    }

    fn end_head(&mut self) {
        let head = std::mem::take(&mut self.partial);
        self.state = framing(&head);
        self.complete.push_back(head);
    }
}

/// What follows a head. Chunked wins over a length, as in hyper.
fn framing(head: &[u8]) -> State {
    let mut length = None;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return State::ChunkSize(Vec::new());
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            length = Some(std::str::from_utf8(value).ok().and_then(|digits| digits.parse::<u64>().ok()));
        }
    }
    match length {
        None | Some(Some(0)) => State::Head,
        Some(Some(length)) => State::Body(length),
        Some(None) => State::Lost,
    }
}

fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heads(stream: &[u8], piece: usize) -> Vec<String> {
        let mut scanner = HeadScanner::default();
        stream.chunks(piece).for_each(|bytes| scanner.feed(bytes));
        std::iter::from_fn(|| scanner.take())
            .map(|head| String::from_utf8_lossy(&head).into_owned())
            .collect()
    }

    #[test]
    fn bodies_are_left_out() {
        let stream = b"POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nab\r\nPOST /b HTTP/1.1\r\n\
            transfer-encoding:  chunked\r\n\r\n4;x=y\r\nGET \r\n0\r\nA: b\r\n\r\n\r\nGET /c HTTP/1.1\r\n\r\n";
        for piece in 1..stream.len() {
            let found = heads(stream, piece);
            assert_eq!(found.len(), 3, "{found:?}");
            assert_eq!(found[1], "POST /b HTTP/1.1\r\ntransfer-encoding:  chunked\r\n\r\n");
            assert_eq!(found[2], "GET /c HTTP/1.1\r\n\r\n");
        }
    }

    #[test]
    fn odd_bytes_are_kept() {
        assert_eq!(heads(b"GET / HTTP/1.1\nA : b\n\n", 5), ["GET / HTTP/1.1\nA : b\n\n"]);
        let mut scanner = HeadScanner::default();
        scanner.feed(b"nonsense");
        assert_eq!(scanner.take_partial(), Some(b"nonsense".to_vec()));
        scanner.feed(b"x");
        scanner.stop();
        assert_eq!(scanner.take_partial(), None);
    }

    proptest! {
        #[test]
        fn no_input_panics(stream: Vec<u8>, piece in 1_usize..50) {
            heads(&stream, piece);
            let mut framed = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            framed.extend(stream);
            heads(&framed, piece);
        }
    }
}
