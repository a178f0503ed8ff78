//! The store: one thread that owns the database, and the handle that the program holds.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

use rusqlite::{Connection, Transaction};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::audit::{self, Broken, Fact, Head};
use super::{StoreError, dir, schema};
use crate::balance::{Override, OverrideKind};
use crate::clock::unix_time;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// The open store. Dropping it finishes what was begun, closes the database and gives up the lock.
pub struct Store {
    pub(super) file: PathBuf,
    /// `None` only while being dropped.
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    overrides: Arc<RwLock<Vec<Override>>>,
    /// Held, not read: its lock is what keeps others out.
    _lock: std::fs::File,
}

impl Store {
    /// Makes or opens the store in `state_dir` and locks it for this process.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let lock = dir::claim(state_dir)?;
        let file = state_dir.join(FILE);
        let mut db = schema::open(&file)?;
        if let Ok(Err(Broken { seq })) = audit::verify(&db) {
            // No reason not to start: routing and overrides do not depend on it.
            tracing::error!(file = %file.display(), seq, "the audit log was changed from outside: its chain breaks at this entry");
        }
        let overrides = Arc::new(RwLock::new(read_overrides(&db, &file)?));
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let writer = std::thread::Builder::new()
            .name("state".to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut db);
                }
            })
            .map_err(|source| StoreError::Io { what: "start a thread for", path: file.clone(), source })?;
        Ok(Self { file, jobs: Some(jobs), writer: Some(writer), overrides, _lock: lock })
    }

    /// The overrides in force, in the order in which they were set. From memory; never waits.
    pub fn overrides(&self) -> Vec<Override> {
        self.overrides.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets an override or replaces the one of the same kind on the same instance. `by` and
    /// `since_unix` of the argument are replaced by `actor` and the time of the commit.
    pub async fn set_override(&self, wanted: Override, actor: &str) -> Result<Override, StoreError> {
        let set = Override { by: actor.to_owned(), since_unix: now_ms() / 1000, ..wanted };
        self.change(move |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO override (instance, kind, reason, actor, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                (&set.instance, set.kind.as_str(), &set.reason, &set.by, signed(set.since_unix * 1000)),
            )?;
            let detail = json!({"instance": set.instance, "reason": set.reason}).to_string();
            note(tx, &set.by, set.kind.as_str(), &detail)?;
            Ok(set)
        })
        .await
    }

    /// Removes the overrides of one instance (`None`: of all) and returns them. If there are none,
    /// nothing is written.
    pub async fn release(
        &self,
        instance: Option<&str>,
        reason: &str,
        actor: &str,
    ) -> Result<Vec<Override>, StoreError> {
        let (instance, reason, actor) = (instance.map(str::to_owned), reason.to_owned(), actor.to_owned());
        let file = self.file.clone();
        self.change(move |tx| {
            let found = rows(tx)?;
            let concerned = |row: &Row| instance.as_ref().is_none_or(|name| *name == row.instance);
            let mut removed = Vec::new();
            for row in found.into_iter().filter(concerned) {
                tx.execute(
                    "DELETE FROM override WHERE instance = ?1 AND kind = ?2",
                    (&row.instance, &row.kind),
                )?;
                let detail =
                    json!({"instance": row.instance, "kind": row.kind, "reason": reason}).to_string();
                note(tx, &actor, "release", &detail)?;
                removed.push(row.into_override(&file)?);
            }
            Ok(removed)
        })
        .await
    }

    /// Writes into the audit log what changes nothing in the store, such as a fail-back.
    pub async fn record(
        &self,
        action: &str,
        detail: &serde_json::Value,
        actor: &str,
    ) -> Result<Head, StoreError> {
        let (action, detail, actor) = (action.to_owned(), detail.to_string(), actor.to_owned());
        self.change(move |tx| Ok(note(tx, &actor, &action, &detail)?)).await
    }

    /// Follows the chain of the audit log.
    pub async fn verify_audit(&self) -> Result<Result<Head, Broken>, StoreError> {
        self.change(|tx| Ok(audit::verify(tx)?)).await
    }

    /// Runs `work` in one transaction on the writer's thread and waits for the commit. Either all
    /// of it is on the disk, or the error says why nothing is.
    pub(super) async fn change<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (answer, done) = oneshot::channel();
        let (file, shared) = (self.file.clone(), Arc::clone(&self.overrides));
        let job: Job = Box::new(move |db| {
            let result = transact(db, &file, work).map(|(value, overrides)| {
                *shared.write().unwrap_or_else(PoisonError::into_inner) = overrides;
                value
            });
            // Nobody waits any more if the caller has gone; the change stands.
            let _ = answer.send(result);
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        done.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            // A job that panicked has been reported by the panic itself.
            let _ = writer.join();
        }
    }
}

