//! What is known about a client's connection; decided once, when it was accepted.

use std::cell::{Cell, OnceCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use http::HeaderValue;

use super::pace::{Entry, Pace};
use crate::metrics::OpenConnection;
use crate::upstream::pinned::Pinned;

/// One client connection.
#[derive(Debug)]
pub struct Connection {
    /// The client: the TCP peer, or what a trusted PROXY header says.
    pub client: SocketAddr,
    /// The address that the client reached.
    pub local: SocketAddr,
    /// Whether it came in over TLS.
    pub tls: bool,
    /// Whether `X-Forwarded-*` from this peer is believed.
    pub trusted: bool,
    /// Its time limits.
    pub pace: Arc<Pace>,
    /// The instance that answered its last request to `identity` (design D10: a log-in page and
    /// its form belong together), by the key of its backend.
    pub identity_backend: Cell<Option<u64>>,
    /// Its own connections to instances (NTLM); made when it needs the first.
    pub pinned: OnceCell<Rc<Pinned>>,
    client_value: OnceCell<HeaderValue>,
    /// Both end with the last user of the connection, which may be a tunnel.
    _open: (Entry, OpenConnection),
}

impl Connection {
    /// A connection that has carried nothing yet.
    pub fn new(
        client: SocketAddr,
        local: SocketAddr,
        tls: bool,
        trusted: bool,
        (entry, open): (Entry, OpenConnection),
    ) -> Self {
        let pace = entry.pace.clone();
        Self {
            client,
            local,
            tls,
            trusted,
            pace,
            identity_backend: Cell::new(None),
            pinned: OnceCell::new(),
            client_value: OnceCell::new(),
            _open: (entry, open),
        }
    }

    /// The client's address as a header value; made once a connection.
    pub fn client_value(&self) -> HeaderValue {
        self.client_value
            .get_or_init(|| {
                // An address prints as digits, letters, dots and colons only.
                HeaderValue::from_str(&self.client.ip().to_canonical().to_string())
                    .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
            })
            .clone()
    }

    /// `https` or `http`.
    pub const fn scheme(&self) -> &'static str {
        if self.tls { "https" } else { "http" }
    }
}
