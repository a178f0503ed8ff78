//! Requests that get no answer, because any answer would say something wrong.

use thiserror::Error;

/// Why there is no answer. As the error of hyper's service it ends a stream of HTTP/2 with the
/// reason that it holds, and a connection of HTTP/1.1 as if the server had died.
#[derive(Debug, Error)]
pub enum Unanswered {
    /// The user is bound to the connection (NTLM), and one of HTTP/2 may carry many. The client
    /// comes again over HTTP/1.1, as it does before IIS.
    #[error("the request needs HTTP/1.1")]
    Http11Required(#[source] h2::Error),
    /// The handshake that the request continues has lost its connection to the instance. Clients
    /// begin anew after a broken connection; a 401 would tell them that the password is wrong.
    #[error("the handshake's connection to the instance is gone")]
    HandshakeLost,
}

impl Unanswered {
    /// See [`Unanswered::Http11Required`].
    pub fn http11_required() -> Self {
        Self::Http11Required(h2::Reason::HTTP_1_1_REQUIRED.into())
    }
}
