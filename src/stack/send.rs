//! Step 9 of the stack: on the way to an instance, dressed for it, and to another one if the first
//! is lost and the user is known there (design D3, D8).

use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE, HeaderValue};
use http::{Request, StatusCode};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::asked::{Asked, Purpose};
use super::bind::{TWIN_WAIT, bound_of};
use super::in_band::Letter;
use super::ntlm::Leg;
use super::{Job, Stack, ids};
use crate::balance::{Bound, Pick, pick};
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service};
use crate::http::body::RequestBody;
use crate::session::grant::Grant;
use crate::session::login::Session;
use crate::upstream::forward::{self, Dress, Failure, Plan, Sent};
use crate::upstream::pinned::Over;

/// One request, and what its sender is bound to.
pub(super) struct Outgoing<'o> {
    pub(super) bound: Bound,
    pub(super) leg: Option<Leg>,
    pub(super) over: Over<'o>,
    pub(super) session: Option<&'o Arc<Session>>,
    pub(super) asked: Option<&'o Asked>,
    pub(super) letter: Option<&'o Letter>,
}

impl Stack {
    /// Sends `request` to `instance`, or to whom the rules allow instead. Returns who answered.
    pub(super) async fn send(
        &self,
        job: &Job<'_>,
        out: &Outgoing<'_>,
        (instance, fallback): (InstanceId, Option<InstanceId>),
        request: Request<RequestBody>,
    ) -> Result<(InstanceId, Sent), Failure> {
        // Kept only where a second chance may come: a twin is on its way, or was away until now.
        // Cookies are of the instance that set them.
        let spare = out
            .session
            .filter(|s| fallback.is_none() && s.may_outlive_home() && forward::is_safe(&request))
            .map(|_| {
                let mut spare = forward::copy(&request);
                spare.headers_mut().remove(COOKIE);
                spare
            });
        let failure = match self.send_once(job, out, out.bound, (instance, fallback), request).await {
            Ok(sent) => return Ok(sent),
            Err(failure) => failure,
        };
        if !matches!(failure, Failure::Down | Failure::Unreachable | Failure::Broken) {
            return Err(failure);
        }
        match Box::pin(self.second_chance(job, out, spare, failure)).await {
            Some((to, bound, request)) => {
                Box::pin(self.send_once(job, out, bound, (to, None), request)).await
            }
            None => Err(failure),
        }
    }

    async fn send_once(
        &self,
        job: &Job<'_>,
        out: &Outgoing<'_>,
        bound: Bound,
        (instance, fallback): (InstanceId, Option<InstanceId>),
        request: Request<RequestBody>,
    ) -> Result<(InstanceId, Sent), Failure> {
        let prepared = &job.live.prepared;
        let first = prepared.backend(instance);
        let grant = out.asked.and_then(Asked::grant);
        let token = match bound {
            Bound::Twinned { .. } | Bound::Made(_) => {
                out.session.map(|session| (session.as_ref(), request.headers().get(AUTHORIZATION).cloned()))
            }
            _ => None,
        };
        let outfit = Outfit { stack: self, job, token, letter: out.letter };
        let plan = Plan {
            service: job.service,
            first,
            fallback: fallback.map(|id| prepared.backend(id)),
            response_timeout: prepared.config.upstream.response_timeout,
            counted_apart: match out.leg {
                None => grant == Some(Grant::Password),
                Some(leg) => grant.is_some() && leg == Leg::Begins,
            },
            bound: fallback.is_none()
                && matches!(bound, Bound::Token(_) | Bound::Twinned { .. } | Bound::Made(_)),
            over: out.over,
            sticky: matches!(bound, Bound::Affinity(_)) && request.headers().contains_key(COOKIE)
                || out.leg.is_none() && out.over.own(first.key).is_some(),
            dress: &outfit,
        };
        let sent = self.forwarder.send(&plan, request).await?;
        let by = if sent.by_fallback { fallback.unwrap_or(instance) } else { instance };
        if let Some((session, _)) = &outfit.token
            && sent.response.status() == StatusCode::UNAUTHORIZED
            && prepared.backend(by).key != session.home()
        {
            // The client will log in again, and get a new one.
            session.lose(prepared.backend(by).key);
        }
        Ok((by, sent))
    }

