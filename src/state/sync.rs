//! What sync has found out about instances, as stored: agreed bases, baselines, past readings, and since
//! when something is missing or has drifted.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction};
use serde_json::json;

use super::StoreError;
use super::schema;
use super::store::{Fault, Store, note, now_ms, signed};
use crate::idmap::guid::Guid;

/// What both sides last agreed on about a pair of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBase {
    /// Name of the REST collection.
    pub kind: String,
    /// On the instance whose name comes first, and on the other.
    pub ids: [Guid; 2],
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    /// In canonical form, with the ids of the first instance.
    pub body: Vec<u8>,
}

/// A linked object that readings do not have any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredMissing {
    /// Where it was.
    pub instance: String,
    /// Name of the REST collection.
    pub kind: String,
    /// Its id.
    pub id: Guid,
    /// Since when, in seconds of UNIX time.
    pub since_unix: u64,
    /// In so many full readings in a row.
    pub readings: u32,
}

/// A field that was changed on the target alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredDrift {
    /// The target.
    pub instance: String,
    /// Name of the REST collection.
    pub kind: String,
    /// Its id.
    pub id: Guid,
    /// The field.
    pub field: String,
    /// When it was first seen, in seconds of UNIX time.
    pub since_unix: u64,
}

/// A difference from the catalogue, or an emptiness, that a person has let pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acceptance {
    /// Of which instance.
    pub instance: String,
    /// Name of the REST collection.
    pub kind: String,
    /// In the words of the reading.
    pub deviation: String,
}

/// Everything about two instances but the bodies of the bases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairState {
    /// Who has confirmed what was paired at first, and when (seconds of UNIX time).
    pub baseline: Option<(String, u64)>,
    /// The bases: type, ids, digest.
    pub bases: Vec<(String, [Guid; 2], [u8; 32])>,
    /// Linked objects that are missing.
    pub missing: Vec<StoredMissing>,
    /// Drift, by when it was first seen.
    pub drift: Vec<StoredDrift>,
}

/// What a reading has changed about two instances. In one transaction.
#[derive(Clone, Debug, Default)]
pub struct PairChange {
    /// New or changed bases.
    pub put: Vec<StoredBase>,
    /// Bases that end.
    pub drop: Vec<(String, [Guid; 2])>,
    /// Replaces all that was missing, if anything changed.
    pub missing: Option<Vec<StoredMissing>>,
    /// Replaces all drift, if anything changed.
    pub drift: Option<Vec<StoredDrift>>,
}

impl PairChange {
    /// There is nothing to write.
    pub const fn is_empty(&self) -> bool {
        self.put.is_empty() && self.drop.is_empty() && self.missing.is_none() && self.drift.is_none()
    }
}

