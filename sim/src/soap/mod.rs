//! The Management Server's SOAP services (sheet 2.8), and their older ASMX twins.

mod auth;
mod configuration;
mod document;
mod endpoints;
mod envelope;
mod fault;
mod methods;
#[cfg(test)]
mod tests;
mod tokens;
mod wsdl;
mod xml;

use std::sync::{PoisonError, RwLockReadGuard};

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;

use crate::{
    http::html_404,
    identity::{self, Caller},
    world::World,
};
use document::Element;
use endpoints::Endpoint;
use envelope::Version;
use fault::Fault;
pub use tokens::Tokens;

/// What a request needs of the instance.
pub struct Desk<'a> {
    /// Settings, users, objects, time.
    pub instance: identity::Desk<'a>,
    /// The SOAP tokens.
    pub tokens: &'a Tokens,
}

impl Desk<'_> {
    fn world(&self) -> RwLockReadGuard<'_, World> {
        self.instance.world.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call: who, where, and with what.
struct Call<'a> {
    desk: &'a Desk<'a>,
    endpoint: &'static Endpoint,
    caller: Caller,
    arguments: &'a Element,
}

/// Answers everything below `/ManagementServer` and `/ServerAPI`.
pub fn handle(desk: &Desk<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let Some(endpoint) = endpoints::find(request.uri().path()) else { return html_404() };
    match *request.method() {
        Method::GET | Method::HEAD => wsdl::page(
            endpoint,
            &desk.instance.settings.public_url,
            request.uri().query().unwrap_or_default(),
        ),
        Method::POST => post(desk, endpoint, request),
        _ => {
            let mut response = status(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            response
        }
    }
}

fn post(desk: &Desk<'_>, endpoint: &'static Endpoint, request: &Request<Bytes>) -> Response<Bytes> {
    // Before anything else of the request: whoever is not known learns nothing.
    let Some(caller) = auth::caller(desk, endpoint.scheme, request) else {
        return auth::refusal(endpoint.scheme);
    };
    if !is_soap(request.headers(), endpoint) {
        return status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let message = match envelope::read(request.body()) {
        Ok(message) if message.version == Version::V12 && !endpoint.is_asmx() => {
            return envelope::fault(Version::V11, &Fault::Version);
        }
        Ok(message) => message,
        Err(fault) => return envelope::fault(Version::V11, &fault),
    };
    let call = Call { desk, endpoint, caller, arguments: &message.call };
    match methods::run(&call) {
        Ok(written) => envelope::answer(message.version, |xml| methods::wrap(&call, written, xml)),
        Err(fault) => envelope::fault(message.version, &fault),
    }
}

/// `text/xml`, on ASMX also the media type of SOAP 1.2. The version itself follows from the envelope: there are
/// clients that send 1.2 as `text/xml` (sheet 7.1, exchange 6).
fn is_soap(headers: &HeaderMap, endpoint: &Endpoint) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("text/xml")
        || endpoint.is_asmx() && media.eq_ignore_ascii_case("application/soap+xml")
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}
