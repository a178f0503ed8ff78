//! The audit log: who did what, when and why, in a chain of hashes.
//!
//! Each entry's hash covers the hash before it, so an entry that is changed, removed or put between
//! others later is found by [`verify`]. Whoever can write the file can also compute a new chain;
//! against that only a head kept elsewhere helps, which is why [`Head`] is given out.

use aws_lc_rs::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension, Transaction};

/// The newest entry of the chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0: the log is empty.
    pub seq: i64,
    /// Its hash in hexadecimal digits; empty if the log is empty.
    pub hash: String,
}

/// What an entry says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fact<'a> {
    /// UNIX time in milliseconds.
    pub at_ms: i64,
    /// Name of the user of the admin plane.
    pub actor: &'a str,
    /// `drain`, `release`, `failback`.
    pub action: &'a str,
    /// JSON object with what was acted upon and the reason given.
    pub detail: &'a str,
}

/// Adds an entry in the transaction of the change that it records.
pub(super) fn append(tx: &Transaction<'_>, fact: Fact<'_>) -> rusqlite::Result<Head> {
    let last = tx
        .query_row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok(Head { seq: row.get(0)?, hash: row.get(1)? })
        })
        .optional()?
        .unwrap_or_default();
    let head = Head { seq: last.seq + 1, hash: link(&last.hash, last.seq + 1, fact) };
    tx.execute(
        "INSERT INTO audit (seq, at_ms, actor, action, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (head.seq, fact.at_ms, fact.actor, fact.action, fact.detail, &head.hash),
    )?;
    Ok(head)
}

/// Where the chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The first entry that does not fit to what is before it.
    pub seq: i64,
}

/// Follows the chain from its start.
pub(super) fn verify(db: &Connection) -> rusqlite::Result<Result<Head, Broken>> {
    let mut query = db.prepare("SELECT seq, at_ms, actor, action, detail, hash FROM audit ORDER BY seq")?;
    let mut rows = query.query([])?;
    let mut head = Head::default();
    while let Some(row) = rows.next()? {
        let seq: i64 = row.get(0)?;
        let (actor, action, detail): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let fact = Fact { at_ms: row.get(1)?, actor: &actor, action: &action, detail: &detail };
        let hash: String = row.get(5)?;
        if seq != head.seq + 1 || hash != link(&head.hash, seq, fact) {
            return Ok(Err(Broken { seq }));
        }
        head = Head { seq, hash };
    }
    Ok(Ok(head))
}

/// Every text is preceded by its length, so that no two entries can have the same bytes.
fn link(previous: &str, seq: i64, fact: Fact<'_>) -> String {
    let mut context = Context::new(&SHA256);
    context.update(&seq.to_be_bytes());
    context.update(&fact.at_ms.to_be_bytes());
    for text in [previous, fact.actor, fact.action, fact.detail] {
        context.update(&(text.len() as u64).to_be_bytes());
        context.update(text.as_bytes());
    }
    context.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn filled() -> Connection {
        let mut db = Connection::open_in_memory().unwrap();
        db.execute_batch(&super::super::schema::STEPS.concat()).unwrap();
        for n in 0..5 {
            let tx = db.transaction().unwrap();
            let detail = format!("{{\"n\":{n}}}");
            append(&tx, Fact { at_ms: n, actor: "local", action: "drain", detail: &detail }).unwrap();
            tx.commit().unwrap();
        }
        db
    }

    #[test]
    fn an_untouched_chain_verifies() {
        let head = verify(&filled()).unwrap().unwrap();
        assert_eq!((head.seq, head.hash.len()), (5, 64));
    }

    #[test]
    fn an_empty_chain_verifies() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&super::super::schema::STEPS.concat()).unwrap();
        assert_eq!(verify(&db).unwrap(), Ok(Head::default()));
    }

    #[test]
    fn every_kind_of_tampering_is_found() {
        let cases = [
            ("UPDATE audit SET actor = 'other' WHERE seq = 2", 2),
            ("UPDATE audit SET detail = '{}' WHERE seq = 1", 1),
            ("UPDATE audit SET at_ms = 77 WHERE seq = 5", 5),
            ("UPDATE audit SET hash = 'x' WHERE seq = 3", 3),
            ("DELETE FROM audit WHERE seq = 3", 4),
            ("DELETE FROM audit WHERE seq = 1", 2),
        ];
        for (sql, seq) in cases {
            let db = filled();
            assert_eq!(db.execute(sql, []).unwrap(), 1, "{sql}");
            assert_eq!(verify(&db).unwrap(), Err(Broken { seq }), "{sql}");
        }
    }

    #[test]
    fn moving_a_character_between_fields_changes_the_hash() {
        let a = Fact { at_ms: 1, actor: "ab", action: "c", detail: "" };
        let b = Fact { at_ms: 1, actor: "a", action: "bc", detail: "" };
        assert_ne!(link("", 1, a), link("", 1, b));
    }
}
