//! The signalling socket: JSON-RPC 2.0. The client registers and connects, the server invites, the client
//! answers, both trickle (protocol sheet 6.1).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::session::SessionError;
use crate::api::{AuthError, Caller};
use crate::instance::Instance;
use crate::rest::error::RestError;
use crate::service::Service;
use crate::socket::talk::{Protocol, malformed};
use crate::socket::{End, Step};
use crate::switches::{FOR_EVER, WEBRTC_ERRORS};
use crate::world::ids;

/// One client.
pub struct Peer {
    instance: Arc<Instance>,
    /// Who registered, at last.
    caller: Option<Caller>,
    /// Sessions of this socket, and when they end; they end with it.
    sessions: HashMap<String, i64>,
    /// Invitations without an answer: the server's own call id, and the session.
    invited: HashMap<String, String>,
}

/// Why a call is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("Unknown method: {0}")]
    Method(String),
    #[error("Invalid value for {0}.")]
    Member(&'static str),
    #[error("Not registered.")]
    Stranger,
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("{0}")]
    Camera(String),
}

impl Refused {
    /// The code of JSON-RPC; our own ones begin at -32000.
    fn code(&self) -> i32 {
        match self {
            Self::Method(_) => -32601,
            Self::Member(_) => -32602,
            Self::Stranger | Self::Auth(_) => -32001,
            Self::Session(_) => -32002,
            Self::Camera(_) => -32003,
        }
    }
}

type Members = Map<String, Value>;

impl Peer {
    /// A client that has not registered.
    #[must_use]
    pub fn new(instance: Arc<Instance>) -> Self {
        Self { instance, caller: None, sessions: HashMap::new(), invited: HashMap::new() }
    }

    fn call(&mut self, method: &str, params: &Members) -> Result<Said, Refused> {
        match method {
            "register" => {
                let caller = self.authorize(params)?.ok_or(Refused::Member("authorization"))?;
                // A new token renews what the old one started.
                for (session, until) in &mut self.sessions {
                    let now = self.instance.api.now_seconds();
                    if let Ok(session) = self.instance.api.webrtc().renew(&caller, session, now) {
                        *until = session.until;
                    }
                }
                self.caller = Some(caller);
                Ok(Said { result: json!({}), more: vec![] })
            }
            "connect" => self.connect(params),
            "trickle" => {
                let caller = self.caller.as_ref().ok_or(Refused::Stranger)?;
                let text = |name: &'static str| {
                    params.get(name).and_then(Value::as_str).ok_or(Refused::Member(name))
                };
                let (session, candidate) = (self.own(text("session")?)?, text("candidate")?.to_owned());
                let api = &self.instance.api;
                api.webrtc().hear(caller, session, vec![candidate], api.now_seconds())?;
                Ok(Said { result: json!({}), more: vec![] })
            }
            _ => Err(Refused::Method(method.to_owned())),
        }
    }

    fn connect(&mut self, params: &Members) -> Result<Said, Refused> {
        let Some(registered) = self.caller.clone() else { return Err(Refused::Stranger) };
        let caller = self.authorize(params)?.unwrap_or(registered);
        let Some(peer) = params.get("peer").and_then(Value::as_str) else {
            return Err(Refused::Member("peer"));
        };
        let api = &self.instance.api;
        api.camera(&caller, peer).map_err(|error: RestError| Refused::Camera(error.text().to_owned()))?;
        let device = peer.to_ascii_lowercase();
        let session =
            api.webrtc().start(api.settings(), &caller, &device, Members::new(), api.now_seconds())?;
        self.caller = Some(caller);
        let invitation = ids::fresh();
        self.sessions.insert(session.id.clone(), session.until);
        self.invited.insert(invitation.clone(), session.id.clone());
        // The client knows the invitation by the session, so that comes first.
        let invite = json!({
            "jsonrpc": "2.0",
            "method": "invite",
            "params": { "session": session.id, "offer": session.offer.to_string() },
            "id": invitation,
        });
        Ok(Said { result: json!({ "session": session.id }), more: vec![invite] })
    }

    /// The answer to an invitation; the server's candidates follow.
    fn answered(&mut self, id: &Value, result: &Value) -> Result<Vec<Value>, Refused> {
        let caller = self.caller.as_ref().ok_or(Refused::Stranger)?;
        let invitation = id.as_str().and_then(|id| self.invited.remove(id)).ok_or(Refused::Member("id"))?;
        let answer = result["answer"].as_str().ok_or(Refused::Member("answer"))?;
        let api = &self.instance.api;
        let session = api.webrtc().answer(caller, &invitation, answer, api.now_seconds())?;
        let trickle = |candidate: &Value| {
            // Here an object, from the client a string: as the browser sample has it.
            let params = json!({ "session": session.id, "candidate": candidate });
            json!({ "jsonrpc": "2.0", "method": "trickle", "params": params })
        };
        Ok(session.told().iter().map(trickle).collect())
    }

    fn authorize(&self, params: &Members) -> Result<Option<Caller>, Refused> {
        match params.get("authorization") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(token)) => Ok(Some(self.instance.api.authenticate(super::bare(token))?)),
            Some(_) => Err(Refused::Member("authorization")),
        }
    }

    fn own<'a>(&self, session: &'a str) -> Result<&'a str, Refused> {
        let known = self.sessions.contains_key(&session.to_ascii_lowercase());
        if known { Ok(session) } else { Err(SessionError::Unknown.into()) }
    }

    fn refusal(&self, id: Option<&Value>, error: &Refused) -> String {
        let reply = self.instance.api.settings().switches.get(&WEBRTC_ERRORS) == "reply";
        let detail = json!({ "code": error.code(), "message": error.to_string() });
        match id {
            Some(id) if reply => json!({ "jsonrpc": "2.0", "error": detail, "id": id }),
            _ => json!({ "jsonrpc": "2.0", "method": "error", "params": { "message": error.to_string() } }),
        }
        .to_string()
    }
}

