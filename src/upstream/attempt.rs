//! One request to one instance, once.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};
use tokio::time::timeout;

use super::backend::{Backend, Waiting};
use super::connect::ConnectError;
use super::forward::Dress;
use super::pinned::{Over, challenge};
use super::pool::{Afterwards, Lease, Passed, Pool};
use crate::config::types::Service;
use crate::health::{Reporter, Signal};
use crate::http::body::{RequestBody, UploadState};

/// Why there is no answer; decides what may happen next (design D3).
#[derive(Debug)]
pub enum Miss {
    /// Nothing of the request was written. Here it is back; it may go anywhere.
    Unsent(Box<Request<RequestBody>>),
    /// The connection ended after the request, or a part of it, was written.
    Cut {
        /// It was a pooled connection: the instance may only have closed it for its age.
        reused: bool,
    },
    /// The client broke off its own body; says nothing about the instance.
    Client,
    /// It was written, or a part of it; then the instance was put into quarantine.
    Banned,
}

/// What an attempt needs besides the request.
pub struct Attempt<'a> {
    /// Where to.
    pub backend: &'a Arc<Backend>,
    /// For whom it is counted.
    pub service: Service,
    /// This core's connections.
    pub pool: &'a Rc<Pool>,
    /// Told about every fault and success.
    pub reporter: &'a Reporter,
    /// Only a pooled connection that answered within this time is used.
    pub fresh: Duration,
    /// Over whose connections.
    pub over: Over<'a>,
    /// Makes the request fit for `backend`.
    pub dress: &'a dyn Dress,
    /// Another instance has failed this request before. What it meets here may be its own doing (a
    /// URL that breaks wherever it is asked for), so only successes and failed connects count.
    pub repeat: bool,
    /// Set once bytes of the request may have left.
    pub written: &'a Cell<bool>,
}

impl Attempt<'_> {
    /// Sends `request` and waits for the head of the answer.
    ///
    /// # Errors
    /// See [`Miss`]; what it says about the instance was reported.
    pub async fn send(&self, mut request: Request<RequestBody>) -> Result<Response<Passed>, Miss> {
        request.headers_mut().insert(HOST, self.backend.host.clone());
        self.dress.dress(&mut request, self.backend.key);
        let upload = request.body().upload();
        let waiting = Waiting::begin(self.backend.gauge(self.service));
        let ban = self.backend.target.ban();
        loop {
            let (mut lease, reused) = match self.connection().await {
                Ok(Some(found)) => found,
                Ok(None) => return Err(Miss::Unsent(Box::new(request))),
                Err(e) => {
                    if let Some(signal) = signal_of(&e) {
                        self.report(signal);
                    }
                    tracing::debug!(instance = self.backend.monitor.name(), error = %e, "no connection");
                    return Err(Miss::Unsent(Box::new(request)));
                }
            };
            // A pooled connection is ready already; a new one at once, or never; the client's own when
            // the instance has taken all of its last request.
            let limit = if reused { OWN_READY_LIMIT } else { READY_LIMIT };
            if !matches!(timeout(limit, lease.sender.ready()).await, Ok(Ok(()))) {
                if reused {
                    continue;
                }
                self.report(Signal::Reset);
                return Err(Miss::Unsent(Box::new(request)));
            }
            if ban.is_raised() {
                // Found before those who close its connections came to it.
                return Err(Miss::Unsent(Box::new(request)));
            }
            self.written.set(true);
            match lease.sender.try_send_request(request).await {
                // Its answer would not be trusted.
                Ok(_) if ban.is_raised() => return Err(Miss::Banned),
                Ok(response) => {
                    waiting.answered();
                    self.judge(&response);
                    let lease = (lease, self.afterwards(&response));
                    let place = (self.backend.clone(), self.service);
                    return Ok(response.map(|body| Passed::new(body, lease, upload, place)));
                }
                Err(mut failed) => {
                    let Some(back) = failed.take_message() else {
                        if ban.is_raised() {
                            return Err(Miss::Banned);
                        }
                        // hyper ends the connection when the body fails; that is not the
                        // instance's doing, and a stranger must not be able to make it look so.
                        if upload.is_some_and(|u| u.state() == UploadState::Broken) {
                            return Err(Miss::Client);
                        }
                        self.report(Signal::Reset);
                        return Err(Miss::Cut { reused });
                    };
                    self.written.set(false);
                    request = back;
                    if !reused {
                        self.report(Signal::Reset);
                        return Err(Miss::Unsent(Box::new(request)));
                    }
                }
            }
        }
    }

    /// A connection, and whether it was used before; `None` if only one would do and it has ended.
    async fn connection(&self) -> Result<Option<(Lease, bool)>, ConnectError> {
        if let Over::Begins(pinned) = self.over {
            pinned.begin(self.backend.key);
        }
        let found = match self.over.own(self.backend.key) {
            Some(pinned) => pinned.take(self.backend.key),
            None => self.pool.take(self.backend, self.fresh),
        };
        match found {
            Some(lease) => Ok(Some((lease, true))),
            None if self.over.continues() => Ok(None),
            None => self.pool.open(self.backend).await.map(|lease| Some((lease, false))),
        }
    }

    fn afterwards<B>(&self, response: &Response<B>) -> Afterwards {
        match challenge(response) {
            None if self.over.own(self.backend.key).is_none() => Afterwards::Shared(self.pool.clone()),
            challenge => Afterwards::Private(challenge),
        }
    }

    fn judge(&self, response: &Response<hyper::body::Incoming>) {
        if gateway_failure(response) {
            self.report(Signal::GatewayError(response.status().as_u16()));
        } else {
            self.report(Signal::Success);
        }
    }

    fn report(&self, signal: Signal) {
        if self.repeat && matches!(signal, Signal::Reset | Signal::GatewayError(_)) {
            return;
        }
        self.reporter.report(&self.backend.monitor, self.service, signal);
    }
}

/// 502, 503 or 504 without a JSON body: the web server in front of the service says that the
/// service is gone (fact sheet 3.4, 6.6). With a JSON body the service itself speaks.
pub fn gateway_failure<B>(response: &Response<B>) -> bool {
    matches!(
        response.status(),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    ) && !response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().get(..16).is_some_and(|k| k.eq_ignore_ascii_case(b"application/json"))
    })
}

/// What a failed connect says about the instance; trouble of our own says nothing.
const fn signal_of(error: &ConnectError) -> Option<Signal> {
    match error {
        ConnectError::Refused => Some(Signal::ConnectRefused),
        ConnectError::Timeout(_) => Some(Signal::ConnectTimeout),
        ConnectError::Resolve { .. } | ConnectError::Unreachable(_) | ConnectError::Tls(_) => {
            Some(Signal::ConnectFailed)
        }
        ConnectError::Local(_) | ConnectError::Banned => None,
    }
}

const READY_LIMIT: Duration = Duration::from_millis(100);
/// We had all of that request before we got this one, and pass it on as fast as the instance reads.
const OWN_READY_LIMIT: Duration = Duration::from_secs(2);
