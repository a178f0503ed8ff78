//! Step 7 of the stack: what binds a request to an instance (design D10), and what a standby may be
//! asked to do (D20).

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::time::timeout;

use super::{Job, Stack};
use crate::balance::{Bound, Picture};
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service, SiteId, StandbyWrites};
use crate::http::respond::Answer;
use crate::live::Live;
use crate::metrics::Refused;
use crate::session::grant::Grant;
use crate::session::token::{self, Credential, Home};
use crate::upstream::forward::is_safe_method;

impl Stack {
    /// What binds a request to an instance (design D10), and whether it authenticates its
    /// connection.
    pub(super) async fn bind(
        &self,
        job: &Job<'_>,
        headers: &HeaderMap,
        grant: Option<Grant>,
        cookie: Option<InstanceId>,
        upgrade: bool,
    ) -> Result<(Bound, bool), Answer> {
        let Job { live, route, service, connection } = *job;
        let by_cookie = cookie.map_or(Bound::Nothing, Bound::Affinity);
        if service == Service::Http {
            let ntlm = token::credential(headers) == Credential::Connection;
            return Ok((by_cookie, ntlm));
        }
        match grant {
            Some(Grant::Bound(hash)) => {
                let home = self.issued.find(hash, Moment::now()).and_then(|key| live.prepared.by_key(key));
                return home.map(|id| (Bound::Token(id), false)).ok_or(Answer::UNKNOWN_GRANT);
            }
            Some(Grant::Password | Grant::Other) => {
                let ntlm = token::credential(headers) == Credential::Connection;
                return Ok((Bound::Login, ntlm));
            }
            None => {}
        }
        let bound = match token::credential(headers) {
            Credential::Bearer(text) => match self.home(live, route.site, text).await {
                Home::Instance(id) => Bound::Token(id),
                Home::Unknown | Home::Foreign => {
                    self.metrics.refused(Refused::Unauthorized);
                    return Err(Answer::FOREIGN_TOKEN);
                }
            },
            Credential::Connection => return Ok((by_cookie, true)),
            // A socket that will authenticate in-band: its token most likely comes from where
            // logins go.
            Credential::None if upgrade && cookie.is_none() => Bound::Login,
            Credential::None if service == Service::Identity && cookie.is_none() => {
                let last = connection.identity_backend.get().and_then(|key| live.prepared.by_key(key));
                last.map_or(Bound::Nothing, Bound::Affinity)
            }
            Credential::None | Credential::Other => by_cookie,
        };
        Ok((bound, false))
    }

    /// The home of a token; waits a moment for key sets that were never read, because right after
    /// a start every token is unknown.
    async fn home(&self, live: &Live, site: SiteId, token: &str) -> Home {
        let found = token::home(&live.picture, site, token);
        if let Home::Instance(_) = found {
            return found;
        }
        self.supervisor.refresh_documents();
        if found == Home::Foreign {
            return found;
        }
        let known = |picture: &Picture| match token::home(picture, site, token) {
            Home::Unknown => None,
            home => Some(home),
        };
        Box::pin(self.wait_for_picture(live, known)).await.unwrap_or(Home::Unknown)
    }

    /// Waits a moment for a picture that `knows`; `None` if none comes, or a reload comes first: ids
    /// of one configuration mean nothing in another.
    pub(super) async fn wait_for_picture<T>(
        &self,
        live: &Live,
        knows: impl Fn(&Picture) -> Option<T>,
    ) -> Option<T> {
        let mut pictures = self.supervisor.watch();
        let known = async {
            loop {
                let picture = pictures.borrow_and_update().clone();
                if !Arc::ptr_eq(&picture.config, &live.prepared.config) {
                    return None;
                }
                if let Some(known) = knows(&picture) {
                    return Some(known);
                }
                pictures.changed().await.ok()?;
            }
        };
        timeout(DOCUMENTS_WAIT, known).await.ok().flatten()
    }

    /// Design D20: writes while a standby serves `config`. Returns where the write may fall back to.
    pub(super) fn allow_write(
        &self,
        job: &Job<'_>,
        method: &Method,
        instance: InstanceId,
        fallback: Option<InstanceId>,
    ) -> Result<Option<InstanceId>, Answer> {
        let config = &job.live.prepared.config;
        let refuses = config.failback.standby_writes == StandbyWrites::Refuse;
        if job.service != Service::Config || is_safe_method(method) || !refuses {
            return Ok(fallback);
        }
        let primary = config.site(job.route.site).primary;
        if instance != primary {
            self.metrics.refused(Refused::StandbyWrite);
            return Err(Answer::STANDBY_WRITES);
        }
        Ok(fallback.filter(|id| *id == primary))
    }
}

/// How long a token of unknown origin waits for key sets that are being read.
const DOCUMENTS_WAIT: Duration = Duration::from_millis(800);
