//! What must hold for any bytes at the places where strangers' bytes are read. Plain functions: the fuzz targets call
//! them with what they invent, `tests/fuzz.rs` with the stored corpus.

use std::sync::{Arc, LazyLock};

use gatekeeper::balance::Picture;
use gatekeeper::clock::Moment;
use gatekeeper::config::types::{InstanceId, SiteId};
use gatekeeper::session::issued::{Hash, Issued};
use gatekeeper::session::reply::TokenReply;
use gatekeeper::session::validate::{LEEWAY, MAX_TOKEN, validate};
use gatekeeper::session::{cookie, form, grant, token};
use gatekeeper::vms::documents::Documents;
use gatekeeper::vms::jwks::{Algorithm, KeySet, MAX_KEYS};
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, HeaderValue, SET_COOKIE};
use serde_json::{Value, json};

#[path = "../tests/support/plain.rs"]
mod plain;
#[path = "../tests/support/signer.rs"]
#[allow(dead_code, reason = "the bodies need a part of it only")]
mod signer;

use signer::Signer;

const SITE: SiteId = SiteId(0);
const ISSUER: &str = "https://a.example/IDP";
const NOW: i64 = 1_900_000_000;

static KEY: LazyLock<Signer> = LazyLock::new(|| Signer::p256("K"));
static PICTURE: LazyLock<Picture> = LazyLock::new(|| {
    let mut picture = Picture::initial(Arc::new(plain::config()), Vec::new(), Moment::default());
    picture.documents = [(ISSUER, KEY.jwks()), ("https://b.example/IDP", Signer::rsa("B").jwks())]
        .map(|(issuer, jwks)| Documents::assemble(openid(issuer), Some(jwks), None, Moment::default()))
        .map(|documents| documents.map(Arc::new))
        .into();
    picture
});

fn openid(issuer: &str) -> Value {
    json!({"issuer": issuer, "token_endpoint": "t", "jwks_uri": format!("{issuer}/keys")})
}

/// Bytes as a bearer token: never good, because nobody can sign with keys that were made a moment ago. The lines of
/// the same bytes as header and claims of a token that is signed: good only if all that matters is right.
pub fn token(data: &[u8]) {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(&[b"Bearer ", data].concat()) {
        headers.insert(AUTHORIZATION, value);
        token::credential(&headers);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(validate(&PICTURE, SITE, text, NOW).is_err());
        token::home(&PICTURE, SITE, text);
    }
    let (header, claims) =
        data.iter().position(|b| *b == b'\n').map_or((data, &[][..]), |at| (&data[..at], &data[at + 1..]));
    let sealed = KEY.seal("ES256", header, claims);
    let Ok((accepted, keys)) = validate(&PICTURE, SITE, &sealed, NOW) else { return };
    assert!(sealed.len() <= MAX_TOKEN);
    assert_eq!(accepted.home, InstanceId(0));
    assert!(keys.is_some());
    let said = accepted.claims.unwrap();
    // Another reader of the same bytes agrees.
    let header: Value = serde_json::from_slice(header).unwrap();
    let claims: Value = serde_json::from_slice(claims).unwrap();
    if header.is_object() && claims.is_object() {
        assert_eq!((header["alg"].as_str(), header["kid"].as_str()), (Some("ES256"), Some("K")));
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["exp"].as_i64(), Some(said.expires));
        assert!(said.expires.saturating_add(LEEWAY) > NOW);
        assert!(claims["nbf"].as_i64().is_none_or(|nbf| nbf <= NOW + LEEWAY));
        let ours = |aud: &Value| aud == "managementserver" || *aud == format!("{ISSUER}/resources");
        assert!(ours(&claims["aud"]) || claims["aud"].as_array().is_some_and(|all| all.iter().any(ours)));
        assert_eq!(claims["name"].as_str(), said.name.as_deref());
        assert_eq!(claims["sub"].as_str(), said.subject.as_deref());
    }
}

