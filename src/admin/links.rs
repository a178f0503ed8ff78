//! `/v1/sync/links`: which objects of two instances are the same, for people and by their word.
//!
//! Ids of objects are no names, but with them and an account of a VMS one gets the names, and a viewer
//! has no use for them: viewers see counts (design D16).

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::AdminState;
use super::error::ApiError;
use super::guard::{Anyone, Operator};
use super::orders::{Body, bad_request, not_written, reason, uninterrupted, unknown_instance};
use super::status::rfc3339;
use crate::balance::Picture;
use crate::config::types::AdminRole;
use crate::idmap::guid::Guid;
use crate::state::{End, StoredLink};
use crate::sync::catalogue::Kind;
use crate::sync::identity::{Dispute, Misfit, Tally, Unfit};
use crate::sync::links::{LinkError, origin, shown};
use crate::sync::pair::{Side, Standing};
use crate::sync::report::{Outcome, PairReport, Report};
use crate::sync::worker::Handle;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    #[serde(rename = "type")]
    kind: Option<String>,
    /// How many of the links to leave out at the beginning.
    #[serde(default)]
    offset: usize,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Word {
    #[serde(rename = "type")]
    kind: String,
    /// Instance and id.
    objects: BTreeMap<String, String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    /// Links end although a list lacks most of what was linked.
    #[serde(default)]
    accept_losses: bool,
}

pub(super) async fn list(
    State(state): State<AdminState>,
    Anyone(user): Anyone,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(which) = which.map_err(|e| bad_request(&e.body_text()))?;
    let kind = which.kind.as_deref().map(known_kind).transpose()?;
    let all = state.sync.links.all();
    let chosen: Vec<&StoredLink> =
        all.iter().filter(|l| kind.is_none_or(|kind| l.kind == kind.as_str())).collect();
    let open = user.role != AdminRole::Viewer;
    let limit = which.limit.unwrap_or(PAGE).min(PAGE);
    let page: Vec<Value> = chosen.iter().skip(which.offset).take(limit).map(|l| one(l)).collect();
    let next = which.offset.saturating_add(page.len());
    let next = (open && !page.is_empty() && next < chosen.len()).then_some(next);
    let contradictions = state.sync.links.contradictions();
    Ok(Json(json!({
        "counts": counts(&chosen),
        "links": open.then_some(page),
        "next": next,
        "contradictions": if open { json!(*contradictions) } else { json!(contradictions.len()) },
        "last_run": run_report(&state.sync.report(), kind, open),
    })))
}

pub(super) async fn add(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(word): Body<Word>,
) -> Result<Json<Value>, ApiError> {
    let (kind, ends, reason) = understood(&word, &state.picture())?;
    // A typing error would be found when a client needs the object.
    let mut unchecked = Vec::new();
    for (instance, id) in &ends {
        match state.sync.exists(instance, kind, *id).await {
            Some(true) => {}
            Some(false) => {
                let message = format!("{instance} has no {kind} with the id {id}");
                let remedy = "nothing was changed; copy type and id from the API of that instance";
                return Err(ApiError::new(StatusCode::NOT_FOUND, "no-such-object", message, remedy));
            }
            None => unchecked.push(instance.clone()),
        }
    }
    uninterrupted(async move {
        let links = &state.sync.links;
        links.link(kind, ends.clone(), &user.name, &reason).await.map_err(refused)?;
        tracing::info!(kind, user = user.name, reason, "objects linked by an operator");
        Ok(Json(json!({"linked": {"type": kind, "objects": shown(&ends)}, "unchecked": unchecked})))
    })
    .await
}

pub(super) async fn remove(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(word): Body<Word>,
) -> Result<Json<Value>, ApiError> {
    // Of an instance that a reload has removed, too.
    let (kind, ends) = (known_kind(&word.kind)?.as_str(), two_ends(&word.objects)?);
    let reason = reason(&word.reason)?;
    uninterrupted(async move {
        let links = &state.sync.links;
        links.part(kind, ends.clone(), &user.name, &reason).await.map_err(refused)?;
        tracing::info!(kind, user = user.name, reason, "link removed by an operator");
        Ok(Json(json!({"removed": {"type": kind, "objects": shown(&ends)}})))
    })
    .await
}

