//! A full reading: everything that is wanted of one instance, and what of it is believed. The only
//! source of deletions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join_all};
use http::StatusCode;
use secrecy::SecretString;
use thiserror::Error;
use tokio::sync::watch;

use super::ask::{Ask, Line, LoggedIn, Unanswered};
use super::canonical::Spelling;
use super::list::{Lists, ROOT, Whole};
use super::pace::Patience;
use super::schema::Accepted;
use super::trust::{CANARY_KIND, Facts, Past, judge};
use crate::clock::{Moment, unix_time};
use crate::config::types::Account;
use crate::idmap::guid::Guid;
use crate::sync::catalogue::{Kind, Place};
use crate::sync::snapshot::{Distrust, Listing, Snapshot};
use crate::vms::client::Client;
use crate::vms::token::{Token, TokenError, password_grant};

/// What is wanted of an instance, and by what it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The name of the instance.
    pub instance: &'a str,
    /// Types; those below which they are listed are read with them.
    pub kinds: &'a BTreeSet<Kind>,
    /// What was read before.
    pub past: &'a Past,
    /// An instance without a canary is not believed.
    pub canary_required: bool,
    /// Differences that a person has accepted.
    pub accepted: &'a Accepted,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What was read, and what of it is doubted.
    pub snapshot: Snapshot,
    /// To be remembered for the next reading.
    pub past: Past,
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The type of which something came last.
    pub kind: Option<Kind>,
    /// Objects so far; those of a list that is read again count again.
    pub objects: usize,
    /// Types that are done.
    pub done: usize,
    /// Of so many.
    pub total: usize,
}

/// Why an instance could not be read at all.
#[derive(Debug, Error)]
pub enum ReadError {
    /// No token.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It does not answer, or not any more.
    #[error("no answer: {0}")]
    Silent(String),
    /// It took too long.
    #[error("not finished within {} s", .0.as_secs())]
    Late(Duration),
    /// It does not accept the token that it has just given out.
    #[error("the token was refused")]
    Denied,
}

impl ReadError {
    /// A person has to do something: asking again soon would only lock the account.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Token(TokenError::Refused(_) | TokenError::Password { .. }))
    }
}

/// Logs in.
///
/// # Errors
/// See [`ReadError`].
pub async fn log_in(client: &Client, account: &Account) -> Result<Token, ReadError> {
    let grant = tokio::time::timeout(LOGIN, password_grant(client, account, Moment::now()));
    Ok(grant.await.map_err(|_| ReadError::Late(LOGIN))??)
}

/// Reads everything that is wanted, by several types at once.
///
/// # Errors
/// See [`ReadError`]; what is wrong with a single type is in the result.
pub async fn read_full(
    client: &Client,
    token: &SecretString,
    wish: Wish<'_>,
    progress: &watch::Sender<Progress>,
) -> Result<Reading, ReadError> {
    let who = LoggedIn { client, token };
    let all = read_all(&who, wish, Patience::default(), progress);
    tokio::time::timeout(WHOLE, all).await.unwrap_or(Err(ReadError::Late(WHOLE)))
}

/// The same of anything that answers. The result does not depend on the order of the answers.
///
/// # Errors
/// See [`ReadError`].
pub async fn read_all(
    ask: &impl Ask,
    wish: Wish<'_>,
    patience: Patience,
    progress: &watch::Sender<Progress>,
) -> Result<Reading, ReadError> {
    let line = Line::new(ask, patience);
    let taken_unix = unix_time().as_secs();
    let version = version(&line).await?;
    let kinds = with_parents(wish);
    progress.send_replace(Progress { total: kinds.len(), ..Progress::default() });
    let seen = |kind, objects| {
        progress.send_modify(|progress| {
            progress.kind = Some(kind);
            progress.objects += objects;
        });
    };
    let lists = Lists { line: &line, spelling: spelling(&version), accepted: wish.accepted, seen: &seen };
    let done = || progress.send_modify(|progress| progress.done += 1);
    let families = Families { lists: &lists, kinds: &kinds, done: &done };
    let roots = kinds.iter().filter(|kind| kind.row().place == Place::Top);
    let read = join_all(roots.map(|kind| families.read(*kind, Vec::new()))).await;
    if line.is_dead() {
        return Err(ReadError::Silent("it has stopped answering".to_owned()));
    }
    let mut facts = Facts { clock: line.clock(), counts: BTreeMap::new() };
    let instance = wish.instance.to_owned();
    let mut snapshot = Snapshot { instance, taken_unix, version, ..Snapshot::default() };
    for (kind, read) in read.into_iter().flatten() {
        let listing = match read {
            Ok(whole) => {
                facts.counts.insert(kind, whole.counts);
                Listing { objects: whole.objects, distrust: Vec::new() }
            }
            Err(why) => Listing { objects: Vec::new(), distrust: vec![why] },
        };
        snapshot.lists.insert(kind, listing);
    }
    let past = judge(&mut snapshot, &facts, wish.past, wish.canary_required);
    Ok(Reading { snapshot, past })
}

