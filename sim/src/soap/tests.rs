#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::BTreeSet, sync::Arc};

use ::http::Request;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::json;

use super::document::{Element, parse};
use crate::{
    api::Api,
    testing::{Client, Reply, api, grant, login, shared},
};

const COMMANDS: &str = "http://videoos.net/2/XProtectCSServerCommand";
const V11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const V12: &str = "http://www.w3.org/2003/05/soap-envelope";
const OAUTH: &str = "/ManagementServer/ServerCommandServiceOAuth.svc";
const BASIC: &str = "/ManagementServer/ServerCommandService.svc";
const ASMX: &str = "/ServerAPI/ServerCommandService.asmx";
const INSTANCE: &str = "00000000-0000-0000-0000-000000000001";

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

fn envelope(version: &str, body: &str) -> String {
    format!("<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"{version}\"><s:Body>{body}</s:Body></s:Envelope>")
}

fn post(api: &Api, path: &str, authorization: &str, text: &str) -> Reply {
    let request = Request::post(path)
        .header("content-type", "text/xml; charset=utf-8")
        // Wrong on purpose: nobody looks at it.
        .header("soapaction", "http://elsewhere/IServerCommandService/Nothing")
        .header("authorization", authorization);
    let (parts, body) = api.handle(request.body(Bytes::from(text.to_owned())).unwrap()).into_parts();
    Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(body.to_vec()).unwrap() }
}

/// One user at one address.
struct User {
    api: Arc<Api>,
    path: &'static str,
    authorization: String,
    token: String,
}

impl User {
    fn at(api: &Arc<Api>, path: &'static str, authorization: String) -> Self {
        let mut user = Self { api: api.clone(), path, authorization, token: String::new() };
        user.token = user.login("");
        user
    }

    fn basic(api: &Arc<Api>, name: &str) -> Self {
        Self::at(api, BASIC, basic(name, &format!("{name}-password")))
    }

    fn call(&self, method: &str, arguments: &str) -> Reply {
        let body = format!("<{method} xmlns=\"{COMMANDS}\">{arguments}</{method}>");
        post(&self.api, self.path, &self.authorization, &envelope(V11, &body))
    }

    /// The result of a call that needs the token.
    fn ask(&self, method: &str, arguments: &str) -> Element {
        result(&self.call(method, &format!("<token>{}</token>{arguments}", self.token)), method)
    }

    fn login(&self, current: &str) -> String {
        let arguments = format!("<instanceId>{INSTANCE}</instanceId><currentToken>{current}</currentToken>");
        result(&self.call("Login", &arguments), "Login").child("Token").unwrap().text.clone()
    }
}

fn result(reply: &Reply, method: &str) -> Element {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.headers["content-type"], "text/xml; charset=utf-8");
    let mut node = parse(reply.text.as_bytes()).unwrap();
    for name in ["Body", &format!("{method}Response"), &format!("{method}Result")] {
        let at = node.children.iter().position(|child| child.name == name);
        node = node.children.swap_remove(at.unwrap_or_else(|| panic!("no {name} in {}", reply.text)));
    }
    node
}

/// Code and text of a fault.
fn fault(reply: &Reply) -> (String, String) {
    assert_eq!(reply.status, 500, "{}", reply.text);
    let root = parse(reply.text.as_bytes()).unwrap();
    let fault = root.child("Body").unwrap().child("Fault").unwrap();
    (fault.child("faultcode").unwrap().text.clone(), fault.child("faultstring").unwrap().text.clone())
}

fn assert_denied(reply: &Reply) {
    let (code, text) = fault(reply);
    assert_eq!(code, "s:51000");
    assert!(text.starts_with("VMO61008: "), "{text}");
}

/// Texts of all elements of a name, at any depth.
fn texts(element: &Element, name: &str) -> Vec<String> {
    let own = (element.name == name).then(|| element.text.clone());
    own.into_iter().chain(element.children.iter().flat_map(|child| texts(child, name))).collect()
}

fn count(element: &Element, name: &str) -> usize {
    texts(element, name).len()
}

