//! Listening sockets: one per core and address, shared by `SO_REUSEPORT` (design D1).

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};
use thiserror::Error;

/// An address cannot be listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Another program, or another gatekeeper, listens there.
    #[error("{address} is in use; stop the other program (ss -ltnp shows it) or choose another address")]
    InUse {
        /// As configured.
        address: SocketAddr,
    },
    /// Not allowed, or not an address of this machine.
    #[error("cannot listen on {address}: {source}")]
    Refused {
        /// As configured.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
}

/// Opens `count` sockets on `address`, and says which address that is if the port was 0.
///
/// # Errors
/// When somebody else has it. `SO_REUSEPORT` alone would silently share the port with another
/// gatekeeper, so it is first bound without.
pub fn open(address: SocketAddr, count: usize) -> Result<(SocketAddr, Vec<TcpListener>), ListenError> {
    let explain = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse { address },
        _ => ListenError::Refused { address, source },
    };
    if address.port() != 0 {
        drop(bind(address, false).map_err(explain)?);
    }
    let first = bind(address, true).map_err(explain)?;
    let bound = first.local_addr().map_err(explain)?;
    let mut all = vec![first];
    for _ in 1..count {
        all.push(bind(bound, true).map_err(explain)?);
    }
    Ok((bound, all))
}

fn bind(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart need not wait for the connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What every accepted connection gets.
///
/// # Errors
/// When the connection is gone already.
pub fn tune(socket: &tokio::net::TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    // Tunnels have no idle limit; a client that vanished without a word is found this way.
    let keepalive = TcpKeepalive::new()
        .with_time(std::time::Duration::from_secs(60))
        .with_interval(std::time::Duration::from_secs(15));
    let socket = socket2::SockRef::from(socket);
    // Else a slow client's progress is hidden behind megabytes in the kernel's buffer, and the time
    // limits take it for a dead one.
    socket.set_tcp_notsent_lowat(NOT_SENT)?;
    socket.set_tcp_keepalive(&keepalive)
}

/// Bytes.
const NOT_SENT: u32 = 128 * 1024;
/// The kernel cuts it down to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_port_in_use_is_named() {
        let (address, sockets) = open("127.0.0.1:0".parse().unwrap(), 2).unwrap();
        assert_eq!(sockets.len(), 2);
        assert!(sockets.iter().all(|s| s.local_addr().unwrap() == address));
        assert!(matches!(open(address, 1), Err(ListenError::InUse { .. })));
        drop(sockets);
        open(address, 1).unwrap();
    }
}
