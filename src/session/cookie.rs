//! The affinity cookie, and which cookies may reach which instance (design D10, D12).

use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use super::issued::{Hash, Issued};
use crate::clock::Moment;

/// The name of our cookie.
pub const NAME: &str = "gatekeeper_affinity";

/// Makes cookie values that only we can make. The key lives as long as the process: after a
/// restart a client's cookies count as unknown, and it signs in again.
pub struct Signer(hmac::Key);

impl Signer {
    /// A signer with a fresh key.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        Ok(Self(hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?))
    }

    /// The value that binds a client of `site` to `instance`. It names neither.
    pub fn value(&self, site: &str, instance: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(site.as_bytes());
        context.update(b"\0");
        context.update(instance.as_bytes());
        URL_SAFE_NO_PAD.encode(&context.sign().as_ref()[..18])
    }

    /// What the cookie says besides about a login: whoever shows it is the client that logged in,
    /// wherever it is now (design D8). Of the login, not of its token: an instance can hand out the
    /// same token again, to somebody else.
    pub fn login(&self, serial: u64) -> String {
        self.mark(b"login\0", &serial.to_be_bytes())
    }

    fn mark(&self, purpose: &[u8], what: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose);
        context.update(what);
        URL_SAFE_NO_PAD.encode(&context.sign().as_ref()[..18])
    }

    /// A text that only we can have put into a cookie.
    pub fn seal(&self, text: &str) -> String {
        format!("{}{PART}{}", URL_SAFE_NO_PAD.encode(text), self.mark(b"seal\0", text.as_bytes()))
    }

    /// The text of [`Signer::seal`].
    pub fn open(&self, sealed: &str) -> Option<String> {
        let text = URL_SAFE_NO_PAD.decode(sealed.split_once(PART)?.0).ok()?;
        let text = String::from_utf8(text).ok()?;
        let right = self.seal(&text);
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(sealed.as_bytes(), right.as_bytes());
        same.is_ok().then_some(text)
    }
}

/// Our cookie, as a client sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ours(String);

impl Ours {
    /// What names the instance.
    pub fn instance(&self) -> &str {
        self.0.split_once(PART).map_or(&self.0, |(instance, _)| instance)
    }

    /// What names the login, if there was one.
    pub fn login(&self) -> Option<&str> {
        self.0.split_once(PART).map(|(_, login)| login)
    }

    /// Whether it was given to the login with this serial number.
    pub fn proves(&self, signer: &Signer, serial: u64) -> bool {
        let right = signer.login(serial);
        let shown = self.login().unwrap_or_default();
        aws_lc_rs::constant_time::verify_slices_are_equal(shown.as_bytes(), right.as_bytes()).is_ok()
    }
}

/// Stands in no Base64 text.
const PART: char = '.';

/// The cookie's value for an instance and a login, if there was one.
pub fn value(instance: &str, login: Option<&str>) -> String {
    login.map_or_else(|| instance.to_owned(), |login| format!("{instance}{PART}{login}"))
}

/// Takes our cookie out of the request and puts the others into one header line, as HTTP/1 wants
/// it (RFC 9113 8.2.3). Returns our cookie.
pub fn take(headers: &mut HeaderMap) -> Option<Ours> {
    if !headers.contains_key(COOKIE) {
        return None;
    }
    let mut ours = None;
    let mut others = Vec::new();
    for value in headers.get_all(COOKIE) {
        for pair in value.as_bytes().split(|b| *b == b';') {
            let pair = pair.trim_ascii();
            match pair.strip_prefix(NAME.as_bytes()).and_then(|rest| rest.strip_prefix(b"=")) {
                Some(value) => ours = std::str::from_utf8(value).ok().map(|value| Ours(value.to_owned())),
                None if pair.is_empty() => {}
                None => {
                    if !others.is_empty() {
                        others.extend_from_slice(b"; ");
                    }
                    others.extend_from_slice(pair);
                }
            }
        }
    }
    headers.remove(COOKIE);
    if !others.is_empty()
        && let Ok(joined) = HeaderValue::from_bytes(&others)
    {
        headers.insert(COOKIE, joined);
    }
    ours
}

