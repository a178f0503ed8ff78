//! What clients say to the two kinds of server: the messages, and whom an answer is for.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::client_half::{Credentials, authenticate, negotiate};
use crate::support::client::{Call, Reply, call, get};
use crate::support::ntlm;

/// How to talk to a server as the user with a number.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// A request that is answered with the user's name, and with 401 to a stranger.
    pub request: fn() -> Call,
    /// One that a stranger may make; its answer, too, says who asks.
    pub public: Option<fn() -> Call>,
    pub type1: fn() -> String,
    /// From the challenge, as it stood in its header.
    pub type3: fn(&str, u64) -> Option<String>,
    pub name: fn(u64) -> String,
    /// The name in an answer with 200.
    pub named: fn(&Reply) -> Option<String>,
}

/// The made-up messages of [`ntlm::Iis`].
pub const MADE_UP: Dialect = Dialect {
    request: || get("/mine"),
    public: Some(|| get("/public")),
    type1: || ntlm::message(1, ""),
    type3: |challenge, user| match ntlm::read(challenge) {
        Some((2, nonce)) => Some(ntlm::message(3, &format!("{nonce} user{user}"))),
        _ => None,
    },
    name: |user| format!("user{user}"),
    named: |reply| Some(reply.text().to_owned()),
};

/// NTLMv2 before the token endpoint of a simulated VMS: the token says whom it is for.
pub const VMS: Dialect = Dialect {
    request: || {
        call("POST", "/IDP/connect/token")
            .form("grant_type=windows_credentials&client_id=GrantValidatorClient")
    },
    public: None,
    type1: || format!("NTLM {}", STANDARD.encode(negotiate())),
    type3: |challenge, user| {
        let challenge = STANDARD.decode(challenge.strip_prefix("NTLM ")?).ok()?;
        let (name, password) = (format!("win{user}"), format!("win{user}-password"));
        let who = Credentials { domain: "VMS", user: &name, password: &password };
        Some(format!("NTLM {}", STANDARD.encode(authenticate(&challenge, who))))
    },
    name: |user| format!("VMS\\win{user}"),
    named: |reply| {
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(body["access_token"].as_str()?.split('.').nth(1)?).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        claims["name"].as_str().map(str::to_owned)
    },
};
