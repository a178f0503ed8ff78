//! What clients send on the Events & State socket (protocol sheet 4.2). Unknown and null members are
//! tolerated, because real clients send them.

use serde_json::{Number, Value};

use super::filter::{Filter, FilterError};

/// A command with the client's number.
#[derive(Debug)]
pub struct Request {
    /// Echoed as it came; 0 is legal.
    pub id: Number,
    /// What to do.
    pub command: Command,
}

/// The commands.
#[derive(Debug)]
pub enum Command {
    /// In-band login.
    Authenticate {
        /// `Bearer <jwt>`; empty if missing.
        token: String,
    },
    /// Starts or resumes; empty strings mean "new".
    StartSession {
        /// The session to resume.
        session: String,
        /// The last event that the client has.
        event: String,
    },
    /// Adds filters.
    AddSubscription(Result<Vec<Filter>, FilterError>),
    /// Takes them away.
    RemoveSubscription {
        /// The subscription.
        id: String,
    },
    /// Asks for the present state.
    GetState,
}

/// The text is no command; the server closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Not a JSON object.
    #[error("not a JSON object")]
    Json,
    /// Clients match answers by it.
    #[error("commandId is missing or no integer")]
    Id,
    /// Not one of ours.
    #[error("unknown command")]
    Command,
    /// A string member is something else.
    #[error("a member has the wrong type")]
    Member,
}

impl Request {
    /// Reads one text frame. `in_band` says whether this version knows `authenticate` (2024 R1 on).
    ///
    /// # Errors
    /// When the frame is no command.
    pub fn parse(text: &str, in_band: bool) -> Result<Self, Malformed> {
        let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else {
            return Err(Malformed::Json);
        };
        let id = match members.get("commandId") {
            Some(Value::Number(id)) if id.is_i64() || id.is_u64() => id.clone(),
            _ => return Err(Malformed::Id),
        };
        let string = |name: &str| match members.get(name) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(Malformed::Member),
        };
        let command = match members.get("command").and_then(Value::as_str).unwrap_or_default() {
            "authenticate" if in_band => Command::Authenticate { token: string("token")? },
            "startSession" => {
                Command::StartSession { session: string("sessionId")?, event: string("eventId")? }
            }
            "addSubscription" => Command::AddSubscription(Filter::parse_all(members.get("filters"))),
            "removeSubscription" => Command::RemoveSubscription { id: string("subscriptionId")? },
            "getState" => Command::GetState,
            _ => return Err(Malformed::Command),
        };
        Ok(Self { id, command })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn members_that_real_clients_send() {
        let go = r#"{"command":"startSession","commandId":1,"sessionId":"","eventId":"","filters":null}"#;
        let Command::StartSession { session, event } = Request::parse(go, true).unwrap().command else {
            panic!("not understood")
        };
        assert!(session.is_empty() && event.is_empty());
        let js = r#"{"command":"addSubscription","commandId":0,"subscriptionId":"","filters":[]}"#;
        assert_eq!(Request::parse(js, true).unwrap().id.as_u64(), Some(0));
    }

    #[test]
    fn malformed() {
        let error = |text| Request::parse(text, false).unwrap_err();
        assert_eq!(error("x"), Malformed::Json);
        assert_eq!(error("[]"), Malformed::Json);
        assert_eq!(error(r#"{"command":"getState"}"#), Malformed::Id);
        assert_eq!(error(r#"{"command":"getState","commandId":1.5}"#), Malformed::Id);
        assert_eq!(error(r#"{"command":"authenticate","commandId":1}"#), Malformed::Command);
        assert_eq!(error(r#"{"command":"startSession","commandId":1,"eventId":[]}"#), Malformed::Member);
    }

    proptest! {
        #[test]
        fn no_input_panics(text: String) {
            let _ = Request::parse(&text, true);
        }
    }
}
