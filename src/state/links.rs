//! The links of the identity map, as stored.

use std::path::Path;

use rusqlite::{Connection, Transaction};
use serde_json::Value;

use super::StoreError;
use super::store::{Fault, Store, note, now_ms, signed};
use crate::idmap::guid::Guid;
use crate::sync::pair::{Confidence, Standing};

/// An object on one instance.
pub type End = (String, Guid);

/// A link between two objects, or the word of an operator that there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// Name of the REST collection.
    pub kind: String,
    /// The two, in the order of their instances' names; never the same instance.
    pub ends: [End; 2],
    /// Linked by whom, or kept apart.
    pub standing: Standing,
    /// How sure that is.
    pub confidence: Confidence,
    /// UNIX time in seconds; set by the store.
    pub since_unix: u64,
}

/// What becomes of the links in one transaction. First `remove`, then `add`.
#[derive(Clone, Debug, Default)]
pub struct LinkChange {
    /// These end.
    pub remove: Vec<[End; 2]>,
    /// These begin.
    pub add: Vec<StoredLink>,
}

impl Store {
    /// All links, sorted by kind and ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn links(&self) -> Result<Vec<StoredLink>, StoreError> {
        let file = self.file.clone();
        self.change(move |tx| read(tx, &file)).await
    }

    /// Makes a change with its audit entry and returns all links as they are then.
    ///
    /// # Errors
    /// When it cannot be written, for instance because an object would get a second partner. Nothing
    /// is changed then.
    pub async fn change_links(
        &self,
        change: LinkChange,
        action: &'static str,
        detail: Value,
        actor: &str,
    ) -> Result<Vec<StoredLink>, StoreError> {
        let (file, actor) = (self.file.clone(), actor.to_owned());
        self.change(move |tx| {
            write(tx, &change)?;
            note(tx, &actor, action, &detail.to_string())?;
            read(tx, &file)
        })
        .await
    }
}

fn write(tx: &Transaction<'_>, change: &LinkChange) -> rusqlite::Result<()> {
    let mut delete = tx.prepare_cached(
        "DELETE FROM link WHERE instance_a = ?1 AND id_a = ?2 AND instance_b = ?3 AND id_b = ?4",
    )?;
    for [a, b] in &change.remove {
        delete.execute((&a.0, a.1.to_string(), &b.0, b.1.to_string()))?;
    }
    let mut insert = tx.prepare_cached(
        "INSERT INTO link (kind, instance_a, id_a, instance_b, id_b, origin, apart, confidence, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let now = signed(now_ms());
    for link in &change.add {
        let [a, b] = &link.ends;
        let (origin, apart) = match link.standing {
            Standing::Matched => (MATCHER, false),
            Standing::Linked => (OPERATOR, false),
            Standing::Apart => (OPERATOR, true),
        };
        let confidence = link.confidence.as_str();
        let (id_a, id_b) = (a.1.to_string(), b.1.to_string());
        insert.execute((&link.kind, &a.0, id_a, &b.0, id_b, origin, apart, confidence, now))?;
    }
    Ok(())
}

fn read(db: &Connection, file: &Path) -> Result<Vec<StoredLink>, Fault> {
    let mut query = db.prepare_cached(
        "SELECT kind, instance_a, id_a, instance_b, id_b, origin, apart, confidence, at_ms FROM link ORDER BY kind, instance_a, instance_b, id_a, id_b",
    )?;
    let mut rows = query.query([])?;
    let mut links = Vec::new();
    let unknown = |what: String| StoreError::Link { file: file.to_owned(), what };
    while let Some(row) = rows.next()? {
        let id = |column: usize| -> Result<Guid, Fault> {
            let text: String = row.get(column)?;
            text.parse().map_err(|_| unknown(format!("{text:?} is no id")).into())
        };
        let (origin, apart): (String, bool) = (row.get(5)?, row.get(6)?);
        let standing = match (origin.as_str(), apart) {
            (MATCHER, false) => Standing::Matched,
            (OPERATOR, false) => Standing::Linked,
            (OPERATOR, true) => Standing::Apart,
            _ => return Err(unknown(format!("origin {origin:?}")).into()),
        };
        let confidence: String = row.get(7)?;
        let confidence = Confidence::from_name(&confidence)
            .ok_or_else(|| unknown(format!("confidence {confidence:?}")))?;
        let at_ms: i64 = row.get(8)?;
        links.push(StoredLink {
            kind: row.get(0)?,
            ends: [(row.get(1)?, id(2)?), (row.get(3)?, id(4)?)],
            standing,
            confidence,
            since_unix: u64::try_from(at_ms / 1000).unwrap_or(0),
        });
    }
    Ok(links)
}

const MATCHER: &str = "matcher";
const OPERATOR: &str = "operator";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn link(a: u8, b: u8, standing: Standing) -> StoredLink {
        let end = |name: &str, n: u8| (name.to_owned(), Guid::new([n; 16]));
        let confidence = match standing {
            Standing::Matched => Confidence::Similar,
            Standing::Linked | Standing::Apart => Confidence::Operator,
        };
        let ends = [end("a", a), end("b", b)];
        StoredLink { kind: "cameras".to_owned(), ends, standing, confidence, since_unix: 0 }
    }

    async fn add(store: &Store, links: &[StoredLink]) -> Result<Vec<StoredLink>, StoreError> {
        let change = LinkChange { add: links.to_vec(), ..LinkChange::default() };
        store.change_links(change, "links-matched", json!({}), "matcher").await
    }

    #[tokio::test]
    async fn links_survive_a_restart_and_are_in_the_audit_log() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let all = [
            link(1, 11, Standing::Matched),
            link(2, 12, Standing::Linked),
            link(3, 13, Standing::Apart),
            link(3, 14, Standing::Linked),
        ];
        let after = add(&store, &all).await.unwrap();
        assert!(after.iter().all(|l| l.since_unix > 1_700_000_000));
        let plain = |links: &[StoredLink]| -> Vec<StoredLink> {
            links.iter().map(|l| StoredLink { since_unix: 0, ..l.clone() }).collect()
        };
        assert_eq!(plain(&after), all);
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.links().await.unwrap(), after);
        let change =
            LinkChange { remove: vec![all[0].ends.clone()], add: vec![link(1, 12, Standing::Apart)] };
        let after = store.change_links(change, "unlink", json!({}), "anna").await.unwrap();
        assert_eq!(after.len(), 4);
        assert_eq!(store.verify_audit().await.unwrap().unwrap().seq, 2);
    }

    #[tokio::test]
    async fn a_second_partner_is_refused_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let first = add(&store, &[link(1, 11, Standing::Linked)]).await.unwrap();
        for second in [link(1, 12, Standing::Matched), link(2, 11, Standing::Matched)] {
            let error = add(&store, &[link(5, 15, Standing::Matched), second]).await.unwrap_err();
            assert!(matches!(error, StoreError::Database { .. }), "{error}");
        }
        assert_eq!(store.links().await.unwrap(), first);
        assert_eq!(store.verify_audit().await.unwrap().unwrap().seq, 1);
    }
}
