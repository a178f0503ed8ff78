//! Login throttling: failed logins make the next ones wait, so that passwords cannot be tried out
//! and an attacker cannot make the VMS lock somebody else out (its threshold is commonly five wrong
//! passwords in a row, which a success sets back; fact sheet 2.3).
//!
//! Three counts, and the strictest decides:
//!
//! | Scope | Waits | Ends with |
//! |---|---|---|
//! | user and address | after each failure in a row, longer each time; from the fourth on for long | a success |
//! | address | after 20 failures within a minute, longer each time | time |
//! | user | after 100 failures within ten minutes; not where the user logged in within a day | time |
//!
//! A login on its way counts like a failure until its outcome is known: else whoever sends fifty at
//! once has fifty tries. Only what an instance has judged is counted, so a login that has to wait
//! makes nothing worse. Pure: time is an argument. Memory is bounded ([`Shelves`]) and holds no name
//! and no secret, only hashes under a key that is made at start.

mod claim;
mod meter;
mod row;
mod shelves;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;

use self::meter::{Limit, Meter};
use self::row::Row;
use self::shelves::Shelves;
use super::client::ClientNet;
use crate::clock::Moment;
use crate::metrics::Throttled;

pub use self::claim::{Ambiguous, Claim};

/// What failed logins have left behind; shared by all cores.
pub struct Throttle {
    key: hmac::Key,
    state: Mutex<State>,
}

/// Who tries to log in, as three keys that say nothing about it.
#[derive(Clone, Copy, Debug)]
pub struct Who {
    /// `None`: the login names nobody.
    user: Option<OfUser>,
    address: u128,
}

#[derive(Clone, Copy, Debug)]
struct OfUser {
    user: u128,
    pair: u128,
}

/// What becomes of a login now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may go to the instance; [`Throttle::settle`] has to be called exactly once.
    Go,
    /// Not before this moment.
    Wait {
        /// What was counted.
        scope: Throttled,
        /// A success may end it earlier.
        due: Moment,
    },
    /// Others are on their way, and have to be judged first.
    Full(Throttled),
}

/// How an instance has judged a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has issued a token: the only proof that the password was good. Other good answers may come
    /// from places where nobody looks at the credentials.
    Success,
    /// Wrong name or password.
    Failure,
    /// The user is locked out, whatever the password is.
    LockedOut,
    /// It said nothing about the password, or did not answer.
    Neither,
}

struct State {
    pairs: Shelves<Row>,
    addresses: Shelves<Meter>,
    users: Shelves<Meter>,
}

impl Throttle {
    /// Nobody has failed yet.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn new() -> Result<Self, aws_lc_rs::error::Unspecified> {
        Ok(Self::with_key(hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?))
    }

    fn with_key(key: hmac::Key) -> Self {
        let state = State {
            pairs: Shelves::new(PAIRS),
            addresses: Shelves::new(ADDRESSES),
            users: Shelves::new(USERS),
        };
        Self { key, state: Mutex::new(state) }
    }

    /// Who logs in: the same user of two sites is two users.
    pub fn who(&self, site: &str, claim: &Claim, client: ClientNet) -> Who {
        let client = client.to_string();
        let hash = |parts: [&str; 3]| {
            let mut context = hmac::Context::with_key(&self.key);
            for part in parts {
                context.update(&(part.len() as u64).to_le_bytes());
                context.update(part.as_bytes());
            }
            let mut half = [0; 16];
            half.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
            u128::from_le_bytes(half)
        };
        let user = claim
            .user()
            .map(|user| OfUser { user: hash([site, user, ""]), pair: hash([site, user, &client]) });
        Who { user, address: hash(["", "", &client]) }
    }

    /// Whether a login may go to an instance.
    pub fn admit(&self, who: Who, now: Moment) -> Decision {
        self.state().admit(who, now)
    }

    /// The outcome of a login that was let go.
    pub fn settle(&self, who: Who, verdict: Verdict, now: Moment) {
        self.state().settle(who, verdict, now);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn admit(&mut self, who: Who, now: Moment) -> Decision {
        let row = who.user.map(|keys| self.pairs.get(keys.pair)).unwrap_or_default();
        let (known, clean) = (row.is_known(now), row.failures(now) == 0);
        let due = |scope, until: Moment| (until > now).then_some(Decision::Wait { scope, due: until });
        let full = |scope, is_full: bool| is_full.then_some(Decision::Full(scope));
        let by_pair = || {
            who.user?;
            due(Throttled::UserAddress, row.due(now))
                .or_else(|| full(Throttled::UserAddress, row.is_full(now)))
        };
        let by_address = || {
            let meter = self.addresses.get(who.address);
            // Those who are at home there need not wait for each other.
            let is_full = if known && clean { meter.is_crowded() } else { meter.is_full(now, &ADDRESS) };
            due(Throttled::Address, meter.until()).or_else(|| full(Throttled::Address, is_full))
        };
        let by_user = || {
            let meter = self.users.get(who.user.filter(|_| !known)?.user);
            due(Throttled::User, meter.until()).or_else(|| full(Throttled::User, meter.is_full(now, &USER)))
        };
        if let Some(decision) = by_pair().or_else(by_address).or_else(by_user) {
            return decision;
        }
        self.addresses.change(who.address, now, Meter::begin);
        if let Some(keys) = who.user {
            self.pairs.change(keys.pair, now, Row::begin);
            self.users.change(keys.user, now, Meter::begin);
        }
        Decision::Go
    }

    fn settle(&mut self, who: Who, verdict: Verdict, now: Moment) {
        let known = who.user.is_some_and(|keys| self.pairs.get(keys.pair).is_known(now));
        let failed = match verdict {
            Verdict::Failure => true,
            // Where the user is at home, it most likely is the user, who tries until it works again.
            Verdict::LockedOut => !known,
            Verdict::Success | Verdict::Neither => false,
        };
        self.addresses.change(who.address, now, |meter| meter.end(failed, now, &ADDRESS));
        if let Some(keys) = who.user {
            self.users.change(keys.user, now, |meter| meter.end(failed, now, &USER));
            self.pairs.change(keys.pair, now, |row| match verdict {
                Verdict::Success => row.succeed(now),
                _ => row.end(failed, now),
            });
        }
    }
}

/// A fact about logins that is worth more or less.
trait Weigh: Copy + Default {
    /// How much would be lost with it; 0: nothing.
    fn weight(&self, now: Moment) -> u32;
}

const ADDRESS: Limit = Limit { failures: 20, window: Duration::from_secs(60) };
const USER: Limit = Limit { failures: 100, window: Duration::from_secs(600) };

/// Shelves of eight entries; some 8 MiB when everything is full.
const PAIRS: usize = 16 * 1024;
const ADDRESSES: usize = 4 * 1024;
const USERS: usize = 4 * 1024;
