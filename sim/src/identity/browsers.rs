//! Browsers: who is logged in at one, and whether a form that it sends was ours. Both are this instance's own: a cookie
//! of another one means nothing here.

use std::collections::HashMap;

use ::http::{HeaderMap, HeaderValue, header};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::logins::hex;
use crate::stamp::Stamp;

/// Cookie of a login, named as IdentityServer does.
pub const LOGIN: &str = "idsrv";
/// Cookie that a form's token belongs to, named as ASP.NET Core does.
pub const FORM: &str = ".AspNetCore.Antiforgery";

/// How long a browser stays logged in: ten hours.
const LIFETIME_MILLIS: i64 = 10 * 3600 * 1000;
/// Sizes at which expired logins are looked for.
const MOST: usize = 10_000;

/// A user at a browser.
#[derive(Clone)]
pub struct Browser {
    /// SID of the user.
    pub sid: String,
    /// When the user gave the password.
    pub since: Stamp,
}

/// The browsers that are logged in.
pub struct Browsers {
    open: HashMap<String, (Browser, Stamp)>,
    key: String,
}

impl Default for Browsers {
    fn default() -> Self {
        Self { open: HashMap::new(), key: hex() }
    }
}

impl Browsers {
    /// Logs a browser in; gives the value of its cookie.
    pub fn open(&mut self, browser: Browser, now: Stamp) -> String {
        if self.open.len() >= MOST {
            self.open.retain(|_, (_, expires)| *expires > now);
        }
        let id = hex();
        self.open.insert(id.clone(), (browser, now.plus_millis(LIFETIME_MILLIS)));
        id
    }

    /// Who is logged in at the browser that sends these headers.
    pub fn of(&self, headers: &HeaderMap, now: Stamp) -> Option<&Browser> {
        let (browser, expires) = self.open.get(cookie(headers, LOGIN)?)?;
        (*expires > now).then_some(browser)
    }

    /// Logs the browser that sends these headers out.
    pub fn close(&mut self, headers: &HeaderMap) {
        if let Some(id) = cookie(headers, LOGIN) {
            self.open.remove(id);
        }
    }

    /// The token of a form for the browser that has this cookie.
    pub fn form_token(&self, cookie: &str) -> String {
        let tag = self.mac(cookie).finalize().into_bytes();
        tag.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the token of a form belongs to the browser that sends it.
    pub fn sent_our_form(&self, headers: &HeaderMap, token: &str) -> bool {
        let (pairs, []) = token.as_bytes().as_chunks::<2>() else { return false };
        let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let tag: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        match (cookie(headers, FORM), tag) {
            (Some(cookie), Some(tag)) => self.mac(cookie).verify_slice(&tag).is_ok(),
            _ => false,
        }
    }

    fn mac(&self, cookie: &str) -> Hmac<Sha256> {
        // HMAC itself fills a short key up with zeroes.
        let mut block = [0; 64];
        block.iter_mut().zip(self.key.bytes()).for_each(|(to, from)| *to = from);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(cookie.as_bytes());
        mac
    }
}

/// A cookie that only the pages of the Identity Provider get back. An empty value takes it away.
pub fn set_cookie(name: &str, value: &str, same_site: &str, public_url: &str) -> Option<HeaderValue> {
    let secure = if public_url.starts_with("https://") { "; Secure" } else { "" };
    let age = if value.is_empty() { "; Max-Age=0" } else { "" };
    let text = format!("{name}={value}; Path=/IDP; HttpOnly; SameSite={same_site}{secure}{age}");
    HeaderValue::try_from(text).ok()
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(cookies: &str) -> HeaderMap {
        [(header::COOKIE, cookies.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_form_belongs_to_its_browser_and_instance() {
        let (one, other) = (Browsers::default(), Browsers::default());
        let token = one.form_token("abc");
        let sent = headers(&format!("x=1; {FORM}=abc"));
        assert!(one.sent_our_form(&sent, &token));
        assert!(!other.sent_our_form(&sent, &token));
        assert!(!one.sent_our_form(&headers(&format!("{FORM}=abd")), &token));
        assert!(!one.sent_our_form(&HeaderMap::new(), &token));
        for token in ["", "0", "zz", "00"] {
            assert!(!one.sent_our_form(&sent, token));
        }
    }

    #[test]
    fn a_browser_stays_until_it_leaves_or_time_is_up() {
        let (mut browsers, now) = (Browsers::default(), Stamp::from_seconds(1));
        let id = browsers.open(Browser { sid: "S".to_owned(), since: now }, now);
        let sent = headers(&format!("{LOGIN}={id}"));
        assert_eq!(browsers.of(&sent, now).unwrap().sid, "S");
        assert!(browsers.of(&sent, now.plus_millis(LIFETIME_MILLIS)).is_none());
        browsers.close(&sent);
        assert!(browsers.of(&sent, now).is_none());
    }

    #[test]
    fn cookies_are_for_the_pages_of_the_identity_provider() {
        let cookie = |value, url| set_cookie(LOGIN, value, "Lax", url).unwrap();
        assert_eq!(cookie("a", "https://x"), "idsrv=a; Path=/IDP; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(cookie("", "http://x"), "idsrv=; Path=/IDP; HttpOnly; SameSite=Lax; Max-Age=0");
    }
}
