//! A request's way to an answer: the rules for trying again and for hedging (design D3, D4).
//!
//! The promise: a request that may have had an effect is never sent twice. What is sent twice is
//! *safe* (GET, HEAD, OPTIONS with neither a body nor a message of NTLM), or was never written, or
//! is a log-in whose first instance was declared down. All attempts of a request share one deadline, and
//! each ends as soon as the instance that it waits for is declared down.

mod once;
mod safe;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::attempt::{Attempt, Miss, gateway_failure};
use super::backend::Backend;
use super::budget::Budget;
use super::pinned::{Over, Pinned};
use super::pool::{Passed, Pool};
use crate::balance::Picture;
use crate::clock::Moment;
use crate::config::types::Service;
use crate::health::{Reporter, Signal};
use crate::http::body::RequestBody;
use crate::metrics::Metrics;

/// Sends the requests of one core.
pub struct Forwarder {
    pool: Rc<Pool>,
    /// Those of clients that have some of their own.
    pinned: RefCell<Vec<Weak<Pinned>>>,
    reporter: Reporter,
    picture: watch::Receiver<Arc<Picture>>,
    metrics: Arc<Metrics>,
    retries: Budget,
    hedges: Budget,
}

/// Where a request may go.
pub struct Plan<'a> {
    /// The service that it belongs to.
    pub service: Service,
    /// The instance that was picked.
    pub first: &'a Arc<Backend>,
    /// Where it may go if `first` fails it.
    pub fallback: Option<&'a Arc<Backend>>,
    /// From the end of the request to the head of the answer, all attempts together.
    pub response_timeout: Duration,
    /// A password grant, or the beginning of a handshake for a token: each instance counts it for
    /// itself, so it may be sent once more when `first` is declared down (design D4).
    pub counted_apart: bool,
    /// Its token is worth nothing elsewhere.
    pub bound: bool,
    /// It carries cookies of `first`, or goes over the client's own connection to it: elsewhere it
    /// would arrive as a stranger's. It goes there only if nothing was written, or when `first` is
    /// down.
    pub sticky: bool,
    /// Over whose connections it goes.
    pub over: Over<'a>,
    /// What it looks like for each instance.
    pub dress: &'a dyn Dress,
}

/// Makes a request fit for one instance. Called again, on what the last call has left, when the
/// request goes to another one.
pub trait Dress {
    /// `request` is about to be written to the instance with this [`Backend::key`].
    fn dress(&self, request: &mut Request<RequestBody>, backend: u64);
}

/// An answer.
pub struct Sent {
    /// As the instance gave it.
    pub response: Response<Passed>,
    /// `fallback` gave it.
    pub by_fallback: bool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was written anywhere.
    Unreachable,
    /// Safe, but every answer broke off.
    Broken,
    /// Safe, but no answer came in time.
    TimedOut,
    /// Cut after it was written: nobody knows what became of it.
    OutcomeUnknown,
    /// The same, because no answer came.
    OutcomeUnknownTimeout,
    /// The service was declared down while a safe request waited, and no other may answer it.
    Down,
    /// The client broke off its own body.
    Client,
}

/// How waiting for one attempt ended.
#[expect(clippy::large_enum_variant, reason = "on the path of every request: a box would cost an allocation")]
enum Waited {
    Answer { response: Response<Passed>, by_fallback: bool },
    Miss(Miss),
    Down,
    TimedOut,
}

type Outcome = Result<Response<Passed>, Miss>;

impl Forwarder {
    /// A forwarder with an empty pool.
    pub fn new(reporter: Reporter, picture: watch::Receiver<Arc<Picture>>, metrics: Arc<Metrics>) -> Self {
        let now = Moment::now();
        Self {
            pool: Rc::default(),
            pinned: RefCell::default(),
            reporter,
            picture,
            metrics,
            retries: Budget::new(0.2, 10.0, now),
            hedges: Budget::new(0.05, 1.0, now),
        }
    }

    /// Where a client connection keeps connections of its own.
    pub fn pinned(&self) -> Rc<Pinned> {
        let pinned = Rc::new(Pinned::new(self.metrics.clone()));
        self.pinned.borrow_mut().push(Rc::downgrade(&pinned));
        pinned
    }

    /// Closes what has been idle for long, and idle connections to instances that `keep` no longer
    /// names.
    pub fn sweep(&self, now: Moment, keep: impl Fn(u64) -> bool) {
        self.pool.sweep(now, &keep);
        self.pinned.borrow_mut().retain(|pinned| {
            let pinned = pinned.upgrade();
            pinned.inspect(|pinned| pinned.sweep(&keep)).is_some()
        });
    }

    /// Ends what goes to an instance as soon as the operator has put it into quarantine; runs as
    /// long as the core does.
    pub async fn keep_out(&self) {
        let mut pictures = self.picture.clone();
        while pictures.changed().await.is_ok() {
            self.pool.close_banned();
        }
    }

    /// `task` carries bytes to and from `backend` that are no requests any more, and ends with its
    /// quarantine.
    pub fn carries(&self, backend: &Backend, task: AbortHandle) {
        self.pool.holds(&backend.target, task);
    }

    /// Sends `request` by `plan`.
    ///
    /// # Errors
    /// See [`Failure`]; the caller words it for the client.
    pub async fn send(&self, plan: &Plan<'_>, request: Request<RequestBody>) -> Result<Sent, Failure> {
        self.retries.earn();
        self.hedges.earn();
        if is_safe(&request) && !plan.over.is_handshake() {
            self.send_safe(plan, request).await
        } else {
            self.send_once(plan, request).await
        }
    }

