//! The server side of TLS: versions, ALPN, session tickets.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::server::ResolvesServerCert;

/// HTTP/2 is offered first; a client that must not use it (NTLM) asks for HTTP/1.1 itself.
pub const ALPN_H2: &[u8] = b"h2";
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// TLS 1.2 and 1.3 with the certificate that `resolver` shows.
///
/// # Errors
/// Only when the random generator or the provider fail.
pub fn server_config(
    resolver: Arc<dyn ResolvesServerCert>,
    http2: bool,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    if http2 {
        config.alpn_protocols.push(ALPN_H2.to_vec());
    }
    config.alpn_protocols.push(ALPN_HTTP1.to_vec());
    // Tickets need no shared, locked cache, and work on every core. One is enough: a client that
    // opens several connections at once pays a full handshake for the others.
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}
