//! The token endpoint (sheet 2.1 to 2.3).

use ::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Desk,
    form::Form,
    logins::Login,
    ntlm::{Visitor, http11_required},
    token::{Grant, MANAGEMENT},
};
use crate::{
    http::{compact_json, windows_challenge},
    stamp::Stamp,
    switches::{LOCKOUT_SECONDS, LOCKOUT_THRESHOLD, REFRESH_ROTATION, REFRESH_SECONDS},
    world::World,
};

/// Client without refresh tokens, for basic and Windows users.
const VALIDATOR: &str = "GrantValidatorClient";
/// Client with refresh tokens.
const VMS: &str = "VmsClient";
/// Client that registers others, for Windows users, and the only scope that it may ask for.
const REGISTRAR: (&str, &str) = ("winauthclient", "write:client");
/// The registered service: id and secret.
const SERVICE: (&str, &str) = ("svc1", "svc1-secret");
const SCOPES: [&str; 4] = [MANAGEMENT, "openid", "profile", "offline_access"];

/// Why a grant failed.
enum Refusal {
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

/// `POST /IDP/connect/token`, also below `/API`.
pub fn token_endpoint(desk: &Desk<'_>, request: &Request<Bytes>, visitor: &Visitor) -> Response<Bytes> {
    let form = Form::parse(request.body());
    let granted = match form.get("grant_type") {
        _ if request.method() != Method::POST => Err(Refusal::Plain("invalid_request")),
        None => Err(Refusal::Plain("invalid_request")),
        Some("password") => desk.password(&form),
        Some("refresh_token") => desk.refresh(&form),
        Some("client_credentials") => desk.service(&form, request.headers()),
        Some("windows_credentials") => desk.windows(&form, (VALIDATOR, MANAGEMENT), visitor),
        Some("windows_auth") => desk.windows(&form, REGISTRAR, visitor),
        Some(_) => Err(Refusal::Plain("unsupported_grant_type")),
    };
    let mut response = match granted {
        Ok(body) => compact_json(StatusCode::OK, &body),
        Err(Refusal::Challenge) => return windows_challenge(),
        Err(Refusal::Http2) => return http11_required(),
        Err(Refusal::Plain(error)) => compact_json(StatusCode::BAD_REQUEST, &json!({ "error": error })),
        Err(Refusal::User(text, code)) => compact_json(
            StatusCode::BAD_REQUEST,
            &json!({ "error": "invalid_grant", "error_description": text, "error_code": code }),
        ),
        Err(Refusal::Signing) => {
            compact_json(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "server_error" }))
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache, max-age=0"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

impl Desk<'_> {
    fn password(&self, form: &Form) -> Granted {
        let client = match form.get("client_id") {
            Some(client @ (VALIDATOR | VMS)) => client,
            _ => return Err(Refusal::Plain("invalid_client")),
        };
        scope(form)?;
        let wrong = Refusal::User("invalid_username_or_password", "InvalidCredentials");
        let (Some(user), Some(password)) = (form.get("username"), form.get("password")) else {
            return Err(wrong);
        };
        let (sid, name) = self.admit(user, password)?;
        self.issue(&Login { sid, client: client.to_owned(), since: self.now }, &name)
    }

    fn refresh(&self, form: &Form) -> Granted {
        let client = match form.get("client_id") {
            Some(client @ VMS) => client,
            _ => return Err(Refusal::Plain("invalid_client")),
        };
        let token = form.get("refresh_token").ok_or(Refusal::Plain("invalid_request"))?;
        let once = self.settings.switches.on(&REFRESH_ROTATION);
        let login = self.identity.logins().redeem(token, client, once, self.now);
        let login = login.ok_or(Refusal::Plain("invalid_grant"))?;
        // A user who was deleted or locked out by an administrator since then is refused.
        let world = self.world.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let account = world.accounts.by_sid(&login.sid).ok_or(Refusal::Plain("invalid_grant"))?.clone();
        let locked = world.store.get("basicUsers", &account.id).map(|user| user.text("status").to_owned());
        drop(world);
        if locked.as_deref() == Some("LockedOutByAdmin") {
            return Err(Refusal::User("locked_out", "LockedOut"));
        }
        let kept = (!once).then_some(token);
        self.issue_with(&login, &account.name, kept)
    }

    fn service(&self, form: &Form, headers: &HeaderMap) -> Granted {
        let basic = basic(headers);
        let given = match (form.get("client_id"), form.get("client_secret"), &basic) {
            (Some(id), Some(secret), _) => Some((id, secret)),
            (_, _, Some((id, secret))) => Some((id.as_str(), secret.as_str())),
            _ => None,
        };
        if given != Some(SERVICE) {
            return Err(Refusal::Plain("invalid_client"));
        }
        scope(form)?;
        let grant = Grant {
            client: SERVICE.0,
            scope: MANAGEMENT,
            user: None,
            since: self.now,
            lifetime: self.settings.token_lifetime.as_secs(),
        };
        let (id, token) = self.identity.sign(&grant, self.now).map_err(|_| Refusal::Signing)?;
        self.remember(id);
        Ok(self.body(&token, MANAGEMENT))
    }

    /// A token for the user that the connection belongs to. The registrar has to name its scope.
    fn windows(&self, form: &Form, (client, scope): (&str, &str), visitor: &Visitor) -> Granted {
        if form.get("client_id") != Some(client) {
            return Err(Refusal::Plain("invalid_client"));
        }
        let asked = form.get("scope").or((scope == MANAGEMENT).then_some(MANAGEMENT)).unwrap_or_default();
        if !asked.split_whitespace().eq([scope]) {
            return Err(Refusal::Plain("invalid_scope"));
        }
        let sid = match visitor {
            Visitor::User(sid) => sid,
            Visitor::Anonymous => return Err(Refusal::Challenge),
            Visitor::Http2 => return Err(Refusal::Http2),
        };
        let world = self.world.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let name = world.accounts.windows_by_sid(sid).ok_or(Refusal::Challenge)?.name.clone();
        drop(world);
        let user = Some((sid.as_str(), name.as_str()));
        let lifetime = self.settings.token_lifetime.as_secs();
        let grant = Grant { client, scope, user, since: self.now, lifetime };
        let (id, token) = self.identity.sign(&grant, self.now).map_err(|_| Refusal::Signing)?;
        self.remember(id);
        Ok(self.body(&token, scope))
    }

    /// Checks a password and counts wrong ones; gives SID and name.
    fn admit(&self, user: &str, password: &str) -> Result<(String, String), Refusal> {
        let mut world = self.world.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let World { accounts, store, .. } = &mut *world;
        let wrong = || Refusal::User("invalid_username_or_password", "InvalidCredentials");
        let locked = || Refusal::User("locked_out", "LockedOut");
        let account = accounts.by_name(user).ok_or_else(wrong)?;
        let object = store.get_mut("basicUsers", &account.id).ok_or_else(wrong)?;
        match object.text("status") {
            "LockedOutByAdmin" => return Err(locked()),
            "LockedOutBySystem" => {
                let end = Stamp::parse(object.text("lockoutEnd"));
                if end.is_some_and(|end| end > self.now) {
                    return Err(locked());
                }
                object.set("status", "Enabled");
                object.fields.shift_remove("lockoutEnd");
                account.failures = 0;
            }
            _ => {}
        }
        if account.password != password {
            account.failures += 1;
            let threshold = self.settings.switches.number(&LOCKOUT_THRESHOLD);
            if threshold == 0 || account.failures < threshold {
                return Err(wrong());
            }
            let seconds = i64::try_from(self.settings.switches.number(&LOCKOUT_SECONDS)).unwrap_or(i64::MAX);
            object.set("status", "LockedOutBySystem");
            object.set("lockoutEnd", self.now.plus_millis(seconds.saturating_mul(1000)).wire());
            return Err(locked());
        }
        account.failures = 0;
        if object.fields.get("forcePasswordChange") == Some(&Value::Bool(true)) {
            return Err(Refusal::User("password_change_required", "ChangePassword"));
        }
        Ok((account.sid.clone(), account.name.clone()))
    }

    fn issue(&self, login: &Login, name: &str) -> Granted {
        self.issue_with(login, name, None)
    }

    /// Issues a token for a login; the refresh token is new unless one is kept.
    fn issue_with(&self, login: &Login, name: &str, kept: Option<&str>) -> Granted {
        let grant = Grant {
            client: &login.client,
            scope: MANAGEMENT,
            user: Some((&login.sid, name)),
            since: login.since,
            lifetime: self.settings.token_lifetime.as_secs(),
        };
        let (id, token) = self.identity.sign(&grant, self.now).map_err(|_| Refusal::Signing)?;
        let mut body = self.body(&token, MANAGEMENT);
        if login.client != VMS {
            self.remember(id);
            return Ok(body);
        }
        let seconds = i64::try_from(self.settings.switches.number(&REFRESH_SECONDS)).unwrap_or(i64::MAX);
        let expires = self.now.plus_millis(seconds.saturating_mul(1000));
        let refresh = match kept {
            Some(token) => token.to_owned(),
            None => self.identity.logins().refreshable(login.clone(), expires, self.now),
        };
        body["refresh_token"] = refresh.into();
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

fn scope(form: &Form) -> Result<(), Refusal> {
    let known = |scope: &str| SCOPES.contains(&scope);
    let asked = form.get("scope").unwrap_or_default();
    if asked.split_whitespace().all(known) { Ok(()) } else { Err(Refusal::Plain("invalid_scope")) }
}

/// Client id and secret of an HTTP Basic header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}
