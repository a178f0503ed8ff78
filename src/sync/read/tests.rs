//! Readings of the real simulator, without sockets.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use tokio::sync::watch;
use xprotect_sim::api::Api;
use xprotect_sim::settings::Settings;

use super::ask::{Ask, Unanswered};
use super::full::{Progress, ReadError, Reading, Wish, read_all};
use super::pace::Patience;
use super::schema::Accepted;
use super::trust::Past;
use crate::sync::catalogue::Kind;
use crate::sync::snapshot::{Distrust, Snapshot};
use crate::vms::client::Answer;

mod busy;
mod changes;
mod faults;
mod storm;
mod versions;

/// An instance and its administrator.
pub(in crate::sync) struct Sim {
    pub(in crate::sync) api: Arc<Api>,
    token: String,
}

impl Sim {
    pub(in crate::sync) fn new(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings { cameras: 12, users: 4, ..Settings::default() };
        change(&mut settings);
        let api = Arc::new(Api::new(settings).unwrap());
        let form =
            "grant_type=password&client_id=GrantValidatorClient&username=admin&password=admin-password";
        let request =
            Request::post("/API/IDP/connect/token").body(Bytes::from_static(form.as_bytes())).unwrap();
        let answer: serde_json::Value = serde_json::from_slice(api.handle(request).body()).unwrap();
        let token = answer["access_token"].as_str().unwrap().to_owned();
        Self { api, token }
    }

    /// A request that changes something; gives the answer.
    pub(in crate::sync) fn call(
        &self,
        method: &str,
        path: &str,
        body: serde_json::Value,
    ) -> serde_json::Value {
        let request = Request::builder()
            .method(method)
            .uri(format!("/API/rest/v1{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::from(body.to_string()))
            .unwrap();
        let response = self.api.handle(request);
        assert!(response.status().is_success(), "{method} {path}: {:?}", response.body());
        serde_json::from_slice(response.body()).unwrap()
    }
}

impl Ask for Sim {
    async fn get(&self, path: &str) -> Result<Answer, Unanswered> {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Bytes::new())
            .unwrap();
        let (head, body) = self.api.handle(request).into_parts();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

const NO_PATIENCE: Patience =
    Patience { first: std::time::Duration::ZERO, longest: std::time::Duration::ZERO };

pub(in crate::sync) fn block<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// What a test wants besides everything.
#[derive(Default)]
struct Want {
    kinds: Option<BTreeSet<Kind>>,
    canary_required: bool,
    accepted: Accepted,
}

fn read_with(ask: &impl Ask, past: &Past, want: &Want) -> Result<Reading, ReadError> {
    let kinds = want.kinds.clone().unwrap_or_else(|| Kind::all().collect());
    let (canary_required, accepted) = (want.canary_required, &want.accepted);
    let wish = Wish { instance: "a", kinds: &kinds, past, canary_required, accepted };
    let progress = watch::Sender::new(Progress::default());
    let reading = block(read_all(ask, wish, NO_PATIENCE, &progress));
    if reading.is_ok() {
        let progress = *progress.borrow();
        assert_eq!(progress.done, progress.total);
    }
    reading
}

fn read(ask: &impl Ask, past: &Past) -> Reading {
    read_with(ask, past, &Want::default()).unwrap()
}

fn kind(name: &str) -> Kind {
    Kind::from_name(name).unwrap()
}

/// What is doubted, as text.
fn doubts(snapshot: &Snapshot) -> Vec<String> {
    let own = snapshot.distrust.iter().map(|why| format!("all: {why}"));
    let lists = snapshot
        .lists
        .iter()
        .flat_map(|(kind, listing)| listing.distrust.iter().map(move |why| format!("{kind}: {why}")));
    own.chain(lists).collect()
}
