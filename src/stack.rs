//! The request stack: what happens to a request, from top to bottom. Read this first.
//!
//! Each step is one module with one subject; this file only orders them and says why they stand in
//! this order. Everything that a step needs to know about health, balance and configuration comes
//! from one snapshot ([`Live`]) that is taken once per request.

mod answer;
mod asked;
mod bind;
mod denied;
mod documents;
mod flow;
mod ids;
mod in_band;
mod job;
mod leave;
mod made;
mod ntlm;
mod send;
mod socket;
mod streams;
mod throttle;
mod twin;

use std::future::Future;
use std::net::IpAddr;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderValue, TRANSFER_ENCODING,
};
use http::{Request, Response, StatusCode, Uri, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use tokio::task::spawn_local;

use self::answer::{Served, ask_for_whole};
use self::asked::{Asked, LARGEST_FORM};
use self::bind::{Binding, Cookie};
use self::flow::Flow;
use self::job::{Denied, Job, Route};
use self::send::{Outgoing, PLAIN};
use self::socket::{Frames, Upgrade};
pub use self::throttle::Held;
use crate::accept::worker::{Front, Trust};
use crate::balance::{Bound, Pick, pick};
use crate::clock::Moment;
use crate::config::types::Service;
use crate::health::supervisor::SupervisorHandle;
use crate::http::body::{CollectError, ReplyBody, RequestBody, collect};
use crate::http::connection::Connection;
use crate::http::pace::Active;
use crate::http::respond::{Answer, Voice};
use crate::http::unanswered::Unanswered;
use crate::http::{forwarded, guard, hop, upgrade};
use crate::idmap::map::Map;
use crate::live::Live;
use crate::metrics::{Metrics, Refused};
use crate::route::discovery;
use crate::route::normalise::segments;
use crate::route::table::{Destination, destination};
use crate::session::cookie::{self, Signer};
use crate::session::issued::Issued;
use crate::session::refused::Refused as RefusedLogins;
use crate::session::table::Sessions;
use crate::session::throttle::Throttle;
use crate::session::token::{self, Credential};
use crate::session::verdicts::Verdicts;
use crate::streams::Locator;
use crate::upstream::forward::{Forwarder, Sent, is_safe_method};
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
    /// Which instance made a task or session.
    pub made: Arc<Issued>,
    /// Which ids mean the same.
    pub ids: Arc<ArcSwap<Map>>,
    /// Every login that passed through us.
    pub sessions: Arc<Sessions>,
    /// Logins that another instance does not accept.
    pub refused: Arc<RefusedLogins>,
    /// Failed logins; shared by all cores.
    pub throttle: Arc<Throttle>,
    /// Logins that wait because others have failed.
    pub held: Held,
    /// One clone for each twin that this core is asking for.
    pub asking: Rc<()>,
    /// Makes the affinity cookie.
    pub signer: Arc<Signer>,
    /// Which tokens were found good.
    pub verdicts: Verdicts,
    /// Tells where a camera's streams are.
    pub locator: Arc<Locator>,
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
        let mut camera = None;
        let service = match destination(config.site(site), request.uri().path()) {
            Destination::Service(service) => service,
            Destination::Streams => {
                camera = streams::ask_for_camera(&mut request);
                if camera.is_none() {
                    return Ok(own(Answer::UNKNOWN_CAMERA, Voice::Rest, active));
                }
                Service::Config
            }
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
        let ids = self.ids_of(config.site(site), service);
        // Dropped when the client leaves; only who is followed to the end asks.
        let here = throttle::may_be_login(service, &request).then(|| Rc::new(()));
        let stays = here.as_ref().map_or_else(Weak::new, Rc::downgrade);
        let serving = {
            let (stack, live) = (self.clone(), live.clone());
            async move {
                let (live, route, connection, stays) = (&live, &route, &connection, &stays);
                let ids = ids.as_deref();
                let job = Job { live, route, service, connection, client, ids, stays };
                stack.serve(&job, request, wanted.as_ref(), on_client).await
            }
        };
        let answered = match here {
            Some(_) => spawn_local(serving).await.unwrap_or_else(|_| Err(Answer::BAD_GATEWAY.into())),
            None => serving.await,
        };
        let answered = match (camera, answered) {
            (Some(id), Ok(served)) => {
                Box::pin(self.locate(&live, site, served, id)).await.map_err(Denied::from)
            }
            (_, answered) => answered,
        };
        let (instance, reply) = match answered {
            Ok(served) => (Some(served.instance), served.response.map(|body| body.reply(active))),
            Err(Denied::Answered(answer)) => (None, own(answer, service.into(), active)),
            Err(Denied::Restart(page)) => (None, page.map(|bytes| ReplyBody::own(bytes, active))),
            Err(Denied::Unanswered(why)) => return Err(why),
        };
        // Last: counted when the head is ready, whoever made it.
        let waited = Moment::now().since(started);
        live.prepared.series(site, service, instance).record(reply.status().as_u16(), waited);
        Ok(reply)
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
        let frames = Frames::needed(job, wanted, &mut head);
        let path = head.uri.path();
        let is_revocation = service == Service::Identity && asked::is_revocation(&head.method, path);
        let is_form =
            is_revocation || service == Service::Identity && asked::is_token_request(&head.method, path);
        let readdress = service == Service::Config && discovery::carries_addresses(path);
        if is_form || readdress {
            // We have to read the answer.
            ask_for_whole(&mut head.headers);
        }

        // Rare steps are boxed: the common request should not pay for their size.
        // 7. Session: who sends the request, and what that binds it to. Forms are read for it.
        let cookie = Cookie::take(&mut head.headers, job);
        let mut flow = self.flow(service, &mut head, &cookie);
        let flow_cookie = self.flow_cookie(service, &head);
        let mut body = RequestBody::client(body, &connection.pace);
        let mut asked = None;
        if is_form || flow.as_ref().is_some_and(|flow| flow.has_form(&head)) {
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
            match &mut flow {
                Some(flow) => {
                    flow.read(&form);
                    body = RequestBody::full(form);
                }
                None => {
                    let form = Asked::new(&head, form, is_revocation);
                    body = form.body();
                    asked = Some(form);
                }
            }
        }
        let mut letter = None;
        if in_band::may_carry_token(service, &head) {
            (body, letter) = Box::pin(self.open_letter(job, &mut head, body, &cookie)).await?;
        }
        // A login that follows on failed ones waits, and then goes by the newest picture; or it ends here.
        let mut attempt = match throttle::login(service, &head.headers, asked.as_ref())? {
            Some(login) => Some(Box::pin(self.admit(job, &login)).await?),
            None => None,
        };
        let newest = attempt.as_mut().and_then(|attempt| attempt.newest.take());
        let job = &Job { live: newest.as_deref().unwrap_or(live), ..*job };
        let live = job.live;
        let mut binding = self.bind(job, &head.headers, asked.as_ref(), &cookie, wanted.is_some()).await?;
        if flow.is_some() {
            binding.bound = cookie.instance.map_or(binding.bound, Bound::Token);
        }
        self.bind_made(job, &head, &mut binding)?;
        let making = self.making(job, &head, &binding);
        if making.is_some() {
            head.headers.remove(ACCEPT_ENCODING);
        }
        let Binding { mut bound, leg, session } = binding;

        // 8. Pick: pure, from the snapshot.
        let (instance, fallback) = match pick(&live.picture, route.site, service, bound) {
            Pick::To { instance, fallback, .. } => (instance, fallback),
            Pick::SignInAgain { .. } if flow.is_some() => return Err(flow::restart(flow)),
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
        let key = live.prepared.backend(instance).key;
        if let Some(answer) = letter.as_ref().and_then(|letter| letter.refused(self, key)) {
            return Err(answer.into());
        }
        let fallback = self.allow_write(job, &head.method, instance, fallback)?;
        if cookie.instance == Some(instance) {
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
        let (login, letter) = (session.as_ref(), letter.as_ref());
        let out = Outgoing { bound, leg, over, session: login, asked: asked.as_ref(), letter };
        let writes = service == Service::Config && !is_safe_method(&head.method);
        let sent = self.send(job, &out, (instance, fallback), Request::from_parts(head, body)).await;
        if let (Err(failure), Some(attempt)) = (&sent, &mut attempt) {
            attempt.failed(*failure);
        }
        if let (Err(failure), Some(_)) = (&sent, &flow)
            && Flow::is_lost(*failure, self.must_sign_in_again(job, bound))
        {
            return Err(flow::restart(flow));
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
            let upgrade = Upgrade { wanted, on_client, frames, cookie: &cookie, session };
            return Ok(self.switch(job, instance, response, upgrade)?);
        }
        let mut served = self.send_back(job, instance, &cookie, response);
        if let Some(asked) = asked {
            served = Box::pin(self.learn(job, served, asked, session)).await?;
        } else if readdress {
            served = Box::pin(served.readdress(job)).await?;
        }
        if let Some(begun) = flow_cookie {
            flow::remember(job, &cookie, &mut served, &begun);
        }
        if let Some(making) = making {
            served = Box::pin(self.learn_made(job, making, served)).await?;
        }
        if let Some(attempt) = attempt {
            served = Box::pin(attempt.judge(job, served)).await?;
        }
        let served = ids::to_client(job, served);
        if service == Service::Identity {
            connection.identity_backend.set(Some(live.prepared.backend(instance).key));
        }
        Ok(served)
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
