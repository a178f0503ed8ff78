//! Sessions of WebRTC signalling, of both doors: offered, answered, candidates both ways, gone.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use super::offer;
use crate::api::Caller;
use crate::settings::Settings;
use crate::switches::{WEBRTC_LIFETIME, WEBRTC_SESSIONS};
use crate::world::ids;

/// All sessions of the instance.
#[derive(Default)]
pub struct Sessions {
    all: Mutex<HashMap<String, Session>>,
}

/// One session.
#[derive(Clone)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The camera.
    pub device: String,
    /// What the client asked for besides; shown as it came.
    pub wishes: Map<String, Value>,
    /// The server's description.
    pub offer: Value,
    /// The server's candidates.
    pub candidates: Vec<Value>,
    /// The client's description, as it came.
    pub answer: Option<String>,
    /// The client's candidates, as they came.
    pub heard: Vec<String>,
    /// When it ends, in seconds of the instance's clock.
    pub until: i64,
    /// Name and SID of whose it is.
    whose: (String, String),
    /// No token helps beyond this.
    at_most: i64,
}

/// Why a session does not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Not there, over, or somebody else's.
    #[error("Session not found.")]
    Unknown,
    /// There are as many as there may be.
    #[error("Too many sessions.")]
    Full,
    /// An answer must be `{"type":"answer","sdp"}` as a JSON string.
    #[error("Bad request: invalid value for answerSDP")]
    Answer,
    /// One answer each.
    #[error("The session has already been answered.")]
    Answered,
    /// A candidate must be `{"candidate"}` as a JSON string, and there may not be too many.
    #[error("Bad request: invalid value for candidates")]
    Candidates,
}

/// More candidates are a client's mistake.
const MOST_CANDIDATES: usize = 200;

/// Bytes of a candidate, and of an answer: no honest ones are longer, and both are kept.
const LONGEST_CANDIDATE: usize = 2 << 10;
const LONGEST_ANSWER: usize = 64 << 10;

impl Sessions {
    /// Starts a session for a camera that the caller sees.
    ///
    /// # Errors
    /// [`SessionError::Full`].
    pub fn start(
        &self,
        settings: &Settings,
        caller: &Caller,
        device: &str,
        wishes: Map<String, Value>,
        now: i64,
    ) -> Result<Session, SessionError> {
        let mut all = self.live(now);
        let most = usize::try_from(settings.switches.number(&WEBRTC_SESSIONS)).unwrap_or(usize::MAX);
        if all.len() >= most {
            return Err(SessionError::Full);
        }
        let lifetime = i64::try_from(settings.switches.number(&WEBRTC_LIFETIME)).unwrap_or(i64::MAX);
        let at_most = if lifetime == 0 { i64::MAX } else { now.saturating_add(lifetime) };
        let id = ids::fresh();
        let offer::Offer { description, candidates } = offer::of(settings, &id);
        let session = Session {
            id: id.clone(),
            device: device.to_owned(),
            wishes,
            offer: description,
            candidates,
            answer: None,
            heard: Vec::new(),
            until: caller.expires.min(at_most),
            whose: whose(caller),
            at_most,
        };
        all.insert(id, session.clone());
        Ok(session)
    }

    /// The caller's session.
    ///
    /// # Errors
    /// [`SessionError::Unknown`].
    pub fn get(&self, caller: &Caller, id: &str, now: i64) -> Result<Session, SessionError> {
        self.with(caller, id, now, |session| Ok(session.clone()))
    }

    /// The client's answer to the offer.
    ///
    /// # Errors
    /// When there is no such session, it has one, or this is none.
    pub fn answer(&self, caller: &Caller, id: &str, answer: &str, now: i64) -> Result<Session, SessionError> {
        let description: Value = serde_json::from_str(answer).map_err(|_| SessionError::Answer)?;
        let is_sdp = description["sdp"].as_str().is_some_and(|sdp| sdp.starts_with("v=0"));
        if description["type"] != "answer" || !is_sdp || answer.len() > LONGEST_ANSWER {
            return Err(SessionError::Answer);
        }
        self.with(caller, id, now, |session| {
            if session.answer.is_some() {
                return Err(SessionError::Answered);
            }
            session.answer = Some(answer.to_owned());
            Ok(session.clone())
        })
    }

    /// Takes candidates of the client.
    ///
    /// # Errors
    /// When there is no such session, or they are none.
    pub fn hear(
        &self,
        caller: &Caller,
        id: &str,
        candidates: Vec<String>,
        now: i64,
    ) -> Result<Session, SessionError> {
        let is_one = |text: &String| {
            text.len() <= LONGEST_CANDIDATE
                && serde_json::from_str::<Value>(text).is_ok_and(|value| value["candidate"].is_string())
        };
        if !candidates.iter().all(is_one) {
            return Err(SessionError::Candidates);
        }
        self.with(caller, id, now, |session| {
            if session.heard.len() + candidates.len() > MOST_CANDIDATES {
                return Err(SessionError::Candidates);
            }
            session.heard.extend(candidates);
            Ok(session.clone())
        })
    }

    /// The session lives as long as the caller's new token, too.
    ///
    /// # Errors
    /// [`SessionError::Unknown`].
    pub fn renew(&self, caller: &Caller, id: &str, now: i64) -> Result<Session, SessionError> {
        self.with(caller, id, now, |session| {
            session.until = caller.expires.min(session.at_most);
            Ok(session.clone())
        })
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`SessionError::Unknown`].
    pub fn end(&self, caller: &Caller, id: &str, now: i64) -> Result<(), SessionError> {
        self.with(caller, id, now, |session| Ok(session.id.clone())).map(|id| self.forget(&id))
    }

    /// Ends a session, whoever it belongs to.
    pub fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    /// How many there are.
    pub fn count(&self, now: i64) -> usize {
        self.live(now).len()
    }

    fn with<T>(
        &self,
        caller: &Caller,
        id: &str,
        now: i64,
        act: impl FnOnce(&mut Session) -> Result<T, SessionError>,
    ) -> Result<T, SessionError> {
        let mut all = self.lock();
        let session = all.get_mut(&id.to_ascii_lowercase());
        let session = session.filter(|session| session.until > now && session.whose == whose(caller));
        act(session.ok_or(SessionError::Unknown)?)
    }

    fn live(&self, now: i64) -> MutexGuard<'_, HashMap<String, Session>> {
        let mut all = self.lock();
        all.retain(|_, session| session.until > now);
        all
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// The session as REST shows it; `device` is the member's name in this version.
    pub fn show(&self, device: &str) -> Value {
        let mut shown = json!({
            "sessionId": self.id,
            device: self.device,
            "offerSDP": self.offer.to_string(),
            "answerSDP": self.answer.as_deref().unwrap_or("Uninitialised"),
            "token": null,
        });
        for wish in WISHES {
            shown[wish] = self.wishes.get(wish).cloned().unwrap_or(Value::Null);
        }
        shown
    }

    /// The server's candidates: only who has answered can use them.
    pub fn told(&self) -> &[Value] {
        if self.answer.is_some() { &self.candidates } else { &[] }
    }
}

/// What a client may ask for, besides the camera.
pub const WISHES: [&str; 5] = ["resolution", "streamId", "playbackTimeNode", "iceServers", "includeAudio"];

fn whose(caller: &Caller) -> (String, String) {
    (caller.user.clone(), caller.sid.clone())
}
