use std::collections::BTreeMap;

use serde_json::Value;

use super::support::{Client, Response, Sim};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const PUBLIC: &str = "https://vms-a.example";
const REDIRECT: &str = "http%3A%2F%2F127.0.0.1%3A5656%2F";

/// A browser on one connection, with its cookies.
struct Browser {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn visit(&mut self, method: &str, path: &str, body: &str) -> Response {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.client.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: elsewhere\r\nCookie: {}\r\nContent-Length: {}\r\n\r\n{body}",
            cookies.join("; "),
            body.len()
        ));
        let response = self.client.receive().unwrap();
        for line in headers(&response, "set-cookie") {
            assert!(line.ends_with("; Secure") && line.contains("; Path=/IDP; HttpOnly"), "{line}");
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }
}

fn headers<'a>(response: &'a Response, name: &str) -> Vec<&'a str> {
    let lines = response.head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
}

/// Where a redirect leads, which must be an address in full.
fn location(response: &Response) -> &str {
    assert_eq!(response.status, 302, "{}", response.body);
    headers(response, "location")[0]
}

fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
    rest.split_once('"').unwrap().0.replace("&amp;", "&")
}

#[test]
fn a_browser_brings_its_application_a_code() {
    let sim = Sim::start(&["--cameras", "1", "--event-rate", "0", "--public-url", PUBLIC]);
    let mut browser = Browser { client: sim.client(), cookies: BTreeMap::new() };
    let path = format!(
        "/idp/connect/authorize?response_type=code&client_id=VmsAdminClient&redirect_uri={REDIRECT}&state=s\
         &scope=openid%20profile%20managementserver%20offline_access&nonce=n&code_challenge={CHALLENGE}\
         &code_challenge_method=S256&acr_values=idp:local&culture=en-US&prompt=login"
    );
    let first = browser.visit("GET", &path, "");
    let login = location(&first).strip_prefix(PUBLIC).unwrap().to_owned();
    let page = browser.visit("GET", &login, "");
    assert_eq!(page.status, 200);
    let target = hidden(&page.body, "ReturnUrl").replace('%', "%25").replace('&', "%26").replace('+', "%2B");
    let token = hidden(&page.body, "__RequestVerificationToken");
    let form = format!(
        "ReturnUrl={target}&__RequestVerificationToken={token}&Username=user1&Password=user1-password"
    );
    let posted = browser.visit("POST", "/IDP/Account/Login", &form);
    let callback = location(&posted).strip_prefix(PUBLIC).unwrap().to_owned();
    assert_eq!(sim.status(&callback), 302, "without the cookie, to the form again");
    let last = browser.visit("GET", &callback, "");
    let answer = location(&last).strip_prefix("http://127.0.0.1:5656/?code=").unwrap();
    let code = answer.strip_suffix("&state=s").unwrap().to_owned();

    // The application has a connection of its own; the gateway forwards it like any other grant.
    let form = format!(
        "grant_type=authorization_code&client_id=VmsAdminClient&code={code}&redirect_uri={REDIRECT}\
         &code_verifier={VERIFIER}&scope=managementserver"
    );
    let mut application = Browser { client: sim.client(), cookies: BTreeMap::new() };
    let tokens = application.visit("POST", "/API/IDP/connect/token", &form);
    let tokens: Value = serde_json::from_str(&tokens.body).unwrap();
    assert!(tokens["id_token"].is_string() && tokens["access_token"].is_string(), "{tokens}");
    let again = application.visit("POST", "/IDP/connect/token", &form);
    assert_eq!((again.status, again.body.as_str()), (400, "{\"error\":\"invalid_grant\"}"));
}

#[test]
fn cookies_of_one_instance_are_nothing_to_another() {
    let start = || Sim::start(&["--cameras", "1", "--event-rate", "0", "--public-url", PUBLIC]);
    let (one, other) = (start(), start());
    let path = "/IDP/Account/Login?ReturnUrl=%2FIDP%2Fconnect%2Fauthorize%2Fcallback%3F";
    let mut browser = Browser { client: one.client(), cookies: BTreeMap::new() };
    let token = hidden(&browser.visit("GET", path, "").body, "__RequestVerificationToken");
    let form = format!(
        "ReturnUrl=%2FIDP%2Fconnect%2Fauthorize%2Fcallback%3F&__RequestVerificationToken={token}\
         &Username=user1&Password=user1-password"
    );
    browser.client = other.client();
    assert_eq!(browser.visit("POST", "/IDP/Account/Login", &form).status, 400);
    browser.client = one.client();
    assert_eq!(browser.visit("POST", "/IDP/Account/Login", &form).status, 302);
}
