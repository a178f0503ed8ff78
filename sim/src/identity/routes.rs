//! The paths of the Identity Provider.

use ::http::{Method, Request, Response, StatusCode};
use bytes::Bytes;
use serde_json::json;

use super::{
    Desk,
    authorize::{authorize, login},
    grant::token_endpoint,
    leave::{end_session, revoke},
    ntlm,
    userinfo::userinfo,
};
use crate::{
    discovery,
    http::{compact_json, html_404},
    switches::JWKS,
};

/// How a request came to the Identity Provider.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// `/IDP`.
    Direct,
    /// `/API/IDP`: the gateway shares its connections among its clients, so Windows authentication does not survive it
    /// (sheet 8.2).
    Gateway,
}

/// Answers a request; the path is what follows the door, in lower case.
pub fn answer(desk: &Desk<'_>, request: &Request<Bytes>, door: Door, path: &[&str]) -> Response<Bytes> {
    let visitor = match ntlm::visitor(desk, request, door) {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    match path {
        ["connect", "token"] => token_endpoint(desk, request, &visitor),
        ["connect", "revocation"] if *request.method() == Method::POST => revoke(desk, request),
        _ if !matches!(*request.method(), Method::GET | Method::HEAD | Method::POST) => html_404(),
        ["connect", "authorize"] => authorize(desk, request, false),
        ["connect", "authorize", "callback"] => authorize(desk, request, true),
        ["account", "login"] => login(desk, request),
        ["connect", "userinfo"] => userinfo(desk, request),
        ["connect", "endsession"] => end_session(desk, request),
        _ if *request.method() == Method::POST => html_404(),
        [".well-known", "openid-configuration"] => {
            compact_json(StatusCode::OK, &discovery::openid(desk.settings, desk.identity))
        }
        [".well-known", "openid-configuration", "jwks"] if desk.settings.switches.on(&JWKS) => {
            compact_json(StatusCode::OK, &desk.identity.keys.jwks)
        }
        ["externalproviders"] => compact_json(StatusCode::OK, &json!([])),
        _ => html_404(),
    }
}
