//! The request stack: what happens to a request, from top to bottom. Read this first.
//!
//! Each step is one module with one subject; this file only orders them and says why they stand in
//! this order. Everything that a step needs to know about health, balance and configuration comes
//! from one snapshot ([`Live`]) that is taken once per request.

mod answer;
mod asked;
mod bind;
mod leave;
mod ntlm;
mod send;
mod throttle;
mod twin;

use std::future::Future;
use std::net::IpAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE, TRANSFER_ENCODING,
};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::task::spawn_local;

use self::answer::Served;
use self::asked::{Asked, LARGEST_FORM};
use self::bind::{Binding, Cookie};
use self::send::{Outgoing, PLAIN};
pub use self::throttle::Held;
use crate::accept::worker::{Front, Trust};
use crate::balance::{Bound, Pick, Picture, pick};
use crate::clock::Moment;
use crate::config::types::{Service, SiteId};
use crate::health::supervisor::SupervisorHandle;
use crate::http::body::{CollectError, ReplyBody, RequestBody, collect};
use crate::http::connection::Connection;
use crate::http::pace::Active;
use crate::http::respond::{Answer, Voice};
use crate::http::unanswered::Unanswered;
use crate::http::{forwarded, guard, hop, upgrade};
use crate::live::Live;
use crate::metrics::{Metrics, Refused};
use crate::route::discovery;
use crate::route::normalise::segments;
use crate::route::table::{Destination, Document, destination};
use crate::session::client::ClientNet;
use crate::session::cookie::{self, Signer};
use crate::session::issued::Issued;
use crate::session::refused::Refused as RefusedLogins;
use crate::session::table::Sessions;
use crate::session::throttle::Throttle;
use crate::session::token::{self, Credential};
use crate::session::verdicts::Verdicts;
use crate::upstream::forward::{Failure, Forwarder, Sent, is_safe_method};
use crate::upstream::pool::Passed;

/// What all requests of one core share.
pub struct Stack {
    /// The current snapshot.
    pub live: Arc<ArcSwap<Live>>,
    /// Sends requests over this core's connections.
    pub forwarder: Forwarder,
    /// Which instance issued a code or refresh token; shared by all cores.
    pub issued: Arc<Issued>,
    /// Which instance set a cookie. A table of its own: pages that set many must not make refresh
    /// tokens forgotten.
    pub cookies: Arc<Issued>,
    /// Every login that passed through us.
    pub sessions: Arc<Sessions>,
    /// Logins that another instance does not accept.
    pub refused: Arc<RefusedLogins>,
    /// Failed logins; shared by all cores.
    pub throttle: Arc<Throttle>,
    /// Logins that wait because others have failed.
    pub held: Held,
    /// Makes the affinity cookie.
    pub signer: Arc<Signer>,
    /// Which tokens were found good.
    pub verdicts: Verdicts,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Asked for fresh discovery documents when an unknown token comes.
    pub supervisor: SupervisorHandle,
}

/// A reply on its way to the client.
pub type Reply = Response<ReplyBody<Passed>>;

