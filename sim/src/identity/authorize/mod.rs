//! The authorization code flow with PKCE (sheet 2.4): a client sends a browser to `/connect/authorize`, the user logs
//! in at `/Account/Login`, and the browser takes a code back to the client.

mod page;
mod request;
#[cfg(test)]
mod tests;

use ::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Desk,
    browsers::{self, Browser, cookie, set_cookie},
    codes::Code,
    form::Form,
    grant::Refusal,
    logins::{Login, hex},
};
use crate::http::empty;
use request::{Asked, Prompt, Refused};

pub use page::message;

/// Where the login form sends the browser to, with the client's request behind it.
const CALLBACK: &str = "/IDP/connect/authorize/callback?";
/// What a query takes unescaped (RFC 3986 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `/connect/authorize`. The callback is the same after the login, so there the user is not asked again.
pub fn authorize(desk: &Desk<'_>, request: &Request<Bytes>, callback: bool) -> Response<Bytes> {
    let body = String::from_utf8_lossy(request.body());
    let query = match *request.method() {
        Method::POST => body.as_ref(),
        _ => request.uri().query().unwrap_or_default(),
    };
    let asked = match Asked::parse(desk.settings, &Form::parse(query.as_bytes())) {
        Ok(asked) => asked,
        Err(Refused::Shown(error)) => return page::message(StatusCode::BAD_REQUEST, error),
        Err(Refused::Told { redirect, state, error }) => {
            return back(&redirect, ("error", error), state.as_deref());
        }
    };
    let browser = desk.identity.browsers().of(request.headers(), desk.now).cloned();
    match (browser, asked.prompt) {
        (Some(browser), prompt) if callback || prompt != Prompt::Login => hand_out(desk, browser, asked),
        (_, Prompt::Never) => back(&asked.redirect, ("error", "login_required"), asked.state.as_deref()),
        _ => {
            let target = format!("{CALLBACK}{query}");
            let target = utf8_percent_encode(&target, ESCAPED);
            found(&format!("{}/IDP/Account/Login?ReturnUrl={target}", desk.settings.public_url))
        }
    }
}

/// `/Account/Login`: the form, and what it sends.
pub fn login(desk: &Desk<'_>, request: &Request<Bytes>) -> Response<Bytes> {
    let sent = request.method() == Method::POST;
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let form = Form::parse(if sent { request.body() } else { query });
    // Never anywhere else: a login page that sends people on is a gift to fishers.
    let Some(target) = form.get("ReturnUrl").filter(|target| target.starts_with(CALLBACK)) else {
        return page::message(StatusCode::BAD_REQUEST, "invalid return URL");
    };
    if !sent {
        return show(desk, request, target, "");
    }
    let token = form.get("__RequestVerificationToken").unwrap_or_default();
    if !desk.identity.browsers().sent_our_form(request.headers(), token) {
        return page::message(StatusCode::BAD_REQUEST, "the form has expired");
    }
    let (user, password) = (form.get("Username"), form.get("Password"));
    match desk.admit(user.unwrap_or_default(), password.unwrap_or_default()) {
        Ok((sid, _)) => {
            let id = desk.identity.browsers().open(Browser { sid, since: desk.now }, desk.now);
            let mut response = found(&format!("{}{target}", desk.settings.public_url));
            let cookie = set_cookie(browsers::LOGIN, &id, "Lax", &desk.settings.public_url);
            response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
            response
        }
        Err(Refusal::User(_, "LockedOut")) => show(desk, request, target, "The user is locked out."),
        Err(Refusal::User(_, "ChangePassword")) => {
            show(desk, request, target, "The password has to be changed.")
        }
        Err(_) => show(desk, request, target, "Wrong user name or password."),
    }
}

/// The form. A browser keeps its cookie, so that two of its windows do not disturb each other.
fn show(desk: &Desk<'_>, request: &Request<Bytes>, target: &str, complaint: &str) -> Response<Bytes> {
    let own = cookie(request.headers(), browsers::FORM);
    let value = own.map_or_else(hex, ToOwned::to_owned);
    let token = desk.identity.browsers().form_token(&value);
    let mut response = page::login(target, &token, complaint);
    if own.is_none() {
        let cookie = set_cookie(browsers::FORM, &value, "Strict", &desk.settings.public_url);
        response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    }
    response
}

/// Sends the browser back with a code.
fn hand_out(desk: &Desk<'_>, browser: Browser, asked: Asked) -> Response<Bytes> {
    let Asked { client, redirect, state, nonce, scope, challenge, .. } = asked;
    let login = Login { sid: browser.sid, client: client.to_owned(), scope, since: browser.since };
    let code = Code { login, redirect: redirect.clone(), challenge, nonce };
    match desk.identity.codes().issue(code, desk.now) {
        Some(code) => back(&redirect, ("code", &code), state.as_deref()),
        None => back(&redirect, ("error", "temporarily_unavailable"), state.as_deref()),
    }
}

/// Sends the browser to the client after a logout.
pub fn back_home(redirect: &str, state: Option<&str>) -> Response<Bytes> {
    found(&with(redirect, state.map(|state| ("state", state))))
}

/// Sends the browser to the client, with an answer and the client's state.
fn back(redirect: &str, answer: (&str, &str), state: Option<&str>) -> Response<Bytes> {
    found(&with(redirect, [answer].into_iter().chain(state.map(|state| ("state", state)))))
}

/// An address with more in its query.
fn with<'a>(address: &str, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut address = address.to_owned();
    for (name, value) in more {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.extend([name, "="]);
        address.extend(utf8_percent_encode(value, ESCAPED));
    }
    address
}

/// A redirect that no cache keeps.
fn found(address: &str) -> Response<Bytes> {
    let Ok(address) = HeaderValue::try_from(address) else {
        return page::message(StatusCode::BAD_REQUEST, "no address");
    };
    let mut response = empty(StatusCode::FOUND);
    response.headers_mut().insert(header::LOCATION, address);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
