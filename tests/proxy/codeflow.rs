//! A login through a browser while instances come and go (D10): it ends where it began, or begins anew; nobody sees an
//! error page, and no instance anything of another's login.

use std::collections::BTreeMap;

use crate::support::client::{Call, Http, Reply, call, get};
use crate::support::config::Config;
use crate::support::gatekeeper::Gatekeeper;
use crate::support::sim::Sim;

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REQUEST: &str = "response_type=code&client_id=VmsClient&redirect_uri=http%3A%2F%2F127.0.0.1%3A5656%2F&state=s1\
    &scope=openid%20managementserver&nonce=n1&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
    &code_challenge_method=S256";

/// A browser: it keeps cookies and follows redirects, but not to its application.
struct Browser {
    http: Http,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    async fn ask(&mut self, call: Call) -> Reply {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let call = call.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let call = if cookies.is_empty() { call } else { call.header("cookie", &cookies.join("; ")) };
        let reply = self.http.send(call).await.unwrap();
        for cookie in reply.headers.get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), rest.split(';').next().unwrap().to_owned());
        }
        reply
    }

    /// Where it ends: a page, or the address of the application with what was brought there.
    async fn follow(&mut self, mut reply: Reply) -> Result<String, String> {
        for _ in 0..8 {
            if !(300..400).contains(&reply.status) {
                return Ok(reply.expect(200).text().to_owned());
            }
            let to = reply.header("location").to_owned();
            if to.starts_with("http://127.0.0.1:5656/") {
                return Err(to);
            }
            let path = to.split_once("://").map_or(to.as_str(), |(_, rest)| &rest[rest.find('/').unwrap()..]);
            reply = self.ask(get(path)).await;
        }
        panic!("it goes round in circles");
    }

    async fn begin(&mut self) -> String {
        let reply = self.ask(get(&format!("/IDP/connect/authorize?{REQUEST}"))).await;
        self.follow(reply).await.expect("a page")
    }

    async fn fill_in(&mut self, page: &str) -> Reply {
        let hidden = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
            escaped(&rest.split_once('"').unwrap().0.replace("&amp;", "&"))
        };
        let (back, token) = (hidden("ReturnUrl"), hidden("__RequestVerificationToken"));
        self.ask(call("POST", "/IDP/Account/Login").form(&format!(
            "ReturnUrl={back}&__RequestVerificationToken={token}&Username=user1&Password=user1-password"
        )))
        .await
    }
}

fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric();
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

async fn redeem(http: &Http, home: &str) -> Reply {
    let code = home.split_once("code=").unwrap().1.split('&').next().unwrap();
    let form = format!(
        "grant_type=authorization_code&client_id=VmsClient&code={code}&code_verifier={VERIFIER}\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A5656%2F"
    );
    http.send(call("POST", "/IDP/connect/token").form(&form)).await.unwrap()
}

async fn start() -> (Sim, Sim, Gatekeeper, Browser) {
    let (a, b) = (Sim::start("a", &[]), Sim::start("b", &[]));
    let gatekeeper = Gatekeeper::ready(Config::xprotect(&[&a, &b])).await;
    for service in ["identity", "config"] {
        gatekeeper.wait_up("b", service, true).await;
    }
    gatekeeper.wait_up("a", "identity", true).await;
    let browser = Browser { http: gatekeeper.h1(), cookies: BTreeMap::new() };
    (a, b, gatekeeper, browser)
}

/// Everything that the browser had from an instance, less ours.
fn secrets(browser: &Browser) -> Vec<String> {
    let own = browser.cookies.iter().filter(|(name, _)| !name.starts_with("gatekeeper"));
    own.map(|(_, value)| value.clone()).collect()
}

async fn saw_none_of(sim: &Sim, secrets: &[String]) {
    assert!(!secrets.is_empty());
    for secret in secrets {
        assert_eq!(sim.requests_with(secret).await, 0, "{secret}");
    }
}

/// Signs in from the page on, and redeems the code.
async fn finish(browser: &mut Browser, page: &str) {
    let reply = browser.fill_in(page).await;
    let home = browser.follow(reply).await.expect_err("the way home");
    assert!(home.contains("state=s1"), "{home}");
    let token: serde_json::Value = redeem(&browser.http, &home).await.expect(200).json();
    let token = token["access_token"].as_str().unwrap();
    browser.http.send(get("/API/rest/v1/cameras").bearer(token)).await.unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_where_it_began() {
    let (a, b, gatekeeper, mut browser) = start().await;
    let page = browser.begin().await;
    gatekeeper.succeed(&["drain", "a", "--reason", "test"]);
    gatekeeper.wait_serving("identity", "b").await;
    finish(&mut browser, &page).await;
    assert_eq!(b.requests_with("/Account/Login").await, 0);
    assert!(a.requests_with("POST /IDP/Account/Login").await >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_a_dead_instance_leads_to_a_fresh_login() {
    for known_dead in [false, true] {
        let (mut a, b, gatekeeper, mut browser) = start().await;
        let page = browser.begin().await;
        let of_a = secrets(&browser);
        a.kill();
        if known_dead {
            gatekeeper.wait_up("a", "identity", false).await;
        }
        let reply = browser.fill_in(&page).await.expect(303);
        assert_eq!(reply.header("location"), format!("/IDP/connect/authorize?{REQUEST}"));
        assert_eq!(reply.header("gatekeeper-reason"), "login-begins-anew");
        assert_eq!(b.requests_with("POST /IDP/Account/Login").await, 0);
        let page = browser.follow(reply).await.expect("a page");
        finish(&mut browser, &page).await;
        saw_none_of(&b, &of_a).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_loses_its_instance_on_the_way_back_begins_anew() {
    let (a, b, gatekeeper, mut browser) = start().await;
    let page = browser.begin().await;
    let reply = browser.fill_in(&page).await.expect(302);
    let of_a = secrets(&browser);
    a.fault("all", "page503").await;
    gatekeeper.wait_up("a", "identity", false).await;
    let page = browser.follow(reply).await.expect("a page");
    finish(&mut browser, &page).await;
    saw_none_of(&b, &of_a).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_of_another_provider_is_not_shown_to_another_instance() {
    let (mut a, b, gatekeeper, mut browser) = start().await;
    browser.begin().await;
    a.kill();
    gatekeeper.wait_up("a", "identity", false).await;
    let reply = browser.ask(get("/IDP/signin-oidc?code=c0de&state=of-a")).await.expect(303);
    assert_eq!(reply.header("location"), format!("/IDP/connect/authorize?{REQUEST}"));
    // Without our memory of how it began there is a page, in words that a person understands.
    browser.cookies.remove("gatekeeper_login");
    let reply = browser.ask(get("/IDP/signin-oidc?code=c0de&state=of-a")).await.expect(410);
    assert!(reply.text().contains("sign in again"), "{}", reply.text());
    assert_eq!(b.requests_with("state=of-a").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_a_dead_instance_is_an_invalid_grant() {
    let (mut a, b, gatekeeper, mut browser) = start().await;
    let page = browser.begin().await;
    let reply = browser.fill_in(&page).await;
    let home = browser.follow(reply).await.expect_err("the way home");
    a.kill();
    gatekeeper.wait_up("a", "identity", false).await;
    let reply = redeem(&browser.http, &home).await.expect(400);
    assert_eq!(reply.json()["error"], "invalid_grant");
    assert_eq!(b.requests_with("/connect/token").await, 0);
}
