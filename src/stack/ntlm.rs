//! NTLM and Negotiate (fact sheet 2.9): a client that logs in by its connection has connections of
//! its own to the instances, and a handshake stays on the one on which it began.

use std::rc::Rc;

use http::Response;

use super::{Denied, Job, Stack};
use crate::config::types::{InstanceId, Service};
use crate::http::connection::Connection;
use crate::http::respond::Answer;
use crate::http::unanswered::Unanswered;
use crate::metrics::Refused;
use crate::session::ntlm::Message;
use crate::upstream::forward::Failure;
use crate::upstream::pinned::{Over, Pinned};
use crate::upstream::pool::Passed;

/// What a message of NTLM or Negotiate is on its way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leg {
    /// It begins a handshake, wherever it goes.
    Begins,
    /// It answers the challenge of this instance.
    Continues(InstanceId),
}

impl Stack {
    /// Step 7: which leg of a handshake `message` is. `awaits` is the instance whose challenge was
    /// the last answer to this client.
    pub(super) fn leg(&self, job: &Job<'_>, message: Message, awaits: Option<u64>) -> Result<Leg, Denied> {
        if job.connection.trusted {
            // A proxy that sends several clients' requests over one connection would make them one
            // user.
            self.metrics.refused(Refused::Ntlm);
            return Err(Answer::SHARED_CONNECTION.into());
        }
        if job.connection.pace.http2() {
            return Err(Unanswered::http11_required().into());
        }
        let leg = match (message, awaits) {
            (Message::Begins, _) | (Message::Opaque, None) => Some(Leg::Begins),
            (Message::Opaque | Message::Continues, Some(key)) => {
                job.live.prepared.candidate_by_key(job.route.site, key).map(Leg::Continues)
            }
            (Message::Continues, None) => None,
        };
        leg.ok_or_else(|| self.handshake_lost())
    }

    /// Step 9: over whose connections the request goes.
    pub(super) fn over<'c>(&self, connection: &'c Connection, leg: Option<Leg>) -> Over<'c> {
        match (leg, connection.pinned.get()) {
            (None, None) => Over::Shared,
            (None, Some(pinned)) => Over::Own(pinned),
            (Some(Leg::Begins), _) => Over::Begins(self.pinned(connection)),
            (Some(Leg::Continues(_)), _) => Over::Continues(self.pinned(connection)),
        }
    }

    /// Step 9: a handshake whose connection had ended before its message was written. A login that
    /// was cut had no effect either: whoever tries again begins anew.
    pub(super) fn cut_short(&self, service: Service, over: Over<'_>, failure: Failure) -> Option<Denied> {
        let lost = match failure {
            Failure::Unreachable | Failure::Down => true,
            Failure::OutcomeUnknown | Failure::OutcomeUnknownTimeout => service == Service::Identity,
            _ => false,
        };
        (over.continues() && lost).then(|| self.handshake_lost())
    }

    /// Step 10: the connection that carried a message or a challenge is the client's own from now
    /// on.
    pub(super) fn pin(&self, connection: &Connection, response: &mut Response<Passed>) -> Result<(), Denied> {
        if !response.body().is_private() || connection.trusted {
            // A trusted proxy may pass the challenge on; its connection ends with the answer.
            return Ok(());
        }
        if connection.pace.http2() {
            return Err(Unanswered::http11_required().into());
        }
        response.body_mut().pin(self.pinned(connection));
        Ok(())
    }

    /// Ends a handshake so that the client begins anew.
    pub(super) fn handshake_lost(&self) -> Denied {
        self.metrics.refused(Refused::Ntlm);
        Unanswered::HandshakeLost.into()
    }

    fn pinned<'c>(&self, connection: &'c Connection) -> &'c Rc<Pinned> {
        connection.pinned.get_or_init(|| self.forwarder.pinned())
    }
}
