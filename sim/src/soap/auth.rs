//! Who calls (sheet 2.7 and 2.8). Every call says it anew; wrong passwords count as at the token endpoint.

use ::http::{HeaderValue, Request, Response, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;

use super::{Desk, endpoints::Scheme};
use crate::{http::challenge, identity::Caller};

/// What basic users may write before their name.
const DOMAIN: &str = "[BASIC]\\";

/// Finds out who calls.
pub fn caller(desk: &Desk<'_>, scheme: Scheme, request: &Request<Bytes>) -> Option<Caller> {
    match scheme {
        Scheme::Bearer => bearer(desk, credentials(request, "bearer")?),
        Scheme::BasicUser => basic_user(desk, credentials(request, "basic")?),
        Scheme::WindowsUser => windows_user(desk, credentials(request, "basic")?),
    }
}

/// The 401 for everybody else.
pub fn refusal(scheme: Scheme) -> Response<Bytes> {
    challenge([HeaderValue::from_static(match scheme {
        Scheme::Bearer => "Bearer",
        Scheme::BasicUser | Scheme::WindowsUser => "Basic realm=\"\"",
    })])
}

/// What follows the scheme in the Authorization header, if it is that scheme.
fn credentials<'a>(request: &'a Request<Bytes>, wanted: &str) -> Option<&'a str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then(|| rest.trim())
}

fn bearer(desk: &Desk<'_>, token: &str) -> Option<Caller> {
    desk.instance.identity.check(token, &desk.world(), desk.instance.now).ok()
}

fn basic_user(desk: &Desk<'_>, encoded: &str) -> Option<Caller> {
    let (user, password) = pair(encoded)?;
    let plain = match user.get(..DOMAIN.len()) {
        Some(start) if start.eq_ignore_ascii_case(DOMAIN) => &user[DOMAIN.len()..],
        _ => user.as_str(),
    };
    let (sid, name) = desk.instance.admit(plain, &password).ok()?;
    Some(proven(desk, name, sid))
}

/// A user of the domain. IIS asks the domain, which has its own ways to count wrong passwords.
fn windows_user(desk: &Desk<'_>, encoded: &str) -> Option<Caller> {
    let (user, password) = pair(encoded)?;
    let (domain, name) = user.split_once('\\').unwrap_or(("", &user));
    let account = desk.world().accounts.windows(domain, name).cloned();
    let account = account.filter(|account| account.password == password)?;
    Some(proven(desk, account.name, account.sid))
}

/// A user whose password was good: it says who asks now, and nothing about later.
fn proven(desk: &Desk<'_>, user: String, sid: String) -> Caller {
    let role = desk.world().role_of(&sid);
    Caller { user, sid, role, expires: desk.instance.now.seconds() }
}

/// User and password. Clients encode them in UTF-8 or, the older ones, in Latin-1.
fn pair(encoded: &str) -> Option<(String, String)> {
    let bytes = BASE64_STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes)
        .unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect());
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn pairs_are_read_in_both_encodings() {
        let wanted = Some(("a".to_owned(), "ä:b".to_owned()));
        assert_eq!(pair("YTrDpDpi"), wanted);
        assert_eq!(pair("YTrkOmI="), wanted);
        assert_eq!(pair("YQ=="), None);
        assert_eq!(pair("?"), None);
    }
}
