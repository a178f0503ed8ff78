//! What an answer to a probe proves. Pure. The body counts as much as the status: a web server
//! whose applications are gone still says 200 to something.

use http::StatusCode;
use http::header::{ALLOW, WWW_AUTHENTICATE};
use serde_json::Value;

use crate::health::cause::Cause;
use crate::health::state::Outcome;
use crate::vms::client::Answer;

/// An openid-configuration (sheet 1.2): 200 and JSON with a token endpoint.
pub fn openid(answer: &Answer) -> Outcome {
    document(answer, "token_endpoint")
}

/// The gateway's own document (sheet 1.1): 200 and JSON with a version.
pub fn uris(answer: &Answer) -> Outcome {
    document(answer, "ProductVersion")
}

/// A REST resource asked without a token (sheet 3.4): the service behind the gateway says 401 in
/// its own shape; a collection is fine too.
pub fn rest(answer: &Answer) -> Outcome {
    match answer.status {
        StatusCode::UNAUTHORIZED if challenged(answer) => Outcome::Passed,
        StatusCode::OK => match answer.json() {
            Some(Value::Array(_)) => Outcome::Passed,
            Some(Value::Object(o)) if o.contains_key("array") || o.contains_key("data") => Outcome::Passed,
            _ => Outcome::Failed(Cause::WrongBody),
        },
        StatusCode::NOT_FOUND => Outcome::Absent,
        status if status.is_client_error() => match is_rest_error(answer) {
            true => Outcome::Passed,
            false => Outcome::Failed(Cause::WrongBody),
        },
        status => Outcome::Failed(Cause::Status(status.as_u16())),
    }
}

/// As [`rest`], for a resource that every supported version has: a 404 that does not come from
/// the service itself means that the web server has lost it.
pub fn rest_always_there(answer: &Answer) -> Outcome {
    match rest(answer) {
        Outcome::Absent if !is_rest_error(answer) => Outcome::Failed(Cause::Status(404)),
        other => other,
    }
}

/// The signalling resource (sheet 6.1) knows POST; any JSON that is not 404 shows that it lives.
pub fn webrtc(answer: &Answer) -> Outcome {
    let lives = answer.json().is_some() || challenged(answer) || answer.headers.contains_key(ALLOW);
    match answer.status {
        StatusCode::NOT_FOUND => Outcome::Absent,
        status if status.is_success() || status.is_client_error() => match lives {
            true => Outcome::Passed,
            false => Outcome::Failed(Cause::WrongBody),
        },
        status => Outcome::Failed(Cause::Status(status.as_u16())),
    }
}

/// The service's help page, a demand for credentials, or a SOAP fault.
pub fn soap(answer: &Answer) -> Outcome {
    let says = |words: &[&str]| {
        let body = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
        words.iter().any(|w| body.contains(w))
    };
    match answer.status {
        StatusCode::UNAUTHORIZED => Outcome::Passed,
        StatusCode::NOT_FOUND => Outcome::Absent,
        StatusCode::OK => match says(&["servercommandservice", "wsdl", "svcutil", "envelope"]) {
            true => Outcome::Passed,
            false => Outcome::Failed(Cause::WrongBody),
        },
        StatusCode::INTERNAL_SERVER_ERROR if says(&["envelope"]) => Outcome::Passed,
        status => Outcome::Failed(Cause::Status(status.as_u16())),
    }
}

/// Profile `http`: 2xx, and what says that it is JSON can be read. What else the page has to be is
/// learnt ([`super::habit`]).
pub fn http(answer: &Answer) -> Outcome {
    match answer.status {
        status if status.is_success() && !answer.body.is_empty() && is_json(answer) => {
            // Builds nothing; the client has bounded the body.
            match serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body) {
                Ok(_) => Outcome::Passed,
                Err(_) => Outcome::Failed(Cause::BrokenJson),
            }
        }
        status if status.is_success() => Outcome::Passed,
        status => Outcome::Failed(Cause::Status(status.as_u16())),
    }
}

fn document(answer: &Answer, member: &str) -> Outcome {
    match answer.status {
        StatusCode::OK => {
            let found = answer.json().and_then(|j| j.get(member)?.as_str().map(|s| !s.is_empty()));
            if found == Some(true) { Outcome::Passed } else { Outcome::Failed(Cause::WrongBody) }
        }
        // Windows authentication switched on for the path is a setting, not a fault (sheet 2.9).
        StatusCode::UNAUTHORIZED if challenged(answer) => Outcome::Passed,
        // Without these documents nothing works, and every supported version has them. Only an
        // application that says so in JSON is believed.
        StatusCode::NOT_FOUND if answer.json().is_some() => Outcome::Absent,
        status => Outcome::Failed(Cause::Status(status.as_u16())),
    }
}

fn is_json(answer: &Answer) -> bool {
    let media = super::habit::media_type(answer).to_ascii_lowercase();
    media == "application/json" || media.ends_with("+json")
}

/// An error in the shape of the REST API, with or without the outer key (sheet 3.4).
fn is_rest_error(answer: &Answer) -> bool {
    matches!(answer.json(), Some(Value::Object(o)) if o.contains_key("error") || o.contains_key("httpCode"))
}

