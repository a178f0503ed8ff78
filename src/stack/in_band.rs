//! Tokens inside messages (step 10 for sockets, steps 7 and 9 for WebRTC over REST): what the
//! instance at the other end gets instead. It never gets a token that another one issued.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use http::request::Parts;
use http::{Method, Request};
use secrecy::{ExposeSecret, SecretString};

use super::bind::Cookie;
use super::{Denied, Job, Stack};
use crate::clock::{Moment, unix_seconds};
use crate::config::types::Service;
use crate::http::body::{CollectError, RequestBody, collect};
use crate::http::respond::Answer;
use crate::metrics::Refused;
use crate::route::normalise::segments;
use crate::session::client::ClientNet;
use crate::session::cookie::Ours;
use crate::session::in_band::{Dialect, Found};
use crate::session::issued::Hash;
use crate::session::login::Session;
use crate::session::validate::Refusal;

/// Who shows a token.
#[derive(Clone)]
pub(super) struct Sender {
    /// Name of the site.
    pub(super) site: String,
    client: ClientNet,
    cookie: Option<Ours>,
}

/// What an instance gets for a token.
pub(super) enum Swap {
    /// The token itself: it is from there. The login that it belongs to, if that has twins which
    /// the sender may use.
    Same(Option<Arc<Session>>),
    /// That of the same user there.
    Other(SecretString, Arc<Session>),
    /// Nothing.
    Refused(Answer),
}

/// The body of a request, with a token in it.
pub(super) struct Letter {
    body: Bytes,
    found: Found,
    sender: Sender,
}

impl Sender {
    pub(super) fn of(job: &Job<'_>, cookie: &Cookie) -> Self {
        let site = job.live.prepared.config.site(job.route.site).name.clone();
        Self { site, client: job.client, cookie: cookie.ours.clone() }
    }
}

impl Stack {
    /// What the instance with this key gets for `token`, by the newest picture.
    pub(super) fn swap(&self, sender: &Sender, backend: u64, token: &str) -> Swap {
        let swap = self.judge(sender, backend, token);
        if matches!(swap, Swap::Refused(_)) {
            self.metrics.refused(Refused::Unauthorized);
        }
        swap
    }

    fn judge(&self, sender: &Sender, backend: u64, token: &str) -> Swap {
        let live = self.live.load();
        let config = &live.prepared.config;
        let Some(site) = config.site_named(&sender.site) else {
            return Swap::Refused(Answer::SIGN_IN_AGAIN);
        };
        let (hash, now) = (Hash::of(token.as_bytes()), Moment::now());
        if let Some(session) = self.sessions.find(hash, now).filter(|s| s.site() == sender.site) {
            let is_client =
                self.knows_client(config.site(site), &session, sender.client, sender.cookie.as_ref());
            if session.home() == backend {
                return Swap::Same(is_client.then_some(session));
            }
            return match session.token(backend, now).filter(|_| is_client) {
                Some(other) => Swap::Other(other, session),
                None => Swap::Refused(Answer::SIGN_IN_AGAIN),
            };
        }
        match self.verdicts.check(&live.picture, site, token, hash, unix_seconds()) {
            Ok(accepted) if live.prepared.backend(accepted.home).key == backend => Swap::Same(None),
            Ok(_) => Swap::Refused(Answer::SIGN_IN_AGAIN),
            Err(refusal) => {
                if matches!(refusal, Refusal::UnknownKey | Refusal::Issuer) {
                    // The client will try again.
                    self.supervisor.refresh_documents();
                }
                Swap::Refused(super::bind::word(refusal))
            }
        }
    }

    /// Reads the body of a request that may have a token in it.
    pub(super) async fn open_letter(
        &self,
        job: &Job<'_>,
        head: &mut Parts,
        body: RequestBody,
        cookie: &Cookie,
    ) -> Result<(RequestBody, Option<Letter>), Denied> {
        let body = collect(body, LARGEST_LETTER).await.map_err(|e| match e {
            CollectError::TooLong(_) => Answer::TOO_LARGE,
            CollectError::Broken(_) => Answer::BROKEN_BODY,
        })?;
        if head.headers.contains_key(CONTENT_ENCODING) {
            return Err(Answer::UNREADABLE_TOKEN.into());
        }
        head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        let found = Dialect::WebrtcRest.find(&body).map_err(|_| Answer::UNREADABLE_TOKEN)?;
        let sender = || Sender::of(job, cookie);
        let letter = found.map(|found| Letter { body: body.clone(), found, sender: sender() });
        Ok((RequestBody::full(body), letter))
    }
}

impl Letter {
    /// Why the instance with this key must not get the request, if so.
    pub(super) fn refused(&self, stack: &Stack, backend: u64) -> Option<Answer> {
        match stack.swap(&self.sender, backend, &self.found.token) {
            Swap::Refused(answer) => Some(answer),
            Swap::Same(_) | Swap::Other(..) => None,
        }
    }

    /// Puts the body as it is fit for the instance with this key into `request`.
    pub(super) fn dress(&self, stack: &Stack, backend: u64, request: &mut Request<RequestBody>) {
        let body = match stack.swap(&self.sender, backend, &self.found.token) {
            Swap::Same(_) => self.body.clone(),
            Swap::Other(token, _) => self.found.replace(&self.body, token.expose_secret()).into(),
            // A stranger's token must not get there in its place.
            Swap::Refused(_) => self.found.replace(&self.body, "").into(),
        };
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *request.body_mut() = RequestBody::full(body);
    }
}

/// Whether the body of such a request may have a token in it (fact sheet 6.1).
pub(super) fn may_carry_token(service: Service, head: &Parts) -> bool {
    service == Service::Webrtc
        && (head.method == Method::POST || head.method == Method::PATCH)
        && segments(head.uri.path()).any(|s| s.eq_ignore_ascii_case("session"))
}

/// Bytes. A description of streams and a token are some ten thousand.
const LARGEST_LETTER: usize = 1024 * 1024;