/// Waits for the end of the run, but not for longer than a request may take: whoever asked looks at
/// `last_run` then.
pub(super) async fn run(
    State(state): State<AdminState>,
    Operator(user): Operator,
    Body(order): Body<Run>,
) -> Result<Json<Value>, ApiError> {
    let before = state.sync.report().number;
    let sync = state.sync.clone();
    let task = tokio::spawn(async move { sync.run(order.accept_losses, &user.name).await });
    match tokio::time::timeout(PATIENCE, task).await {
        Ok(done) => {
            let report = done.ok().flatten().ok_or_else(ApiError::stopping)?;
            Ok(Json(json!({"running": false, "last_run": run_report(&report, None, true)})))
        }
        Err(_) => Ok(Json(json!({"running": true, "after": before}))),
    }
}

/// For status: every two instances with links between them, or that the matcher has tried.
pub(super) fn summary(sync: &Handle) -> Value {
    let mut linked: BTreeMap<[String; 2], usize> = BTreeMap::new();
    let report = sync.report();
    for pair in &report.pairs {
        linked.entry(pair.instances.clone()).or_default();
    }
    for link in sync.links.all().iter().filter(|l| l.standing != Standing::Apart) {
        *linked.entry([link.ends[0].0.clone(), link.ends[1].0.clone()]).or_default() += 1;
    }
    let one = |(instances, linked): ([String; 2], usize)| {
        let last = report.pairs.iter().find(|p| p.instances == instances);
        let ambiguous = last.map(|p| p.kinds.values().map(|t| t.ambiguous).sum::<usize>());
        let (outcome, why) = last.map_or(("not-run", None), |p| outcome(&p.outcome));
        json!({
            "instances": instances, "linked": linked, "ambiguous": ambiguous, "last_run": outcome, "why": why,
            "matched_at": last.and_then(|p| p.matched_unix).map(date),
        })
    };
    linked.into_iter().map(one).collect()
}

/// Links by type and origin.
fn counts(links: &[&StoredLink]) -> Value {
    let mut all: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for link in links {
        let [matched, linked, apart] = all.entry(&link.kind).or_default();
        *match link.standing {
            Standing::Matched => matched,
            Standing::Linked => linked,
            Standing::Apart => apart,
        } += 1;
    }
    let count = |(kind, [m, o, a]): (&str, [usize; 3])| json!({"type": kind, "matcher": m, "operator": o, "apart": a});
    all.into_iter().map(count).collect()
}

fn one(link: &StoredLink) -> Value {
    json!({
        "type": link.kind,
        "objects": shown(&link.ends),
        "origin": origin(link.standing),
        "confidence": link.confidence.as_str(),
        "apart": link.standing == Standing::Apart,
        "since": date(link.since_unix),
    })
}

fn run_report(report: &Report, kind: Option<Kind>, open: bool) -> Value {
    if report.number == 0 {
        return Value::Null;
    }
    let pairs: Vec<Value> = report.pairs.iter().map(|p| pair(p, kind, open)).collect();
    json!({"number": report.number, "at": date(report.at_unix), "complete": report.complete(), "pairs": pairs})
}

fn pair(report: &PairReport, kind: Option<Kind>, open: bool) -> Value {
    let (outcome, why) = outcome(&report.outcome);
    let wanted = |k: Kind| kind.is_none_or(|kind| kind == k);
    let tally = |(kind, t): (&Kind, &Tally)| {
        json!({
            "type": kind.as_str(), "compared": t.compared, "linked": t.linked, "new": t.new, "moved": t.moved,
            "removed": t.gone, "missing": t.missing, "kept": t.held, "same_id": t.same, "proposed": t.proposed,
            "ambiguous": t.ambiguous,
            "only": {report.instances[0].as_str(): t.only_a, report.instances[1].as_str(): t.only_b},
        })
    };
    let unread = |(instance, kind, why): &(String, Kind, String)| json!({"instance": instance, "type": kind.as_str(), "why": why});
    let disputed = || {
        let chosen = report.disputed.iter().filter(|d| wanted(d.kind));
        chosen.map(|d| dispute(report, d)).collect::<Vec<_>>()
    };
    let misfits = || report.misfits.iter().map(|m| misfit(report, m)).collect::<Vec<_>>();
    json!({
        "instances": report.instances,
        "outcome": outcome,
        "why": why,
        "matched_at": report.matched_unix.map(date),
        "types": report.kinds.iter().filter(|(k, _)| wanted(**k)).map(tally).collect::<Vec<_>>(),
        "unread": report.unread.iter().filter(|(_, k, _)| wanted(*k)).map(unread).collect::<Vec<_>>(),
        "ambiguous": open.then(disputed),
        "ambiguous_more": report.disputed_more,
        "misfits": open.then(misfits),
    })
}

