//! The token endpoint (sheet 2.1 to 2.3).

mod password;
mod renew;
mod trusted;

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Desk,
    clients::{self, VMS},
    form::Form,
    logins::Login,
    ntlm::{Visitor, http11_required},
    token::{Grant, MANAGEMENT, OPENID},
};
use crate::{
    http::{compact_json, windows_challenge},
    switches::REFRESH_SECONDS,
};

/// Client without refresh tokens, for basic and Windows users.
const VALIDATOR: &str = "GrantValidatorClient";
/// Asks for a refresh token.
const OFFLINE: &str = "offline_access";
const SCOPES: [&str; 4] = [MANAGEMENT, OPENID, "profile", OFFLINE];

/// Why a grant failed.
pub enum Refusal {
    /// An OAuth error without details.
    Plain(&'static str),
    /// A refused user: `error_description` and `error_code`.
    User(&'static str, &'static str),
    /// No Windows credentials: the challenge of IIS.
    Challenge,
    /// No Windows credentials, and no way to give them.
    Http2,
    /// The token could not be signed.
    Signing,
}

type Granted = Result<Value, Refusal>;

/// What becomes of the refresh token.
enum Refresh<'a> {
    /// There is none.
    None,
    /// A new one.
    New,
    /// The one that the client has.
    Kept(&'a str),
}

/// `POST /IDP/connect/token`, also below `/API`.
pub fn token_endpoint(desk: &Desk<'_>, request: &Request<Bytes>, visitor: &Visitor) -> Response<Bytes> {
    let form = Form::parse(request.body());
    let granted = match form.get("grant_type") {
        _ if request.method() != Method::POST => Err(Refusal::Plain("invalid_request")),
        None => Err(Refusal::Plain("invalid_request")),
        Some("password") => desk.password(&form),
        Some("authorization_code") => desk.code(&form),
        Some("refresh_token") => desk.refresh(&form),
        Some("client_credentials") => desk.service(&form, request.headers()),
        Some("windows_credentials") => desk.windows(&form, (VALIDATOR, MANAGEMENT), visitor),
        Some("windows_auth") => desk.windows(&form, trusted::REGISTRAR, visitor),
        Some(_) => Err(Refusal::Plain("unsupported_grant_type")),
    };
    match granted {
        Ok(body) => no_store(compact_json(StatusCode::OK, &body)),
        Err(refusal) => refusal.response(),
    }
}

impl Refusal {
    fn response(self) -> Response<Bytes> {
        let (status, body) = match self {
            Self::Challenge => return windows_challenge(),
            Self::Http2 => return http11_required(),
            Self::Plain(error) => (StatusCode::BAD_REQUEST, json!({ "error": error })),
            Self::User(text, code) => (
                StatusCode::BAD_REQUEST,
                json!({ "error": "invalid_grant", "error_description": text, "error_code": code }),
            ),
            Self::Signing => (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": "server_error" })),
        };
        no_store(compact_json(status, &body))
    }
}

/// What no cache may keep (sheet 2.2).
pub fn no_store(mut response: Response<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache, max-age=0"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// The scopes that a client asks for: [`MANAGEMENT`] if it does not say.
pub fn scope(form: &Form) -> Result<String, Refusal> {
    let asked: Vec<&str> = form.get("scope").unwrap_or(MANAGEMENT).split_whitespace().collect();
    if asked.is_empty() || !asked.iter().all(|scope| SCOPES.contains(scope)) {
        return Err(Refusal::Plain("invalid_scope"));
    }
    Ok(asked.join(" "))
}

impl Desk<'_> {
    /// Issues what a login is good for.
    fn issue(&self, login: &Login, name: &str, nonce: Option<&str>, refresh: Refresh<'_>) -> Granted {
        let grant = Grant {
            client: &login.client,
            scope: &login.scope,
            user: Some((&login.sid, name)),
            since: login.since,
            lifetime: self.settings.token_lifetime.as_secs(),
        };
        let (id, token) = self.identity.sign(&grant, self.now).map_err(|_| Refusal::Signing)?;
        let mut body = self.body(&token, &login.scope);
        if login.scope.split(' ').any(|scope| scope == OPENID) {
            let token = self.identity.sign_id(&grant, nonce, &token, self.now);
            body["id_token"] = token.map_err(|_| Refusal::Signing)?.into();
        }
        let seconds = i64::try_from(self.settings.switches.number(&REFRESH_SECONDS)).unwrap_or(i64::MAX);
        let expires = self.now.plus_millis(seconds.saturating_mul(1000));
        match refresh {
            Refresh::None => self.remember(id),
            Refresh::New => {
                let token = self.identity.logins().refreshable(login.clone(), expires, self.now);
                body["refresh_token"] = token.into();
            }
            Refresh::Kept(token) => body["refresh_token"] = token.into(),
        }
        Ok(body)
    }

    fn remember(&self, id: String) {
        let millis = i64::try_from(self.settings.token_lifetime.as_millis()).unwrap_or(i64::MAX);
        self.identity.logins().plain(id, self.now.plus_millis(millis), self.now);
    }

    fn body(&self, token: &str, scope: &str) -> Value {
        json!({
            "access_token": token,
            "expires_in": self.settings.token_lifetime.as_secs(),
            "token_type": "Bearer",
            "scope": scope,
        })
    }
}
