//! The key set of an instance (RFC 7517), parsed once when its documents are read (design D9).
//! What cannot check a token is left out, with a reason that the operator is told.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// A signature algorithm that tokens may name (RFC 7518 3.1). There are no others for us: above all
/// not `none`, and none whose key is a shared secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, PKCS#1 v1.5, SHA-256.
    Rs256,
    /// RSA, PSS, SHA-256.
    Ps256,
    /// ECDSA on P-256, SHA-256.
    Es256,
}

impl Algorithm {
    /// The algorithm with this name; names are compared as they stand.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// One public key of an instance.
#[derive(Clone, Debug)]
pub struct Key {
    id: String,
    /// What it may be used with: an RSA key serves two algorithms unless it says which.
    uses: Vec<(Algorithm, ParsedPublicKey)>,
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The key is not for this algorithm.
    #[error("the key is not for this algorithm")]
    Algorithm,
    /// The key did not make this signature.
    #[error("the signature does not fit")]
    Signature,
}

impl Key {
    /// Checks that this key made `signature` over `message`.
    ///
    /// # Errors
    /// When it did not, or is not for `algorithm`.
    pub fn check(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Result<(), CheckError> {
        let mut uses = self.uses.iter();
        let (_, key) = uses.find(|(a, _)| *a == algorithm).ok_or(CheckError::Algorithm)?;
        key.verify_sig(message, signature).map_err(|_| CheckError::Signature)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        let same = |(a, b): (&(Algorithm, ParsedPublicKey), &(Algorithm, ParsedPublicKey))| {
            a.0 == b.0 && a.1.as_ref() == b.1.as_ref()
        };
        self.id == other.id
            && self.uses.len() == other.uses.len()
            && self.uses.iter().zip(&other.uses).all(same)
    }
}

/// The keys of one instance that can check tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeySet {
    keys: Vec<Key>,
    skipped: Vec<Skipped>,
}

/// Why a key of a set is not used. Holds nothing that the set's author could have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// The document has no list of keys.
    NoList,
    /// More than [`MAX_KEYS`]: the rest is not looked at.
    TooMany,
    /// No `kid`, an empty one, or one longer than [`MAX_ID`].
    NoId,
    /// Two different keys have one `kid`: which of them signed? Neither counts.
    SameId,
    /// Not for signatures (`use`).
    OtherUse,
    /// Neither RSA nor P-256.
    OtherType,
    /// `alg` is something else than RS256, PS256, ES256.
    OtherAlgorithm,
    /// An RSA modulus shorter than 2048 or longer than 8192 bits.
    Size,
    /// A member is missing, is not base64url, or the numbers are no key.
    Broken,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoList => "no list of keys",
            Self::TooMany => "more keys than anybody has",
            Self::NoId => "a key without a usable kid",
            Self::SameId => "different keys with the same kid",
            Self::OtherUse => "a key that is not for signatures",
            Self::OtherType => "a key that is neither RSA nor P-256",
            Self::OtherAlgorithm => "a key for an algorithm other than RS256, PS256, ES256",
            Self::Size => "an RSA key shorter than 2048 or longer than 8192 bits",
            Self::Broken => "a broken key",
        })
    }
}

impl KeySet {
    /// Reads a key set. Never fails: a document of any other shape is a set without keys.
    pub fn parse(document: &Value) -> Self {
        let mut set = Self::default();
        let Some(list) = document.get("keys").and_then(Value::as_array) else {
            set.skip(Skipped::NoList);
            return set;
        };
        if list.len() > MAX_KEYS {
            set.skip(Skipped::TooMany);
        }
        let mut ambiguous: Vec<String> = Vec::new();
        for found in list.iter().take(MAX_KEYS).map(key) {
            match found {
                Err(why) => set.skip(why),
                Ok(key) => match set.keys.iter().find(|known| known.id == key.id) {
                    None => set.keys.push(key),
                    Some(known) if *known == key => {}
                    Some(_) => ambiguous.push(key.id),
                },
            }
        }
        if !ambiguous.is_empty() {
            set.skip(Skipped::SameId);
            set.keys.retain(|key| !ambiguous.contains(&key.id));
        }
        set
    }

    /// The key with this id.
    pub fn find(&self, id: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.id == id)
    }

    /// No token can be checked with it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What was left out, each reason once.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    fn skip(&mut self, why: Skipped) {
        if !self.skipped.contains(&why) {
            self.skipped.push(why);
        }
    }
}

fn key(jwk: &Value) -> Result<Key, Skipped> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let id = text("kid").filter(|id| !id.is_empty() && id.len() <= MAX_ID).ok_or(Skipped::NoId)?;
    if jwk.get("use").is_some_and(|usage| usage != "sig") {
        return Err(Skipped::OtherUse);
    }
    let only = match jwk.get("alg") {
        None => None,
        Some(name) => Some(name.as_str().and_then(Algorithm::from_name).ok_or(Skipped::OtherAlgorithm)?),
    };
    let bytes = |name: &str| {
        let text = text(name).ok_or(Skipped::Broken)?;
        if text.len() > MAX_MEMBER {
            return Err(Skipped::Size);
        }
        URL_SAFE_NO_PAD.decode(text).map_err(|_| Skipped::Broken)
    };
    let mut uses = match text("kty") {
        Some("RSA") => rsa(&bytes("n")?, &bytes("e")?)?,
        Some("EC") if text("crv") == Some("P-256") => p256(&bytes("x")?, &bytes("y")?)?,
        _ => return Err(Skipped::OtherType),
    };
    uses.retain(|(algorithm, _)| only.is_none_or(|only| only == *algorithm));
    if uses.is_empty() {
        return Err(Skipped::OtherAlgorithm);
    }
    Ok(Key { id: id.to_owned(), uses })
}

fn rsa(n: &[u8], e: &[u8]) -> Result<Vec<(Algorithm, ParsedPublicKey)>, Skipped> {
    // Some write the sign byte of ASN.1 before the number.
    let (n, e) = (number(n), number(e));
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return Err(Skipped::Size);
    }
    // A long exponent would make every check expensive; 1 would make every signature fit.
    let sound = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
    if !sound(n) || !sound(e) || e == [1] || e.len() > 4 {
        return Err(Skipped::Broken);
    }
    let components = RsaPublicKeyComponents { n, e };
    let with = |parameters| components.to_parsed_public_key(parameters).map_err(|_| Skipped::Broken);
    Ok(vec![
        (Algorithm::Rs256, with(&RSA_PKCS1_2048_8192_SHA256)?),
        (Algorithm::Ps256, with(&RSA_PSS_2048_8192_SHA256)?),
    ])
}

fn p256(x: &[u8], y: &[u8]) -> Result<Vec<(Algorithm, ParsedPublicKey)>, Skipped> {
    if x.len() != 32 || y.len() != 32 {
        return Err(Skipped::Broken);
    }
    // SEC 1 2.3.3: an uncompressed point. Whether it lies on the curve is checked with it.
    let point = [&[4], x, y].concat();
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| Skipped::Broken)?;
    Ok(vec![(Algorithm::Es256, key)])
}

/// Without leading zeros.
fn number(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// An IDP has a current key, perhaps the next one and a few that have been replaced.
pub const MAX_KEYS: usize = 32;
/// Bytes of a `kid`; 32 are usual.
pub const MAX_ID: usize = 256;
/// Characters of a number: 8192 bits in base64, and a sign byte.
const MAX_MEMBER: usize = 1368;

#[cfg(test)]
mod tests;
