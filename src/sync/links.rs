//! The links in force: kept in the store, published as [`Map`] for whoever translates ids.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::Mutex;

use super::catalogue::Kind;
use super::identity::{Known, Outcome};
use super::pair::{Confidence, Pair, Standing};
use crate::config::types::Config;
use crate::idmap::guid::Guid;
use crate::idmap::map::{Link, Map};
use crate::metrics::Metrics;
use crate::state::{End, LinkChange, Store, StoreError, StoredLink};

/// Why an operator's link was not made or ended.
#[derive(Debug, Error)]
pub enum LinkError {
    /// One instance twice.
    #[error("a link joins objects of two instances")]
    OneInstance,
    /// The id that means "none".
    #[error("the empty id stands for no object")]
    Nil,
    /// Another operator's word.
    #[error("{id} of {instance} is already linked to {other} by an operator")]
    Linked {
        /// Whose object.
        instance: String,
        /// Which.
        id: Guid,
        /// Its partner.
        other: Guid,
    },
    /// By this link and the others, one id would mean two objects.
    #[error("{0}")]
    Contradiction(String),
    /// There is nothing to end.
    #[error("these objects are not linked")]
    NotLinked,
    /// It could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All links. Changes are made one after the other; reading never waits.
pub struct Links {
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    rows: ArcSwap<Vec<StoredLink>>,
    /// What contradicts itself and is left out of the map.
    contradictions: ArcSwap<Vec<String>>,
    map: Arc<ArcSwap<Map>>,
    /// The configuration that the map is about; whoever holds it may change things.
    turn: Mutex<Arc<Config>>,
}

impl Links {
    /// The links of the last run.
    ///
    /// # Errors
    /// When they cannot be read.
    pub async fn load(
        store: Arc<Store>,
        config: Arc<Config>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StoreError> {
        let rows = store.links().await?;
        let links = Self {
            store,
            metrics,
            rows: ArcSwap::default(),
            contradictions: ArcSwap::default(),
            map: Arc::default(),
            turn: Mutex::new(Arc::clone(&config)),
        };
        links.publish(rows, &config);
        Ok(links)
    }

    /// The map, always the newest one.
    pub fn map(&self) -> Arc<ArcSwap<Map>> {
        Arc::clone(&self.map)
    }

    /// All links, sorted by kind and ids.
    pub fn all(&self) -> Arc<Vec<StoredLink>> {
        self.rows.load_full()
    }

    /// Links that contradict each other, in words. They are not used.
    pub fn contradictions(&self) -> Arc<Vec<String>> {
        self.contradictions.load_full()
    }

    /// Makes the map of another configuration.
    pub async fn configure(&self, config: Arc<Config>) {
        let mut turn = self.turn.lock().await;
        *turn = config;
        let rows = self.rows.load().as_ref().clone();
        self.publish(rows, &turn);
    }

    /// Links two objects by an operator's word. What the matcher said about them ends, and so does
    /// an earlier word that they are not the same.
    ///
    /// # Errors
    /// See [`LinkError`]; nothing is changed then.
    pub async fn link(&self, kind: &str, ends: [End; 2], actor: &str, reason: &str) -> Result<(), LinkError> {
        let ends = sorted(ends)?;
        let turn = self.turn.lock().await;
        let rows = self.rows.load_full();
        let mut change = LinkChange::default();
        for row in rows.iter().filter(|row| row.meets(&ends)) {
            let same = row.ends == ends;
            if row.standing == Standing::Linked && !same {
                let at = usize::from(row.ends[0] != ends[0]);
                let (instance, id) = ends[at].clone();
                return Err(LinkError::Linked { instance, id, other: row.ends[1 - at].1 });
            }
            // That two others are not the same stays true.
            if same || row.standing != Standing::Apart {
                change.remove.push(row.ends.clone());
            }
        }
        let row = StoredLink {
            kind: kind.to_owned(),
            ends,
            standing: Standing::Linked,
            confidence: Confidence::Operator,
            since_unix: 0,
        };
        let after: Vec<StoredLink> =
            rows.iter().filter(|row| !change.remove.contains(&row.ends)).chain([&row]).cloned().collect();
        let known = self.contradictions.load();
        let (_, found) = self.build(&after, &turn);
        if let Some(new) = found.into_iter().find(|c| !known.contains(c)) {
            return Err(LinkError::Contradiction(new));
        }
        let detail = json!({"type": kind, "objects": shown(&row.ends), "reason": reason});
        change.add.push(row);
        let rows = self.store.change_links(change, "link", detail, actor).await?;
        self.publish(rows, &turn);
        Ok(())
    }

    /// Ends a link by an operator's word: the matcher does not make it again.
    ///
    /// # Errors
    /// See [`LinkError`]; nothing is changed then.
    pub async fn part(&self, kind: &str, ends: [End; 2], actor: &str, reason: &str) -> Result<(), LinkError> {
        let ends = sorted(ends)?;
        let turn = self.turn.lock().await;
        let rows = self.rows.load_full();
        let linked =
            |row: &&StoredLink| row.kind == kind && row.ends == ends && row.standing != Standing::Apart;
        let row = rows.iter().find(linked).ok_or(LinkError::NotLinked)?;
        let detail =
            json!({"type": kind, "objects": shown(&ends), "origin": origin(row.standing), "reason": reason});
        let change = LinkChange {
            remove: vec![ends],
            add: vec![StoredLink {
                standing: Standing::Apart,
                confidence: Confidence::Operator,
                ..row.clone()
            }],
        };
        let rows = self.store.change_links(change, "unlink", detail, actor).await?;
        self.publish(rows, &turn);
        Ok(())
    }

    /// What is known about two instances, `names` sorted.
    pub(super) fn known(&self, names: &[String; 2]) -> Vec<Known> {
        self.rows.load().iter().filter_map(|row| row.known(names)).collect()
    }

    /// Keeps what came out of a comparison of two instances, `names` sorted. `confirm`: a person, or the
    /// configuration, says that what is proposed is right. `ordered_by`: who asked for the comparison.
    ///
    /// # Errors
    /// When it cannot be written down; nothing is changed then.
    pub(super) async fn take(
        &self,
        names: &[String; 2],
        found: &Outcome,
        confirm: bool,
        ordered_by: Option<&str>,
    ) -> Result<(), StoreError> {
        let turn = self.turn.lock().await;
        let ends = |p: &Pair| [(names[0].clone(), p.a), (names[1].clone(), p.b)];
        let proposed = found.proposed.iter().filter(|_| confirm);
        let proposed = proposed.filter_map(|p| Some((*p, *found.pairs.get(p)?)));
        let moved = found.moved.iter().map(|m| (m.new, m.confidence));
        let new = found.new.iter().copied().chain(moved).chain(proposed);
        let rows = self.rows.load_full();
        // While two instances were being compared, an operator may have said something else.
        let own = || rows.iter().filter(|row| row.ends.iter().map(|end| &end.0).eq(names));
        let said: HashSet<&End> =
            own().filter(|row| row.standing == Standing::Linked).flat_map(|row| &row.ends).collect();
        let apart: HashSet<&[End; 2]> =
            own().filter(|row| row.standing == Standing::Apart).map(|row| &row.ends).collect();
        let matched: HashSet<&[End; 2]> =
            own().filter(|row| row.standing == Standing::Matched).map(|row| &row.ends).collect();
        let mut change = LinkChange::default();
        let ended = found.gone.iter().chain(found.moved.iter().map(|m| &m.old)).map(ends);
        change.remove.extend(ended.filter(|ends| matched.contains(&ends)));
        for (pair, confidence) in new.filter(|(pair, _)| pair.a != pair.b) {
            let ends = ends(&pair);
            if ends.iter().any(|end| said.contains(end)) || apart.contains(&ends) {
                continue;
            }
            let kind = pair.kind.as_str().to_owned();
            let standing = Standing::Matched;
            change.add.push(StoredLink { kind, ends, standing, confidence, since_unix: 0 });
        }
        if change.add.is_empty() && change.remove.is_empty() {
            return Ok(());
        }
        let count = |kinds: &mut dyn Iterator<Item = Kind>| {
            let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
            kinds.for_each(|kind| *counts.entry(kind).or_default() += 1);
            Value::Object(counts.into_iter().map(|(kind, n)| (kind.to_string(), json!(n))).collect())
        };
        let added = change.add.iter().filter_map(|row| Kind::from_name(&row.kind));
        let detail = json!({
            "instances": names,
            "linked": count(&mut { added }),
            "removed": count(&mut found.gone.iter().map(|p| p.kind)),
            "moved": count(&mut found.moved.iter().map(|m| m.new.kind)),
            "ordered_by": ordered_by,
        });
        let rows = self.store.change_links(change, "links-matched", detail, MATCHER).await?;
        self.publish(rows, &turn);
        Ok(())
    }

    fn publish(&self, rows: Vec<StoredLink>, config: &Config) {
        let (map, contradictions) = self.build(&rows, config);
        let known = self.contradictions.load();
        for new in contradictions.iter().filter(|c| !known.contains(c)).take(MOST_LOGGED) {
            tracing::warn!("links that contradict each other are not used: {new}");
        }
        self.contradictions.store(Arc::new(contradictions));
        self.rows.store(Arc::new(rows));
        self.map.store(Arc::new(map));
    }

    fn build(&self, rows: &[StoredLink], config: &Config) -> (Map, Vec<String>) {
        let linked = rows.iter().filter(|row| row.standing != Standing::Apart);
        let links: Vec<Link> =
            linked.map(|row| Link { kind: row.kind.clone(), ids: row.ends.to_vec() }).collect();
        let (map, contradictions) = Map::new(config, &links, &self.metrics);
        (map, contradictions.iter().map(ToString::to_string).collect())
    }
}

impl StoredLink {
    /// Has an object in common with `ends`, between the same instances.
    fn meets(&self, ends: &[End; 2]) -> bool {
        self.ends[0].0 == ends[0].0
            && self.ends[1].0 == ends[1].0
            && (self.ends[0] == ends[0] || self.ends[1] == ends[1])
    }

