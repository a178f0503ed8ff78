//! The command line's side of the admin API: one request, one JSON answer, errors that say what to
//! do next.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use thiserror::Error;

use crate::config::types::{Instance, Origin, UpstreamLimits};
use crate::tls::client::TrustError;
use crate::upstream::connect::{ConnectError, Target};

/// Why a command got no usable answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Not `http(s)://host[:port]`.
    #[error("--admin {0:?} is not a URL of the form http://127.0.0.1:9180")]
    Url(String),
    /// A token would cross the network unencrypted.
    #[error("--admin {0} is not on this machine: a token is only sent there with https://")]
    PlainRemote(Origin),
    /// No token to identify oneself with.
    #[error(
        "token file {path} cannot be read: {source}; name the gatekeeper's with --token-file (by default <state_dir>/admin.token)"
    )]
    Token {
        /// As given.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The file holds nothing that can stand in a header.
    #[error("token file {0} does not hold a token")]
    NoToken(PathBuf),
    /// The server's certificate cannot be checked.
    #[error("{0}; name the CA of the admin certificate with --ca")]
    Trust(#[from] TrustError),
    /// Nobody listens.
    #[error(
        "no gatekeeper answers at {0} (connection refused): start it, or name its [admin] address with --admin"
    )]
    NotRunning(Origin),
    /// Another fault on the way there.
    #[error("cannot reach {origin}: {source}")]
    Connect {
        /// The admin URL.
        origin: Origin,
        /// What happened.
        source: ConnectError,
    },
    /// The exchange broke off; a command may have been done.
    #[error(
        "{origin} did not answer properly ({source}); look at `gatekeeper status` before you repeat this"
    )]
    Exchange {
        /// The admin URL.
        origin: Origin,
        /// What happened.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// 401.
    #[error("{0} does not accept the token: it belongs to another gatekeeper or was replaced (--token-file)")]
    Unauthorized(Origin),
    /// The gatekeeper refused or failed, and said why.
    #[error("{0}")]
    Refused(Refusal),
    /// The system gives us no event loop.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    /// Something else than a gatekeeper listens there.
    #[error("what answers at {origin} is not a gatekeeper (status {status}); check --admin")]
    Foreign {
        /// The admin URL.
        origin: Origin,
        /// Its answer.
        status: StatusCode,
    },
}

impl ClientError {
    /// For programs, in the place of the admin API's `code`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotRunning(_) => "not-running",
            Self::Unauthorized(_) => "unauthorized",
            Self::Exchange { .. } => "outcome-unknown",
            _ if self.is_usage() => "usage",
            _ => "unreachable",
        }
    }

    /// Whether the command line or the files that it names are at fault (exit code 2).
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Url(_) | Self::PlainRemote(_) | Self::Token { .. } | Self::NoToken(_) | Self::Trust(_)
        )
    }
}

/// The `error` object of the admin API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Machine-readable.
    pub code: String,
    /// What went wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

/// A connection to the admin API of one gatekeeper.
pub struct Client {
    origin: Origin,
    target: Target,
    token: SecretString,
}

impl Client {
    /// Checks the URL and reads the token; opens no connection yet.
    pub fn new(url: &str, token_file: &Path, ca_file: Option<&Path>) -> Result<Self, ClientError> {
        let origin = parse(url)?;
        if !origin.tls && !is_loopback(&origin.host) {
            return Err(ClientError::PlainRemote(origin));
        }
        let token = read_token(token_file)?;
        // The same way as to an instance: one place knows how to resolve, connect and verify.
        let admin = Instance {
            name: "admin".to_owned(),
            url: origin.clone(),
            ca_file: ca_file.map(Path::to_owned),
            aliases: Vec::new(),
            account: None,
        };
        let limits = UpstreamLimits { connect_timeout: CONNECT, response_timeout: ANSWER };
        let target = Target::new(&admin, &limits)?;
        Ok(Self { origin, target, token })
    }

