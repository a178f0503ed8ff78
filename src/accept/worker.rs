//! One core of the data plane (design D1): its listeners, its connections, its sweep, its end.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::{listener, proxy};
use crate::clock::Moment;
use crate::http::connection::Connection;
use crate::http::pace::{Expired, Registry, SWEEP_INTERVAL};
use crate::http::serve::{End, serve};
use crate::metrics::Refused;
use crate::stack::Stack;
use crate::tls::server::ALPN_H2;

/// What the data plane should be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Accepting.
    Serving,
    /// Not accepting; running requests may finish until the moment given.
    Draining(Moment),
}

/// What one core needs to start.
pub struct Setup {
    /// TLS.
    pub tls: (StdListener, Arc<ServerConfig>),
    /// Plain HTTP.
    pub plain: Option<StdListener>,
    /// Beyond this many connections the core accepts no more.
    pub most_connections: usize,
    /// Changes once, to [`Phase::Draining`].
    pub phase: watch::Receiver<Phase>,
}

struct Core {
    stack: Rc<Stack>,
    registry: Rc<Registry>,
    most_connections: usize,
}

/// Serves until the phase changes, then until the last connection ends or the drain's time is up.
///
/// # Errors
/// When a socket cannot be handed to the runtime; does not happen in practice.
pub async fn run(setup: Setup, stack: Rc<Stack>) -> std::io::Result<()> {
    let registry = Rc::new(Registry::default());
    let Setup { tls: (tls_socket, tls), plain, most_connections, mut phase } = setup;
    let core = Rc::new(Core { stack, registry: registry.clone(), most_connections });
    let mut listeners = vec![spawn_local(
        core.clone().accept(TcpListener::from_std(tls_socket)?, Some(TlsAcceptor::from(tls))),
    )];
    if let Some(plain) = plain {
        listeners.push(spawn_local(core.clone().accept(TcpListener::from_std(plain)?, None)));
    }
    let sweeper = spawn_local(core.clone().sweep());

    // The sender lives as long as the app; its end means the same as a drain without time.
    let draining = phase.wait_for(|p| *p != Phase::Serving).await.map_or(Phase::Serving, |p| *p);
    let deadline = match draining {
        Phase::Draining(until) => until,
        Phase::Serving => Moment::now(),
    };
    // Dropping the listeners makes new connects fail at once, so that a balancer or a second
    // gatekeeper takes over; connections that wait in the kernel's queue are reset.
    listeners.iter().for_each(tokio::task::JoinHandle::abort);
    for listener in listeners {
        let _ = listener.await;
    }
    registry.drain();
    while !registry.is_empty() && Moment::now() < deadline {
        sleep(DRAIN_CHECK).await;
    }
    if !registry.is_empty() {
        tracing::warn!(connections = registry.len(), "drain_timeout has passed; connections are cut");
    }
    sweeper.abort();
    Ok(())
}

impl Core {
    async fn accept(self: Rc<Self>, socket: TcpListener, tls: Option<TlsAcceptor>) {
        let mut pause = ACCEPT_PAUSE;
        loop {
            if self.registry.len() >= self.most_connections {
                // They wait in the kernel's queue; refusing them would make clients try harder.
                self.stack.metrics.refused(Refused::TooManyConnections);
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
            match socket.accept().await {
                Ok((stream, peer)) => {
                    pause = ACCEPT_PAUSE;
                    spawn_local(self.clone().connection(stream, peer, tls.clone()));
                }
                Err(e) => {
                    // Out of file descriptors, most likely: trying again at once would only burn
                    // the core that has to close some.
                    tracing::warn!(error = %e, "accept failed");
                    sleep(pause).await;
                    pause = (pause * 2).min(ACCEPT_PAUSE_MOST);
                }
            }
        }
    }

    async fn connection(self: Rc<Self>, mut stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>) {
        if listener::tune(&stream).is_err() {
            return;
        }
        let Ok(local) = stream.local_addr() else { return };
        let (trusted, proxied) = {
            let live = self.stack.live.load();
            let listener = &live.prepared.config.listener;
            let address = peer.ip().to_canonical();
            (listener.trusted_proxies.iter().any(|net| net.contains(&address)), listener.proxy_protocol)
        };
        let mut client = peer;
        if proxied && trusted {
            match timeout(HANDSHAKE_LIMIT, proxy::read(&mut stream)).await {
                Ok(Ok(address)) => client = address.unwrap_or(peer),
                Ok(Err(_)) | Err(_) => return self.stack.metrics.refused(Refused::Proxy),
            }
        }
        // The PROXY header has told who the client is; its own X-Forwarded-* stay unbelieved.
        let trusted = trusted && !proxied;
        let Some(acceptor) = tls else {
            return self.serve(stream, client, local, None, trusted).await;
        };
        // Boxed: a handshake is short and large, a connection is long and should be small.
        match Box::pin(timeout(HANDSHAKE_LIMIT, acceptor.accept(stream))).await {
            Ok(Ok(stream)) => {
                let http2 = stream.get_ref().1.alpn_protocol() == Some(ALPN_H2);
                // A TLS stream is more than a kilobyte, and each caller down to hyper would keep room
                // for its own copy.
                self.serve(Box::new(stream), client, local, Some(http2), trusted).await;
            }
            Ok(Err(_)) | Err(_) => self.stack.metrics.refused(Refused::Handshake),
        }
    }

    /// `tls`: whether it is HTTP/2, if the stream is encrypted.
    async fn serve<S>(
        &self,
        stream: S,
        client: SocketAddr,
        local: SocketAddr,
        tls: Option<bool>,
        trusted: bool,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let http2 = tls == Some(true);
        let entry = self.registry.enter(http2);
        let pace = entry.pace.clone();
        let open = self.stack.metrics.connection_opened();
        let connection = Rc::new(Connection::new(client, local, tls.is_some(), trusted, (entry, open)));
        let stack = self.stack.clone();
        let end =
            serve(stream, http2, pace, move |request| stack.clone().handle(connection.clone(), request))
                .await;
        let refused = match end {
            End::Closed | End::Expired(Expired::Idle) => return,
            End::Expired(Expired::Head) => Refused::HeadTimeout,
            End::Expired(Expired::Body) => Refused::BodyTimeout,
            End::Refused(e) if e.is_parse_too_large() => Refused::HeadTooLarge,
            End::Refused(_) => Refused::Malformed,
        };
        self.stack.metrics.refused(refused);
    }

    async fn sweep(self: Rc<Self>) {
        loop {
            sleep(SWEEP_INTERVAL).await;
            let now = Moment::now();
            self.registry.sweep(now);
            let live = self.stack.live.load();
            self.stack.forwarder.pool.sweep(now, |key| live.prepared.backends().iter().any(|b| b.key == key));
        }
    }
}

/// For the PROXY header and the TLS handshake (design D12).
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const ACCEPT_PAUSE_MOST: Duration = Duration::from_secs(1);
const DRAIN_CHECK: Duration = Duration::from_millis(10);
