//! One request to one instance, once.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HOST};
use http::{Request, Response, StatusCode};

use super::backend::{Backend, Waiting};
use super::connect::ConnectError;
use super::pool::{Passed, Pool, Sender, open};
use crate::config::types::Service;
use crate::health::{Reporter, Signal};
use crate::http::body::RequestBody;

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
        let waiting = Waiting::begin(self.backend.gauge(self.service));
        loop {
            let (mut sender, reused) = match self.connection().await {
                Ok(found) => found,
                Err(e) => {
                    self.report(signal_of(&e));
                    tracing::debug!(instance = self.backend.monitor.name(), error = %e, "no connection");
                    return Err(Miss::Unsent(Box::new(request)));
                }
            };
            if sender.ready().await.is_err() {
                if reused {
                    continue;
                }
                self.report(Signal::Reset);
                return Err(Miss::Unsent(Box::new(request)));
            }
            self.written.set(true);
            match sender.try_send_request(request).await {
                Ok(response) => {
                    waiting.answered();
                    self.judge(&response);
                    let pool = self.pool.clone();
                    return Ok(response
                        .map(|body| Passed::new(body, sender, pool, self.backend.clone(), self.service)));
                }
                Err(mut failed) => {
                    let Some(back) = failed.take_message() else {
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

    async fn connection(&self) -> Result<(Sender, bool), ConnectError> {
        match self.pool.take(self.backend, self.fresh) {
            Some(sender) => Ok((sender, true)),
            None => open(self.backend).await.map(|sender| (sender, false)),
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

const fn signal_of(error: &ConnectError) -> Signal {
    match error {
        ConnectError::Refused => Signal::ConnectRefused,
        ConnectError::Timeout(_) => Signal::ConnectTimeout,
        ConnectError::Local(_)
        | ConnectError::Resolve { .. }
        | ConnectError::Unreachable(_)
        | ConnectError::Tls(_) => Signal::ConnectFailed,
    }
}
