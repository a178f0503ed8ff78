//! Deep probes with the instance's own account: does the service work, or does it only answer?
//! (design D5, sheet 6.6)

use std::time::Duration;

use http::StatusCode;
use secrecy::SecretString;
use serde_json::Value;

use crate::clock::Moment;
use crate::config::types::{Account, Service};
use crate::health::state::DeepOutcome;
use crate::upstream::connect::ConnectError;
use crate::vms::client::{Answer, Client, ClientError, Reuse};
use crate::vms::socket::{SocketError, start_session};
use crate::vms::token::{Token, TokenError, password_grant};

/// What a round of deep probes found.
#[derive(Debug, Default)]
pub struct Found {
    /// One result for each service that was asked for.
    pub results: Vec<(Service, DeepOutcome)>,
    /// The token to use next time.
    pub token: Option<Token>,
    /// What an operator has to look after: the account does not work.
    pub complaint: Option<String>,
}

/// Probes identity (the token grant), config (`/sites`) and events (`/alarmStates`, then
/// `startSession`), as far as `wanted`. Each step takes `limit` at most.
pub async fn probe(
    client: &Client,
    account: &Account,
    token: Option<Token>,
    wanted: &[Service],
    limit: Duration,
) -> Found {
    let mut found = Found { results: Vec::new(), token: None, complaint: None };
    let now = Moment::now();
    let token = match token.filter(|t| now < t.renew_at) {
        Some(token) => token,
        None => match login(client, account, now, limit).await {
            Ok(token) => {
                found.results.push((Service::Identity, DeepOutcome::Passed));
                token
            }
            Err((outcome, complaint)) => {
                found.complaint = complaint;
                // A refused account says nothing about any service; an identity provider that
                // fails says something about itself only.
                let concerns = |s: &&Service| outcome != DeepOutcome::Failed || **s == Service::Identity;
                found.results = wanted.iter().filter(concerns).map(|s| (*s, outcome)).collect();
                return found;
            }
        },
    };
    if wanted.contains(&Service::Config) {
        let (outcome, denied) = sites(client, &token.access, limit).await;
        found.results.push((Service::Config, outcome));
        if denied {
            // Restarted or restored: its keys are new. The next round logs in again.
            return found;
        }
    }
    if wanted.contains(&Service::Events) {
        found.results.push((Service::Events, events(client, &token.access, limit).await));
    }
    found.token = Some(token);
    found
}

async fn login(
    client: &Client,
    account: &Account,
    now: Moment,
    limit: Duration,
) -> Result<Token, (DeepOutcome, Option<String>)> {
    match tokio::time::timeout(limit, password_grant(client, account, now)).await {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error @ (TokenError::Refused(_) | TokenError::Password { .. }))) => {
            Err((DeepOutcome::Inconclusive, Some(error.to_string())))
        }
        Ok(Err(TokenError::Client(ClientError::Connect(ConnectError::Local(_))))) => {
            Err((DeepOutcome::Inconclusive, None))
        }
        Ok(Err(TokenError::Client(_) | TokenError::Broken(_))) | Err(_) => Err((DeepOutcome::Failed, None)),
    }
}

/// Also returns whether the token was denied.
async fn sites(client: &Client, token: &SecretString, limit: Duration) -> (DeepOutcome, bool) {
    let answer = get(client, "/API/rest/v1/sites", token, limit).await;
    let denied = answer.as_ref().is_ok_and(|a| a.status == StatusCode::UNAUTHORIZED);
    // A system always has a site: an empty list is a service that has lost its database.
    (judge(&answer, |list| !list.is_empty()), denied)
}

async fn events(client: &Client, token: &SecretString, limit: Duration) -> DeepOutcome {
    let answer = get(client, "/API/rest/v1/alarmStates", token, limit).await;
    match judge(&answer, |_| true) {
        DeepOutcome::Failed => return DeepOutcome::Failed,
        DeepOutcome::Passed | DeepOutcome::Inconclusive => {}
    }
    match tokio::time::timeout(limit, start_session(client, token)).await {
        Ok(Ok(200 | 201)) => DeepOutcome::Passed,
        // Rights, an older version without the socket (sheet 9), or one that knows other words.
        Ok(Ok(400..=499)) => DeepOutcome::Inconclusive,
        Ok(Err(SocketError::Connect(ConnectError::Local(_)))) => DeepOutcome::Inconclusive,
        Ok(Err(SocketError::Refused(status))) if status.is_client_error() => DeepOutcome::Inconclusive,
        Ok(_) | Err(_) => DeepOutcome::Failed,
    }
}

/// The answer, or what its absence says.
async fn get(
    client: &Client,
    path: &str,
    token: &SecretString,
    limit: Duration,
) -> Result<Answer, DeepOutcome> {
    match tokio::time::timeout(limit, client.get(path, Some(token), Reuse::Kept)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(ClientError::Connect(ConnectError::Local(_)))) => Err(DeepOutcome::Inconclusive),
        Ok(Err(_)) | Err(_) => Err(DeepOutcome::Failed),
    }
}

fn judge(answer: &Result<Answer, DeepOutcome>, plausible: impl Fn(&[Value]) -> bool) -> DeepOutcome {
    let answer = match answer {
        Ok(answer) => answer,
        Err(outcome) => return *outcome,
    };
    match answer.status {
        StatusCode::OK => {
            let json = answer.json();
            let list = json.as_ref().and_then(|j| j.get("array").unwrap_or(j).as_array());
            if list.is_some_and(|l| plausible(l)) { DeepOutcome::Passed } else { DeepOutcome::Failed }
        }
        // A matter of the account's rights or of the version.
        status if status.is_client_error() && answer.json().is_some() => DeepOutcome::Inconclusive,
        _ => DeepOutcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::HeaderMap;

    fn judged(status: u16, body: &'static str) -> DeepOutcome {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        let body = Bytes::from_static(body.as_bytes());
        judge(&Ok(Answer { status, headers: HeaderMap::new(), body }), |list| !list.is_empty())
    }

    #[test]
    fn only_the_instance_s_own_failures_count() {
        assert_eq!(judged(200, r#"{"array":[{"id":"x"}]}"#), DeepOutcome::Passed);
        assert_eq!(judged(200, r#"{"array":[]}"#), DeepOutcome::Failed);
        assert_eq!(judged(200, "<html>"), DeepOutcome::Failed);
        assert_eq!(judged(503, "<html>"), DeepOutcome::Failed);
        assert_eq!(judged(403, r#"{"error":{}}"#), DeepOutcome::Inconclusive);
        assert_eq!(judged(403, "<html>"), DeepOutcome::Failed);
        for without in [DeepOutcome::Failed, DeepOutcome::Inconclusive] {
            assert_eq!(judge(&Err(without), |_| true), without);
        }
    }
}
