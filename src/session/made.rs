//! What lives in one instance only: tasks, eventSessions, alarmSessions and WebRTC sessions (design
//! D10). Nobody else can do anything with their ids, and another instance may have given the same
//! id to something else (task ids are small integers). So it is remembered who made which, for the
//! user who had it made; a user who has the same id made anew elsewhere means the newer one.

use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::issued::Hash;
use crate::route::normalise::segments;

/// The four kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `tasks` (fact sheet 3.3).
    Task,
    /// `eventSessions` (5.1).
    Events,
    /// `alarmSessions` (5.2).
    Alarms,
    /// `WebRTC/Session`, and `WebRTC/IceCandidates` of it (6.1).
    Webrtc,
}

const COLLECTIONS: [(&str, Kind); 4] = [
    ("tasks", Kind::Task),
    ("eventSessions", Kind::Events),
    ("alarmSessions", Kind::Alarms),
    ("WebRTC", Kind::Webrtc),
];

/// The collection that a path leads into, with what follows: `/API/rest/v1/<collection>/...`.
fn collection(path: &str) -> Option<(Kind, impl Iterator<Item = std::borrow::Cow<'_, str>>)> {
    let mut parts = segments(path).skip(3);
    let name = parts.next()?;
    let (_, kind) = COLLECTIONS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known))?;
    Some((*kind, parts))
}

/// What a path names.
pub fn named(path: &str) -> Option<(Kind, String)> {
    let (kind, mut rest) = collection(path)?;
    let id = if kind == Kind::Webrtc { rest.nth(1) } else { rest.next() };
    Some((kind, id?.into_owned()))
}

/// What a request wants to have made, if it is one of these.
pub fn wanted(method: &Method, path: &str, query: Option<&str>) -> Option<Kind> {
    if *method != Method::POST {
        return None;
    }
    match collection(path) {
        Some((Kind::Task, _)) => None,
        Some((kind, mut rest)) => {
            let is_own =
                kind != Kind::Webrtc || rest.next().is_some_and(|part| part.eq_ignore_ascii_case("Session"));
            (is_own && rest.next().is_none()).then_some(kind)
        }
        None => {
            let is_task = |pair: &str| pair.get(..5).is_some_and(|name| name.eq_ignore_ascii_case("task="));
            query?.split('&').any(is_task).then_some(Kind::Task)
        }
    }
}

/// The id of what was made, in the answer.
pub fn id(kind: Kind, body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let id = match kind {
        Kind::Task => {
            let path = &body["result"]["path"];
            path["type"].as_str()?.eq_ignore_ascii_case("tasks").then(|| &path["id"])?
        }
        // The shape of these two is not confirmed.
        Kind::Events | Kind::Alarms => [&body["data"]["id"], &body["result"]["path"]["id"], &body["id"]]
            .into_iter()
            .find(|id| !id.is_null())?,
        Kind::Webrtc => &body["sessionId"],
    };
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What is remembered of an id: `who` is the same for all requests of one user.
pub fn key(site: &str, who: &[u8], kind: Kind, id: &str) -> Hash {
    let head = format!("{site}\0{kind:?}\0{}\0", id.to_ascii_lowercase());
    Hash::of(&[head.as_bytes(), who].concat())
}

/// How long it is remembered.
pub const LIFE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_that_name_one() {
        let of = |path: &str| named(path).map(|(kind, id)| format!("{kind:?} {id}"));
        assert_eq!(of("/API/rest/v1/tasks/33").as_deref(), Some("Task 33"));
        assert_eq!(of("/api//REST/v1/Tasks/3%33/x").as_deref(), Some("Task 33"));
        assert_eq!(of("/API/rest/v1/eventSessions/a-b/events").as_deref(), Some("Events a-b"));
        assert_eq!(of("/API/REST/v1/WebRTC/IceCandidates/7").as_deref(), Some("Webrtc 7"));
        for other in
            ["/API/rest/v1/tasks", "/API/rest/v1/WebRTC/Session", "/API/rest/v1/cameras/tasks/1", "/"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn requests_that_make_one() {
        let of = |path: &str, query| wanted(&Method::POST, path, query);
        assert_eq!(
            of("/API/rest/v1/cameras/1/ptzPresets", Some("x=1&Task=GetDevicePresets")),
            Some(Kind::Task)
        );
        assert_eq!(of("/API/rest/v1/alarmSessions", None), Some(Kind::Alarms));
        assert_eq!(of("/API/rest/v1/webrtc/session", None), Some(Kind::Webrtc));
        assert_eq!(of("/API/rest/v1/tasks/33", Some("task=TaskCleanup")), None);
        assert_eq!(of("/API/rest/v1/webrtc/IceCandidates/7", None), None);
        assert_eq!(of("/API/rest/v1/eventSessions/1/events", None), None);
        assert_eq!(of("/API/rest/v1/roles", None), None);
        assert_eq!(wanted(&Method::GET, "/API/rest/v1/eventSessions", None), None);
    }

    #[test]
    fn answers_that_tell_the_id() {
        let task = br#"{"result":{"state":"Idle","path":{"type":"tasks","id":"33"}}}"#;
        assert_eq!(id(Kind::Task, task).as_deref(), Some("33"));
        assert_eq!(id(Kind::Task, br#"{"result":{"path":{"type":"cameras","id":"1"}}}"#), None);
        assert_eq!(id(Kind::Events, br#"{"data":{"id":"a"}}"#).as_deref(), Some("a"));
        assert_eq!(id(Kind::Webrtc, br#"{"sessionId":7}"#).as_deref(), Some("7"));
        for broken in [&b""[..], b"[]", b"{}", b"{\"data\":{\"id\":{}}}", b"\xff"] {
            for (_, kind) in COLLECTIONS {
                assert_eq!(id(kind, broken), None);
            }
        }
    }

    #[test]
    fn two_users_may_have_one_id() {
        let of = |who: &str, id: &str| key("hq", who.as_bytes(), Kind::Task, id);
        assert_eq!(of("joe", "AB"), of("joe", "ab"));
        assert_ne!(of("joe", "33"), of("eve", "33"));
        assert_ne!(of("joe", "33"), key("hq", b"joe", Kind::Events, "33"));
    }
}
