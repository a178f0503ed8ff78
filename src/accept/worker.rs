//! One core of the data plane (design D1): its listeners, its connections, its sweep, its end.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::spawn_local;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::{listener, proxy};
use crate::clock::Moment;
use crate::http::connection::Connection;
use crate::http::pace::{Entry, Expired, Registry, SWEEP_INTERVAL};
use crate::http::serve::{End, serve};
use crate::http::unanswered::Unanswered;
use crate::metrics::{Metrics, Refused};
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

/// What the connections of a core are for.
pub trait Front: 'static {
    /// What replies are made of.
    type Body: Body<Data = Bytes, Error = io::Error> + 'static;

    /// Answers one request.
    fn answer(
        self: Rc<Self>,
        connection: Rc<Connection>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<Self::Body>, Unanswered>> + 'static;

    /// How far a peer is believed.
    fn trust(&self, peer: IpAddr) -> Trust;

    /// Called a few times a second.
    fn sweep(&self, now: Moment);

    /// Where connections are counted.
    fn metrics(&self) -> &Metrics;
}

/// How far a peer is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Not at all.
    No,
    /// Its `X-Forwarded-*` headers are.
    Headers,
    /// Its connections start with a PROXY header.
    Proxy,
}

struct Core<F> {
    front: Rc<F>,
    registry: Rc<Registry>,
    most_connections: usize,
}

/// Serves until the phase changes, then until the last connection ends or the drain's time is up.
///
/// # Errors
/// When a socket cannot be handed to the runtime; does not happen in practice.
pub async fn run<F: Front>(setup: Setup, front: Rc<F>) -> io::Result<()> {
    let registry = Rc::new(Registry::default());
    let Setup { tls: (tls_socket, tls), plain, most_connections, mut phase } = setup;
    let core = Rc::new(Core { front, registry: registry.clone(), most_connections });
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

impl<F: Front> Core<F> {
    async fn accept(self: Rc<Self>, socket: TcpListener, tls: Option<TlsAcceptor>) {
        let mut pause = ACCEPT_PAUSE;
        let mut full = false;
        loop {
            if self.registry.len() >= self.most_connections {
                // They wait in the kernel's queue; refusing them would make clients try harder.
                if !full {
                    self.refused(Refused::TooManyConnections);
                    tracing::warn!(most = self.most_connections, "no more connections are accepted for now");
                }
                full = true;
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
            full = false;
            match socket.accept().await {
                Ok((stream, peer)) => {
                    pause = ACCEPT_PAUSE;
                    // Counted from here: a handshake that never ends holds a descriptor too.
                    let entry = self.registry.enter();
                    spawn_local(self.clone().connection(stream, peer, tls.clone(), entry));
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

    async fn connection(
        self: Rc<Self>,
        mut stream: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        entry: Entry,
    ) {
        if listener::tune(&stream).is_err() {
            return;
        }
        let Ok(local) = stream.local_addr() else { return };
        let trust = self.front.trust(peer.ip().to_canonical());
        let mut client = peer;
        if trust == Trust::Proxy {
            match shake(&entry, proxy::read(&mut stream)).await {
                Some(Ok(address)) => client = address.unwrap_or(peer),
                Some(Err(_)) | None => return self.refused(Refused::Proxy),
            }
        }
        let open = self.front.metrics().connection_opened();
        let connection = |entry: Entry, tls: bool| {
            // Behind a PROXY header, X-Forwarded-* are the client's own and stay unbelieved.
            Rc::new(Connection::new(client, local, tls, trust == Trust::Headers, (entry, open)))
        };
        let Some(acceptor) = tls else {
            return self.serve(stream, connection(entry, false)).await;
        };
        // Boxed: a handshake is short and large, a connection is long and should be small.
        match Box::pin(shake(&entry, acceptor.accept(stream))).await {
            Some(Ok(stream)) => {
                if stream.get_ref().1.alpn_protocol() == Some(ALPN_H2) {
                    entry.pace.set_http2();
                }
                // A TLS stream is more than a kilobyte, and each caller down to hyper would keep
                // room for its own copy.
                self.serve(Box::new(stream), connection(entry, true)).await;
            }
            Some(Err(_)) | None => self.refused(Refused::Handshake),
        }
    }

    async fn serve<S>(&self, stream: S, connection: Rc<Connection>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (front, pace) = (self.front.clone(), connection.pace.clone());
        let answer = move |request| front.clone().answer(connection.clone(), request);
        match serve(stream, pace, answer).await {
            End::Closed | End::Expired(Expired::Idle) => {}
            End::Expired(Expired::Head) => self.refused(Refused::HeadTimeout),
            End::Expired(Expired::Body) => self.refused(Refused::BodyTimeout),
            End::Refused(e) if e.is_parse_too_large() => self.refused(Refused::HeadTooLarge),
            End::Refused(_) => self.refused(Refused::Malformed),
        }
    }

    async fn sweep(self: Rc<Self>) {
        loop {
            sleep(SWEEP_INTERVAL).await;
            let now = Moment::now();
            self.registry.sweep(now);
            self.front.sweep(now);
        }
    }

    fn refused(&self, reason: Refused) {
        self.front.metrics().refused(reason);
    }
}

/// A handshake within its limit; `None` if it takes longer, or the core drains meanwhile.
async fn shake<T>(entry: &Entry, handshake: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = handshake => Some(done),
        () = sleep(HANDSHAKE_LIMIT) => None,
        () = entry.pace.drained() => None,
    }
}

/// For the PROXY header and the TLS handshake (design D12).
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const ACCEPT_PAUSE_MOST: Duration = Duration::from_secs(1);
const DRAIN_CHECK: Duration = Duration::from_millis(10);