    /// Drives `sending` to its end, or until waiting for `backend` makes no sense any more.
    async fn until_over(
        &self,
        plan: &Plan<'_>,
        backend: &Arc<Backend>,
        sending: impl Future<Output = Outcome>,
        started: Moment,
    ) -> Waited {
        let mut sending = pin!(sending);
        loop {
            tokio::select! {
                biased;
                outcome = &mut sending => return outcome.into(),
                () = self.news() => {}
            }
            if let Some(over) = self.over(plan, backend, started) {
                return over;
            }
        }
    }

    /// Whether a wait for `backend` that counts from `since` is over.
    fn over(&self, plan: &Plan<'_>, backend: &Arc<Backend>, since: Moment) -> Option<Waited> {
        if self.is_down(backend, plan.service) {
            return Some(Waited::Down);
        }
        (Moment::now().since(since) >= plan.response_timeout).then(|| {
            if Arc::ptr_eq(backend, plan.first) {
                self.report(backend, plan.service, Signal::ResponseTimeout);
            }
            Waited::TimedOut
        })
    }

    /// Something may have changed: health, or simply the time.
    async fn news(&self) {
        let mut picture = self.picture.clone();
        picture.mark_unchanged();
        tokio::select! {
            _ = picture.changed() => {}
            () = sleep(RECHECK) => {}
        }
    }

    /// Whether the service is declared down within the time that a probe burst takes. The client
    /// of a lost home is then told to sign in again, instead of an error page that it cannot read.
    async fn soon_down(&self, plan: &Plan<'_>) -> bool {
        let started = Moment::now();
        while Moment::now().since(started) < BURST_TIME {
            if self.is_down(plan.first, plan.service) {
                return true;
            }
            self.news().await;
        }
        false
    }

    /// A bound request that had no answer and no effect: one refused or reset connection is no
    /// reason to end a session, a service that is down is.
    async fn or_down(&self, plan: &Plan<'_>, failure: Failure) -> Failure {
        let harmless = matches!(failure, Failure::Unreachable | Failure::Broken);
        if harmless && plan.bound && Box::pin(self.soon_down(plan)).await {
            return Failure::Down;
        }
        failure
    }

    fn attempt<'a>(
        &'a self,
        plan: &Plan<'a>,
        backend: &'a Arc<Backend>,
        fresh: Duration,
        written: &'a Cell<bool>,
    ) -> Attempt<'a> {
        Attempt {
            backend,
            service: plan.service,
            pool: &self.pool,
            reporter: &self.reporter,
            fresh,
            over: plan.over,
            dress: plan.dress,
            repeat: !Arc::ptr_eq(backend, plan.first),
            written,
        }
    }

    fn report(&self, backend: &Arc<Backend>, service: Service, signal: Signal) {
        self.reporter.report(&backend.monitor, service, signal);
    }

    fn may_repeat(&self, plan: &Plan<'_>) -> bool {
        self.is_down(plan.first, plan.service) || !plan.sticky && self.retries.spend(Moment::now())
    }

    /// Whether the service was declared down on this instance.
    pub fn is_down(&self, backend: &Backend, service: Service) -> bool {
        let picture = self.picture.borrow();
        // By name: a reload may have given the instance another id since the request was planned.
        let name = backend.monitor.name();
        let found = picture.config.instance_named(name);
        // One that a reload has removed is not down: what runs on it may finish.
        found.is_some_and(|id| !picture.answers(id, service))
    }
}

impl Waited {
    /// The answer, unless it only says that the service is gone.
    #[expect(clippy::result_large_err, reason = "both ways carry the answer; it is taken apart at once")]
    fn good(self, by_fallback: bool) -> Result<Sent, Self> {
        match self {
            Self::Answer { response, .. } if !gateway_failure(&response) => {
                Ok(Sent { response, by_fallback })
            }
            Self::Answer { response, .. } => Err(Self::Answer { response, by_fallback }),
            other => Err(other),
        }
    }
}

impl From<Outcome> for Waited {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Ok(response) => Self::Answer { response, by_fallback: false },
            Err(miss) => Self::Miss(miss),
        }
    }
}

/// Where a request may go while its first instance is not down.
fn hedge_allowed<'a>(plan: &Plan<'a>) -> Option<&'a Arc<Backend>> {
    plan.fallback.filter(|_| !plan.sticky)
}

/// The fallback, if the first instance has fallen silent and the fallback has not (design D4).
fn way_round<'a>(plan: &Plan<'a>) -> Option<&'a Arc<Backend>> {
    let silent = |backend: &Backend| backend.gauge(plan.service).silence_latched();
    hedge_allowed(plan).filter(|fallback| silent(plan.first) && !silent(fallback))
}

/// Whether a request can be sent twice: RFC 9110 9.2.1, less TRACE, which is refused at the edge.
pub fn is_safe(request: &Request<RequestBody>) -> bool {
    matches!(request.body(), RequestBody::Empty)
        && is_safe_method(request.method())
        // Some servers take the method from a header.
        && !METHOD_OVERRIDES.iter().any(|name| request.headers().contains_key(*name))
}

/// Whether a method is only for reading.
pub const fn is_safe_method(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// The same request, without the client's own stream.
pub fn copy(request: &Request<RequestBody>) -> Request<RequestBody> {
    let body = match request.body() {
        RequestBody::Full(Some(bytes)) => RequestBody::Full(Some(bytes.clone())),
        _ => RequestBody::Empty,
    };
    let mut copy = Request::new(body);
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    copy
}

/// A burst of probes that are refused or answered with an error takes less (design D5).
const BURST_TIME: Duration = Duration::from_millis(150);
/// How often a request that waits long looks whether its instance has fallen silent.
const RECHECK: Duration = Duration::from_millis(20);