#[test]
fn a_session_is_opened_renewed_and_closed() {
    let api = shared();
    let jwt = login(&api, "admin");
    for authorization in [format!("Bearer {jwt}"), format!("bearer {jwt}")] {
        User::at(&api, OAUTH, authorization);
    }
    for name in ["admin", "[BASIC]\\admin", "[basic]\\ADMIN"] {
        User::at(&api, BASIC, basic(name, "admin-password"));
    }
    let user = User::at(&api, OAUTH, format!("Bearer {jwt}"));
    let host = format!("#{}//ServerConnector#", "a.vms.example");
    assert!(user.token.starts_with("TOKEN#") && user.token.ends_with(&host), "{}", user.token);
    let reply = user.call("Login", &format!("<instanceId>{INSTANCE}</instanceId><currentToken/>"));
    assert!(reply.text.contains("<Token>TOKEN#"), "as a client's regular expression wants it");
    let answer = result(&reply, "Login");
    assert_eq!(texts(&answer, "MicroSeconds"), ["14400000000"]);
    assert_eq!(texts(&answer, "TimeToLiveLimited"), ["false"]);

    let renewed = user.login(&user.token);
    assert_ne!(renewed, user.token);
    assert_eq!(texts(&user.ask("GetUserInfo", ""), "name"), ["admin"], "the old one lives on");
    let logout = format!("<instanceId>{INSTANCE}</instanceId><currentToken>{renewed}</currentToken>");
    assert_eq!(user.call("Logout", &logout).status, 200);
    assert_denied(&user.call("GetUserInfo", &format!("<token>{}</token>", user.token)));
    assert_denied(&user.call("Logout", &logout));
    // A JWT says enough by itself.
    assert_eq!(user.call("GetUserInfo", "<token/>").status, 200);
}

#[test]
fn tokens_expire_and_belong_to_one_user_of_one_instance() {
    let one = api(|settings| settings.switches.set("soap-token-seconds=60").unwrap());
    let (admin, user) = (User::basic(&one, "admin"), User::basic(&one, "user1"));
    let other = User::basic(&api(|settings| settings.name = "B".to_owned()), "admin");
    for stranger in [&user, &other] {
        assert_denied(&admin.call("GetConfiguration", &format!("<token>{}</token>", stranger.token)));
    }
    assert_denied(&admin.call("GetConfiguration", "<token/>"));
    assert_denied(&admin.call("GetConfiguration", ""));
    admin.ask("GetUserInfo", "");
    one.set_clock_offset(61);
    assert_denied(&admin.call("GetUserInfo", &format!("<token>{}</token>", admin.token)));
    // A renewal needs no good token: who calls has just said so.
    assert_ne!(admin.login(&other.token), "");
}

#[test]
fn nobody_gets_in_without_a_good_password_or_token() {
    let api = api(|settings| settings.switches.set("lockout-threshold=3").unwrap());
    let text = envelope(V11, &format!("<GetVersion xmlns=\"{COMMANDS}\"/>"));
    let status = |path: &str, authorization: &str| post(&api, path, authorization, &text).status.as_u16();
    let jwt = format!("Bearer {}", login(&api, "admin"));
    assert_eq!(status(OAUTH, &jwt), 200);
    for (path, authorization) in [
        (BASIC, jwt.as_str()),
        (ASMX, &jwt),
        (OAUTH, &basic("admin", "admin-password")),
        (ASMX, &basic("admin", "admin-password")),
        (BASIC, &basic("VMS\\win1", "win1-password")),
        (BASIC, &basic("nobody", "x")),
        (BASIC, "Basic !"),
        (BASIC, ""),
        (OAUTH, "Bearer x"),
    ] {
        assert_eq!(status(path, authorization), 401, "{path} {authorization}");
    }
    api.set_clock_offset(3601);
    assert_eq!(status(OAUTH, &jwt), 401, "expired");

    // Wrong passwords count, here as at the token endpoint.
    for _ in 0..2 {
        assert_eq!(status(BASIC, &basic("user1", "wrong")), 401);
    }
    let form = "grant_type=password&username=user1&client_id=GrantValidatorClient&password=";
    assert_eq!(grant(&api, &format!("{form}wrong")).expect(400)["error_code"], "LockedOut");
    assert_eq!(status(BASIC, &basic("user1", "user1-password")), 401);
    assert_eq!(status(BASIC, &basic("user3", "user3-password")), 200);
}

