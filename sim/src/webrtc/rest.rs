//! `/API/REST/v1/WebRTC` (protocol sheet 6.1). Every answer is JSON, errors too: the browser sample reads them.

use ::http::{Method, Response, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::device_member;
use super::session::{SessionError, Sessions, WISHES};
use crate::api::{Api, Caller};
use crate::http::{rest_error, rest_json};
use crate::rest::error::RestError;
use crate::switches::WEBRTC_DELETE;

/// Most that a single request may bring: a description of many streams fits.
const LARGEST_BODY: usize = 64 << 10;

/// One request of a known caller.
pub struct Call<'a> {
    /// The instance.
    pub api: &'a Api,
    /// Its sessions.
    pub sessions: &'a Sessions,
    /// Who asks.
    pub caller: &'a Caller,
    /// Seconds of the instance's clock.
    pub now: i64,
    /// The method.
    pub method: &'a Method,
    /// The body.
    pub body: &'a [u8],
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("refused as the configuration API does it")]
    Rest(RestError),
}

type Answer = Result<Value, Refused>;

/// Answers; `segments` are what follows `WebRTC`.
pub fn handle(call: &Call<'_>, segments: &[String]) -> Response<Bytes> {
    match call.route(segments) {
        Ok(body) => rest_json(StatusCode::OK, &body),
        Err(Refused::Rest(error)) => error.response(),
        Err(Refused::Session(error)) => rest_error(status(error), &error.to_string(), None, None),
    }
}

fn status(error: SessionError) -> StatusCode {
    match error {
        SessionError::Unknown => StatusCode::NOT_FOUND,
        SessionError::Full => StatusCode::SERVICE_UNAVAILABLE,
        SessionError::Answered => StatusCode::CONFLICT,
        SessionError::Answer | SessionError::Candidates => StatusCode::BAD_REQUEST,
    }
}

impl Call<'_> {
    fn route(&self, segments: &[String]) -> Answer {
        let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
        let path: Vec<&str> = lower.iter().map(String::as_str).collect();
        match (path.as_slice(), self.method) {
            (["session"], &Method::POST) => self.start(),
            (["session", id], &Method::GET) => {
                Ok(self.sessions.get(self.caller, id, self.now)?.show(self.device()))
            }
            (["session", id], &Method::PATCH) => self.patch(id),
            (["session", id], &Method::DELETE) if self.api.settings().switches.on(&WEBRTC_DELETE) => {
                self.sessions.end(self.caller, id, self.now)?;
                Ok(json!({}))
            }
            (["icecandidates", id], &Method::GET) => {
                let session = self.sessions.get(self.caller, id, self.now)?;
                let told: Vec<String> = session.told().iter().map(Value::to_string).collect();
                Ok(json!({ "candidates": told }))
            }
            (["icecandidates", id], &Method::POST) => self.hear(id),
            (["session" | "icecandidates"] | ["session" | "icecandidates", _], _) => {
                Err(Refused::Rest(RestError::unknown_request()))
            }
            _ => Err(Refused::Rest(RestError::unknown_resource(&format!("WebRTC/{}", segments.join("/"))))),
        }
    }

    fn start(&self) -> Answer {
        let mut body = self.members()?;
        let device = self.device();
        let Some(Value::String(id)) = body.remove(device) else {
            return Err(Refused::Rest(RestError::property(device, "the id of a camera is missing")));
        };
        self.api.camera(self.caller, &id).map_err(Refused::Rest)?;
        body.retain(|name, _| WISHES.contains(&name.as_str()));
        let session = self.sessions.start(
            self.api.settings(),
            self.caller,
            &id.to_ascii_lowercase(),
            body,
            self.now,
        )?;
        Ok(session.show(device))
    }

    fn patch(&self, id: &str) -> Answer {
        let body = self.members()?;
        // An unknown session is one whatever the body says.
        let mut session = self.sessions.get(self.caller, id, self.now)?;
        let text = |name: &'static str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refused::Rest(RestError::property(name, "not a string"))),
        };
        let (answer, token) = (text("answerSDP")?, text("token")?);
        if answer.is_none() && token.is_none() {
            return Err(Refused::Rest(RestError::bad("Bad request: neither answerSDP nor token")));
        }
        if let Some(token) = token {
            let token = super::bare(token);
            let error = |error: crate::api::AuthError| RestError::property("token", error.to_string());
            let caller = self.api.authenticate(token).map_err(|e| Refused::Rest(error(e)))?;
            session = self.sessions.renew(&caller, id, self.now)?;
        }
        if let Some(answer) = answer {
            session = self.sessions.answer(self.caller, id, answer, self.now)?;
        }
        Ok(session.show(self.device()))
    }

    fn hear(&self, id: &str) -> Answer {
        let body = self.members()?;
        self.sessions.get(self.caller, id, self.now)?;
        let Some(Value::Array(candidates)) = body.get("candidates") else {
            return Err(SessionError::Candidates.into());
        };
        let candidates: Option<Vec<String>> =
            candidates.iter().map(|candidate| candidate.as_str().map(str::to_owned)).collect();
        let candidates = candidates.ok_or(SessionError::Candidates)?;
        let session = self.sessions.hear(self.caller, id, candidates, self.now)?;
        Ok(json!({ "sessionId": session.id, "candidates": session.heard }))
    }

    fn members(&self) -> Result<Map<String, Value>, Refused> {
        if self.body.len() > LARGEST_BODY {
            let text = format!("Bad request: more than {LARGEST_BODY} bytes");
            return Err(Refused::Rest(RestError::bad(text)));
        }
        match serde_json::from_slice(self.body) {
            Ok(Value::Object(members)) => Ok(members),
            _ => Err(Refused::Rest(RestError::bad("Bad request: the body is no JSON object"))),
        }
    }

    fn device(&self) -> &'static str {
        device_member(self.api.settings().version)
    }
}
