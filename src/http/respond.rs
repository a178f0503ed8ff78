//! Answers that the gatekeeper gives itself, in the shape that clients of a VMS parse (design D13).

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde_json::json;

use crate::config::types::Service;

/// Machine-readable: why we answered instead of an instance.
pub const REASON: HeaderName = HeaderName::from_static("gatekeeper-reason");

/// Whose error format a client expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// `{"error":{"httpCode":…,"details":[…]}}` (fact sheet 3.4).
    Rest,
    /// OAuth errors (fact sheet 2.3).
    Identity,
    /// SOAP 1.1 faults (fact sheet 2.8).
    Soap,
    /// Plain text, for profile `http` and requests that belong to no service.
    Plain,
}

impl From<Service> for Voice {
    fn from(service: Service) -> Self {
        match service {
            Service::Identity => Self::Identity,
            Service::Soap => Self::Soap,
            Service::Http => Self::Plain,
            Service::Config | Service::Events | Service::Webrtc => Self::Rest,
        }
    }
}

/// One of our own answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// For the `Gatekeeper-Reason` header; lower case with dashes.
    pub reason: &'static str,
    /// For people.
    pub text: &'static str,
    /// Seconds; sent where waiting helps.
    pub retry_after: Option<u32>,
}

impl Answer {
    const fn new(status: StatusCode, reason: &'static str, text: &'static str) -> Self {
        Self { status, reason, text, retry_after: None }
    }

