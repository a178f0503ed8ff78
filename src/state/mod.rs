//! What must survive a restart: operator overrides, links of the identity map, what sync has found out,
//! and the audit log (design D14).
//!
//! One SQLite file in `state_dir`, written by one thread; the rest of the program sends it jobs
//! through a bounded channel and waits for the commit. Routing never waits for it: overrides are
//! read once at the start and kept in memory.

mod audit;
mod dir;
mod links;
mod schema;
mod store;
mod sync;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use audit::{Broken, Head};
pub use links::{End, LinkChange, StoredLink};
pub use store::Store;
pub use sync::{Acceptance, BaseReader, PairChange, PairState, StoredBase, StoredDrift, StoredMissing};

/// Why state could not be read or written.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A file or folder cannot be used.
    #[error(
        "cannot {what} {path}: {source}; state_dir must be writable for the user that runs the gatekeeper"
    )]
    Io {
        /// What was being done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// Another process holds the lock.
    #[error("state_dir {dir} is in use by another gatekeeper{}; stop it or give this one its own state_dir", holder(.pid))]
    InUse {
        /// The folder.
        dir: PathBuf,
        /// Its process id as it wrote it into the lock file; may be empty.
        pid: String,
    },
    /// SQLite found damage.
    #[error(
        "the state database {file} is damaged ({cause}); it is left as it is. Remedy: copy {file}* away for examination, restore a backup or remove them, start again (without a backup all drains are forgotten: look at `gatekeeper status`)"
    )]
    Corrupt {
        /// The database.
        file: PathBuf,
        /// SQLite's words.
        cause: String,
    },
    /// Written by a later version.
    #[error(
        "the state database {file} has version {found}, this program knows {known}: use the newer gatekeeper again, or a backup from before the upgrade"
    )]
    Newer {
        /// The database.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A database of some other program.
    #[error("{file} is not a state database of the gatekeeper; choose another state_dir")]
    Foreign {
        /// The database.
        file: PathBuf,
    },
    /// An override that this version does not know.
    #[error(
        "the state database {file} holds an override of the unknown kind {kind:?}; use the gatekeeper that wrote it"
    )]
    Kind {
        /// The database.
        file: PathBuf,
        /// As stored.
        kind: String,
    },
    /// A link, or what sync has found out about one, that this version does not understand.
    #[error(
        "the state database {file} holds a link that cannot be read ({what}); use the gatekeeper that wrote it"
    )]
    Link {
        /// The database.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Any other error of SQLite, such as a full disk.
    #[error("the state database {file} failed: {source}; check free space and permissions")]
    Database {
        /// The database.
        file: PathBuf,
        /// SQLite's words.
        source: rusqlite::Error,
    },
    /// The writer has ended.
    #[error("the state store is closed")]
    Closed,
}

fn holder(pid: &str) -> String {
    if pid.is_empty() { String::new() } else { format!(" (process {pid})") }
}
