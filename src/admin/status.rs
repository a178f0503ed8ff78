//! `GET /v1/status`: one consistent picture, in words that an operator knows.

use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::AdminState;
use super::guard::Anyone;
use super::links;
use crate::balance::{Entry, Override, OverrideKind, Picture};
use crate::clock::Moment;
use crate::config::types::{AdminRole, FailbackMode, InstanceId, Service, Site, SiteId, Validate};
use crate::health::Condition;
use crate::vms::documents::Keys;

pub(super) async fn status(State(state): State<AdminState>, Anyone(user): Anyone) -> Json<Value> {
    let picture = state.picture();
    let clock = Clock { now: Moment::now(), wall: SystemTime::now() };
    let open = user.role != AdminRole::Viewer;
    let report = state.reload_report.load();
    let complaints: &[String] = if open { &report.complaints } else { &[] };
    let users = state.users.load();
    let mut warnings = nobody_serves(&picture);
    warnings.extend(picture.config.warnings.iter().cloned());
    if open {
        // They speak of users.
        warnings.extend(users.warnings.iter().cloned());
    }
    let site = |id| site(&picture, id, clock);
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "since": rfc3339(state.started),
        "config_file": picture.config.file,
        "reload": {
            "result": report.result.as_str(),
            "when": report.when.map(rfc3339),
            "complaints": complaints,
        },
        "sites": picture.config.site_ids().map(site).collect::<Vec<_>>(),
        "instances": picture.config.instance_ids().map(|id| instance(&picture, id, clock)).collect::<Vec<_>>(),
        "overrides": picture.overrides.iter().map(|o| shown(o, open)).collect::<Vec<_>>(),
        "links": links::summary(&state.sync),
        "warnings": warnings,
        "connections": state.metrics.open_connections(),
    }))
}

/// One warning for each service of a site that nobody serves, unless nobody ever had it.
pub(super) fn nobody_serves(picture: &Picture) -> Vec<String> {
    let config = &picture.config;
    let of_site = |id: SiteId| {
        let site = config.site(id);
        site.services().iter().filter_map(move |service| {
            let entry = picture.table.get(id, *service);
            let why = entry.reason.as_str();
            let told = || format!("site {}: no instance serves {service} ({why})", site.name);
            (entry.instance.is_none() && picture.exists(id, *service)).then(told)
        })
    };
    config.site_ids().flat_map(of_site).collect()
}

/// Now, in both clocks.
#[derive(Clone, Copy)]
struct Clock {
    now: Moment,
    wall: SystemTime,
}

impl Clock {
    /// The wall clock's time of a moment that has passed.
    fn date(self, moment: Moment) -> String {
        rfc3339(self.wall.checked_sub(self.now.since(moment)).unwrap_or(self.wall))
    }
}

fn site(picture: &Picture, id: SiteId, clock: Clock) -> Value {
    let site = picture.config.site(id);
    let service = |service: &Service| {
        let entry = picture.table.get(id, *service);
        json!({
            "service": service.as_str(),
            "serving": entry.instance.map(|i| &picture.config.instance(i).name),
            "since": clock.date(entry.since),
            "reason": entry.reason.as_str(),
            "essential": site.essential.contains(service),
            "failback": failback(picture, site, *service, entry, clock),
            "candidates": site
                .candidates()
                .map(|c| candidate(picture, c, *service, entry, clock))
                .collect::<Vec<_>>(),
        })
    };
    let hosts: Vec<&str> =
        if site.any_host { vec!["*"] } else { site.hosts.iter().map(String::as_str).collect() };
    json!({
        "name": site.name,
        "hosts": hosts,
        "services": site.services().iter().map(service).collect::<Vec<_>>(),
    })
}