impl Store {
    /// What is known about two instances, `names` sorted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn pair_state(&self, names: &[String; 2]) -> Result<PairState, StoreError> {
        let (file, [a, b]) = (self.file.clone(), names.clone());
        self.change(move |tx| {
            let baseline = tx
                .query_row(
                    "SELECT actor, at_ms FROM baseline WHERE instance_a = ?1 AND instance_b = ?2",
                    (&a, &b),
                    |row| Ok((row.get(0)?, seconds(row.get(1)?))),
                )
                .optional()?;
            Ok(PairState {
                baseline,
                bases: bases(tx, &file, &a, &b)?,
                missing: missing(tx, &file, &a, &b)?,
                drift: drift(tx, &file, &a, &b)?,
            })
        })
        .await
    }

    /// Writes down what a reading has changed.
    ///
    /// # Errors
    /// When it cannot be written; nothing is changed then.
    pub async fn change_pair(&self, names: &[String; 2], change: PairChange) -> Result<(), StoreError> {
        let [a, b] = names.clone();
        self.change(move |tx| Ok(write(tx, &a, &b, &change)?)).await
    }

    /// Writes down that somebody has confirmed what was paired at first, with its audit entry.
    ///
    /// # Errors
    /// When it cannot be written; nothing is changed then.
    pub async fn confirm_baseline(
        &self,
        names: &[String; 2],
        reason: &str,
        actor: &str,
    ) -> Result<(), StoreError> {
        let ([a, b], reason, actor) = (names.clone(), reason.to_owned(), actor.to_owned());
        self.change(move |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO baseline (instance_a, instance_b, actor, at_ms) VALUES (?1, ?2, ?3, ?4)",
                (&a, &b, &actor, signed(now_ms())),
            )?;
            let detail = json!({"instances": [a, b], "reason": reason}).to_string();
            note(tx, &actor, "confirm-baseline", &detail)?;
            Ok(())
        })
        .await
    }

    /// What trusted readings of an instance were like, as it was put there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn past_reading(&self, instance: &str) -> Result<Option<String>, StoreError> {
        let instance = instance.to_owned();
        self.change(move |tx| {
            let past =
                tx.query_row("SELECT past FROM reading WHERE instance = ?1", [&instance], |row| row.get(0));
            Ok(past.optional()?)
        })
        .await
    }

    /// Keeps what a trusted reading of an instance was like.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_reading(&self, instance: &str, past: String) -> Result<(), StoreError> {
        let instance = instance.to_owned();
        self.change(move |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO reading (instance, past, at_ms) VALUES (?1, ?2, ?3)",
                (&instance, &past, signed(now_ms())),
            )?;
            Ok(())
        })
        .await
    }

    /// What persons have let pass.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn acceptances(&self) -> Result<Vec<Acceptance>, StoreError> {
        self.change(|tx| {
            let mut query = tx.prepare("SELECT instance, kind, deviation FROM accepted ORDER BY 1, 2, 3")?;
            let row = |r: &rusqlite::Row<'_>| {
                Ok(Acceptance { instance: r.get(0)?, kind: r.get(1)?, deviation: r.get(2)? })
            };
            Ok(query.query_map([], row)?.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Lets differences from the catalogue pass from now on. `words`: all that a person has let pass about
    /// a type of an instance, or about all of it, for the audit log.
    ///
    /// # Errors
    /// When it cannot be written; nothing is changed then.
    pub async fn accept(
        &self,
        accepted: Vec<Acceptance>,
        (instance, kind): (&str, Option<&str>),
        words: &[String],
        reason: &str,
        actor: &str,
    ) -> Result<(), StoreError> {
        let detail =
            json!({"instance": instance, "type": kind, "let_pass": words, "reason": reason}).to_string();
        let actor = actor.to_owned();
        self.change(move |tx| {
            for one in &accepted {
                tx.execute(
                    "INSERT OR IGNORE INTO accepted (instance, kind, deviation, actor, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                    (&one.instance, &one.kind, &one.deviation, &actor, signed(now_ms())),
                )?;
            }
            note(tx, &actor, "accept-reading", &detail)?;
            Ok(())
        })
        .await
    }

    /// A way to read the bodies of bases without waiting for the writer.
    pub fn base_reader(&self, names: &[String; 2]) -> Result<BaseReader, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.file, flags).map_err(|e| schema::fault(&self.file, e))?;
        Ok(BaseReader { db, file: self.file.clone(), names: names.clone() })
    }
}

/// Reads bodies of bases; of one thread.
pub struct BaseReader {
    db: Connection,
    file: PathBuf,
    names: [String; 2],
}

impl BaseReader {
    /// The body of a base, if there is one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn body(&self, kind: &str, ids: [Guid; 2]) -> Result<Option<Vec<u8>>, StoreError> {
        let explain = |e| schema::fault(&self.file, e);
        let mut query = self
            .db
            .prepare_cached("SELECT body FROM base WHERE instance_a = ?1 AND instance_b = ?2 AND kind = ?3 AND id_a = ?4 AND id_b = ?5")
            .map_err(explain)?;
        let ([a, b], [on_a, on_b]) = (&self.names, ids.map(|id| id.to_string()));
        query.query_row((a, b, kind, on_a, on_b), |row| row.get(0)).optional().map_err(explain)
    }
}

