//! Twin sessions (design D8): after a login, the same user is logged in at the other instances,
//! off the client's way. The client's own login never waits for it and never fails with it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{sleep, timeout};

use super::asked::Asked;
use super::{Job, PLAIN, Stack};
use crate::clock::Moment;
use crate::config::types::{InstanceId, Service, SiteId, TwinPolicy};
use crate::http::body::{RequestBody, collect};
use crate::session::grant::Grant;
use crate::session::login::{Opening, Session, Tokens, Twin, Without};
use crate::session::reply::TokenReply;
use crate::upstream::backend::Backend;
use crate::upstream::forward::{Failure, Plan};
use crate::upstream::pinned::Over;

/// What an instance gave to a client that asked for a token.
pub(super) struct Login<'l> {
    pub(super) asked: Asked,
    /// The login that was renewed, if one was.
    pub(super) renews: Option<Arc<Session>>,
    /// Who gave it.
    pub(super) home: InstanceId,
    pub(super) reply: &'l TokenReply,
}

impl Stack {
    /// Step 7: whether a login by password can have a twin, wherever the serving table leads it
    /// (design D7).
    pub(super) fn will_have_twin(&self, job: &Job<'_>, asked: &Asked) -> bool {
        let Job { live, route, .. } = *job;
        let site = live.prepared.config.site(route.site);
        let serving = live.picture.table.get(route.site, Service::Identity).instance;
        site.twin == TwinPolicy::All
            && site.candidates().filter(|id| Some(*id) != serving).any(|id| {
                let backend = live.prepared.backend(id).key;
                live.picture.eligible(id, Service::Identity) && !self.is_refused(&site.name, backend, asked)
            })
    }

    /// Step 10: a client has got a token. Remembers whose it is, and asks for its twins.
    pub(super) fn open_session(self: &Rc<Self>, job: &Job<'_>, login: Login<'_>) -> Arc<Session> {
        let Login { asked, renews, home, reply } = login;
        let (now, prepared) = (Moment::now(), &job.live.prepared);
        let site = prepared.config.site(job.route.site);
        let user = match (asked.grant(), &renews) {
            (Some(Grant::Password), _) => String::from_utf8_lossy(&asked.user()).into_owned(),
            (_, Some(session)) => session.user().to_owned(),
            _ => reply.name().unwrap_or_default(),
        };
        let opening = Opening {
            site: site.name.as_str().into(),
            user: user.chars().take(LONGEST_NAME).collect(),
            home: prepared.backend(home).key,
            token: reply.fingerprint(),
            expires: reply.expires(now),
            client: job.client,
            refresh: reply.refresh_fingerprint(),
        };
        let mut work = Vec::new();
        let mut twins = Vec::new();
        for id in site.candidates().filter(|id| *id != home) {
            let backend = prepared.backend(id);
            let refresh = renews.as_ref().and_then(|s| s.take_refresh_token(backend.key));
            let twin = match asked.grant() {
                _ if refresh.is_some() => Twin::Pending,
                Some(Grant::Password) => self.without(job, id, &asked).map_or(Twin::Pending, Twin::None),
                Some(Grant::Windows) => Twin::None(Without::Windows),
                _ => Twin::None(renews.as_ref().map_or(Without::External, |s| s.why_not(backend.key))),
            };
            if twin == Twin::Pending {
                work.push((backend.clone(), refresh));
            }
            twins.push((backend.key, twin));
        }
        let session = Arc::new(Session::new(opening, &twins));
        if let Some(renewed) = &renews
            && renewed.home() != session.home()
            && let Some(unused) =
                asked.field("refresh_token").and_then(|t| String::from_utf8(t.to_vec()).ok())
        {
            // Its former home has not seen this one: it renews the user's tokens there some day.
            session.not_reached(renewed.home(), Some(unused.into()));
        }
        self.sessions.insert(&session, now);
        let (asked, home) = (Rc::new(asked), prepared.backend(home).clone());
        for (backend, refresh) in work {
            if Rc::strong_count(&self.asking) > MOST_ASKING {
                // Logins in a flood, or while an instance is away: each holds a password.
                session.not_reached(backend.key, refresh);
                continue;
            }
            let task = Asking {
                _counted: self.asking.clone(),
                stack: self.clone(),
                session: session.clone(),
                asked: asked.clone(),
                site: job.route.site,
                backend,
            };
            let access = (site.twin == TwinPolicy::NonAdministrators && refresh.is_none())
                .then(|| (home.clone(), reply.access().clone()));
            tokio::task::spawn_local(async move {
                match refresh {
                    Some(refresh) => task.renew(refresh).await,
                    None => task.log_in(access).await,
                }
            });
        }
        session
    }

