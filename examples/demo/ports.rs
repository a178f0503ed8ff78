//! Free ports for what is started.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::bail;

/// Hands out ports below the range from which the system picks ports for outgoing connections: else one of
/// those could take the port of an instance while it is dead.
#[derive(Debug)]
pub struct Ports {
    next: u16,
}

impl Ports {
    /// Nothing is handed out yet.
    pub fn new() -> Self {
        // Two demos at once start to look in different places.
        let offset = u16::try_from(std::process::id() % 1000).unwrap_or(0);
        Self { next: FIRST_PORT + offset * 10 }
    }

    /// One that nobody listens on now.
    pub fn free(&mut self) -> anyhow::Result<SocketAddr> {
        while self.next < LAST_PORT {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.next));
            self.next += 1;
            if TcpListener::bind(address).is_ok() {
                return Ok(address);
            }
        }
        bail!("no free port up to {LAST_PORT}")
    }
}

const FIRST_PORT: u16 = 20_000;
const LAST_PORT: u16 = 32_000;
