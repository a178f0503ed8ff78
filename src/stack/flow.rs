//! Browsers in the middle of a login (design D10): a login that was begun at one instance ends
//! there. If it is lost meanwhile, nothing of its state is shown to another one: the browser is led
//! back to the application's own request, with which the login begins anew.

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};

use super::answer::Served;
use super::asked::LARGEST_FORM;
use super::bind::Cookie;
use super::{Denied, Job, Stack};
use crate::config::types::Service;
use crate::http::respond::REASON;
use crate::session::{cookie, flow};
use crate::upstream::forward::Failure;

/// One step of such a login.
pub(super) struct Flow {
    /// The application's request, if it is known.
    query: Option<String>,
}

impl Stack {
    /// Step 7: whether a request is a step of a login at the instance that the cookie names.
    pub(super) fn flow(&self, service: Service, head: &mut Parts, cookie: &Cookie) -> Option<Flow> {
        if service != Service::Identity {
            return None;
        }
        let begun = cookie::take_flow(&mut head.headers).and_then(|sealed| self.signer.open(&sealed));
        let path = head.uri.path();
        if cookie.instance.is_none() || head.headers.contains_key(AUTHORIZATION) || !flow::is_page(path) {
            return None;
        }
        let query = head.uri.query().unwrap_or_default();
        let own = flow::request_of_page(path, query).map(|query| query.into_owned());
        let is_step = own.is_some() || flow::is_answer(query);
        let is_step = match head.method {
            Method::GET => is_step && has(&head.headers, &ACCEPT, "text/html"),
            Method::POST => has(&head.headers, &CONTENT_TYPE, FORM),
            _ => false,
        };
        is_step.then(|| Flow { query: own.or(begun) })
    }

    /// Step 7: the cookie that remembers an application's request.
    pub(super) fn flow_cookie(&self, service: Service, head: &Parts) -> Option<String> {
        let begins =
            service == Service::Identity && head.method == Method::GET && flow::begins(head.uri.path());
        let query = head.uri.query().filter(|query| begins && query.len() <= LONGEST_QUERY)?;
        Some(self.signer.seal(query))
    }
}

impl Flow {
    /// Whether the form that it sends says more.
    pub(super) fn has_form(&self, head: &Parts) -> bool {
        let length = head.headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
        head.method == Method::POST && length.is_some_and(|length| length <= LARGEST_FORM)
    }

    /// Reads it.
    pub(super) fn read(&mut self, form: &[u8]) {
        if let Some(query) = flow::request_of_form(form) {
            self.query = Some(query);
        }
    }

    /// Whether the step was lost, so that it can only begin anew. `elsewhere`: another instance
    /// takes logins.
    pub(super) fn is_lost(failure: Failure, elsewhere: bool) -> bool {
        match failure {
            Failure::Down | Failure::Unreachable => elsewhere,
            // It has logged in or not: nobody has seen the answer, and nothing is lost by asking.
            Failure::OutcomeUnknown | Failure::OutcomeUnknownTimeout => true,
            Failure::Broken | Failure::TimedOut | Failure::Client => false,
        }
    }

    /// What the browser gets.
    fn restart(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let address = self.query.as_deref().map(|query| format!("{AUTHORIZE}?{query}"));
        match address.and_then(|address| HeaderValue::try_from(address).ok()) {
            Some(address) => {
                *response.status_mut() = StatusCode::SEE_OTHER;
                response.headers_mut().insert(LOCATION, address);
            }
            None => {
                *response.status_mut() = StatusCode::GONE;
                *response.body_mut() = Bytes::from_static(PAGE.as_bytes());
                let html = HeaderValue::from_static("text/html; charset=utf-8");
                response.headers_mut().insert(CONTENT_TYPE, html);
            }
        }
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(REASON, HeaderValue::from_static("login-begins-anew"));
        response
    }
}

/// Leads a browser back to where its login began.
pub(super) fn restart(flow: Option<Flow>) -> Denied {
    let flow = flow.unwrap_or(Flow { query: None });
    Denied::Restart(Box::new(flow.restart()))
}

/// Step 10: the browser remembers how its login began, and where, also when the instance has set no
/// cookie of its own: its next page belongs to that one.
pub(super) fn remember(job: &Job<'_>, cookie: &Cookie, served: &mut Served, begun: &str) {
    let affinity = job.live.prepared.cookie(job.route.site, served.instance);
    let headers = served.response.headers_mut();
    if let Some(affinity) = affinity {
        cookie::set(headers, &cookie::value(affinity, cookie.login()), job.route.secure);
    }
    cookie::set_flow(headers, begun, job.route.secure);
}

fn has(headers: &HeaderMap, name: &http::HeaderName, kind: &str) -> bool {
    headers.get(name).and_then(|v| v.to_str().ok()).is_some_and(|v| v.to_ascii_lowercase().contains(kind))
}

const AUTHORIZE: &str = "/IDP/connect/authorize";
const FORM: &str = "application/x-www-form-urlencoded";
/// Bytes; browsers keep cookies of up to 4 KiB.
const LONGEST_QUERY: usize = 2500;
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Sign in again</title></head><body>\n\
    <p>The server at which you were signing in is no longer available; another one has taken over.</p>\n\
    <p>Please go back to your application and sign in again. <a href=\"/\">Start page</a></p>\n</body></html>\n";
