//! Certificates, keys and CAs in PEM files: do they parse, belong together, cover the names?

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error as TlsError, InconsistentKeys, RootCertStore};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::files::{self, FileError};

/// Why a certificate or key cannot be used. Never holds any of its contents.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Not readable.
    #[error(transparent)]
    File(#[from] FileError),
    /// PEM without a certificate.
    #[error("there is no certificate in {}", .0.display())]
    NoCertificate(PathBuf),
    /// Not a certificate inside.
    #[error("{} is not a valid certificate file", .0.display())]
    BadCertificate(PathBuf),
    /// PEM without a key.
    #[error("there is no private key in {}", .0.display())]
    NoKey(PathBuf),
    /// Needs a password.
    #[error("the private key in {} is encrypted", .0.display())]
    EncryptedKey(PathBuf),
    /// A kind of key that cannot be used.
    #[error("the private key in {} cannot be used", .0.display())]
    BadKey(PathBuf),
    /// Key and certificate are of different pairs.
    #[error("the private key does not belong to the certificate")]
    Mismatch,
}

/// The certificates of a PEM file, in its order; at least one.
pub fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let pem = files::read(path)?;
    let bad = || CertificateError::BadCertificate(path.to_owned());
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| bad())?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate(path.to_owned()));
    }
    for certificate in &chain {
        X509Certificate::from_der(certificate).map_err(|_| bad())?;
    }
    Ok(chain)
}

/// The first private key of a PEM file.
pub fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let pem = files::read(path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----";
        if pem.windows(encrypted.len()).any(|w| w == encrypted) {
            CertificateError::EncryptedKey(path.to_owned())
        } else {
            CertificateError::NoKey(path.to_owned())
        }
    })
}

/// Checks that a key can be used and belongs to the first certificate of a chain.
pub fn check_pair(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    key_path: &Path,
) -> Result<(), CertificateError> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|_| CertificateError::BadKey(key_path.to_owned()))?;
    match CertifiedKey::new(chain, key).keys_match() {
        // `Unknown`: the key cannot tell its public half, which is no evidence of a mistake.
        Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(()),
        Err(_) => Err(CertificateError::Mismatch),
    }
}

/// Checks a file of CA certificates. Returns how many.
pub fn check_ca(path: &Path) -> Result<usize, CertificateError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_chain(path)? {
        roots.add(certificate).map_err(|_| CertificateError::BadCertificate(path.to_owned()))?;
    }
    Ok(roots.len())
}

/// What a certificate says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Host names (lower-case, perhaps with `*`) and addresses that it is for.
    pub names: Vec<String>,
    /// Not before this.
    pub from: SystemTime,
    /// Not after this.
    pub until: SystemTime,
}

impl Facts {
    /// The facts of a certificate; `None` if it does not parse.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let mut names = Vec::new();
        // The subject's common name does not count: no client looks at it any more.
        if let Ok(Some(extension)) = parsed.subject_alternative_name() {
            for name in &extension.value.general_names {
                match name {
                    GeneralName::DNSName(name) => names.push(name.to_ascii_lowercase()),
                    GeneralName::IPAddress(bytes) => names.extend(address(bytes).map(|a| a.to_string())),
                    _ => {}
                }
            }
        }
        let validity = parsed.validity();
        Some(Self {
            names,
            from: unix(validity.not_before.timestamp()),
            until: unix(validity.not_after.timestamp()),
        })
    }

    /// The certificate is for this host (lower-case; IPv6 without brackets).
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| {
            name == host
                || name.strip_prefix("*.").is_some_and(|parent| {
                    // A wildcard stands for one label and never for an address.
                    host.parse::<IpAddr>().is_err()
                        && host
                            .split_once('.')
                            .is_some_and(|(first, rest)| !first.is_empty() && rest == parent)
                })
        })
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

fn unix(seconds: i64) -> SystemTime {
    // Clamped to years that every printer of dates can show: a certificate may claim any date.
    const LAST: u64 = 253_402_300_799; // 9999-12-31T23:59:59Z
    let seconds = u64::try_from(seconds).unwrap_or(0).min(LAST);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// A moment as a date that a person reads: `2031-05-01 12:00:00 UTC`.
pub fn show_date(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', " UTC")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_one_label() {
        let now = SystemTime::UNIX_EPOCH;
        let facts = Facts { names: vec!["*.example".into(), "10.0.0.1".into()], from: now, until: now };
        assert!(facts.covers("vms.example") && facts.covers("10.0.0.1"));
        for other in ["example", "a.vms.example", ".example", "10.0.0.2", "vms.other"] {
            assert!(!facts.covers(other), "{other}");
        }
    }

    #[test]
    fn dates_out_of_reach_do_not_panic() {
        assert_eq!(show_date(unix(i64::MAX)), "9999-12-31 23:59:59 UTC");
        assert_eq!(show_date(unix(-1)), "1970-01-01 00:00:00 UTC");
    }
}
