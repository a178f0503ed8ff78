//! What the Identity Provider and the domain know about users: passwords, and of basic users the count of failed
//! logins. Everything else about them is in objects.

use std::collections::HashMap;

use super::DOMAIN;

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

/// What the domain knows about a Windows user.
#[derive(Clone, Debug)]
pub struct WindowsAccount {
    /// Id of the `users` object.
    pub user: String,
    /// Domain and name, such as `VMS\win1`.
    pub name: String,
    /// SID in the domain: equal on every instance (sheet 3.7).
    pub sid: String,
    /// The password.
    pub password: String,
}

/// Accounts by name, whatever its case.
#[derive(Default)]
pub struct Accounts {
    by_name: HashMap<String, Account>,
    windows: HashMap<String, WindowsAccount>,
    /// Of users that were deleted; a restore brings them back.
    deleted: Vec<Account>,
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

    /// Adds a user of the domain.
    pub fn add_windows(&mut self, account: WindowsAccount) {
        self.windows.insert(account.sid.clone(), account);
    }

    /// The Windows user of a domain, or of no domain in particular, and a name; in any case.
    pub fn windows(&self, domain: &str, name: &str) -> Option<&WindowsAccount> {
        if !domain.is_empty() && !domain.eq_ignore_ascii_case(DOMAIN) {
            return None;
        }
        let fits = |account: &&WindowsAccount| {
            account.name.split_once('\\').is_some_and(|(_, own)| own.eq_ignore_ascii_case(name))
        };
        self.windows.values().find(fits)
    }

    /// The Windows user of a SID.
    pub fn windows_by_sid(&self, sid: &str) -> Option<&WindowsAccount> {
        self.windows.get(sid)
    }

    /// Removes the account of a `basicUsers` object.
    pub fn remove(&mut self, id: &str) -> Option<Account> {
        let name = self.by_name.values().find(|account| account.id == id)?.name.to_lowercase();
        let account = self.by_name.remove(&name)?;
        self.deleted.push(account.clone());
        Some(account)
    }

    /// Keeps the accounts of the `basicUsers` objects that exist now, and brings back theirs.
    pub fn follow(&mut self, exists: impl Fn(&str) -> bool) {
        let gone = self.by_name.extract_if(|_, account| !exists(&account.id)).map(|(_, account)| account);
        self.deleted.extend(gone.collect::<Vec<_>>());
        for account in self.deleted.extract_if(.., |account| exists(&account.id)).collect::<Vec<_>>() {
            self.add(account);
        }
    }
}