impl Stack {
    /// Answers one request: what cannot be served, in the VMS's voice.
    ///
    /// # Errors
    /// When no answer is the only one that is not wrong.
    pub async fn handle(
        self: Rc<Self>,
        connection: Rc<Connection>,
        mut request: Request<Incoming>,
    ) -> Result<Reply, Unanswered> {
        let started = Moment::now();
        // 1. The connection is busy until the reply's body is done; its time limits follow.
        let active = connection.pace.request();

        // 2. One snapshot serves the request to its end, whatever changes meanwhile.
        let live = self.live.load_full();

        // 3. Guard: nothing below sees a request that two readers could understand differently.
        // Route: host -> site; then path -> service.
        let (site, authority) = match guard::inspect(&request) {
            Ok(to) => (live.prepared.hosts.find(to.host, connection.local.ip()), to.full),
            Err(refusal) => return Ok(self.refuse(refusal, active)),
        };
        let Some(site) = site else {
            self.metrics.refused(Refused::Host);
            return Ok(own(Answer::UNKNOWN_HOST, Voice::Plain, active));
        };
        let config = &live.prepared.config;
        let route =
            Route { site, secure: forwarded::client_sees_tls(request.headers(), &connection), authority };
        let service = match destination(config.site(site), request.uri().path()) {
            Destination::Service(service) => service,
            // 4. Discovery is ours (D11), also while no instance answers.
            Destination::Discovery(document) if is_safe_method(request.method()) => {
                let reply = Box::pin(self.discover(&live, &route, document)).await;
                let (status, waited) = (reply.status().as_u16(), Moment::now().since(started));
                live.prepared.series(site, document.service(), None).record(status, waited);
                return Ok(reply.map(|bytes| ReplyBody::own(bytes, active)));
            }
            Destination::Discovery(document) => document.service(),
            Destination::Unknown => {
                self.metrics.refused(Refused::Path);
                return Ok(own(Answer::UNKNOWN_PATH, unknown_voice(request.uri().path()), active));
            }
        };

        // 5. Upgrades: noted before the headers that ask for them are stripped.
        let (wanted, on_client) = match upgrade::wanted(&request) {
            Ok(Some(wanted)) => (Some(wanted), Some(hyper::upgrade::on(&mut request))),
            Ok(None) => (None, None),
            Err(upgrade::Malformed) => {
                self.metrics.refused(Refused::Upgrade);
                return Ok(own(Answer::UPGRADE_REFUSED, service.into(), active));
            }
        };

        let client = forwarded::client(request.headers(), &connection).into();
        // Dropped when the client leaves.
        let here = Rc::new(());
        let stays = Rc::downgrade(&here);
        let answered = if throttle::may_be_login(service, &request) {
            let (stack, live, connection) = (self.clone(), live.clone(), connection.clone());
            let to_its_end = spawn_local(async move {
                let (live, route, connection, stays) = (&live, &route, &connection, &stays);
                let job = Job { live, route, service, connection, client, stays };
                stack.serve(&job, request, wanted.as_ref(), on_client).await
            });
            to_its_end.await.unwrap_or_else(|_| Err(Answer::BAD_GATEWAY.into()))
        } else {
            let (live, route, connection, stays) = (&live, &route, &connection, &stays);
            let job = Job { live, route, service, connection, client, stays };
            self.serve(&job, request, wanted.as_ref(), on_client).await
        };
        let (instance, reply) = match answered {
            Ok(served) => (Some(served.instance), served.response.map(|body| body.reply(active))),
            Err(Denied::Answered(answer)) => (None, own(answer, service.into(), active)),
            Err(Denied::Unanswered(why)) => return Err(why),
        };
        // Last: counted when the head is ready, whoever made it.
        let waited = Moment::now().since(started);
        live.prepared.series(site, service, instance).record(reply.status().as_u16(), waited);
        Ok(reply)
    }

