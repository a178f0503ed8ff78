//! Tokens inside messages: of the sockets (fact sheet 4.2, 4.7, 6.1), and of WebRTC over REST (6.1).
//!
//! A message is JSON, and only the text of its token may change: everything else stays byte for
//! byte. Where two readers could find two tokens, or one of them none, it is not readable for us.
//! Names are compared without case, because some servers do so.

use std::fmt;
use std::ops::Range;

use serde::Deserializer;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::route::normalise::segments;

/// Where a kind of message keeps its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `/API/ws/events` and `/API/ws/alarms`: `{"command","commandId","token"}`.
    Events,
    /// `/API/ws/messages`: `{"id","type","body":{"token"}}`.
    Messages,
    /// `/API/ws/webrtc`: `{"jsonrpc","method","params":{"authorization"},"id"}`.
    Webrtc,
    /// Bodies of `/API/rest/v1/WebRTC/Session`: `{"token"}`.
    WebrtcRest,
}

/// The message is not JSON of one meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a JSON object with at most one token")]
pub struct Unreadable;

/// A token in a message.
#[derive(PartialEq, Eq)]
pub struct Found {
    /// The token.
    pub token: String,
    /// The word before it, with its space, if any.
    scheme: String,
    /// Where the string of both stands in the message, quotes included.
    place: Range<usize>,
    /// The client's mark for the answer, as it wrote it.
    mark: String,
}

impl Dialect {
    /// The dialect of the socket at `path`.
    pub fn of_socket(path: &str) -> Option<Self> {
        let mut parts = segments(path).skip_while(|s| !s.eq_ignore_ascii_case("ws"));
        match parts.nth(1)?.to_ascii_lowercase().as_str() {
            "events" | "alarms" => Some(Self::Events),
            "messages" => Some(Self::Messages),
            "webrtc" => Some(Self::Webrtc),
            _ => None,
        }
    }

    /// Finds the token in `message`. Costs a search for one word if there is none.
    ///
    /// # Errors
    /// When it cannot be said for sure what the instance would read.
    pub fn find(self, message: &[u8]) -> Result<Option<Found>, Unreadable> {
        let (outer, inner) = self.names();
        // A name may be written with escapes.
        if !contains(message, inner) && !contains(message, "\\u") {
            return Ok(None);
        }
        let text = std::str::from_utf8(message).map_err(|_| Unreadable)?;
        let members = Members::read(text)?;
        let holder = match outer {
            None => Some(&members),
            Some(name) => match members.only(name)? {
                Some(value) if value.get().starts_with('{') => Some(&Members::read(value.get())?),
                _ => None,
            },
        };
        let Some(value) = holder.map(|holder| holder.only(inner)).transpose()?.flatten() else {
            return Ok(None);
        };
        let Some(content): Option<String> = serde_json::from_str(value.get()).map_err(|_| Unreadable)? else {
            return Ok(None);
        };
        let (scheme, token) = split_scheme(&content);
        if token.is_empty() {
            return Ok(None);
        }
        // `value` is a part of `text`, which is `message`.
        let start = value.get().as_ptr().addr() - message.as_ptr().addr();
        Ok(Some(Found {
            token: token.to_owned(),
            scheme: scheme.to_owned(),
            place: start..start + value.get().len(),
            mark: self.mark(&members),
        }))
    }

