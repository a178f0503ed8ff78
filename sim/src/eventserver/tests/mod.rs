#![allow(clippy::unwrap_used)]

mod alarms;
mod definitions;
mod events;

use std::sync::Arc;

use serde_json::Value;

use crate::{
    api::Api,
    testing::{Client, api, grant},
};

/// An instance with few cameras: guards see the first two.
fn site() -> Arc<Api> {
    api(|settings| settings.cameras = 4)
}

fn service(api: &Arc<Api>) -> Client {
    let form = "grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret";
    let token = grant(api, form).expect(200)["access_token"].as_str().unwrap().to_owned();
    Client { api: Arc::clone(api), token }
}

/// A camera that guards see, and one that they do not.
fn cameras(api: &Api) -> (String, String) {
    let cameras = api.cameras();
    (cameras[0].id.clone(), cameras[3].id.clone())
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}
