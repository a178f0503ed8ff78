//! Step 7 of the stack: whose request it is and what binds it to an instance (design D8, D10), and
//! what a standby may be asked to do (D20).

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use tokio::time::timeout;

use super::asked::{Asked, Purpose};
use super::ntlm::Leg;
use super::{Denied, Job, Stack};
use crate::balance::{Bound, Picture, Twins};
use crate::clock::{Moment, unix_seconds};
use crate::config::types::{InstanceId, Service, Site, SiteId, StandbyWrites, TwinBinding};
use crate::health::supervisor::REFRESH_PAUSE;
use crate::http::respond::Answer;
use crate::http::unanswered::Unanswered;
use crate::live::Live;
use crate::metrics::Refused;
use crate::session::client::ClientNet;
use crate::session::cookie::{self, Ours};
use crate::session::grant::Grant;
use crate::session::issued::Hash;
use crate::session::login::Session;
use crate::session::token::{self, Credential};
use crate::session::validate::{Accepted, Refusal};
use crate::upstream::forward::is_safe_method;
use crate::vms::documents::Keys;

/// What is known about the sender of a request.
pub(super) struct Binding {
    /// What binds the request to an instance.
    pub(super) bound: Bound,
    /// Which leg of a handshake it is.
    pub(super) leg: Option<Leg>,
    /// The login that it belongs to, if it may use the twins of it; of a refresh token or a
    /// revocation, the login that it renews or ends.
    pub(super) session: Option<Arc<Session>>,
}

impl From<Bound> for Binding {
    fn from(bound: Bound) -> Self {
        Self { bound, leg: None, session: None }
    }
}

/// Our cookie in a request, and the instance that it names.
pub(super) struct Cookie {
    pub(super) ours: Option<Ours>,
    pub(super) instance: Option<InstanceId>,
}

impl Cookie {
    /// Takes it out of the request.
    pub(super) fn take(headers: &mut HeaderMap, job: &Job<'_>) -> Self {
        let ours = cookie::take(headers);
        let named = |ours: &Ours| job.live.prepared.named_by_cookie(job.route.site, ours.instance());
        Self { instance: ours.as_ref().and_then(named), ours }
    }

    /// What it says about the login.
    pub(super) fn login(&self) -> Option<&str> {
        self.ours.as_ref()?.login()
    }
}

impl Stack {
    /// Who sends a request, and what that binds it to.
    pub(super) async fn bind(
        &self,
        job: &Job<'_>,
        headers: &HeaderMap,
        asked: Option<&Asked>,
        cookie: &Cookie,
        upgrade: bool,
    ) -> Result<Binding, Denied> {
        let Job { service, connection, .. } = *job;
        let awaits = connection.pinned.get().and_then(|pinned| pinned.awaits());
        let credential = token::credential(headers);
        let leg = match credential {
            Credential::Connection(message) => Some(self.leg(job, message, awaits)?),
            _ => None,
        };
        if let Some(Leg::Continues(instance)) = leg {
            return Ok(Binding { leg, ..Bound::Handshake(instance).into() });
        }
        if let Some(asked) = asked {
            return Ok(Binding { leg, ..self.bind_form(job, asked, cookie)? });
        }
        let by_cookie = cookie.instance.map_or(Bound::Nothing, Bound::Affinity);
        let bound = match credential {
            Credential::Bearer(text) if service != Service::Http => {
                return self.bind_token(job, text, cookie).await;
            }
            Credential::Connection(_) if service == Service::Identity && cookie.instance.is_none() => {
                Bound::Login
            }
            Credential::None if cookie.instance.is_none() => self.stay(job, upgrade),
            _ => by_cookie,
        };
        Ok(Binding { leg, ..bound.into() })
    }

    /// Where a form with a secret belongs.
    fn bind_form(&self, job: &Job<'_>, asked: &Asked, cookie: &Cookie) -> Result<Binding, Denied> {
        let (hash, now) = match asked.purpose {
            Purpose::Token(Grant::Windows) if job.connection.pace.http2() => {
                // Its challenge could not be answered here, and would cost the instance a connection.
                return Err(Unanswered::http11_required().into());
            }
            Purpose::Token(Grant::Password) if self.will_have_twin(job, asked) => {
                return Ok(Bound::Nothing.into());
            }
            Purpose::Token(Grant::Password | Grant::Windows | Grant::Other) => return Ok(Bound::Login.into()),
            Purpose::Token(Grant::Bound(hash)) | Purpose::Revocation(hash) => (hash, Moment::now()),
        };
        let found = self.sessions.find_renewal(hash, now).or_else(|| match asked.purpose {
            Purpose::Revocation(_) => self.sessions.find(hash, now),
            Purpose::Token(_) => None,
        });
        let found = found.filter(|s| s.site() == job.live.prepared.config.site(job.route.site).name);
        let home = found.as_ref().map(|s| s.home()).or_else(|| self.issued.find(hash, now));
        // From elsewhere it is a token of its home, and nothing is done at the others for it.
        let session = found.filter(|session| self.is_client(job, session, cookie));
        let home = home.and_then(|key| job.live.prepared.candidate_by_key(job.route.site, key));
        Ok(Binding { session, ..Bound::Token(home.ok_or(Answer::UNKNOWN_GRANT)?).into() })
    }