/// Takes the cookie out of the request that remembers how a browser's login began.
pub fn take_flow(headers: &mut HeaderMap) -> Option<String> {
    let all = headers.get(COOKIE)?.as_bytes().to_vec();
    let is_flow = |pair: &&[u8]| pair.starts_with(FLOW.as_bytes()) && pair.get(FLOW.len()) == Some(&b'=');
    let pairs = || all.split(|b| *b == b';').map(<[u8]>::trim_ascii);
    let sealed = std::str::from_utf8(pairs().find(is_flow)?.get(FLOW.len() + 1..)?).ok()?.to_owned();
    let others = pairs().filter(|pair| !is_flow(pair)).collect::<Vec<_>>().join(&b"; "[..]);
    headers.remove(COOKIE);
    if !others.is_empty()
        && let Ok(others) = HeaderValue::from_bytes(&others)
    {
        headers.insert(COOKIE, others);
    }
    Some(sealed)
}

/// Remembers how a browser's login began, for as long as it may take.
pub fn set_flow(headers: &mut HeaderMap, sealed: &str, tls: bool) {
    let secure = if tls { "; Secure" } else { "" };
    let text = format!("{FLOW}={sealed}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.append(SET_COOKIE, value);
    }
}

/// The name of that cookie.
const FLOW: &str = "gatekeeper_login";

/// Of the cookies in a request, keeps those that another instance has not set: after a switch, a
/// browser holds cookies of both (design D12).
pub fn keep_own(headers: &mut HeaderMap, issued: &Issued, backend: u64, now: Moment) {
    let Some(all) = headers.get(COOKIE) else { return };
    let pairs = || all.as_bytes().split(|b| *b == b';').map(<[u8]>::trim_ascii);
    // The same name and value from both is no secret of either (`lang=en`).
    let foreign = |pair: &&[u8]| {
        let hash = Hash::of(pair);
        issued.find(hash, now).is_some() && !issued.is_of(hash, backend, now)
    };
    if !pairs().any(|pair| foreign(&pair)) {
        return;
    }
    let kept = pairs().filter(|pair| !foreign(pair)).collect::<Vec<_>>().join(&b"; "[..]);
    headers.remove(COOKIE);
    if !kept.is_empty()
        && let Ok(value) = HeaderValue::from_bytes(&kept)
    {
        headers.insert(COOKIE, value);
    }
}

/// Remembers which instance has set the cookies of an answer.
pub fn learn(headers: &HeaderMap, issued: &Issued, backend: u64, now: Moment) {
    for cookie in headers.get_all(SET_COOKIE) {
        let pair = cookie.as_bytes().split(|b| *b == b';').next().unwrap_or_default();
        issued.remember(Hash::of(pair.trim_ascii()), backend, COOKIE_LIFE, now);
    }
}

/// How long it is remembered who set a cookie.
const COOKIE_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// After an instance has set cookies: they are for our host only, and ours remembers where they
/// came from.
pub fn bind(headers: &mut HeaderMap, value: &str, tls: bool) {
    if !headers.contains_key(SET_COOKIE) {
        return;
    }
    let theirs: Vec<_> = headers.get_all(SET_COOKIE).iter().map(host_only).collect();
    headers.remove(SET_COOKIE);
    for cookie in theirs {
        headers.append(SET_COOKIE, cookie);
    }
    set(headers, value, tls);
}

/// Gives the client our cookie with this value.
pub fn set(headers: &mut HeaderMap, value: &str, tls: bool) {
    let secure = if tls { "; Secure" } else { "" };
    if let Ok(ours) =
        HeaderValue::from_str(&format!("{NAME}={value}; Path=/; HttpOnly; SameSite=Lax{secure}"))
    {
        headers.append(SET_COOKIE, ours);
    }
}

