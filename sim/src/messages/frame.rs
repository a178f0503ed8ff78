//! Frames of the Messages socket (protocol sheet 4.7): `{"id","type":"<name>.v1","body":{...}}` both ways.
//! Unknown members are tolerated.

use serde_json::{Map, Value, json};

use crate::world::ids;

/// What a client asks for, with the frame's id.
#[derive(Debug, PartialEq)]
pub struct Frame {
    /// The client's; acknowledgements name it.
    pub id: String,
    /// What to do; or the type that the server does not know, or the member that is wrong.
    pub command: Result<Command, Refused>,
}

/// The commands.
#[derive(Debug, PartialEq)]
pub enum Command {
    /// Login; the token as it came, `Bearer <jwt>`.
    Auth {
        /// Empty if missing.
        token: String,
    },
    /// Subscribes to a topic.
    Sub {
        /// The topic.
        topic: String,
    },
    /// Publishes on a topic.
    Pub {
        /// The topic.
        topic: String,
        /// Any JSON.
        data: Value,
    },
    /// Sign of life.
    Pulse {
        /// Number of the last message that the client has; -1: none.
        seq: i64,
    },
}

/// Well-formed, and still not to be done. The texts are our own, no public material has them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not one of ours.
    #[error("Unknown type: {0}")]
    Type(String),
    /// Missing, of the wrong kind, or too long.
    #[error("Invalid value for {0}.")]
    Member(&'static str),
}

/// The text is no frame; the server closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a frame with id, type and body")]
pub struct Malformed;

/// Longer topics are a client's mistake.
const LONGEST_TOPIC: usize = 256;

impl Frame {
    /// Reads one text frame.
    ///
    /// # Errors
    /// When it is no frame at all.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut members = object(serde_json::from_str(text).ok()).ok_or(Malformed)?;
        let mut string = |name: &str| match members.remove(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Malformed),
        };
        let (id, kind) = (string("id")?, string("type")?);
        let body = object(members.remove("body")).ok_or(Malformed)?;
        Ok(Self { id, command: command(kind, body) })
    }
}

fn command(kind: String, mut body: Map<String, Value>) -> Result<Command, Refused> {
    let topic = |body: &Map<String, Value>| match body.get("topic") {
        Some(Value::String(topic)) if (1..=LONGEST_TOPIC).contains(&topic.len()) => Ok(topic.clone()),
        _ => Err(Refused::Member("topic")),
    };
    match kind.as_str() {
        "auth.v1" => Ok(Command::Auth {
            token: body.get("token").and_then(Value::as_str).unwrap_or_default().to_owned(),
        }),
        "sub.v1" => Ok(Command::Sub { topic: topic(&body)? }),
        "pub.v1" => Ok(Command::Pub {
            topic: topic(&body)?,
            data: body.remove("data").ok_or(Refused::Member("data"))?,
        }),
        "pulse.v1" => match body.get("seq").and_then(Value::as_i64) {
            Some(seq) if seq >= -1 => Ok(Command::Pulse { seq }),
            _ => Err(Refused::Member("seq")),
        },
        _ => Err(Refused::Type(kind)),
    }
}

fn object(value: Option<Value>) -> Option<Map<String, Value>> {
    match value {
        Some(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// A frame of the server.
pub fn frame(kind: &str, body: Value) -> String {
    json!({ "id": ids::fresh(), "type": kind, "body": body }).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(kind: &str, body: &Value) -> Result<Command, Refused> {
        let text = json!({ "id": "1", "type": kind, "body": body, "more": 1 }).to_string();
        let frame = Frame::parse(&text).unwrap();
        assert_eq!(frame.id, "1");
        frame.command
    }

    #[test]
    fn commands_of_the_browser_sample() {
        let token = "Bearer x".to_owned();
        assert_eq!(parse("auth.v1", &json!({ "token": "Bearer x" })), Ok(Command::Auth { token }));
        let topic = || "samples.chat".to_owned();
        assert_eq!(parse("sub.v1", &json!({ "topic": topic() })), Ok(Command::Sub { topic: topic() }));
        let data = json!({ "textMessage": "hi" });
        let published = parse("pub.v1", &json!({ "data": data, "topic": topic() }));
        assert_eq!(published, Ok(Command::Pub { topic: topic(), data }));
        assert_eq!(parse("pulse.v1", &json!({ "seq": -1 })), Ok(Command::Pulse { seq: -1 }));
    }

    #[test]
    fn what_is_refused_and_what_is_malformed() {
        assert_eq!(parse("unsub.v1", &json!({})), Err(Refused::Type("unsub.v1".into())));
        assert_eq!(parse("sub.v1", &json!({ "topic": "" })), Err(Refused::Member("topic")));
        assert_eq!(parse("sub.v1", &json!({ "topic": "x".repeat(257) })), Err(Refused::Member("topic")));
        assert_eq!(parse("pub.v1", &json!({ "topic": "x" })), Err(Refused::Member("data")));
        assert_eq!(parse("pulse.v1", &json!({ "seq": -2 })), Err(Refused::Member("seq")));
        for bad in ["", "[]", "{}", r#"{"id":1,"type":"sub.v1","body":{}}"#, r#"{"id":"1","type":"sub.v1"}"#]
        {
            assert_eq!(Frame::parse(bad), Err(Malformed), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_input_panics(text: String) {
            let _ = Frame::parse(&text);
        }
    }
}
