//! One connection: TLS if configured, then HTTP/2 or HTTP/1.1 as negotiated. Without TLS only HTTP/1.1, as
//! IIS does it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::plain::{Heads, Plain};
use super::request::{self, Context};
use super::wire::{Connection, Wire};
use crate::identity::WindowsSession;
use crate::instance::Instance;

/// Serves a connection until it ends or is cut.
pub async fn serve(instance: Arc<Instance>, wire: Wire, tls: Option<Arc<ServerConfig>>) {
    let connection = Arc::clone(wire.connection());
    tokio::select! {
        () = connection.wait_cut() => {}
        () = open(instance, wire, tls, &connection) => {}
    }
}

async fn open(
    instance: Arc<Instance>,
    wire: Wire,
    tls: Option<Arc<ServerConfig>>,
    connection: &Arc<Connection>,
) {
    let Some(tls) = tls else { return http(instance, wire, false, connection).await };
    match TlsAcceptor::from(tls).accept(wire).await {
        Ok(stream) => {
            let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            http(instance, stream, h2, connection).await;
        }
        Err(error) => tracing::debug!(peer = %connection.peer, %error, "TLS handshake failed"),
    }
}

async fn http<S>(instance: Arc<Instance>, stream: S, h2: bool, connection: &Arc<Connection>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heads = (!h2).then(Heads::default);
    let stream = TokioIo::new(Plain::new(stream, Arc::clone(connection), heads.clone()));
    let context = Arc::new(Context {
        instance,
        id: connection.id,
        connection: Arc::downgrade(connection),
        heads,
        windows: WindowsSession::default(),
        count: AtomicU64::new(0),
    });
    let shared = Arc::clone(&context);
    let service = service_fn(move |request| request::answer(Arc::clone(&shared), request));
    let result = if h2 {
        http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await
    } else {
        http1::Builder::new().serve_connection(stream, service).with_upgrades().await
    };
    if let Err(error) = result {
        tracing::debug!(peer = %connection.peer, %error, "connection ended");
    }
    context.note_refused();
}
