//! Windows authentication as IIS does it (sheet 2.9): the handshake proves who owns a TCP connection, and from then on
//! every request on that connection is that user's. That is exactly what makes a shared connection dangerous.

mod message;
mod proof;

use std::sync::{Arc, Mutex, PoisonError};

use ::http::{HeaderMap, HeaderValue, Request, Response, Version, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use uuid::Uuid;

use super::{Desk, Door};
use crate::{
    http::{challenge, windows_challenge},
    world::{DNS_DOMAIN, DOMAIN},
};
use message::{Authenticate, Message, Server};
use proof::Exchange;

/// What one TCP connection has proven. Every HTTP/1 request carries its connection's as an extension.
#[derive(Clone, Default)]
pub struct Session(Arc<Mutex<State>>);

#[derive(Default)]
enum State {
    #[default]
    Nobody,
    /// The next message has to answer this.
    Challenged(Exchange),
    /// SID of the user.
    User(String),
}

/// Who a request comes from, as far as Windows authentication tells.
pub enum Visitor {
    /// The connection belongs to the user with that SID.
    User(String),
    /// Nobody yet.
    Anonymous,
    /// Nobody ever: over HTTP/2 there is no Windows authentication.
    Http2,
}

/// Extension of a response that the server does not send: it resets the stream with `HTTP_1_1_REQUIRED`, and the
/// client comes back over HTTP/1.1 (sheet 8.27).
#[derive(Clone)]
pub struct Http11Required;

/// The answer to a request that needs Windows authentication over HTTP/2.
pub fn http11_required() -> Response<Bytes> {
    let mut response = windows_challenge();
    response.extensions_mut().insert(Http11Required);
    response
}

/// Takes the next step of a handshake, if the request makes one; through the gateway no handshake gets anywhere.
///
/// # Errors
/// The 401 that it is answered with.
pub fn visitor(
    desk: &Desk<'_>,
    request: &Request<Bytes>,
    door: Door,
) -> Result<Visitor, Box<Response<Bytes>>> {
    let offer = Offer::of(request.headers());
    if door == Door::Gateway {
        return if offer.is_some() { Err(Box::new(windows_challenge())) } else { Ok(Visitor::Anonymous) };
    }
    if request.version() == Version::HTTP_2 {
        return if offer.is_some() { Err(Box::new(http11_required())) } else { Ok(Visitor::Http2) };
    }
    match request.extensions().get::<Session>() {
        Some(session) => session.step(desk, offer),
        None => Ok(Visitor::Anonymous),
    }
}

/// A token of an Authorization header.
struct Offer {
    scheme: &'static str,
    token: Vec<u8>,
}

impl Offer {
    /// `Negotiate` may carry plain NTLM messages; anything else in it (SPNEGO, Kerberos) will be refused.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (given, token) = value.split_once(' ').unwrap_or((value, ""));
        let scheme = ["NTLM", "Negotiate"].into_iter().find(|scheme| scheme.eq_ignore_ascii_case(given))?;
        // What is no base64 is no message.
        Some(Self { scheme, token: BASE64_STANDARD.decode(token.trim()).unwrap_or_default() })
    }
}

impl Session {
    fn step(&self, desk: &Desk<'_>, offer: Option<Offer>) -> Result<Visitor, Box<Response<Bytes>>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *state);
        let Some(Offer { scheme, token }) = offer else {
            // A handshake that is not finished at once leaves no trace.
            let State::User(sid) = before else { return Ok(Visitor::Anonymous) };
            *state = State::User(sid.clone());
            return Ok(Visitor::User(sid));
        };
        match (before, Message::parse(&token)) {
            (_, Some(Message::Negotiate(asked))) => {
                let exchange = desk.challenge(asked, token);
                let text = format!("{scheme} {}", BASE64_STANDARD.encode(&exchange.challenge));
                *state = State::Challenged(exchange);
                // Base64 is always a header value.
                let text = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("NTLM"));
                Err(Box::new(challenge([text])))
            }
            (State::Challenged(exchange), Some(Message::Authenticate(answer))) => {
                let sid = desk.proven(&exchange, &answer).ok_or_else(|| Box::new(windows_challenge()))?;
                *state = State::User(sid.clone());
                Ok(Visitor::User(sid))
            }
            _ => Err(Box::new(windows_challenge())),
        }
    }
}

impl Desk<'_> {
    fn challenge(&self, asked: u32, negotiate: Vec<u8>) -> Exchange {
        let server = Server { domain: DOMAIN, dns_domain: DNS_DOMAIN, dns_computer: self.identity.host() };
        // 62 of these bits are random.
        let nonce = Uuid::new_v4().as_u64_pair().1.to_be_bytes();
        /// Ticks between 1601, when the time of Windows begins, and 1970.
        const FROM_1601: u64 = 116_444_736_000_000_000;
        let time = FROM_1601.saturating_add_signed(self.now.ticks());
        let challenge = message::challenge(asked, nonce, &server, time);
        Exchange { nonce, negotiate, challenge }
    }

    /// SID of the user whose password the answer proves.
    fn proven(&self, exchange: &Exchange, answer: &Authenticate) -> Option<String> {
        let world = self.world.read().unwrap_or_else(PoisonError::into_inner);
        let account = world.accounts.windows(&answer.domain, &answer.user)?;
        proof::holds(exchange, answer, &account.password).then(|| account.sid.clone())
    }
}
