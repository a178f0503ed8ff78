//! Whether a bearer token is good, and whose it is (design D9): read against the key sets of a
//! site's instances before anything reaches one of them. Pure: the time is an argument.
//!
//! RFC 7515 and 7519 as far as tokens of the IDP use them (fact sheet 2.5). Signatures are checked
//! with `aws-lc-rs` directly, which is in the program for TLS: what a JWT library would add is
//! reading three parts of text, and a clock of its own.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::token::{self, Home};
use crate::balance::Picture;
use crate::config::types::{InstanceId, SiteId, Validate};
use crate::vms::documents::{Documents, Keys};
use crate::vms::jwks::{Algorithm, CheckError, Key, KeySet};

/// A token that may go to its home.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The instance that issued it. Of the picture's configuration.
    pub home: InstanceId,
    /// What it says; `None` if nobody here can tell: the home has opaque tokens, or tokens are not
    /// to be checked. Where it belongs was read without trust then.
    pub claims: Option<Arc<Claims>>,
}

/// What a checked token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Id of the key that signed it.
    pub kid: Box<str>,
    /// The user's SID; none for a service token.
    pub subject: Option<Box<str>>,
    /// The user's name.
    pub name: Option<Box<str>>,
    /// How the user has authenticated: `pwd`, `external`.
    pub amr: Box<[Box<str>]>,
    /// Where: `local`, or a login provider.
    pub idp: Option<Box<str>>,
    /// Seconds of UNIX time.
    pub not_before: Option<i64>,
    /// Seconds of UNIX time.
    pub expires: i64,
}

impl Claims {
    /// Whether the token is to be refused at `now` for its age alone.
    pub const fn is_over(&self, now: i64) -> bool {
        self.expires.saturating_add(LEEWAY) <= now
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than [`MAX_TOKEN`].
    #[error("longer than any token")]
    TooLarge,
    /// Not three parts of base64url with the JSON of a token in them, each member once.
    #[error("not a token")]
    Malformed,
    /// `none`, a shared secret, or an algorithm that its key is not for.
    #[error("an algorithm that is not accepted")]
    Algorithm,
    /// No instance of the site signs with this key under this issuer, or more than one claims to.
    #[error("signed by an unknown key")]
    UnknownKey,
    /// The key is known, but belongs to another issuer.
    #[error("the issuer does not belong to the key")]
    Issuer,
    /// The key did not make the signature.
    #[error("the signature does not fit")]
    Signature,
    /// Over.
    #[error("expired")]
    Expired,
    /// Not valid yet: the clocks of the instance and this machine differ.
    #[error("not valid yet")]
    NotYet,
    /// Made for somebody else than the VMS.
    #[error("made for another audience")]
    Audience,
    /// Its home is in quarantine: what that signs proves nothing.
    #[error("its home is in quarantine")]
    Quarantined,
}

/// Judges `token` for `site` at `now`, in seconds of UNIX time, and says which keys have proved it.
///
/// # Errors
/// The first reason to refuse it.
pub fn validate(
    picture: &Picture,
    site: SiteId,
    token: &str,
    now: i64,
) -> Result<(Accepted, Option<Arc<KeySet>>), Refusal> {
    if token.len() > MAX_TOKEN {
        return Err(Refusal::TooLarge);
    }
    if let Some(home) = unchecked(picture, site, token) {
        let trusted = !picture.quarantined(home);
        return trusted.then_some((Accepted { home, claims: None }, None)).ok_or(Refusal::Quarantined);
    }
    let parsed = Parsed::read(token)?;
    let signature = URL_SAFE_NO_PAD.decode(parsed.signature).map_err(|_| Refusal::Malformed)?;
    let signed = |key: &Key| key.check(parsed.algorithm, parsed.message.as_bytes(), &signature);
    let (home, keys, key) = claimant(picture, site, &parsed, |key| signed(key).is_ok())?;
    signed(key).map_err(|e| match e {
        CheckError::Algorithm => Refusal::Algorithm,
        CheckError::Signature => Refusal::Signature,
    })?;
    let claims = Arc::new(parsed.claims.judge(&parsed.kid, now)?);
    Ok((Accepted { home, claims: Some(claims) }, Some(Arc::clone(keys))))
}

/// The one candidate whose token it is, if that is known before its keys are looked at.
fn unchecked(picture: &Picture, site: SiteId, token: &str) -> Option<InstanceId> {
    let opaque = |id: InstanceId| picture.documents(id).is_some_and(|d| d.keys == Keys::Opaque);
    let never = picture.config.validate == Validate::Never;
    if !never && !picture.config.site(site).candidates().any(opaque) {
        return None;
    }
    match token::home(picture, site, token) {
        Home::Instance(id) if never || opaque(id) => Some(id),
        _ => None,
    }
}

/// The candidate that issues under this name with this key; if several claim to, the one whose key
/// has `signed` it: to claim a name and a key's id must not lock the other's users out. One that the
/// operator calls hostile is heard only if nobody else claims the token.
fn claimant<'p>(
    picture: &'p Picture,
    site: SiteId,
    token: &Parsed<'_>,
    signed: impl Fn(&Key) -> bool,
) -> Result<(InstanceId, &'p Arc<KeySet>, &'p Key), Refusal> {
    let claims = |id: InstanceId| {
        let documents = picture.documents(id)?;
        let keys = documents.keys.set()?;
        Some((id, documents, keys, keys.find(&token.kid)?))
    };
    let issues = |documents: &Documents| token.claims.iss.as_deref() == Some(documents.issuer.as_str());
    let candidates = || picture.config.site(site).candidates().filter_map(claims);
    let trusted =
        || candidates().filter(|(id, documents, ..)| !picture.quarantined(*id) && issues(documents));
    match (trusted().next(), trusted().nth(1)) {
        (Some((id, _, keys, key)), None) => Ok((id, keys, key)),
        (Some(_), Some(_)) => {
            let mut signers = trusted().filter(|(.., key)| signed(key));
            match (signers.next(), signers.next()) {
                (Some((id, _, keys, key)), None) => Ok((id, keys, key)),
                // One has copied the other's key as well.
                (Some(_), Some(_)) => Err(Refusal::UnknownKey),
                (None, _) => Err(Refusal::Signature),
            }
        }
        (None, _) if candidates().any(|(_, documents, ..)| issues(documents)) => Err(Refusal::Quarantined),
        (None, _) if candidates().next().is_some() => Err(Refusal::Issuer),
        (None, _) => Err(Refusal::UnknownKey),
    }
}