/// `Domain` would name the instance, or widen the cookie beyond our host.
fn host_only(cookie: &HeaderValue) -> HeaderValue {
    let bytes = cookie.as_bytes();
    let is_domain =
        |part: &[u8]| part.trim_ascii().get(..7).is_some_and(|name| name.eq_ignore_ascii_case(b"domain="));
    if !bytes.split(|b| *b == b';').any(is_domain) {
        return cookie.clone();
    }
    let kept: Vec<&[u8]> = bytes.split(|b| *b == b';').filter(|part| !is_domain(part)).collect();
    HeaderValue::from_bytes(&kept.join(&b';')).unwrap_or_else(|_| cookie.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, cookie.parse().unwrap());
        }
        headers
    }

    #[test]
    fn ours_is_taken_out() {
        let mut headers = request(&["a=1; gatekeeper_affinity=xyz;b=2", "c=3"]);
        assert_eq!(take(&mut headers).unwrap().instance(), "xyz");
        assert_eq!(headers[COOKIE], "a=1; b=2; c=3");
        let mut alone = request(&["gatekeeper_affinity=xyz"]);
        assert_eq!(take(&mut alone).unwrap().login(), None);
        assert!(!alone.contains_key(COOKIE));
        assert_eq!(take(&mut request(&["xgatekeeper_affinity=1"])), None);
    }

    #[test]
    fn how_a_login_began_is_remembered_by_the_browser() {
        let (one, two) = (Signer::new().unwrap(), Signer::new().unwrap());
        let sealed = one.seal("client_id=a&state=b");
        let mut headers = request(&["a=1; gatekeeper_login=x; b=2"]);
        assert_eq!(take_flow(&mut headers).as_deref(), Some("x"));
        assert_eq!(headers[COOKIE], "a=1; b=2");
        assert_eq!(take_flow(&mut headers), None);
        assert_eq!(one.open(&sealed).as_deref(), Some("client_id=a&state=b"));
        for other in
            [one.seal("x").replace('.', "A."), format!("{sealed}A"), sealed.replace('.', ""), String::new()]
        {
            assert_eq!(one.open(&other), None, "{other}");
        }
        assert_eq!(two.open(&sealed), None);
        set_flow(&mut headers, &sealed, true);
        assert!(
            headers[SET_COOKIE].to_str().unwrap().ends_with("; Max-Age=600; HttpOnly; SameSite=Lax; Secure")
        );
    }

    #[test]
    fn cookies_of_another_instance_stay_behind() {
        let (issued, now) = (Issued::default(), Moment::from_micros(0));
        let mut answer = HeaderMap::new();
        answer.append(SET_COOKIE, "s=A; Path=/".parse().unwrap());
        learn(&answer, &issued, 1, now);
        let mut headers = request(&["s=A; theme=dark; t=B"]);
        keep_own(&mut headers, &issued, 1, now);
        assert_eq!(headers[COOKIE], "s=A; theme=dark; t=B");
        keep_own(&mut headers, &issued, 2, now);
        assert_eq!(headers[COOKIE], "theme=dark; t=B");
        learn(&answer, &issued, 2, now);
        let mut both = request(&["s=A"]);
        keep_own(&mut both, &issued, 2, now);
        assert_eq!(both[COOKIE], "s=A");
    }

    #[test]
    fn values_cannot_be_guessed_from_each_other() {
        let (one, two) = (Signer::new().unwrap(), Signer::new().unwrap());
        assert_eq!(one.value("hq", "a"), one.value("hq", "a"));
        assert_ne!(one.value("hq", "a"), one.value("hq", "b"));
        assert_ne!(one.value("hq", "a"), two.value("hq", "a"));
        assert!(!one.value("hq", "a").contains("hq"));
    }

    #[test]
    fn a_login_is_proved_by_its_own_cookie_only() {
        let signer = Signer::new().unwrap();
        let (one, two) = (1, 2);
        let text = format!("gatekeeper_affinity={}", value("instance", Some(&signer.login(one))));
        let ours = take(&mut request(&[&text])).unwrap();
        assert_eq!(ours.instance(), "instance");
        assert!(ours.proves(&signer, one));
        assert!(!ours.proves(&signer, two));
        assert!(!ours.proves(&Signer::new().unwrap(), one));
        assert!(!take(&mut request(&["gatekeeper_affinity=instance"])).unwrap().proves(&signer, one));
    }

    #[test]
    fn an_instances_cookies_stay_with_our_host() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "idsrv=1; Path=/IDP; Domain=vms-a.example; HttpOnly".parse().unwrap());
        bind(&mut headers, "v", true);
        let all: Vec<_> = headers.get_all(SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect();
        assert_eq!(
            all,
            ["idsrv=1; Path=/IDP; HttpOnly", "gatekeeper_affinity=v; Path=/; HttpOnly; SameSite=Lax; Secure"]
        );
        let mut none = HeaderMap::new();
        bind(&mut none, "v", true);
        assert!(none.is_empty());
    }
}