/// Bytes as a key set.
pub fn jwks(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Value>(data) else { return };
    let set = KeySet::parse(&document);
    assert_eq!(set, KeySet::parse(&document));
    assert!(!set.is_empty() || !set.skipped().is_empty() || document["keys"] == json!([]));
    let ids = document["keys"].as_array().into_iter().flatten().filter_map(|key| key["kid"].as_str());
    for key in ids.take(MAX_KEYS).filter_map(|id| set.find(id)) {
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256] {
            for length in [0, 64, 256] {
                assert!(key.check(algorithm, b"message", &vec![0; length]).is_err());
            }
        }
    }
    let documents = |jwks| Documents::assemble(openid(ISSUER), jwks, None, Moment::default()).unwrap();
    let read = documents(Some(document));
    assert_eq!(documents(None).or_from(&read).keys, read.keys);
}

/// Bytes as the form of a token request, and as the whole of a discovery document.
pub fn token_request(data: &[u8]) {
    grant::read(data);
    for name in ["grant_type", "username", "password", "refresh_token", "code", ""] {
        if form::field(data, name).is_none() {
            assert_eq!(*form::with(data, name, "new"), *data, "other bytes stay as they are");
        }
    }
    let renewed = form::with(data, "refresh_token", "n+%w");
    if form::field(data, "refresh_token").is_some() {
        assert_eq!(form::field(&renewed, "refresh_token").as_deref().map(Vec::as_slice), Some(&b"n+%w"[..]));
    }
    assert_eq!(grant::read(&form::with(data, "password", "p")), grant::read(data));
    if let Ok(text) = std::str::from_utf8(data) {
        grant::code(text);
    }
    if let Ok(openid) = serde_json::from_slice::<Value>(data) {
        Documents::jwks_path(&openid);
        Documents::assemble(openid, None, None, Moment::default());
    }
}

/// Bytes as the answer to a token request.
pub fn token_answer(data: &[u8]) {
    let Some(reply) = TokenReply::read(data) else { return };
    let now = Moment::default();
    reply.name();
    reply.refresh_fingerprint();
    assert!(reply.expires(now) >= now);
    reply.fingerprint();
    reply.into_tokens(now);
}

/// Bytes as the `Cookie` header of a request and the `Set-Cookie` of an answer.
pub fn cookies(data: &[u8]) {
    let (issued, now) = (Issued::default(), Moment::default());
    let lines = || data.split(|b| *b == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let mut request = HeaderMap::new();
    for line in lines() {
        request.append(COOKIE, line);
    }
    cookie::take(&mut request);
    assert!(request.get_all(COOKIE).iter().count() <= 1);
    let parts = |headers: &HeaderMap| {
        let all = headers.get(COOKIE).map_or(&b""[..], HeaderValue::as_bytes);
        let parts = all.split(|b| *b == b';').map(<[u8]>::trim_ascii);
        parts.filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    let ours = format!("{}=", cookie::NAME);
    assert!(parts(&request).iter().all(|part| !part.starts_with(ours.as_bytes())), "ours goes to nobody");

    let mut answer = HeaderMap::new();
    for line in lines() {
        answer.append(SET_COOKIE, line);
    }
    cookie::learn(&answer, &issued, 1, now);
    cookie::keep_own(&mut request, &issued, 2, now);
    for part in parts(&request) {
        assert!(issued.find(Hash::of(&part), now).is_none_or(|key| key != 1), "a cookie of another instance");
    }
    cookie::bind(&mut answer, "v", true);
    let widened = |value: &HeaderValue| {
        let mut attributes = value.as_bytes().split(|b| *b == b';');
        attributes.any(|a| a.trim_ascii().to_ascii_lowercase().starts_with(b"domain="))
    };
    assert!(!answer.get_all(SET_COOKIE).iter().any(widened), "a cookie for other hosts than ours");
}
