//! A short reading: what has changed since the last full one. It adds and changes objects, and never
//! takes one away.
//!
//! It always starts from the last full reading, not from the last short one: a doubt in a short reading
//! ends with the next one that has none.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::Value;

use super::ask::{Ask, Line, LoggedIn};
use super::full::{ReadError, spelling, version};
use super::list::Lists;
use super::pace::Patience;
use super::pages::FIRST_SIZE;
use super::schema::{Accepted, Draft};
use super::stamp::Stamp;
use super::trust::{Facts, judge_changes};
use crate::clock::unix_time;
use crate::sync::catalogue::{Kind, Place};
use crate::sync::snapshot::{Distrust, Listing, Object, Snapshot};
use crate::vms::client::Client;

/// Reads what has changed since `full`, the last full reading of the instance. Types whose list is
/// longer than a page are asked for what was changed since; shorter ones, and those whose objects do not
/// say when they were changed, are read whole. Members of known objects, and what is listed below
/// objects, stay as they were. What was not believed in `full` still is not.
///
/// # Errors
/// See [`ReadError`]; what is wrong with a single type is in the result, and its objects are those of
/// `full`.
pub async fn read_changes(
    client: &Client,
    token: &SecretString,
    full: &Snapshot,
    accepted: &Accepted,
) -> Result<Snapshot, ReadError> {
    read_since(&LoggedIn { client, token }, full, accepted, Patience::default()).await
}

/// The same of anything that answers.
///
/// # Errors
/// See [`ReadError`].
pub async fn read_since(
    ask: &impl Ask,
    full: &Snapshot,
    accepted: &Accepted,
    patience: Patience,
) -> Result<Snapshot, ReadError> {
    let line = Line::new(ask, patience);
    let taken_unix = unix_time().as_secs();
    let version = version(&line).await?;
    let lists = Lists { line: &line, spelling: spelling(&version), accepted, seen: &|_, _| {} };
    let read = join_all(full.lists.iter().map(|(kind, listing)| async {
        if !listing.distrust.is_empty() || kind.row().place != Place::Top {
            return (*kind, listing.clone());
        }
        let objects = changed(&lists, *kind, listing).await;
        let distrust = objects.as_ref().err().cloned().into_iter().collect();
        let objects = objects.unwrap_or_else(|_| listing.objects.clone());
        (*kind, Listing { objects, distrust })
    }));
    let lists = read.await.into_iter().collect();
    if line.is_dead() {
        return Err(ReadError::Silent("it has stopped answering".to_owned()));
    }
    let (instance, distrust) = (full.instance.clone(), full.distrust.clone());
    let mut snapshot = Snapshot { instance, taken_unix, version, distrust, lists };
    judge_changes(&mut snapshot, full, &Facts { clock: line.clock(), ..Facts::default() });
    Ok(snapshot)
}

/// The objects of a type with what has changed since `before`.
async fn changed<A: Ask>(
    lists: &Lists<'_, A>,
    kind: Kind,
    before: &Listing,
) -> Result<Vec<Object>, Distrust> {
    let newest = before.objects.iter().filter_map(|object| object.modified_ms).max();
    // Of the same second there may be more: stamps are as fine as the clock that made them.
    let after = newest.filter(|_| before.objects.len() > FIRST_SIZE).map(|ms| Stamp::from_millis(ms - 1000));
    let drafts = match after {
        Some(after) => lists.some(kind, Some(&after.to_string()), 0).await?,
        None => lists.some(kind, None, before.objects.len()).await?,
    };
    let (known, new): (Vec<Draft>, Vec<Draft>) =
        drafts.into_iter().partition(|draft| before.get(draft.id()).is_some());
    let (new, _) = lists.members(kind, new).await?;
    let known = known.into_iter().map(|draft| kept(with_members(kind, draft, before), before));
    let mut objects: BTreeMap<_, _> =
        before.objects.iter().map(|object| (object.id, object.clone())).collect();
    objects.extend(known.chain(new).map(|object| (object.id, object)));
    Ok(objects.into_values().collect())
}

/// A known object of which something is not shown any more stays as it was. Somebody may have taken that away,
/// or the instance may not show it to anybody: only a full reading can tell.
fn kept(object: Object, before: &Listing) -> Object {
    let Some(old) = before.get(object.id).filter(|old| old.body != object.body) else { return object };
    let new = object.body.fields();
    let is_there = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let lost =
        old.body.fields().iter().any(|(name, value)| is_there(Some(value)) && !is_there(new.get(name)));
    if lost { old.clone() } else { object }
}

/// A known object has the members that it had.
fn with_members(kind: Kind, mut draft: Draft, before: &Listing) -> Object {
    let members = kind.row().members;
    let mut fields = match before.get(draft.id()) {
        Some(object) if !members.is_empty() => object.body.fields(),
        _ => serde_json::Map::new(),
    };
    for list in members.iter().map(|members| members.list) {
        // It was canonical, and stays so.
        if let Some(bytes) = fields.remove(list).and_then(|value| serde_json::to_vec(&value).ok()) {
            draft.add(list, bytes);
        }
    }
    draft.finish()
}