#[test]
fn windows_users_use_the_older_twin_and_either_version_of_soap() {
    let api = shared();
    let authorization = basic("VMS\\win1", "win1-password");
    let user = User::at(&api, ASMX, authorization.clone());
    assert_eq!(texts(&user.ask("GetUserInfo", ""), "name"), ["VMS\\win1"]);
    assert!(count(&user.ask("GetConfiguration", ""), "CameraInfo") > 0);
    // One client sends its login as SOAP 1.2 with the media type of 1.1.
    let body = format!("<Login xmlns=\"{COMMANDS}\"><instanceId>{INSTANCE}</instanceId></Login>");
    let reply = post(&api, ASMX, &authorization, &envelope(V12, &body));
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(parse(reply.text.as_bytes()).unwrap().namespace, V12);
    let body = format!("<GetConfiguration xmlns=\"{COMMANDS}\"/>");
    let reply = post(&api, ASMX, &authorization, &envelope(V12, &body));
    assert_eq!(reply.status, 500);
    assert!(reply.text.contains("ErrorNumber=\"51000\""), "{}", reply.text);
    // The page of IIS is XML too; that client takes it apart.
    let page = post(&api, ASMX, &basic("VMS\\win1", "wrong"), "");
    assert_eq!(page.status, 401);
    assert!(page.text.contains("<fieldset>") && page.text.contains("Server Error"));
}

#[test]
fn configuration_shows_what_the_caller_may_see() {
    let api = shared();
    let (admin, guard) = (User::basic(&api, "admin"), User::basic(&api, "user2"));
    let whole = admin.ask("GetConfiguration", "");
    assert_eq!(texts(&whole, "ServerName"), ["VMS-A"]);
    // 50 cameras, two of them switched off.
    assert_eq!(count(&whole, "CameraInfo"), 48);
    assert_eq!(count(&admin.ask("GetDevicesDisabled", ""), "DeviceDisabledInfo"), 2);
    assert_eq!(count(whole.child("Recorders").unwrap(), "RecorderInfo"), 2);
    let uris = texts(&whole, "WebServerUri");
    assert_eq!(uris, ["http://rs1-a.vms.example:7563/", "http://rs2-a.vms.example:7563/"]);
    let rest = Client::new(api.clone(), "admin");
    let ids = |configuration: &Element| -> BTreeSet<String> {
        texts(configuration.child("Recorders").unwrap(), "DeviceId").into_iter().collect()
    };
    let cameras: BTreeSet<String> = rest.ids("cameras").into_iter().collect();
    assert!(cameras.is_subset(&ids(&whole)), "the same cameras as in REST");

    let wanted = texts(&whole, "DeviceId").len() - 48;
    let others = ["microphones", "speakers", "metadata", "inputEvents", "outputs"];
    assert_eq!(others.iter().map(|kind| rest.ids(kind).len()).sum::<usize>(), wanted, "and all the others");
    let presets = |id: &String| rest.ids(&format!("cameras/{id}/ptzPresets")).len();
    let known: usize = cameras.iter().map(presets).sum();
    assert!(known > 0 && count(&whole, "PresetInfo") == known);

    let part = guard.ask("GetConfiguration", "");
    let seen: BTreeSet<String> = Client::new(api, "user2").ids("cameras").into_iter().collect();
    assert_eq!(count(&part, "CameraInfo"), seen.len());
    assert!(seen.is_subset(&ids(&part)) && ids(&part).is_subset(&ids(&whole)));
    // Ids of hidden devices do not leak through groups, hardware or mappings either.
    let named: BTreeSet<String> =
        ["guid", "DeviceA", "DeviceB"].iter().flat_map(|n| texts(&part, n)).collect();
    let hidden: BTreeSet<String> = ids(&whole).difference(&ids(&part)).cloned().collect();
    assert!(!hidden.is_empty() && named.is_disjoint(&hidden));
    assert_eq!(count(&guard.ask("GetDevicesDisabled", ""), "DeviceDisabledInfo"), 1);

    let boxes = texts(&whole, "HardwareId").into_iter().collect::<BTreeSet<_>>();
    let list: String = boxes.iter().map(|id| format!("<a:guid>{id}</a:guid>")).collect();
    let list = format!("<hardwareIds xmlns:a=\"urn:x\">{list}</hardwareIds>");
    let found = |user: &User| count(&user.ask("GetConfigurationHardware", &list), "HardwareInfo");
    assert!(found(&admin) == boxes.len() && found(&guard) < boxes.len());
    assert_eq!(texts(&part, "StartRecording").iter().filter(|text| *text == "true").count(), 0);
    assert!(texts(&whole, "StartRecording").iter().all(|text| text == "true"));
}

