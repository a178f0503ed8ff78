//! Safe requests: repeated and hedged until there is a usable answer or nowhere left to go.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::header::COOKIE;
use http::{Request, Response, StatusCode};
use tokio::time::sleep;

use super::{Failure, Forwarder, Outcome, Plan, Sent, Waited, copy, hedge_allowed, way_round};
use crate::clock::Moment;
use crate::config::types::Service;
use crate::health::Signal;
use crate::http::body::RequestBody;
use crate::metrics::{HedgeOutcome, RetryReason};
use crate::upstream::attempt::{Miss, gateway_failure};
use crate::upstream::backend::Backend;
use crate::upstream::pool::Passed;

impl Forwarder {
    pub(super) async fn send_safe(
        &self,
        plan: &Plan<'_>,
        request: Request<RequestBody>,
    ) -> Result<Sent, Failure> {
        let started = Moment::now();
        if let Some(fallback) = way_round(plan) {
            self.metrics.retried(RetryReason::Silence);
            if let Ok(sent) = self.ask(plan, fallback, &request, started).await.good(true) {
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
            () = sleep(plan.first.gauge(plan.service).hedge_delay()) => {
                Box::pin(self.wait_safe(plan, first.as_mut(), &spare, started)).await
            }
        };
        match waited {
            Waited::Answer { response, by_fallback: false } if unusable(plan, &response) => {
                Box::pin(self.after_gateway_failure(plan, response, &spare, started)).await
            }
            Waited::Answer { response, .. } if plan.bound && gateway_failure(&response) => {
                if Box::pin(self.soon_down(plan)).await {
                    return Err(Failure::Down);
                }
                Ok(Sent { response, by_fallback: false })
            }
            Waited::Answer { response, by_fallback } => Ok(Sent { response, by_fallback }),
            waited => Box::pin(self.repeat(plan, waited, &spare, started)).await,
        }
    }

    /// The slow path of a safe request: it has waited for the hedge delay.
    async fn wait_safe(
        &self,
        plan: &Plan<'_>,
        mut first: Pin<&mut impl Future<Output = Outcome>>,
        spare: &Request<RequestBody>,
        started: Moment,
    ) -> Waited {
        let gauge = plan.first.gauge(plan.service);
        let mut silent = false;
        loop {
            // Once a request: one slow answer on a quiet site must not become a storm of probes.
            if !silent && gauge.silent_since(Moment::now(), started) {
                silent = true;
                self.report(plan.first, plan.service, Signal::Silence);
                if let Some(fallback) = hedge_allowed(plan)
                    && self.hedges.spend(Moment::now())
                {
                    return self.race(plan, fallback, first, spare, started).await;
                }
            }
            if let Some(over) = self.over(plan, plan.first, started) {
                return over;
            }
            tokio::select! {
                biased;
                outcome = &mut first => return outcome.into(),
                () = self.news() => {}
            }
        }
    }

    /// First usable answer wins; the other connection is closed by dropping its attempt.
    async fn race(
        &self,
        plan: &Plan<'_>,
        fallback: &Arc<Backend>,
        mut first: Pin<&mut impl Future<Output = Outcome>>,
        spare: &Request<RequestBody>,
        started: Moment,
    ) -> Waited {
        let mut second = pin!(self.ask(plan, fallback, spare, started));
        let (mut first_open, mut second_open) = (true, true);
        let mut last = Waited::TimedOut;
        while first_open || second_open {
            let (waited, by_fallback) = tokio::select! {
                biased;
                outcome = &mut first, if first_open => { first_open = false; (outcome.into(), false) }
                waited = &mut second, if second_open => { second_open = false; (waited, true) }
                () = self.news() => match self.over(plan, plan.first, started) {
                    Some(over) if first_open => { first_open = false; (over, false) }
                    _ => continue,
                },
            };
            match waited.good(by_fallback) {
                Ok(Sent { response, by_fallback }) => {
                    let won = if by_fallback { HedgeOutcome::Standby } else { HedgeOutcome::Serving };
                    self.metrics.hedged(won);
                    return Waited::Answer { response, by_fallback };
                }
                Err(waited) => last = waited,
            }
        }
        self.metrics.hedged(HedgeOutcome::Failed);
        last
    }

    /// A safe request had no answer: once more where that makes sense.
    async fn repeat(
        &self,
        plan: &Plan<'_>,
        mut waited: Waited,
        spare: &Request<RequestBody>,
        started: Moment,
    ) -> Result<Sent, Failure> {
        if let Waited::Miss(Miss::Cut { reused: true }) = waited {
            // The instance may only have closed an old connection: ask it again, afresh.
            self.metrics.retried(RetryReason::Cut);
            match self.ask_afresh(plan, plan.first, spare, started).await.good(false) {
                Ok(sent) => return Ok(sent),
                Err(failed) => waited = failed,
            }
        }
        let (failure, reason) = match waited {
            Waited::Miss(Miss::Unsent(_)) => (Failure::Unreachable, RetryReason::Connect),
            Waited::Miss(Miss::Client) => return Err(Failure::Client),
            Waited::Miss(Miss::Cut { .. }) | Waited::Answer { .. } => (Failure::Broken, RetryReason::Cut),
            Waited::Down | Waited::Miss(Miss::Banned) => (Failure::Down, RetryReason::Down),
            Waited::TimedOut => (Failure::TimedOut, RetryReason::Timeout),
        };
        // What was never written, or waited on a dead instance, cannot overload anybody by going
        // elsewhere; the budget limits the rest.
        let free = matches!(failure, Failure::Unreachable | Failure::Down);
        let Some(fallback) = plan.fallback.filter(|_| free || self.may_repeat(plan)) else {
            return Err(self.or_down(plan, failure).await);
        };
        self.metrics.retried(reason);
        match self.ask(plan, fallback, spare, started).await.good(true) {
            Ok(sent) => Ok(sent),
            Err(Waited::Answer { response, by_fallback }) => Ok(Sent { response, by_fallback }),
            Err(_) => Err(if free { Failure::Unreachable } else { failure }),
        }
    }

    async fn after_gateway_failure(
        &self,
        plan: &Plan<'_>,
        response: Response<Passed>,
        spare: &Request<RequestBody>,
        started: Moment,
    ) -> Result<Sent, Failure> {
        if plan.sticky {
            self.soon_down(plan).await;
        }
        if let Some(fallback) = plan.fallback.filter(|_| self.may_repeat(plan)) {
            self.metrics.retried(RetryReason::Status);
            if let Ok(sent) = self.ask(plan, fallback, spare, started).await.good(true) {
                return Ok(sent);
            }
        }
        Ok(Sent { response, by_fallback: false })
    }

    /// A safe request to another instance than the first, within the common deadline.
    async fn ask(
        &self,
        plan: &Plan<'_>,
        backend: &Arc<Backend>,
        request: &Request<RequestBody>,
        started: Moment,
    ) -> Waited {
        let written = Cell::new(false);
        let attempt = self.attempt(plan, backend, ANY_AGE, &written);
        match self.until_over(plan, backend, attempt.send(elsewhere(request)), started).await {
            Waited::Miss(Miss::Cut { reused: true }) => {
                self.ask_afresh(plan, backend, &elsewhere(request), started).await
            }
            waited => waited,
        }
    }

    /// The same on a new connection.
    async fn ask_afresh(
        &self,
        plan: &Plan<'_>,
        backend: &Arc<Backend>,
        request: &Request<RequestBody>,
        started: Moment,
    ) -> Waited {
        let written = Cell::new(false);
        let attempt = self.attempt(plan, backend, Duration::ZERO, &written);
        self.until_over(plan, backend, attempt.send(copy(request)), started).await
    }
}

/// An answer that a safe request need not be content with, because there is a fallback.
fn unusable(plan: &Plan<'_>, response: &Response<Passed>) -> bool {
    plan.fallback.is_some()
        && (gateway_failure(response)
            // Behind profile `http` nobody speaks the VMS's JSON errors.
            || plan.service == Service::Http && response.status() == StatusCode::SERVICE_UNAVAILABLE)
}

/// The same request for another instance: cookies belong to the one that set them (design D10).
fn elsewhere(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = copy(request);
    copy.headers_mut().remove(COOKIE);
    copy
}

/// Any idle connection will do for a request that can be repeated.
const ANY_AGE: Duration = Duration::MAX;