    /// Why a password is not shown to this instance.
    fn without(&self, job: &Job<'_>, instance: InstanceId, asked: &Asked) -> Option<Without> {
        let Job { live, route, .. } = *job;
        let site = live.prepared.config.site(route.site);
        if site.twin == TwinPolicy::Nobody {
            return Some(Without::Setting);
        }
        if live.picture.held(instance).is_some() {
            return Some(Without::Unreachable);
        }
        let backend = live.prepared.backend(instance).key;
        self.is_refused(&site.name, backend, asked).then_some(Without::Refused)
    }

    /// Whether an instance is known not to accept this login.
    fn is_refused(&self, site: &str, backend: u64, asked: &Asked) -> bool {
        asked.question(site, backend, |question| self.refused.knows(question, Moment::now()))
    }

    /// Whether a user logs in at this instance now, by the newest picture.
    pub(super) fn takes_logins(&self, backend: &Backend) -> bool {
        let live = self.live.load();
        let id = live.prepared.by_key(backend.key);
        id.is_some_and(|id| live.picture.eligible(id, Service::Identity))
    }

    /// Waits until it does.
    pub(super) async fn until_takes_logins(&self, backend: &Backend, patience: Duration) -> bool {
        let waited = timeout(patience, async {
            while !self.takes_logins(backend) {
                sleep(PAUSE).await;
            }
        });
        waited.await.is_ok()
    }

    /// One request of ours in a user's name to one instance, and the whole answer.
    pub(super) async fn ask_one(
        &self,
        service: Service,
        backend: &Arc<Backend>,
        request: Request<RequestBody>,
    ) -> Result<(StatusCode, bytes::Bytes), Failure> {
        let plan = Plan {
            service,
            first: backend,
            fallback: None,
            response_timeout: ANSWER_TIME,
            counted_apart: false,
            bound: false,
            over: Over::Shared,
            sticky: false,
            dress: &PLAIN,
        };
        let response = self.forwarder.send(&plan, request).await?.response;
        let status = response.status();
        let read = timeout(ANSWER_TIME, collect(response.into_body(), LARGEST_ANSWER)).await;
        Ok((status, read.map_err(|_| Failure::TimedOut)?.map_err(|_| Failure::Broken)?))
    }

    /// Whether the instance says that this user administers nothing. An administrator sees every
    /// security namespace, and the permissions in any of them say whether one is (sheet 3.6).
    async fn is_no_administrator(&self, home: &Arc<Backend>, token: &SecretString) -> bool {
        let get = |path: String| async {
            let request = Request::get(path)
                .header(http::header::AUTHORIZATION, format!("Bearer {}", token.expose_secret()))
                .body(RequestBody::Empty)
                .ok()?;
            self.ask_one(Service::Config, home, request).await.ok()
        };
        let namespaces = match get(format!("{REST}/securityNamespaces")).await {
            Some((StatusCode::FORBIDDEN, _)) => return true,
            Some((StatusCode::OK, body)) => serde_json::from_slice::<serde_json::Value>(&body),
            _ => return false,
        };
        let Ok(namespaces) = namespaces else { return false };
        let Some(list) = namespaces["array"].as_array() else { return false };
        let Some(first) = list.first() else { return true };
        let Some(id) = first["id"].as_str().filter(|id| id.bytes().all(|b| b.is_ascii_graphic())) else {
            return false;
        };
        match get(format!("{REST}/effectivePermissions/{id}?objectIds={id}")).await {
            Some((StatusCode::OK, body)) => serde_json::from_slice::<serde_json::Value>(&body)
                .is_ok_and(|v| v["data"]["isAdministrator"] == serde_json::Value::Bool(false)),
            _ => false,
        }
    }
}

