//! What the store was like before each of its changes, so that it can be set back (fault `restore`).
//!
//! The log only grows: a restore is a change like any other, so one can also be taken back by another.

use super::store::{Kind, Object};
use crate::stamp::Stamp;

/// What a change replaced.
#[derive(Clone)]
pub enum Before {
    /// An object: its number and itself, `None` if there was none.
    Object(Kind, String, Option<(u64, Object)>),
    /// The members of a type in a group.
    Members(String, Kind, Vec<String>),
}

/// The log. Nothing is kept until it is started: the world at start is its beginning.
#[derive(Default)]
pub struct History {
    start: Option<Stamp>,
    log: Vec<(Stamp, Before)>,
}

impl History {
    /// Begins to keep what is noted.
    pub fn begin(&mut self) {
        self.start = Some(Stamp::now());
    }

    /// When it began.
    pub fn start(&self) -> Option<Stamp> {
        self.start
    }

    /// Notes what is about to be replaced.
    pub fn note(&mut self, before: impl FnOnce() -> Before) {
        if self.start.is_some() {
            self.log.push((Stamp::now(), before()));
        }
    }

    /// What was replaced after that moment, the last first.
    pub fn since(&self, moment: Stamp) -> Vec<Before> {
        self.log.iter().rev().take_while(|(at, _)| *at > moment).map(|(_, before)| before.clone()).collect()
    }
}
