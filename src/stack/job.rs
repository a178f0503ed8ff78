//! One request on its way through the stack, and why it may get no instance's answer.

use std::rc::{Rc, Weak};

use bytes::Bytes;
use http::{HeaderValue, Response};

use crate::config::types::{Service, SiteId};
use crate::http::connection::Connection;
use crate::http::respond::Answer;
use crate::http::unanswered::Unanswered;
use crate::idmap::map::Map;
use crate::live::Live;
use crate::session::client::ClientNet;

/// Why a request has no instance's answer.
pub(super) enum Denied {
    /// It has one of ours.
    Answered(Answer),
    /// It is led back to where it began.
    Restart(Box<Response<Bytes>>),
    /// It has none.
    Unanswered(Unanswered),
}

impl From<Answer> for Denied {
    fn from(answer: Answer) -> Self {
        Self::Answered(answer)
    }
}

impl From<Unanswered> for Denied {
    fn from(why: Unanswered) -> Self {
        Self::Unanswered(why)
    }
}

/// One request on its way.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) live: &'a Live,
    pub(super) route: &'a Route,
    pub(super) service: Service,
    pub(super) connection: &'a Rc<Connection>,
    /// Where the client comes from.
    pub(super) client: ClientNet,
    /// `None`: ids stay as they are.
    pub(super) ids: Option<&'a Map>,
    /// Dead when the client has left.
    pub(super) stays: &'a Weak<()>,
}

/// Where the client believes to be.
pub(super) struct Route {
    pub(super) site: SiteId,
    /// As the client sent it. It passed the guard, and `site` answers for it.
    pub(super) authority: HeaderValue,
    /// Whether the client sees `https`.
    pub(super) secure: bool,
}

impl Route {
    /// What stands in addresses that we hand out.
    pub(super) fn origin(&self) -> String {
        // The guard has let only printable ASCII pass.
        let authority = self.authority.to_str().unwrap_or_default();
        format!("{}://{authority}", if self.secure { "https" } else { "http" })
    }
}