/// A token taken apart; nothing in it is proved.
struct Parsed<'t> {
    /// What is signed.
    message: &'t str,
    signature: &'t str,
    algorithm: Algorithm,
    kid: String,
    claims: Unproved,
}

impl<'t> Parsed<'t> {
    fn read(token: &'t str) -> Result<Self, Refusal> {
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(Refusal::Malformed)?;
        let header: Header = decode(header)?;
        let algorithm = Algorithm::from_name(&header.alg).ok_or(Refusal::Algorithm)?;
        // An extension that must be understood (RFC 7515 4.1.11): we know none.
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        let kid = header.kid.ok_or(Refusal::Malformed)?;
        Ok(Self { message, signature, algorithm, kid, claims: decode(claims)? })
    }
}

/// Members that we do not know are ignored; one that stands twice is an error, because two readers
/// could take different ones.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Unproved {
    iss: Option<String>,
    aud: Option<OneOrMore>,
    exp: Option<i64>,
    nbf: Option<i64>,
    sub: Option<String>,
    name: Option<String>,
    amr: Option<OneOrMore>,
    idp: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

impl Unproved {
    /// What a signed token may still be refused for.
    fn judge(self, kid: &str, now: i64) -> Result<Claims, Refusal> {
        let expires = self.exp.ok_or(Refusal::Malformed)?;
        let short = |text: Option<String>| match text {
            Some(text) if text.len() > MAX_TEXT => Err(Refusal::Malformed),
            text => Ok(text.map(String::into_boxed_str)),
        };
        let amr = self.amr.map(OneOrMore::list).unwrap_or_default();
        if amr.iter().map(String::len).sum::<usize>() > MAX_TEXT {
            return Err(Refusal::Malformed);
        }
        let claims = Claims {
            kid: kid.into(),
            subject: short(self.sub)?,
            name: short(self.name)?,
            amr: amr.into_iter().map(String::into_boxed_str).collect(),
            idp: short(self.idp)?,
            not_before: self.nbf,
            expires,
        };
        if claims.is_over(now) {
            return Err(Refusal::Expired);
        }
        if self.nbf.is_some_and(|nbf| nbf > now.saturating_add(LEEWAY)) {
            return Err(Refusal::NotYet);
        }
        let issuer = self.iss.unwrap_or_default();
        let ours = |aud: &str| aud == MANAGEMENT || aud.strip_prefix(&issuer) == Some(RESOURCES);
        let audience = self.aud.map(OneOrMore::list).unwrap_or_default();
        audience.iter().any(|aud| ours(aud)).then_some(claims).ok_or(Refusal::Audience)
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, Refusal> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| Refusal::Malformed)
}

/// Bytes. A token has about a thousand; `http.sys` before an instance refuses header fields longer
/// than this unless told otherwise.
pub const MAX_TOKEN: usize = 16 * 1024;
/// Seconds by which our clock and an instance's may differ, at both ends of a token's life. Within
/// them the instance is the judge.
pub const LEEWAY: i64 = 60;
/// Bytes of a name, a SID and the like: they are kept as long as the token is good.
const MAX_TEXT: usize = 512;
/// The audience of the services behind the gateway (fact sheet 2.5).
const MANAGEMENT: &str = "managementserver";
/// After the issuer: the audience of every token of the IDP.
const RESOURCES: &str = "/resources";

#[cfg(test)]
mod tests;
