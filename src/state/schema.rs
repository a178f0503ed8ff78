//! Opening the database file: its form, its version, its health.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::StoreError;

/// The form that this version of the program writes: that after every step.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// `gkst`: says that the file is ours before anything in it is believed.
const APPLICATION_ID: i64 = 0x676b_7374;

/// How each version came from the one before. Never changed, only added to: files of all versions are
/// out there.
pub(super) const STEPS: [&str; 4] = [OVERRIDES_AND_AUDIT, LINKS, CONFIDENCE, SYNC];

const OVERRIDES_AND_AUDIT: &str = "
CREATE TABLE override (
    instance TEXT NOT NULL,
    kind     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    actor    TEXT NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (instance, kind)
) STRICT;
CREATE TABLE audit (
    seq    INTEGER PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    actor  TEXT NOT NULL,
    action TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash   TEXT NOT NULL
) STRICT;
";

/// `origin`: matcher or operator. `apart`: the two are not the same object, and nobody may link them
/// by himself again. The indexes hold it to one partner a side, whatever the program does.
const LINKS: &str = "
CREATE TABLE link (
    kind       TEXT NOT NULL,
    instance_a TEXT NOT NULL,
    id_a       TEXT NOT NULL,
    instance_b TEXT NOT NULL,
    id_b       TEXT NOT NULL,
    origin     TEXT NOT NULL,
    apart      INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (instance_a, id_a, instance_b, id_b),
    CHECK (instance_a < instance_b)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX link_of_a ON link (instance_a, id_a, instance_b) WHERE apart = 0;
CREATE UNIQUE INDEX link_of_b ON link (instance_b, id_b, instance_a) WHERE apart = 0;
";

/// How sure it is that two objects are the same. Until now there was no link but by the strongest key
/// or by an operator.
const CONFIDENCE: &str = "
ALTER TABLE link ADD COLUMN confidence TEXT NOT NULL DEFAULT 'strong';
UPDATE link SET confidence = 'operator' WHERE origin = 'operator';
";

/// `base`: what both sides last agreed on about a pair of objects, in canonical form with the ids of
/// instance a. `reading`: what trusted readings of an instance are compared with. `missing` and
/// `drift`: since when. `accepted`: differences from the catalogue that a person has let pass.
const SYNC: &str = "
CREATE TABLE baseline (
    instance_a TEXT NOT NULL,
    instance_b TEXT NOT NULL,
    actor      TEXT NOT NULL,
    at_ms      INTEGER NOT NULL,
    PRIMARY KEY (instance_a, instance_b),
    CHECK (instance_a < instance_b)
) STRICT, WITHOUT ROWID;
CREATE TABLE base (
    instance_a TEXT NOT NULL,
    instance_b TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id_a       TEXT NOT NULL,
    id_b       TEXT NOT NULL,
    digest     BLOB NOT NULL,
    body       BLOB NOT NULL,
    PRIMARY KEY (instance_a, instance_b, kind, id_a, id_b)
) STRICT;
CREATE TABLE reading (
    instance TEXT PRIMARY KEY,
    past     TEXT NOT NULL,
    at_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE missing (
    instance_a TEXT NOT NULL,
    instance_b TEXT NOT NULL,
    instance   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    since_ms   INTEGER NOT NULL,
    readings   INTEGER NOT NULL,
    PRIMARY KEY (instance_a, instance_b, instance, kind, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE drift (
    instance_a TEXT NOT NULL,
    instance_b TEXT NOT NULL,
    instance   TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    field      TEXT NOT NULL,
    since_ms   INTEGER NOT NULL,
    PRIMARY KEY (instance_a, instance_b, instance, kind, id, field)
) STRICT, WITHOUT ROWID;
CREATE TABLE accepted (
    instance  TEXT NOT NULL,
    kind      TEXT NOT NULL,
    deviation TEXT NOT NULL,
    actor     TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (instance, kind, deviation)
) STRICT, WITHOUT ROWID;
";

/// Opens or makes the database; refuses one that is damaged, foreign or newer than we are.
pub(super) fn open(file: &Path) -> Result<Connection, StoreError> {
    // SQLite gives its files the mode of the first one; made here because reasons in it name people.
    OpenOptions::new().create(true).append(true).mode(0o600).open(file).map_err(|source| StoreError::Io {
        what: "create the state database",
        path: file.to_owned(),
        source,
    })?;
    let explain = |source| fault(file, source);
    let mut db = Connection::open(file).map_err(explain)?;
    db.busy_timeout(Duration::from_secs(2)).map_err(explain)?;
    let sound: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(explain)?;
    if sound != "ok" {
        return Err(StoreError::Corrupt { file: file.to_owned(), cause: sound });
    }
    let id: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(explain)?;
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(explain)?;
    let tables: i64 =
        db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(explain)?;
    match (id, version, tables) {
        (0, 0, 0) => upgrade(&mut db, 0).map_err(explain)?,
        (APPLICATION_ID, VERSION, _) => {}
        (APPLICATION_ID, older @ 1..VERSION, _) => upgrade(&mut db, older).map_err(explain)?,
        (APPLICATION_ID, newer, _) if newer > VERSION => {
            return Err(StoreError::Newer { file: file.to_owned(), found: newer, known: VERSION });
        }
        _ => return Err(StoreError::Foreign { file: file.to_owned() }),
    }
    // Only now: a file that is not ours must not even change its mode.
    prepare(&db).map_err(explain)?;
    Ok(db)
}

fn prepare(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: what an operator was told is done is on the disk, also after a power cut.
    db.pragma_update(None, "synchronous", "FULL")
}

/// One transaction: a power cut leaves the file as it was (at first: empty) or a whole one.
fn upgrade(db: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let tx = db.transaction()?;
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        tx.execute_batch(step)?;
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()
}

/// Tells damage, for which there is a remedy, from other errors.
pub(super) fn fault(file: &Path, source: rusqlite::Error) -> StoreError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            StoreError::Corrupt { file: file.to_owned(), cause: source.to_string() }
        }
        _ => StoreError::Database { file: file.to_owned(), source },
    }
}
