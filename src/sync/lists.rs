//! Reads the kinds that the matcher pairs, through an instance's API and with its account (sheet 3).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use secrecy::SecretString;
use serde_json::Value;
use thiserror::Error;

use super::read::pages::{Flaw, Pages, Step};
use crate::clock::Moment;
use crate::config::types::Account;
use crate::idmap::guid::Guid;
use crate::idmap::kind::{Kind, Rule};
use crate::idmap::matcher::{Lists, Object};
use crate::vms::client::{Answer, Client, ClientError, Reuse};
use crate::vms::token::{TokenError, password_grant};

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// Whole lists only.
    pub(super) lists: Lists,
    /// Why the others are not there.
    pub(super) unread: BTreeMap<Kind, Unread>,
}

/// Why an instance could not be read at all.
#[derive(Debug, Error)]
pub(super) enum ReadError {
    /// No token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It stopped answering.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It does not accept the token that it has just given out.
    #[error("the token was refused in the middle of the reading")]
    Denied,
}

impl ReadError {
    /// A person has to do something: asking again soon would only lock the account.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Token(TokenError::Refused(_) | TokenError::Password { .. }))
    }
}

/// Why there is no list of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// 404: this version does not have it.
    Absent,
    /// Any other status.
    Status(StatusCode),
    /// Not JSON, or cut.
    Garbled,
    /// An object without something that every such object has.
    Shape(&'static str),
    /// The list is not whole.
    Flaw(Flaw),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("this version does not have it"),
            Self::Status(StatusCode::FORBIDDEN) => f.write_str("the account may not read it"),
            Self::Status(status) => write!(f, "answered with status {status}"),
            Self::Garbled => f.write_str("the answer is no list"),
            Self::Shape(what) => write!(f, "an object without a readable {what}"),
            Self::Flaw(flaw) => f.write_str(flaw.as_str()),
        }
    }
}

/// Logs in and reads every kind, one after the other: a management server has better things to do.
///
/// # Errors
/// See [`ReadError`]; what cannot be read of a single kind is in the result.
pub(super) async fn read(client: &Client, account: &Account) -> Result<Reading, ReadError> {
    let all = async {
        let grant = tokio::time::timeout(REQUEST, password_grant(client, account, Moment::now()));
        let token = grant.await.map_err(|_| ReadError::Late(REQUEST))??.access;
        let mut reading = Reading::default();
        for kind in Kind::ALL {
            match list(client, &token, kind).await? {
                Ok(objects) => drop(reading.lists.insert(kind, objects)),
                Err(why) => drop(reading.unread.insert(kind, why)),
            }
        }
        Ok(reading)
    };
    tokio::time::timeout(WHOLE, all).await.unwrap_or(Err(ReadError::Late(WHOLE)))
}

async fn list(
    client: &Client,
    token: &SecretString,
    kind: Kind,
) -> Result<Result<Vec<Object>, Unread>, ReadError> {
    let mut pages = Pages::new();
    let mut step = pages.ask();
    loop {
        let (page, size) = match step {
            Step::Whole => return Ok(Ok(pages.into_entries())),
            Step::Broken(flaw) => return Ok(Err(Unread::Flaw(flaw))),
            Step::Ask { page, size } => (page, size),
        };
        // Without it, what is switched off would be missing, new hardware first of all (sheet 8.21).
        let disabled = if has_disabled(kind) { "disabled&" } else { "" };
        let path = format!("/API/rest/v1/{kind}?{disabled}page={page}&size={size}");
        let asked = tokio::time::timeout(REQUEST, client.get(&path, Some(token), Reuse::Kept)).await;
        step = match asked.map_err(|_| ReadError::Late(REQUEST))? {
            Ok(Answer { status: StatusCode::UNAUTHORIZED, .. }) => return Err(ReadError::Denied),
            Ok(answer) => match objects(&answer, kind) {
                Ok(objects) => pages.take(objects.into_iter().map(|o| (o.id, o)).collect()),
                Err(why) => return Ok(Err(why)),
            },
            Err(ClientError::Body) => pages.too_large(),
            Err(error) => return Err(error.into()),
        };
    }
}

/// Collections that leave disabled objects out unless asked for them (sheet 3.5).
const fn has_disabled(kind: Kind) -> bool {
    matches!(kind.rule(), Rule::Address | Rule::Device)
        || matches!(kind, Kind::GenericEvents | Kind::AlarmDefinitions)
}

fn objects(answer: &Answer, kind: Kind) -> Result<Vec<Object>, Unread> {
    match answer.status {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => return Err(Unread::Absent),
        status => return Err(Unread::Status(status)),
    }
    let json = answer.json().ok_or(Unread::Garbled)?;
    let list = json.get("array").and_then(Value::as_array).ok_or(Unread::Garbled)?;
    list.iter().map(|value| object(value, kind)).collect()
}

