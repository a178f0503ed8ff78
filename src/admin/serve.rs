//! The listeners of the admin plane: few connections, short patience, an orderly end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{AdminState, admin_router, metrics_router};

/// Serves the admin API until `shutdown`; returns when the last answer is out or `LAST_CALL` has
/// passed. A fault of one connection ends that connection only.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    state: AdminState,
    shutdown: impl Future<Output = ()>,
) {
    accept(listener, tls, admin_router(state), shutdown).await;
}

/// Serves `/metrics`, `/healthz` and `/readyz` alone, without TLS, until `shutdown`.
pub async fn serve_metrics(listener: TcpListener, state: AdminState, shutdown: impl Future<Output = ()>) {
    accept(listener, None, metrics_router(state), shutdown).await;
}

async fn accept(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let tls = tls.map(TlsAcceptor::from);
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        // Room first: what we cannot serve waits in the kernel's queue.
        let turn = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut shutdown => break,
            turn = turn => turn,
            // Reaps what has ended, so that the set does not grow.
            Some(_) = connections.join_next() => continue,
        };
        match accepted {
            Ok((socket, _)) => {
                let (tls, router, stopped) = (tls.clone(), router.clone(), stopped.clone());
                connections.spawn(async move {
                    let _place = place;
                    connection(socket, tls, router, stopped).await;
                });
            }
            Err(error) => {
                // Out of descriptors, mostly: trying again at once would only burn a core.
                tracing::warn!(%error, "admin listener: accept failed");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
    drop(listener);
    let _ = stop.send(true);
    let all = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(LAST_CALL, all).await;
}

async fn connection(
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopped: watch::Receiver<bool>,
) {
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else { return http(socket, router, stopped).await };
    match tokio::time::timeout(HEAD, tls.accept(socket)).await {
        Ok(Ok(stream)) => http(stream, router, stopped).await,
        Ok(Err(error)) => tracing::debug!(%error, "admin listener: TLS handshake failed"),
        Err(_) => tracing::debug!("admin listener: TLS handshake took too long"),
    }
}

async fn http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let service = TowerToHyperService::new(router);
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(64).max_buf_size(32 << 10);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        // An ended sender means the same: the listener has gone.
        () = async { let _ = stopped.wait_for(|s| *s).await; } => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "admin connection ended");
    }
}

/// Operators, a browser and a few scrapers.
const MOST_CONNECTIONS: usize = 64;
/// For a handshake, a request head, and idleness between two requests.
const HEAD: Duration = Duration::from_secs(10);
const BACK_OFF: Duration = Duration::from_millis(100);
/// For answers that are being written when the program stops.
const LAST_CALL: Duration = Duration::from_secs(2);
