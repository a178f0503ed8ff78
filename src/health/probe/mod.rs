//! Active probes: what is asked of each service, and with which limits (design D5, sheet 6.6).

pub mod deep;
pub mod habit;
pub mod judge;

use std::time::Duration;

use self::habit::Shape;
use super::cause::Cause;
use super::state::Outcome;
use crate::clock::Moment;
use crate::config::types::Service;
use crate::upstream::connect::ConnectError;
use crate::vms::client::{Answer, Client, ClientError, Reuse};
use crate::vms::documents::Documents;

/// What a shallow probe found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The result.
    pub outcome: Outcome,
    /// The form of the page, for [`Service::Http`] if it passed so far.
    pub shape: Option<Shape>,
}

impl From<Outcome> for Probed {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, shape: None }
    }
}

/// Asks what one service has to answer to everybody, and judges it. Takes `limit` at most,
/// connection included. Two questions are asked at the same time on two connections, so that each
/// has the whole of `limit`. `http_probe` is the path for [`Service::Http`].
pub async fn shallow(
    client: &Client,
    service: Service,
    http_probe: &str,
    reuse: Reuse,
    limit: Duration,
) -> Probed {
    let asking = ask(client, service, http_probe, reuse);
    tokio::time::timeout(limit, asking).await.unwrap_or(Outcome::Failed(Cause::Timeout).into())
}

async fn ask(client: &Client, service: Service, http_probe: &str, reuse: Reuse) -> Probed {
    let get = async |path: &str, judge: fn(&Answer) -> Outcome| match client.get(path, None, reuse).await {
        Ok(answer) => judge(&answer),
        Err(error) => outcome_of(&error),
    };
    let outcome = match service {
        // Two processes answer for each of these.
        Service::Identity => both(get(OPENID, judge::openid), get(OPENID_BY_GATEWAY, judge::openid)).await,
        Service::Config => both(get(URIS, judge::uris), get(SITES, judge::rest_always_there)).await,
        Service::Events => get(ALARM_STATES, judge::rest).await,
        Service::Webrtc => get(WEBRTC, judge::webrtc).await,
        Service::Soap => get(SOAP, judge::soap).await,
        Service::Http => match client.get(http_probe, None, reuse).await {
            Ok(answer) => {
                let outcome = judge::http(&answer);
                let shape = (outcome == Outcome::Passed).then(|| Shape::of(&answer));
                return Probed { outcome, shape };
            }
            Err(error) => outcome_of(&error),
        },
    };
    outcome.into()
}

/// A failure ends it at once; any other answer waits for the second one, so that it does not
/// depend on which comes first.
async fn both(first: impl Future<Output = Outcome>, second: impl Future<Output = Outcome>) -> Outcome {
    let strict = |outcome: Outcome| match outcome {
        Outcome::Failed(cause) => Err(cause),
        other => Ok(other),
    };
    match tokio::try_join!(async { strict(first.await) }, async { strict(second.await) }) {
        Err(cause) => Outcome::Failed(cause),
        Ok((Outcome::Passed, other) | (other, Outcome::Passed)) => other,
        Ok((Outcome::Absent, _) | (_, Outcome::Absent)) => Outcome::Absent,
        Ok((other, _)) => other,
    }
}

/// Reads the discovery documents. `None` if the identity provider gives none within `limit`.
pub async fn documents(client: &Client, limit: Duration) -> Option<Documents> {
    let read = async |path: &str| {
        let answer = tokio::time::timeout(limit, client.get(path, None, Reuse::Kept)).await.ok()?.ok()?;
        if answer.status.is_success() { answer.json() } else { None }
    };
    let openid = read(OPENID).await?;
    let jwks = read(&Documents::jwks_path(&openid)).await.filter(|j| j.get("keys").is_some());
    let uris = read(URIS).await;
    let version = uris.as_ref().and_then(|u| u.get("ProductVersion")?.as_str().map(str::to_owned));
    Documents::assemble(openid, jwks, version, Moment::now())
}

fn outcome_of(error: &ClientError) -> Outcome {
    Outcome::Failed(match error {
        ClientError::Connect(ConnectError::Local(_) | ConnectError::Banned) => return Outcome::Inconclusive,
        ClientError::Connect(ConnectError::Refused) => Cause::Refused,
        ClientError::Connect(ConnectError::Timeout(_)) => Cause::Timeout,
        ClientError::Connect(ConnectError::Tls(_)) => Cause::Tls,
        ClientError::Connect(ConnectError::Resolve { .. } | ConnectError::Unreachable(_)) => {
            Cause::Unreachable
        }
        ClientError::Exchange(_) => Cause::Closed,
        ClientError::Body | ClientError::Request(_) => Cause::WrongBody,
    })
}

const OPENID: &str = "/IDP/.well-known/openid-configuration";
const OPENID_BY_GATEWAY: &str = "/API/IDP/.well-known/openid-configuration";
const URIS: &str = "/API/.well-known/uris";
const SITES: &str = "/API/rest/v1/sites";
const ALARM_STATES: &str = "/API/rest/v1/alarmStates";
const WEBRTC: &str = "/API/rest/v1/WebRTC/Session";
const SOAP: &str = "/ManagementServer/ServerCommandService.svc";

#[cfg(test)]
mod tests;
