//! Errors of the REST services (sheet 3.4).

use ::http::{Response, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::field::singular;
use crate::http::{error_body, rest_json};

/// Types that the error text calls a device.
const DEVICES: [&str; 8] = [
    "cameras",
    "hardware",
    "microphones",
    "speakers",
    "metadata",
    "inputEvents",
    "outputs",
    "recordingServers",
];

/// An error answer.
#[derive(Debug)]
pub struct RestError {
    status: StatusCode,
    text: String,
    property: Option<String>,
    id: Option<&'static str>,
    /// More top-level keys; boxed because few errors have any.
    more: Option<Box<Map<String, Value>>>,
}

impl RestError {
    /// 400 with a text.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, text: text.into(), property: None, id: None, more: None }
    }

    /// 400 that names the property at fault.
    pub fn property(name: &str, text: impl AsRef<str>) -> Self {
        let text = format!("Bad request: invalid value for {name}: {}", text.as_ref());
        Self { property: Some(name.to_owned()), ..Self::bad(text) }
    }

    /// A verb that the resource does not have: 400, neither 404 nor 405 (sheet 8.20).
    pub fn unknown_request() -> Self {
        Self::bad("Bad request: Unknown request")
    }

    /// A task without its parameters; the answer is also how clients find out about them.
    pub fn parameters_missing(params: Map<String, Value>, definitions: Option<Map<String, Value>>) -> Self {
        let mut more = Map::from_iter([("params".to_owned(), params.into())]);
        if let Some(definitions) = definitions {
            more.insert("definitions".to_owned(), definitions.into());
        }
        Self { more: Some(Box::new(more)), ..Self::bad("Bad request: parameters missing") }
    }

    /// A type that this version does not know.
    pub fn unknown_resource(name: &str) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..Self::bad(format!("Unknown resource: {name}")) }
    }

    /// An object that is not there, or hidden.
    pub fn not_found(kind: &str, id: &str) -> Self {
        let what = if DEVICES.contains(&kind) { "Device" } else { "Item" };
        Self { status: StatusCode::NOT_FOUND, ..Self::bad(format!("{what} not found. {kind}/{id}")) }
    }

    /// A sub-collection that the type does not have.
    pub fn invalid_parent(kind: &str, id: &str, child: &str) -> Self {
        Self::bad(format!("Invalid parent. {kind}/{id}/{}Folder", singular(child)))
    }

    /// A device that does not answer.
    pub fn unreachable(kind: &str, id: &str) -> Self {
        Self { status: StatusCode::BAD_GATEWAY, ..Self::bad(format!("Device not responding. {kind}/{id}")) }
    }

    /// No right (sheet 2.7).
    pub fn forbidden() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            id: Some("VMO61008"),
            ..Self::bad("VMO61008: You do not have sufficient permissions to complete the operation.")
        }
    }

    /// A service that fails.
    pub fn failed(status: StatusCode) -> Self {
        Self { status, ..Self::bad("The service failed.") }
    }

    /// What it says.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer.
    pub fn response(&self) -> Response<Bytes> {
        rest_json(self.status, &self.body())
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut body = error_body(self.status, &self.text, self.property.as_deref(), self.id);
        if let (Value::Object(body), Some(more)) = (&mut body, &self.more) {
            body.extend(more.as_ref().clone());
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_observed_ones() {
        assert_eq!(
            RestError::invalid_parent("cameras", "1", "outputs").text,
            "Invalid parent. cameras/1/OutputFolder"
        );
        assert_eq!(RestError::not_found("cameras", "1").text, "Device not found. cameras/1");
        let body = RestError::property("FPS", "x").response().into_body();
        assert!(body.as_ref().windows(5).any(|part| part == b"\"FPS\""));
    }
}
