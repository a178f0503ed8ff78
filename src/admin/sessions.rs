//! `GET /v1/sessions`: how many logins stand where, and whose would not survive the loss of its home.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::{Value, json};

use super::AdminState;
use super::guard::Anyone;
use crate::config::types::AdminRole;

/// Counts the sessions of this moment.
pub type Count = Arc<dyn Fn() -> SessionReport + Send + Sync>;

/// The sessions of one moment.
#[derive(Clone, Debug, Default)]
pub struct SessionReport {
    /// How many, by site, home and twin.
    pub counts: Vec<SessionCount>,
    /// Users who would have to log in again. Not all, if there are very many.
    pub stuck: Vec<StuckUser>,
}

/// Sessions that have everything in common that a label may say.
#[derive(Clone, Debug, Serialize)]
pub struct SessionCount {
    /// Name of the site.
    pub site: String,
    /// Name of the instance where they logged in; `None`: a reload has removed it.
    pub home: Option<String>,
    /// How their twins stand: `ready`, `pending`, or why there is none.
    pub twin: &'static str,
    /// How many.
    pub sessions: u64,
}

/// A user without a twin.
#[derive(Clone, Debug, Serialize)]
pub struct StuckUser {
    /// Name of the site.
    pub site: String,
    /// Name of the user.
    pub user: String,
    /// Why, for programs.
    pub reason: &'static str,
    /// Why, for people.
    pub text: &'static str,
}

pub(super) async fn sessions(State(state): State<AdminState>, Anyone(user): Anyone) -> Json<Value> {
    let SessionReport { counts, stuck } = (state.count_sessions)();
    // Names of users are not for everybody (D16).
    let named = user.role != AdminRole::Viewer;
    Json(json!({
        "sessions": counts.iter().map(|c| c.sessions).sum::<u64>(),
        "counts": counts,
        "users_that_cannot_fail_over": stuck.len(),
        "cannot_fail_over": named.then_some(stuck),
    }))
}
