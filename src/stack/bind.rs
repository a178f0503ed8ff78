//! Step 7 of the stack: what binds a request to an instance (design D10), and what a standby may be
//! asked to do (D20).

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::time::timeout;

use super::ntlm::Leg;
use super::{Denied, Job, Stack};
use crate::balance::{Bound, Picture};
use crate::clock::{Moment, unix_seconds};
use crate::config::types::{InstanceId, Service, SiteId, StandbyWrites};
use crate::health::supervisor::REFRESH_PAUSE;
use crate::http::respond::Answer;
use crate::http::unanswered::Unanswered;
use crate::live::Live;
use crate::metrics::Refused;
use crate::session::grant::Grant;
use crate::session::issued::Hash;
use crate::session::token::{self, Credential};
use crate::session::validate::{Accepted, Refusal};
use crate::upstream::forward::is_safe_method;
use crate::vms::documents::Keys;

impl Stack {
    /// What binds a request to an instance (design D10), and which leg of a handshake it is.
    pub(super) async fn bind(
        &self,
        job: &Job<'_>,
        headers: &HeaderMap,
        grant: Option<Grant>,
        cookie: Option<InstanceId>,
        upgrade: bool,
    ) -> Result<(Bound, Option<Leg>), Denied> {
        let Job { live, route, service, connection, .. } = *job;
        let awaits = connection.pinned.get().and_then(|pinned| pinned.awaits());
        let credential = token::credential(headers);
        let leg = match credential {
            Credential::Connection(message) => Some(self.leg(job, message, awaits)?),
            _ => None,
        };
        if let Some(Leg::Continues(instance)) = leg {
            return Ok((Bound::Handshake(instance), leg));
        }
        match grant {
            Some(Grant::Bound(hash)) => {
                let home = self.issued.find(hash, Moment::now()).and_then(|key| live.prepared.by_key(key));
                return Ok((Bound::Token(home.ok_or(Answer::UNKNOWN_GRANT)?), leg));
            }
            Some(Grant::Windows) if connection.pace.http2() => {
                // Its challenge could not be answered here, and would cost the instance a connection.
                return Err(Unanswered::http11_required().into());
            }
            Some(Grant::Password | Grant::Windows | Grant::Other) => return Ok((Bound::Login, leg)),
            None => {}
        }
        let by_cookie = cookie.map_or(Bound::Nothing, Bound::Affinity);
        let bound = match credential {
            Credential::Bearer(text) if service != Service::Http => {
                Bound::Token(self.accept(live, route.site, text).await?.home)
            }
            Credential::Connection(_) if service == Service::Identity && cookie.is_none() => Bound::Login,
            Credential::None if cookie.is_none() => self.stay(job, upgrade),
            _ => by_cookie,
        };
        Ok((bound, leg))
    }

    /// Where a request goes that says nothing about its client: where the connection belongs.
    fn stay(&self, job: &Job<'_>, upgrade: bool) -> Bound {
        let Job { live, route, service, connection, .. } = *job;
        let last = match connection.pinned.get().and_then(|pinned| pinned.home()) {
            // It may have logged in there.
            Some(key) => Some(key),
            // A socket that will authenticate in-band: its token most likely comes from where
            // logins go.
            None if upgrade && service != Service::Http => return Bound::Login,
            None if service == Service::Identity => connection.identity_backend.get(),
            None => None,
        };
        let last = last.and_then(|key| live.prepared.candidate_by_key(route.site, key));
        last.map_or(Bound::Nothing, Bound::Affinity)
    }

    /// Whose token it is, if it is good (design D9). Waits a moment where keys may have changed, and
    /// right after a start, when all of them are unknown.
    async fn accept(&self, live: &Live, site: SiteId, token: &str) -> Result<Accepted, Answer> {
        let (hash, now) = (Hash::of(token.as_bytes()), unix_seconds());
        let judged = match self.verdicts.check(&live.picture, site, token, hash, now) {
            Err(Refusal::UnknownKey | Refusal::Issuer) => {
                Box::pin(self.with_fresh_keys(live, site, token, hash)).await
            }
            judged => judged,
        };
        judged.map_err(|refusal| {
            self.metrics.refused(Refused::Unauthorized);
            tracing::debug!(%refusal, "a token is refused");
            match refusal {
                Refusal::UnknownKey | Refusal::Issuer | Refusal::Signature => Answer::FOREIGN_TOKEN,
                Refusal::Expired => Answer::TOKEN_EXPIRED,
                Refusal::NotYet => Answer::TOKEN_TOO_EARLY,
                Refusal::Quarantined => Answer::SIGN_IN_AGAIN,
                Refusal::TooLarge | Refusal::Malformed | Refusal::Algorithm | Refusal::Audience => {
                    Answer::INVALID_TOKEN
                }
            }
        })
    }

    /// Judges a token once more when the keys of all instances that answer have been read lately.
    async fn with_fresh_keys(
        &self,
        live: &Live,
        site: SiteId,
        token: &str,
        hash: Hash,
    ) -> Result<Accepted, Refusal> {
        let asked = Moment::now();
        self.supervisor.refresh_documents();
        let judge = |picture: &Picture| match self.verdicts.check(picture, site, token, hash, unix_seconds())
        {
            Err(Refusal::UnknownKey | Refusal::Issuer) if reads_keys(picture, site, asked) => None,
            judged => Some(judged),
        };
        self.wait_for_picture(live, judge).await.unwrap_or(Err(Refusal::UnknownKey))
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

/// Whether a reading of keys that was asked for at `asked` may still bring something.
fn reads_keys(picture: &Picture, site: SiteId, asked: Moment) -> bool {
    picture.config.site(site).candidates().any(|id| match picture.documents(id) {
        None => !picture.quarantined(id),
        Some(documents) if documents.keys == Keys::Unread => !picture.quarantined(id),
        // Down, it keeps the keys that it had.
        Some(documents) => {
            asked.since(documents.fetched) >= REFRESH_PAUSE && picture.usable(id, Service::Identity)
        }
    })
}

/// How long a token of unknown origin waits for key sets that are being read.
const DOCUMENTS_WAIT: Duration = Duration::from_millis(800);