    const fn retry(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// No instance can serve this service now.
    pub const UNAVAILABLE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "no-instance",
        "No instance can serve this request at the moment.",
    )
    .retry(2);
    /// The host name belongs to no site.
    pub const UNKNOWN_HOST: Self =
        Self::new(StatusCode::MISDIRECTED_REQUEST, "unknown-host", "No site has this host name.");
    /// The path belongs to no service.
    pub const UNKNOWN_PATH: Self =
        Self::new(StatusCode::NOT_FOUND, "unknown-path", "This path is not served here.");
    /// No camera can have this id.
    pub const UNKNOWN_CAMERA: Self = Self::new(StatusCode::NOT_FOUND, "unknown-camera", "Device not found.");
    /// The session's instance is gone; the phrase is what clients look for (fact sheet 2.7).
    pub const SIGN_IN_AGAIN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "sign-in-again",
        "Token validation failed: the token is expired.",
    );
    /// The token is over.
    pub const TOKEN_EXPIRED: Self = Self { reason: "token-expired", ..Self::SIGN_IN_AGAIN };
    /// The instance's clock, or ours, is wrong.
    pub const TOKEN_TOO_EARLY: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "token-too-early",
        "Token validation failed: the token is not valid yet; the clocks of instance and gatekeeper differ.",
    );
    /// Not a token of a VMS, or one that somebody has changed.
    pub const INVALID_TOKEN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "invalid-token",
        "Token validation failed: the token is invalid.",
    );
    /// The token was issued by none of the site's instances.
    pub const FOREIGN_TOKEN: Self = Self::new(
        StatusCode::UNAUTHORIZED,
        "unknown-token",
        "Token validation failed: the token is expired, or was issued elsewhere.",
    );
    /// A code or refresh token that did not pass through us (design D10).
    pub const UNKNOWN_GRANT: Self =
        Self::new(StatusCode::BAD_REQUEST, "unknown-grant", "The code or refresh token is not known here.");
    /// A logout while the instance that has to know is away: it is told when it is back.
    pub const LOGGED_OUT: Self = Self::new(StatusCode::OK, "logged-out", "");
    /// Cut after it was sent: done or not, nobody knows (design D3).
    pub const OUTCOME_UNKNOWN: Self = Self::new(
        StatusCode::BAD_GATEWAY,
        "outcome-unknown",
        "The connection to the instance broke after the request was sent; the outcome is unknown. \
         It was not repeated. Read the object before you try again.",
    );
    /// No answer in time to a request that must not be repeated.
    pub const OUTCOME_UNKNOWN_TIMEOUT: Self = Self::new(
        StatusCode::GATEWAY_TIMEOUT,
        "outcome-unknown",
        "The instance did not answer; the outcome of the request is unknown. \
         It was not repeated. Read the object before you try again.",
    );
    /// No answer in time to a request that could have been repeated.
    pub const TIMEOUT: Self =
        Self::new(StatusCode::GATEWAY_TIMEOUT, "upstream-timeout", "The instance did not answer in time.")
            .retry(2);
    /// The instance broke the connection, or answered something that is not HTTP.
    pub const BAD_GATEWAY: Self =
        Self::new(StatusCode::BAD_GATEWAY, "upstream-broken", "The instance broke off its answer.").retry(2);
    /// The instance agreed to an upgrade that was not asked for, or wrongly.
    pub const BAD_UPGRADE: Self =
        Self::new(StatusCode::BAD_GATEWAY, "bad-upgrade", "The instance did not complete the upgrade.");
    /// An upgrade request that no instance could understand either.
    pub const UPGRADE_REFUSED: Self =
        Self::new(StatusCode::BAD_REQUEST, "bad-upgrade-request", "The upgrade request is not valid.");
    /// A write while a standby serves `config` and `standby_writes = "refuse"` (design D20).
    pub const STANDBY_WRITES: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "standby-writes-refused",
        "The configuration is read-only while a standby instance serves it.",
    )
    .retry(30);
    /// NTLM or Negotiate from a proxy that may carry many clients over one connection.
    pub const SHARED_CONNECTION: Self = Self::new(
        StatusCode::FORBIDDEN,
        "ntlm-through-proxy",
        "NTLM and Negotiate authenticate a connection. The proxy before the gatekeeper may share this one \
         among clients, so they are not served on it.",
    );
    /// A token request larger than any client sends.
    pub const TOO_LARGE: Self =
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The request body is too large.");
    /// A body with a token that two readers could find differently, or that cannot be read.
    pub const UNREADABLE_TOKEN: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "unreadable-token",
        "Bad request: the body may carry a token, and is no plain JSON object with at most one.",
    );
    /// The client's body ended before its announced end.
    pub const BROKEN_BODY: Self =
        Self::new(StatusCode::BAD_REQUEST, "broken-body", "The request body ended early.");

    /// A task or session that only one instance knew (design D10).
    pub const GONE: Self = Self::new(
        StatusCode::NOT_FOUND,
        "gone-with-instance",
        "Unknown resource: the instance that made it is not available.",
    );
    /// A token request that names two users (see [`crate::session::throttle::Ambiguous`]).
    pub const AMBIGUOUS_LOGIN: Self = Self::new(
        StatusCode::BAD_REQUEST,
        "ambiguous-login",
        "grant_type, username and client_id may be given only once.",
    );
    /// A grant that follows on too many failed ones; as an account that is locked out.
    pub const GRANT_THROTTLED: Self =
        Self::new(StatusCode::BAD_REQUEST, "login-throttled", "Too many failed logins; try again later.");
    /// The same with HTTP Basic or NTLM, for which the VMS has no such words.
    pub const LOGIN_THROTTLED: Self = Self { status: StatusCode::TOO_MANY_REQUESTS, ..Self::GRANT_THROTTLED };

    /// The answer in `voice`.
    pub fn response(self, voice: Voice) -> Response<Bytes> {
        let (kind, body) = self.body(voice);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(REASON, HeaderValue::from_static(self.reason));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn body(self, voice: Voice) -> (&'static str, String) {
        let text = self.text;
        if self.status.is_success() {
            return ("text/plain; charset=utf-8", String::new());
        }
        match voice {
            Voice::Rest => (
                "application/json; charset=utf-8",
                json!({"error": {"httpCode": self.status.as_u16(), "details": [{"errorText": text}]}})
                    .to_string(),
            ),
            Voice::Identity => {
                let mut body = json!({"error": "", "error_description": text});
                let error = match self.status {
                    StatusCode::UNAUTHORIZED => "invalid_token",
                    StatusCode::BAD_REQUEST if self == Self::UNKNOWN_GRANT => "invalid_grant",
                    StatusCode::BAD_REQUEST if self.reason == Self::GRANT_THROTTLED.reason => {
                        body["error_code"] = "LockedOut".into();
                        "invalid_grant"
                    }
                    s if s.is_client_error() => "invalid_request",
                    _ => "temporarily_unavailable",
                };
                body["error"] = error.into();
                ("application/json; charset=UTF-8", body.to_string())
            }
            Voice::Soap => ("text/xml; charset=utf-8", fault(text)),
            Voice::Plain => ("text/plain; charset=utf-8", format!("{text}\n")),
        }
    }
}

fn fault(text: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
         <faultcode>s:Server</faultcode><faultstring>{text}</faultstring></s:Fault></s:Body></s:Envelope>"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn each_voice_is_what_its_clients_parse() {
        let rest: serde_json::Value =
            serde_json::from_slice(Answer::SIGN_IN_AGAIN.response(Voice::Rest).body()).unwrap();
        assert_eq!(rest["error"]["httpCode"], 401);
        assert!(rest["error"]["details"][0]["errorText"].as_str().unwrap().contains("token is expired"));
        let grant: serde_json::Value =
            serde_json::from_slice(Answer::UNKNOWN_GRANT.response(Voice::Identity).body()).unwrap();
        assert_eq!(grant["error"], "invalid_grant");
        let throttled = Answer::GRANT_THROTTLED.response(Voice::Identity);
        let throttled: serde_json::Value = serde_json::from_slice(throttled.body()).unwrap();
        assert_eq!(
            (&throttled["error"], &throttled["error_code"]),
            (&"invalid_grant".into(), &"LockedOut".into())
        );
        let soap = Answer::UNAVAILABLE.response(Voice::Soap);
        assert_eq!(soap.headers()[RETRY_AFTER], "2");
        assert!(std::str::from_utf8(soap.body()).unwrap().contains("<faultstring>No instance"));
    }
}
