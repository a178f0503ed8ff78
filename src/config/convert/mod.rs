//! From single values to the configuration that the program uses: what values mean together.
//!
//! Each part returns `None` after a complaint and goes on wherever it can, so that one run finds
//! all mistakes.

mod admin;
mod instances;
mod listener;
mod pair;
mod profile;
mod sites;
mod sync;
mod timing;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::certificate::CertificateError;
use super::complaint::{At, Collector};
use super::files;
use super::keys::{self, Key};
use super::raw::Table;
use super::types::{Config, Validate};
use super::value;

/// What every part needs.
pub(super) struct Context<'a> {
    /// Errors and warnings.
    pub(super) out: Collector<'a>,
    /// The configuration file's directory: relative paths start here.
    pub(super) base: PathBuf,
    /// For expiry dates.
    pub(super) now: SystemTime,
    /// Every file that the configuration names.
    pub(super) files: Vec<PathBuf>,
}

impl Context<'_> {
    /// A path of the configuration, remembered as one of its files.
    fn file(&mut self, path: &str) -> PathBuf {
        let path = files::resolve(&self.base, path);
        self.files.push(path.clone());
        path
    }

    /// An error about one key of a table.
    fn error(&mut self, table: &Table, key: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.out.error(table.at(key), table.place(key), problem, remedy);
    }

    /// A warning about one key of a table.
    fn warning(&mut self, table: &Table, key: &str, problem: impl Into<String>, remedy: impl Into<String>) {
        self.out.warning(table.at(key), table.place(key), problem, remedy);
    }

    /// An error about a file that a key names.
    fn bad_file(&mut self, table: &Table, key: &str, error: &CertificateError) {
        let remedy = match error {
            CertificateError::File(files::FileError::Forbidden(_)) => {
                "let the gatekeeper's user read it".to_owned()
            }
            CertificateError::File(_) => {
                "put the file there or correct the path, which starts at the configuration file".to_owned()
            }
            CertificateError::NoCertificate(_) | CertificateError::BadCertificate(_) => {
                "name a PEM file that holds certificates".to_owned()
            }
            CertificateError::EncryptedKey(_) => "decrypt it, for example with openssl pkey".to_owned(),
            CertificateError::NoKey(_) | CertificateError::BadKey(_) => {
                "name a PEM file with an RSA, ECDSA or Ed25519 key".to_owned()
            }
            CertificateError::Mismatch => "name the key with which the certificate was requested".to_owned(),
        };
        let problem = match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        self.error(table, key, problem, remedy);
    }

    /// Checks that a file with a secret can be read, is not empty and not open to everyone.
    /// Returns its contents without the line break at the end.
    fn secret(&mut self, table: &Table, key: &str, path: &Path) -> Option<Vec<u8>> {
        let mut contents = match files::read(path) {
            Ok(contents) => contents,
            Err(error) => {
                self.bad_file(table, key, &error.into());
                return None;
            }
        };
        while contents.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
            contents.pop();
        }
        if contents.is_empty() {
            self.error(table, key, format!("{} is empty", path.display()), "write the secret into it");
            return None;
        }
        self.warn_if_open(table, key, path);
        Some(contents)
    }

    fn warn_if_open(&mut self, table: &Table, key: &str, path: &Path) {
        if files::is_world_readable(path) {
            let remedy = format!("chmod o-r {}", path.display());
            self.warning(table, key, format!("everyone on this machine can read {}", path.display()), remedy);
        }
    }
}

/// The whole configuration; `None` if anything was wrong.
pub(super) fn config(root: &Table, file: &Path, cx: &mut Context<'_>) -> Option<Config> {
    let state_dir = root.get::<String>("state_dir").map(|dir| files::resolve(&cx.base, &dir));
    let workers = root.table("runtime").and_then(|t| t.get::<u32>("workers")).map(workers);

    let instances = instances::convert(root, cx);
    let sites = sites::convert(root, cx);
    let listener = listener::convert(root, sites.as_deref(), cx);
    let admin = admin::convert(root, state_dir.as_deref(), cx);
    let metrics = root.table("metrics").and_then(|t| t.get::<Option<SocketAddr>>("address"));
    listener::check_addresses(root, cx);
    let upstream = timing::upstream(root, cx);
    let health = timing::health(root, cx);
    let failback = timing::failback(root, cx);
    let sync = sync::convert(root, cx);
    let validate = root.table("session").and_then(|t| t.get::<String>("validate"));

    Some(Config {
        file: file.to_owned(),
        state_dir: state_dir?,
        workers: workers?,
        listener: listener?,
        admin: admin?,
        metrics: metrics?,
        upstream: upstream?,
        instances: instances?,
        sites: sites?,
        health: health?,
        failback: failback?,
        sync: sync?,
        validate: if validate? == "never" { Validate::Never } else { Validate::Auto },
        // Only known when everything was looked at; the caller fills it in.
        warnings: Vec::new(),
    })
}

fn workers(wanted: u32) -> NonZeroUsize {
    NonZeroUsize::new(wanted as usize)
        .or_else(|| std::thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
}

/// One warning that names every key that is written but has no effect yet.
pub(super) fn warn_unbuilt(set: &[(At, &'static Key)], cx: &mut Context<'_>) {
    let mut set = set.to_vec();
    set.sort_by_key(|(at, _)| *at);
    let mut names: Vec<String> = Vec::new();
    for (_, key) in &set {
        let (parent, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        // The keys of an optional table are named by the table's own row.
        if keys::find(parent).is_some() {
            continue;
        }
        let shown = format!("{} {name}", keys::header(parent));
        if !names.contains(&shown) {
            names.push(shown);
        }
    }
    if let Some((at, _)) = set.first() {
        let remedy = "they are checked; the parts that use them are not built yet";
        cx.out.warning(*at, "", format!("keys without effect: {}", names.join(", ")), remedy);
    }
}

/// Complains about entries of a list that stand in it twice.
fn refuse_twice(table: &Table, key: &str, items: &[value::Item<String>], cx: &mut Context<'_>) -> bool {
    let mut good = true;
    let mut seen = HashSet::new();
    for item in items {
        if !seen.insert(&item.value) {
            good = false;
            let problem = format!("{} is listed twice", value::quote(&item.value));
            cx.out.error(item.at, table.place(key), problem, "remove one");
        }
    }
    good
}
