//! A client over HTTP/1.1 or HTTP/2, with or without TLS, plus the bare connection for bytes that no library would send.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
pub type Body = BoxBody<Bytes, io::Error>;

/// No request of a test takes longer than this, unless something hangs.
const LIMIT: Duration = Duration::from_secs(30);

pub trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Where to connect and under which name.
#[derive(Clone)]
pub struct Http {
    pub address: SocketAddr,
    pub host: String,
    pub tls: Option<Arc<ClientConfig>>,
    pub h2: bool,
    /// The client's own address, if it matters.
    pub from: Option<IpAddr>,
}

/// One open connection.
pub enum Conn {
    H1(http1::SendRequest<Body>),
    H2(http2::SendRequest<Body>),
}

/// A complete answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A request to be sent.
#[derive(Debug)]
pub struct Call {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

pub fn call(method: &str, path: &str) -> Call {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    Call { method, path: path.to_owned(), headers: Vec::new(), body: Bytes::new() }
}

pub fn get(path: &str) -> Call {
    call("GET", path)
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub fn json(mut self, value: &Value) -> Self {
        self.body = value.to_string().into();
        self.header("content-type", "application/json")
    }

    pub fn form(mut self, text: &str) -> Self {
        self.body = text.to_owned().into();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    pub fn body(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = bytes.into();
        self
    }
}

impl Http {
    /// The same place under another `Host`.
    pub fn named(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// The same client at another address.
    pub fn at(&self, address: &str) -> Self {
        Self { from: Some(address.parse().unwrap()), ..self.clone() }
    }

    async fn tcp(&self) -> io::Result<TcpStream> {
        let Some(from) = self.from else { return TcpStream::connect(self.address).await };
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(self.address).await
    }

    /// A bare connection, TLS finished.
    pub async fn raw(&self) -> Result<Box<dyn Socket>> {
        let tcp = timeout(LIMIT, self.tcp()).await??;
        tcp.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(tcp)) };
        let host = self.host.rsplit_once(':').map_or(self.host.as_str(), |(h, _)| h).to_owned();
        // A name that is in no certificate still has to be asked for: the handshake uses a good one.
        let name = if host.ends_with(".unknown") { "vms.test".to_owned() } else { host };
        let connector = TlsConnector::from(Arc::clone(tls));
        let stream = timeout(LIMIT, connector.connect(ServerName::try_from(name)?, tcp)).await??;
        Ok(Box::new(stream))
    }

    pub async fn connect(&self) -> Result<Conn> {
        let io = TokioIo::new(self.raw().await?);
        if self.h2 {
            let (send, conn) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(conn);
            Ok(Conn::H2(send))
        } else {
            let (send, conn) = http1::handshake(io).await?;
            tokio::spawn(conn);
            Ok(Conn::H1(send))
        }
    }

    /// One request on a connection of its own.
    pub async fn send(&self, call: Call) -> Result<Reply> {
        self.connect().await?.send(&self.host, call).await
    }

    /// Writes bytes as they are, reads until the other side closes or is silent for `quiet`.
    pub async fn bytes(&self, bytes: &[u8], quiet: Duration) -> Result<Vec<u8>> {
        let mut socket = self.raw().await?;
        // The other side may refuse and close before it has read everything.
        let _ = socket.write_all(bytes).await;
        let _ = socket.flush().await;
        Ok(read_quiet(&mut socket, quiet).await)
    }
}

/// Everything that arrives until the end of the stream, an error, or silence.
pub async fn read_quiet(socket: &mut (impl AsyncRead + Unpin), quiet: Duration) -> Vec<u8> {
    use tokio::io::AsyncReadExt;
    let mut all = Vec::new();
    let mut part = vec![0; 64 * 1024];
    while let Ok(Ok(n @ 1..)) = timeout(quiet, socket.read(&mut part)).await {
        all.extend_from_slice(&part[..n]);
    }
    all
}

/// Everything up to and with `mark`; fails the test if it does not come.
pub async fn read_until(socket: &mut (impl AsyncRead + Unpin), mark: &str) -> String {
    use tokio::io::AsyncReadExt;
    let mut all = Vec::new();
    while !all.ends_with(mark.as_bytes()) {
        let byte = timeout(LIMIT, socket.read_u8()).await.unwrap_or_else(|_| panic!("no {mark:?} in time"));
        all.push(byte.unwrap_or_else(|e| panic!("no {mark:?} but {e}: {}", String::from_utf8_lossy(&all))));
    }
    String::from_utf8_lossy(&all).into_owned()
}

impl Conn {
    /// A second handle to the same HTTP/2 connection.
    pub fn share(&self) -> Self {
        match self {
            Self::H1(_) => panic!("HTTP/1.1 has one request at a time"),
            Self::H2(send) => Self::H2(send.clone()),
        }
    }

    pub async fn send(&mut self, host: &str, call: Call) -> Result<Reply> {
        timeout(LIMIT, async {
            let response = self.start(host, call).await?;
            let (parts, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
        })
        .await
        .map_err(|_| format!("no complete answer within {LIMIT:?}"))?
    }

    /// The answer's head; the body is still to be read.
    pub async fn start(&mut self, host: &str, call: Call) -> Result<Response<Incoming>> {
        let body = Full::new(call.body.clone()).map_err(|never| match never {}).boxed();
        self.stream(host, call, body).await
    }

    /// A request with a body that comes in pieces.
    pub async fn stream(&mut self, host: &str, call: Call, body: Body) -> Result<Response<Incoming>> {
        let uri = match self {
            Self::H1(_) => call.path.clone(),
            Self::H2(_) => format!("https://{host}{}", call.path),
        };
        let mut request = Request::builder().method(call.method).uri(uri).body(body)?;
        if matches!(self, Self::H1(_)) {
            request.headers_mut().insert("host", HeaderValue::from_str(host)?);
        }
        for (name, value) in &call.headers {
            let name = HeaderName::from_bytes(name.as_bytes())?;
            request.headers_mut().append(name, HeaderValue::from_str(value)?);
        }
        match self {
            Self::H1(send) => {
                send.ready().await?;
                Ok(send.send_request(request).await?)
            }
            Self::H2(send) => {
                send.ready().await?;
                Ok(send.send_request(request).await?)
            }
        }
    }
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or("<not text>")
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e} in {} {}", self.status, self.text()))
    }

    /// The answer itself, if it has this status; fails the test otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "headers {:?}\nbody {}", self.headers, self.text());
        self
    }
}

/// A password grant as XProtect clients send it.
pub fn password_grant(user: &str, password: &str) -> Call {
    call("POST", "/API/IDP/connect/token").form(&format!(
        "grant_type=password&username={user}&password={password}&client_id=GrantValidatorClient"
    ))
}

/// Logs in as the seeded administrator and gives the token.
pub async fn login(http: &Http) -> String {
    let reply = http.send(password_grant("admin", "admin-password")).await.unwrap().expect(200);
    reply.json()["access_token"].as_str().unwrap().to_owned()
}
