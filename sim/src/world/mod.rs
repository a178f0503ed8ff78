//! What the instance knows: objects, groups, accounts, running tasks, and the log of accepted changes.

mod accounts;
pub mod ids;
mod jobs;
mod seed;
mod store;

use serde_json::Value;

pub use accounts::{Account, Accounts, WindowsAccount};
pub use jobs::{Job, JobState, Jobs};
pub use store::{Object, Store};

use crate::{api::Write, identity::Role, settings::Settings, stamp::Stamp};

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
    pub writes: Vec<Write>,
    /// Number of cameras that role `Guards` sees, from the first on.
    pub guarded: usize,
    roles: Vec<(String, Role)>,
}

impl World {
    /// The world at start: a function of name and seed.
    pub fn new(settings: &Settings) -> Self {
        seed::build(settings)
    }

    /// What a user may do: the strongest of its roles that has rights here.
    pub fn role_of(&self, sid: &str) -> Role {
        let windows = self.accounts.windows_by_sid(sid).map(|account| account.user.clone());
        // The `users` object of a basic user has its SID for an id.
        let user = windows.unwrap_or_else(|| sid.to_ascii_lowercase());
        self.roles
            .iter()
            .find(|(role, _)| self.store.members(role, "users").contains(&user))
            .map_or(Role::Nobody, |(_, role)| *role)
    }

    /// The rights that a role object stands for.
    pub fn rights_of_role(&self, id: &str) -> Role {
        self.roles.iter().find(|(role, _)| role == id).map_or(Role::Nobody, |(_, role)| *role)
    }

    /// Remembers an accepted change; secrets never get into the log.
    pub fn record(&mut self, now: Stamp, method: &str, path: &str, body: &Value, who: &str) {
        let body = redacted(body);
        let (method, path, who) = (method.to_owned(), path.to_owned(), who.to_owned());
        self.writes.push(Write { time: now.wire(), method, path, body, who });
    }
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