/// What a call brings.
struct Said {
    result: Value,
    more: Vec<Value>,
}

impl Protocol for Peer {
    const SERVICE: Service = Service::WebRtc;
    const LARGEST: usize = 256 << 10;

    fn receive(&mut self, text: &str, out: &mut Vec<String>) -> Step {
        let Ok(Value::Object(call)) = serde_json::from_str(text) else {
            return Step::Break(malformed("not a JSON-RPC object"));
        };
        let id = call.get("id").filter(|id| !id.is_null());
        if id.is_some_and(|id| !id.is_string() && !id.is_number())
            || call.get("jsonrpc") != Some(&json!("2.0"))
        {
            return Step::Break(malformed("not a JSON-RPC 2.0 call"));
        }
        let said = match (call.get("method").and_then(Value::as_str), id) {
            (Some(method), _) => {
                let params = call.get("params").and_then(Value::as_object).cloned().unwrap_or_default();
                self.call(method, &params).map(|said| {
                    let reply = id.map(|id| json!({ "jsonrpc": "2.0", "result": said.result, "id": id }));
                    reply.into_iter().chain(said.more).collect()
                })
            }
            (None, Some(id)) => self.answered(id, call.get("result").unwrap_or(&Value::Null)),
            (None, None) => return Step::Break(malformed("neither a method nor an id")),
        };
        match said {
            Ok(frames) => out.extend(frames.iter().map(Value::to_string)),
            Err(error) => out.push(self.refusal(id, &error)),
        }
        Step::Continue(())
    }

    fn due(&self) -> Option<Instant> {
        let left = self.sessions.values().min()? - self.instance.api.now_seconds();
        Some(Instant::now() + FOR_EVER.min(Duration::from_secs(u64::try_from(left).unwrap_or(0))))
    }

    fn late(&mut self, out: &mut Vec<String>) -> Step {
        let now = self.instance.api.now_seconds();
        let over: Vec<String> =
            self.sessions.iter().filter(|(_, until)| **until <= now).map(|(id, _)| id.clone()).collect();
        for session in over {
            self.sessions.remove(&session);
            self.invited.retain(|_, of| *of != session);
            self.instance.api.webrtc().forget(&session);
            let params = json!({ "session": session, "message": "The session has ended." });
            out.push(json!({ "jsonrpc": "2.0", "method": "error", "params": params }).to_string());
        }
        Step::Continue(())
    }

    async fn pushed(&mut self) -> Result<String, End> {
        // Everything that this server says follows from what the client said.
        std::future::pending().await
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        for session in self.sessions.keys() {
            self.instance.api.webrtc().forget(session);
        }
    }
}
