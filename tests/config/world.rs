//! A directory with the files that configurations of the tests name.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use gatekeeper::config::types::Config;
use gatekeeper::config::{LoadError, parse};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

pub struct World {
    dir: TempDir,
}

impl World {
    pub fn new() -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(world.path("certs")).unwrap();
        std::fs::create_dir(world.path("secrets")).unwrap();
        let (vms, vms_key) = certificate(&["vms.example", "127.0.0.1"], 2020, 2099);
        let (_, other_key) = certificate(&["vms.example"], 2020, 2099);
        let (expired, expired_key) = certificate(&["vms.example"], 2020, 2021);
        let (future, future_key) = certificate(&["vms.example"], 2090, 2099);
        world.write("certs/vms.pem", &vms, 0o644);
        world.write("certs/vms.key", &vms_key, 0o600);
        world.write("certs/vms-open.key", &vms_key, 0o644);
        world.write("certs/other.key", &other_key, 0o600);
        world.write("certs/expired.pem", &expired, 0o644);
        world.write("certs/expired.key", &expired_key, 0o600);
        world.write("certs/future.pem", &future, 0o644);
        world.write("certs/future.key", &future_key, 0o600);
        world.write("certs/ca.pem", &vms, 0o644);
        world.write("certs/vms-a-ca.pem", &vms, 0o644);
        world.write("certs/text.pem", "not a certificate", 0o600);
        world.write("certs/broken.pem", &pem("CERTIFICATE"), 0o644);
        world.write("certs/broken.key", &pem("PRIVATE KEY"), 0o600);
        world.write("certs/encrypted.key", &pem("ENCRYPTED PRIVATE KEY"), 0o600);
        world.write("secrets/a", "hunter2\n", 0o600);
        world.write("secrets/a-sync", "hunter3\n", 0o600);
        world.write("secrets/open", "hunter2\n", 0o644);
        world.write("secrets/empty", "\n", 0o600);
        world.write("secrets/alice.token", "token-of-alice\n", 0o600);
        world.write("secrets/copy.token", "token-of-alice", 0o600);
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn parse(&self, toml: &[u8]) -> Result<Config, LoadError> {
        // A fixed day, so that certificates expire in no test by themselves.
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        parse(&self.path("gatekeeper.toml"), toml, now)
    }

    /// What an operator would be told, without the name of the directory.
    pub fn say(&self, toml: &[u8]) -> String {
        let lines = match self.parse(toml) {
            Ok(config) => std::iter::once("ok".to_owned())
                .chain(config.warnings.iter().map(|w| format!("warning: {w}")))
                .collect(),
            Err(error) => error.complaints.iter().map(ToString::to_string).collect::<Vec<_>>(),
        };
        let text = format!("{}\n", lines.join("\n"));
        assert!(!text.contains("hunter"), "a secret was told: {text}");
        text.replace(&format!("{}/", self.dir.path().display()), "")
    }

    fn write(&self, name: &str, contents: &str, mode: u32) {
        write(&self.path(name), contents, mode);
    }
}

pub fn write(path: &Path, contents: &str, mode: u32) {
    std::fs::write(path, contents).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn certificate(names: &[&str], from: i32, until: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params =
        CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

/// Valid PEM around bytes that are nothing.
fn pem(label: &str) -> String {
    format!("-----BEGIN {label}-----\naGVsbG8gd29ybGQ=\n-----END {label}-----\n")
}
