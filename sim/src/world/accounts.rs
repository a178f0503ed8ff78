//! Passwords of basic users and the count of failed logins. Everything else about them is a `basicUsers` object.

use std::collections::HashMap;

/// What the Identity Provider keeps about a basic user.
#[derive(Clone, Debug)]
pub struct Account {
    /// Id of the `basicUsers` object.
    pub id: String,
    /// The user's name as it was created.
    pub name: String,
    /// SID in this VMS: an upper-case GUID (sheet 2.5).
    pub sid: String,
    /// The password.
    pub password: String,
    /// Wrong passwords since the last good one.
    pub failures: u64,
}

/// Accounts by name, whatever its case.
#[derive(Default)]
pub struct Accounts {
    by_name: HashMap<String, Account>,
}

impl Accounts {
    /// Adds an account.
    pub fn add(&mut self, account: Account) {
        self.by_name.insert(account.name.to_lowercase(), account);
    }

    /// The account of a user name.
    pub fn by_name(&mut self, name: &str) -> Option<&mut Account> {
        self.by_name.get_mut(&name.to_lowercase())
    }

    /// The account of a `basicUsers` object.
    pub fn by_id(&mut self, id: &str) -> Option<&mut Account> {
        self.by_name.values_mut().find(|account| account.id == id)
    }

    /// The account of a SID.
    pub fn by_sid(&self, sid: &str) -> Option<&Account> {
        self.by_name.values().find(|account| account.sid.eq_ignore_ascii_case(sid))
    }

    /// Removes the account of a `basicUsers` object.
    pub fn remove(&mut self, id: &str) -> Option<Account> {
        let name = self.by_name.values().find(|account| account.id == id)?.name.to_lowercase();
        self.by_name.remove(&name)
    }
}
