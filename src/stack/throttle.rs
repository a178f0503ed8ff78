//! Login throttling (issue 4): a login that follows on failed ones waits before it is sent, or ends
//! here; what the instance says about it is counted.
//!
//! Short waits are held, because no client has to know about them. A longer one is answered at once,
//! without asking the instance, in the words in which the VMS itself says that somebody tried too
//! often (`error_code` `LockedOut` with status 400, fact sheet 2.3): every client has to know those,
//! shows them to a person and stops. 429 is a status that no VMS has ever sent; it is used where
//! there are no such words (HTTP Basic, NTLM), because a 401 there would say that the password is
//! wrong. `Retry-After` tells the time in both.

use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use serde::Deserialize;
use tokio::time::sleep;

use super::answer::{Content, Served, limit_of};
use super::asked::{Asked, Purpose, is_token_request};
use super::{Job, Stack};
use crate::clock::Moment;
use crate::config::types::Service;
use crate::http::respond::Answer;
use crate::live::Live;
use crate::session::throttle::{Ambiguous, Claim, Decision, Throttle, Verdict, Who};
use crate::upstream::forward::Failure;
use crate::upstream::pinned::{Challenge, challenge};

/// Whether a request may be somebody's login. Such a one is followed to its end, even when the
/// client leaves before: the instance counts a wrong password, whoever waits for the answer.
pub(super) fn may_be_login<B>(service: Service, request: &Request<B>) -> bool {
    match service {
        Service::Http => false,
        Service::Identity if is_token_request(request.method(), request.uri().path()) => true,
        _ => may_hold_password(request.headers()),
    }
}

/// Nearly all requests carry a bearer token or nothing.
fn may_hold_password(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| {
        !value.as_bytes().get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
    })
}

/// A request that an instance will judge.
pub(super) struct Login {
    claim: Claim,
    is_grant: bool,
}

/// The login that a request is; `asked` is its form, if it has one.
///
/// # Errors
/// When the form says twice whose it is.
pub(super) fn login(
    service: Service,
    headers: &HeaderMap,
    asked: Option<&Asked>,
) -> Result<Option<Login>, Answer> {
    if let Some(Asked { purpose: Purpose::Token(_), .. }) = asked {
        let claim = asked.map_or(Ok(None), |asked| Claim::of_form(asked.form(), headers));
        if let Some(claim) = claim.map_err(|Ambiguous| Answer::AMBIGUOUS_LOGIN)? {
            return Ok(Some(Login { claim, is_grant: true }));
        }
    }
    if service == Service::Http || !may_hold_password(headers) {
        return Ok(None);
    }
    // Nowhere else does the VMS take HTTP Basic (fact sheet 2.7).
    let claim = if service == Service::Soap { Claim::of_header(headers) } else { Claim::of_ntlm(headers) };
    Ok(claim.map(|claim| Login { claim, is_grant: asked.is_some() }))
}

/// A login on its way to an instance. Dropped without a verdict, it says nothing about the password.
pub(super) struct Attempt {
    throttle: Arc<Throttle>,
    who: Option<Who>,
    is_grant: bool,
    /// What is known now, if it had to wait.
    pub(super) newest: Option<Arc<Live>>,
}

impl Attempt {
    fn settle(&mut self, verdict: Verdict) {
        if let Some(who) = self.who.take() {
            self.throttle.settle(who, verdict, Moment::now());
        }
    }

    /// Step 10: counts what an instance says about it.
    pub(super) async fn judge(mut self, job: &Job<'_>, mut served: Served) -> Result<Served, Answer> {
        let verdict = match served.response.status() {
            StatusCode::OK if self.is_grant => Verdict::Success,
            StatusCode::BAD_REQUEST if self.is_grant => {
                served = served.read(LARGEST_REFUSAL, limit_of(job)).await?;
                match served.response.body() {
                    Content::Own(body) => refusal(body),
                    Content::Passed(_) | Content::Translated(..) => Verdict::Neither,
                }
            }
            StatusCode::UNAUTHORIZED => match challenge(&served.response) {
                // The handshake goes on.
                Some(Challenge::Awaits) => Verdict::Neither,
                Some(Challenge::Offered) | None => Verdict::Failure,
            },
            _ => Verdict::Neither,
        };
        self.settle(verdict);
        Ok(served)
    }