fn failback(picture: &Picture, site: &Site, service: Service, entry: &Entry, clock: Clock) -> Value {
    let mode = match picture.config.failback.mode {
        FailbackMode::AfterStable(_) => "after-stable",
        FailbackMode::Manual => "manual",
        FailbackMode::Immediate => "immediate",
    };
    let returning = entry.returning;
    let due = returning.and_then(|r| r.at).map(|at| at.since(clock.now).as_secs_f64().ceil());
    // Of the one on its way back, else of the primary: whose damping an operator would ask for.
    let whose = returning.map_or(site.primary, |r| r.instance);
    let damping = picture.damping(whose, service);
    json!({
        "mode": mode,
        "to": returning.map(|r| &picture.config.instance(r.instance).name),
        "due_in_s": due,
        "damping": damping.factor(clock.now),
        "damping_ends_in_s": damping.ends(clock.now).map(|at| at.since(clock.now).as_secs_f64().ceil()),
    })
}

fn candidate(picture: &Picture, id: InstanceId, service: Service, entry: &Entry, clock: Clock) -> Value {
    let fact = picture.fact(id, service);
    let waiting = entry.returning.is_some_and(|r| r.instance == id);
    json!({
        "instance": picture.config.instance(id).name,
        "condition": fact.condition.as_str(),
        "condition_since": clock.date(fact.since),
        "usable": picture.usable(id, service),
        // Healthy again and on its way back.
        "waiting": waiting,
        "why": why(picture, id, service, entry, clock),
        "last_failure": fact.cause.map(|c| c.to_string()),
    })
}

/// Why this candidate serves, or does not.
fn why(picture: &Picture, id: InstanceId, service: Service, entry: &Entry, clock: Clock) -> String {
    let fact = picture.fact(id, service);
    let cause = fact.cause.map_or_else(String::new, |c| format!(": {c}"));
    if entry.instance == Some(id) {
        return match fact.condition {
            Condition::Suspect => format!("serves; a fault is being looked into{cause}"),
            _ => "serves".to_owned(),
        };
    }
    match (picture.held(id), fact.condition) {
        (Some(OverrideKind::Drain), _) => "drained by an operator".to_owned(),
        (Some(OverrideKind::Quarantine), _) => "in quarantine".to_owned(),
        (None, Condition::Down) => format!("down{cause}"),
        (None, Condition::Absent) => "does not have this service".to_owned(),
        (None, _) => match entry.returning.filter(|r| r.instance == id).map(|r| r.at) {
            Some(Some(at)) => {
                format!("takes over in {} s if it stays healthy", at.since(clock.now).as_secs_f64().ceil())
            }
            Some(None) => "healthy; waits for `gatekeeper failback`".to_owned(),
            None => "standby".to_owned(),
        },
    }
}

fn instance(picture: &Picture, id: InstanceId, clock: Clock) -> Value {
    let instance = picture.config.instance(id);
    let service = |service: Service| {
        let fact = picture.fact(id, service);
        json!({
            "service": service.as_str(),
            "condition": fact.condition.as_str(),
            "since": clock.date(fact.since),
            "last_failure": fact.cause.map(|c| c.to_string()),
        })
    };
    let overrides = picture.overrides.iter().filter(|o| o.instance == instance.name);
    json!({
        "name": instance.name,
        "url": instance.url.to_string(),
        "version": picture.documents(id).and_then(|d| d.product_version.as_ref()),
        "tokens": tokens(picture, id),
        "overrides": overrides.map(|o| o.kind.as_str()).collect::<Vec<_>>(),
        "services": picture.config.services_of(id).into_iter().map(service).collect::<Vec<_>>(),
    })
}

/// What happens to the instance's tokens before they reach it (design D9).
fn tokens(picture: &Picture, id: InstanceId) -> &'static str {
    match picture.documents(id).map(|documents| &documents.keys) {
        _ if picture.config.validate == Validate::Never => "not-checked",
        Some(Keys::Set(_)) => "checked",
        Some(Keys::Opaque) => "opaque",
        Some(Keys::Unread) | None => "keys-unknown",
    }
}

/// An override; a viewer sees neither who set it nor the words, which may name people (D16).
fn shown(o: &Override, open: bool) -> Value {
    let since = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(o.since_unix);
    json!({
        "instance": o.instance,
        "kind": o.kind.as_str(),
        "since": rfc3339(since),
        "by": open.then_some(&o.by),
        "reason": open.then_some(&o.reason),
    })
}

pub(super) fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
