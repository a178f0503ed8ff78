//! Steps 8 and 9 of the stack: what a client is told when no instance has answered it.

use std::sync::Arc;

use super::{Denied, Job, Stack};
use crate::balance::{Bound, Pick};
use crate::config::types::Service;
use crate::http::respond::Answer;
use crate::metrics::Refused;
use crate::upstream::forward::Failure;

impl Stack {
    /// Step 8: nobody can take the request.
    pub(super) fn turn_away(&self, picked: Pick, bound: Bound, is_form: bool) -> Denied {
        match (picked, bound) {
            (Pick::SignInAgain { .. }, _) if is_form => Answer::UNKNOWN_GRANT.into(),
            (Pick::SignInAgain { .. }, _) => {
                self.metrics.refused(Refused::Unauthorized);
                Answer::SIGN_IN_AGAIN.into()
            }
            (Pick::Gone, _) => Answer::GONE.into(),
            (_, Bound::Handshake(_)) => self.handshake_lost(),
            _ => {
                self.metrics.refused(Refused::NoInstance);
                Answer::UNAVAILABLE.into()
            }
        }
    }

    /// Words a failure for the client.
    pub(super) fn word(&self, job: &Job<'_>, failure: Failure, bound: Bound) -> Answer {
        let (answer, refused) = match failure {
            Failure::OutcomeUnknown => (Answer::OUTCOME_UNKNOWN, Refused::OutcomeUnknown),
            Failure::OutcomeUnknownTimeout => (Answer::OUTCOME_UNKNOWN_TIMEOUT, Refused::OutcomeUnknown),
            // The session's home has just died: the client learns it here, not one request later.
            Failure::Down if self.must_sign_in_again(job, bound) => {
                (Answer::SIGN_IN_AGAIN, Refused::Unauthorized)
            }
            Failure::Down if matches!(bound, Bound::Made(_)) => return Answer::GONE,
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
    pub(super) fn must_sign_in_again(&self, job: &Job<'_>, bound: Bound) -> bool {
        let newest = self.live.load();
        let (Bound::Token(home) | Bound::Twinned { home, .. }) = bound else { return false };
        Arc::ptr_eq(&newest.prepared, &job.live.prepared)
            && newest.picture.config.site(job.route.site).candidates().any(|other| {
                other != home
                    && newest.picture.eligible(other, job.service)
                    && newest.picture.eligible(other, Service::Identity)
            })
    }
}
