//! The two pages that a person sees.

use ::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;

use crate::http::page;

/// The login form. It sends itself back to where it came from.
pub fn login(return_url: &str, token: &str, complaint: &str) -> Response<Bytes> {
    let (return_url, complaint) = (escaped(return_url), escaped(complaint));
    fresh(page(
        StatusCode::OK,
        format!(
            "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body>\n<p>{complaint}</p>\n\
             <form method=\"post\" action=\"/IDP/Account/Login\">\n\
             <input type=\"hidden\" name=\"ReturnUrl\" value=\"{return_url}\">\n\
             <input type=\"hidden\" name=\"__RequestVerificationToken\" value=\"{token}\">\n\
             <label>User name <input name=\"Username\"></label>\n\
             <label>Password <input name=\"Password\" type=\"password\"></label>\n\
             <button>Log in</button>\n</form>\n</body></html>\n"
        ),
    ))
}

/// A message.
pub fn message(status: StatusCode, text: &str) -> Response<Bytes> {
    let text = escaped(text);
    let html =
        format!("<!DOCTYPE html>\n<html><head><title>{text}</title></head><body>{text}</body></html>\n");
    fresh(page(status, html))
}

/// What belongs to one visit is in no cache and in no frame.
fn fresh(mut response: Response<Bytes>) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