    /// There was no answer. A client that breaks off its own request does not get a try for it.
    pub(super) fn failed(&mut self, failure: Failure) {
        self.settle(if failure == Failure::Client { Verdict::Failure } else { Verdict::Neither });
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.settle(Verdict::Neither);
    }
}

impl Stack {
    /// Step 7: lets a login pass, after a wait if need be.
    ///
    /// # Errors
    /// When it would have to wait for long, or too many wait.
    pub(super) async fn admit(&self, job: &Job<'_>, login: &Login) -> Result<Attempt, Answer> {
        let site = &job.live.prepared.config.site(job.route.site).name;
        let who = self.throttle.who(site, &login.claim, job.client);
        let began = Moment::now();
        let (mut counted, mut seat) = (false, None);
        loop {
            let now = Moment::now();
            let decision = self.throttle.admit(who, now);
            let (scope, left, in_time) = match decision {
                Decision::Go => {
                    let newest = seat.is_some().then(|| self.live.load_full());
                    let (throttle, is_grant) = (self.throttle.clone(), login.is_grant);
                    let attempt = Attempt { throttle, who: Some(who), is_grant, newest };
                    // Ids of one configuration mean nothing in another.
                    let same = |newest: &Arc<Live>| Arc::ptr_eq(&newest.prepared, &job.live.prepared);
                    let goes = attempt.newest.as_ref().is_none_or(same);
                    return if goes { Ok(attempt) } else { Err(Answer::UNAVAILABLE) };
                }
                Decision::Wait { scope, due } => (scope, due.since(now), due.since(began) <= LONGEST_WAIT),
                Decision::Full(scope) => (scope, RECHECK, now.since(began) < LONGEST_QUEUE),
            };
            if seat.is_none() {
                seat = self.held.take_seat();
            }
            let stays = in_time && seat.is_some() && job.stays.strong_count() > 0;
            // That others are on their way is no throttling, unless it ends here.
            if !counted && (!stays || matches!(decision, Decision::Wait { .. })) {
                job.live.prepared.count_throttled(job.route.site, scope);
                counted = true;
            }
            if !stays {
                // Rounded up: who comes back in time is not sent away again.
                let seconds = u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
                let answer = if login.is_grant { Answer::GRANT_THROTTLED } else { Answer::LOGIN_THROTTLED };
                return Err(Answer { retry_after: Some(seconds), ..answer });
            }
            // A success of the same user may end the wait earlier.
            sleep(left.min(RECHECK)).await;
        }
    }
}

/// What a refused grant says about the password (fact sheet 2.3).
fn refusal(body: &[u8]) -> Verdict {
    #[derive(Deserialize)]
    struct Refusal {
        error: Option<String>,
        error_code: Option<String>,
    }
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else { return Verdict::Neither };
    match (refusal.error_code.as_deref(), refusal.error.as_deref()) {
        (Some("LockedOut"), _) => Verdict::LockedOut,
        // It was right.
        (Some("ChangePassword"), _) => Verdict::Neither,
        // `invalid_client` is the wrong secret of a service; a user's client has none.
        (_, Some("invalid_grant" | "invalid_client")) => Verdict::Failure,
        _ => Verdict::Neither,
    }
}

/// The logins that one core holds.
#[derive(Debug, Default)]
pub struct Held(Rc<()>);

impl Held {
    /// A seat in the waiting room, until it is dropped.
    fn take_seat(&self) -> Option<Seat> {
        (Rc::weak_count(&self.0) < MOST_HELD).then(|| Rc::downgrade(&self.0))
    }
}

type Seat = Weak<()>;

/// Long enough for the second and third try of somebody who mistypes; much shorter than any client's
/// time-out.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// How long a login waits for others to be judged: an instance that is just failing takes seconds.
const LONGEST_QUEUE: Duration = Duration::from_secs(10);
const RECHECK: Duration = Duration::from_millis(20);
/// On one core: some kilobytes each.
const MOST_HELD: usize = 512;
/// Bytes.
const LARGEST_REFUSAL: usize = 64 * 1024;
