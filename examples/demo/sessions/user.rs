//! The users: who they are, what they may see, how they log in.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::ntlm::{Credentials, authenticate, negotiate};
use crate::web::{Kept, Reply};

/// How a user proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// By a password in the form.
    Password,
    /// By NTLM on the connection.
    Ntlm,
}

/// A user of the simulated site.
#[derive(Clone, Copy, Debug)]
pub struct User {
    /// How it logs in.
    pub kind: Kind,
    /// From 1. The odd ones see all cameras, the even ones the first half.
    pub number: u32,
}

impl User {
    /// Its name as the VMS says it.
    pub fn name(self) -> String {
        match self.kind {
            Kind::Password => format!("user{}", self.number),
            Kind::Ntlm => format!("VMS\\win{}", self.number),
        }
    }

    /// The body of its token request.
    pub fn form(self) -> String {
        match self.kind {
            Kind::Password => {
                let name = self.name();
                format!(
                    "grant_type=password&username={name}&password={name}-password&client_id=GrantValidatorClient"
                )
            }
            Kind::Ntlm => "grant_type=windows_credentials&client_id=GrantValidatorClient".to_owned(),
        }
    }

    /// Logs in; gives the value of `Authorization`.
    pub async fn log_in(self, line: &mut Kept) -> anyhow::Result<HeaderValue> {
        let reply = match self.kind {
            Kind::Password => self.ask(line, "/API/IDP/connect/token", None).await?,
            Kind::Ntlm => self.handshake(line).await?,
        };
        if reply.status != StatusCode::OK {
            bail!("log-in: status {} {}", reply.status.as_u16(), reply.header("gatekeeper-reason"));
        }
        let body = reply.json()?;
        let token = body["access_token"].as_str().context("log-in: no token in the answer")?;
        HeaderValue::try_from(format!("Bearer {token}")).context("log-in: not a token")
    }

    /// Both legs on one connection, by the path that bears them.
    async fn handshake(self, line: &mut Kept) -> anyhow::Result<Reply> {
        let path = "/IDP/connect/token";
        let first = self.ask(line, path, Some(&negotiate())).await?;
        let challenge = first.header("www-authenticate").strip_prefix("NTLM ");
        let Some(challenge) = challenge.and_then(|text| STANDARD.decode(text).ok()) else {
            bail!("log-in: no challenge but {}", first.status.as_u16());
        };
        let (user, number) = (format!("win{}", self.number), self.number);
        let password = format!("win{number}-password");
        let who = Credentials { domain: "VMS", user: &user, password: &password };
        self.ask(line, path, Some(&authenticate(&challenge, who))).await
    }

    async fn ask(self, line: &mut Kept, path: &str, message: Option<&[u8]>) -> anyhow::Result<Reply> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(message) = message {
            headers
                .insert(AUTHORIZATION, HeaderValue::try_from(format!("NTLM {}", STANDARD.encode(message)))?);
        }
        line.exchange("POST", path, headers, &self.form()).await.context("log-in")
    }
}
