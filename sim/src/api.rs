//! The instance without its sockets: requests in, responses out.

mod cors;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

pub use crate::identity::{AuthError, Caller, Role};
use crate::{
    discovery,
    eventserver::{self, EventServer},
    faults::{BadInput, FaultBoard},
    http::{compact_json, html_404},
    identity::{self, Desk, Door, Identity, KeyError, bearer},
    journal::Journal,
    marks::{self, Marks},
    rest::{self, distort, error::RestError, query::Query, table},
    rights,
    service::Service,
    settings::{Settings, Version},
    soap,
    stamp::{SECOND, Stamp},
    switches::HIDDEN,
    webrtc,
    world::{Object, World},
};

/// One simulated instance. Shared in an `Arc` by every listener and socket.
pub struct Api {
    settings: Settings,
    identity: Identity,
    world: RwLock<World>,
    webrtc: webrtc::Sessions,
    journal: Arc<Journal>,
    event_server: EventServer,
    marks: Marks,
    soap_tokens: soap::Tokens,
    faults: Arc<FaultBoard>,
}

/// Why an instance could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The signing key could not be made.
    #[error("making the signing key")]
    Key(#[from] KeyError),
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
        if !(0.0..=1.0).contains(&settings.diverge) {
            return Err(ApiError::Setting(format!(
                "diverge is {}, not a share from 0 to 1",
                settings.diverge
            )));
        }
        let identity = Identity::new(&settings)?;
        let world = RwLock::new(World::new(&settings));
        Ok(Self {
            settings,
            identity,
            world,
            webrtc: webrtc::Sessions::default(),
            journal: Arc::new(Journal::new()),
            event_server: EventServer::default(),
            marks: Marks::default(),
            soap_tokens: soap::Tokens::default(),
            faults: Arc::new(FaultBoard::new()),
        })
    }

    /// What it was started with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What it reported.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// What is broken.
    pub fn faults(&self) -> &Arc<FaultBoard> {
        &self.faults
    }

    /// Answers everything but WebSocket upgrades. The body is complete; never panics.
    pub fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let mut response = match segments(request.uri().path()) {
            Some(segments) => self.route(&request, &segments),
            None if is_rest(request.uri().path()) => self.rest(&request, None),
            None => html_404(),
        };
        // IIS writes the time of the machine, which may be off like everything else.
        if let Ok(date) = HeaderValue::try_from(self.now().http()) {
            response.headers_mut().insert(header::DATE, date);
        }
        if cors::is_on(&self.settings) {
            cors::allow(&request, &mut response);
        }
        response
    }

    /// Checks a JWT, given without the `Bearer ` prefix (sheet 2.7).
    pub fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        self.identity.check(token, &self.read(), self.now())
    }

    /// The rights filter that REST and socket share, with the caller's rights of the moment; `resource` is a REST
    /// collection name.
    pub fn may_see(&self, caller: &Caller, resource: &str, id: &str) -> bool {
        let world = self.read();
        let object =
            table::find(resource).and_then(|kind| world.store.get(kind.name(), &id.to_ascii_lowercase()));
        object.is_some_and(|object| rights::sees(&world, caller.role_now(&world), object))
    }

    /// A camera that the caller sees; else 404, or what the switch says.
    pub fn camera(&self, caller: &Caller, id: &str) -> Result<(), RestError> {
        let exists = self.read().store.get("cameras", &id.to_ascii_lowercase()).is_some();
        if self.may_see(caller, "cameras", id) {
            Ok(())
        } else if exists && self.settings.switches.get(&HIDDEN) == "403" {
            Err(RestError::forbidden())
        } else {
            Err(RestError::not_found("cameras", id))
        }
    }

    /// Sessions of WebRTC signalling.
    pub fn webrtc(&self) -> &webrtc::Sessions {
        &self.webrtc
    }

    /// How many of them are alive.
    pub fn webrtc_sessions(&self) -> usize {
        self.webrtc.count(self.now_seconds())
    }

    /// This instance's clock, in seconds of Unix time.
    pub fn now_seconds(&self) -> i64 {
        self.now().seconds()
    }

    /// The physical site for the event clock, in physical order.
    pub fn cameras(&self) -> Vec<CameraRef> {
        let world = self.read();
        let camera = |object: &Object| {
            Some(CameraRef {
                physical: object.physical?,
                id: object.id.clone(),
                hardware_id: object.parent.as_ref()?.1.clone(),
                enabled: object.fields.get("enabled") == Some(&Value::Bool(true)),
            })
        };
        let mut cameras: Vec<CameraRef> = world.store.all("cameras").filter_map(camera).collect();
        cameras.sort_by_key(|camera| camera.physical);
        cameras
    }

    /// Id and name of every user-defined event.
    pub fn user_defined_events(&self) -> Vec<(String, String)> {
        let world = self.read();
        world
            .store
            .all("userDefinedEvents")
            .map(|event| (event.id.clone(), event.text("name").to_owned()))
            .collect()
    }

    /// Every event type.
    pub fn event_types(&self) -> Vec<EventTypeRef> {
        let given =
            |object: &Object, field| Some(object.text(field).to_owned()).filter(|text| !text.is_empty());
        let world = self.read();
        let event_type = |object: &Object| EventTypeRef {
            id: object.id.clone(),
            name: object.text("name").to_owned(),
            state_group: given(object, "stateGroupId"),
            state: given(object, "state"),
        };
        world.store.all("eventTypes").map(event_type).collect()
    }

    /// Number of objects of each type.
    pub fn object_counts(&self) -> BTreeMap<String, usize> {
        let world = self.read();
        let table = table::types().iter().map(|kind| (kind.name(), world.store.count(kind.name())));
        let other = self.event_server.counts().chain(self.marks.counts());
        table.chain(other).map(|(name, count)| (name.to_owned(), count)).collect()
    }

    /// Raises the alarms that are due (see [`eventserver::watch`]).
    pub fn raise_alarms(&self) {
        self.event_server.catch_up(&self.world, &self.journal);
    }

    /// Every accepted change of an object, oldest first.
    pub fn writes(&self) -> Vec<Write> {
        self.read().writes.iter().cloned().collect()
    }

    /// Live logins.
    pub fn session_count(&self) -> usize {
        self.identity.live(self.now())
    }

    /// Sets the configuration back to what it was at a moment (the `restore` fault).
    ///
    /// # Errors
    /// A moment before the start or in the future.
    pub fn restore(&self, moment: Stamp) -> Result<(), BadInput> {
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        let (start, now) = (world.store.history().start().unwrap_or(moment), Stamp::now());
        if moment < start || moment > now {
            let seconds = |stamp: Stamp| stamp.ticks() as f64 / SECOND as f64;
            let allowed = format!("{}..={}", seconds(start), seconds(now));
            return Err(BadInput::new("to", "must be between the start and now", vec![allowed]));
        }
        world.restore(moment);
        Ok(())
    }

    fn now(&self) -> Stamp {
        let seconds = distort::clock(&self.faults.config());
        Stamp::now().plus_millis(seconds.saturating_mul(1000))
    }

    fn read(&self) -> RwLockReadGuard<'_, World> {
        // A lock is poisoned only by a panic, and the data is replaced field by field: it stays usable.
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn route(&self, request: &Request<Bytes>, segments: &[String]) -> Response<Bytes> {
        let lower: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
        let path: Vec<&str> = lower.iter().map(String::as_str).collect();
        match path.as_slice() {
            _ if cors::is_preflight(request) && cors::is_on(&self.settings) => cors::preflight(),
            ["api", ".well-known", "uris"] => self.well_known(request),
            ["idp", rest @ ..] => self.identity_provider(request, Door::Direct, rest),
            ["api", "idp", rest @ ..] => self.identity_provider(request, Door::Gateway, rest),
            ["api", "rest", "v1", "webrtc", ..] if self.settings.version >= webrtc::SINCE => {
                self.signal(request, segments.get(4..).unwrap_or_default())
            }
            ["api", "rest", "v1", ..] => self.rest(request, segments.get(3..)),
            ["api", "rest", ..] => self.rest(request, None),
            ["managementserver" | "serverapi" | "recordercommandservice", ..] => {
                soap::handle(&self.soap_desk(), request)
            }
            _ => html_404(),
        }
    }

    fn well_known(&self, request: &Request<Bytes>) -> Response<Bytes> {
        /// The document came with 2022 R1 (sheet 9).
        const SINCE: Version = Version { major: 22, minor: 1 };
        if self.settings.version < SINCE || !is_get(request) {
            return html_404();
        }
        compact_json(StatusCode::OK, &discovery::uris(&self.settings))
    }

    fn identity_provider(&self, request: &Request<Bytes>, door: Door, path: &[&str]) -> Response<Bytes> {
        identity::answer(&self.desk(), request, door, path)
    }

    fn desk(&self) -> Desk<'_> {
        Desk { identity: &self.identity, settings: &self.settings, world: &self.world, now: self.now() }
    }

    fn soap_desk(&self) -> soap::Desk<'_> {
        soap::Desk { instance: self.desk(), tokens: &self.soap_tokens }
    }

    fn signal(&self, request: &Request<Bytes>, segments: &[String]) -> Response<Bytes> {
        let caller = match bearer(request).and_then(|token| self.authenticate(token)) {
            Ok(caller) => caller,
            Err(error) => return error.response(),
        };
        let call = webrtc::rest::Call {
            api: self,
            caller: &caller,
            sessions: &self.webrtc,
            now: self.now_seconds(),
            method: request.method(),
            body: request.body(),
        };
        webrtc::rest::handle(&call, segments)
    }

    /// The configuration API; without segments the path is not one of its own, and that too is said in JSON.
    fn rest(&self, request: &Request<Bytes>, segments: Option<&[String]>) -> Response<Bytes> {
        let uri = request.uri();
        let caller = match bearer(request).and_then(|token| self.authenticate(token)) {
            Ok(caller) => caller,
            Err(error) => return error.response(),
        };
        let Some(segments) = segments else {
            return RestError::unknown_resource(uri.path().get(BELOW.len()..).unwrap_or_default()).response();
        };
        let target = uri.path_and_query().map_or(uri.path(), |target| target.as_str());
        let call = rest::Call {
            settings: &self.settings,
            caller: &caller,
            now: self.now(),
            method: request.method(),
            target,
            query: Query::parse(uri.query().unwrap_or_default()),
            body: request.body(),
            faults: match Service::of_path(uri.path()) {
                Some(Service::Config) => self.faults.config(),
                _ => Arc::default(),
            },
        };
        if eventserver::serves(segments) {
            return self.event_server.handle(&self.world, &self.journal, &call, segments);
        }
        if marks::serves(segments) {
            return self.marks.handle(&self.world, &call, segments);
        }
        rest::handle(&self.world, &call, segments)
    }
}

/// What is below this path is answered in JSON, whatever it is.
const BELOW: &str = "/api/rest/";

fn is_rest(path: &str) -> bool {
    path.get(..BELOW.len()).is_some_and(|start| start.eq_ignore_ascii_case(BELOW))
}

fn is_get(request: &Request<Bytes>) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD)
}

/// The decoded segments of a path; one trailing slash is fine. `None` for what no service answers: empty segments
/// (`//`), dot segments, and escapes that would decode to a separator or a control character.
fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    path.split('/')
        .map(|segment| {
            let text = percent_decode_str(segment).decode_utf8().ok()?;
            let refused = text.is_empty() || text == "." || text == "..";
            let odd = |c: char| matches!(c, '/' | '\\') || c.is_control();
            (!refused && !text.contains(odd)).then(|| text.into_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests;
