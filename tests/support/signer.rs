//! An identity provider's signing key: makes tokens of any contents, good and bad.
//!
//! Also a part of the library's unit tests, of the benchmarks and of the fuzz targets.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub struct Signer {
    pub kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
}

impl Signer {
    /// A fresh RSA key.
    pub fn rsa(kid: &str) -> Self {
        Self::with(kid, RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    /// Signs with this key.
    pub fn with(kid: &str, pair: RsaKeyPair) -> Self {
        Self { kid: kid.to_owned(), pair: Pair::Rsa(pair) }
    }

    /// A fresh key on P-256.
    pub fn p256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid: kid.to_owned(), pair: Pair::P256(pair) }
    }

    /// The public half, as it stands in a key set.
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                json!({
                    "kty": "RSA", "use": "sig", "kid": self.kid,
                    "n": base64(n.big_endian_without_leading_zero()),
                    "e": base64(e.big_endian_without_leading_zero()),
                })
            }
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({
                    "kty": "EC", "crv": "P-256", "use": "sig", "kid": self.kid,
                    "x": base64(&point[1..33]), "y": base64(&point[33..]),
                })
            }
        }
    }

    /// A key set with this key alone.
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.jwk()] })
    }

    /// A token with these claims, signed as its header says.
    pub fn token(&self, algorithm: &str, claims: &Value) -> String {
        let header = json!({ "alg": algorithm, "kid": self.kid, "typ": "JWT" });
        self.seal(algorithm, header.to_string().as_bytes(), claims.to_string().as_bytes())
    }

    /// Signs anything as header and claims.
    pub fn seal(&self, algorithm: &str, header: &[u8], claims: &[u8]) -> String {
        let message = format!("{}.{}", base64(header), base64(claims));
        let signature = self.sign(algorithm, message.as_bytes());
        format!("{message}.{}", base64(&signature))
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let encoding = if algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
        }
    }
}

/// What an instance with this issuer puts into a user's access token (sheet 2.5).
pub fn claims(issuer: &str, now: i64) -> Value {
    json!({
        "iss": issuer, "nbf": now, "iat": now, "exp": now + 3600,
        "aud": ["managementserver", format!("{issuer}/resources")],
        "scope": ["managementserver"], "amr": ["pwd"], "client_id": "GrantValidatorClient",
        "sub": "0F5C0E5B-2C0B-4C3C-9C9F-3C0F1E7B9A10", "auth_time": now, "idp": "local",
        "name": "user1", "updated_at": now.to_string(), "jti": "0123456789ABCDEF0123456789ABCDEF",
    })
}

pub fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
