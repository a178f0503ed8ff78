//! Authorization codes: each is good for one redemption, by the client that it was made for, for a few minutes. Even a
//! failed attempt uses one up.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::logins::{Login, hex};
use crate::stamp::Stamp;

/// How long a code waits for its client.
const LIFETIME_MILLIS: i64 = 5 * 60 * 1000;
/// More codes than this at once are nobody's honest doing; then no more are made.
const MOST: usize = 10_000;

/// What a code stands for.
pub struct Code {
    /// The user, the client and the scope.
    pub login: Login,
    /// Where the browser was sent.
    pub redirect: String,
    /// SHA-256 of the client's secret of the moment (PKCE, S256), as the client sent it.
    pub challenge: String,
    /// What the client wants to find in the id token.
    pub nonce: Option<String>,
}

/// The codes that wait.
#[derive(Default)]
pub struct Codes {
    waiting: HashMap<String, (Code, Stamp)>,
}

impl Codes {
    /// Makes a code; none if too many wait.
    pub fn issue(&mut self, code: Code, now: Stamp) -> Option<String> {
        if self.waiting.len() >= MOST {
            self.waiting.retain(|_, (_, expires)| *expires > now);
        }
        if self.waiting.len() >= MOST {
            return None;
        }
        let text = format!("{}{}", hex(), hex());
        self.waiting.insert(text.clone(), (code, now.plus_millis(LIFETIME_MILLIS)));
        Some(text)
    }

    /// What the code stands for, if the client is the one that it was made for.
    pub fn redeem(
        &mut self,
        text: &str,
        client: &str,
        redirect: &str,
        verifier: &str,
        now: Stamp,
    ) -> Option<Code> {
        let (code, expires) = self.waiting.remove(text)?;
        let given = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let fits = code.login.client == client && code.redirect == redirect && code.challenge == given;
        (expires > now && fits).then_some(code)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The example of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn code(now: Stamp) -> Code {
        let (sid, client, scope) = ("S".to_owned(), "VmsClient".to_owned(), "openid".to_owned());
        Code {
            login: Login { sid, client, scope, since: now },
            redirect: "http://127.0.0.1:1/".to_owned(),
            challenge: CHALLENGE.to_owned(),
            nonce: None,
        }
    }

    #[test]
    fn a_code_works_once_for_its_client_in_its_time() {
        let (mut codes, now) = (Codes::default(), Stamp::from_seconds(1000));
        let right = ("VmsClient", "http://127.0.0.1:1/", VERIFIER, 0);
        for (client, redirect, verifier, later) in [
            ("VmsWebClient", right.1, right.2, 0),
            (right.0, "http://127.0.0.1:2/", right.2, 0),
            (right.0, right.1, CHALLENGE, 0),
            (right.0, right.1, right.2, LIFETIME_MILLIS),
        ] {
            let text = codes.issue(code(now), now).unwrap();
            let then = now.plus_millis(later);
            assert!(codes.redeem(&text, client, redirect, verifier, then).is_none());
            assert!(codes.redeem(&text, right.0, right.1, right.2, now).is_none(), "it is used up");
        }
        let text = codes.issue(code(now), now).unwrap();
        assert!(
            codes.redeem(&text, right.0, right.1, right.2, now.plus_millis(LIFETIME_MILLIS - 1)).is_some()
        );
        assert!(codes.redeem(&text, right.0, right.1, right.2, now).is_none());
    }

    #[test]
    fn codes_are_bounded() {
        let (mut codes, now) = (Codes::default(), Stamp::from_seconds(1000));
        for _ in 0..MOST {
            codes.issue(code(now), now).unwrap();
        }
        assert!(codes.issue(code(now), now).is_none());
        assert!(codes.issue(code(now), now.plus_millis(LIFETIME_MILLIS)).is_some());
    }
}
