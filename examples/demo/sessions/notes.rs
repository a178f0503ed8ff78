//! What the users noted, apart from the fate of each read, which is in [`Journal`].

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::user::{Kind, User};
use crate::record::Journal;

/// Something worth counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A log-in that a 401 made necessary.
    LogIn(Kind),
    /// 404 for an id that this user was given before.
    NotFound,
    /// An id that this user was not given before, in an answer or an event.
    StrangeId,
    /// An answer as for somebody else.
    WrongIdentity(String),
    /// What became of a change that a user asked for.
    Change(Fate),
    /// A socket was open again after so long.
    SocketBack(Duration),
    /// A socket could not be opened.
    SocketRefused(String),
    /// Events came to the socket of the user in this place.
    Events(usize),
}

/// What a user knows about a change that it asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Done.
    Done,
    /// Not done: the answer says so.
    Refused(String),
    /// Perhaps done: the answer says so.
    Unknown,
    /// Perhaps done: nobody says anything.
    Unsaid(String),
}

/// A change that was asked for, by the tag of its request.
#[derive(Clone, Debug)]
pub struct Change {
    /// By whom.
    pub user: User,
    /// What the user knows about it.
    pub fate: Fate,
}

/// A first log-in.
#[derive(Clone, Debug)]
pub struct FirstLogIn {
    /// The body of the token request.
    pub form: String,
    /// When its answer had come.
    pub answered: SystemTime,
}

/// Everything that was noted.
#[derive(Default)]
pub struct Notes {
    /// The reads.
    pub journal: std::sync::Arc<Journal>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    facts: Vec<(Instant, Fact)>,
    changes: BTreeMap<u64, Change>,
    log_ins: Vec<FirstLogIn>,
}

/// The counts of a span of time.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By kind of user.
    pub log_ins: BTreeMap<Kind, usize>,
    /// See [`Fact::NotFound`].
    pub not_found: usize,
    /// See [`Fact::StrangeId`].
    pub strange_ids: usize,
    /// See [`Fact::WrongIdentity`].
    pub wrong_identities: Vec<String>,
    /// By what the users know about them.
    pub changes: BTreeMap<Fate, usize>,
    /// Sockets that were opened again.
    pub sockets_back: usize,
    /// The longest that one was away.
    pub longest_away: Duration,
    /// Sockets that could not be opened, by reason.
    pub sockets_refused: BTreeMap<String, usize>,
    /// Sockets to which no event came in the last [`SILENCE`] of the span.
    pub silent_sockets: usize,
}

impl Notes {
    /// Notes a fact.
    pub fn fact(&self, fact: Fact) {
        self.lock().facts.push((Instant::now(), fact));
    }

    /// Notes a change that was asked for.
    pub fn change(&self, tag: u64, user: User, fate: Fate) {
        self.fact(Fact::Change(fate.clone()));
        self.lock().changes.insert(tag, Change { user, fate });
    }

    /// Notes a first log-in.
    pub fn first_log_in(&self, form: String) {
        self.lock().log_ins.push(FirstLogIn { form, answered: SystemTime::now() });
    }

    /// All first log-ins.
    pub fn log_ins(&self) -> Vec<FirstLogIn> {
        self.lock().log_ins.clone()
    }

    /// All changes that were asked for.
    pub fn changes(&self) -> BTreeMap<u64, Change> {
        self.lock().changes.clone()
    }

    /// The counts of what was noted from `from` until `to`; there are so many `sockets`.
    pub fn tally(&self, from: Instant, to: Instant, sockets: usize) -> Tally {
        let inner = self.lock();
        let mut tally = Tally::default();
        let mut heard = vec![false; sockets];
        for (at, fact) in inner.facts.iter().filter(|(at, _)| from <= *at && *at < to) {
            match fact {
                Fact::LogIn(kind) => *tally.log_ins.entry(*kind).or_default() += 1,
                Fact::NotFound => tally.not_found += 1,
                Fact::StrangeId => tally.strange_ids += 1,
                Fact::WrongIdentity(what) => tally.wrong_identities.push(what.clone()),
                Fact::Change(fate) => *tally.changes.entry(fate.clone()).or_default() += 1,
                Fact::SocketBack(away) => {
                    tally.sockets_back += 1;
                    tally.longest_away = tally.longest_away.max(*away);
                }
                Fact::SocketRefused(why) => *tally.sockets_refused.entry(why.clone()).or_default() += 1,
                Fact::Events(place) if *at + SILENCE >= to => {
                    if let Some(heard) = heard.get_mut(*place) {
                        *heard = true;
                    }
                }
                Fact::Events(_) => {}
            }
        }
        tally.silent_sockets = heard.iter().filter(|heard| !**heard).count();
        tally
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    /// Changes of which nobody says whether they were done.
    pub fn unsaid(&self) -> usize {
        self.changes.iter().filter(|(fate, _)| matches!(fate, Fate::Unsaid(_))).map(|(_, n)| n).sum()
    }

    /// Changes whose answer says that nobody knows.
    pub fn unknown(&self) -> usize {
        self.changes.get(&Fate::Unknown).copied().unwrap_or_default()
    }

    /// All changes.
    pub fn asked(&self) -> usize {
        self.changes.values().sum()
    }

    /// Log-ins of users of a kind.
    pub fn log_ins_of(&self, kind: Kind) -> usize {
        self.log_ins.get(&kind).copied().unwrap_or_default()
    }
}

/// With the events of the stage, one that hears nothing for so long is deaf.
pub const SILENCE: Duration = Duration::from_secs(3);