    /// Asks for something.
    pub async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.send(Method::GET, path, Bytes::new()).await
    }

    /// Orders something.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.send(Method::POST, path, Bytes::from(body.to_string())).await
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Value, ClientError> {
        let (status, body) = tokio::time::timeout(ANSWER, self.exchange(method, path, body))
            .await
            .unwrap_or_else(|_| Err(self.broken(format!("no answer within {} s", ANSWER.as_secs()))))?;
        let json: Option<Value> = serde_json::from_slice(&body).ok();
        match (status, json) {
            (status, Some(json)) if status.is_success() => Ok(json),
            (StatusCode::UNAUTHORIZED, Some(_)) => Err(ClientError::Unauthorized(self.origin.clone())),
            (_, Some(json)) if json["error"]["message"].is_string() => {
                let text = |key: &str| json["error"][key].as_str().unwrap_or_default().to_owned();
                let (code, message, remedy) = (text("code"), text("message"), text("remedy"));
                Err(ClientError::Refused(Refusal { code, message, remedy }))
            }
            (status, _) => Err(ClientError::Foreign { origin: self.origin.clone(), status }),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let stream = self.target.connect().await.map_err(|source| match source {
            ConnectError::Refused => ClientError::NotRunning(self.origin.clone()),
            source => ClientError::Connect { origin: self.origin.clone(), source },
        })?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| self.broken(e))?;
        let driver = tokio::spawn(connection);
        let bearer = format!("Bearer {}", self.token.expose_secret());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.origin.authority())
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|e| self.broken(e))?;
        let answer = sender.send_request(request).await.map_err(|e| self.broken(e))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|e| self.broken(e))?;
        driver.abort();
        Ok((status, body.to_bytes()))
    }

    fn broken(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
        ClientError::Exchange { origin: self.origin.clone(), source: source.into() }
    }
}

fn parse(url: &str) -> Result<Origin, ClientError> {
    let wrong = || ClientError::Url(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let tls = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(wrong()),
    };
    let authority = uri.authority().filter(|a| !a.as_str().contains('@')).ok_or_else(wrong)?;
    if uri.path() != "/" || uri.query().is_some() || authority.host().is_empty() {
        return Err(wrong());
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
    Ok(Origin { tls, host, port })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn read_token(path: &Path) -> Result<SecretString, ClientError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ClientError::Token { path: path.to_owned(), source })?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ClientError::NoToken(path.to_owned()));
    }
    Ok(SecretString::from(token))
}

const CONNECT: Duration = Duration::from_secs(3);
const ANSWER: Duration = Duration::from_secs(30);
/// Far more than the status of the largest configuration.
const LARGEST: usize = 16 << 20;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn urls() {
        for (url, shown) in [
            ("http://127.0.0.1:9180", "http://127.0.0.1:9180"),
            ("http://localhost:9180/", "http://localhost:9180"),
            ("https://Admin.Example", "https://admin.example"),
            ("http://[::1]:9180", "http://[::1]:9180"),
        ] {
            assert_eq!(parse(url).unwrap().to_string(), shown);
        }
        for url in ["", "127.0.0.1:9180", "ftp://x", "http://x/path", "http://u:p@x", "http://x/?q=1"] {
            assert!(matches!(parse(url), Err(ClientError::Url(_))), "{url:?}");
        }
    }

    #[test]
    fn a_token_never_leaves_the_machine_unencrypted() {
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, "abc\n").unwrap();
        for url in ["http://10.0.0.1:9180", "http://vms.example:9180", "http://localhost.example"] {
            assert!(matches!(Client::new(url, &token, None), Err(ClientError::PlainRemote(_))), "{url}");
        }
        assert!(Client::new("http://127.0.0.1:1", &token, None).is_ok());
    }

    #[test]
    fn token_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let missing = read_token(&path).unwrap_err();
        assert!(missing.is_usage());
        assert!(missing.to_string().contains("--token-file"), "{missing}");
        for bad in ["", " \n", "two words", "uml\u{e4}ut"] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(read_token(&path), Err(ClientError::NoToken(_))), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn nobody_listening_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let token = dir.path().join("token");
        std::fs::write(&token, "abc").unwrap();
        // Bound and dropped: a port that nobody listens on.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = Client::new(&format!("http://{free}"), &token, None).unwrap();
        let error = client.get("/v1/status").await.unwrap_err();
        assert!(matches!(error, ClientError::NotRunning(_)), "{error}");
        assert!(error.to_string().contains("start it"));
    }
}