/// An object that is not paired, and why.
pub(super) fn dispute(report: &PairReport, d: &Dispute) -> Value {
    let instance = &report.instances[d.side.index()];
    json!({"type": d.kind.as_str(), "instance": instance, "id": d.id.to_string(), "name": d.name, "why": d.why.to_string()})
}

/// A pair of the configuration that is not used, and why.
fn misfit(report: &PairReport, m: &Misfit) -> Value {
    let name = |side: Side| &report.instances[side.index()];
    let why = match m.why {
        Unfit::Nobody(side) => format!("{} has no such object", name(side)),
        Unfit::Several(side, n) => format!("{} has {n} objects of this name: write the id", name(side)),
        Unfit::Twice => "one of the objects is in another [[sync.pair]]".to_owned(),
        Unfit::Contradicted => "an operator has said something else: see `gatekeeper sync links`".to_owned(),
    };
    json!({"type": m.kind.as_str(), "objects": m.objects, "why": why})
}

/// How a run went, as a word, and why it could not be.
pub(super) fn outcome(outcome: &Outcome) -> (&'static str, Option<String>) {
    let word = match outcome {
        Outcome::Matched => "matched",
        Outcome::Waiting(..) => "waiting",
        Outcome::Failed(_) => "failed",
    };
    (word, outcome.why())
}

fn understood(word: &Word, picture: &Picture) -> Result<(&'static str, [End; 2], String), ApiError> {
    let (kind, ends) = (known_kind(&word.kind)?.as_str(), two_ends(&word.objects)?);
    for (instance, _) in &ends {
        if !picture.config.instances.iter().any(|i| i.name == *instance) {
            return Err(unknown_instance(instance, picture));
        }
    }
    Ok((kind, ends, reason(&word.reason)?))
}

pub(super) fn known_kind(name: &str) -> Result<Kind, ApiError> {
    Kind::from_name(name).ok_or_else(|| {
        let message = format!("there is no type of objects `{name}`");
        let remedy = "a type is the name of a collection of the REST API, such as cameras or timeProfiles; `gatekeeper sync coverage` lists them";
        ApiError::new(StatusCode::NOT_FOUND, "unknown-type", message, remedy)
    })
}

fn two_ends(objects: &BTreeMap<String, String>) -> Result<[End; 2], ApiError> {
    let mut ends = Vec::new();
    for (instance, id) in objects {
        let id: Guid = id.trim_matches(['{', '}']).parse().map_err(|e| {
            let message = format!("`{id}` of {instance} is {e}");
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "bad-id",
                message,
                "copy the id as the API of the instance shows it",
            )
        })?;
        if id == Guid::NIL {
            return Err(refused(LinkError::Nil));
        }
        ends.push((instance.clone(), id));
    }
    ends.try_into().map_err(|_| bad_request("a link has two objects, each of another instance"))
}

fn refused(error: LinkError) -> ApiError {
    let (status, code, remedy) = match &error {
        LinkError::Store(_) => {
            let LinkError::Store(error) = error else { return ApiError::stopping() };
            return not_written(error);
        }
        LinkError::OneInstance | LinkError::Nil => (StatusCode::BAD_REQUEST, "bad-link", ""),
        LinkError::Linked { .. } => {
            (StatusCode::CONFLICT, "already-linked", "remove that link first, if it is wrong")
        }
        LinkError::Contradiction(_) => (
            StatusCode::CONFLICT,
            "contradiction",
            "nothing was changed; look at the links of these ids with `gatekeeper sync links`",
        ),
        LinkError::NotLinked => {
            (StatusCode::NOT_FOUND, "not-linked", "`gatekeeper sync links --type TYPE` lists the links")
        }
    };
    ApiError::new(status, code, error.to_string(), remedy)
}

fn date(unix: u64) -> String {
    rfc3339(SystemTime::UNIX_EPOCH + Duration::from_secs(unix))
}

/// Links in one answer.
const PAGE: usize = 5000;
/// Below the time limit of a request.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
