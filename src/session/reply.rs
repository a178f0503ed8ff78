//! What an identity provider answers to a token request (fact sheet 2.2).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::issued::Hash;
use super::login::Tokens;
use super::validate::MAX_TOKEN;
use crate::clock::Moment;

/// A successful answer.
#[derive(Deserialize)]
pub struct TokenReply {
    access_token: SecretString,
    /// Seconds.
    expires_in: Option<f64>,
    refresh_token: Option<SecretString>,
}

impl TokenReply {
    /// Reads the body of a 200; `None` if it holds no token, or one that could never stand in a
    /// header, or that is longer than any: they are kept.
    pub fn read(body: &[u8]) -> Option<Self> {
        let reply: Self = serde_json::from_slice(body).ok()?;
        let token = reply.access_token.expose_secret();
        let fits = |token: &SecretString| token.expose_secret().len() <= MAX_TOKEN;
        let good = !token.is_empty()
            && token.bytes().all(|b| b.is_ascii_graphic())
            && fits(&reply.access_token)
            && reply.refresh_token.as_ref().is_none_or(fits);
        good.then_some(reply)
    }

    /// The fingerprint of the token.
    pub fn fingerprint(&self) -> Hash {
        Hash::of(self.access_token.expose_secret().as_bytes())
    }

    /// The fingerprint of the refresh token, if there is one.
    pub fn refresh_fingerprint(&self) -> Option<Hash> {
        self.refresh_token.as_ref().map(|t| Hash::of(t.expose_secret().as_bytes()))
    }

    /// When the token ends.
    pub fn expires(&self, now: Moment) -> Moment {
        let seconds = self.expires_in.filter(|s| s.is_finite() && *s > 0.0).unwrap_or(DEFAULT_LIFE);
        now + Duration::from_secs_f64(seconds.min(LONGEST_LIFE))
    }

    /// `name` in the token's claims: whom the operator sees. Read without trust.
    pub fn name(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Claims {
            name: Option<String>,
        }
        let claims = self.access_token.expose_secret().split('.').nth(1)?;
        serde_json::from_slice::<Claims>(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?.name
    }

    /// As a place of a session.
    pub fn into_tokens(self, now: Moment) -> Tokens {
        let expires = self.expires(now);
        Tokens { access: self.access_token, expires, refresh: self.refresh_token }
    }

    /// The token, to ask the instance about its user.
    pub const fn access(&self) -> &SecretString {
        &self.access_token
    }
}

/// Seconds; what the VMS documents.
const DEFAULT_LIFE: f64 = 3600.0;
/// Seconds. An instance must not make us keep a secret for ever.
const LONGEST_LIFE: f64 = 24.0 * 3600.0;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_and_its_life() {
        let now = Moment::default();
        let life = |body: &str| TokenReply::read(body.as_bytes()).unwrap().expires(now).since(now).as_secs();
        assert_eq!(life(r#"{"access_token":"a.b.c","expires_in":60}"#), 60);
        assert_eq!(life(r#"{"access_token":"a.b.c"}"#), 3600);
        assert_eq!(life(r#"{"access_token":"a.b.c","expires_in":-5}"#), 3600);
        assert_eq!(life(r#"{"access_token":"a.b.c","expires_in":1e300}"#), 24 * 3600);
        for broken in
            ["", "{}", r#"{"access_token":5}"#, r#"{"access_token":"a b"}"#, r#"{"access_token":""}"#]
        {
            assert!(TokenReply::read(broken.as_bytes()).is_none(), "{broken}");
        }
    }

    #[test]
    fn the_name_is_in_the_claims() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"name":"Joe","sub":"x"}"#);
        let body = format!(r#"{{"access_token":"h.{claims}.s"}}"#);
        assert_eq!(TokenReply::read(body.as_bytes()).unwrap().name().as_deref(), Some("Joe"));
        assert_eq!(TokenReply::read(br#"{"access_token":"opaque"}"#).unwrap().name(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(reply) = TokenReply::read(&body) {
                reply.name();
                reply.into_tokens(Moment::default());
            }
        }
    }
}
