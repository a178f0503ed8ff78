use super::super::snapshot::Snapshot;
use crate::config::types::Account;
use crate::vms::client::{Client, ClientError};
use crate::vms::token::TokenError;
#[derive(Clone, Debug, Default)]
pub struct Progress { pub types: usize, pub of: usize, pub objects: usize }
#[derive(Debug, thiserror::Error)]
pub enum ReadError { #[error(transparent)] Token(#[from] TokenError), #[error(transparent)] Client(#[from] ClientError) }
impl ReadError { pub fn is_refusal(&self) -> bool { false } }
pub struct Wish<'a> { pub kinds: Vec<super::super::catalogue::Kind>, pub accepted: &'a super::schema::Accepted }
pub async fn full(_: &Client, _: &Account, _: &Wish<'_>, _: &(dyn Fn(Progress) + Sync)) -> Result<Snapshot, ReadError> { Ok(Snapshot::default()) }
pub async fn changes(_: &Client, _: &Account, _: &Snapshot) -> Result<Snapshot, ReadError> { Ok(Snapshot::default()) }
pub async fn exists(_: &Client, _: &Account, _: &str, _: crate::idmap::guid::Guid) -> Option<bool> { None }
pub mod trust { #[derive(Clone, Debug, Default, PartialEq)] pub struct Past; impl Past { pub fn from_text(_: &str) -> Option<Self> { None } pub fn to_text(&self) -> String { String::new() } pub fn forget(&mut self, _: crate::sync::catalogue::Kind) {} } }