    /// Where a bearer token may go.
    async fn bind_token(&self, job: &Job<'_>, text: &str, cookie: &Cookie) -> Result<Binding, Denied> {
        let token = Hash::of(text.as_bytes());
        if let Some(binding) = self.bind_session(job, token, cookie).await {
            return Ok(binding);
        }
        Ok(Bound::Token(self.accept(job.live, job.route.site, text, token).await?.home).into())
    }

    /// Whether a request comes from the client that logged in.
    fn is_client(&self, job: &Job<'_>, session: &Session, cookie: &Cookie) -> bool {
        let site = job.live.prepared.config.site(job.route.site);
        self.knows_client(site, session, job.client, cookie.ours.as_ref())
    }

    /// Where a token goes that was issued through us, if it was.
    async fn bind_session(&self, job: &Job<'_>, token: Hash, cookie: &Cookie) -> Option<Binding> {
        let Job { live, route, service, .. } = *job;
        let site = live.prepared.config.site(route.site);
        let session = self.sessions.find(token, Moment::now()).filter(|s| s.site() == site.name)?;
        let home = live.prepared.candidate_by_key(route.site, session.home())?;
        if !self.is_client(job, &session, cookie) {
            return Some(Bound::Token(home).into());
        }
        if !live.picture.answers(home, service) && session.is_pending() {
            // It has just logged in; its twin is on the way.
            let _ = Box::pin(timeout(TWIN_WAIT, session.settled())).await;
        }
        Some(Binding { bound: bound_of(live, route.site, &session, home), leg: None, session: Some(session) })
    }

    /// Whether whoever shows the token of a login is the client that logged in: whoever owns an
    /// instance has its tokens, and must not be somebody elsewhere with them.
    pub(super) fn knows_client(
        &self,
        site: &Site,
        session: &Session,
        client: ClientNet,
        cookie: Option<&Ours>,
    ) -> bool {
        site.twin_binding == TwinBinding::Nothing
            || session.client() == client
            || cookie.is_some_and(|ours| ours.proves(&self.signer, session.serial()))
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
    async fn accept(&self, live: &Live, site: SiteId, token: &str, hash: Hash) -> Result<Accepted, Answer> {
        let now = unix_seconds();
        let judged = match self.verdicts.check(&live.picture, site, token, hash, now) {
            Err(Refusal::UnknownKey | Refusal::Issuer) => {
                Box::pin(self.with_fresh_keys(live, site, token, hash)).await
            }
            judged => judged,
        };
        judged.map_err(|refusal| {
            self.metrics.refused(Refused::Unauthorized);
            tracing::debug!(%refusal, "a token is refused");
            word(refusal)
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

/// What a client is told whose token is refused.
pub(super) const fn word(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::UnknownKey | Refusal::Issuer | Refusal::Signature => Answer::FOREIGN_TOKEN,
        Refusal::Expired => Answer::TOKEN_EXPIRED,
        Refusal::NotYet => Answer::TOKEN_TOO_EARLY,
        Refusal::Quarantined => Answer::SIGN_IN_AGAIN,
        Refusal::TooLarge | Refusal::Malformed | Refusal::Algorithm | Refusal::Audience => {
            Answer::INVALID_TOKEN
        }
    }
}

/// What a session binds a request to now.
pub(super) fn bound_of(live: &Live, site: SiteId, session: &Session, home: InstanceId) -> Bound {
    let now = Moment::now();
    let twins = Twins::of(live.prepared.config.site(site), |id| {
        id != home && session.has_twin(live.prepared.backend(id).key, now)
    });
    if twins.is_empty() { Bound::Token(home) } else { Bound::Twinned { home, twins } }
}

/// How long a request waits for the twin of a login that has just lost its home.
pub(super) const TWIN_WAIT: Duration = Duration::from_millis(500);
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
