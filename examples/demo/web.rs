//! A small HTTP/1.1 client: one connection, one request at a time, with or without TLS; and the bare
//! connection, for WebSockets.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Whom to connect to.
#[derive(Clone)]
pub struct Target {
    address: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }

    /// A header's text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What bytes go over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Target {
    /// Plain HTTP.
    pub const fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None }
    }

    /// HTTPS, trusting `ca` alone.
    pub fn tls(address: SocketAddr, ca: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(ca).context("CA file")? {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { address, tls: Some(Arc::new(config)) })
    }

    /// Opens a connection, TLS finished.
    pub async fn open(&self) -> anyhow::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(self.address).await.context("connect")?;
        stream.set_nodelay(true)?;
        let Some(config) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(Arc::clone(config)).connect(name, stream).await;
        Ok(Box::new(stream.context("TLS")?))
    }

    /// Opens a connection for requests.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        let (sender, driver) = http1::handshake(TokioIo::new(self.open().await?)).await?;
        // Ends with the connection; its error reaches the request that waits on it.
        tokio::spawn(async move { drop(driver.await) });
        Ok(Connection { sender })
    }
}

impl Connection {
    /// Whether a request can go out: the peer has not closed it.
    pub async fn usable(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request and reads the whole answer.
    pub async fn exchange(
        &mut self,
        method: &str,
        path: &str,
        headers: HeaderMap,
        body: &str,
    ) -> anyhow::Result<Reply> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        request.headers_mut().extend(headers);
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        let body = body.collect().await.context("body cut")?.to_bytes();
        Ok(Reply { status: head.status, headers: head.headers, body })
    }
}

/// A connection that is opened when it is needed, and anew when the peer has closed it.
pub struct Kept {
    target: Target,
    open: Option<Connection>,
}

impl Kept {
    /// Nothing is opened yet.
    pub const fn new(target: Target) -> Self {
        Self { target, open: None }
    }

    /// One exchange; after an error or a time-out the connection is gone.
    pub async fn exchange(
        &mut self,
        method: &str,
        path: &str,
        headers: HeaderMap,
        body: &str,
    ) -> anyhow::Result<Reply> {
        let exchange = async {
            let kept = match self.open.take() {
                Some(mut open) => open.usable().await.then_some(open),
                None => None,
            };
            let mut connection = match kept {
                Some(open) => open,
                None => self.target.connect().await?,
            };
            let reply = connection.exchange(method, path, headers, body).await?;
            self.open = Some(connection);
            Ok(reply)
        };
        match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(reply) => reply,
            Err(_) => bail!("no answer within {PATIENCE:?}"),
        }
    }
}

/// How long a client waits for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// One plain request on a connection of its own; for control APIs, which answer at once or not at all.
pub async fn once(address: SocketAddr, method: &str, path: &str, body: &str) -> anyhow::Result<Reply> {
    let ask = async {
        let mut connection = Target::plain(address).connect().await?;
        connection.exchange(method, path, HeaderMap::new(), body).await
    };
    match tokio::time::timeout(ONCE_LIMIT, ask).await {
        Ok(reply) => reply.with_context(|| format!("{method} {path} on {address}")),
        Err(_) => bail!("{method} {path} on {address}: no answer within {ONCE_LIMIT:?}"),
    }
}

const ONCE_LIMIT: Duration = Duration::from_secs(5);
