//! Reads one type: its list, or the lists below every parent, and the members of each object. Either
//! the type is whole, or there is one reason why it is not believed.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::StatusCode;
use serde_json::Value;

use super::ask::{Ask, Line, Unanswered};
use super::canonical::Spelling;
use super::member;
use super::pages::{FIRST_SIZE, Flaw, Pages, Step};
use super::schema::{Accepted, Draft, Schema};
use crate::idmap::guid::Guid;
use crate::sync::catalogue::{Kind, Members, Place};
use crate::sync::snapshot::{Distrust, Object};
use crate::vms::client::Answer;

/// Reads the types of one instance.
pub struct Lists<'a, A> {
    /// To the instance.
    pub line: &'a Line<'a, A>,
    /// How it writes values.
    pub spelling: Spelling,
    /// Differences that a person has accepted.
    pub accepted: &'a Accepted,
    /// Told of every object.
    pub seen: &'a (dyn Fn(Kind, usize) + Sync),
}

/// A whole type.
#[derive(Debug, Default)]
pub struct Whole {
    /// Sorted by id.
    pub objects: Vec<Object>,
    /// In how many objects each field that may be missing was there, and how many members there are in
    /// each list.
    pub counts: BTreeMap<&'static str, usize>,
}

/// A list without the members of its objects.
type Drafts = (Vec<Draft>, BTreeMap<&'static str, usize>);

impl<A: Ask> Lists<'_, A> {
    /// Reads a type. `parents`: the objects below which it is listed, if it is.
    ///
    /// # Errors
    /// Why it may not be believed.
    pub async fn read(&self, kind: Kind, parents: &[Guid]) -> Result<Whole, Distrust> {
        let (drafts, mut counts) = match kind.row().place {
            Place::Top => self.drafts(kind, &format!("/{kind}?"), None).await?,
            Place::Below(parent) => self.below(kind, parent, parents).await?,
            Place::Unread(_) => return Err(Distrust::Absent),
        };
        let (mut objects, members) = self.members(kind, drafts).await?;
        counts.extend(members);
        objects.sort_unstable_by_key(|object| object.id);
        Ok(Whole { objects, counts })
    }

    /// Objects of a list, enough to learn what has changed, not what is gone; without members. `after`: only
    /// those that were changed later, as the API writes dates; `enough`: a page that is not full is the last
    /// one if there are so many.
    ///
    /// # Errors
    /// Why it may not be believed.
    pub async fn some(&self, kind: Kind, after: Option<&str>, enough: usize) -> Result<Vec<Draft>, Distrust> {
        let disabled = if kind.row().lists_disabled { "disabled&" } else { "" };
        // Quotes have to be escaped in a query (sheet 3.2).
        let filter = after.map(|after| format!("lastModified=gt:%27{after}%27&")).unwrap_or_default();
        let mut schema = Schema::new(kind, self.spelling, self.accepted);
        let mut all = BTreeMap::new();
        for page in 0..MOST_PAGES {
            let path = format!("{ROOT}/{kind}?{filter}{disabled}page={page}&size={FIRST_SIZE}");
            let answer = self.line.get(&path).await.map_err(|why| match why {
                Unanswered::TooLarge => Distrust::Pages(Flaw::TooLarge.as_str()),
                Unanswered::Silent(why) => Distrust::NoAnswer(why),
            })?;
            let (objects, before) = (objects(&answer)?, all.len());
            let drafts = objects.iter().filter_map(|value| schema.read(value, None));
            all.extend(drafts.map(|draft| (draft.id(), draft)));
            if !schema.is_clean()
                || all.len() == before
                || (objects.len() < FIRST_SIZE && all.len() >= enough)
            {
                break;
            }
        }
        schema.finish()?;
        Ok(all.into_values().collect())
    }

    /// Completes objects with their members, and counts these by list.
    ///
    /// # Errors
    /// [`Distrust::Members`]: one list could not be read.
    pub async fn members(
        &self,
        kind: Kind,
        mut drafts: Vec<Draft>,
    ) -> Result<(Vec<Object>, BTreeMap<&'static str, usize>), Distrust> {
        let mut counts = BTreeMap::new();
        for members in kind.row().members {
            let ids = drafts.iter().map(Draft::id).collect::<Vec<_>>();
            let lists = stream::iter(ids).map(|id| self.member_list(kind, id, members)).buffered(AHEAD);
            let lists: Vec<Option<Vec<Vec<u8>>>> = lists
                .try_collect()
                .await
                .map_err(|why: Distrust| Distrust::Members(members.list, why.to_string()))?;
            if lists.iter().all(Option::is_none) {
                // This version does not know the list: its field is in no object, and is not compared.
                continue;
            }
            for (draft, list) in drafts.iter_mut().zip(lists) {
                let list = list.ok_or_else(|| {
                    Distrust::Members(members.list, "some objects have it and some do not".to_owned())
                })?;
                *counts.entry(members.list).or_default() += list.len();
                draft.add(members.list, member::set(list));
            }
        }
        Ok((drafts.into_iter().map(Draft::finish).collect(), counts))
    }

    /// Members in canonical form; `None`: there is no such list.
    async fn member_list(
        &self,
        kind: Kind,
        id: Guid,
        members: &Members,
    ) -> Result<Option<Vec<Vec<u8>>>, Distrust> {
        let list = Kind::from_name(members.list);
        let disabled = if list.is_some_and(|list| list.row().lists_disabled) { "disabled&" } else { "" };
        let path = format!("/{kind}/{id}/{}?{disabled}", members.list);
        let read = self.pages(&path, |value| {
            let member = member::canonical(value, members.form)?;
            // Two of one name are two.
            let id = value.get("id").map(|id| id.to_string().to_lowercase());
            Ok((id.ok_or_else(|| member.clone()), member))
        });
        match read.await {
            Ok(list) => Ok(Some(list)),
            Err(Distrust::Absent) => Ok(None),
            Err(why) => Err(why),
        }
    }

    async fn below(&self, kind: Kind, parent: &'static str, parents: &[Guid]) -> Result<Drafts, Distrust> {
        let lists = stream::iter(parents.to_vec()).map(|id| async move {
            match self.drafts(kind, &format!("/{parent}/{id}/{kind}?"), Some(id)).await {
                Ok(list) => Ok(Some(list)),
                Err(Distrust::Absent) => Ok(None),
                Err(why) => Err(why),
            }
        });
        let lists: Vec<Option<Drafts>> = lists.buffered(AHEAD).try_collect().await?;
        if !lists.is_empty() && lists.iter().all(Option::is_none) {
            return Err(Distrust::Absent);
        }
        let (mut all, mut counts, mut ids) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        for list in lists {
            // The parent is gone: between its list and this question, or nobody knows why.
            let (drafts, filled) = list.ok_or(Distrust::Parent(parent))?;
            if !drafts.iter().all(|draft| ids.insert(draft.id())) {
                return Err(Distrust::Pages(Flaw::Twice.as_str()));
            }
            all.extend(drafts);
            for (field, count) in filled {
                *counts.entry(field).or_default() += count;
            }
        }
        Ok((all, counts))
    }

    async fn drafts(&self, kind: Kind, path: &str, below: Option<Guid>) -> Result<Drafts, Distrust> {
        let disabled = if kind.row().lists_disabled { "disabled&" } else { "" };
        let mut schema = Schema::new(kind, self.spelling, self.accepted);
        let path = format!("{path}{disabled}");
        let read = self.pages(&path, |value| {
            let draft = schema.read(value, below).ok_or(Distrust::Garbled)?;
            (self.seen)(kind, 1);
            Ok((draft.id(), draft))
        });
        let read = read.await;
        // What is wrong with an object says more than that something is.
        let mut counts = schema.finish()?;
        let drafts = read?;
        // Counted over all readings of the list.
        counts.values_mut().for_each(|count| *count = (*count).min(drafts.len()));
        Ok((drafts, counts))
    }

    /// Every entry of a list, in the order of the server. An object that does not look as it should
    /// ends it after its page.
    async fn pages<K: Eq + std::hash::Hash, T>(
        &self,
        path: &str,
        mut entry: impl FnMut(&Value) -> Result<(K, T), Distrust>,
    ) -> Result<Vec<T>, Distrust> {
        let mut pages = Pages::new();
        let mut step = pages.ask();
        loop {
            let (page, size) = match step {
                Step::Whole => return Ok(pages.into_entries()),
                Step::Broken(flaw) => return Err(Distrust::Pages(flaw.as_str())),
                Step::Ask { page, size } => (page, size),
            };
            step = match self.line.get(&format!("{ROOT}{path}page={page}&size={size}")).await {
                Ok(answer) => {
                    let read: Vec<Result<(K, T), Distrust>> =
                        objects(&answer)?.iter().map(&mut entry).collect();
                    pages.take(read.into_iter().collect::<Result<_, _>>()?)
                }
                Err(Unanswered::TooLarge) => pages.too_large(),
                Err(Unanswered::Silent(why)) => return Err(Distrust::NoAnswer(why)),
            };
        }
    }
}

/// The objects of an answer that is a list.
fn objects(answer: &Answer) -> Result<Vec<Value>, Distrust> {
    match answer.status {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => return Err(Distrust::Denied),
        StatusCode::NOT_FOUND if is_unknown(answer) => return Err(Distrust::Absent),
        status => return Err(Distrust::Status(status.as_u16())),
    }
    match answer.json() {
        Some(Value::Object(mut body)) => match body.get_mut("array").map(Value::take) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(Distrust::Garbled),
        },
        _ => Err(Distrust::Garbled),
    }
}

/// Only in the API's own words (sheet 3.4): anything else is no statement about a type.
fn is_unknown(answer: &Answer) -> bool {
    let json = answer.json().unwrap_or_default();
    let text = json.pointer("/error/details/0/errorText").and_then(Value::as_str);
    text.is_some_and(|text| text.starts_with("Unknown resource"))
}

/// Of the configuration API.
pub(super) const ROOT: &str = "/API/rest/v1";
/// Of changed objects: the rest is for a full reading.
const MOST_PAGES: usize = 50;
/// Lists of single objects under way; how many are asked at once is up to the pace.
const AHEAD: usize = 8;
