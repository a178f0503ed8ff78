//! Access tokens (sheet 2.5) and id tokens (OpenID Connect).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, Header, Validation, decode, encode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{AuthError, Caller, Identity, Role, logins::hex};
use crate::{stamp::Stamp, world::World};

/// What a token is for.
pub struct Grant<'a> {
    /// The client.
    pub client: &'a str,
    /// What it may be used for, in words with blanks between them.
    pub scope: &'a str,
    /// SID and name of the user; none for a service token.
    pub user: Option<(&'a str, &'a str)>,
    /// When the user gave the password.
    pub since: Stamp,
    /// Lifetime in seconds.
    pub lifetime: u64,
}

/// The scope, and the audience, of the services behind the gateway.
pub const MANAGEMENT: &str = "managementserver";
/// The scope that asks for an id token and opens `/connect/userinfo`.
pub const OPENID: &str = "openid";
/// Lifetime of an id token in seconds: it only has to reach the client.
const ID_LIFETIME: i64 = 300;

/// What an access token says.
#[derive(Deserialize)]
pub struct Claims {
    exp: i64,
    aud: Value,
    client_id: String,
    /// SID of the user.
    pub sub: Option<String>,
    /// Name of the user.
    pub name: Option<String>,
    /// What it may be used for.
    #[serde(default)]
    pub scope: Vec<String>,
}

/// What we want to know of an id token.
#[derive(Deserialize)]
struct IdClaims {
    aud: String,
}

type Signed<T> = Result<T, jsonwebtoken::errors::Error>;

/// SID that stands for a registered service, which has none of its own.
const SERVICE_SID: &str = "S-1-5-80-0";

impl Identity {
    /// Signs an access token; gives its id (`jti`) and its text.
    pub fn sign(&self, grant: &Grant<'_>, now: Stamp) -> Signed<(String, String)> {
        let id = hex();
        let lifetime = i64::try_from(grant.lifetime).unwrap_or(i64::MAX);
        let scopes: Vec<&str> = grant.scope.split_whitespace().collect();
        let resources = format!("{}/resources", self.issuer);
        let audience =
            if scopes.contains(&MANAGEMENT) { json!([MANAGEMENT, resources]) } else { resources.into() };
        let mut claims = self.common(now, lifetime, audience);
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("scope", scopes.into());
        claim("client_id", grant.client.into());
        if let Some((sid, name)) = grant.user {
            claim("amr", json!(["pwd"]));
            claim("sub", sid.to_uppercase().into());
            claim("auth_time", grant.since.seconds().into());
            claim("idp", "local".into());
            claim("name", name.into());
            claim("updated_at", grant.since.seconds().to_string().into());
        }
        claim("jti", id.clone().into());
        Ok((id, self.encode(&claims)?))
    }

    /// Signs an id token that belongs to an access token.
    pub fn sign_id(
        &self,
        grant: &Grant<'_>,
        nonce: Option<&str>,
        access: &str,
        now: Stamp,
    ) -> Signed<String> {
        let mut claims = self.common(now, ID_LIFETIME, grant.client.into());
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        let hash = Sha256::digest(access);
        let half = hash.first_chunk::<16>().map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
        claim("at_hash", half.into());
        claim("amr", json!(["pwd"]));
        if let Some(nonce) = nonce {
            claim("nonce", nonce.into());
        }
        if let Some((sid, _)) = grant.user {
            claim("sub", sid.to_uppercase().into());
        }
        claim("auth_time", grant.since.seconds().into());
        claim("idp", "local".into());
        self.encode(&claims)
    }

    fn common(&self, now: Stamp, lifetime: i64, audience: Value) -> Map<String, Value> {
        let issued = now.seconds();
        let claims: [(&str, Value); 5] = [
            ("iss", self.issuer.clone().into()),
            ("nbf", issued.into()),
            ("iat", issued.into()),
            ("exp", issued.saturating_add(lifetime).into()),
            ("aud", audience),
        ];
        claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn encode(&self, claims: &Map<String, Value>) -> Signed<String> {
        let header = Header { kid: Some(self.keys.kid.clone()), ..Header::new(Algorithm::RS256) };
        encode(&header, claims, &self.keys.signing)
    }

    /// Checks a token and finds out what its user may do now.
    pub fn check(&self, token: &str, world: &World, now: Stamp) -> Result<Caller, AuthError> {
        let claims = self.claims(token, now)?;
        let gateway = Value::from(MANAGEMENT);
        if claims.aud != gateway && !claims.aud.as_array().is_some_and(|all| all.contains(&gateway)) {
            return Err(AuthError::Invalid);
        }
        let expires = claims.exp;
        Ok(match claims.sub {
            Some(sid) => {
                let role = world.role_of(&sid);
                Caller { user: claims.name.unwrap_or_default(), sid, role, expires }
            }
            None => {
                let sid = SERVICE_SID.to_owned();
                Caller { user: claims.client_id, sid, role: Role::Service, expires }
            }
        })
    }

    /// What an access token says, whatever it is for.
    pub fn claims(&self, token: &str, now: Stamp) -> Result<Claims, AuthError> {
        if token.is_empty() {
            return Err(AuthError::Missing);
        }
        let claims: Claims = self.decode(token)?;
        if claims.exp <= now.seconds() { Err(AuthError::Expired) } else { Ok(claims) }
    }

    /// The client of an id token of ours, however old it is.
    pub fn client_of_id_token(&self, token: &str) -> Option<String> {
        self.decode::<IdClaims>(token).ok().map(|claims| claims.aud)
    }

    fn decode<T: DeserializeOwned>(&self, token: &str) -> Result<T, AuthError> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        validation.validate_aud = false;
        // Judged by the callers against this instance's own clock, which a fault can move.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        decode::<T>(token, &self.keys.checking, &validation)
            .map(|data| data.claims)
            .map_err(|_| AuthError::Invalid)
    }
}