/// An error inside a transaction: SQLite's, or one of ours.
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(e: rusqlite::Error) -> Self {
        Self::Sqlite(e)
    }
}

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

fn transact<T>(
    db: &mut Connection,
    file: &Path,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<(T, Vec<Override>), StoreError> {
    let explain = |source| schema::fault(file, source);
    let tx = db.transaction().map_err(explain)?;
    let value = work(&tx).map_err(|fault| match fault {
        Fault::Sqlite(source) => explain(source),
        Fault::Store(error) => error,
    })?;
    let overrides = read_overrides(&tx, file)?;
    tx.commit().map_err(explain)?;
    Ok((value, overrides))
}

pub(super) fn note(tx: &Transaction<'_>, actor: &str, action: &str, detail: &str) -> rusqlite::Result<Head> {
    audit::append(tx, Fact { at_ms: signed(now_ms()), actor, action, detail })
}

/// A row of the table `override`.
struct Row {
    instance: String,
    kind: String,
    reason: String,
    actor: String,
    at_ms: i64,
}

impl Row {
    fn into_override(self, file: &Path) -> Result<Override, StoreError> {
        let known = [OverrideKind::Drain, OverrideKind::Quarantine];
        let Some(kind) = known.into_iter().find(|k| k.as_str() == self.kind) else {
            return Err(StoreError::Kind { file: file.to_owned(), kind: self.kind });
        };
        let since_unix = u64::try_from(self.at_ms / 1000).unwrap_or(0);
        Ok(Override { instance: self.instance, kind, reason: self.reason, by: self.actor, since_unix })
    }
}

fn rows(db: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut query = db.prepare(
        "SELECT instance, kind, reason, actor, at_ms FROM override ORDER BY at_ms, instance, kind",
    )?;
    let row = |r: &rusqlite::Row<'_>| {
        Ok(Row {
            instance: r.get(0)?,
            kind: r.get(1)?,
            reason: r.get(2)?,
            actor: r.get(3)?,
            at_ms: r.get(4)?,
        })
    };
    query.query_map([], row)?.collect()
}

fn read_overrides(db: &Connection, file: &Path) -> Result<Vec<Override>, StoreError> {
    let rows = rows(db).map_err(|source| schema::fault(file, source))?;
    rows.into_iter().map(|row| row.into_override(file)).collect()
}

