//! Ends of logins: `/connect/endsession` for browsers, `/connect/revocation` for refresh tokens.

use ::http::{Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::json;

use super::{
    Desk,
    authorize::{back_home, message},
    browsers::{LOGIN, set_cookie},
    clients,
    form::Form,
};
use crate::http::{compact_json, empty};

/// Logs a browser out and sends it where its client wants it, if that client shows an id token of ours.
pub fn end_session(desk: &Desk<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let form = Form::parse(if request.method() == Method::POST { request.body() } else { query });
    desk.identity.browsers().close(request.headers());
    let settings = desk.settings;
    let client = form.get("id_token_hint").and_then(|token| desk.identity.client_of_id_token(token));
    let target = form.get("post_logout_redirect_uri").filter(|target| {
        let may = clients::may_redirect(&settings.switches, &settings.public_url, target);
        may && client.as_deref().and_then(clients::find).is_some()
    });
    let mut response = match target {
        Some(target) => back_home(target, form.get("state")),
        None => message(StatusCode::OK, "You are logged out."),
    };
    let cookie = set_cookie(LOGIN, "", "Lax", &settings.public_url);
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// Ends a refresh token. Access tokens end by themselves; for them and for unknown ones nothing happens, and that is
/// no error (RFC 7009 2.2).
pub fn revoke(desk: &Desk<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let form = Form::parse(request.body());
    let refused = |error| compact_json(StatusCode::BAD_REQUEST, &json!({ "error": error }));
    let Some(client) = form.get("client_id").and_then(clients::find) else {
        return refused("invalid_client");
    };
    let Some(token) = form.get("token") else { return refused("invalid_request") };
    // Its last use, with nothing given for it.
    desk.identity.logins().redeem(token, client, true, desk.now);
    empty(StatusCode::OK)
}
