//! Orders: drain, quarantine, release, failback. First the store (override and audit entry in one transaction),
//! then the supervisor; if the store refuses, nothing has changed.

use std::future::Future;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request, State};
use http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::ApiError;
use super::guard::Operator;
use super::status::nobody_serves;
use super::{AdminState, User};
use crate::balance::failback::{FailbackError, FailbackOutcome, FailbackResult};
use crate::balance::{Override, OverrideKind, Picture};
use crate::config::types::Service;
use crate::state::StoreError;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hold {
    instance: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    instance: Option<String>,
    #[serde(default)]
    all: bool,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failback {
    site: Option<String>,
    service: Option<String>,
    reason: String,
}

/// A JSON body. The content type is required: a form on a foreign web page cannot send it without
/// the browser asking us first (CSRF).
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AdminState> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AdminState) -> Result<Self, ApiError> {
        let body: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        Ok(Self(body?.0))
    }
}

pub(super) async fn drain(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(order): Body<Hold>,
) -> Result<Json<Value>, ApiError> {
    hold(state, user, order, OverrideKind::Drain).await
}

pub(super) async fn quarantine(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(order): Body<Hold>,
) -> Result<Json<Value>, ApiError> {
    hold(state, user, order, OverrideKind::Quarantine).await
}

async fn hold(
    state: AdminState,
    user: User,
    order: Hold,
    kind: OverrideKind,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(&order.reason)?;
    let before = state.picture();
    if !before.config.instances.iter().any(|i| i.name == order.instance) {
        return Err(unknown_instance(&order.instance, &before));
    }
    uninterrupted(async move {
        let _turn = state.orders.lock().await;
        let wanted =
            Override { instance: order.instance, kind, reason, by: user.name.clone(), since_unix: 0 };
        let set = state.store.set_override(wanted, &user.name).await.map_err(not_written)?;
        let (instance, reason) = (set.instance.as_str(), set.reason.as_str());
        tracing::warn!(instance, kind = kind.as_str(), user = user.name, reason, "instance held");
        let mut answer = apply(&state, &before).await;
        answer["override"] = json!(set);
        Ok(Json(answer))
    })
    .await
}

pub(super) async fn release(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(order): Body<Release>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(&order.reason)?;
    let before = state.picture();
    if order.instance.is_some() == order.all {
        return Err(bad_request("give either an instance or all = true"));
    }
    // An instance that a reload has removed may still have an override.
    let known = |name: &String| {
        before.config.instances.iter().any(|i| i.name == *name)
            || state.store.overrides().iter().any(|o| o.instance == *name)
    };
    if let Some(name) = order.instance.as_ref().filter(|n| !known(n)) {
        return Err(unknown_instance(name, &before));
    }
    uninterrupted(async move {
        let _turn = state.orders.lock().await;
        let released = state.store.release(order.instance.as_deref(), &reason, &user.name).await;
        let released = released.map_err(not_written)?;
        for o in &released {
            tracing::info!(
                instance = o.instance,
                kind = o.kind.as_str(),
                user = user.name,
                reason,
                "override released"
            );
        }
        let mut answer = apply(&state, &before).await;
        answer["released"] = json!(released);
        Ok(Json(answer))
    })
    .await
}

pub(super) async fn failback(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(order): Body<Failback>,
) -> Result<Json<Value>, ApiError> {
    let reason = reason(&order.reason)?;
    let service = order.service.as_deref().map(known_service).transpose()?;
    let picture = state.picture();
    // Before the audit log speaks of it: what does not exist was never ordered.
    if let Some(site) = order.site.as_ref().filter(|s| !picture.config.sites.iter().any(|k| k.name == **s)) {
        return Err(not_ordered(&FailbackError::UnknownSite(site.clone()), &picture));
    }
    uninterrupted(async move {
        let _turn = state.orders.lock().await;
        let detail = json!({"site": order.site, "service": order.service, "reason": reason});
        state.store.record("failback", &detail, &user.name).await.map_err(not_written)?;
        let result = state.supervisor.failback(order.site.clone(), service).await;
        if let Err(error) = &result {
            // The entry above is the order; this one is why it had no effect.
            let detail = json!({"site": order.site, "service": order.service, "why": error.to_string()});
            if let Err(error) = state.store.record("failback-refused", &detail, &user.name).await {
                tracing::error!(%error, "audit log not written");
            }
        }
        let outcomes = result.map_err(|e| not_ordered(&e, &picture))?;
        let (site, service) =
            (order.site.as_deref().unwrap_or("all"), service.map_or("all", Service::as_str));
        tracing::info!(site, service, user = user.name, reason, "fail-back ordered");
        Ok(Json(json!({"services": outcomes.iter().map(outcome).collect::<Vec<_>>()})))
    })
    .await
}

