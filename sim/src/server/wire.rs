//! Open TCP connections: the stream that the server reads and writes, and the list through which a fault
//! reaches every one of them.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::gate::Gate;

/// One accepted TCP connection, shared between its task and the faults.
pub struct Connection {
    /// Its number, from 1.
    pub id: u64,
    /// Who connected.
    pub peer: SocketAddr,
    /// Closed while no packet may leave (below TLS).
    pub packets: Gate,
    /// Closed while no answer may leave (above TLS).
    pub answers: Gate,
    stream: TcpStream,
    cut: watch::Sender<bool>,
}

impl Connection {
    /// Ends the connection with a reset: lingering is off, so closing sends RST. The owner drops it when
    /// [`Connection::wait_cut`] returns.
    pub fn cut(&self) {
        // Fails only on a socket that is gone already.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        self.cut.send_replace(true);
    }

    /// Returns when the connection was cut.
    pub async fn wait_cut(&self) {
        let mut cut = self.cut.subscribe();
        // The sender lives as long as `self`, so this ends only by a cut.
        let _ = cut.wait_for(|cut| *cut).await;
    }

    /// The socket, for options.
    #[must_use]
    pub fn socket(&self) -> SockRef<'_> {
        SockRef::from(&self.stream)
    }
}

/// All open connections.
#[derive(Default)]
pub struct Connections {
    last: AtomicU64,
    open: Mutex<HashMap<u64, Weak<Connection>>>,
}

impl Connections {
    /// Takes an accepted stream.
    pub fn adopt(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr) -> Wire {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let connection = Arc::new(Connection {
            id,
            peer,
            packets: Gate::default(),
            answers: Gate::default(),
            stream,
            cut: watch::Sender::new(false),
        });
        self.lock().insert(id, Arc::downgrade(&connection));
        Wire { connection, all: Arc::clone(self) }
    }

    /// The open connections.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<Connection>> {
        self.lock().values().filter_map(Weak::upgrade).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Weak<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The byte stream of a connection. Dropping it takes the connection off the list.
pub struct Wire {
    connection: Arc<Connection>,
    all: Arc<Connections>,
}

impl Wire {
    /// The shared part.
    #[must_use]
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.all.lock().remove(&self.connection.id);
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.connection.packets.poll_read(context));
        let stream = &self.connection.stream;
        loop {
            ready!(stream.poll_read_ready(context))?;
            match stream.try_read(buffer.initialize_unfilled()) {
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.connection.packets.poll_write(context));
        let stream = &self.connection.stream;
        loop {
            ready!(stream.poll_write_ready(context))?;
            match stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.connection.packets.poll_write(context));
        Poll::Ready(self.connection.socket().shutdown(std::net::Shutdown::Write))
    }
}
