//! What the black-box tests need to start real programs and to talk to them over real sockets.
//!
//! Every test binary uses a part of it only, hence the allowance for dead code.
#![allow(dead_code, reason = "each test binary uses its own part of the support code")]

pub mod client;
pub mod config;
pub mod dice;
pub mod gatekeeper;
pub mod ntlm;
pub mod pki;
pub mod process;
pub mod signer;
pub mod sim;
pub mod upstream;
pub mod ws;

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// How long a condition may take to come true. Generous: two cores are shared by many processes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How many TCP connections of this machine lead to `address` now and are open at the end that made them.
pub fn sockets_to(address: SocketAddr) -> usize {
    let IpAddr::V4(ip) = address.ip() else { panic!("{address} is no IPv4 address") };
    let wanted = format!("{:08X}:{:04X} 01 ", u32::from_le_bytes(ip.octets()), address.port());
    // Columns: number, local, remote, state; 01 is ESTABLISHED.
    std::fs::read_to_string("/proc/net/tcp").unwrap().lines().filter(|line| line.contains(&wanted)).count()
}

/// Asks `probe` again and again until it gives a value; fails the test after [`PATIENCE`].
pub async fn eventually<T, F, Fut>(what: &str, mut probe: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let start = Instant::now();
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Like [`eventually`], for a plain condition.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !condition().await {
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
