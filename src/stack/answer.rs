//! Step 10 of the stack: what an instance answered, on its way to the client.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, RANGE, TRANSFER_ENCODING,
};
use http::{Response, StatusCode};
use secrecy::ExposeSecret;
use tokio::time::timeout;

use super::asked::Asked;
use super::bind::Cookie;
use super::twin::Login;
use super::{Job, Stack};
use crate::clock::{Moment, unix_seconds};
use crate::config::types::{InstanceId, Service};
use crate::http::body::{ReplyBody, collect};
use crate::http::hop;
use crate::http::pace::Active;
use crate::http::respond::Answer;
use crate::idmap::translate::Translator;
use crate::route::discovery::Own;
use crate::session::cookie;
use crate::session::grant::{self, CODE_LIFE, REFRESH_LIFE};
use crate::session::login::Session;
use crate::session::reply::TokenReply;
use crate::upstream::pool::Passed;

/// An answer and who gave it.
pub(super) struct Served {
    pub(super) instance: InstanceId,
    pub(super) response: Response<Content>,
}

/// A body that streams, or one that we had to read.
pub(super) enum Content {
    Own(Bytes),
    Passed(Passed),
    Translated(Passed, Translator),
}

impl Content {
    pub(super) fn reply(self, active: Active) -> ReplyBody<Passed> {
        match self {
            Self::Own(bytes) => ReplyBody::own(bytes, active),
            Self::Passed(body) => ReplyBody::passed(body, active),
            Self::Translated(body, translator) => ReplyBody::translated(body, translator, active),
        }
    }
}

impl Served {
    /// Replaces the instance's own addresses by ours (design D11).
    pub(super) async fn readdress(self, job: &Job<'_>) -> Result<Self, Answer> {
        let (parts, content) = (self.response.headers(), self.response.body());
        let json = parts.get(CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"application/json"));
        let empty = matches!(content, Content::Passed(body) if http_body::Body::is_end_stream(body));
        if !json || empty || parts.contains_key(CONTENT_ENCODING) {
            return Ok(self);
        }
        let mut served = self.read(LARGEST_DOCUMENT, limit_of(job)).await?;
        let documents = job.live.picture.documents(served.instance);
        let own = Own::new(&job.live.prepared.config, served.instance, documents);
        if let Content::Own(body) = served.response.body()
            && let Ok(text) = std::str::from_utf8(body)
            && let Some(new) = own.replace(text, &job.route.origin())
        {
            served.set_body(new.into());
        }
        Ok(served)
    }

    /// Reads the whole body.
    pub(super) async fn read(mut self, limit: usize, within: Duration) -> Result<Self, Answer> {
        let content = std::mem::replace(self.response.body_mut(), Content::Own(Bytes::new()));
        let body = match content {
            Content::Own(body) => body,
            Content::Passed(body) | Content::Translated(body, _) => {
                match timeout(within, collect(body, limit)).await {
                    Ok(read) => read.map_err(|e| {
                        tracing::warn!(error = %e, "an answer that has to be read could not be");
                        Answer::BAD_GATEWAY
                    })?,
                    Err(_) => return Err(Answer::TIMEOUT),
                }
            }
        };
        self.set_body(body);
        Ok(self)
    }

    pub(super) fn set_body(&mut self, body: Bytes) {
        let headers = self.response.headers_mut();
        // They name the instance's bytes, not ours.
        headers.remove(ETAG);
        headers.remove(TRANSFER_ENCODING);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *self.response.body_mut() = Content::Own(body);
    }
}

impl Stack {
    /// A response on its way back to the client.
    pub(super) fn send_back(
        &self,
        job: &Job<'_>,
        instance: InstanceId,
        cookie: &Cookie,
        mut response: Response<Passed>,
    ) -> Served {
        let headers = response.headers_mut();
        if headers.contains_key(TRANSFER_ENCODING) {
            // hyper has read it by its chunks (RFC 9112 6.3); the length beside it is a lie.
            headers.remove(CONTENT_LENGTH);
        }
        hop::strip(headers);
        if let Some(location) = headers.get(LOCATION).and_then(|v| v.to_str().ok()) {
            if job.service == Service::Identity
                && let Some(code) = grant::code(location)
            {
                let key = job.live.prepared.backend(instance).key;
                self.issued.remember(code, key, CODE_LIFE, Moment::now());
            }
            let documents = job.live.picture.documents(instance);
            let own = Own::new(&job.live.prepared.config, instance, documents);
            if let Some(new) = own.replace_url(location, &job.route.origin())
                && let Ok(value) = HeaderValue::from_str(&new)
            {
                headers.insert(LOCATION, value);
            }
        }
        self.learn_cookies(job, instance, &response);
        bind_cookie(job, instance, cookie, &mut response);
        Served { instance, response: response.map(Content::Passed) }
    }

