//! A token for an instance's own account, by the password grant (sheet 2.1 to 2.3).

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::client::{Client, ClientError};
use crate::clock::Moment;
use crate::config::types::Account;

/// Why there is no token.
#[derive(Debug, Error)]
pub enum TokenError {
    /// The password cannot be read.
    #[error("cannot read the password from {}: {source}", file.display())]
    Password {
        /// The file.
        file: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The instance works and does not want this account: a matter for the operator.
    #[error("the instance refuses the account: {0}")]
    Refused(String),
    /// The instance does not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The instance answers something that no working identity provider answers.
    #[error("the token request was answered with status {0}")]
    Broken(StatusCode),
}

/// A token and how long to use it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The bearer token.
    pub access: SecretString,
    /// Not used any more from here on: 80 % of its lifetime.
    pub renew_at: Moment,
}

/// Logs in. The password is read from its file each time, so that a new one needs no reload.
///
/// # Errors
/// See [`TokenError`].
pub async fn password_grant(client: &Client, account: &Account, now: Moment) -> Result<Token, TokenError> {
    let file = account.password_file.clone();
    let password = tokio::fs::read_to_string(&file)
        .await
        .map(SecretString::from)
        .map_err(|source| TokenError::Password { file, source })?;
    let form = form(&account.username, &password);
    let answer = client.post_form(TOKEN_PATH, form).await?;
    let json = answer.json();
    match answer.status {
        StatusCode::OK => {
            let token = json.as_ref().and_then(|j| Some((j.get("access_token")?.as_str()?, j)));
            let (access, json) = token.ok_or(TokenError::Broken(StatusCode::OK))?;
            let lifetime = json.get("expires_in").and_then(serde_json::Value::as_u64).unwrap_or(0);
            let renew_at = now + Duration::from_millis(lifetime.min(MAX_LIFETIME) * 800);
            Ok(Token { access: SecretString::from(access), renew_at })
        }
        status if status.is_client_error() && json.is_some() => {
            // Only the machine-readable word: a description could hold anything.
            let word = json.as_ref().and_then(|j| j.get("error")).and_then(|e| e.as_str());
            Err(TokenError::Refused(word.unwrap_or("no reason given").chars().take(64).collect()))
        }
        status => Err(TokenError::Broken(status)),
    }
}

fn form(username: &str, password: &SecretString) -> SecretString {
    let password = password.expose_secret().trim_end_matches(['\r', '\n']);
    let mut form = String::from("grant_type=password&client_id=GrantValidatorClient&username=");
    encode(username, &mut form);
    form.push_str("&password=");
    encode(password, &mut form);
    SecretString::from(form)
}

/// Percent-encodes all but unreserved characters.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

const TOKEN_PATH: &str = "/API/IDP/connect/token";
/// A day, in seconds: whatever an answer claims.
const MAX_LIFETIME: u64 = 24 * 60 * 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_password_survives_the_form() {
        let form = form(r"a b", &SecretString::from("p+&=%ä\r\n"));
        assert_eq!(
            form.expose_secret(),
            "grant_type=password&client_id=GrantValidatorClient&username=a%20b&password=p%2B%26%3D%25%C3%A4"
        );
    }
}
