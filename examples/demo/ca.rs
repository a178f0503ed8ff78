//! Certificates: one CA for what clients see, a private one for the instances.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};

/// The files of one CA with one certificate for loopback.
#[derive(Clone, Debug)]
pub struct Files {
    /// The CA.
    pub ca: PathBuf,
    /// Its certificate for loopback.
    pub chain: PathBuf,
    /// The key of that.
    pub key: PathBuf,
}

/// Makes a CA and a certificate for `localhost` and `127.0.0.1`; files begin with `name`.
pub fn make(dir: &Path, name: &str) -> anyhow::Result<Files> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, format!("Gatekeeper demo, CA of the {name}"));
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, format!("Gatekeeper demo, {name}"));
    let leaf = params.signed_by(&key, &ca)?;

    let file = |ending: &str| dir.join(format!("{name}{ending}"));
    let files = Files { ca: file("-ca.pem"), chain: file(".pem"), key: file(".key") };
    for (path, text) in [(&files.ca, ca.pem()), (&files.chain, leaf.pem()), (&files.key, key.serialize_pem())]
    {
        write(path, &text)?;
    }
    Ok(files)
}

/// Writes a file that only we can read: the gatekeeper refuses secrets that others can read.
pub fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| path.display().to_string())
}