/// A 401 that tells how to authenticate, or says no in the API's shape.
fn challenged(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED
        && (answer.headers.contains_key(WWW_AUTHENTICATE) || is_rest_error(answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, HeaderName, HeaderValue};

    const PAGE: &str = "<html><h2>Internet Information Services</h2></html>";
    const DENIED: &str = r#"{"error":{"httpCode":401,"details":[{"errorText":"no token"}]}}"#;

    fn answer(status: u16, body: &'static str) -> Answer {
        let status = StatusCode::from_u16(status).unwrap_or_default();
        Answer { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) }
    }

    fn with(mut answer: Answer, name: HeaderName, value: &'static str) -> Answer {
        answer.headers.insert(name, HeaderValue::from_static(value));
        answer
    }

    fn failed(outcome: Outcome) -> bool {
        matches!(outcome, Outcome::Failed(_))
    }

    #[test]
    fn documents_need_their_content() {
        assert_eq!(
            openid(&answer(200, r#"{"token_endpoint":"https://a/IDP/connect/token"}"#)),
            Outcome::Passed
        );
        assert_eq!(openid(&answer(200, PAGE)), Outcome::Failed(Cause::WrongBody));
        assert_eq!(openid(&answer(200, "{}")), Outcome::Failed(Cause::WrongBody));
        assert_eq!(
            openid(&answer(200, r#"{"token_endpoint":"https://a/I"#)),
            Outcome::Failed(Cause::WrongBody)
        );
        assert_eq!(openid(&answer(503, PAGE)), Outcome::Failed(Cause::Status(503)));
        assert_eq!(openid(&answer(302, "")), Outcome::Failed(Cause::Status(302)), "redirects prove nothing");
        assert!(failed(openid(&answer(404, PAGE))), "the web server has lost the application");
        assert_eq!(uris(&answer(200, r#"{"ProductVersion":"25.2.1.1"}"#)), Outcome::Passed);
    }

    #[test]
    fn rest_lives_when_it_denies_in_its_own_words() {
        assert_eq!(rest(&answer(401, DENIED)), Outcome::Passed);
        assert_eq!(rest(&answer(403, DENIED)), Outcome::Passed);
        assert_eq!(rest(&answer(200, r#"{"array":[]}"#)), Outcome::Passed);
        assert_eq!(rest(&answer(200, "{}")), Outcome::Failed(Cause::WrongBody));
        assert_eq!(rest(&answer(200, PAGE)), Outcome::Failed(Cause::WrongBody));
        assert_eq!(rest(&answer(401, PAGE)), Outcome::Failed(Cause::WrongBody));
        assert_eq!(rest(&with(answer(401, PAGE), WWW_AUTHENTICATE, "NTLM")), Outcome::Passed);
        assert_eq!(rest(&answer(404, DENIED)), Outcome::Absent);
        assert_eq!(rest(&answer(503, PAGE)), Outcome::Failed(Cause::Status(503)));
        assert_eq!(rest(&answer(500, DENIED)), Outcome::Failed(Cause::Status(500)));
        assert!(failed(rest_always_there(&answer(404, PAGE))));
        assert_eq!(rest_always_there(&answer(404, DENIED)), Outcome::Absent);
    }

    #[test]
    fn webrtc_lives_with_any_json_but_404() {
        assert_eq!(webrtc(&answer(401, DENIED)), Outcome::Passed);
        assert_eq!(webrtc(&answer(400, DENIED)), Outcome::Passed);
        assert_eq!(webrtc(&with(answer(405, ""), ALLOW, "POST")), Outcome::Passed);
        assert_eq!(webrtc(&answer(404, DENIED)), Outcome::Absent);
        assert!(failed(webrtc(&answer(200, PAGE))));
        assert!(failed(webrtc(&answer(503, PAGE))));
    }

    #[test]
    fn soap_lives_with_its_page_a_challenge_or_a_fault() {
        assert_eq!(soap(&answer(200, "<HTML><TITLE>ServerCommandService Service</TITLE>")), Outcome::Passed);
        assert_eq!(soap(&with(answer(401, PAGE), WWW_AUTHENTICATE, "NTLM")), Outcome::Passed);
        assert_eq!(soap(&answer(500, "<s:Envelope><s:Fault/></s:Envelope>")), Outcome::Passed);
        assert_eq!(soap(&answer(404, PAGE)), Outcome::Absent);
        assert!(failed(soap(&answer(200, "{}"))));
        assert!(failed(soap(&answer(200, PAGE))));
        assert!(failed(soap(&answer(500, PAGE))));
        assert!(failed(soap(&answer(503, PAGE))));
    }

    #[test]
    fn http_wants_2xx() {
        assert_eq!(http(&answer(204, "")), Outcome::Passed);
        assert!(failed(http(&answer(404, ""))));
        assert!(failed(http(&answer(302, ""))));
        assert_eq!(http(&answer(200, PAGE)), Outcome::Passed);
    }

    #[test]
    fn what_says_that_it_is_json_has_to_be() {
        for media in ["application/json; charset=utf-8", "Application/Problem+JSON"] {
            let says = |body| http(&with(answer(200, body), ::http::header::CONTENT_TYPE, media));
            assert_eq!(says(r#"{"id":"a","pad":"xxxx"}"#), Outcome::Passed);
            assert_eq!(says(""), Outcome::Passed, "empty is a matter of habit");
            assert_eq!(says(PAGE), Outcome::Failed(Cause::BrokenJson));
            assert_eq!(says(r#"{"id":"a","pa"#), Outcome::Failed(Cause::BrokenJson));
        }
    }
}
