//! The certificate that clients see; replaced by a reload without touching open connections.

use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thiserror::Error;

use crate::config::types::CertificateSource;

/// Why a certificate cannot be shown to clients.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file is missing, unreadable or not PEM.
    #[error("cannot read {path}: {detail}")]
    Read {
        /// As configured.
        path: std::path::PathBuf,
        /// What is wrong with it; never its contents.
        detail: String,
    },
    /// The key is of no known kind, or belongs to another certificate.
    #[error("certificate and key do not fit: {0}")]
    Key(#[from] rustls::Error),
    /// A certificate of our own could not be made.
    #[error("cannot make a self-signed certificate: {0}")]
    SelfSigned(#[from] rcgen::Error),
}

/// The current certificate. One per listener; SNI does not choose, because one certificate covers
/// all hosts of a configuration (`check` warns when it does not).
#[derive(Debug)]
pub struct Resolver {
    current: ArcSwap<CertifiedKey>,
}

impl Resolver {
    /// Shows `key` until [`Resolver::replace`].
    pub fn new(key: CertifiedKey) -> Self {
        Self { current: ArcSwap::from_pointee(key) }
    }

    /// New handshakes show `key`; open connections keep what they agreed on.
    pub fn replace(&self, key: CertifiedKey) {
        self.current.store(Arc::new(key));
    }

    /// When the leaf certificate ends, in seconds since 1970; `None` if it cannot be parsed.
    pub fn expiry(&self) -> Option<i64> {
        let current = self.current.load();
        let leaf = current.cert.first()?;
        let (_, parsed) = x509_parser::parse_x509_certificate(leaf).ok()?;
        Some(parsed.validity().not_after.timestamp())
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// Reads or makes the certificate. `hosts` are the names a self-signed one is made for.
///
/// # Errors
/// When files are unusable or do not fit together.
pub fn load(source: &CertificateSource, hosts: &[String]) -> Result<CertifiedKey, CertificateError> {
    match source {
        CertificateSource::Files { chain, key } => from_files(chain, key),
        CertificateSource::SelfSigned => self_signed(hosts),
    }
}

/// Reads a PEM chain and its key.
///
/// # Errors
/// When files are unusable or do not fit together.
pub fn from_files(chain: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let fail = |path: &Path, detail: String| CertificateError::Read { path: path.to_owned(), detail };
    let certs: Vec<_> = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect)
        .map_err(|e| fail(chain, e.to_string()))?;
    if certs.is_empty() {
        return Err(fail(chain, "it holds no certificate".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|e| fail(key, e.to_string()))?;
    certified(certs, &private)
}

fn self_signed(hosts: &[String]) -> Result<CertifiedKey, CertificateError> {
    let made = rcgen::generate_simple_self_signed(hosts.to_vec())?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der())
        .map_err(|e| rustls::Error::General(e.into()))?;
    certified(vec![made.cert.der().clone()], &key)
}

fn certified(
    certs: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'_>,
) -> Result<CertifiedKey, CertificateError> {
    let certified = CertifiedKey::new(certs, any_supported_type(key)?);
    match certified.keys_match() {
        // `Unknown` means that the kind of key cannot be compared, not that it differs.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => Ok(certified),
        Err(e) => Err(e.into()),
    }
}
