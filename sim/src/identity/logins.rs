//! Logins that are alive: until their token expires, or their refresh token does.

use std::collections::HashMap;

use uuid::Uuid;

use crate::stamp::Stamp;

/// Who a login belongs to.
#[derive(Clone, Debug)]
pub struct Login {
    /// SID of the user.
    pub sid: String,
    /// The client that it logged in with.
    pub client: String,
    /// What its tokens may be used for.
    pub scope: String,
    /// When the user gave the password.
    pub since: Stamp,
}

/// All logins.
#[derive(Default)]
pub struct Logins {
    refresh: HashMap<String, (Login, Stamp)>,
    plain: HashMap<String, Stamp>,
    /// Sizes at which expired logins are cleared out next.
    clear_at: usize,
    clear_refresh_at: usize,
}

/// Clearing less often than this is not worth it.
const LEAST: usize = 1024;

impl Logins {
    /// Remembers a login without refresh token.
    pub fn plain(&mut self, id: String, expires: Stamp, now: Stamp) {
        self.plain.insert(id, expires);
        if self.plain.len() > self.clear_at.max(LEAST) {
            self.plain.retain(|_, expires| *expires > now);
            self.clear_at = self.plain.len() * 2;
        }
    }

    /// Makes a refresh token.
    pub fn refreshable(&mut self, login: Login, expires: Stamp, now: Stamp) -> String {
        if self.refresh.len() >= self.clear_refresh_at.max(LEAST) {
            self.refresh.retain(|_, (_, expires)| *expires > now);
            self.clear_refresh_at = self.refresh.len() * 2;
        }
        let token = format!("{}{}", hex(), hex());
        self.refresh.insert(token.clone(), (login, expires));
        token
    }

    /// The login of a refresh token; `once` makes this its last use.
    pub fn redeem(&mut self, token: &str, client: &str, once: bool, now: Stamp) -> Option<Login> {
        let (login, expires) = self.refresh.get(token)?;
        if *expires <= now || login.client != client {
            return None;
        }
        let login = login.clone();
        if once {
            self.refresh.remove(token);
        }
        Some(login)
    }

    /// Number of logins that are alive.
    pub fn live(&self, now: Stamp) -> usize {
        let alive = |expires: &Stamp| *expires > now;
        self.refresh.values().filter(|(_, expires)| alive(expires)).count()
            + self.plain.values().filter(|expires| alive(expires)).count()
    }
}

/// 32 upper-case hex digits that nobody can guess.
pub fn hex() -> String {
    Uuid::new_v4().simple().to_string().to_uppercase()
}
