use std::process::Command;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;

use super::ntlm_client::{Credentials, anonymous, authenticate, negotiate};
use super::support::{Client, Response, Sim};
use super::tls;

const FORM: &str = "grant_type=windows_credentials&client_id=GrantValidatorClient";
const DIRECT: &str = "/IDP/connect/token";
const WIN1: Credentials<'_> = Credentials { domain: "VMS", user: "win1", password: "win1-password" };
const WIN2: Credentials<'_> = Credentials { domain: "vms", user: "WIN2", password: "win2-password" };

fn sim() -> Sim {
    Sim::start(&["--cameras", "4", "--users", "4", "--event-rate", "0"])
}

fn post(client: &mut Client, path: &str, offer: Option<(&str, &[u8])>) -> Response {
    let authorization = offer.map_or_else(String::new, |(scheme, token)| {
        format!("Authorization: {scheme} {}\r\n", BASE64_STANDARD.encode(token))
    });
    let length = FORM.len();
    client.send(&format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\n{authorization}Content-Length: {length}\r\n\r\n{FORM}"
    ));
    client.receive().unwrap()
}

fn challenges(response: &Response) -> Vec<&str> {
    response.head.lines().filter_map(|line| line.strip_prefix("www-authenticate: ")).collect()
}

/// Sends type 1 and gives type 2.
fn begin(client: &mut Client, scheme: &str) -> Vec<u8> {
    let response = post(client, DIRECT, Some((scheme, &negotiate())));
    assert_eq!(response.status, 401);
    let [challenge] = challenges(&response)[..] else { panic!("{}", response.head) };
    let (given, token) = challenge.split_once(' ').unwrap();
    assert_eq!(given, scheme);
    BASE64_STANDARD.decode(token).unwrap()
}

/// Refused as at the beginning, with both ways to begin again.
fn assert_refused(response: &Response) {
    assert_eq!((response.status, challenges(response)), (401, vec!["Negotiate", "NTLM"]));
    assert!(response.head.contains("content-type: text/html"));
}

