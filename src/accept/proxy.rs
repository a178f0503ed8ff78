//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): who the client of a load
//! balancer in front of us is. Only read from peers in `trusted_proxies`.

use std::net::{IpAddr, SocketAddr};

use ppp::v1::Addresses as V1;
use ppp::v2::Addresses as V2;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The connection does not start with a PROXY header.
#[derive(Debug, Error)]
pub enum ProxyError {
    /// It ended, or broke.
    #[error("the connection ended within the PROXY header")]
    Read(#[from] std::io::Error),
    /// It starts with something else.
    #[error("no valid PROXY header")]
    Malformed,
}

/// Reads the header and nothing after it. `None`: the proxy speaks for itself (health checks).
///
/// # Errors
/// When there is no header. The connection must then be closed: what follows may be anything.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, ProxyError> {
    let mut header = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE {
        header.resize(V2_HEAD, 0);
        stream.read_exact(&mut header[SIGNATURE.len()..]).await?;
        let rest = usize::from(u16::from_be_bytes([header[V2_HEAD - 2], header[V2_HEAD - 1]]));
        if rest > V2_MOST {
            return Err(ProxyError::Malformed);
        }
        header.resize(V2_HEAD + rest, 0);
        stream.read_exact(&mut header[V2_HEAD..]).await?;
        return version2(&header);
    }
    // Byte by byte: whatever follows the line belongs to TLS.
    while !header.ends_with(b"\r\n") {
        if header.len() >= V1_MOST || !b"PROXY ".iter().zip(&header).all(|(a, b)| a == b) {
            return Err(ProxyError::Malformed);
        }
        header.push(stream.read_u8().await?);
    }
    version1(&header)
}

fn version1(header: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
    let parsed = ppp::v1::Header::try_from(header).map_err(|_| ProxyError::Malformed)?;
    Ok(match parsed.addresses {
        V1::Unknown => None,
        V1::Tcp4(a) => Some(SocketAddr::new(IpAddr::V4(a.source_address), a.source_port)),
        V1::Tcp6(a) => Some(SocketAddr::new(IpAddr::V6(a.source_address), a.source_port)),
    })
}

fn version2(header: &[u8]) -> Result<Option<SocketAddr>, ProxyError> {
    let parsed = ppp::v2::Header::try_from(header).map_err(|_| ProxyError::Malformed)?;
    if parsed.command == ppp::v2::Command::Local {
        return Ok(None);
    }
    Ok(match parsed.addresses {
        V2::IPv4(a) => Some(SocketAddr::new(IpAddr::V4(a.source_address), a.source_port)),
        V2::IPv6(a) => Some(SocketAddr::new(IpAddr::V6(a.source_address), a.source_port)),
        V2::Unspecified | V2::Unix(_) => None,
    })
}

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
const V2_HEAD: usize = 16;
/// Addresses and a few extensions; the format would allow 64 KiB.
const V2_MOST: usize = 2048;
/// The longest line that version 1 allows.
const V1_MOST: usize = 107;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    async fn run(bytes: &[u8]) -> (Result<Option<SocketAddr>, ProxyError>, Vec<u8>) {
        let mut rest = bytes;
        let result = read(&mut rest).await;
        (result, rest.to_vec())
    }

    #[tokio::test]
    async fn both_versions_leave_what_follows() {
        let (client, rest) = run(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 443\r\n\x16TLS").await;
        assert_eq!(client.unwrap(), Some("192.0.2.1:1000".parse().unwrap()));
        assert_eq!(rest, b"\x16TLS");
        assert!(run(b"PROXY UNKNOWN\r\n").await.0.unwrap().is_none());

        let mut v2 = SIGNATURE.to_vec();
        v2.extend([0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 3, 232, 1, 187]);
        v2.push(0x16);
        let (client, rest) = run(&v2).await;
        assert_eq!(client.unwrap(), Some("192.0.2.1:1000".parse().unwrap()));
        assert_eq!(rest, [0x16]);
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        for bytes in [
            &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\0\0",
            b"",
        ] {
            assert!(run(bytes).await.0.is_err());
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(run(&bytes));
        }
    }
}
