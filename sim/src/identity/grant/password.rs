//! Passwords of basic users, and their lockout.

use std::sync::PoisonError;

use serde_json::Value;

use super::{Desk, Form, Granted, Login, MANAGEMENT, Refresh, Refusal, VALIDATOR, VMS, scope};
use crate::{
    stamp::Stamp,
    switches::{LOCKOUT_SECONDS, LOCKOUT_THRESHOLD},
    world::World,
};

impl Desk<'_> {
    pub(super) fn password(&self, form: &Form) -> Granted {
        let (client, refresh) = match form.get("client_id") {
            Some(VALIDATOR) => (VALIDATOR, Refresh::None),
            Some(VMS) => (VMS, Refresh::New),
            _ => return Err(Refusal::Plain("invalid_client")),
        };
        scope(form)?;
        let wrong = Refusal::User("invalid_username_or_password", "InvalidCredentials");
        let (Some(user), Some(password)) = (form.get("username"), form.get("password")) else {
            return Err(wrong);
        };
        let (sid, name) = self.admit(user, password)?;
        let login = Login { sid, client: client.to_owned(), scope: MANAGEMENT.to_owned(), since: self.now };
        self.issue(&login, &name, None, refresh)
    }

    /// Checks a password and counts wrong ones; gives SID and name.
    pub fn admit(&self, user: &str, password: &str) -> Result<(String, String), Refusal> {
        let mut world = self.world.write().unwrap_or_else(PoisonError::into_inner);
        let World { accounts, store, .. } = &mut *world;
        let wrong = || Refusal::User("invalid_username_or_password", "InvalidCredentials");
        let locked = || Refusal::User("locked_out", "LockedOut");
        let account = accounts.by_name(user).ok_or_else(wrong)?;
        let object = store.get_mut("basicUsers", &account.id).ok_or_else(wrong)?;
        match object.text("status") {
            "LockedOutByAdmin" => return Err(locked()),
            "LockedOutBySystem" => {
                let end = Stamp::parse(object.text("lockoutEnd"));
                if end.is_some_and(|end| end > self.now) {
                    return Err(locked());
                }
                object.set("status", "Enabled");
                object.fields.shift_remove("lockoutEnd");
                account.failures = 0;
            }
            _ => {}
        }
        if account.password != password {
            account.failures += 1;
            let threshold = self.settings.switches.number(&LOCKOUT_THRESHOLD);
            if threshold == 0 || account.failures < threshold {
                return Err(wrong());
            }
            let seconds = i64::try_from(self.settings.switches.number(&LOCKOUT_SECONDS)).unwrap_or(i64::MAX);
            object.set("status", "LockedOutBySystem");
            object.set("lockoutEnd", self.now.plus_millis(seconds.saturating_mul(1000)).wire());
            return Err(locked());
        }
        account.failures = 0;
        if object.fields.get("forcePasswordChange") == Some(&Value::Bool(true)) {
            return Err(Refusal::User("password_change_required", "ChangePassword"));
        }
        Ok((account.sid.clone(), account.name.clone()))
    }

    /// Name of a user who gave the password earlier. One who was deleted or locked out by an administrator since then
    /// is refused.
    pub(super) fn still_admitted(&self, sid: &str) -> Result<String, Refusal> {
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        let account = world.accounts.by_sid(sid).ok_or(Refusal::Plain("invalid_grant"))?;
        let user = world.store.get("basicUsers", &account.id);
        if user.is_some_and(|user| user.text("status") == "LockedOutByAdmin") {
            return Err(Refusal::User("locked_out", "LockedOut"));
        }
        Ok(account.name.clone())
    }
}