fn write(tx: &Transaction<'_>, a: &str, b: &str, change: &PairChange) -> rusqlite::Result<()> {
    let mut drop = tx.prepare_cached(
        "DELETE FROM base WHERE instance_a = ?1 AND instance_b = ?2 AND kind = ?3 AND id_a = ?4 AND id_b = ?5",
    )?;
    for (kind, [on_a, on_b]) in &change.drop {
        drop.execute((a, b, kind, on_a.to_string(), on_b.to_string()))?;
    }
    let mut put = tx.prepare_cached(
        "INSERT OR REPLACE INTO base (instance_a, instance_b, kind, id_a, id_b, digest, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for base in &change.put {
        let [on_a, on_b] = base.ids.map(|id| id.to_string());
        put.execute((a, b, &base.kind, on_a, on_b, base.digest, &base.body))?;
    }
    if let Some(all) = &change.missing {
        tx.execute("DELETE FROM missing WHERE instance_a = ?1 AND instance_b = ?2", (a, b))?;
        let mut add = tx.prepare_cached(
            "INSERT INTO missing (instance_a, instance_b, instance, kind, id, since_ms, readings) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for one in all {
            let since = signed(one.since_unix.saturating_mul(1000));
            add.execute((a, b, &one.instance, &one.kind, one.id.to_string(), since, one.readings))?;
        }
    }
    if let Some(all) = &change.drift {
        tx.execute("DELETE FROM drift WHERE instance_a = ?1 AND instance_b = ?2", (a, b))?;
        let mut add = tx.prepare_cached(
            "INSERT INTO drift (instance_a, instance_b, instance, kind, id, field, since_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for one in all {
            let since = signed(one.since_unix.saturating_mul(1000));
            add.execute((a, b, &one.instance, &one.kind, one.id.to_string(), &one.field, since))?;
        }
    }
    Ok(())
}

type BaseDigest = (String, [Guid; 2], [u8; 32]);

fn bases(db: &Connection, file: &Path, a: &str, b: &str) -> Result<Vec<BaseDigest>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT kind, id_a, id_b, digest FROM base WHERE instance_a = ?1 AND instance_b = ?2",
    )?;
    let mut rows = query.query((a, b))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push((row.get(0)?, [id(row, 1, file)?, id(row, 2, file)?], row.get(3)?));
    }
    Ok(all)
}

fn missing(db: &Connection, file: &Path, a: &str, b: &str) -> Result<Vec<StoredMissing>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT instance, kind, id, since_ms, readings FROM missing WHERE instance_a = ?1 AND instance_b = ?2 ORDER BY 1, 2, 3",
    )?;
    let mut rows = query.query((a, b))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(StoredMissing {
            instance: row.get(0)?,
            kind: row.get(1)?,
            id: id(row, 2, file)?,
            since_unix: seconds(row.get(3)?),
            readings: row.get(4)?,
        });
    }
    Ok(all)
}

fn drift(db: &Connection, file: &Path, a: &str, b: &str) -> Result<Vec<StoredDrift>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT instance, kind, id, field, since_ms FROM drift WHERE instance_a = ?1 AND instance_b = ?2 ORDER BY 1, 2, 3, 4",
    )?;
    let mut rows = query.query((a, b))?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(StoredDrift {
            instance: row.get(0)?,
            kind: row.get(1)?,
            id: id(row, 2, file)?,
            field: row.get(3)?,
            since_unix: seconds(row.get(4)?),
        });
    }
    Ok(all)
}

