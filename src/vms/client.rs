//! A small HTTP client for our own questions to one instance: four kept connections, bounded
//! answers, redirects never followed.

use std::sync::Arc;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use crate::upstream::connect::{ConnectError, Target};

/// Why there is no answer. Time limits are the caller's: dropping the call closes its connection.
#[derive(Debug, Error)]
pub enum ClientError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection failed in the middle of the exchange.
    #[error("the exchange failed: {0}")]
    Exchange(#[from] hyper::Error),
    /// The body is larger than a sane answer to our questions, or was cut.
    #[error("the answer's body is cut or larger than {MAX_BODY} bytes")]
    Body,
    /// A path, name or token that cannot stand in a request.
    #[error("cannot make the request: {0}")]
    Request(#[from] http::Error),
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// At most [`MAX_BODY`] bytes.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON, whatever the content type claims.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Which connection a request may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// A kept one if there is one; if the peer has closed it, once more on a new one. Only for
    /// requests that may be repeated.
    Kept,
    /// Always a new one: proves that the instance still accepts, and repeats nothing.
    Fresh,
}

/// Asks one instance. Requests may overlap: the one that finds all kept connections taken opens its
/// own.
pub struct Client {
    target: Arc<Target>,
    host: String,
    /// At most [`MOST_KEPT`].
    kept: Mutex<Vec<Connection>>,
}

type Connection = SendRequest<Full<Bytes>>;

impl Client {
    /// A client without a connection yet.
    pub fn new(target: Arc<Target>) -> Self {
        let host = target.origin().authority();
        Self { target, host, kept: Mutex::default() }
    }

    /// Whom it asks.
    pub const fn target(&self) -> &Arc<Target> {
        &self.target
    }

    /// GET; `token` is sent as bearer token.
    ///
    /// # Errors
    /// See [`ClientError`]; any HTTP status is an answer, not an error.
    pub async fn get(
        &self,
        path: &str,
        token: Option<&SecretString>,
        reuse: Reuse,
    ) -> Result<Answer, ClientError> {
        if reuse == Reuse::Kept
            && let Some(connection) = self.take()
        {
            // A keep-alive connection that the peer has closed meanwhile says nothing about the
            // service: only a new connection's word counts.
            if let Ok(answer) = self.exchange(connection, self.request(Method::GET, path, token)?).await {
                return Ok(answer);
            }
        }
        let connection = self.open().await?;
        self.exchange(connection, self.request(Method::GET, path, token)?).await
    }

    /// POST of a form, on a new connection: a form that carries a password is sent at most once.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post_form(&self, path: &str, form: SecretString) -> Result<Answer, ClientError> {
        let connection = self.open().await?;
        let mut request = self.request(Method::POST, path, None)?;
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form_type);
        *request.body_mut() = Full::new(Bytes::copy_from_slice(form.expose_secret().as_bytes()));
        self.exchange(connection, request).await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&SecretString>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.host)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "*/*");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        request.body(Full::default())
    }

    async fn open(&self) -> Result<Connection, ClientError> {
        let (connection, driver) = handshake(TokioIo::new(self.target.connect().await?)).await?;
        let target = Arc::clone(&self.target);
        // Ends when the connection does, or must; its errors reach the request that waits on it.
        tokio::spawn(async move {
            tokio::select! { _ = driver => {}, () = target.ban().raised() => {} }
        });
        Ok(connection)
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, ClientError> {
        connection.ready().await?;
        let (head, body) = connection.send_request(request).await?.into_parts();
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| ClientError::Body)?.to_bytes();
        if !connection.is_closed() {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            // The oldest goes: the new one has just worked.
            if kept.len() >= MOST_KEPT {
                kept.remove(0);
            }
            kept.push(connection);
        }
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    fn take(&self) -> Option<Connection> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// The value of an `Authorization` header, marked so that no log shows it.
pub(super) fn bearer(token: &SecretString) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Key sets, discovery documents and a page of objects are far smaller.
pub const MAX_BODY: usize = 2 * 1024 * 1024;
/// A probe asks two questions at once, a reading of the configuration four.
const MOST_KEPT: usize = 4;
pub(super) const AGENT: &str = concat!("gatekeeper/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests;