/// Carries an order out although its client may hang up: between the commit and its effect there
/// must be no point at which it can be dropped.
pub(super) async fn uninterrupted<T: Send + 'static>(
    order: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::spawn(order).await.unwrap_or_else(|_| Err(ApiError::stopping()))
}

/// Puts the stored overrides into force and tells what moved.
async fn apply(state: &AdminState, before: &Arc<Picture>) -> Value {
    state.supervisor.set_overrides(state.store.overrides()).await;
    let after = state.picture();
    let moved = |f: crate::balance::Failover| json!({"site": f.site, "service": f.service.as_str(), "from": f.from, "to": f.to});
    let moved: Vec<Value> = after.changes_since(before).into_iter().map(moved).collect();
    json!({"moved": moved, "warnings": nobody_serves(&after)})
}

fn outcome(o: &FailbackOutcome) -> Value {
    let (result, to, why) = match &o.result {
        FailbackResult::Returned(to) => ("returned", Some(to.as_str()), None),
        FailbackResult::AtHome => ("at-home", o.from.as_deref(), None),
        FailbackResult::Absent { primary } => {
            ("absent", o.from.as_deref(), Some(format!("{primary} does not have it")))
        }
        FailbackResult::NotReady { primary, why } => {
            ("not-ready", o.from.as_deref(), Some(format!("{primary} is {}", word(why))))
        }
    };
    json!({"site": o.site, "service": o.service.as_str(), "from": o.from, "serving": to, "result": result, "why": why})
}

/// A condition or override as it reads in a sentence.
fn word(why: &str) -> &str {
    match why {
        "drain" => "drained",
        "quarantine" => "in quarantine",
        "unknown" => "not probed yet",
        other => other,
    }
}

pub(super) fn reason(text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(bad_request("a reason is needed: it goes into the audit log"));
    }
    // Without line breaks and escape codes it can be shown on a terminal and in one log line.
    if text.chars().count() > LONGEST_REASON || text.chars().any(char::is_control) {
        return Err(bad_request("the reason must be one line of at most 500 characters"));
    }
    Ok(text.to_owned())
}

fn known_service(name: &str) -> Result<Service, ApiError> {
    Service::from_name(name).ok_or_else(|| {
        let all: Vec<&str> = Service::ALL.iter().map(|s| s.as_str()).collect();
        let message = format!("there is no service `{name}`");
        ApiError::new(
            StatusCode::NOT_FOUND,
            "unknown-service",
            message,
            format!("one of: {}", all.join(", ")),
        )
    })
}

pub(super) fn bad_request(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "bad-request", message, "")
}

pub(super) fn unknown_instance(name: &str, picture: &Picture) -> ApiError {
    let known: Vec<&str> = picture.config.instances.iter().map(|i| i.name.as_str()).collect();
    let message = format!("there is no instance `{name}`");
    ApiError::new(StatusCode::NOT_FOUND, "unknown-instance", message, format!("one of: {}", known.join(", ")))
}

fn not_ordered(error: &FailbackError, picture: &Picture) -> ApiError {
    let sites: Vec<&str> = picture.config.sites.iter().map(|s| s.name.as_str()).collect();
    let (status, code, remedy) = match error {
        FailbackError::UnknownSite(_) => {
            (StatusCode::NOT_FOUND, "unknown-site", format!("one of: {}", sites.join(", ")))
        }
        FailbackError::UnknownService(_) => {
            (StatusCode::NOT_FOUND, "unknown-service", "see the services in the status".to_owned())
        }
        FailbackError::NotReady { site, service, primary, why } => {
            let message = format!("{primary} cannot take back {service} of site {site}: it is {}", word(why));
            let remedy = "nothing was changed; repair or release it first, see `gatekeeper status`";
            return ApiError::new(StatusCode::CONFLICT, "not-ready", message, remedy);
        }
        FailbackError::Stopped => return ApiError::stopping(),
    };
    ApiError::new(status, code, error.to_string(), remedy)
}

pub(super) fn not_written(error: StoreError) -> ApiError {
    tracing::error!(%error, "order refused: it could not be written down");
    let message = format!("nothing was changed, because it could not be written down: {error}");
    ApiError::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "state-not-written",
        message,
        "repair the state folder, then repeat the command",
    )
}

/// Characters.
const LONGEST_REASON: usize = 500;