fn id(row: &rusqlite::Row<'_>, column: usize, file: &Path) -> Result<Guid, Fault> {
    let text: String = row.get(column)?;
    let what = format!("{text:?} is no id");
    text.parse().map_err(|_| StoreError::Link { file: file.to_owned(), what }.into())
}

fn seconds(ms: i64) -> u64 {
    u64::try_from(ms / 1000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn guid(n: u8) -> Guid {
        Guid::new([n; 16])
    }

    fn names() -> [String; 2] {
        ["a".to_owned(), "b".to_owned()]
    }

    fn base(n: u8, body: &[u8]) -> StoredBase {
        let ids = [guid(n), guid(n + 100)];
        StoredBase { kind: "cameras".to_owned(), ids, digest: [n; 32], body: body.to_vec() }
    }

    #[tokio::test]
    async fn bases_survive_a_restart_and_are_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let put = PairChange { put: vec![base(1, b"{}"), base(2, b"{2}")], ..PairChange::default() };
        store.change_pair(&names(), put).await.unwrap();
        let second = PairChange {
            put: vec![StoredBase { digest: [9; 32], ..base(2, b"{9}") }],
            drop: vec![("cameras".to_owned(), base(1, b"").ids)],
            ..PairChange::default()
        };
        store.change_pair(&names(), second).await.unwrap();
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        let state = store.pair_state(&names()).await.unwrap();
        assert_eq!(state.bases, [("cameras".to_owned(), base(2, b"").ids, [9; 32])]);
        let reader = store.base_reader(&names()).unwrap();
        assert_eq!(reader.body("cameras", base(2, b"").ids).unwrap().unwrap(), b"{9}");
        assert_eq!(reader.body("cameras", base(1, b"").ids).unwrap(), None);
        let others = ["a".to_owned(), "c".to_owned()];
        assert_eq!(store.pair_state(&others).await.unwrap(), PairState::default());
    }

    #[tokio::test]
    async fn what_is_missing_or_drifted_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let text = str::to_owned;
        let lost = |n: u8| StoredMissing {
            instance: text("b"),
            kind: text("cameras"),
            id: guid(n),
            since_unix: 5,
            readings: 2,
        };
        let drift = StoredDrift {
            instance: text("b"),
            kind: text("roles"),
            id: guid(3),
            field: text("name"),
            since_unix: 7,
        };
        let first = PairChange {
            missing: Some(vec![lost(1), lost(2)]),
            drift: Some(vec![drift.clone()]),
            ..PairChange::default()
        };
        store.change_pair(&names(), first).await.unwrap();
        let second = PairChange { missing: Some(vec![lost(2)]), ..PairChange::default() };
        store.change_pair(&names(), second).await.unwrap();
        let state = store.pair_state(&names()).await.unwrap();
        assert_eq!((state.missing, state.drift), (vec![lost(2)], vec![drift]));
    }

    #[tokio::test]
    async fn words_of_persons_are_in_the_audit_log() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.pair_state(&names()).await.unwrap().baseline, None);
        store.confirm_baseline(&names(), "looked at it", "anna").await.unwrap();
        assert_eq!(store.pair_state(&names()).await.unwrap().baseline.unwrap().0, "anna");
        let one = Acceptance { instance: "a".into(), kind: "cameras".into(), deviation: "x: unknown".into() };
        let words = ["x: unknown".to_owned()];
        for reason in ["new version", "again"] {
            let what = ("a", Some("cameras"));
            store.accept(vec![one.clone()], what, &words, reason, "anna").await.unwrap();
        }
        assert_eq!(store.acceptances().await.unwrap(), [one]);
        assert_eq!(store.verify_audit().await.unwrap().unwrap().seq, 3);
        assert_eq!(store.past_reading("a").await.unwrap(), None);
        store.keep_reading("a", "{}".to_owned()).await.unwrap();
        store.keep_reading("a", "[]".to_owned()).await.unwrap();
        assert_eq!(store.past_reading("a").await.unwrap().unwrap(), "[]");
    }
}
