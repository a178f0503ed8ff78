//! The one shape in which the admin plane says no.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;

/// An answer that is not a success: `{"error": {"code", "message", "remedy"}}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// For programs.
    pub code: &'static str,
    /// For people: what is wrong.
    pub message: String,
    /// For people: what to do about it.
    pub remedy: String,
}

impl ApiError {
    /// An error with all its parts.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { status, code, message: message.into(), remedy: remedy.into() }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "a valid admin token is needed",
            "send the header Authorization: Bearer TOKEN with the content of a configured token file",
        )
    }

    pub(super) fn forbidden(name: &str, needed: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "role-too-low",
            format!("the role of {name} does not allow this"),
            format!("use the token of a user with role {needed}"),
        )
    }

    pub(super) fn bad_host() -> Self {
        Self::new(
            StatusCode::MISDIRECTED_REQUEST,
            "host-not-allowed",
            "the admin plane does not answer to this Host",
            "use a loopback address or name, or add the name to [admin] hosts",
        )
    }

    pub(super) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "there is nothing at this path",
            "GET /v1/status shows what there is",
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "wrong method for this path",
            "orders are POST, questions GET",
        )
    }

    pub(super) fn timeout() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            "not finished in time; an order may still be carried out",
            "look at the status before you repeat it",
        )
    }

    /// A part of the program has ended; only while stopping.
    pub(super) fn stopping() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            "the gatekeeper is stopping",
            "repeat the command after the restart",
        )
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        let status = match rejection.status() {
            // What is wrong with a body is always the sender's fault in the same way.
            StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            other => other,
        };
        let code = match status {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "content-type",
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            _ => "bad-request",
        };
        Self::new(
            status,
            code,
            rejection.body_text(),
            "send a JSON object with Content-Type: application/json",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message, "remedy": self.remedy}});
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
