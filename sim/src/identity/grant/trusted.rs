//! Grants without a password in the form: registered services, and users whom Windows vouches for.

use std::sync::PoisonError;

use ::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};

use super::{Desk, Form, Grant, Granted, MANAGEMENT, Refusal, Visitor, scope};

/// Client that registers others, for Windows users, and the only scope that it may ask for.
pub const REGISTRAR: (&str, &str) = ("winauthclient", "write:client");
/// The registered service: id and secret.
const SERVICE: (&str, &str) = ("svc1", "svc1-secret");

impl Desk<'_> {
    pub(super) fn service(&self, form: &Form, headers: &HeaderMap) -> Granted {
        let basic = basic(headers);
        let given = match (form.get("client_id"), form.get("client_secret"), &basic) {
            (Some(id), Some(secret), _) => Some((id, secret)),
            (_, _, Some((id, secret))) => Some((id.as_str(), secret.as_str())),
            _ => None,
        };
        if given != Some(SERVICE) {
            return Err(Refusal::Plain("invalid_client"));
        }
        scope(form)?;
        self.grant(SERVICE.0, MANAGEMENT, None)
    }

    /// A token for the user that the connection belongs to. The registrar has to name its scope.
    pub(super) fn windows(&self, form: &Form, (client, scope): (&str, &str), visitor: &Visitor) -> Granted {
        if form.get("client_id") != Some(client) {
            return Err(Refusal::Plain("invalid_client"));
        }
        let asked = form.get("scope").or((scope == MANAGEMENT).then_some(MANAGEMENT)).unwrap_or_default();
        if !asked.split_whitespace().eq([scope]) {
            return Err(Refusal::Plain("invalid_scope"));
        }
        let sid = match visitor {
            Visitor::User(sid) => sid,
            Visitor::Anonymous => return Err(Refusal::Challenge),
            Visitor::Http2 => return Err(Refusal::Http2),
        };
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        let name = world.accounts.windows_by_sid(sid).ok_or(Refusal::Challenge)?.name.clone();
        drop(world);
        self.grant(client, scope, Some((sid, &name)))
    }

    fn grant(&self, client: &str, scope: &str, user: Option<(&str, &str)>) -> Granted {
        let lifetime = self.settings.token_lifetime.as_secs();
        let grant = Grant { client, scope, user, since: self.now, lifetime };
        let (id, token) = self.identity.sign(&grant, self.now).map_err(|_| Refusal::Signing)?;
        self.remember(id);
        Ok(self.body(&token, scope))
    }
}

/// Client id and secret of an HTTP Basic header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = BASE64_STANDARD.decode(encoded.trim()).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    scheme.eq_ignore_ascii_case("basic").then(|| (id.to_owned(), secret.to_owned()))
}
