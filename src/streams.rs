//! Where the streams of a camera are (design D19): media goes around us, so a client that can use
//! both instances is told where each of them records it.
//!
//! `GET /gatekeeper/v1/streams/{camera id}`, with the id that any instance of the site has for it:
//!
//! ```json
//! {"data": {"id": "<canonical id>", "instances": [
//!     {"instance": "a", "id": "<its id there>", "serving": true, "health": "up",
//!      "recorder": {"hostName": "rs-a.example", "portNumber": 7563, "webServerUri": "https://rs-a.example:7563/"}}]}}
//! ```
//!
//! Whoever asks must be able to see the camera: the serving instance is asked for it with the
//! client's own token first, and its refusal is the answer. The recorder's address is read with the
//! instance's own `account`, because a user who may watch need not be able to read the
//! configuration; without an account, or when it cannot be read, `recorder` is null. `health` is
//! `up`, `suspect`, `unknown`, `down`, `absent` (of the service `config`) or `drained`. An instance
//! in quarantine is left out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::balance::Picture;
use crate::clock::Moment;
use crate::config::types::{Account, InstanceId, Service, SiteId};
use crate::idmap::guid::Guid;
use crate::idmap::map::Map;
use crate::upstream::backend::Backend;
use crate::vms::client::{Client, Reuse};
use crate::vms::token::{Token, password_grant};

/// Finds recorders; shared by all cores.
pub struct Locator {
    ids: Arc<ArcSwap<Map>>,
    /// Reading happens on the control plane.
    control: Handle,
    /// By the key of the backend.
    places: Mutex<HashMap<u64, Arc<Place>>>,
}

/// How a recording server is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Recorder {
    host_name: String,
    port_number: u16,
    web_server_uri: String,
}

/// One instance, as its own account sees it.
struct Place {
    client: Client,
    account: Account,
    /// One reading at a time: nobody can make us flood an instance.
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    known: HashMap<Guid, (Option<Recorder>, Moment)>,
}

impl Locator {
    /// Must be called on the control plane's runtime.
    pub fn new(ids: Arc<ArcSwap<Map>>) -> Self {
        Self { ids, control: Handle::current(), places: Mutex::default() }
    }

    /// Everything that can be said about the streams of a camera that `served` has under `id`, or
    /// translates it to. Takes [`PATIENCE`] at most.
    pub async fn locate(
        &self,
        picture: &Picture,
        backends: &[Arc<Backend>],
        (site, served): (SiteId, InstanceId),
        id: Guid,
    ) -> Value {
        let config = &picture.config;
        let map = self.ids.load_full();
        let name = &config.site(site).name;
        let of = |instance: InstanceId| {
            let found = map.view(name, &config.instance(instance).name).and_then(|view| view.find(id));
            found.or_else(|| (instance == served).then_some(id))
        };
        let candidates = config.site(site).candidates().filter(|c| !picture.quarantined(*c));
        let asked: Vec<_> = candidates
            .filter_map(|instance| {
                let here = of(instance)?;
                let place = backends.get(instance.index()).and_then(|b| {
                    let account = config.instance(instance).account.as_ref()?;
                    Some(self.place(b, account))
                });
                let reading = place.map(|place| {
                    self.control
                        .spawn(async move { timeout(PATIENCE, place.recorder(here)).await.ok().flatten() })
                });
                Some((instance, here, reading))
            })
            .collect();
        let mut instances = Vec::new();
        for (instance, here, reading) in asked {
            let recorder = match reading {
                Some(reading) => reading.await.ok().flatten(),
                None => None,
            };
            let health = match picture.held(instance) {
                Some(_) => "drained",
                None => picture.condition(instance, Service::Config).as_str(),
            };
            instances.push(json!({
                "instance": config.instance(instance).name,
                "id": here.to_string(),
                "serving": picture.table.get(site, Service::Config).instance == Some(instance),
                "health": health,
                "recorder": recorder,
            }));
        }
        let canonical = of(config.site(site).primary).unwrap_or(id);
        json!({"data": {"id": canonical.to_string(), "instances": instances}})
    }