fn token(response: &Response) -> String {
    assert_eq!(response.status, 200, "{}", response.body);
    let body: Value = serde_json::from_str(&response.body).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

fn claims(response: &Response) -> Value {
    let token = token(response);
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

fn log_in(client: &mut Client, who: Credentials<'_>) -> Response {
    let challenge = begin(client, "NTLM");
    post(client, DIRECT, Some(("NTLM", &authenticate(&challenge, who))))
}

#[test]
fn a_windows_user_logs_in_and_has_the_rights_of_its_role() {
    let sim = sim();
    let mut client = sim.client();
    assert_refused(&post(&mut client, DIRECT, None));
    for (who, cameras) in [(WIN1, 4), (WIN2, 2)] {
        let response = log_in(&mut client, who);
        let claims = claims(&response);
        assert_eq!(claims["name"], format!("VMS\\{}", who.user.to_lowercase()));
        assert!(claims["sub"].as_str().unwrap().starts_with("S-1-5-21-"), "{claims}");
        client.send(&format!(
            "GET /API/rest/v1/cameras?disabled HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
            token(&response)
        ));
        let body: Value = serde_json::from_str(&client.receive().unwrap().body).unwrap();
        assert_eq!(body["array"].as_array().unwrap().len(), cameras, "{}", who.user);
    }
    let local = Credentials { domain: "", ..WIN1 };
    assert_eq!(claims(&log_in(&mut client, local))["name"], "VMS\\win1");
}

#[test]
fn negotiate_takes_plain_ntlm_and_nothing_else() {
    let sim = sim();
    let mut client = sim.client();
    let challenge = begin(&mut client, "Negotiate");
    token(&post(&mut client, DIRECT, Some(("Negotiate", &authenticate(&challenge, WIN1)))));
    // The beginning of a Kerberos ticket.
    let kerberos = [0x60, 0x82, 0x05, 0x30, 0x06, 0x09, 0x2a, 0x86, 0x48];
    assert_refused(&post(&mut client, DIRECT, Some(("Negotiate", &kerberos))));
    assert_refused(&post(&mut client, DIRECT, Some(("NTLM", b""))));
    assert_refused(&post(&mut client, DIRECT, None));
}

#[test]
fn who_does_not_know_the_password_stays_outside() {
    let sim = sim();
    let wrong = [
        Credentials { password: "win2-password", ..WIN1 },
        Credentials { password: "", ..WIN1 },
        Credentials { domain: "OTHER", ..WIN1 },
        Credentials { user: "win5", password: "win5-password", ..WIN1 },
        Credentials { user: "user1", password: "user1-password", ..WIN1 },
        Credentials { user: "admin", password: "admin-password", ..WIN1 },
    ];
    let mut client = sim.client();
    for who in wrong {
        assert_refused(&log_in(&mut client, who));
        assert_refused(&post(&mut client, DIRECT, None));
    }
    begin(&mut client, "NTLM");
    assert_refused(&post(&mut client, DIRECT, Some(("NTLM", &anonymous()))));
    token(&log_in(&mut client, WIN1));
    // A wrong password also ends what was proven before.
    assert_refused(&log_in(&mut client, wrong[0]));
    assert_refused(&post(&mut client, DIRECT, None));
}

#[test]
fn messages_belong_to_one_handshake_on_one_connection() {
    let sim = sim();
    let (mut one, mut other) = (sim.client(), sim.client());
    let challenge = begin(&mut one, "NTLM");
    let answer = authenticate(&challenge, WIN1);
    assert_refused(&post(&mut other, DIRECT, Some(("NTLM", &answer))));
    begin(&mut other, "NTLM");
    assert_refused(&post(&mut other, DIRECT, Some(("NTLM", &answer))));
    token(&post(&mut one, DIRECT, Some(("NTLM", &answer))));
    assert_refused(&post(&mut one, DIRECT, Some(("NTLM", &answer))));
    let mut changed = authenticate(&begin(&mut one, "NTLM"), WIN1);
    changed[64] ^= 1;
    assert_refused(&post(&mut one, DIRECT, Some(("NTLM", &changed))));
}

#[test]
fn the_connection_is_the_user_until_a_handshake_begins() {
    let sim = sim();
    let (mut one, mut two, mut nobody) = (sim.client(), sim.client(), sim.client());
    // Two users in turns.
    let (first, second) = (begin(&mut one, "NTLM"), begin(&mut two, "NTLM"));
    token(&post(&mut two, DIRECT, Some(("NTLM", &authenticate(&second, WIN2)))));
    token(&post(&mut one, DIRECT, Some(("NTLM", &authenticate(&first, WIN1)))));
    for _ in 0..2 {
        assert_eq!(claims(&post(&mut one, DIRECT, None))["name"], "VMS\\win1");
        assert_eq!(claims(&post(&mut two, "/idp/Connect/Token", None))["name"], "VMS\\win2");
        assert_refused(&post(&mut nobody, DIRECT, None));
    }
    // A handshake that is not finished leaves nobody.
    let challenge = begin(&mut one, "NTLM");
    assert_refused(&post(&mut one, DIRECT, None));
    assert_refused(&post(&mut one, DIRECT, Some(("NTLM", &authenticate(&challenge, WIN1)))));
    assert_eq!(claims(&post(&mut two, DIRECT, None))["name"], "VMS\\win2");
}

#[test]
fn the_gateway_shakes_no_hands() {
    let sim = sim();
    let mut client = sim.client();
    token(&log_in(&mut client, WIN1));
    let path = "/API/IDP/connect/token";
    assert_refused(&post(&mut client, path, None));
    assert_refused(&post(&mut client, path, Some(("NTLM", &negotiate()))));
    assert_eq!(claims(&post(&mut client, DIRECT, None))["name"], "VMS\\win1");
}

#[test]
fn the_registrar_gets_a_token_of_its_own() {
    let sim = sim();
    let ask = |scope: &str| {
        let form = format!("grant_type=windows_auth&client_id=winauthclient{scope}");
        curl(&sim, "VMS\\win1:win1-password", &form)
    };
    let (status, body) = ask("&scope=write:client");
    assert_eq!((status, body["scope"].as_str()), (200, Some("write:client")));
    let mut client = sim.client();
    let token = body["access_token"].as_str().unwrap();
    client.send(&format!(
        "GET /API/rest/v1/sites HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    assert_eq!(client.receive().unwrap().status, 401, "not for the configuration");
    assert_eq!(ask("").1["error"], "invalid_scope");
    assert_eq!(ask("&scope=managementserver").1["error"], "invalid_scope");
}

#[test]
fn curl_logs_in() {
    let sim = sim();
    for user in ["VMS\\win1:win1-password", "vms\\WIN4:win4-password", "win2:win2-password"] {
        let (status, body) = curl(&sim, user, FORM);
        assert_eq!(status, 200, "{user}");
        assert!(body["access_token"].is_string());
    }
    for user in ["VMS\\win1:win2-password", "VMS\\win1:", ":", "VMS\\nobody:win1-password"] {
        assert_eq!(curl(&sim, user, FORM).0, 401, "{user}");
    }
}

/// Status and body, if it is JSON.
fn curl(sim: &Sim, user: &str, form: &str) -> (u16, Value) {
    let url = format!("http://{}{DIRECT}", sim.listener);
    let arguments =
        ["-sS", "--max-time", "20", "--ntlm", "-u", user, "-d", form, "-w", "\n%{http_code}", &url];
    let output = Command::new("curl").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

// The helpers block, so the connection runs on a second thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_http2_the_stream_is_reset() {
    let folder = tempfile::tempdir().unwrap();
    let (root, cert, key) = tls::certificate(folder.path());
    let sim = Sim::start(&["--cameras", "1", "--event-rate", "0", "--tls-cert", &cert, "--tls-key", &key]);
    let stream = TokioIo::new(tls::connect(&sim, &root, "h2").await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let mut post = async |path: &str, body: &'static str, offer: Option<&str>| {
        let mut request = http::Request::post(format!("https://localhost{path}"));
        if let Some(offer) = offer {
            request = request.header("authorization", offer);
        }
        sender.send_request(request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()).await
    };
    let offer = format!("NTLM {}", BASE64_STANDARD.encode(negotiate()));
    for offer in [None, Some(offer.as_str())] {
        let error = post(DIRECT, FORM, offer).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().downcast_ref::<h2::Error>().unwrap();
        assert_eq!(cause.reason(), Some(h2::Reason::HTTP_1_1_REQUIRED));
    }
    // The connection lives, and other grants are answered on it.
    let form = "grant_type=password&username=admin&password=admin-password&client_id=GrantValidatorClient";
    assert_eq!(post(DIRECT, form, None).await.unwrap().status(), 200);
    assert_eq!(post("/API/IDP/connect/token", FORM, None).await.unwrap().status(), 401);
}
