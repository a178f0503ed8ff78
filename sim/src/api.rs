//! The instance without its sockets: requests in, responses out.

use std::collections::BTreeMap;

use ::http::{Request, Response};
use bytes::Bytes;

pub use crate::identity::{AuthError, Caller, Role};
use crate::settings::Settings;

/// One simulated instance. Shared in an `Arc` by every listener and socket.
pub struct Api {
    settings: Settings,
}

/// Why an instance could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The signing key could not be made.
    #[error("making the signing key: {0}")]
    Key(String),
    /// A setting is out of its range.
    #[error("{0}")]
    Setting(String),
}

/// A camera of the physical site, as this instance knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraRef {
    /// Index in the physical site, the same on every instance of one seed.
    pub physical: usize,
    /// This instance's id of the camera.
    pub id: String,
    /// This instance's id of the hardware that carries it.
    pub hardware_id: String,
    /// A disabled camera emits nothing.
    pub enabled: bool,
}

/// An event type and the state that it puts its source into (sheet 4.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTypeRef {
    /// Id of the type.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The state group it belongs to, if it is stateful.
    pub state_group: Option<String>,
    /// Name of the state.
    pub state: Option<String>,
}

/// An accepted change of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// When, as on the wire.
    pub time: String,
    /// HTTP method.
    pub method: String,
    /// Path and query as they arrived.
    pub path: String,
    /// Body, secrets written as `***`.
    pub body: serde_json::Value,
    /// Name of the user or client.
    pub who: String,
}

impl Api {
    /// Builds the instance: keys, issuer and objects are a function of name and seed.
    pub fn new(settings: Settings) -> Result<Self, ApiError> {
        Ok(Self { settings })
    }

    /// What it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Answers everything but WebSocket upgrades. The body is complete; never panics.
    pub fn handle(&self, _request: Request<Bytes>) -> Response<Bytes> {
        crate::http::html_404()
    }

    /// Checks a JWT, given without the `Bearer ` prefix (sheet 2.7).
    pub fn authenticate(&self, _token: &str) -> Result<Caller, AuthError> {
        Err(AuthError::Invalid)
    }

    /// The rights filter that REST and socket share; `resource` is a REST collection name.
    pub fn may_see(&self, _caller: &Caller, _resource: &str, _id: &str) -> bool {
        false
    }

    /// The physical site for the event clock, in physical order.
    pub fn cameras(&self) -> Vec<CameraRef> {
        Vec::new()
    }

    /// Id and name of every user-defined event.
    pub fn user_defined_events(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Every event type.
    pub fn event_types(&self) -> Vec<EventTypeRef> {
        Vec::new()
    }

    /// Number of objects of each type.
    pub fn object_counts(&self) -> BTreeMap<String, usize> {
        BTreeMap::new()
    }

    /// Every accepted change of an object, oldest first.
    pub fn writes(&self) -> Vec<Write> {
        Vec::new()
    }

    /// Live logins.
    pub fn session_count(&self) -> usize {
        0
    }

    /// Moves this instance's clock (the `clock` fault); times in answers and tokens follow.
    pub fn set_clock_offset(&self, _seconds: i64) {}
}
