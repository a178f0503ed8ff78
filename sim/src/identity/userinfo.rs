//! `/connect/userinfo`: who a token belongs to (OpenID Connect 5.3, RFC 6750). The token comes in the header.

use ::http::{HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::json;

use super::{Desk, bearer, grant::no_store, token::OPENID};
use crate::http::{compact_json, empty};

/// Answers it.
pub fn userinfo(desk: &Desk<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let claims = match bearer(request).and_then(|token| desk.identity.claims(token, desk.now)) {
        Ok(claims) => claims,
        Err(_) => return refused(StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\""),
    };
    let has = |scope: &str| claims.scope.iter().any(|given| given == scope);
    let Some(sid) = claims.sub.as_ref().filter(|_| has(OPENID)) else {
        return refused(StatusCode::FORBIDDEN, "Bearer error=\"insufficient_scope\"");
    };
    let mut body = json!({ "sub": sid });
    if has("profile") {
        body["name"] = claims.name.as_deref().into();
    }
    no_store(compact_json(StatusCode::OK, &body))
}

fn refused(status: StatusCode, challenge: &'static str) -> Response<Bytes> {
    let mut response = empty(status);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}