    /// What a client of a socket is told whose token is not accepted.
    pub fn refusal(self, found: &Found, text: &str) -> String {
        let (mark, text) = (&found.mark, serde_json::Value::from(text));
        match self {
            Self::Events | Self::WebrtcRest => {
                format!(r#"{{"commandId":{mark},"status":401,"error":{{"errorText":{text}}}}}"#)
            }
            Self::Messages => {
                format!(r#"{{"id":{mark},"type":"err.v1","body":{{"id":{mark},"message":{text}}}}}"#)
            }
            Self::Webrtc => format!(r#"{{"jsonrpc":"2.0","method":"error","params":{{"message":{text}}}}}"#),
        }
    }

    /// The member that holds the token's, and the token's.
    const fn names(self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::Events | Self::WebrtcRest => (None, "token"),
            Self::Messages => (Some("body"), "token"),
            Self::Webrtc => (Some("params"), "authorization"),
        }
    }

    fn mark(self, members: &Members<'_>) -> String {
        let name = if self == Self::Events { "commandId" } else { "id" };
        let plain = |value: &&RawValue| {
            let text = value.get();
            text.len() <= LONGEST_MARK && !text.starts_with(['{', '['])
        };
        let found = members.only(name).ok().flatten().filter(plain);
        found.map_or_else(|| "null".to_owned(), |value| value.get().to_owned())
    }
}

impl Found {
    /// The message with another token.
    pub fn replace(&self, message: &[u8], token: &str) -> Vec<u8> {
        let string = serde_json::Value::from(format!("{}{token}", self.scheme)).to_string();
        let (before, after) = (message.get(..self.place.start), message.get(self.place.end..));
        [before.unwrap_or_default(), string.as_bytes(), after.unwrap_or_default()].concat()
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The members of an object, repeated ones too.
struct Members<'m>(Vec<(String, &'m RawValue)>);

impl<'m> Members<'m> {
    fn read(text: &'m str) -> Result<Self, Unreadable> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let members = reader.deserialize_map(Self(Vec::new())).map_err(|_| Unreadable)?;
        reader.end().map_err(|_| Unreadable)?;
        Ok(members)
    }

    fn only(&self, name: &str) -> Result<Option<&'m RawValue>, Unreadable> {
        let mut found = self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Unreadable),
            (found, None) => Ok(found.map(|(_, value)| *value)),
        }
    }
}

impl<'m> Visitor<'m> for Members<'m> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'m>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(member) = map.next_entry()? {
            self.0.push(member);
        }
        Ok(self)
    }
}

/// `Bearer <token>`, or the token alone.
fn split_scheme(content: &str) -> (&str, &str) {
    let content = content.trim();
    match content.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            (&content[..=scheme.len()], token.trim_start())
        }
        _ => ("", content),
    }
}

