//! The signing key: a function of name and seed, so that a restarted instance accepts its old tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey, traits::PublicKeyParts};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BITS: usize = 2048;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The numbers did not make a key.
    #[error("generating an RSA key: {0}")]
    Generate(#[from] rsa::Error),
    /// The key could not be written in the form that the signer takes.
    #[error("encoding the RSA key: {0}")]
    Encode(#[from] rsa::pkcs1::Error),
}

/// A signing key and how others check it.
pub struct Keys {
    /// 32 upper-case hex digits (sheet 1.2).
    pub kid: String,
    /// The key set.
    pub jwks: Value,
    /// Signs.
    pub signing: EncodingKey,
    /// Checks.
    pub checking: DecodingKey,
}

impl Keys {
    /// The key of that instance.
    pub fn new(name: &str, seed: u64) -> Result<Self, KeyError> {
        let digest = Sha256::digest(format!("signing key/{seed}/{name}"));
        let mut rng = ChaCha20Rng::from_seed(digest.into());
        let key = RsaPrivateKey::new(&mut rng, BITS)?;
        let der = key.to_pkcs1_der()?;
        let (n, e) = (key.n().to_bytes_be(), key.e().to_bytes_be());
        let kid = Sha256::digest(&n).iter().take(16).map(|byte| format!("{byte:02X}")).collect::<String>();
        let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let jwk =
            json!({ "kty": "RSA", "use": "sig", "kid": kid, "e": text(&e), "n": text(&n), "alg": "RS256" });
        Ok(Self {
            kid,
            jwks: json!({ "keys": [jwk] }),
            signing: EncodingKey::from_rsa_der(der.as_bytes()),
            checking: DecodingKey::from_rsa_raw_components(&n, &e),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn keys_follow_from_name_and_seed() {
        let (one, again, other) =
            (Keys::new("A", 1).unwrap(), Keys::new("A", 1).unwrap(), Keys::new("B", 1).unwrap());
        assert_eq!(one.jwks, again.jwks);
        assert_ne!(one.kid, other.kid);
        assert_eq!(one.kid.len(), 32);
    }
}