pub(super) fn now_ms() -> u64 {
    u64::try_from(unix_time().as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Name of the database in `state_dir`.
const FILE: &str = "state.db";
/// Orders come from people: more than this at once means that the disk stands still.
const QUEUE: usize = 64;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn drain(instance: &str) -> Override {
        Override {
            instance: instance.to_owned(),
            kind: OverrideKind::Drain,
            reason: "maintenance".to_owned(),
            by: String::new(),
            since_unix: 0,
        }
    }

    fn refusal(dir: &Path) -> StoreError {
        match Store::open(dir) {
            Err(error) => error,
            Ok(_) => panic!("the store opened"),
        }
    }

    #[tokio::test]
    async fn overrides_survive_a_restart_and_are_in_the_audit_log() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert!(store.overrides().is_empty());
        let set = store.set_override(drain("a"), "anna").await.unwrap();
        assert_eq!(set.by, "anna");
        assert!(set.since_unix > 1_700_000_000);
        store.set_override(drain("b"), "anna").await.unwrap();
        store.record("failback", &json!({"site": "hq"}), "otto").await.unwrap();
        drop(store);

        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.overrides().len(), 2);
        assert_eq!(store.overrides()[0], set);
        assert_eq!(store.verify_audit().await.unwrap().unwrap().seq, 3);

        let removed = store.release(Some("a"), "done", "otto").await.unwrap();
        assert_eq!(removed, [set]);
        assert_eq!(store.overrides().len(), 1);
        assert!(store.release(Some("a"), "again", "otto").await.unwrap().is_empty());
        assert_eq!(
            store.verify_audit().await.unwrap().unwrap().seq,
            4,
            "nothing happened, nothing is written"
        );
        assert_eq!(store.release(None, "all", "otto").await.unwrap().len(), 1);
        assert!(store.overrides().is_empty());
    }

    #[tokio::test]
    async fn draining_twice_keeps_one_override_with_the_new_reason() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store.set_override(drain("a"), "anna").await.unwrap();
        let again = Override { reason: "longer".to_owned(), ..drain("a") };
        store.set_override(again, "otto").await.unwrap();
        let now = store.overrides();
        assert_eq!((now.len(), now[0].reason.as_str(), now[0].by.as_str()), (1, "longer", "otto"));
    }

    #[tokio::test]
    async fn a_failed_write_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let file = dir.path().join(FILE);
        // Stands for any fault in the middle of a transaction.
        Connection::open(&file).unwrap().execute_batch("DROP TABLE audit").unwrap();
        let error = store.set_override(drain("a"), "anna").await.unwrap_err();
        assert!(matches!(error, StoreError::Database { .. }), "{error}");
        assert!(store.overrides().is_empty());
        drop(store);
        let count: i64 = Connection::open(&file)
            .unwrap()
            .query_row("SELECT count(*) FROM override", [], |r| r.get(0))
            .unwrap();
        assert_eq!(count, 0);
    }

    #[test]
    fn two_processes_cannot_share_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let _held = Store::open(dir.path()).unwrap();
        assert!(matches!(refusal(dir.path()), StoreError::InUse { .. }));
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let file = dir.path().join(FILE);
        Connection::open(&file).unwrap().pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
        assert!(
            matches!(refusal(dir.path()), StoreError::Newer { found, known: schema::VERSION, .. } if found == schema::VERSION + 1)
        );
    }

    #[tokio::test]
    async fn a_file_of_the_first_version_is_upgraded_and_keeps_what_it_has() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let mut old = Connection::open(&file).unwrap();
        old.execute_batch(schema::STEPS[0]).unwrap();
        old.pragma_update(None, "application_id", 0x676b_7374).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        let tx = old.transaction().unwrap();
        tx.execute("INSERT INTO override VALUES ('a', 'drain', 'updates', 'anna', 1700000000000)", [])
            .unwrap();
        note(&tx, "anna", "drain", "{}").unwrap();
        tx.commit().unwrap();
        drop(old);

        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.overrides()[0].reason, "updates");
        assert_eq!(store.verify_audit().await.unwrap().unwrap().seq, 1);
        assert!(store.links().await.unwrap().is_empty());
        drop(store);
        let version: i64 =
            Connection::open(&file).unwrap().pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
        assert_eq!(version, schema::VERSION);
        assert!(Store::open(dir.path()).is_ok(), "the second time there is nothing to do");
    }

    #[tokio::test]
    async fn links_of_the_second_version_are_as_sure_as_they_were_made() {
        let dir = tempfile::tempdir().unwrap();
        let old = Connection::open(dir.path().join(FILE)).unwrap();
        old.execute_batch(&schema::STEPS[..2].concat()).unwrap();
        old.pragma_update(None, "application_id", 0x676b_7374).unwrap();
        old.pragma_update(None, "user_version", 2).unwrap();
        for (n, origin) in [(1, "matcher"), (2, "operator")] {
            let id = format!("{n:08}-0000-0000-0000-000000000000");
            let row = ("cameras", "a", &id, "b", &id, origin, false, 1_700_000_000_000_i64);
            old.execute("INSERT INTO link VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", row).unwrap();
        }
        drop(old);
        let links = Store::open(dir.path()).unwrap().links().await.unwrap();
        let found: Vec<&str> = links.iter().map(|l| l.confidence.as_str()).collect();
        assert_eq!(found, ["strong", "operator"]);
        assert_eq!(links[0].since_unix, 1_700_000_000);
    }

    #[test]
    fn a_foreign_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        Connection::open(&file).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
        let before = std::fs::read(&file).unwrap();
        assert!(matches!(refusal(dir.path()), StoreError::Foreign { .. }));
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }

    #[test]
    fn a_damaged_database_is_explained_and_never_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let junk = vec![0x5a_u8; 8192];
        std::fs::write(&file, &junk).unwrap();
        let error = refusal(dir.path());
        assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("Remedy"));
        assert_eq!(std::fs::read(&file).unwrap(), junk);
    }

    #[test]
    fn damage_inside_a_page_is_found_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open(dir.path()).unwrap());
        let file = dir.path().join(FILE);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[4096..4160].fill(0xff);
        std::fs::write(&file, &bytes).unwrap();
        assert!(matches!(refusal(dir.path()), StoreError::Corrupt { .. }));
    }
}
