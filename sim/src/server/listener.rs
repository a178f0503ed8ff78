//! The listening socket: accepts, and can be closed, bound again and made deaf while the process runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use socket2::{SockFilter, SockRef};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};

use super::connection;
use crate::faults::Mode;
use crate::instance::Instance;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 4096;

/// Binds an address. It may have been used a moment ago, by the socket that `stop` closed.
///
/// # Errors
/// What the system says, such as that the port is in use.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Drops every packet: one instruction, "accept 0 bytes".
///
/// # Errors
/// What the system says to a classic BPF socket filter.
pub fn attach_drop_all(socket: &SockRef<'_>) -> io::Result<()> {
    const RETURN_CONSTANT: u16 = 0x06;
    socket.attach_filter(&[SockFilter::new(RETURN_CONSTANT, 0, 0, 0)])
}

/// What the faults want from the listener. Each is answered when it is done.
enum Command {
    Close,
    Open,
    Deaf(bool),
}

/// The way to the accept loop.
pub struct ListenerHandle {
    commands: mpsc::Sender<(Command, oneshot::Sender<io::Result<()>>)>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl ListenerHandle {
    /// Closes the socket: connects are refused.
    ///
    /// # Errors
    /// When the accept loop has ended.
    pub async fn close(&self) -> io::Result<()> {
        self.send(Command::Close).await
    }

    /// Binds the address again.
    ///
    /// # Errors
    /// When somebody else has the port now.
    pub async fn open(&self) -> io::Result<()> {
        self.send(Command::Open).await
    }

    /// Drops or hears the packets of new connections.
    ///
    /// # Errors
    /// When the system does not allow a filter.
    pub async fn deaf(&self, deaf: bool) -> io::Result<()> {
        self.send(Command::Deaf(deaf)).await
    }

    async fn send(&self, command: Command) -> io::Result<()> {
        let gone = || io::Error::other("the listener has ended");
        let (reply, answer) = oneshot::channel();
        self.commands.send((command, reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Starts the accept loop.
///
/// # Errors
/// When the socket has no address.
pub fn start(
    instance: Arc<Instance>,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
) -> io::Result<ListenerHandle> {
    let address = listener.local_addr()?;
    let (commands, inbox) = mpsc::channel(4);
    tokio::spawn(run(instance, listener, tls, address, inbox));
    Ok(ListenerHandle { commands, address })
}

async fn run(
    instance: Arc<Instance>,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    address: SocketAddr,
    mut inbox: mpsc::Receiver<(Command, oneshot::Sender<io::Result<()>>)>,
) {
    let mut listener = Some(listener);
    loop {
        tokio::select! {
            biased;
            command = inbox.recv() => {
                let Some((command, reply)) = command else { return };
                // Nobody may wait for the answer any more; the command holds all the same.
                let _ = reply.send(obey(command, &mut listener, address));
            }
            accepted = accept(listener.as_ref()) => match accepted {
                Ok((stream, peer)) => adopt(&instance, stream, peer, tls.clone()),
                Err(error) => {
                    // Out of descriptors, mostly: let some connections end.
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
}

fn obey(command: Command, listener: &mut Option<TcpListener>, address: SocketAddr) -> io::Result<()> {
    match (command, listener.as_ref()) {
        (Command::Close, _) => *listener = None,
        (Command::Open, None) => *listener = Some(bind(address)?),
        (Command::Open, Some(_)) | (Command::Deaf(false), None) => {}
        (Command::Deaf(true), None) => return Err(io::Error::other("the listener is closed")),
        (Command::Deaf(true), Some(listener)) => attach_drop_all(&SockRef::from(listener))?,
        (Command::Deaf(false), Some(listener)) => {
            // "No filter" is what we want; the system calls it an error.
            let _ = SockRef::from(listener).detach_filter();
        }
    }
    Ok(())
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

fn adopt(instance: &Arc<Instance>, stream: TcpStream, peer: SocketAddr, tls: Option<Arc<ServerConfig>>) {
    // Fails only on a connection that is gone already.
    let _ = stream.set_nodelay(true);
    let wire = instance.connections.adopt(stream, peer);
    // On the list first, then a look at the faults: a fault that comes now finds it there.
    match instance.faults.whole() {
        Some(Mode::Hang) => wire.connection().answers.set_closed(true),
        Some(Mode::Blackhole) => {
            wire.connection().packets.set_closed(true);
            let _ = attach_drop_all(&wire.connection().socket());
        }
        _ => {}
    }
    tokio::spawn(connection::serve(Arc::clone(instance), wire, tls));
}