    /// A document of ours. Never the instance's own: its addresses lead around us.
    async fn discover(&self, live: &Live, route: &Route, document: Document) -> Response<Bytes> {
        let known = |picture: &Picture| discovery::is_known(picture, route.site, document).then_some(());
        if known(&live.picture).is_none() {
            self.wait_for_picture(live, known).await;
        }
        let newest = self.live.load();
        let same = Arc::ptr_eq(&newest.prepared, &live.prepared);
        let picture = if same { &newest.picture } else { &live.picture };
        let body = match document {
            Document::Uris => discovery::uris(picture, route.site, &route.origin()),
            Document::OpenId => discovery::openid(picture, route.site, &route.origin()),
            Document::Jwks => discovery::jwks(picture, route.site),
        };
        let Some(body) = body else {
            self.metrics.refused(Refused::NoInstance);
            return Answer::UNAVAILABLE.response(document.service().into());
        };
        let mut response = Response::new(Bytes::from(body));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        // It repeats the Host that this client used.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The way to an instance and back.
    async fn serve(
        self: &Rc<Self>,
        job: &Job<'_>,
        request: Request<Incoming>,
        wanted: Option<&upgrade::Wanted>,
        on_client: Option<OnUpgrade>,
    ) -> Result<Served, Denied> {
        let Job { live, route, service, connection, .. } = *job;
        let (mut head, body) = request.into_parts();
        head.version = Version::HTTP_11;
        head.uri = origin_form(&head.uri);
        head.extensions.clear();

        // 6. Headers of this connection end here; who the client is, is told anew.
        hop::strip(&mut head.headers);
        forwarded::set(&mut head.headers, connection, route.authority.clone());
        head.headers.remove(HOST);
        if let Some(wanted) = wanted {
            wanted.ask(&mut head.headers);
        }
        let path = head.uri.path();
        let is_revocation = service == Service::Identity && asked::is_revocation(&head.method, path);
        let is_form =
            is_revocation || service == Service::Identity && asked::is_token_request(&head.method, path);
        let readdress = service == Service::Config && discovery::carries_addresses(path);
        if is_form || readdress {
            // We have to read the answer, all of it.
            for name in [ACCEPT_ENCODING, RANGE, IF_NONE_MATCH, IF_MODIFIED_SINCE] {
                head.headers.remove(name);
            }
        }

        // Rare steps are boxed: the common request should not pay for their size.
        // 7. Session: who sends the request, and what that binds it to. Forms are read for it.
        let cookie = Cookie::take(&mut head.headers, job);
        let mut body = RequestBody::client(body, &connection.pace);
        let mut asked = None;
        if is_form {
            let form = Box::pin(collect(body, LARGEST_FORM)).await.map_err(|e| match e {
                CollectError::TooLong(_) => Answer::TOO_LARGE,
                CollectError::Broken(_) => Answer::BROKEN_BODY,
            })?;
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(form.len()));
            if matches!(token::credential(&head.headers), Credential::Bearer(_)) {
                // Proves nothing here (RFC 6749 2.3), and may be of another instance than gets the form:
                // some programs send the token that they have with everything.
                head.headers.remove(AUTHORIZATION);
            }
            let form = Asked::new(&head, form, is_revocation);
            body = form.body();
            asked = Some(form);
        }
        // A login that follows on failed ones waits, and then goes by the newest picture; or it ends here.
        let mut attempt = match throttle::login(service, &head.headers, asked.as_ref())? {
            Some(login) => Some(Box::pin(self.admit(job, &login)).await?),
            None => None,
        };
        let newest = attempt.as_mut().and_then(|attempt| attempt.newest.take());
        let job = &Job { live: newest.as_deref().unwrap_or(live), ..*job };
        let live = job.live;
        let binding = self.bind(job, &head.headers, asked.as_ref(), &cookie, wanted.is_some()).await?;
        let Binding { mut bound, leg, session } = binding;

        // 8. Pick: pure, from the snapshot.
        let (instance, fallback) = match pick(&live.picture, route.site, service, bound) {
            Pick::To { instance, fallback, .. } => (instance, fallback),
            nowhere => match (session.as_ref(), asked.take()) {
                (Some(session), Some(form)) if is_revocation => {
                    return Err(self.end_without_home(job, session, form));
                }
                (Some(session), Some(form)) => {
                    let other = self.renewal_elsewhere(job, session, &form);
                    asked = Some(form);
                    let (other, request) = other.ok_or_else(|| self.turn_away(nowhere, bound, true))?;
                    (head, body) = request.into_parts();
                    bound = Bound::Token(other);
                    (other, None)
                }
                (_, form) => return Err(self.turn_away(nowhere, bound, form.is_some())),
            },
        };
        let fallback = self.allow_write(job, &head.method, instance, fallback)?;
        if cookie.instance == Some(instance) {
            let key = live.prepared.backend(instance).key;
            cookie::keep_own(&mut head.headers, &self.cookies, key, Moment::now());
        } else {
            head.headers.remove(COOKIE);
        }
        if matches!(body, RequestBody::Client { .. }) && !head.headers.contains_key(CONTENT_LENGTH) {
            // Without it, hyper would send no body with a GET.
            head.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }

        // 9. Forward: retries and hedging keep their promises (D3, D4).
        let over = self.over(connection, leg);
        let out = Outgoing { bound, leg, over, session: session.as_ref(), asked: asked.as_ref() };
        let writes = service == Service::Config && !is_safe_method(&head.method);
        let sent = self.send(job, &out, (instance, fallback), Request::from_parts(head, body)).await;
        if let (Err(failure), Some(attempt)) = (&sent, &mut attempt) {
            attempt.failed(*failure);
        }
        let (instance, Sent { mut response, .. }) = sent.map_err(|failure| {
            self.cut_short(service, over, failure).unwrap_or_else(|| match self.word(job, failure, bound) {
                Answer::SIGN_IN_AGAIN if is_form => Answer::UNKNOWN_GRANT.into(),
                answer => answer.into(),
            })
        })?;
        if writes && live.prepared.config.site(route.site).primary != instance {
            live.prepared.count_standby_write(route.site);
        }

        // 10. The answer: an upgrade, or a response on its way back.
        self.pin(connection, &mut response)?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self.switch(job, instance, response, &cookie, wanted, on_client)?);
        }
        let mut served = self.send_back(job, instance, &cookie, response);
        if let Some(asked) = asked {
            served = Box::pin(self.learn(job, served, asked, session)).await?;
        } else if readdress {
            served = Box::pin(served.readdress(job)).await?;
        }
        if let Some(attempt) = attempt {
            served = Box::pin(attempt.judge(job, served)).await?;
        }
        if service == Service::Identity {
            connection.identity_backend.set(Some(live.prepared.backend(instance).key));
        }
        Ok(served)
    }

    /// Step 8: nobody can take the request.
    fn turn_away(&self, picked: Pick, bound: Bound, is_form: bool) -> Denied {
        match (picked, bound) {
            (Pick::SignInAgain { .. }, _) if is_form => Answer::UNKNOWN_GRANT.into(),
            (Pick::SignInAgain { .. }, _) => {
                self.metrics.refused(Refused::Unauthorized);
                Answer::SIGN_IN_AGAIN.into()
            }
            (_, Bound::Handshake(_)) => self.handshake_lost(),
            _ => {
                self.metrics.refused(Refused::NoInstance);
                Answer::UNAVAILABLE.into()
            }
        }
    }

    /// Words a failure for the client.
    fn word(&self, job: &Job<'_>, failure: Failure, bound: Bound) -> Answer {
        let (answer, refused) = match failure {
            Failure::OutcomeUnknown => (Answer::OUTCOME_UNKNOWN, Refused::OutcomeUnknown),
            Failure::OutcomeUnknownTimeout => (Answer::OUTCOME_UNKNOWN_TIMEOUT, Refused::OutcomeUnknown),
            // The session's home has just died: the client learns it here, not one request later.
            Failure::Down if self.must_sign_in_again(job, bound) => {
                (Answer::SIGN_IN_AGAIN, Refused::Unauthorized)
            }
            Failure::Down | Failure::Unreachable => (Answer::UNAVAILABLE, Refused::NoInstance),
            Failure::Broken => return Answer::BAD_GATEWAY,
            Failure::TimedOut => return Answer::TIMEOUT,
            Failure::Client => return Answer::BROKEN_BODY,
        };
        self.metrics.refused(refused);
        answer
    }

    /// Whether signing in again would help: by the newest picture, another instance takes logins
    /// and can serve this. Otherwise the session is kept for the home's return.
    fn must_sign_in_again(&self, job: &Job<'_>, bound: Bound) -> bool {
        let newest = self.live.load();
        let (Bound::Token(home) | Bound::Twinned { home, .. }) = bound else { return false };
        Arc::ptr_eq(&newest.prepared, &job.live.prepared)
            && newest.picture.config.site(job.route.site).candidates().any(|other| {
                other != home
                    && newest.picture.eligible(other, job.service)
                    && newest.picture.eligible(other, Service::Identity)
            })
    }

    fn refuse(&self, refusal: guard::Refusal, active: Active) -> Reply {
        self.metrics.refused(match refusal {
            guard::Refusal::Method => Refused::Method,
            guard::Refusal::TooManyHeaders => Refused::HeadTooLarge,
            _ => Refused::Malformed,
        });
        let answer = Answer {
            status: refusal.status(),
            reason: refusal.reason(),
            text: refusal.text(),
            retry_after: None,
        };
        let mut reply = own(answer, Voice::Plain, active);
        // Whoever sends such a thing may have sent more of it on the same connection.
        reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        reply
    }
}

