//! Tokens and keys of a forger.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use aws_lc_rs::{hmac, rsa};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub struct Forger {
    key: rsa::KeyPair,
}

/// How a token is signed.
pub enum Seal {
    /// With the forger's own key.
    Own,
    /// Not at all.
    None,
    /// With the text of a public key as a shared secret.
    Public,
}

impl Forger {
    pub fn new() -> Self {
        Self { key: KeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    /// The forger's key under an id of its choice.
    pub fn key(&self, kid: &str) -> Value {
        let public = self.key.public_key();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (n, e) = (
            public.modulus().big_endian_without_leading_zero(),
            public.exponent().big_endian_without_leading_zero(),
        );
        json!({"kty": "RSA", "use": "sig", "kid": kid, "alg": "RS256", "n": text(n), "e": text(e)})
    }

    /// `token` again for another user, with this key id, issuer and signature.
    pub fn mint(&self, token: &str, (kid, issuer): (&str, Option<&str>), seal: Seal) -> String {
        let mut claims: Value = decode(token.split('.').nth(1).unwrap());
        claims["name"] = json!("admin");
        if let Some(issuer) = issuer {
            claims["iss"] = json!(issuer);
        }
        let alg = match seal {
            Seal::Own => "RS256",
            Seal::None => "none",
            Seal::Public => "HS256",
        };
        let header = json!({"alg": alg, "kid": kid, "typ": "at+jwt"});
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(&header), text(&claims));
        let signature = match seal {
            Seal::Own => {
                let mut signature = vec![0; self.key.public_modulus_len()];
                self.key
                    .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
                    .unwrap();
                signature
            }
            Seal::None => Vec::new(),
            Seal::Public => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.public_key().as_ref());
                hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Who a token says its bearer is.
pub fn name(token: &str) -> Option<String> {
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()?;
    Some(claims["name"].as_str()?.to_owned())
}

/// The id of the key that signed it.
pub fn kid(token: &str) -> String {
    let header: Value = decode(token.split('.').next().unwrap());
    header["kid"].as_str().unwrap().to_owned()
}

/// Who issued it.
pub fn issuer(token: &str) -> String {
    let claims: Value = decode(token.split('.').nth(1).unwrap());
    claims["iss"].as_str().unwrap().to_owned()
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}