    pub(super) fn learn_cookies<B>(&self, job: &Job<'_>, instance: InstanceId, response: &Response<B>) {
        let key = job.live.prepared.backend(instance).key;
        cookie::learn(response.headers(), &self.cookies, key, Moment::now());
    }

    /// Remembers whose a new token is, and binds the client's cookies to its login.
    pub(super) async fn learn(
        self: &Rc<Self>,
        job: &Job<'_>,
        served: Served,
        asked: Asked,
        session: Option<Arc<Session>>,
    ) -> Result<Served, Answer> {
        let status = served.response.status();
        if status != StatusCode::OK && !(asked.grant().is_some() && status.is_success()) {
            return Ok(served);
        }
        let mut served = served.read(LARGEST_TOKEN, limit_of(job)).await?;
        if asked.grant().is_none() {
            if let Some(session) = session {
                self.end_session(job, &session, Rc::new(asked));
            }
            return Ok(served);
        }
        let Content::Own(body) = served.response.body() else { return Ok(served) };
        // A client may be more generous than we are, and find another's token in it.
        let Some(reply) = TokenReply::read(body).filter(|_| status == StatusCode::OK) else {
            let instance = job.live.prepared.config.instance(served.instance).name.as_str();
            tracing::warn!(instance, "its answer to a login is none; refused");
            return Err(Answer::BAD_GATEWAY);
        };
        if self.is_anothers(job, served.instance, &reply) {
            let instance = job.live.prepared.config.instance(served.instance).name.as_str();
            tracing::warn!(instance, "it answers a login with what another instance has issued; refused");
            return Err(Answer::BAD_GATEWAY);
        }
        if let Some(hash) = reply.refresh_fingerprint() {
            let key = job.live.prepared.backend(served.instance).key;
            self.issued.remember(hash, key, REFRESH_LIFE, Moment::now());
        }
        let home = served.instance;
        let session = self.open_session(job, Login { asked, renews: session, home, reply: &reply });
        if let Some(value) = job.live.prepared.cookie(job.route.site, home) {
            let value = cookie::value(value, Some(&self.signer.login(session.serial())));
            cookie::set(served.response.headers_mut(), &value, job.route.secure);
        }
        Ok(served)
    }
}

impl Stack {
    /// Whether `home` hands out what another instance has issued, and it can only have from one of
    /// its users: whoever gets it would be that user there.
    fn is_anothers(&self, job: &Job<'_>, home: InstanceId, reply: &TokenReply) -> bool {
        let Job { live, route, .. } = *job;
        let (now, token) = (Moment::now(), reply.fingerprint());
        let elsewhere = |key: u64| live.prepared.by_key(key).is_some_and(|id| id != home);
        let renews = reply.refresh_fingerprint().and_then(|hash| self.issued.find(hash, now));
        let known = self.sessions.find(token, now).map(|session| session.home());
        let text = reply.access().expose_secret();
        renews.is_some_and(elsewhere)
            || known.is_some_and(elsewhere)
            || (self.verdicts.check(&live.picture, route.site, text, token, unix_seconds()))
                .is_ok_and(|judged| judged.claims.is_some() && judged.home != home)
    }
}

/// Makes a request one whose answer we can read: all of it, as it is.
pub(super) fn ask_for_whole(headers: &mut HeaderMap) {
    for name in [ACCEPT_ENCODING, RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
        headers.remove(name);
    }
}

/// How long an answer that we have to read may take as a whole.
pub(super) fn limit_of(job: &Job<'_>) -> Duration {
    job.live.prepared.config.upstream.response_timeout
}

/// Cookies of an instance bind the client to it.
pub(super) fn bind_cookie<B>(
    job: &Job<'_>,
    instance: InstanceId,
    cookie: &Cookie,
    response: &mut Response<B>,
) {
    if let Some(value) = job.live.prepared.cookie(job.route.site, instance) {
        let value = cookie::value(value, cookie.login());
        cookie::bind(response.headers_mut(), &value, job.route.secure);
    }
}

/// Bytes. About a kilobyte in practice.
const LARGEST_TOKEN: usize = 256 * 1024;
/// Bytes. A list of registered services has some hundred entries at most.
pub(super) const LARGEST_DOCUMENT: usize = 8 * 1024 * 1024;