/// One twin that is asked for.
struct Asking {
    stack: Rc<Stack>,
    session: Arc<Session>,
    asked: Rc<Asked>,
    site: SiteId,
    backend: Arc<Backend>,
    /// Of [`Stack::asking`].
    _counted: Rc<()>,
}

impl Asking {
    /// Repeats a login by password. `judge`: only if this home says, for this token, that the user
    /// administers nothing.
    async fn log_in(self, judge: Option<(Arc<Backend>, SecretString)>) {
        let allowed = match judge {
            Some((home, token)) => self.stack.is_no_administrator(&home, &token).await,
            None => true,
        };
        let answer = if allowed { self.try_to_log_in().await } else { Err(Without::Setting) };
        if let Err(why) = &answer {
            tracing::debug!(instance = self.backend.monitor.name(), why = why.as_str(), "no twin");
        }
        self.session.settle(self.backend.key, answer);
    }

    async fn try_to_log_in(&self) -> Result<Tokens, Without> {
        let begun = Moment::now();
        for _ in 0..ATTEMPTS {
            let left = PATIENCE.saturating_sub(Moment::now().since(begun));
            if !self.stack.until_takes_logins(&self.backend, left).await {
                break;
            }
            if self.session.is_barred() {
                return Err(Without::Lost);
            }
            if self.stack.is_refused(self.session.site(), self.backend.key, &self.asked) {
                // Another login of the user has waited here, too, and was first.
                return Err(Without::Refused);
            }
            match self.stack.ask_one(Service::Identity, &self.backend, self.asked.again()).await {
                Ok((StatusCode::OK, body)) => {
                    let reply = TokenReply::read(&body).ok_or(Without::Refused)?;
                    return Ok(reply.into_tokens(Moment::now()));
                }
                // Others say nothing about the password.
                Ok((StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _)) => {
                    self.remember_refusal();
                    return Err(Without::Refused);
                }
                // Nothing was written: it has not counted.
                Err(Failure::Unreachable) => sleep(PAUSE).await,
                // It may have counted.
                Ok(_) | Err(_) => break,
            }
        }
        Err(Without::Unreachable)
    }

    fn remember_refusal(&self) {
        let (site, backend) = (self.session.site(), self.backend.key);
        self.asked.question(site, backend, |question| self.stack.refused.remember(question, Moment::now()));
        let instance = self.backend.monitor.name();
        tracing::info!(instance, site = self.site.index(), "a user cannot fail over: refused there");
    }

    /// Renews the twin of a login that the client has renewed.
    async fn renew(self, refresh: SecretString) {
        if !self.stack.until_takes_logins(&self.backend, PATIENCE).await {
            return self.session.not_reached(self.backend.key, Some(refresh));
        }
        let request = self.asked.with("refresh_token", refresh.expose_secret());
        match self.stack.ask_one(Service::Identity, &self.backend, request).await {
            Ok((StatusCode::OK, body)) => {
                let reply = TokenReply::read(&body).ok_or(Without::Refused);
                let tokens = reply.map(|reply| reply.into_tokens(Moment::now()));
                self.session.settle(self.backend.key, tokens);
            }
            Ok(_) => self.session.settle(self.backend.key, Err(Without::Refused)),
            Err(Failure::Unreachable) => self.session.not_reached(self.backend.key, Some(refresh)),
            Err(_) => self.session.settle(self.backend.key, Err(Without::Unreachable)),
        }
    }
}

const REST: &str = "/API/rest/v1";
/// How often an instance is asked that was never reached.
const ATTEMPTS: usize = 5;
/// Twins that one core asks for at once.
const MOST_ASKING: usize = 2000;
/// How long a password is kept for an instance that is away.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at an instance that is away.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
const ANSWER_TIME: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 256 * 1024;
/// Characters.
const LONGEST_NAME: usize = 128;
