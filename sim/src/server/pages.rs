//! What the web server itself answers, without the services behind it.

use ::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;

use crate::service::Service;

/// A stopped application pool (protocol sheet 6.6): HTML, not JSON.
#[must_use]
pub fn unavailable() -> Response<Bytes> {
    let text = "<p>HTTP Error 503. The service is unavailable.</p>";
    html(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable", text)
}

/// A body beyond the request limit.
#[must_use]
pub fn too_large() -> Response<Bytes> {
    html(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large", "<p>The request is too large.</p>")
}

/// 200, and not what anybody asked for: HTML where JSON is expected, JSON where XML is.
#[must_use]
pub fn wrong_body(service: Option<Service>) -> Response<Bytes> {
    if service == Some(Service::Soap) {
        return page(StatusCode::OK, "application/json; charset=utf-8", "{}".into());
    }
    html(StatusCode::OK, "IIS Windows Server", "<p>Internet Information Services</p>")
}

/// A response without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("Microsoft-IIS/10.0"));
    response
}

fn html(status: StatusCode, title: &str, text: &str) -> Response<Bytes> {
    let body = format!(
        "<!DOCTYPE html>\r\n<html><head><title>{title}</title></head>\r\n<body><h2>{title}</h2>\r\n<hr>{text}\r\n</body></html>\r\n"
    );
    page(status, "text/html; charset=us-ascii", body)
}

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = empty(status);
    *response.body_mut() = Bytes::from(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