    /// For the matcher, if it is about these instances.
    fn known(&self, names: &[String; 2]) -> Option<Known> {
        let [(a_name, a), (b_name, b)] = &self.ends;
        let pair = Pair { kind: Kind::from_name(&self.kind)?, a: *a, b: *b };
        let known = Known { pair, standing: self.standing, confidence: self.confidence };
        (*a_name == names[0] && *b_name == names[1]).then_some(known)
    }
}

/// How a link came to be, in answers and in the audit log.
pub const fn origin(standing: Standing) -> &'static str {
    match standing {
        Standing::Matched => MATCHER,
        Standing::Linked | Standing::Apart => "operator",
    }
}

fn sorted([a, b]: [End; 2]) -> Result<[End; 2], LinkError> {
    if a.1 == Guid::NIL || b.1 == Guid::NIL {
        return Err(LinkError::Nil);
    }
    match a.0.cmp(&b.0) {
        std::cmp::Ordering::Less => Ok([a, b]),
        std::cmp::Ordering::Greater => Ok([b, a]),
        std::cmp::Ordering::Equal => Err(LinkError::OneInstance),
    }
}

/// The two objects as they stand in answers and in the audit log.
pub fn shown(ends: &[End; 2]) -> Value {
    ends.iter().map(|(instance, id)| (instance.clone(), json!(id.to_string()))).collect()
}

/// The actor of what no person ordered.
const MATCHER: &str = "matcher";
/// A broken instance must not fill the log.
const MOST_LOGGED: usize = 5;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::sync::identity::Moved;
    use crate::testing::config;

