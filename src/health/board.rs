//! The snapshot of every machine: what [`crate::balance`] decides from.

use super::cause::Cause;
use super::state::Condition;
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service};

/// What is known about one (instance, service).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The verdict.
    pub condition: Condition,
    /// Since when the condition holds.
    pub since: Moment,
    /// Since when it has not been down; fail-back counts from here. [`Condition::Suspect`] does
    /// not reset it. `None` while down or never probed.
    pub up_since: Option<Moment>,
    /// The last fault; kept after recovery until the next change.
    pub cause: Option<Cause>,
    /// When it last answered, the instance did not have this service.
    pub lacking: bool,
}

impl Fact {
    /// As far as known the instance has the service, working or not. One that does not have it, and
    /// is down now, has lost nothing.
    pub const fn exists(&self) -> bool {
        match self.condition {
            Condition::Absent => false,
            Condition::Down => !self.lacking,
            Condition::Unknown | Condition::Up | Condition::Suspect => true,
        }
    }
}

impl Default for Fact {
    fn default() -> Self {
        Self {
            condition: Condition::Unknown,
            since: Moment::default(),
            up_since: None,
            cause: None,
            lacking: false,
        }
    }
}

/// The facts of all instances and services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    facts: Vec<[Fact; Service::COUNT]>,
}

impl Board {
    /// A board on which nothing is known yet.
    pub fn new(instances: usize) -> Self {
        Self { facts: vec![[Fact::default(); Service::COUNT]; instances] }
    }

    /// The fact about one (instance, service); unknown if there is no such instance.
    pub fn get(&self, instance: InstanceId, service: Service) -> Fact {
        self.facts.get(instance.index()).map_or_else(Fact::default, |f| f[service.index()])
    }

    /// Writes a fact; an instance out of range is ignored.
    pub fn set(&mut self, instance: InstanceId, service: Service, fact: Fact) {
        if let Some(facts) = self.facts.get_mut(instance.index()) {
            facts[service.index()] = fact;
        }
    }
}
