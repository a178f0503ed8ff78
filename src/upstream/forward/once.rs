//! Requests that may have an effect: written at most once, and honest about it when they are cut.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http::header::COOKIE;
use tokio::time::sleep;

use super::{Failure, Forwarder, Outcome, Plan, Sent, Waited, copy, way_round};
use crate::clock::Moment;
use crate::health::Signal;
use crate::http::body::{RequestBody, Upload};
use crate::metrics::RetryReason;
use crate::upstream::attempt::Miss;
use crate::upstream::backend::Backend;

impl Forwarder {
    /// A request that may have an effect: written at most once.
    pub(super) async fn send_once(
        &self,
        plan: &Plan<'_>,
        mut request: Request<RequestBody>,
    ) -> Result<Sent, Failure> {
        if let Some(fallback) = way_round(plan) {
            // Nothing is written yet, so any request may go round an instance that has fallen silent.
            self.metrics.retried(RetryReason::Silence);
            request.headers_mut().remove(COOKIE);
            let round = Plan { first: fallback, fallback: Some(plan.first), ..*plan };
            return self.write_once(&round, request).await.map(|mut sent| {
                sent.by_fallback = !sent.by_fallback;
                sent
            });
        }
        self.write_once(plan, request).await
    }

    async fn write_once(&self, plan: &Plan<'_>, request: Request<RequestBody>) -> Result<Sent, Failure> {
        let upload = request.body().upload();
        let spare = (plan.counted_apart && plan.fallback.is_some()).then(|| copy(&request));
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
        let (request, reason) = match waited {
            Waited::Answer { response, by_fallback } => return Ok(Sent { response, by_fallback }),
            Waited::Miss(Miss::Client) => return Err(Failure::Client),
            Waited::Miss(Miss::Cut { .. }) => return Err(Failure::OutcomeUnknown),
            Waited::TimedOut => return Err(Failure::OutcomeUnknownTimeout),
            Waited::Miss(Miss::Unsent(request)) => (*request, RetryReason::Connect),
            Waited::Down | Waited::Miss(Miss::Banned) => {
                (spare.ok_or(Failure::OutcomeUnknownTimeout)?, RetryReason::Down)
            }
        };
        let Some(fallback) = plan.fallback else {
            return Err(self.or_down(plan, Failure::Unreachable).await);
        };
        self.metrics.retried(reason);
        Box::pin(self.write_last(plan, fallback, request)).await
    }

    /// The last try of a request that was not written, or that each instance counts for itself.
    async fn write_last(
        &self,
        plan: &Plan<'_>,
        fallback: &Arc<Backend>,
        mut request: Request<RequestBody>,
    ) -> Result<Sent, Failure> {
        request.headers_mut().remove(COOKIE);
        let upload = request.body().upload();
        let last = Plan { first: fallback, fallback: None, ..*plan };
        let written = Cell::new(false);
        let attempt = self.attempt(&last, fallback, JUST_ANSWERED, &written);
        let sending = pin!(attempt.send(request));
        match self.wait_once(&last, sending, upload.as_deref(), &written).await {
            Waited::Answer { response, .. } => Ok(Sent { response, by_fallback: true }),
            Waited::Miss(Miss::Unsent(_)) => Err(Failure::Unreachable),
            Waited::Miss(Miss::Client) => Err(Failure::Client),
            Waited::Miss(Miss::Cut { .. }) => Err(Failure::OutcomeUnknown),
            Waited::Down | Waited::TimedOut | Waited::Miss(Miss::Banned) => {
                Err(Failure::OutcomeUnknownTimeout)
            }
        }
    }

    /// Waits for the answer to a request that may have an effect.
    async fn wait_once(
        &self,
        plan: &Plan<'_>,
        mut first: Pin<&mut impl Future<Output = Outcome>>,
        upload: Option<&Upload>,
        written: &Cell<bool>,
    ) -> Waited {
        let gauge = plan.first.gauge(plan.service);
        let begun = Moment::now();
        let mut silent = false;
        loop {
            tokio::select! {
                biased;
                outcome = &mut first => return outcome.into(),
                () = self.news() => {}
            }
            // While its body is under way, the instance owes no answer.
            let owed_since = upload.map_or(begun, |u| u.last().max(begun));
            if !silent && !plan.over.is_handshake() && gauge.silent_since(Moment::now(), owed_since) {
                silent = true;
                self.report(plan.first, plan.service, Signal::Silence);
            }
            // Not yet written: the attempt ends by itself within the connect time-out, and hands
            // the request back.
            if written.get()
                && let Some(over) = self.over(plan, plan.first, owed_since)
            {
                return over;
            }
        }
    }
}

/// Design D3: an unsafe request takes no chance with a connection that may just be closing.
const JUST_ANSWERED: Duration = Duration::from_secs(1);
