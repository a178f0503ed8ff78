//! `/v1/sync`: what differs, what would be done about it, and what persons let pass.
//!
//! Names and ids of objects are for those who operate or approve; viewers see numbers (design D16).

mod shown;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::AdminState;
use super::error::ApiError;
use super::guard::{Anyone, Approver, Operator};
use super::links::{PATIENCE, known_kind, outcome};
use super::orders::{Body, bad_request, not_written, reason, uninterrupted, unknown_instance};
use crate::clock::unix_time;
use crate::config::types::AdminRole;
use crate::sync::catalogue::Kind;
use crate::sync::coverage;
use crate::sync::planned::Planned;
use crate::sync::report::Report;
use crate::sync::rules::rules;
use crate::sync::worker::OrderError;

/// Nothing is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    /// Both instances; all pairs if it is not there.
    instances: Option<[String; 2]>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Accept {
    instance: String,
    /// `None`: the instance as a whole.
    #[serde(rename = "type")]
    kind: Option<String>,
    reason: String,
}

/// How sync stands, in numbers.
pub(super) async fn status(State(state): State<AdminState>, _: Anyone) -> Json<Value> {
    Json(standing(&state))
}

fn standing(state: &AdminState) -> Value {
    let report = state.sync.report();
    let pair = |pair: &crate::sync::report::PairReport| {
        let (word, why) = outcome(&pair.outcome);
        json!({
            "instances": pair.instances, "last_run": word, "why": why,
            "disputed": pair.disputed.len() + pair.disputed_more,
            "plan": pair.plan.as_deref().map(shown::summary),
        })
    };
    let running: serde_json::Map<String, Value> = state
        .sync
        .progress()
        .into_iter()
        .map(|(name, p)| (name, json!({"types": p.done, "of": p.total, "objects": p.objects})))
        .collect();
    json!({
        "enabled": state.picture().config.sync.enabled,
        "number": report.number,
        "at": (report.number > 0).then(|| shown::date(report.at_unix)),
        "running": running,
        "pairs": report.pairs.iter().map(pair).collect::<Vec<_>>(),
    })
}

/// Reads both sides now and plans. Waits for the end, but not for longer than a request may take.
pub(super) async fn make_plan(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(Nothing {}): Body<Nothing>,
) -> Result<Json<Value>, ApiError> {
    enabled(&state)?;
    let before = state.sync.report().number;
    let sync = state.sync.clone();
    let task = tokio::spawn(async move { sync.run(false, &user.name).await });
    match tokio::time::timeout(PATIENCE, task).await {
        Ok(done) => {
            let report = done.ok().flatten().ok_or_else(ApiError::stopping)?;
            Ok(Json(json!({"running": false, "plan": newest(&report)})))
        }
        Err(_) => Ok(Json(json!({"running": true, "after": before}))),
    }
}

/// The newest plan, however old it is.
pub(super) async fn plan(
    State(state): State<AdminState>,
    Anyone(user): Anyone,
) -> Result<Json<Value>, ApiError> {
    enabled(&state)?;
    not_for_viewers(&user)?;
    Ok(Json(newest(&state.sync.report())))
}

/// A plan, and why there is none for a pair of instances.
fn newest(report: &Report) -> Value {
    let plans = plans(report);
    let mut shown = shown::plan(&plans.iter().map(Arc::as_ref).collect::<Vec<_>>());
    let failed = report.pairs.iter().filter_map(|pair| {
        let (word, why) = outcome(&pair.outcome);
        (word != "matched")
            .then(|| json!({"instances": pair.instances, "why": why, "old_plan": pair.plan.is_some()}))
    });
    shown["failed"] = failed.collect();
    shown
}

pub(super) async fn operation(
    State(state): State<AdminState>,
    Anyone(user): Anyone,
    Path(number): Path<usize>,
) -> Result<Json<Value>, ApiError> {
    enabled(&state)?;
    not_for_viewers(&user)?;
    let plans = plans(&state.sync.report());
    let plans: Vec<&Planned> = plans.iter().map(Arc::as_ref).collect();
    shown::details(&plans, number).map(Json).ok_or_else(|| {
        let message = format!("the newest plan has no operation {number}");
        ApiError::new(
            StatusCode::NOT_FOUND,
            "no-such-operation",
            message,
            "`gatekeeper sync plan` lists them",
        )
    })
}

pub(super) async fn conflicts(
    State(state): State<AdminState>,
    Anyone(user): Anyone,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let kind = asked(&state, which)?;
    not_for_viewers(&user)?;
    let mut all = Vec::new();
    for planned in plans(&state.sync.report()) {
        let chosen = planned.plan.conflicts.iter().filter(|c| kind.is_none_or(|k| c.pair.kind == k));
        all.extend(chosen.map(|c| shown::conflict(&planned, c)));
    }
    Ok(Json(json!({"conflicts": all})))
}