    fn place(&self, backend: &Backend, account: &Account) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(&backend.key)
            && place.account == *account
            && Arc::ptr_eq(place.client.target(), &backend.target)
        {
            return Arc::clone(place);
        }
        if places.len() >= MOST_PLACES {
            // Of instances that reloads have removed.
            places.clear();
        }
        let place = Arc::new(Place {
            client: Client::new(Arc::clone(&backend.target)),
            account: account.clone(),
            state: tokio::sync::Mutex::default(),
        });
        places.insert(backend.key, Arc::clone(&place));
        place
    }
}

impl Place {
    /// The recorder of a camera; `None` if there is no such camera, or nobody can tell now.
    async fn recorder(&self, camera: Guid) -> Option<Recorder> {
        let mut state = self.state.lock().await;
        let now = Moment::now();
        if let Some((recorder, read)) = state.known.get(&camera)
            && now.since(*read) < FRESH
        {
            return recorder.clone();
        }
        if state.token.as_ref().is_none_or(|token| token.renew_at <= now) {
            state.token = password_grant(&self.client, &self.account, now).await.ok();
        }
        let token = state.token.clone()?;
        let Ok(recorder) = self.read(camera, &token).await else {
            // Restarted, restored, or its account has changed: the next one logs in again.
            state.token = None;
            return state.known.get(&camera).and_then(|(recorder, _)| recorder.clone());
        };
        if state.known.len() >= MOST_KNOWN {
            state.known.clear();
        }
        state.known.insert(camera, (recorder.clone(), now));
        recorder
    }

    /// Camera, hardware, recording server: three questions (sheet 3.6). An error: no answer.
    async fn read(&self, camera: Guid, token: &Token) -> Result<Option<Recorder>, ()> {
        let mut id = camera;
        for kind in ["cameras", "hardware"] {
            let Some(object) = self.object(kind, id, token).await? else { return Ok(None) };
            let parent = object["data"]["relations"]["parent"]["id"].as_str().unwrap_or_default();
            let Some(parent) = Guid::parse(parent.as_bytes()) else { return Ok(None) };
            id = parent;
        }
        Ok(self.object("recordingServers", id, token).await?.and_then(|server| recorder(&server["data"])))
    }

    async fn object(&self, kind: &str, id: Guid, token: &Token) -> Result<Option<Value>, ()> {
        let path = format!("/API/rest/v1/{kind}/{id}");
        let answer = self.client.get(&path, Some(&token.access), Reuse::Kept).await.map_err(|_| ())?;
        match answer.status.as_u16() {
            200 => Ok(answer.json()),
            403 | 404 => Ok(None),
            _ => Err(()),
        }
    }
}

fn recorder(server: &Value) -> Option<Recorder> {
    let text = |key: &str| {
        let text =
            server[key].as_str().filter(|t| t.len() <= LONGEST && t.bytes().all(|b| b.is_ascii_graphic()));
        text.map(str::to_owned)
    };
    let host_name = text("hostName").filter(|host| !host.is_empty())?;
    let port_number = server["portNumber"].as_u64().and_then(|port| u16::try_from(port).ok())?;
    Some(Recorder { host_name, port_number, web_server_uri: text("webServerUri").unwrap_or_default() })
}

/// How long a client waits for recorders that have to be read.
const PATIENCE: Duration = Duration::from_secs(2);
/// Cameras are seldom moved between recorders.
const FRESH: Duration = Duration::from_secs(60);
/// For each instance; some 200 bytes each.
const MOST_KNOWN: usize = 20_000;
/// Far more than there are instances.
const MOST_PLACES: usize = 64;
/// Bytes of a name or address.
const LONGEST: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_not_passed_on() {
        let good = json!({"hostName": "rs-a.example", "portNumber": 7563, "webServerUri": "https://rs-a.example:7563/"});
        assert!(recorder(&good).is_some_and(|r| r.port_number == 7563 && r.host_name == "rs-a.example"));
        for bad in [
            json!({}),
            json!({"hostName": "", "portNumber": 7563}),
            json!({"hostName": "a b", "portNumber": 7563}),
            json!({"hostName": "x".repeat(600), "portNumber": 7563}),
            json!({"hostName": "a", "portNumber": 99999}),
        ] {
            assert_eq!(recorder(&bad), None, "{bad}");
        }
    }
}
