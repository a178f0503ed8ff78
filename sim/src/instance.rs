//! Everything that the parts of a running instance share.

use std::sync::Arc;

use crate::api::Api;
use crate::faults::FaultBoard;
use crate::feed::{Feed, FeedSettings};
use crate::journal::Journal;
use crate::messages::Hub;
use crate::server::arrivals::Arrivals;
use crate::server::wire::Connections;
use crate::socket::recycle::Gateway;
use crate::socket::session::Sessions;

/// One running instance.
pub struct Instance {
    /// The VMS behind the sockets.
    pub api: Arc<Api>,
    /// What is broken now.
    pub faults: Arc<FaultBoard>,
    /// What arrived.
    pub arrivals: Arrivals,
    /// What is connected.
    pub connections: Arc<Connections>,
    /// What was reported.
    pub journal: Arc<Journal>,
    /// What reports.
    pub feed: Arc<Feed>,
    /// Sessions of the Events & State sockets.
    pub sessions: Sessions,
    /// What the event sockets come through.
    pub gateway: Gateway,
    /// Subscriptions of the Messages sockets.
    pub messages: Arc<Hub>,
}

impl Instance {
    /// Puts an instance together; nothing runs yet.
    #[must_use]
    pub fn new(api: Api, feed: FeedSettings) -> Self {
        let (journal, faults) = (Arc::clone(api.journal()), Arc::clone(api.faults()));
        let api = Arc::new(api);
        Self {
            feed: Arc::new(Feed::new(Arc::clone(&api), Arc::clone(&journal), feed)),
            sessions: Sessions::new(api.settings()),
            gateway: Gateway::new(api.settings()),
            api,
            journal,
            faults,
            arrivals: Arrivals::default(),
            connections: Arc::new(Connections::default()),
            messages: Arc::default(),
        }
    }
}