impl Front for Stack {
    type Body = ReplyBody<Passed>;

    fn answer(
        self: Rc<Self>,
        connection: Rc<Connection>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Result<Reply, Unanswered>> + 'static {
        self.handle(connection, request)
    }

    fn trust(&self, peer: IpAddr) -> Trust {
        let live = self.live.load();
        let listener = &live.prepared.config.listener;
        match listener.trusted_proxies.iter().any(|net| net.contains(&peer)) {
            true if listener.proxy_protocol => Trust::Proxy,
            true => Trust::Headers,
            false => Trust::No,
        }
    }

    fn sweep(&self, now: Moment) {
        let live = self.live.load();
        self.forwarder.sweep(now, |key| live.prepared.by_key(key).is_some());
    }

    fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// Why a request has no instance's answer.
enum Denied {
    /// It has one of ours.
    Answered(Answer),
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
struct Job<'a> {
    live: &'a Live,
    route: &'a Route,
    service: Service,
    connection: &'a Rc<Connection>,
    /// Where the client comes from.
    client: ClientNet,
    /// Dead when the client has left.
    stays: &'a Weak<()>,
}

/// Where the client believes to be.
struct Route {
    site: SiteId,
    /// As the client sent it. It passed the guard, and `site` answers for it.
    authority: HeaderValue,
    /// Whether the client sees `https`.
    secure: bool,
}

impl Route {
    /// What stands in addresses that we hand out.
    fn origin(&self) -> String {
        // The guard has let only printable ASCII pass.
        let authority = self.authority.to_str().unwrap_or_default();
        format!("{}://{authority}", if self.secure { "https" } else { "http" })
    }
}

/// One of our own answers.
fn own(answer: Answer, voice: Voice, active: Active) -> Reply {
    answer.response(voice).map(|bytes| ReplyBody::own(bytes, active))
}

/// Paths below `/API` are asked for by programs that parse errors; others by people.
fn unknown_voice(path: &str) -> Voice {
    let api = segments(path).next().is_some_and(|first| first.eq_ignore_ascii_case("API"));
    if api { Voice::Rest } else { Voice::Plain }
}

/// The request target towards an instance: path and query as the client sent them.
fn origin_form(uri: &Uri) -> Uri {
    uri.path_and_query().cloned().map(Uri::from).unwrap_or_default()
}
