//! Reads one instance through its API into a [`Snapshot`](super::snapshot::Snapshot), and says of every
//! type whether that may be believed.
//!
//! ```text
//! full, changes -> list (one type) -> ask (pace, repeats) -> the instance
//!  |                 |-> pages      a whole list, or the reason why it is none      (pure)
//!  |                 '-> schema     JSON -> canonical object, or what is different  (pure)
//!  '-> trust   what is doubted because of what was read before                      (pure)
//! ```

pub mod ask;
pub mod canonical;
pub mod changes;
pub mod full;
pub mod list;
mod member;
pub mod pace;
pub mod pages;
mod reference;
pub mod schema;
pub mod stamp;
pub mod trust;

use std::time::Duration;

use http::StatusCode;

use crate::clock::Moment;
use crate::config::types::Account;
use crate::idmap::guid::Guid;
use crate::vms::client::{Client, Reuse};
use crate::vms::token::password_grant;

/// Whether an instance has this object; `None`: it does not say.
pub async fn exists(client: &Client, account: &Account, kind: &str, id: Guid) -> Option<bool> {
    let asked = async {
        let token = password_grant(client, account, Moment::now()).await.ok()?.access;
        let path = format!("{}/{kind}/{id}", list::ROOT);
        match client.get(&path, Some(&token), Reuse::Kept).await.ok()?.status {
            StatusCode::OK => Some(true),
            StatusCode::NOT_FOUND => Some(false),
            _ => None,
        }
    };
    tokio::time::timeout(ANSWER, asked).await.unwrap_or(None)
}

/// Login and one question.
const ANSWER: Duration = Duration::from_secs(10);

#[cfg(test)]
pub(super) mod tests;