#[test]
fn recorders_are_found_by_id() {
    let api = shared();
    let user = User::basic(&api, "user1");
    let id = texts(&user.ask("GetConfiguration", ""), "ServiceId").remove(0);
    let info = user.ask("QueryRecorderInfo", &format!("<recorderId>{}</recorderId>", id.to_uppercase()));
    assert_eq!(
        (texts(&info, "RecorderId"), texts(&info, "Cameras")),
        (vec![id.clone()], vec![String::new()])
    );
    let list = format!("<recorderIds><guid>{id}</guid><guid>{INSTANCE}</guid></recorderIds>");
    assert_eq!(count(&user.ask("GetConfigurationRecorders", &list), "RecorderInfo"), 1);
    let token = format!("<token>{}</token>", user.token);
    let ask = |method: &str, arguments: &str| user.call(method, &format!("{token}{arguments}"));
    assert_denied(&ask("QueryRecorderInfo", &format!("<recorderId>{INSTANCE}</recorderId>")));
    for (method, arguments) in [
        ("QueryRecorderInfo", "<recorderId>x</recorderId>"),
        ("QueryRecorderInfo", ""),
        ("GetConfigurationRecorders", ""),
        ("GetConfigurationHardware", "<hardwareIds><guid>x</guid></hardwareIds>"),
        ("QueryChanges", "<changesFrom>yesterday</changesFrom>"),
        ("Login", "<instanceId>x</instanceId>"),
    ] {
        assert_eq!(fault(&ask(method, arguments)).0, "a:DeserializationFailed", "{method} {arguments}");
    }
}

#[test]
fn changes_come_from_the_log() {
    let api = api(|_| {});
    let (admin, guard) = (User::basic(&api, "admin"), User::basic(&api, "user2"));
    let rest = Client::new(api.clone(), "admin");
    let changes = |user: &User, from: &str| {
        let answer = user.ask("QueryChanges", &format!("<changesFrom>{from}</changesFrom>"));
        answer
            .children
            .iter()
            .map(|c| (texts(c, "ChangeType").remove(0), texts(c, "Id").remove(0)))
            .collect::<Vec<_>>()
    };
    assert_eq!(changes(&admin, "2020-01-01T00:00:00Z"), []);
    let camera = rest.list("cameras").remove(0);
    let last = rest.list("cameras").pop().unwrap();
    let server = rest.ids("recordingServers").remove(0);
    let parent =
        |camera: &serde_json::Value| camera["relations"]["parent"]["id"].as_str().unwrap().to_owned();
    for path in [format!("cameras/{}", camera["id"].as_str().unwrap()), format!("recordingServers/{server}")]
    {
        rest.call("PATCH", &path, &json!({ "name": "a <new> & \u{1} name" })).expect(200);
    }
    let hidden = format!("cameras/{}", last["id"].as_str().unwrap());
    rest.call("PATCH", &hidden, &json!({ "name": "x" })).expect(200);
    rest.call("POST", "userDefinedEvents", &json!({ "name": "x" })).expect(201);
    let wanted = BTreeSet::from([
        ("Hardware".to_owned(), parent(&camera)),
        ("Hardware".to_owned(), parent(&last)),
        ("Recorder".to_owned(), server),
    ]);
    assert_eq!(changes(&admin, "2020-01-01T00:00:00Z").into_iter().collect::<BTreeSet<_>>(), wanted);
    assert!(!changes(&guard, "2020-01-01T00:00:00Z").contains(&("Hardware".to_owned(), parent(&last))));
    assert_eq!(changes(&admin, "2999-01-01T00:00:00Z"), []);
    let names = texts(&admin.ask("GetConfiguration", ""), "Name");
    assert_eq!(names.iter().filter(|name| *name == "a <new> & \u{fffd} name").count(), 2);
}

