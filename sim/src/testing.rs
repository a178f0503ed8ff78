//! A client for the unit tests: one instance, one token, JSON in and out.

use std::sync::{Arc, LazyLock};

use ::http::{Method, Request, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    api::Api,
    faults::{ConfigFault, Fault},
    settings::Settings,
};

/// An instance of its own for tests that change something.
pub fn api(change: impl FnOnce(&mut Settings)) -> Arc<Api> {
    let mut settings = Settings::default();
    change(&mut settings);
    Arc::new(Api::new(settings).unwrap())
}

/// One instance for tests that only read.
pub fn shared() -> Arc<Api> {
    static SHARED: LazyLock<Arc<Api>> = LazyLock::new(|| api(|_| {}));
    SHARED.clone()
}

impl Api {
    /// Moves the instance's clock.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.faults().set(Fault::Config(ConfigFault::Clock(seconds)));
    }
}

/// An answer.
pub struct Reply {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The body, after a check of the status.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self.json()
    }

    /// The text of a REST error.
    pub fn error(&self, status: u16) -> String {
        let body = self.expect(status);
        assert_eq!(body["error"]["httpCode"], status);
        body["error"]["details"][0]["errorText"].as_str().unwrap().to_owned()
    }
}

pub fn send(api: &Api, method: &str, path: &str, token: Option<&str>, body: &str) -> Reply {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    ask(api, method, path, &headers, body)
}

/// A request with any headers.
pub fn ask(api: &Api, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = api.handle(request.body(Bytes::from(body.to_owned())).unwrap());
    let (parts, body) = response.into_parts();
    Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
}

/// Asks for a token with a form.
pub fn grant(api: &Api, form: &str) -> Reply {
    send(api, "POST", "/API/IDP/connect/token", None, form)
}

/// Logs a basic user in.
pub fn login(api: &Api, user: &str) -> String {
    let form = format!(
        "grant_type=password&username={user}&password={user}-password&client_id=GrantValidatorClient"
    );
    grant(api, &form).expect(200)["access_token"].as_str().unwrap().to_owned()
}

/// A logged-in user of the configuration API.
pub struct Client {
    pub api: Arc<Api>,
    pub token: String,
}

impl Client {
    pub fn new(api: Arc<Api>, user: &str) -> Self {
        let token = login(&api, user);
        Self { api, token }
    }

    pub fn call(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(&self.api, method, &format!("/API/rest/v1/{path}"), Some(&self.token), &body)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.call("GET", path, &Value::Null)
    }

    /// The objects of a list.
    pub fn list(&self, path: &str) -> Vec<Value> {
        self.get(path).expect(200)["array"].as_array().unwrap().clone()
    }

    /// The ids of a list.
    pub fn ids(&self, path: &str) -> Vec<String> {
        self.list(path).iter().map(|object| object["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The id of the object of that name.
    pub fn id_of(&self, kind: &str, name: &str) -> String {
        let found = self.list(kind).into_iter().find(|object| object["name"] == name).unwrap();
        found["id"].as_str().unwrap().to_owned()
    }
}
