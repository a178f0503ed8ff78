//! What the instance knows: objects, groups, accounts, running tasks, and the log of accepted changes.

mod accounts;
pub mod grants;
mod history;
pub mod ids;
mod jobs;
mod seed;
mod store;
mod writes;

use serde_json::Value;

pub use accounts::{Account, Accounts, WindowsAccount};
pub use jobs::{Job, JobState, Jobs};
pub use store::{Object, Store};
pub use writes::Writes;

use self::grants::Grants;
use crate::{api::Write, identity::Role, settings::Settings, stamp::Stamp, switches::LOCAL_TIMES};

/// NetBIOS name of the Windows domain that every instance belongs to.
pub const DOMAIN: &str = "VMS";
/// DNS name of it.
pub const DNS_DOMAIN: &str = "vms.example";

/// Everything that changes while the instance runs.
pub struct World {
    /// Objects and groups.
    pub store: Store,
    /// Basic users' secrets and failed logins.
    pub accounts: Accounts,
    /// Queued tasks (`/tasks`).
    pub jobs: Jobs,
    /// Accepted changes.
    pub writes: Writes,
    /// Number of cameras that role `Guards` sees, from the first on.
    pub guarded: usize,
    /// Rights that were changed.
    pub grants: Grants,
}

impl World {
    /// The world at start: a function of name and seed.
    pub fn new(settings: &Settings) -> Self {
        let mut world = seed::build(settings);
        world.store.history().begin();
        world
    }

    /// Sets objects, groups, rights and accounts back to what they were at a moment. Passwords, failed logins, queued tasks
    /// and the log of changes stay.
    pub fn restore(&mut self, moment: Stamp) {
        self.store.restore(moment);
        self.grants.restore(moment);
        self.accounts.follow(|id| self.store.get("basicUsers", id).is_some());
    }

    /// What a user may do: what its roles may do, or the strongest of them if no task changed that.
    pub fn role_of(&self, sid: &str) -> Role {
        let windows = self.accounts.windows_by_sid(sid).map(|account| account.user.clone());
        // The `users` object of a basic user has its SID for an id.
        let user = windows.unwrap_or_else(|| sid.to_ascii_lowercase());
        self.grants.role(|role| self.store.members(role, "users").contains(&user))
    }

    /// The rights that a role object stands for.
    pub fn rights_of_role(&self, id: &str) -> Role {
        self.grants.role(|role| role == id)
    }

    /// Remembers an accepted change; secrets never get into the log.
    pub fn record(&mut self, now: Stamp, method: &str, path: &str, body: &Value, who: &str) {
        let body = redacted(body);
        let (method, path, who) = (method.to_owned(), path.to_owned(), who.to_owned());
        self.writes.push(Write { time: now.wire(), method, path, body, who });
    }
}

/// `lastModified` of an object of that type: two types have it in the site's local time (sheet 8.9).
pub fn last_modified(settings: &Settings, kind: &str, time: Stamp) -> String {
    /// W. Europe Standard Time is ahead of UTC by this.
    const HOURS: i64 = 1;
    let local = matches!(kind, "analyticsEvents" | "genericEvents") && settings.switches.on(&LOCAL_TIMES);
    if local { time.local(HOURS) } else { time.wire() }
}

fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let lower = name.to_ascii_lowercase();
                let secret = lower.contains("password") || lower.contains("secret");
                (name.clone(), if secret && value.is_string() { "***".into() } else { redacted(value) })
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(redacted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::redacted;

    #[test]
    fn secrets_are_redacted_at_any_depth() {
        let body = json!({ "password": "x", "a": [{ "clientSecret": "y", "forcePasswordChange": true }] });
        let wanted =
            json!({ "password": "***", "a": [{ "clientSecret": "***", "forcePasswordChange": true }] });
        assert_eq!(redacted(&body), wanted);
    }
}
