use std::collections::BTreeSet;

use super::support::{Client, Response, Sim};

const OAUTH: &str = "/ManagementServer/ServerCommandServiceOAuth.svc";
const BASIC: &str = "/ManagementServer/ServerCommandService.svc";
const ASMX: &str = "/ServerAPI/ServerCommandService.asmx";
const INSTANCE: &str = "<instanceId>00000000-0000-0000-0000-000000000001</instanceId>";
/// `admin:admin-password`, `user1:wrong`, `user1:user1-password` and `VMS\win1:win1-password`.
const ADMIN: &str = "Basic YWRtaW46YWRtaW4tcGFzc3dvcmQ=";
const WRONG: &str = "Basic dXNlcjE6d3Jvbmc=";
const USER: &str = "Basic dXNlcjE6dXNlcjEtcGFzc3dvcmQ=";
const WINDOWS: &str = "Basic Vk1TXHdpbjE6d2luMS1wYXNzd29yZA==";

fn sim(more: &[&str]) -> Sim {
    Sim::start(&[&["--cameras", "6", "--event-rate", "0"], more].concat())
}

fn send(client: &mut Client, path: &str, authorization: &str, text: &str) -> Response {
    client.send(&format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml; charset=utf-8\r\n\
         Authorization: {authorization}\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    ));
    client.receive().unwrap()
}

fn call(sim: &Sim, path: &str, authorization: &str, method: &str, arguments: &str) -> Response {
    let text = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <{method} xmlns=\"http://videoos.net/2/XProtectCSServerCommand\">{arguments}</{method}>\
         </s:Body></s:Envelope>"
    );
    send(&mut sim.client(), path, authorization, &text)
}

/// What stands between the tags of the first element of that name.
fn between<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}"));
    rest.split_once(&format!("</{name}>")).unwrap().0
}

fn login(sim: &Sim, path: &str, authorization: &str, current: &str) -> String {
    let arguments = format!("{INSTANCE}<currentToken>{current}</currentToken>");
    let response = call(sim, path, authorization, "Login", &arguments);
    assert_eq!(response.status, 200, "{}", response.body);
    assert!(response.head.to_lowercase().contains("content-type: text/xml; charset=utf-8"));
    between(&response.body, "Token").to_owned()
}

fn configuration(sim: &Sim, path: &str, authorization: &str, token: &str) -> Response {
    call(sim, path, authorization, "GetConfiguration", &format!("<token>{token}</token>"))
}

#[test]
fn sessions_work_at_every_address_until_they_end() {
    let sim = sim(&["--set", "soap-token-seconds=3600"]);
    let jwt = format!("Bearer {}", sim.token("admin"));
    for (path, authorization) in [(OAUTH, jwt.as_str()), (BASIC, ADMIN), (ASMX, WINDOWS)] {
        let token = login(&sim, path, authorization, "");
        let renewed = login(&sim, path, authorization, &token);
        assert_ne!(token, renewed);
        for token in [&token, &renewed] {
            let response = configuration(&sim, path, authorization, token);
            assert_eq!(response.status, 200);
            assert_eq!(response.body.matches("<CameraInfo>").count(), 6, "{path}");
        }
        let logout = format!("{INSTANCE}<currentToken>{renewed}</currentToken>");
        assert_eq!(call(&sim, path, authorization, "Logout", &logout).status, 200);
        let response = configuration(&sim, path, authorization, &renewed);
        assert_eq!(response.status, 500);
        assert_eq!(between(&response.body, "faultcode"), "s:51000");
        assert!(response.body.contains("VMO61008: "));
    }
    // A token of another instance, or of another user.
    let other = Sim::start(&["--name", "B", "--cameras", "6", "--event-rate", "0"]);
    let foreign = login(&other, BASIC, ADMIN, "");
    assert_eq!(configuration(&sim, BASIC, ADMIN, &foreign).status, 500);
    let own = login(&sim, BASIC, ADMIN, &foreign);
    assert_eq!(configuration(&sim, BASIC, USER, &own).status, 500);
}

#[test]
fn short_tokens_expire() {
    let sim = sim(&["--set", "soap-token-seconds=1"]);
    let token = login(&sim, BASIC, ADMIN, "");
    super::support::eventually(|| (configuration(&sim, BASIC, ADMIN, &token).status == 500).then_some(()));
    let renewed = login(&sim, BASIC, ADMIN, &token);
    assert_eq!(configuration(&sim, BASIC, ADMIN, &renewed).status, 200);
}

#[test]
fn wrong_passwords_are_401_and_lock_out() {
    let sim = sim(&["--set", "lockout-threshold=2"]);
    let status = |authorization| call(&sim, BASIC, authorization, "IsOnline", "").status;
    assert_eq!((status(USER), status(WRONG), status(WRONG), status(USER)), (200, 401, 401, 401));
    let page = call(&sim, ASMX, "Basic VVNFUjp4", "Login", INSTANCE);
    assert_eq!(page.status, 401);
    assert!(page.head.to_lowercase().contains("www-authenticate: basic") && page.body.contains("<html>"));
}

#[test]
fn a_guard_sees_less() {
    let sim = sim(&[]);
    let ids = |user: &str| -> BTreeSet<String> {
        let jwt = format!("Bearer {}", sim.token(user));
        let body = configuration(&sim, OAUTH, &jwt, "").body;
        body.split("<CameraInfo>").skip(1).map(|camera| between(camera, "DeviceId").to_owned()).collect()
    };
    let (all, some) = (ids("user1"), ids("user2"));
    assert_eq!((all.len(), some.len()), (6, 3));
    assert!(some.is_subset(&all));
}

#[test]
fn odd_messages_do_not_harm() {
    let sim = sim(&[]);
    let mut client = sim.client();
    let bomb = format!("<!DOCTYPE a [<!ENTITY b \"{}\">]><a>&b;&b;</a>", "c".repeat(1000));
    for text in ["", "<", "<a>", "\u{0}", &"<a>".repeat(100_000), &bomb, "<a xmlns:b='c' b:d='e'/>"] {
        let response = send(&mut client, BASIC, ADMIN, text);
        assert_eq!(response.status, 500, "{}", response.body);
        assert!(response.body.contains("<s:Fault>"));
    }
    assert_eq!(call(&sim, BASIC, ADMIN, "IsOnline", "").status, 200);
}

#[test]
fn faults_of_the_service_are_seen() {
    let sim = sim(&[]);
    let online = || call(&sim, BASIC, ADMIN, "IsOnline", "");
    sim.fault("soap", "page503");
    let response = online();
    assert_eq!((response.status, response.body.contains("unavailable")), (503, true));
    sim.fault("soap", "wrong-body");
    let response = online();
    assert_eq!((response.status, response.body.as_str()), (200, "{}"));
    sim.fault("soap", "hang");
    let mut client = sim.client();
    client.send(&format!("GET {ASMX}?wsdl HTTP/1.1\r\nHost: a\r\n\r\n"));
    client.assert_silent();
    assert_eq!(sim.status("/API/.well-known/uris"), 200);
    sim.heal();
    assert!(online().body.contains(">true</IsOnlineResult>"));
}
