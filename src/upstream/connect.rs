//! One new connection to an instance: resolve, connect, TLS, within `connect_timeout`.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::ban::Ban;
use crate::config::types::{Instance, Origin, UpstreamLimits};
use crate::tls::client::{TrustError, client_config};

/// Where and how to reach one instance; made once a configuration, shared by all cores.
pub struct Target {
    origin: Origin,
    /// Set when the URL holds an address: no look-up is needed.
    address: Option<SocketAddr>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    timeout: Duration,
    response_timeout: Duration,
    ban: Arc<Ban>,
}

/// Why there is no connection. Nothing of a request was written in any of these cases, so every
/// request may go elsewhere (design D3 a).
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("cannot resolve {host}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// The resolver's answer.
        source: io::Error,
    },
    /// Nobody listens there.
    #[error("connection refused")]
    Refused,
    /// No route, no network.
    #[error("cannot connect: {0}")]
    Unreachable(io::Error),
    /// Not the instance's fault: this process or machine has no descriptor, port or memory left.
    /// Says nothing about the instance.
    #[error("no local resources: {0}")]
    Local(io::Error),
    /// `connect_timeout` has passed.
    #[error("no connection within {0:?}")]
    Timeout(Duration),
    /// Handshake or certificate.
    #[error("TLS: {0}")]
    Tls(io::Error),
    /// An operator has put the instance into quarantine.
    #[error("in quarantine")]
    Banned,
}

impl Target {
    /// How to reach `instance`.
    ///
    /// # Errors
    /// When its certificate could not be verified for lack of a trust store.
    pub fn new(instance: &Instance, limits: &UpstreamLimits) -> Result<Self, TrustError> {
        let origin = instance.url.clone();
        let tls = if origin.tls {
            let name = ServerName::try_from(origin.host.clone())
                .map_err(|_| TrustError::Name(origin.host.clone()))?;
            Some((TlsConnector::from(client_config(instance)?), name))
        } else {
            None
        };
        let address = origin.host.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, origin.port));
        let (timeout, response_timeout) = (limits.connect_timeout, limits.response_timeout);
        Ok(Self { origin, address, tls, timeout, response_timeout, ban: Arc::default() })
    }

    /// The same instance as `earlier`, before a reload: a quarantine holds for both.
    #[must_use]
    pub fn following(self, earlier: &Self) -> Self {
        Self { ban: Arc::clone(&earlier.ban), ..self }
    }

    /// Whether the instance is in quarantine.
    pub fn ban(&self) -> &Ban {
        &self.ban
    }

    /// The instance's own origin.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How long an answer, or the next part of one, may take.
    pub const fn response_timeout(&self) -> Duration {
        self.response_timeout
    }

    /// A connection that is ready for an HTTP/1.1 request.
    ///
    /// # Errors
    /// See [`ConnectError`]; takes `connect_timeout` at most.
    pub async fn connect(&self) -> Result<Stream, ConnectError> {
        if self.ban.is_raised() {
            return Err(ConnectError::Banned);
        }
        let opened = tokio::time::timeout(self.timeout, self.open()).await;
        if self.ban.is_raised() {
            return Err(ConnectError::Banned);
        }
        opened.unwrap_or(Err(ConnectError::Timeout(self.timeout)))
    }

    async fn open(&self) -> Result<Stream, ConnectError> {
        let socket = match self.address {
            Some(address) => TcpStream::connect(address).await.map_err(tcp_error)?,
            None => self.open_by_name().await?,
        };
        // Without it a small request behind a large one waits 40 ms for a delayed ACK.
        socket.set_nodelay(true).map_err(ConnectError::Unreachable)?;
        // An instance that lost its power in the middle of an answer says nothing more.
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER).with_interval(KEEPALIVE_AFTER);
        SockRef::from(&socket).set_tcp_keepalive(&keepalive).map_err(ConnectError::Unreachable)?;
        match &self.tls {
            None => Ok(Stream::Plain(socket)),
            Some((connector, name)) => {
                let stream = connector.connect(name.clone(), socket).await.map_err(ConnectError::Tls)?;
                Ok(Stream::Tls(Box::new(stream)))
            }
        }
    }

    async fn open_by_name(&self) -> Result<TcpStream, ConnectError> {
        let resolve = |source| match is_local(&source) {
            true => ConnectError::Local(source),
            false => ConnectError::Resolve { host: self.origin.host.clone(), source },
        };
        let found =
            tokio::net::lookup_host((self.origin.host.as_str(), self.origin.port)).await.map_err(resolve)?;
        let mut last = resolve(io::Error::new(io::ErrorKind::NotFound, "no address"));
        for address in found {
            match TcpStream::connect(address).await {
                Ok(socket) => return Ok(socket),
                Err(e) => last = tcp_error(e),
            }
        }
        Err(last)
    }
}

const KEEPALIVE_AFTER: Duration = Duration::from_secs(15);

fn tcp_error(e: io::Error) -> ConnectError {
    match e.kind() {
        _ if is_local(&e) => ConnectError::Local(e),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => ConnectError::Refused,
        _ => ConnectError::Unreachable(e),
    }
}

/// By number: `io::ErrorKind` has no name for most of these.
fn is_local(e: &io::Error) -> bool {
    e.raw_os_error().is_some_and(|number| LOCAL.contains(&number))
}

/// Linux: ENOMEM, ENFILE, EMFILE, EADDRNOTAVAIL (no free port), ENOBUFS.
const LOCAL: [i32; 5] = [12, 23, 24, 99, 105];

/// A plain or encrypted connection to an instance.
pub enum Stream {
    /// `http://`.
    Plain(TcpStream),
    /// `https://`; boxed, because it is many times larger.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Self::Tls(s) => Pin::new(s).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(s) => s.is_write_vectored(),
            Self::Tls(s) => s.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_our_own_is_not_the_instance_s_fault() {
        for number in LOCAL {
            let error = tcp_error(io::Error::from_raw_os_error(number));
            assert!(matches!(error, ConnectError::Local(_)), "{error}");
        }
        // ECONNREFUSED, EHOSTUNREACH
        assert!(matches!(tcp_error(io::Error::from_raw_os_error(111)), ConnectError::Refused));
        assert!(matches!(tcp_error(io::Error::from_raw_os_error(113)), ConnectError::Unreachable(_)));
    }
}
