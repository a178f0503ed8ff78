//! Active probes: what is asked of each service, and with which limits (design D5, sheet 6.6).

pub mod deep;
pub mod judge;

use std::time::Duration;

use super::cause::Cause;
use super::state::Outcome;
use crate::clock::Moment;
use crate::config::types::Service;
use crate::upstream::connect::ConnectError;
use crate::vms::client::{Answer, Client, ClientError, Reuse};
use crate::vms::documents::Documents;

/// Asks what one service has to answer to everybody, and judges it. Takes `limit` at most,
/// connection included. `http_probe` is the path for [`Service::Http`].
pub async fn shallow(
    client: &Client,
    service: Service,
    http_probe: &str,
    reuse: Reuse,
    limit: Duration,
) -> Outcome {
    let asking = ask(client, service, http_probe, reuse);
    tokio::time::timeout(limit, asking).await.unwrap_or(Outcome::Failed(Cause::Timeout))
}

async fn ask(client: &Client, service: Service, http_probe: &str, reuse: Reuse) -> Outcome {
    let get = async |path: &str, judge: fn(&Answer) -> Outcome, reuse: Reuse| match client
        .get(path, None, reuse)
        .await
    {
        Ok(answer) => judge(&answer),
        Err(error) => Outcome::Failed(cause_of(&error)),
    };
    match service {
        // Two processes answer for these: the second question goes down the connection that the
        // first has just used.
        Service::Identity => match get(OPENID, judge::openid, reuse).await {
            Outcome::Passed => get(OPENID_BY_GATEWAY, judge::openid, Reuse::Kept).await,
            other => other,
        },
        Service::Config => match get(URIS, judge::uris, reuse).await {
            Outcome::Passed => get(SITES, judge::rest_always_there, Reuse::Kept).await,
            other => other,
        },
        Service::Events => get(ALARM_STATES, judge::rest, reuse).await,
        Service::Webrtc => get(WEBRTC, judge::webrtc, reuse).await,
        Service::Soap => get(SOAP, judge::soap, reuse).await,
        Service::Http => get(http_probe, judge::http, reuse).await,
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

fn cause_of(error: &ClientError) -> Cause {
    match error {
        ClientError::Connect(ConnectError::Refused) => Cause::Refused,
        ClientError::Connect(ConnectError::Timeout(_)) => Cause::Timeout,
        ClientError::Connect(ConnectError::Tls(_)) => Cause::Tls,
        ClientError::Connect(ConnectError::Resolve { .. } | ConnectError::Unreachable(_)) => {
            Cause::Unreachable
        }
        ClientError::Exchange(_) => Cause::Closed,
        ClientError::Body | ClientError::Request(_) => Cause::WrongBody,
    }
}

const OPENID: &str = "/IDP/.well-known/openid-configuration";
const OPENID_BY_GATEWAY: &str = "/API/IDP/.well-known/openid-configuration";
const URIS: &str = "/API/.well-known/uris";
const SITES: &str = "/API/rest/v1/sites";
const ALARM_STATES: &str = "/API/rest/v1/alarmStates";
const WEBRTC: &str = "/API/rest/v1/WebRTC/Session";
const SOAP: &str = "/ManagementServer/ServerCommandService.svc";
