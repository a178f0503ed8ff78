//! Step 7 of the stack: requests to the identity provider that carry a secret in a form. They are
//! read whole, because the secret says where they belong, and kept until the answer is here.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, COOKIE, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Uri};
use zeroize::Zeroizing;

use crate::http::body::RequestBody;
use crate::route::normalise::segments;
use crate::session::form;
use crate::session::grant::{self, Grant};
use crate::session::issued::Hash;
use crate::session::refused::Question;
use crate::session::throttle::Claim;
use crate::session::token::{self, Credential};

/// What the form asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A token (fact sheet 2.1).
    Token(Grant),
    /// The end of a login (RFC 7009). The token in the form is hashed.
    Revocation(Hash),
}

/// Such a request, repeatable in the name of the same user.
pub(super) struct Asked {
    pub(super) purpose: Purpose,
    uri: Uri,
    headers: HeaderMap,
    form: Bytes,
}

impl Asked {
    /// `form` is the body of the request with this head.
    pub(super) fn new(head: &Parts, form: Bytes, revokes: bool) -> Self {
        // Wiped with its last user.
        let form = Bytes::from_owner(Zeroizing::new(Vec::from(form)));
        let purpose = if revokes {
            Purpose::Revocation(Hash::of(&form::field(&form, "token").unwrap_or_default()))
        } else {
            Purpose::Token(grant::read(&form))
        };
        let mut headers = head.headers.clone();
        headers.remove(COOKIE);
        if token::credential(&headers) != Credential::Other {
            // Only a client's own secret (HTTP Basic) is worth something to more than one instance.
            headers.remove(AUTHORIZATION);
        }
        Self { purpose, uri: head.uri.clone(), headers, form }
    }

    /// The grant, if it asks for a token.
    pub(super) const fn grant(&self) -> Option<Grant> {
        match self.purpose {
            Purpose::Token(grant) => Some(grant),
            Purpose::Revocation(_) => None,
        }
    }

    /// The form itself.
    pub(super) fn form(&self) -> &[u8] {
        &self.form
    }

    /// The body as the client sent it.
    pub(super) fn body(&self) -> RequestBody {
        RequestBody::full(self.form.clone())
    }

    /// Whom it is about: user name or client id, which may stand in the header.
    pub(super) fn user(&self) -> Zeroizing<Vec<u8>> {
        let header = || Some(Claim::of_header(&self.headers)?.user()?.as_bytes().to_vec().into());
        self.field("username").or_else(|| self.field("client_id")).or_else(header).unwrap_or_default()
    }

    /// What proves it: the password, or the client's secret in the form or in its header.
    pub(super) fn secret(&self) -> Zeroizing<Vec<u8>> {
        let header = || {
            let value = self.headers.get(AUTHORIZATION)?;
            Some(Zeroizing::new(value.as_bytes().to_vec()))
        };
        self.field("password").or_else(|| self.field("client_secret")).or_else(header).unwrap_or_default()
    }

    /// What one instance of a site can be asked about it.
    pub(super) fn question<T>(&self, site: &str, backend: u64, ask: impl FnOnce(Question<'_>) -> T) -> T {
        let (user, secret) = (self.user(), self.secret());
        ask(Question { site, backend, user: &user, secret: &secret })
    }

    /// A field of the form.
    pub(super) fn field(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        form::field(&self.form, name)
    }

    /// The same request for another instance: cookies stay behind.
    pub(super) fn again(&self) -> Request<RequestBody> {
        self.request(self.form.clone())
    }

    /// The same request with another value in one field.
    pub(super) fn with(&self, field: &str, value: &str) -> Request<RequestBody> {
        self.request(Bytes::from_owner(form::with(&self.form, field, value)))
    }

    fn request(&self, form: Bytes) -> Request<RequestBody> {
        let length = HeaderValue::from(form.len());
        let mut request = Request::new(RequestBody::full(form));
        *request.method_mut() = Method::POST;
        request.uri_mut().clone_from(&self.uri);
        request.headers_mut().clone_from(&self.headers);
        request.headers_mut().insert(CONTENT_LENGTH, length);
        request
    }
}

/// `/IDP/connect/token`, also below `/API` (fact sheet 2.1).
pub(super) fn is_token_request(method: &Method, path: &str) -> bool {
    is_post_to(method, path, "token")
}

/// `/IDP/connect/revocation`.
pub(super) fn is_revocation(method: &Method, path: &str) -> bool {
    is_post_to(method, path, "revocation")
}

fn is_post_to(method: &Method, path: &str, name: &str) -> bool {
    *method == Method::POST && {
        let mut parts: Vec<_> = segments(path).collect();
        let (last, before) = (parts.pop(), parts.pop());
        last.is_some_and(|s| s.eq_ignore_ascii_case(name))
            && before.is_some_and(|s| s.eq_ignore_ascii_case("connect"))
    }
}

/// Bytes. A token request is a user name, a password, or a code.
pub(super) const LARGEST_FORM: usize = 16 * 1024;