    /// The session's home is lost, and nothing has happened there: who else can serve the request,
    /// and how it has to look then.
    async fn second_chance(
        &self,
        job: &Job<'_>,
        out: &Outgoing<'_>,
        spare: Option<Request<RequestBody>>,
        failure: Failure,
    ) -> Option<(InstanceId, Bound, Request<RequestBody>)> {
        let session = out.session?;
        if failure != Failure::Broken
            && let Some((to, request)) =
                out.asked.and_then(|asked| self.renewal_elsewhere(job, session, asked))
        {
            return Some((to, Bound::Token(to), request));
        }
        let request = spare?;
        // By the newest picture: the one at hand says that all is well.
        let _ = timeout(TWIN_WAIT, session.settled()).await;
        let newest = self.live.load();
        if !Arc::ptr_eq(&newest.prepared, &job.live.prepared) {
            return None;
        }
        let home = newest.prepared.candidate_by_key(job.route.site, session.home())?;
        let bound = bound_of(&newest, job.route.site, session, home);
        match pick(&newest.picture, job.route.site, job.service, bound) {
            Pick::To { instance, .. } if instance != home => Some((instance, bound, request)),
            Pick::To { fallback: Some(other), .. } => Some((other, bound, request)),
            _ => None,
        }
    }

    /// A refresh token of an instance that is away: another one may renew the login with its own.
    /// Each is used once, so this is asked only when it will be.
    pub(super) fn renewal_elsewhere(
        &self,
        job: &Job<'_>,
        session: &Session,
        asked: &Asked,
    ) -> Option<(InstanceId, Request<RequestBody>)> {
        if !matches!(asked.purpose, Purpose::Token(Grant::Bound(_))) {
            return None;
        }
        let live = self.live.load();
        if !Arc::ptr_eq(&live.prepared, &job.live.prepared) {
            return None;
        }
        let site = live.prepared.config.site(job.route.site);
        site.candidates().find_map(|id| {
            let backend = live.prepared.backend(id);
            if backend.key == session.home() || !live.picture.eligible(id, Service::Identity) {
                return None;
            }
            let refresh = session.take_refresh_token(backend.key)?;
            Some((id, asked.with("refresh_token", refresh.expose_secret())))
        })
    }
}

/// A request with the ids, and the tokens, of whoever gets it.
struct Outfit<'o> {
    stack: &'o Stack,
    job: &'o Job<'o>,
    /// The session, and the client's own header.
    token: Option<(&'o Session, Option<HeaderValue>)>,
    letter: Option<&'o Letter>,
}

impl Dress for Outfit<'_> {
    fn dress(&self, request: &mut Request<RequestBody>, backend: u64) {
        if let Some(letter) = self.letter {
            letter.dress(self.stack, backend, request);
        }
        if let Some((session, own)) = &self.token {
            let headers = request.headers_mut();
            let value = if backend == session.home() {
                own.clone()
            } else {
                session.authorization(backend, Moment::now())
            };
            // None: the twin has just ended. A stranger's token must not get there in its place.
            match value {
                Some(value) => drop(headers.insert(AUTHORIZATION, value)),
                None => drop(headers.remove(AUTHORIZATION)),
            }
        }
        if self.job.ids.is_some() {
            ids::to_instance(self.job, request, backend);
        }
    }
}

/// The same for everybody.
pub(super) struct Plain;

impl Dress for Plain {
    fn dress(&self, _: &mut Request<RequestBody>, _: u64) {}
}

pub(super) const PLAIN: Plain = Plain;