pub(super) async fn drift(
    State(state): State<AdminState>,
    Anyone(user): Anyone,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let kind = asked(&state, which)?;
    let (mut all, mut spread) = (Vec::new(), Vec::new());
    let now = unix_time().as_secs();
    for planned in plans(&state.sync.report()) {
        let wanted = |k: Kind| kind.is_none_or(|kind| kind == k);
        all.extend(planned.plan.drift.iter().filter(|d| wanted(d.kind)).map(|d| shown::drift(&planned, d)));
        spread.extend(shown::spread(&planned, now).into_iter().filter(|(k, _)| wanted(*k)).map(|(_, v)| v));
    }
    let open = user.role != AdminRole::Viewer;
    Ok(Json(json!({"drift": open.then_some(all), "spread": spread})))
}

pub(super) async fn disputes(
    State(state): State<AdminState>,
    Anyone(user): Anyone,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(which) = which.map_err(|e| bad_request(&e.body_text()))?;
    let kind = which.kind.as_deref().map(known_kind).transpose()?;
    not_for_viewers(&user)?;
    let report = state.sync.report();
    let wanted = |k: Kind| kind.is_none_or(|kind| kind == k);
    let one = |pair: &crate::sync::report::PairReport| {
        let chosen = pair.disputed.iter().filter(|d| wanted(d.kind));
        json!({
            "instances": pair.instances,
            "disputed": chosen.map(|d| super::links::dispute(pair, d)).collect::<Vec<_>>(),
            "more": pair.disputed_more,
        })
    };
    Ok(Json(json!({"pairs": report.pairs.iter().map(one).collect::<Vec<_>>()})))
}

/// What sync can see and carry over.
pub(super) async fn coverage(
    State(state): State<AdminState>,
    _: Anyone,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(which) = which.map_err(|e| bad_request(&e.body_text()))?;
    let kind = which.kind.as_deref().map(known_kind).transpose()?;
    let rules = rules(&state.picture().config.sync, true);
    let report = state.sync.report();
    let mut shown = coverage::report(&report.instances, &rules);
    if let (Some(kind), Some(types)) = (kind, shown["types"].as_array_mut()) {
        types.retain(|entry| entry["type"] == kind.as_str());
    }
    Ok(Json(shown))
}

/// A person has looked at what was paired at first, and says that it is right.
pub(super) async fn confirm_baseline(
    State(state): State<AdminState>,
    Approver(user): Approver,
    Body(order): Body<Baseline>,
) -> Result<Json<Value>, ApiError> {
    enabled(&state)?;
    let reason = reason(&order.reason)?;
    if let Some(instances) = &order.instances {
        for name in instances {
            known_instance(&state, name)?;
        }
    }
    uninterrupted(async move {
        let confirmed = state.sync.confirm_baseline(order.instances, &reason, &user.name).await;
        let confirmed = confirmed.map_err(refused)?;
        tracing::info!(user = user.name, reason, ?confirmed, "baseline confirmed");
        Ok(Json(json!({"confirmed": confirmed})))
    })
    .await
}

/// A person lets pass what the newest reading of a type was not believed for.
pub(super) async fn accept(
    State(state): State<AdminState>,
    Approver(user): Approver,
    Body(order): Body<Accept>,
) -> Result<Json<Value>, ApiError> {
    enabled(&state)?;
    let (kind, reason) = (order.kind.as_deref().map(known_kind).transpose()?, reason(&order.reason)?);
    known_instance(&state, &order.instance)?;
    uninterrupted(async move {
        let accepted = state.sync.accept(&order.instance, kind, &reason, &user.name).await;
        let accepted = accepted.map_err(refused)?;
        tracing::info!(
            user = user.name,
            reason,
            instance = order.instance,
            ?kind,
            ?accepted,
            "reading accepted"
        );
        Ok(Json(json!({"instance": order.instance, "type": kind.map(Kind::as_str), "accepted": accepted})))
    })
    .await
}

fn plans(report: &Report) -> Vec<Arc<Planned>> {
    report.pairs.iter().filter_map(|pair| pair.plan.clone()).collect()
}

fn enabled(state: &AdminState) -> Result<(), ApiError> {
    if state.picture().config.sync.enabled {
        return Ok(());
    }
    let remedy = "set `enabled = true` in [sync] and reload; nothing is written to an instance by that";
    Err(ApiError::new(StatusCode::CONFLICT, "sync-off", "sync is off", remedy))
}

fn asked(state: &AdminState, which: Result<Query<Which>, QueryRejection>) -> Result<Option<Kind>, ApiError> {
    enabled(state)?;
    let Query(which) = which.map_err(|e| bad_request(&e.body_text()))?;
    which.kind.as_deref().map(known_kind).transpose()
}

fn known_instance(state: &AdminState, name: &str) -> Result<(), ApiError> {
    let picture = state.picture();
    match picture.config.instances.iter().any(|i| i.name == name) {
        true => Ok(()),
        false => Err(unknown_instance(name, &picture)),
    }
}

fn not_for_viewers(user: &super::User) -> Result<(), ApiError> {
    match user.role {
        AdminRole::Viewer => Err(ApiError::forbidden(&user.name, "operator, approver or admin")),
        AdminRole::Operator | AdminRole::Approver | AdminRole::Admin => Ok(()),
    }
}

fn refused(error: OrderError) -> ApiError {
    match error {
        OrderError::Store(error) => not_written(error),
        OrderError::Stopping => ApiError::stopping(),
        OrderError::Refused { message, remedy } => {
            ApiError::new(StatusCode::CONFLICT, "not-now", message, remedy)
        }
    }
}