/// Only what the kind is matched by has to be there: the rest is not ours to judge.
fn object(value: &Value, kind: Kind) -> Result<Object, Unread> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).filter(|t| t.len() <= LONGEST);
    let relation = |key: &str| value.get("relations").and_then(|r| r.get(key));
    let id_of = |reference: &Value| reference.get("id")?.as_str()?.parse::<Guid>().ok();
    let id = text("id").and_then(|t| t.parse().ok()).or_else(|| relation("self").and_then(id_of));
    let parent_is = |wanted: &str| {
        let parent = relation("parent")?;
        parent.get("type")?.as_str()?.eq_ignore_ascii_case(wanted).then_some(parent)
    };
    let mut object = Object {
        id: id.filter(|id| *id != Guid::NIL).ok_or(Unread::Shape("id"))?,
        name: text("name").unwrap_or_default().to_owned(),
        parent: None,
        address: String::new(),
        channel: None,
    };
    match kind.rule() {
        Rule::Address => object.address = text("address").ok_or(Unread::Shape("address"))?.to_owned(),
        Rule::Device => {
            let channel = value.get("channel").and_then(number);
            object.channel = Some(channel.ok_or(Unread::Shape("channel"))?);
            let hardware = parent_is("hardware").and_then(id_of);
            object.parent = Some(hardware.ok_or(Unread::Shape("hardware"))?);
        }
        Rule::Path => {
            text("name").ok_or(Unread::Shape("name"))?;
            // At the root its parent is the site.
            let parent = relation("parent").ok_or(Unread::Shape("parent"))?;
            object.parent = match parent_is(kind.as_str()) {
                Some(group) => Some(id_of(group).ok_or(Unread::Shape("parent"))?),
                None => parent.get("type").map(|_| None).ok_or(Unread::Shape("parent"))?,
            };
        }
        Rule::Name => drop(text("name").ok_or(Unread::Shape("name"))?),
    }
    Ok(object)
}

/// Old versions send numbers as texts (sheet 3.1).
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// One answer.
const REQUEST: Duration = Duration::from_secs(10);
/// All of an instance.
const WHOLE: Duration = Duration::from_secs(300);
/// Of a name or an address, in bytes.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use bytes::Bytes;
    use http::HeaderMap;
    use serde_json::json;

    use super::*;

    const ID: &str = "1F846A47-7521-5BF6-AD48-CD0B1AC2D8A0";

    fn answered(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers: HeaderMap::new(), body: Bytes::copy_from_slice(body.as_bytes()) }
    }

    fn one(kind: Kind, object: Value) -> Result<Object, Unread> {
        objects(&answered(200, &json!({"array": [object]}).to_string()), kind).map(|mut l| l.remove(0))
    }

    #[test]
    fn objects_of_every_rule() {
        let hardware = one(Kind::Hardware, json!({"id": ID, "address": "http://x/"})).unwrap();
        assert_eq!((hardware.id, hardware.address.as_str()), (ID.parse().unwrap(), "http://x/"));
        let on = json!({"parent": {"type": "hardware", "id": ID}, "self": {"type": "cameras", "id": ID}});
        for channel in [json!(3), json!("3")] {
            let camera = one(Kind::Cameras, json!({"channel": channel, "relations": on})).unwrap();
            assert_eq!((camera.channel, camera.parent), (Some(3), Some(ID.parse().unwrap())));
        }
        let group = |kind: &str| {
            one(
                Kind::CameraGroups,
                json!({"id": ID, "name": "n", "relations": {"parent": {"type": kind, "id": ID}}}),
            )
        };
        assert_eq!(group("sites").unwrap().parent, None);
        assert_eq!(group("cameraGroups").unwrap().parent, Some(ID.parse().unwrap()));
        assert_eq!(one(Kind::TimeProfiles, json!({"id": ID, "name": "Night"})).unwrap().name, "Night");
    }

    #[test]
    fn one_object_of_another_form_spoils_the_list() {
        for (kind, object, what) in [
            (Kind::TimeProfiles, json!({"name": "x"}), "id"),
            (Kind::TimeProfiles, json!({"id": "33", "name": "x"}), "id"),
            (Kind::TimeProfiles, json!({"id": ID}), "name"),
            (Kind::TimeProfiles, json!({"id": ID, "name": null}), "name"),
            (Kind::TimeProfiles, json!({"id": ID, "name": 5}), "name"),
            (Kind::TimeProfiles, json!({"id": ID, "name": "x".repeat(5000)}), "name"),
            (Kind::TimeProfiles, json!(7), "id"),
            (Kind::Hardware, json!({"id": ID, "name": "x"}), "address"),
            (Kind::Cameras, json!({"id": ID, "name": "x"}), "channel"),
            (Kind::Cameras, json!({"id": ID, "channel": 0}), "hardware"),
            (
                Kind::Cameras,
                json!({"id": ID, "channel": 0, "relations": {"parent": {"type": "sites", "id": ID}}}),
                "hardware",
            ),
            (Kind::CameraGroups, json!({"id": ID, "name": "x"}), "parent"),
            (
                Kind::CameraGroups,
                json!({"id": ID, "name": "x", "relations": {"parent": {"type": "cameraGroups"}}}),
                "parent",
            ),
            (Kind::CameraGroups, json!({"id": ID, "name": "x", "relations": {"parent": 1}}), "parent"),
        ] {
            assert_eq!(one(kind, object.clone()), Err(Unread::Shape(what)), "{object}");
        }
    }

    #[test]
    fn answers_that_are_no_lists() {
        let read = |status, body: &str| objects(&answered(status, body), Kind::Cameras).unwrap_err();
        assert_eq!(read(404, "{}"), Unread::Absent);
        assert_eq!(read(403, "{}").to_string(), "the account may not read it");
        assert_eq!(read(503, "<html>"), Unread::Status(StatusCode::SERVICE_UNAVAILABLE));
        for body in ["<html>", "", "[]", "{}", r#"{"array":{}}"#, r#"{"array":[{"id":"#] {
            assert_eq!(read(200, body), Unread::Garbled, "{body}");
        }
        assert_eq!(objects(&answered(200, r#"{"array":[]}"#), Kind::Cameras).unwrap(), []);
    }
}