#[test]
fn services_are_listed_in_both_dialects() {
    let api = shared();
    for (path, namespace, authorization) in [
        (
            "/managementserver/serviceregistrationservice.SVC",
            "http://schemas.videoos/ServiceRegistrationService/2008/06/Vmo/01",
            basic("admin", "admin-password"),
        ),
        (
            "/ServerAPI/ServiceRegistrationService.asmx",
            "http://videoos.net/2/XProtectCSServiceRegistration",
            basic("win1", "win1-password"),
        ),
    ] {
        let text = envelope(V11, &format!("<GetServices xmlns=\"{namespace}\"></GetServices>"));
        let services = result(&post(&api, path, &authorization, &text), "GetServices");
        assert_eq!(count(&services, "ServiceInfo"), 5);
        assert!(texts(&services, "string").contains(&"http://127.0.0.1:8080/API/".to_owned()));
        let first = &services.children[0];
        assert_eq!(first.namespace, "http://videoos.net/2/XProtectCSServiceRegistration");
        assert_eq!(first.child("type").unwrap().text, "e46b7bf9-03ce-44eb-bbdc-8ba16d0aaa80");
    }
}

#[test]
fn odd_messages_get_a_fault() {
    let api = shared();
    let admin = basic("admin", "admin-password");
    let version = format!("<GetVersion xmlns=\"{COMMANDS}\"/>");
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    let bomb = "<!DOCTYPE b [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY c \"&a;&a;&a;&a;\">]>";
    let cases = [
        ("s:Client", String::new()),
        ("s:Client", "{}".to_owned()),
        ("s:Client", "<a/>".to_owned()),
        ("s:Client", envelope(V11, "")),
        ("s:Client", envelope(V11, &format!("{version}{version}"))),
        ("s:Client", envelope(V11, &deep)),
        ("s:Client", envelope(V11, "<x:GetVersion/>")),
        ("s:Client", envelope(V11, &format!("<GetVersion xmlns=\"{COMMANDS}\">&c;</GetVersion>"))),
        ("s:Client", format!("{bomb}{}", envelope(V11, &version).split_once("?>").unwrap().1)),
        ("s:VersionMismatch", envelope(V12, &version)),
        ("s:VersionMismatch", envelope("urn:other", &version)),
        ("a:ActionNotSupported", envelope(V11, "<GetVersion/>")),
        ("a:ActionNotSupported", envelope(V11, "<GetVersion xmlns='urn:other'/>")),
        ("a:ActionNotSupported", envelope(V11, &format!("<SetFire xmlns=\"{COMMANDS}\"/>"))),
    ];
    for (code, text) in cases {
        assert_eq!(fault(&post(&api, BASIC, &admin, &text)).0, code, "{}", &text[..text.len().min(200)]);
    }
    let request = Request::post(BASIC).header("authorization", &admin);
    let request = request.header("content-type", "application/json").body(Bytes::from_static(b"{}"));
    assert_eq!(api.handle(request.unwrap()).status(), 415);
    let put = Request::put(BASIC).body(Bytes::new()).unwrap();
    assert_eq!(api.handle(put).status(), 405);
    let other = Request::post("/ManagementServer/Other.svc").body(Bytes::new()).unwrap();
    assert_eq!(api.handle(other).status(), 404);
}

#[test]
fn descriptions_name_the_public_address() {
    let api = api(|settings| settings.public_url = "https://vms-a.example".to_owned());
    for (path, query) in [(BASIC, "wsdl"), (OAUTH, "singleWsdl"), (ASMX, "WSDL")] {
        let request = Request::get(format!("{}?{query}", path.to_lowercase())).body(Bytes::new()).unwrap();
        let response = api.handle(request);
        assert_eq!(response.headers()["content-type"], "text/xml; charset=utf-8");
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        assert!(
            text.contains(&format!("<soap:address location=\"https://vms-a.example{path}\" />")),
            "{text}"
        );
        parse(text.as_bytes()).unwrap();
    }
    let help = api.handle(Request::get(BASIC).body(Bytes::new()).unwrap());
    assert_eq!(
        (help.status().as_u16(), &help.headers()["content-type"]),
        (200, &"text/html".parse().unwrap())
    );
}
