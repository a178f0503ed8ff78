//! A request's way to an answer: the rules for trying again and for hedging (design D3, D4).
//!
//! The promise: a request that may have had an effect is never sent twice. What is sent twice is
//! *safe* (GET, HEAD, OPTIONS without a body), or was never written, or is a password grant whose
//! first instance was declared down.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::header::COOKIE;
use http::{Method, Request, Response, StatusCode};
use tokio::sync::watch;
use tokio::time::sleep;

use super::attempt::{Attempt, Miss, gateway_failure};
use super::backend::Backend;
use super::budget::Budget;
use super::pool::{Passed, Pool};
use crate::balance::Picture;
use crate::clock::Moment;
use crate::config::types::Service;
use crate::health::{Condition, Reporter, Signal};
use crate::http::body::{RequestBody, Upload};
use crate::metrics::{HedgeOutcome, Metrics, RetryReason};

/// Sends the requests of one core.
pub struct Forwarder {
    /// This core's connections.
    pub pool: Rc<Pool>,
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
    /// From the end of the request to the head of the answer.
    pub response_timeout: Duration,
    /// A password grant: may be sent once more when `first` is declared down (design D4).
    pub password_grant: bool,
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
}

/// How waiting for one attempt ended.
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
            reporter,
            picture,
            metrics,
            retries: Budget::new(0.2, 10.0, now),
            hedges: Budget::new(0.05, 1.0, now),
        }
    }

    /// Sends `request` by `plan`.
    ///
    /// # Errors
    /// See [`Failure`]; the caller words it for the client.
    pub async fn send(&self, plan: &Plan<'_>, request: Request<RequestBody>) -> Result<Sent, Failure> {
        self.retries.earn();
        self.hedges.earn();
        if is_safe(request.method()) && matches!(request.body(), RequestBody::Empty) {
            self.send_safe(plan, request).await
        } else {
            self.send_once(plan, request).await
        }
    }

    async fn send_safe(&self, plan: &Plan<'_>, request: Request<RequestBody>) -> Result<Sent, Failure> {
        let gauge = plan.first.gauge(plan.service);
        if let Some(fallback) = plan.fallback
            && gauge.silence_latched()
            && !fallback.gauge(plan.service).silence_latched()
        {
            self.metrics.retried(RetryReason::Silence);
            if let Some(sent) = self.try_fallback(plan, &request).await {
                return Ok(sent);
            }
        }
        let spare = copy(&request);
        let written = Cell::new(false);
        let attempt = self.attempt(plan, plan.first, ANY_AGE, &written);
        let mut first = pin!(attempt.send(request));
        // The timer is the only cost of hedging while all is well.
        let waited = tokio::select! {
            biased;
            outcome = &mut first => Waited::from(outcome),
            () = sleep(gauge.hedge_delay()) => {
                Box::pin(self.wait_safe(plan, first.as_mut(), &spare)).await
            }
        };
        match waited {
            Waited::Answer { response, by_fallback: false } if self.unusable(plan, &response) => {
                Box::pin(self.after_gateway_failure(plan, response, &spare)).await
            }
            Waited::Answer { response, by_fallback } => Ok(Sent { response, by_fallback }),
            other => Box::pin(self.repeat(plan, other, spare)).await,
        }
    }

    /// The slow path of a safe request: it has waited for the hedge delay.
    async fn wait_safe(
        &self,
        plan: &Plan<'_>,
        mut first: Pin<&mut impl Future<Output = Outcome>>,
        spare: &Request<RequestBody>,
    ) -> Waited {
        let gauge = plan.first.gauge(plan.service);
        let delay = gauge.hedge_delay();
        let now = Moment::now();
        // `delay` ago, which is when it began to wait.
        let started = Moment::from_micros(now.as_micros().saturating_sub(delay.as_micros() as u64));
        let mut picture = self.picture.clone();
        loop {
            let now = Moment::now();
            if gauge.silent_since(now, started) {
                self.reporter.report(&plan.first.monitor, plan.service, Signal::Silence);
                if let Some(fallback) = plan.fallback
                    && self.hedges.spend(now)
                {
                    return self.race(plan, fallback, first, spare).await;
                }
            }
            if self.is_down(plan) {
                return Waited::Down;
            }
            if now.since(started) >= plan.response_timeout {
                self.reporter.report(&plan.first.monitor, plan.service, Signal::ResponseTimeout);
                return Waited::TimedOut;
            }
            tokio::select! {
                biased;
                outcome = &mut first => return outcome.into(),
                _ = picture.changed() => {}
                () = sleep(RECHECK) => {}
            }
        }
    }

    /// First answer wins; the other connection is closed by dropping its attempt.
    async fn race(
        &self,
        plan: &Plan<'_>,
        fallback: &Arc<Backend>,
        mut first: Pin<&mut impl Future<Output = Outcome>>,
        spare: &Request<RequestBody>,
    ) -> Waited {
        let written = Cell::new(false);
        let attempt = self.attempt(plan, fallback, ANY_AGE, &written);
        let mut second = pin!(attempt.send(elsewhere(spare)));
        let mut limit = pin!(sleep(plan.response_timeout));
        let (mut first_open, mut second_open) = (true, true);
        let mut last = Waited::TimedOut;
        while first_open || second_open {
            let (outcome, by_fallback) = tokio::select! {
                biased;
                outcome = &mut first, if first_open => { first_open = false; (outcome, false) }
                outcome = &mut second, if second_open => { second_open = false; (outcome, true) }
                () = &mut limit => break,
            };
            match outcome {
                Ok(response) if !gateway_failure(&response) => {
                    let won = if by_fallback { HedgeOutcome::Standby } else { HedgeOutcome::Serving };
                    self.metrics.hedged(won);
                    return Waited::Answer { response, by_fallback };
                }
                Ok(response) => last = Waited::Answer { response, by_fallback },
                Err(miss) => last = Waited::Miss(miss),
            }
        }
        self.metrics.hedged(HedgeOutcome::Failed);
        last
    }

    /// A safe request had no answer: once more where that makes sense.
    async fn repeat(
        &self,
        plan: &Plan<'_>,
        waited: Waited,
        spare: Request<RequestBody>,
    ) -> Result<Sent, Failure> {
        let (mut failure, reason) = match waited {
            Waited::Miss(Miss::Cut { reused: true }) => {
                // The instance may only have closed an old connection: ask it again, afresh.
                self.metrics.retried(RetryReason::Cut);
                let written = Cell::new(false);
                let again = self.attempt(plan, plan.first, Duration::ZERO, &written);
                match tokio::time::timeout(plan.response_timeout, again.send(copy(&spare))).await {
                    Ok(Ok(response)) if !self.unusable(plan, &response) => {
                        return Ok(Sent { response, by_fallback: false });
                    }
                    Ok(Ok(_) | Err(Miss::Cut { .. })) => (Failure::Broken, RetryReason::Cut),
                    Ok(Err(Miss::Unsent(_))) => (Failure::Unreachable, RetryReason::Connect),
                    Err(_) => (Failure::TimedOut, RetryReason::Timeout),
                }
            }
            Waited::Miss(Miss::Cut { reused: false }) | Waited::Answer { .. } => {
                (Failure::Broken, RetryReason::Cut)
            }
            Waited::Miss(Miss::Unsent(_)) => (Failure::Unreachable, RetryReason::Connect),
            Waited::Down => (Failure::Down, RetryReason::Down),
            Waited::TimedOut => (Failure::TimedOut, RetryReason::Timeout),
        };
        // What was never written, or waited on a dead instance, cannot overload anybody by going
        // elsewhere; the budget limits the rest.
        let free = matches!(failure, Failure::Unreachable | Failure::Down);
        if plan.fallback.is_some() && (free || self.may_repeat(plan)) {
            self.metrics.retried(reason);
            if let Some(sent) = self.try_fallback(plan, &spare).await {
                return Ok(sent);
            }
            failure = if failure == Failure::Down { Failure::Unreachable } else { failure };
        }
        Err(failure)
    }

    async fn after_gateway_failure(
        &self,
        plan: &Plan<'_>,
        response: Response<Passed>,
        spare: &Request<RequestBody>,
    ) -> Result<Sent, Failure> {
        if self.may_repeat(plan) {
            self.metrics.retried(RetryReason::Status);
            if let Some(sent) = self.try_fallback(plan, spare).await {
                return Ok(sent);
            }
        }
        Ok(Sent { response, by_fallback: false })
    }

    /// The fallback's answer to a safe request, if it has a usable one.
    async fn try_fallback(&self, plan: &Plan<'_>, spare: &Request<RequestBody>) -> Option<Sent> {
        let fallback = plan.fallback?;
        let written = Cell::new(false);
        let attempt = self.attempt(plan, fallback, ANY_AGE, &written);
        let mut outcome =
            tokio::time::timeout(plan.response_timeout, attempt.send(elsewhere(spare))).await.ok()?;
        if matches!(outcome, Err(Miss::Cut { reused: true })) {
            let attempt = self.attempt(plan, fallback, Duration::ZERO, &written);
            outcome =
                tokio::time::timeout(plan.response_timeout, attempt.send(elsewhere(spare))).await.ok()?;
        }
        let response = outcome.ok()?;
        (!gateway_failure(&response)).then_some(Sent { response, by_fallback: true })
    }

    /// A request that may have an effect: written at most once.
    async fn send_once(&self, plan: &Plan<'_>, request: Request<RequestBody>) -> Result<Sent, Failure> {
        let upload = request.body().upload();
        let spare = (plan.password_grant && plan.fallback.is_some()).then(|| copy(&request));
        let written = Cell::new(false);
        let attempt = self.attempt(plan, plan.first, JUST_ANSWERED, &written);
        let mut first = pin!(attempt.send(request));
        let waited = tokio::select! {
            biased;
            outcome = &mut first => Waited::from(outcome),
            () = sleep(plan.first.gauge(plan.service).hedge_delay()) => {
                Box::pin(self.wait_once(plan, first.as_mut(), upload.as_deref(), &written)).await
            }
        };
        match waited {
            Waited::Answer { response, by_fallback } => Ok(Sent { response, by_fallback }),
            Waited::Miss(Miss::Unsent(request)) => {
                let Some(fallback) = plan.fallback else { return Err(Failure::Unreachable) };
                self.metrics.retried(RetryReason::Connect);
                Box::pin(self.send_last(plan, fallback, *request)).await
            }
            Waited::Miss(Miss::Cut { .. }) => Err(Failure::OutcomeUnknown),
            Waited::TimedOut => Err(Failure::OutcomeUnknownTimeout),
            Waited::Down => match (spare, plan.fallback) {
                (Some(request), Some(fallback)) => {
                    self.metrics.retried(RetryReason::Down);
                    Box::pin(self.send_last(plan, fallback, request)).await
                }
                _ => Err(Failure::OutcomeUnknownTimeout),
            },
        }
    }

    /// The last try of a request that was not written, or that each instance counts for itself.
    async fn send_last(
        &self,
        plan: &Plan<'_>,
        fallback: &Arc<Backend>,
        mut request: Request<RequestBody>,
    ) -> Result<Sent, Failure> {
        request.headers_mut().remove(COOKIE);
        let written = Cell::new(false);
        let attempt = self.attempt(plan, fallback, JUST_ANSWERED, &written);
        match tokio::time::timeout(plan.response_timeout, attempt.send(request)).await {
            Ok(Ok(response)) => Ok(Sent { response, by_fallback: true }),
            Ok(Err(Miss::Unsent(_))) => Err(Failure::Unreachable),
            Ok(Err(Miss::Cut { .. })) => Err(Failure::OutcomeUnknown),
            Err(_) => Err(Failure::OutcomeUnknownTimeout),
        }
    }

    /// The slow path of a request that may have an effect.
    async fn wait_once(
        &self,
        plan: &Plan<'_>,
        mut first: Pin<&mut impl Future<Output = Outcome>>,
        upload: Option<&Upload>,
        written: &Cell<bool>,
    ) -> Waited {
        let gauge = plan.first.gauge(plan.service);
        let begun = Moment::now();
        let mut picture = self.picture.clone();
        loop {
            let now = Moment::now();
            // While its body is under way, the instance owes no answer.
            let owed_since = upload.map_or(begun, |u| u.last().max(begun));
            if gauge.silent_since(now, owed_since) {
                self.reporter.report(&plan.first.monitor, plan.service, Signal::Silence);
            }
            // Not yet written: the attempt ends by itself within the connect time-out, and hands
            // the request back.
            if written.get() && self.is_down(plan) {
                return Waited::Down;
            }
            if now.since(owed_since) >= plan.response_timeout {
                self.reporter.report(&plan.first.monitor, plan.service, Signal::ResponseTimeout);
                return Waited::TimedOut;
            }
            tokio::select! {
                biased;
                outcome = &mut first => return outcome.into(),
                _ = picture.changed() => {}
                () = sleep(RECHECK) => {}
            }
        }
    }

    const fn attempt<'a>(
        &'a self,
        plan: &Plan<'_>,
        backend: &'a Arc<Backend>,
        fresh: Duration,
        written: &'a Cell<bool>,
    ) -> Attempt<'a> {
        Attempt { backend, service: plan.service, pool: &self.pool, reporter: &self.reporter, fresh, written }
    }

    /// An answer that a safe request need not be content with, because there is a fallback.
    fn unusable(&self, plan: &Plan<'_>, response: &Response<Passed>) -> bool {
        plan.fallback.is_some()
            && (gateway_failure(response)
                // Behind profile `http` nobody speaks the VMS's JSON errors.
                || plan.service == Service::Http && response.status() == StatusCode::SERVICE_UNAVAILABLE)
    }

    fn may_repeat(&self, plan: &Plan<'_>) -> bool {
        plan.fallback.is_some() && (self.is_down(plan) || self.retries.spend(Moment::now()))
    }

    fn is_down(&self, plan: &Plan<'_>) -> bool {
        let picture = self.picture.borrow();
        // By name: a reload may have given the instance another id since the request was planned.
        let name = plan.first.monitor.name();
        let found = picture.config.instance_ids().find(|id| picture.config.instance(*id).name == name);
        found.is_none_or(|id| picture.condition(id, plan.service) == Condition::Down)
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

/// RFC 9110 9.2.1, less TRACE, which is refused at the edge.
pub const fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// The same request, without the client's own stream.
fn copy(request: &Request<RequestBody>) -> Request<RequestBody> {
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

/// The same request for another instance: cookies belong to the one that set them (design D10).
fn elsewhere(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = copy(request);
    copy.headers_mut().remove(COOKIE);
    copy
}

/// Any idle connection will do for a request that can be repeated.
const ANY_AGE: Duration = Duration::MAX;
/// Design D3: an unsafe request takes no chance with a connection that may just be closing.
const JUST_ANSWERED: Duration = Duration::from_secs(1);
/// How often a request that waits long looks whether its instance has fallen silent.
const RECHECK: Duration = Duration::from_millis(20);