    fn id(n: u8) -> Guid {
        Guid::new([n; 16])
    }

    fn ends(a: u8, b: u8) -> [End; 2] {
        // The order in which an operator names them does not matter.
        [("b".to_owned(), id(b)), ("a".to_owned(), id(a))]
    }

    fn pair(a: u8, b: u8) -> Pair {
        Pair { kind: Kind::from_name("timeProfiles").unwrap(), a: id(a), b: id(b) }
    }

    async fn open(dir: &std::path::Path) -> Links {
        let store = Arc::new(Store::open(dir).unwrap());
        let metrics = Arc::new(Metrics::new().unwrap());
        Links::load(store, Arc::new(config("hq", &["a", "b"])), metrics).await.unwrap()
    }

    /// What A's id becomes on the way to B.
    fn on_b(links: &Links, a: u8) -> Option<Guid> {
        links.map().load().view("hq", "b")?.find(id(a))
    }

    async fn run(links: &Links) {
        let names = ["a".to_owned(), "b".to_owned()];
        let known: Vec<Pair> = links.known(&names).iter().map(|k| k.pair).collect();
        let new = [pair(1, 11), pair(2, 12)].into_iter().filter(|p| !known.contains(p));
        let found = Outcome { new: new.map(|p| (p, Confidence::Strong)).collect(), ..Outcome::default() };
        links.take(&names, &found, false, None).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_matched_is_in_the_map_and_there_again_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let links = open(dir.path()).await;
        assert_eq!(on_b(&links, 1), None);
        run(&links).await;
        assert_eq!(on_b(&links, 1), Some(id(11)));
        assert_eq!(links.store.verify_audit().await.unwrap().unwrap().seq, 1);
        run(&links).await;
        assert_eq!(links.store.verify_audit().await.unwrap().unwrap().seq, 1, "nothing happened");
        drop(links);
        assert_eq!(on_b(&open(dir.path()).await, 2), Some(id(12)));
    }