fn contains(text: &[u8], word: &str) -> bool {
    text.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

/// Bytes. Numbers and GUIDs.
const LONGEST_MARK: usize = 64;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn swapped(dialect: Dialect, message: &str) -> String {
        let found = dialect.find(message.as_bytes()).unwrap().expect("a token");
        assert_eq!(found.token, "a.b.c", "{message}");
        String::from_utf8(found.replace(message.as_bytes(), "longer.than.before")).unwrap()
    }

    #[test]
    fn only_the_token_changes() {
        use Dialect::{Events, Messages, Webrtc, WebrtcRest};
        for (dialect, message) in [
            (Events, r#" {"command":"authenticate", "commandId":0,"token":"Bearer a.b.c" , "x":null}"#),
            (Events, "{\"token\" :\n\"bearer a.b.c\",\"filters\":[{\"token\":1}],\"é\":\"\\u00e9\"}"),
            (Messages, r#"{"id":"1","type":"auth.v1","body":{"more":[1, 2],"token":"Bearer a.b.c"}}"#),
            (Webrtc, r#"{"jsonrpc":"2.0","method":"register","params":{"authorization":"a.b.c"},"id":1}"#),
            (WebrtcRest, r#"{"answerSDP":"{\"type\":\"answer\"}","token":"a.b.c"}"#),
        ] {
            let expected = message.replace("a.b.c", "longer.than.before");
            assert_eq!(swapped(dialect, message), expected);
        }
        assert_eq!(
            swapped(Events, r#"{"\u0054oken":"Bearer \u0061.b.c"}"#),
            r#"{"\u0054oken":"Bearer longer.than.before"}"#
        );
    }

    #[test]
    fn messages_without_a_token() {
        let none = |dialect: Dialect, message: &str| {
            assert_eq!(dialect.find(message.as_bytes()), Ok(None), "{message}")
        };
        none(Dialect::Events, "not JSON at all");
        none(Dialect::Events, r#"{"command":"startSession","commandId":1,"token":null}"#);
        none(Dialect::Events, r#"{"command":"startSession","commandId":1,"token":""}"#);
        none(
            Dialect::Messages,
            r#"{"id":"1","type":"pub.v1","body":{"topic":"t","data":{"token":"Bearer a"}}}"#,
        );
        none(Dialect::Messages, r#"{"id":"1","type":"pub.v1","body":"token"}"#);
        none(Dialect::Webrtc, r#"{"jsonrpc":"2.0","result":{"answer":"authorization"},"id":"x"}"#);
    }

    #[test]
    fn what_could_be_read_in_two_ways() {
        for message in [
            r#"{"token":"Bearer a","token":"Bearer b"}"#,
            r#"{"token":"Bearer a","Token":"Bearer b"}"#,
            r#"{"token":"Bearer a","\u0074oken":"Bearer b"}"#,
            r#"{"token":["Bearer a"]}"#,
            r#"{"token":7}"#,
            r#"{"token":"Bearer a",}"#,
            r#"{"token":"Bearer a"} {}"#,
            r#"[{"token":"Bearer a"}]"#,
            r#"{"token":"Bearer a""#,
            "{'token':'Bearer a'}",
        ] {
            assert_eq!(Dialect::Events.find(message.as_bytes()), Err(Unreadable), "{message}");
        }
        assert_eq!(Dialect::Events.find(b"{\"token\":\"Bearer \xff\"}"), Err(Unreadable));
        let twice = r#"{"body":{"token":"a"},"body":{}}"#;
        assert_eq!(Dialect::Messages.find(twice.as_bytes()), Err(Unreadable));
    }

    #[test]
    fn refusals_name_what_is_refused() {
        let refusal = |dialect: Dialect, message: &str| {
            let found = dialect.find(message.as_bytes()).unwrap().unwrap();
            serde_json::from_str::<Value>(&dialect.refusal(&found, "it \"is\" expired")).unwrap()
        };
        let error = json!({ "errorText": "it \"is\" expired" });
        let events = r#"{"command":"authenticate","commandId":7,"token":"a"}"#;
        assert_eq!(refusal(Dialect::Events, events), json!({"commandId": 7, "status": 401, "error": error}));
        let strange = r#"{"commandId":{"deep":[]},"token":"a"}"#;
        assert_eq!(refusal(Dialect::Events, strange)["commandId"], Value::Null);
        let messages = r#"{"id":"x-1","type":"auth.v1","body":{"token":"a"}}"#;
        assert_eq!(refusal(Dialect::Messages, messages)["body"]["id"], "x-1");
        let webrtc = r#"{"params":{"authorization":"a"},"id":1}"#;
        assert_eq!(refusal(Dialect::Webrtc, webrtc)["params"]["message"], "it \"is\" expired");
    }

    #[test]
    fn sockets_have_dialects() {
        assert_eq!(Dialect::of_socket("/API/ws/events/v1"), Some(Dialect::Events));
        assert_eq!(Dialect::of_socket("/api//WS/Alarms/v1/"), Some(Dialect::Events));
        assert_eq!(Dialect::of_socket("/api/ws/messages/v1"), Some(Dialect::Messages));
        assert_eq!(Dialect::of_socket("/api/ws/webrtc/v1"), Some(Dialect::Webrtc));
        assert_eq!(Dialect::of_socket("/api/ws"), None);
        assert_eq!(Dialect::of_socket("/api/rest/v1/events"), None);
    }

    proptest! {
        #[test]
        fn no_message_panics(message: Vec<u8>, text: String) {
            let _ = Dialect::Messages.find(&message);
            let _ = Dialect::Events.find(&[b"{\"token\":", &message[..]].concat());
            let _ = Dialect::Webrtc.find(format!("{{\"params\":{{\"authorization\":{text}").as_bytes());
        }

        /// What our reader finds is what any reader finds after the swap, and nothing else has changed.
        #[test]
        fn a_swap_swaps(token in "[!-~]([ -~]{0,38}[!-~])?", other in "\\PC{0,10}", new in "[A-Za-z0-9._-]{1,40}") {
            let message = json!({ "other": other, "token": format!("Bearer {token}"), "id": 1 });
            let text = message.to_string();
            if let Some(found) = Dialect::Events.find(text.as_bytes()).unwrap() {
                prop_assert_eq!(&found.token, token.trim());
                let after: Value = serde_json::from_slice(&found.replace(text.as_bytes(), &new)).unwrap();
                let mut expected = message;
                expected["token"] = format!("Bearer {new}").into();
                prop_assert_eq!(after, expected);
            }
        }
    }
}
