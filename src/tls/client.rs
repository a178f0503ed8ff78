//! Whom we trust behind us: the private CA of an instance, or the system's trust store.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use thiserror::Error;

use crate::config::types::Instance;

/// Why an instance's certificate could not be checked at all.
#[derive(Debug, Error)]
pub enum TrustError {
    /// The file is missing, unreadable or holds no usable certificate.
    #[error("cannot use CA file {path}: {detail}")]
    CaFile {
        /// As configured.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The system offers no trust store.
    #[error("the system has no trusted certificates (install ca-certificates or set ca_file): {0}")]
    NoSystemStore(String),
    /// The host of the instance's URL cannot stand in a certificate.
    #[error("{0} is not a name that a certificate can carry")]
    Name(String),
    /// rustls refuses the combination; does not happen with the built-in provider.
    #[error("TLS set-up: {0}")]
    Setup(#[from] rustls::Error),
}

/// The client side of TLS towards one instance. HTTP/1.1 only: one request at a time on a
/// connection is what makes NTLM pinning and exact accounting of silence possible.
///
/// # Errors
/// When there is nothing to verify against. Verification itself is never switched off.
pub fn client_config(instance: &Instance) -> Result<Arc<ClientConfig>, TrustError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &instance.ca_file {
        let fail = |detail: String| TrustError::CaFile { path: path.clone(), detail };
        for cert in CertificateDer::pem_file_iter(path).map_err(|e| fail(e.to_string()))? {
            let cert = cert.map_err(|e| fail(e.to_string()))?;
            roots.add(cert).map_err(|e| fail(e.to_string()))?;
        }
        if roots.is_empty() {
            return Err(fail("it holds no certificate".into()));
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map_or_else(|| "none found".into(), ToString::to_string);
            return Err(TrustError::NoSystemStore(why));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
