//! Responses as IIS and the services behind it send them.

use std::io;

use ::http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json, ser::Formatter};

/// A response without body and without headers.
fn bare(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
}

/// JSON with blanks and the headers of the configuration API (sheet 3.1).
pub fn rest_json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut bytes = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    // A `Value` has string keys and a `Vec` takes every byte, so this cannot fail; an empty body would tell.
    let _ = body.serialize(&mut serializer);
    let mut response = bare(status, bytes);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(header::EXPIRES, HeaderValue::from_static("-1"));
    iis(headers);
    headers.insert("x-aspnet-version", HeaderValue::from_static("4.0.30319"));
    headers.append("x-powered-by", HeaderValue::from_static("ASP.NET"));
    headers.insert("x-frame-options", HeaderValue::from_static("SAMEORIGIN"));
    response
}

/// Compact JSON: clients of the Identity Provider read it with regular expressions (sheet 1.2).
pub fn compact_json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = bare(status, body.to_string().into_bytes());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    iis(headers);
    response
}

/// XML, or whatever else a SOAP service answers.
pub fn xml(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = bare(status, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    iis(headers);
    response
}

/// The error body of the REST services (sheet 3.4).
pub fn rest_error(
    status: StatusCode,
    text: &str,
    property: Option<&str>,
    id: Option<&str>,
) -> Response<Bytes> {
    rest_json(status, &error_body(status, text, property, id))
}

/// The JSON of [`rest_error`].
pub fn error_body(status: StatusCode, text: &str, property: Option<&str>, id: Option<&str>) -> Value {
    let mut detail = json!({ "errorText": text });
    if let Some(property) = property {
        detail["property"] = property.into();
    }
    if let Some(id) = id {
        detail["errorTextId"] = id.into();
    }
    json!({ "error": { "httpCode": status.as_u16(), "details": [detail] } })
}

/// What IIS answers outside of the services (sheet 8.15).
pub fn html_404() -> Response<Bytes> {
    html(
        StatusCode::NOT_FOUND,
        "404 - File or directory not found.",
        "The resource you are looking for might have been removed, had its name changed, or is temporarily unavailable.",
    )
}

/// The 401 of IIS to a request without Windows credentials: two challenges, two lines (sheet 2.3).
pub fn windows_challenge() -> Response<Bytes> {
    challenge([HeaderValue::from_static("Negotiate"), HeaderValue::from_static("NTLM")])
}

/// The same with other challenges.
pub fn challenge(challenges: impl IntoIterator<Item = HeaderValue>) -> Response<Bytes> {
    let mut response = html(
        StatusCode::UNAUTHORIZED,
        "401 - Unauthorized: Access is denied due to invalid credentials.",
        "You do not have permission to view this directory or page using the credentials that you supplied.",
    );
    for challenge in challenges {
        response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// A page in the form that IIS gives its own.
pub fn html(status: StatusCode, title: &str, text: &str) -> Response<Bytes> {
    let heading = if status.is_success() { title } else { "Server Error" };
    let body = format!(
        "<!DOCTYPE html>\r\n<html>\r\n<head><title>{title}</title></head>\r\n\
         <body><div id=\"header\"><h1>{heading}</h1></div>\r\n\
         <div id=\"content\"><div class=\"content-container\"><fieldset>\r\n\
         <h2>{title}</h2>\r\n<h3>{text}</h3>\r\n\
         </fieldset></div></div></body>\r\n</html>\r\n"
    );
    with_type(status, "text/html", body)
}

/// A page for people.
pub fn page(status: StatusCode, html: String) -> Response<Bytes> {
    with_type(status, "text/html; charset=utf-8", html)
}

fn with_type(status: StatusCode, kind: &'static str, body: String) -> Response<Bytes> {
    let mut response = empty(status);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    *response.body_mut() = body.into();
    response
}

/// A response without a body.
pub fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = bare(status, Vec::new());
    iis(response.headers_mut());
    response
}

/// Headers that IIS itself adds to everything.
fn iis(headers: &mut HeaderMap) {
    headers.insert(header::SERVER, HeaderValue::from_static("Microsoft-IIS/10.0"));
    headers.append(HeaderName::from_static("x-powered-by"), HeaderValue::from_static("ASP.NET"));
}

/// Writes `{ "array" : [ 1, 2 ] }` (sheet 3.1).
struct Spaced;

impl Formatter for Spaced {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" ]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" }")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        writer.write_all(if first { b" " } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b" : ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_spaced_and_the_rest_compact() {
        let body = json!({ "array": [], "data": { "a": [1, "x"] } });
        let rest = rest_json(StatusCode::OK, &body);
        assert_eq!(rest.body().as_ref(), br#"{ "array" : [ ], "data" : { "a" : [ 1, "x" ] } }"#);
        assert_eq!(rest.headers().get_all("x-powered-by").iter().count(), 2);
        assert_eq!(
            compact_json(StatusCode::OK, &body).body().as_ref(),
            br#"{"array":[],"data":{"a":[1,"x"]}}"#
        );
    }

    #[test]
    fn challenge_has_two_lines() {
        assert_eq!(windows_challenge().headers().get_all("www-authenticate").iter().count(), 2);
    }
}
