//! What a client asks for when it sends a browser to us (RFC 6749 4.1.1, RFC 7636 4.3).

use super::super::{clients, form::Form, grant::scope};
use crate::settings::Settings;

/// A checked request.
pub struct Asked {
    /// The client.
    pub client: &'static str,
    /// Where the browser goes afterwards.
    pub redirect: String,
    /// Handed back as it came.
    pub state: Option<String>,
    /// Goes into the id token.
    pub nonce: Option<String>,
    /// What the token will be good for.
    pub scope: String,
    /// PKCE challenge.
    pub challenge: String,
    /// Whether the user may, must or must not be asked.
    pub prompt: Prompt,
}

/// `prompt` of OpenID Connect.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// Ask if nobody is logged in.
    Default,
    /// Ask in any case.
    Login,
    /// Never ask.
    Never,
}

/// Why a request was refused.
pub enum Refused {
    /// Nobody knows where it should go: the user sees it.
    Shown(&'static str),
    /// The client is told.
    Told {
        /// Where it is told.
        redirect: String,
        /// The client's state.
        state: Option<String>,
        /// The OAuth error.
        error: &'static str,
    },
}

impl Asked {
    /// Reads and checks a query.
    pub fn parse(settings: &Settings, query: &Form) -> Result<Self, Refused> {
        let client = query.get("client_id").and_then(clients::find);
        let client = client.ok_or(Refused::Shown("unauthorized_client"))?;
        let redirect = query.get("redirect_uri").unwrap_or_default().to_owned();
        if !clients::may_redirect(&settings.switches, &settings.public_url, &redirect) {
            return Err(Refused::Shown("invalid redirect_uri"));
        }
        let given = |name| query.get(name).map(ToOwned::to_owned);
        let told = |error| Err(Refused::Told { redirect: redirect.clone(), state: given("state"), error });
        if query.repeats() {
            return told("invalid_request");
        }
        match query.get("response_type") {
            Some("code") => {}
            Some(_) => return told("unsupported_response_type"),
            None => return told("invalid_request"),
        }
        if query.get("response_mode").is_some_and(|mode| mode != "query") {
            return told("invalid_request");
        }
        // The method `plain`, which is also the default, would show the secret to whoever sees the address.
        let challenge = query.get("code_challenge").unwrap_or_default().to_owned();
        if query.get("code_challenge_method") != Some("S256") || !is_challenge(&challenge) {
            return told("invalid_request");
        }
        let Ok(scope) = scope(query) else { return told("invalid_scope") };
        let prompt = match query.get("prompt") {
            Some("none") => Prompt::Never,
            Some(words) if words.split(' ').any(|word| word == "login") => Prompt::Login,
            _ => Prompt::Default,
        };
        let (state, nonce) = (given("state"), given("nonce"));
        Ok(Self { client, redirect, state, nonce, scope, challenge, prompt })
    }
}

/// A SHA-256 in base64url is 43 characters long.
fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
