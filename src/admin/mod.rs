//! The admin plane (design D16): what operators and monitoring ask and order, on its own listener.
//!
//! Every request passes the time limit and the `Host` check (`guard`), then, unless it is for
//! `/healthz`, `/readyz` or `/metrics`, its token decides who it is and what it may. Questions read
//! the published snapshot; orders are written to the store first and carried out afterwards.

pub mod error;
mod guard;
mod links;
mod orders;
mod ready;
mod reload;
mod serve;
mod sessions;
mod status;
mod sync;
mod users;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::header;
use tokio::sync::{Mutex, watch};

use self::error::ApiError;
pub use self::reload::{ReloadReport, ReloadState};
pub use self::serve::{serve, serve_metrics};
pub use self::sessions::{Count, SessionCount, SessionReport, StuckUser};
pub use self::users::{User, Users, UsersError};
use crate::balance::Picture;
use crate::health::supervisor::SupervisorHandle;
use crate::metrics::Metrics;
use crate::state::Store;
use crate::sync::worker::Handle;

/// What the admin plane works on. Cheap to clone.
#[derive(Clone)]
pub struct AdminState {
    /// The newest snapshot of health and balance.
    pub picture: watch::Receiver<Arc<Picture>>,
    /// Carries orders out.
    pub supervisor: SupervisorHandle,
    /// Remembers them.
    pub store: Arc<Store>,
    /// What of two instances is the same, and what would be done about the rest.
    pub sync: Handle,
    /// For `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Who may ask; replaced at a reload.
    pub users: Arc<ArcSwap<Users>>,
    /// How the last reload ended; replaced at a reload.
    pub reload_report: Arc<ArcSwap<ReloadReport>>,
    /// For `gatekeeper sessions`.
    pub count_sessions: Count,
    /// When the program started.
    pub started: SystemTime,
    /// One order at a time: the order of commits is the order in which they take effect.
    orders: Arc<Mutex<()>>,
}

impl AdminState {
    /// The state of a program that has just started.
    pub fn new(
        supervisor: SupervisorHandle,
        store: Arc<Store>,
        sync: Handle,
        metrics: Arc<Metrics>,
        users: Users,
    ) -> Self {
        Self {
            picture: supervisor.watch(),
            supervisor,
            store,
            sync,
            metrics,
            users: Arc::new(ArcSwap::from_pointee(users)),
            reload_report: Arc::default(),
            count_sessions: Arc::new(SessionReport::default),
            started: SystemTime::now(),
            orders: Arc::default(),
        }
    }

    /// The same with sessions to count.
    #[must_use]
    pub fn with_sessions(self, count_sessions: Count) -> Self {
        Self { count_sessions, ..self }
    }

    fn picture(&self) -> Arc<Picture> {
        Arc::clone(&self.picture.borrow())
    }
}

/// The admin listener.
fn admin_router(state: AdminState) -> Router {
    let orders = Router::new()
        .route("/v1/drain", post(orders::drain))
        .route("/v1/quarantine", post(orders::quarantine))
        .route("/v1/release", post(orders::release))
        .route("/v1/failback", post(orders::failback));
    let links = Router::new()
        .route("/v1/sync/links", get(links::list))
        .route("/v1/sync/links/add", post(links::add))
        .route("/v1/sync/links/remove", post(links::remove))
        .route("/v1/sync/links/run", post(links::run));
    let sync = Router::new()
        .route("/v1/sync/status", get(sync::status))
        .route("/v1/sync/plan", get(sync::plan).post(sync::make_plan))
        .route("/v1/sync/operations/{number}", get(sync::operation))
        .route("/v1/sync/conflicts", get(sync::conflicts))
        .route("/v1/sync/drift", get(sync::drift))
        .route("/v1/sync/disputes", get(sync::disputes))
        .route("/v1/sync/coverage", get(sync::coverage))
        .route("/v1/sync/baseline", post(sync::confirm_baseline))
        .route("/v1/sync/accept", post(sync::accept));
    open_routes()
        .route("/v1/status", get(status::status))
        .route("/v1/sessions", get(sessions::sessions))
        .merge(orders)
        .merge(links)
        .merge(sync)
        .fallback(async || ApiError::not_found())
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(DefaultBodyLimit::max(LARGEST_ORDER))
        // Outside of everything that may look at the request any further.
        .layer(from_fn_with_state(state.clone(), guard::host))
        .layer(from_fn(guard::limit_time))
        .with_state(state)
}

/// The listener of `[metrics] address`: no `Host` check, because scrapers come under any name and
/// there is nothing to order and nothing secret.
fn metrics_router(state: AdminState) -> Router {
    open_routes()
        .fallback(async || ApiError::not_found())
        .method_not_allowed_fallback(async || ApiError::method_not_allowed())
        .layer(from_fn(guard::limit_time))
        .with_state(state)
}

/// What needs no token.
fn open_routes() -> Router<AdminState> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready::readyz))
        .route("/metrics", get(metrics))
}

async fn metrics(State(state): State<AdminState>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.metrics.render())
}

/// Bytes; an order is a name and a reason.
const LARGEST_ORDER: usize = 16 << 10;