/// Its version as it says itself, such as `25.2`; empty: it does not say. Also whether it answers at all.
pub(super) async fn version(line: &Line<'_, impl Ask>) -> Result<String, ReadError> {
    let answer = match line.get(&format!("{ROOT}/sites?page=0&size=1")).await {
        Ok(answer) if answer.status == StatusCode::UNAUTHORIZED => return Err(ReadError::Denied),
        Ok(answer) => answer,
        Err(Unanswered::TooLarge) => return Ok(String::new()),
        Err(Unanswered::Silent(why)) => return Err(ReadError::Silent(why)),
    };
    let json = answer.json().unwrap_or_default();
    let text = json.get("array").and_then(|list| list.get(0)?.get("version")?.as_str());
    let numbers = text.unwrap_or_default().split('.').take(2).map(str::parse::<u16>);
    match numbers.collect::<Result<Vec<_>, _>>().as_deref() {
        Ok([year, release]) => Ok(format!("{year}.{release}")),
        _ => Ok(String::new()),
    }
}

/// Booleans are JSON's since 2022 R2 (sheet 3.1).
pub(super) fn spelling(version: &str) -> Spelling {
    let numbers =
        version.split_once('.').and_then(|(y, r)| Some((y.parse::<u16>().ok()?, r.parse::<u16>().ok()?)));
    if numbers.is_some_and(|version| version < (22, 2)) { Spelling::Texts } else { Spelling::Plain }
}

/// What is wanted and can be read, with everything below which it is listed.
fn with_parents(wish: Wish<'_>) -> BTreeSet<Kind> {
    let canary = Kind::from_name(CANARY_KIND).filter(|_| wish.canary_required || wish.past.has_canary());
    let mut kinds = BTreeSet::new();
    for kind in wish.kinds.iter().copied().chain(canary) {
        let mut next = Some(kind);
        while let Some(kind) = next {
            next = match kind.row().place {
                Place::Unread(_) => None,
                Place::Top => {
                    kinds.insert(kind);
                    None
                }
                Place::Below(parent) => {
                    kinds.insert(kind);
                    Kind::from_name(parent)
                }
            };
        }
    }
    kinds
}

/// Types with all that is listed below them.
struct Families<'a, A> {
    lists: &'a Lists<'a, A>,
    kinds: &'a BTreeSet<Kind>,
    done: &'a (dyn Fn() + Sync),
}

type Read = Vec<(Kind, Result<Whole, Distrust>)>;

impl<A: Ask> Families<'_, A> {
    /// A type, and then what is below it.
    fn read(&self, kind: Kind, parents: Vec<Guid>) -> BoxFuture<'_, Read> {
        async move {
            let read = self.lists.read(kind, &parents).await;
            (self.done)();
            let mut all = match &read {
                Ok(whole) => {
                    let ids: Vec<Guid> = whole.objects.iter().map(|object| object.id).collect();
                    let below = join_all(self.below(kind).map(|kind| self.read(kind, ids.clone()))).await;
                    below.into_iter().flatten().collect()
                }
                Err(Distrust::Absent) => self.unread(kind, &Distrust::Absent),
                Err(_) => self.unread(kind, &Distrust::Parent(kind.as_str())),
            };
            all.push((kind, read));
            all
        }
        .boxed()
    }

    /// Everything below a type, unread for this reason.
    fn unread(&self, kind: Kind, why: &Distrust) -> Read {
        let mut all = Vec::new();
        for below in self.below(kind) {
            (self.done)();
            let own = if *why == Distrust::Absent { why.clone() } else { Distrust::Parent(kind.as_str()) };
            all.extend(self.unread(below, &own));
            all.push((below, Err(own)));
        }
        all
    }

    fn below(&self, kind: Kind) -> impl Iterator<Item = Kind> {
        self.kinds.iter().copied().filter(move |below| below.row().place == Place::Below(kind.as_str()))
    }
}

/// A login.
const LOGIN: Duration = Duration::from_secs(10);
/// All of an instance.
const WHOLE: Duration = Duration::from_secs(600);
