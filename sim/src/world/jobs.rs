//! Queued tasks: they run for a while, then take effect, and stay listed until cleaned up (sheet 3.3).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{rest::tasks::TaskRow, stamp::Stamp};

/// A queued task.
pub struct Job {
    /// What runs.
    pub task: &'static TaskRow,
    /// Type and id of the object it was invoked on.
    pub target: (&'static str, String),
    /// Its parameters.
    pub parameters: Map<String, Value>,
    /// SID of the caller; others but administrators do not see the task.
    pub owner: String,
    /// When it was accepted.
    pub started: Stamp,
    /// How long it runs, in milliseconds.
    pub duration: i64,
    /// What came of it.
    pub state: JobState,
}

/// Where a queued task stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Not yet done.
    Running,
    /// Done; the object it made, if any, and what it found out.
    Done(Option<(&'static str, String)>, Map<String, Value>),
    /// Failed, with a text.
    Failed(String),
}

/// All queued tasks; ids are small integers that collide between instances (sheet 3.1).
#[derive(Default)]
pub struct Jobs {
    last: u32,
    /// By id.
    pub list: BTreeMap<u32, Job>,
}

impl Jobs {
    /// Adds a task and gives its id.
    pub fn add(&mut self, job: Job) -> u32 {
        self.last += 1;
        self.list.insert(self.last, job);
        self.last
    }

    /// Ids of the tasks that are due.
    pub fn due(&self, now: Stamp) -> Vec<u32> {
        self.list.iter().filter(|(_, job)| job.is_due(now)).map(|(id, _)| *id).collect()
    }
}

impl Job {
    fn is_due(&self, now: Stamp) -> bool {
        self.state == JobState::Running && now.millis_since(self.started) >= self.duration
    }

    /// Progress in percent.
    pub fn progress(&self, now: Stamp) -> i64 {
        match self.state {
            JobState::Running => (now.millis_since(self.started) * 100 / self.duration.max(1)).min(99),
            _ => 100,
        }
    }
}
