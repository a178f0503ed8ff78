//! What an operator wants to know about sessions: how many, where, and who cannot fail over.

use std::collections::BTreeMap;

use super::login::{Session, Twin, Without};
use super::table::Sessions;
use crate::clock::Moment;

/// The sessions at one moment.
#[derive(Debug, Default)]
pub struct Census {
    /// How many, by site, home (the key of its backend) and twin.
    pub counts: BTreeMap<(String, u64, Twin), u64>,
    /// Users who would have to log in again, by site and name, and why. Not all, if there are very
    /// many.
    pub stuck: BTreeMap<(String, String), Without>,
}

impl Census {
    /// Counts the sessions that have not ended.
    pub fn take(sessions: &Sessions, now: Moment) -> Self {
        let mut census = Self::default();
        sessions.each(now, |session| {
            let twin = best(session, now);
            *census.counts.entry((session.site().to_owned(), session.home(), twin)).or_default() += 1;
            if let Twin::None(why) = twin
                && census.stuck.len() < MOST_NAMES
            {
                census.stuck.insert((session.site().to_owned(), session.user().to_owned()), why);
            }
        });
        census
    }

    /// How many sessions of a site have a twin that stands like this.
    pub fn count(&self, site: &str, twin: &str) -> u64 {
        let of = self.counts.iter().filter(|((s, _, t), _)| s == site && t.as_str() == twin);
        of.map(|(_, count)| count).sum()
    }
}

/// One twin that is ready saves a session.
fn best(session: &Session, now: Moment) -> Twin {
    let twins = session.twins(now);
    let ready = twins.iter().find(|(_, twin)| *twin == Twin::Ready);
    let pending = || twins.iter().find(|(_, twin)| *twin == Twin::Pending);
    let first = ready.or_else(pending).or_else(|| twins.first());
    first.map_or(Twin::None(Without::Setting), |(_, twin)| *twin)
}

const MOST_NAMES: usize = 1000;
