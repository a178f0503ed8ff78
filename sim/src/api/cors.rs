//! Cross-origin requests: off by default, on by a section in the gateway's settings (sheet 8.26).

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;

use crate::{
    settings::{Settings, Version},
    switches::CORS,
};

/// The release that brought the section, 2022 R3 (sheet 9).
const SINCE: Version = Version { major: 22, minor: 3 };

/// Whether this gateway has the section.
pub fn is_on(settings: &Settings) -> bool {
    settings.version >= SINCE && settings.switches.on(&CORS)
}

/// Whether a browser asks for leave.
pub fn is_preflight(request: &Request<Bytes>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to it; [`allow`] adds the rest.
pub fn preflight() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Adds the headers that let a script of the request's origin read the answer.
pub fn allow(request: &Request<Bytes>, response: &mut Response<Bytes>) {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("Authorization, Content-Type"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
}