    #[tokio::test]
    async fn what_is_proposed_is_linked_when_it_is_confirmed_and_what_moved_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let links = open(dir.path()).await;
        run(&links).await;
        let names = ["a".to_owned(), "b".to_owned()];
        let role = Pair { kind: Kind::from_name("roles").unwrap(), a: id(5), b: id(6) };
        let everyones = Pair { b: id(5), ..role };
        let (old, new) = (pair(1, 11), pair(1, 21));
        let found = Outcome {
            pairs: [(role, Confidence::Strong), (everyones, Confidence::SameId)].into(),
            proposed: [role, everyones].into(),
            moved: vec![Moved { old, new, confidence: Confidence::Strong }],
            ..Outcome::default()
        };
        links.take(&names, &found, false, None).await.unwrap();
        assert_eq!((on_b(&links, 1), on_b(&links, 5)), (Some(id(21)), None));
        let confirmed = Outcome { moved: Vec::new(), ..found };
        links.take(&names, &confirmed, true, Some("anna")).await.unwrap();
        assert_eq!((on_b(&links, 5), links.all().len()), (Some(id(6)), 3));
    }

    #[tokio::test]
    async fn an_operator_has_the_last_word() {
        let dir = tempfile::tempdir().unwrap();
        let links = open(dir.path()).await;
        run(&links).await;
        // Other than the matcher thought.
        links.link("timeProfiles", ends(1, 13), "anna", "looked").await.unwrap();
        assert_eq!((on_b(&links, 1), on_b(&links, 2)), (Some(id(13)), Some(id(12))));
        let error = links.link("timeProfiles", ends(2, 13), "anna", "oops").await.unwrap_err();
        assert!(matches!(error, LinkError::Linked { .. }), "{error}");
        assert_eq!(
            error.to_string(),
            format!("{} of b is already linked to {} by an operator", id(13), id(1))
        );
        // What an operator ends, the matcher does not make again.
        links.part("timeProfiles", ends(2, 12), "anna", "looked").await.unwrap();
        assert_eq!(on_b(&links, 2), None);
        run(&links).await;
        assert_eq!(on_b(&links, 2), None);
        let error = links.part("timeProfiles", ends(2, 12), "anna", "again").await.unwrap_err();
        assert!(matches!(error, LinkError::NotLinked), "{error}");
        // And may think again.
        links.link("timeProfiles", ends(2, 12), "anna", "looked again").await.unwrap();
        assert_eq!(on_b(&links, 2), Some(id(12)));
        assert_eq!(links.all().len(), 2);
        assert_eq!(links.store.verify_audit().await.unwrap().unwrap().seq, 4);
    }

    #[tokio::test]
    async fn links_that_make_no_sense_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let links = open(dir.path()).await;
        let one = [("a".to_owned(), id(1)), ("a".to_owned(), id(2))];
        assert!(matches!(links.link("roles", one, "anna", "x").await, Err(LinkError::OneInstance)));
        assert!(matches!(links.link("roles", ends(0, 1), "anna", "x").await, Err(LinkError::Nil)));
        links.link("roles", ends(1, 2), "anna", "x").await.unwrap();
        // On B, 1 would be another object than on A.
        let error = links.link("roles", ends(3, 1), "anna", "x").await.unwrap_err();
        assert!(matches!(error, LinkError::Contradiction(_)), "{error}");
        assert_eq!((links.all().len(), on_b(&links, 1)), (1, Some(id(2))));
    }
}
