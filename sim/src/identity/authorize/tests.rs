#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use jsonwebtoken::{DecodingKey, Validation, decode, jwk::JwkSet};
use serde_json::{Value, json};

use super::*;
use crate::{
    api::Api,
    testing::{Client, Reply, api, ask, grant, send, shared},
};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:5656/cb";
const ORIGIN: &str = "http://127.0.0.1:8080";

/// A query; a field given twice replaces the default, an empty one takes it away.
fn query(changes: &[(&str, &str)]) -> String {
    let defaults = [
        ("response_type", "code"),
        ("client_id", "VmsClient"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile managementserver offline_access"),
        ("state", "s&1"),
        ("nonce", "n1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let changed = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let fields = defaults.iter().filter(|(name, _)| !changed(name)).chain(changes);
    let fields = fields.filter(|(_, value)| !value.is_empty());
    fields
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)))
        .collect::<Vec<_>>()
        .join("&")
}

/// A browser: it keeps cookies.
struct Person {
    api: Arc<Api>,
    cookies: Vec<(String, String)>,
}

impl Person {
    fn new(api: &Arc<Api>) -> Self {
        Self { api: Arc::clone(api), cookies: Vec::new() }
    }

    fn visit(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let reply = ask(&self.api, method, path, &[("cookie", &cookies.join("; "))], body);
        for line in reply.headers.get_all("set-cookie") {
            let line = line.to_str().unwrap();
            assert!(line.contains("; Path=/IDP; HttpOnly"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(other, _)| other != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        reply
    }

    /// Asks for a code and gets the login form; gives its hidden fields and what is to be sent.
    fn form(&mut self, query: &str) -> String {
        let first = self.visit("GET", &format!("/IDP/connect/authorize?{query}"), "");
        let target = location(&first);
        assert!(target.starts_with("/IDP/Account/Login?ReturnUrl=%2FIDP%2Fconnect"), "{target}");
        let page = self.visit("GET", &target, "");
        assert_eq!(page.status, 200);
        let value = |name: &str| {
            let (_, rest) = page.text.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
            rest.split_once('"').unwrap().0.replace("&amp;", "&")
        };
        let [target, token] = ["ReturnUrl", "__RequestVerificationToken"].map(value);
        format!("ReturnUrl={}&__RequestVerificationToken={token}", utf8_percent_encode(&target, ESCAPED))
    }

    fn log_in(&mut self, form: &str, user: &str, password: &str) -> Reply {
        self.visit("POST", "/IDP/Account/Login", &format!("{form}&Username={user}&Password={password}"))
    }

    /// The whole way to a code.
    fn code(&mut self, query: &str) -> String {
        let form = self.form(query);
        let reply = self.log_in(&form, "user1", "user1-password");
        let last = self.visit("GET", &location(&reply), "");
        code_of(&last)
    }
}

/// Where a redirect leads; without our own origin.
fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 302, "{}", reply.text);
    let location = reply.headers["location"].to_str().unwrap();
    location.strip_prefix(ORIGIN).unwrap_or(location).to_owned()
}

fn code_of(reply: &Reply) -> String {
    let location = location(reply);
    let rest = location.strip_prefix(&format!("{REDIRECT}?code=")).unwrap();
    rest.strip_suffix("&state=s%261").unwrap().to_owned()
}

fn redemption(code: &str, changes: &[(&str, &str)]) -> String {
    let defaults = [
        ("grant_type", "authorization_code"),
        ("client_id", "VmsClient"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let changed = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let fields = defaults.iter().filter(|(name, _)| !changed(name)).chain(changes);
    fields.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[test]
fn a_user_logs_in_and_the_client_gets_three_tokens() {
    let api = api(|_| {});
    let mut person = Person::new(&api);
    let code = person.code(&query(&[]));
    let reply = grant(&api, &redemption(&code, &[]));
    assert!(reply.headers["cache-control"].to_str().unwrap().contains("no-store"));
    let body = reply.expect(200);
    assert_eq!(body["scope"], "openid profile managementserver offline_access");
    let access = body["access_token"].as_str().unwrap();
    assert_eq!(api.authenticate(access).unwrap().user, "user1");
    let user =
        ask(&api, "GET", "/IDP/connect/userinfo", &[("authorization", &format!("Bearer {access}"))], "");
    let user = user.expect(200);
    assert_eq!(user["name"], "user1");

    let keys = send(&api, "GET", "/IDP/.well-known/openid-configuration/jwks", None, "").expect(200);
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&["VmsClient"]);
    validation.set_issuer(&["https://a.vms.example/IDP"]);
    let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
    let id = decode::<Value>(body["id_token"].as_str().unwrap(), &key, &validation).unwrap().claims;
    assert_eq!((&id["nonce"], &id["sub"]), (&json!("n1"), &user["sub"]));
    assert!(id["at_hash"].is_string() && id["auth_time"].is_i64());
    assert_eq!(api.authenticate(body["id_token"].as_str().unwrap()), Err(crate::api::AuthError::Invalid));

    let refresh = format!(
        "grant_type=refresh_token&client_id=VmsClient&refresh_token={}",
        body["refresh_token"].as_str().unwrap()
    );
    let again = grant(&api, &refresh).expect(200);
    let id = decode::<Value>(again["id_token"].as_str().unwrap(), &key, &validation).unwrap().claims;
    assert!(id.get("nonce").is_none(), "only the first id token answers the request");
    assert_eq!(again["scope"], body["scope"]);
}

#[test]
fn a_browser_logs_in_once() {
    let api = api(|_| {});
    let mut person = Person::new(&api);
    person.code(&query(&[]));
    let path = |changes: &[(&str, &str)]| format!("/IDP/connect/authorize?{}", query(changes));
    let code = code_of(&person.visit("GET", &path(&[("client_id", "VmsAdminClient")]), ""));
    let body = grant(&api, &redemption(&code, &[("client_id", "VmsAdminClient")])).expect(200);
    assert!(body.get("refresh_token").is_none() && body["id_token"].is_string(), "{body}");
    let asked = person.visit("GET", &path(&[("prompt", "login")]), "");
    assert!(location(&asked).starts_with("/IDP/Account/Login?"));
    code_of(&person.visit("GET", &path(&[("prompt", "none")]), ""));
    let posted = person.visit("POST", "/IDP/connect/authorize", &query(&[]));
    code_of(&posted);

    let left = person.visit("GET", "/IDP/connect/endsession", "");
    assert!(left.text.contains("logged out"));
    let silent = person.visit("GET", &path(&[("prompt", "none")]), "");
    assert_eq!(location(&silent), format!("{REDIRECT}?error=login_required&state=s%261"));
}

#[test]
fn what_a_client_asks_wrongly_it_is_told() {
    let api = shared();
    let refused = |changes: &[(&str, &str)]| {
        let target =
            location(&send(&api, "GET", &format!("/IDP/connect/authorize?{}", query(changes)), None, ""));
        let rest = target.strip_prefix(&format!("{REDIRECT}?error=")).unwrap();
        rest.strip_suffix("&state=s%261").unwrap().to_owned()
    };
    assert_eq!(refused(&[("response_type", "token")]), "unsupported_response_type");
    assert_eq!(refused(&[("response_type", "")]), "invalid_request");
    assert_eq!(refused(&[("response_mode", "fragment")]), "invalid_request");
    assert_eq!(refused(&[("code_challenge", "")]), "invalid_request");
    assert_eq!(refused(&[("code_challenge", "short")]), "invalid_request");
    assert_eq!(refused(&[("code_challenge_method", "")]), "invalid_request");
    assert_eq!(refused(&[("code_challenge_method", "plain")]), "invalid_request");
    assert_eq!(refused(&[("scope", "openid everything")]), "invalid_scope");
    assert_eq!(refused(&[("prompt", "none")]), "login_required");
    let twice = format!("/IDP/connect/authorize?{}&nonce=n2", query(&[]));
    assert!(location(&send(&api, "GET", &twice, None, "")).contains("error=invalid_request"));
}

#[test]
fn nobody_is_sent_to_a_stranger() {
    let api = shared();
    for changes in [
        ("client_id", "Unknown"),
        ("client_id", "GrantValidatorClient"),
        ("client_id", ""),
        ("redirect_uri", ""),
        ("redirect_uri", "https://elsewhere.example/"),
        ("redirect_uri", "http://127.0.0.1:1/#x"),
    ] {
        let reply = send(&api, "GET", &format!("/IDP/connect/authorize?{}", query(&[changes])), None, "");
        assert_eq!((reply.status.as_u16(), reply.headers.get("location")), (400, None), "{changes:?}");
    }
    let mut person = Person::new(&api);
    let form = person.form(&query(&[]));
    for target in ["", "https://elsewhere.example/", "//elsewhere.example", "/IDP/connect/authorize/callback"]
    {
        let path = format!("/IDP/Account/Login?ReturnUrl={}", utf8_percent_encode(target, ESCAPED));
        assert_eq!(person.visit("GET", &path, "").status, 400, "{target}");
        let (_, token) = form.split_once('&').unwrap();
        let body = format!("ReturnUrl={}&{token}", utf8_percent_encode(target, ESCAPED));
        assert_eq!(person.log_in(&body, "user1", "user1-password").status, 400, "{target}");
    }
    // The page shows what it was given as text.
    let odd = "/IDP/Account/Login?ReturnUrl=%2FIDP%2Fconnect%2Fauthorize%2Fcallback%3F%22%3E%3Cscript%3E";
    assert!(!person.visit("GET", odd, "").text.contains("<script"));
    // A line break in it ends in an error, not in a header.
    let broken = "%2FIDP%2Fconnect%2Fauthorize%2Fcallback%3F%0d%0aX%3A1";
    let (_, token) = form.split_once('&').unwrap();
    let reply = person.log_in(&format!("ReturnUrl={broken}&{token}"), "user1", "user1-password");
    assert_eq!((reply.status.as_u16(), reply.headers.get("x")), (400, None));
}

#[test]
fn a_form_needs_the_cookie_that_came_with_it() {
    let api = api(|_| {});
    let (mut person, mut stranger) = (Person::new(&api), Person::new(&api));
    let form = person.form(&query(&[]));
    assert_eq!(stranger.log_in(&form, "user1", "user1-password").status, 400, "no cookie");
    stranger.form(&query(&[]));
    assert_eq!(stranger.log_in(&form, "user1", "user1-password").status, 400, "another cookie");
    let second = person.form(&query(&[]));
    assert_eq!(person.log_in(&form, "user1", "user1-password").status, 302);
    assert_eq!(person.log_in(&second, "user1", "user1-password").status, 302, "two windows");
}

#[test]
fn wrong_passwords_in_the_form_count() {
    let api = api(|settings| settings.switches.set("lockout-threshold=3").unwrap());
    let mut person = Person::new(&api);
    let form = person.form(&query(&[]));
    for text in ["Wrong user name", "Wrong user name", "locked out"] {
        let reply = person.log_in(&form, "user1", "x");
        assert_eq!(reply.status, 200);
        assert!(reply.text.contains(text), "{}", reply.text);
    }
    assert!(person.log_in(&form, "user1", "user1-password").text.contains("locked out"));
    let password = "grant_type=password&client_id=VmsClient&username=user1&password=user1-password";
    assert_eq!(grant(&api, password).expect(400)["error_code"], "LockedOut");
}

#[test]
fn a_code_is_bound_and_works_once() {
    let api = api(|_| {});
    let mut person = Person::new(&api);
    let other = CHALLENGE;
    for (changes, error) in [
        (("client_id", "VmsWebClient"), "invalid_grant"),
        (("redirect_uri", "http://127.0.0.1:5657/cb"), "invalid_grant"),
        (("code_verifier", other), "invalid_grant"),
        (("code", "unknown"), "invalid_grant"),
        (("client_id", "GrantValidatorClient"), "invalid_client"),
        (("code_verifier", ""), "invalid_request"),
        (("redirect_uri", ""), "invalid_request"),
        (("code", ""), "invalid_request"),
    ] {
        person.cookies.clear();
        let code = person.code(&query(&[]));
        assert_eq!(grant(&api, &redemption(&code, &[changes])).expect(400)["error"], error, "{changes:?}");
    }
    person.cookies.clear();
    let code = person.code(&query(&[]));
    grant(&api, &redemption(&code, &[])).expect(200);
    assert_eq!(grant(&api, &redemption(&code, &[])).expect(400)["error"], "invalid_grant");
    person.cookies.clear();
    let code = person.code(&query(&[]));
    api.set_clock_offset(300);
    assert_eq!(grant(&api, &redemption(&code, &[])).expect(400)["error"], "invalid_grant");
}

#[test]
fn a_user_who_was_locked_out_meanwhile_gets_nothing() {
    let admin = Client::new(api(|_| {}), "admin");
    let code = Person::new(&admin.api).code(&query(&[]));
    let id = admin.id_of("basicUsers", "user1");
    let status = json!({ "status": "LockedOutByAdmin" });
    admin.call("PATCH", &format!("basicUsers/{id}"), &status).expect(200);
    assert_eq!(grant(&admin.api, &redemption(&code, &[])).expect(400)["error_code"], "LockedOut");
}

#[test]
fn scopes_decide_what_there_is() {
    let api = shared();
    let tokens = |scope: &str| {
        let code = Person::new(&api).code(&query(&[("scope", scope)]));
        grant(&api, &redemption(&code, &[])).expect(200)
    };
    let info = |token: &Value| {
        let bearer = format!("Bearer {}", token.as_str().unwrap());
        ask(&api, "GET", "/IDP/connect/userinfo", &[("authorization", &bearer)], "")
    };
    let plain = tokens("managementserver");
    assert!(plain.get("id_token").is_none() && plain.get("refresh_token").is_none());
    let reply = info(&plain["access_token"]);
    assert_eq!(reply.status, 403);
    assert_eq!(reply.headers["www-authenticate"], "Bearer error=\"insufficient_scope\"");
    let open = tokens("openid");
    assert!(info(&open["access_token"]).expect(200).get("name").is_none());
    let token = open["access_token"].as_str().unwrap();
    assert!(api.authenticate(token).is_err(), "not for the gateway");
    let reply = ask(&api, "GET", "/IDP/connect/userinfo", &[("authorization", "Bearer x.y.z")], "");
    assert_eq!(reply.status, 401);
}

#[test]
fn logins_end() {
    let api = api(|_| {});
    let mut person = Person::new(&api);
    let body = grant(&api, &redemption(&person.code(&query(&[])), &[])).expect(200);
    let refresh = body["refresh_token"].as_str().unwrap();
    let revoke = |client: &str| {
        let form = format!("token={refresh}&token_type_hint=refresh_token&client_id={client}");
        send(&api, "POST", "/IDP/connect/revocation", None, &form)
    };
    let renew =
        || grant(&api, &format!("grant_type=refresh_token&client_id=VmsClient&refresh_token={refresh}"));
    assert_eq!(revoke("Unknown").expect(400)["error"], "invalid_client");
    assert_eq!(revoke("VmsWebClient").status, 200, "not its token, and not its business");
    assert_eq!(revoke("VmsClient").status, 200);
    assert_eq!(revoke("VmsClient").status, 200);
    assert_eq!(renew().expect(400)["error"], "invalid_grant");

    let end = |hint: &str, target: &str| {
        let target = utf8_percent_encode(target, ESCAPED);
        let path =
            format!("/IDP/connect/endsession?state=z&id_token_hint={hint}&post_logout_redirect_uri={target}");
        send(&api, "GET", &path, None, "")
    };
    let hint = body["id_token"].as_str().unwrap();
    assert_eq!(location(&end(hint, REDIRECT)), format!("{REDIRECT}?state=z"));
    assert_eq!(end(hint, "https://elsewhere.example/").status, 200);
    assert_eq!(end("x.y.z", REDIRECT).status, 200);
    assert_eq!(end(body["access_token"].as_str().unwrap(), REDIRECT).status, 200);
}
