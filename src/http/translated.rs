//! A body whose ids are translated while it streams by.

use std::collections::VecDeque;
use std::task::{Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body::Frame;

use crate::idmap::translate::Translator;

/// What stands between a body and its reader.
#[derive(Debug)]
pub struct Translated {
    translator: Translator,
    /// Translated and not yet taken: what was held back, and what came after it.
    ready: VecDeque<Bytes>,
    trailers: Option<Frame<Bytes>>,
    ended: bool,
}

impl Translated {
    /// Nothing has passed yet.
    pub fn new(translator: Translator) -> Self {
        Self { translator, ready: VecDeque::new(), trailers: None, ended: false }
    }

    /// The next frame of the body that `next` polls.
    pub(super) fn poll<E>(
        &mut self,
        mut next: impl FnMut() -> Poll<Option<Result<Frame<Bytes>, E>>>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Some(trailers) = self.trailers.take() {
                return Poll::Ready(Some(Ok(trailers)));
            }
            if self.ended {
                return Poll::Ready(None);
            }
            let Self { translator, ready, .. } = self;
            let mut out = |bytes| ready.push_back(bytes);
            match ready!(next()) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(part) => translator.push(part, &mut out),
                    Err(trailers) => {
                        translator.finish(&mut out);
                        self.trailers = Some(trailers);
                    }
                },
                Some(Err(e)) => return Poll::Ready(Some(Err(e))),
                None => {
                    translator.finish(&mut out);
                    self.ended = true;
                }
            }
        }
    }

    /// Bytes that the body has given and its reader has not got.
    pub(super) fn pending(&self) -> u64 {
        (self.translator.held() + self.ready.iter().map(Bytes::len).sum::<usize>()) as u64
    }
}

/// Whether the body with these headers is a text that can be read: JSON, XML, SOAP, a form.
pub fn is_text(headers: &HeaderMap) -> bool {
    let plain = |value: &[u8]| value.eq_ignore_ascii_case(b"identity");
    if !headers.get_all(CONTENT_ENCODING).iter().all(|value| plain(value.as_bytes())) {
        return false;
    }
    let Some(kind) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || TEXTS.contains(&kind.as_str())
}

const TEXTS: [&str; 3] = ["application/json", "application/xml", "application/x-www-form-urlencoded"];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::idmap::map::{Link, Map};
    use crate::metrics::Metrics;
    use crate::testing::config;

    const A: &str = "0a1b2c3d-0000-4000-8000-00000000000a";
    const B: &str = "b1b2b3b4-ffff-4fff-8fff-ffffffffffff";

    type Next = Poll<Option<Result<Frame<Bytes>, ()>>>;

    fn to_b() -> Translated {
        let ids = vec![("a".into(), A.parse().unwrap()), ("b".into(), B.parse().unwrap())];
        let links = [Link { kind: "cameras".into(), ids }];
        let (map, _) = Map::new(&config("hq", &["a", "b"]), &links, &Metrics::new().unwrap());
        Translated::new(Translator::new(map.view("hq", "b").unwrap().clone()))
    }

    #[test]
    fn what_is_held_back_comes_before_the_end_and_before_trailers() {
        let data = |text: &str| Poll::Ready(Some(Ok(Frame::data(Bytes::copy_from_slice(text.as_bytes())))));
        let trailers = || Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new()))));
        for (last, ends_with_trailers) in [(None, false), (Some(trailers()), true)] {
            let mut frames: VecDeque<Next> = [data(&A[..9]), Poll::Pending, data(&A[9..]), data(",1234")]
                .into_iter()
                .chain(last)
                .collect();
            let mut body = to_b();
            let mut next = || frames.pop_front().unwrap_or(Poll::Ready(None));
            assert!(body.poll(&mut next).is_pending());
            assert_eq!(body.pending(), 9);
            let mut text = Vec::new();
            let mut saw_trailers = false;
            while let Poll::Ready(Some(Ok(frame))) = body.poll(&mut next) {
                assert!(!saw_trailers);
                match frame.into_data() {
                    Ok(part) => text.extend_from_slice(&part),
                    Err(_) => saw_trailers = true,
                }
            }
            assert_eq!(text, format!("{B},1234").as_bytes());
            assert_eq!((saw_trailers, body.pending()), (ends_with_trailers, 0));
        }
    }

    #[test]
    fn an_error_ends_it() {
        let mut body = to_b();
        let mut frames = [Some(Err("cut")), Some(Ok(Frame::data(Bytes::from_static(b"1234"))))];
        let mut next = || Poll::Ready(frames.iter_mut().rev().find_map(Option::take));
        assert!(matches!(body.poll(&mut next), Poll::Ready(Some(Err("cut")))), "half a GUID is held back");
    }

    #[test]
    fn what_is_text() {
        let headers = |kind: &'static str, encoding: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            if let Some(encoding) = encoding {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            headers
        };
        for kind in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "application/soap+xml; action=\"x\"",
            "text/xml;charset=utf-8",
            "application/x-www-form-urlencoded",
        ] {
            assert!(is_text(&headers(kind, None)), "{kind}");
            assert!(is_text(&headers(kind, Some("Identity"))), "{kind}");
            assert!(!is_text(&headers(kind, Some("gzip"))), "{kind}");
        }
        for kind in ["image/jpeg", "application/octet-stream", "multipart/form-data; boundary=x", ""] {
            assert!(!is_text(&headers(kind, None)), "{kind}");
        }
        assert!(!is_text(&HeaderMap::new()));
    }
}
