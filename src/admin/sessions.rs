//! `GET /v1/sessions`: how many sessions there are, where, and whose would not survive the loss of their home.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::AdminState;
use super::guard::Anyone;
use crate::config::types::AdminRole;

pub(super) async fn sessions(State(state): State<AdminState>, Anyone(user): Anyone) -> Json<Value> {
    let census = state.sessions.census();
    let counts = census.counts.iter().map(|((site, home, twin), count)| {
        json!({
            "site": site,
            // None: an instance that a reload has removed.
            "home": state.sessions.name(*home),
            "twin": twin.as_str(),
            "sessions": count,
        })
    });
    let stuck = census.stuck.iter().map(|((site, user), why)| {
        json!({ "site": site, "user": user, "reason": why.as_str(), "text": why.text() })
    });
    // A viewer sees no names of users (D16).
    let open = user.role != AdminRole::Viewer;
    Json(json!({
        "sessions": counts.collect::<Vec<_>>(),
        "cannot_fail_over": open.then(|| stuck.collect::<Vec<_>>()),
        "more": census.more,
    }))
}
