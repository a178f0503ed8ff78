//! Access tokens (sheet 2.5).

use jsonwebtoken::{Algorithm, Header, Validation, decode, encode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{AuthError, Caller, Identity, Role, logins::hex};
use crate::{stamp::Stamp, world::World};

/// What a token is for.
pub struct Grant<'a> {
    /// The client.
    pub client: &'a str,
    /// What it may be used for: [`MANAGEMENT`], or something that the gateway does not take.
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

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    client_id: String,
    sub: Option<String>,
    name: Option<String>,
}

/// SID that stands for a registered service, which has none of its own.
const SERVICE_SID: &str = "S-1-5-80-0";

impl Identity {
    /// Signs a token; gives its id (`jti`) and its text.
    pub fn sign(
        &self,
        grant: &Grant<'_>,
        now: Stamp,
    ) -> Result<(String, String), jsonwebtoken::errors::Error> {
        let (issued, id) = (now.seconds(), hex());
        let expires = issued.saturating_add(i64::try_from(grant.lifetime).unwrap_or(i64::MAX));
        let mut claims = Map::new();
        let mut claim = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        claim("iss", self.issuer.clone().into());
        claim("nbf", issued.into());
        claim("iat", issued.into());
        claim("exp", expires.into());
        let resources = format!("{}/resources", self.issuer);
        claim(
            "aud",
            if grant.scope == MANAGEMENT { json!([MANAGEMENT, resources]) } else { resources.into() },
        );
        claim("scope", json!([grant.scope]));
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
        let header = Header { kid: Some(self.keys.kid.clone()), ..Header::new(Algorithm::RS256) };
        Ok((id, encode(&header, &claims, &self.keys.signing)?))
    }

    /// Checks a token and finds out what its user may do now.
    pub fn check(&self, token: &str, world: &World, now: Stamp) -> Result<Caller, AuthError> {
        if token.is_empty() {
            return Err(AuthError::Missing);
        }
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[MANAGEMENT]);
        validation.set_issuer(&[&self.issuer]);
        // Judged below against this instance's own clock, which a fault can move.
        validation.validate_exp = false;
        validation.required_spec_claims.clear();
        let claims =
            decode::<Claims>(token, &self.keys.checking, &validation).map_err(|_| AuthError::Invalid)?.claims;
        if claims.exp <= now.seconds() {
            return Err(AuthError::Expired);
        }
        Ok(match claims.sub {
            Some(sid) => {
                let role = world.role_of(&sid);
                Caller { user: claims.name.unwrap_or_default(), sid, role }
            }
            None => Caller { user: claims.client_id, sid: SERVICE_SID.to_owned(), role: Role::Service },
        })
    }
}
