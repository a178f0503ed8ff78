#![allow(clippy::unwrap_used)]

use std::{collections::BTreeSet, time::Instant};

use serde_json::json;

use super::*;
use crate::testing::{Client, api, ask, grant, login, send, shared};

#[test]
fn discovery_is_built_from_the_settings() {
    let api = shared();
    let uris = send(&api, "GET", "/api/.Well-Known/uris", None, "").expect(200);
    assert_eq!(uris["ProductVersion"], "25.2.12345.1");
    assert_eq!(uris["ApiGateways"][0], "http://127.0.0.1:8080/API/");
    assert_eq!(uris["IdentityProvider"], "http://127.0.0.1:8080/IDP");
    for prefix in ["/IDP", "/API/IDP", "/idp"] {
        let reply = send(&api, "GET", &format!("{prefix}/.well-known/openid-configuration"), None, "");
        assert!(reply.text.contains("\"server_version\":\"25.2"), "compact, for the regex of clients");
        let document = reply.expect(200);
        assert_eq!(document["issuer"], "https://a.vms.example/IDP");
        for name in ["jwks_uri", "external_providers_uri"] {
            let path = document[name].as_str().unwrap().strip_prefix("http://127.0.0.1:8080").unwrap();
            send(&api, "GET", path, None, "").expect(200);
        }
        assert_eq!(document["token_endpoint"], "http://127.0.0.1:8080/IDP/connect/token");
    }
    assert_eq!(send(&api, "GET", "/IDP/externalProviders", None, "").text, "[]");
}

#[test]
fn an_encrypted_site_says_so() {
    let api = api(|settings| settings.public_url = "https://vms-a.example".to_owned());
    let uris = send(&api, "GET", "/API/.well-known/uris", None, "").expect(200);
    assert_eq!(uris["SecureManagementServer"], "https://vms-a.example/");
    assert_eq!(uris["UnsecureManagementServer"], "http://vms-a.example/");
    let document = send(&api, "GET", "/IDP/.well-known/openid-configuration", None, "").expect(200);
    assert_eq!(document["issuer"], "https://a.vms.example/IDP", "follows from the name alone");
    assert_eq!(document["token_endpoint"], "https://vms-a.example/IDP/connect/token");
}

#[test]
fn the_key_set_can_be_switched_off() {
    let api = api(|settings| settings.switches.set("jwks=off").unwrap());
    let document = send(&api, "GET", "/IDP/.well-known/openid-configuration", None, "").expect(200);
    assert!(document.get("jwks_uri").is_none());
    let keys = send(&api, "GET", "/IDP/.well-known/openid-configuration/jwks", None, "");
    assert_eq!(keys.status, 404);
}

#[test]
fn tokens_carry_the_claims_of_the_sheet() {
    use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
    let api = shared();
    let token = login(&api, "admin");
    assert!((800..1200).contains(&token.len()), "{}", token.len());
    let keys = send(&api, "GET", "/IDP/.well-known/openid-configuration/jwks", None, "").expect(200);
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let header = decode_header(&token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    let key = DecodingKey::from_jwk(keys.find(header.kid.as_deref().unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::RS256);
    validation.set_audience(&["https://a.vms.example/IDP/resources"]);
    let claims = decode::<Value>(&token, &key, &validation).unwrap().claims;
    assert_eq!(claims["iss"], "https://a.vms.example/IDP");
    assert_eq!(claims["aud"], json!(["managementserver", "https://a.vms.example/IDP/resources"]));
    assert_eq!(claims["scope"], json!(["managementserver"]));
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!((claims["idp"].as_str(), claims["name"].as_str()), (Some("local"), Some("admin")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    let sub = claims["sub"].as_str().unwrap();
    assert_eq!(sub, sub.to_uppercase());
    assert!(claims["updated_at"].is_string());
    assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
}

#[test]
fn a_token_of_one_instance_is_worthless_on_another_but_survives_a_restart() {
    let (one, other) = (shared(), api(|settings| settings.name = "B".to_owned()));
    let token = login(&one, "user1");
    assert_eq!(one.authenticate(&token).unwrap().role, Role::Operators);
    assert_eq!(other.authenticate(&token), Err(AuthError::Invalid));
    assert!(api(|_| {}).authenticate(&token).is_ok(), "same name and seed: same key");
    assert_eq!(one.authenticate(""), Err(AuthError::Missing));
    assert_eq!(one.authenticate("a.b.c"), Err(AuthError::Invalid));
}

#[test]
fn refusals_of_the_gateway() {
    let api = api(|settings| settings.token_lifetime = std::time::Duration::from_secs(60));
    let missing = send(&api, "GET", "/API/rest/v1/sites", None, "");
    missing.error(401);
    let token = login(&api, "admin");
    assert_eq!(send(&api, "GET", "/api/REST/V1/Sites/", Some(&token), "").status, 200);
    api.set_clock_offset(61);
    let expired = send(&api, "GET", "/API/rest/v1/sites", Some(&token), "");
    assert_eq!(expired.error(401), "Token validation failed: the token is expired.");
    let request = Request::builder().uri("/API/rest/v1/sites").header("authorization", "Basic YWRtaW46eA==");
    assert_eq!(api.handle(request.body(Bytes::new()).unwrap()).status(), 401);
}

#[test]
fn outside_of_the_services_iis_answers() {
    let api = shared();
    let token = login(&api, "admin");
    for path in ["/", "/index.html", "/API", "/API//rest/v1/sites", "/IDP/../API/rest/v1/sites"] {
        let reply = send(&api, "GET", path, Some(&token), "");
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["content-type"]),
            (404, &"text/html".parse().unwrap()),
            "{path}"
        );
    }
    for path in ["/%41PI/rest/v1/s%69tes", "/API/rest/v1/sites/"] {
        assert_eq!(send(&api, "GET", path, Some(&token), "").status, 200, "{path}");
    }
    assert_eq!(send(&api, "GET", "/API/rest/v1/sites%2f", Some(&token), "").status, 404);
}

#[test]
fn grants_and_their_errors() {
    let api = shared();
    let ok = grant(
        &api,
        "grant_type=password&username=USER3&password=user3-password&client_id=GrantValidatorClient",
    );
    assert!(ok.headers["cache-control"].to_str().unwrap().contains("no-store"));
    let body = ok.expect(200);
    assert_eq!((body["expires_in"].as_i64(), body["scope"].as_str()), (Some(3600), Some("managementserver")));
    assert!(body.get("refresh_token").is_none());
    assert!(ok.text.contains("\"expires_in\":3600"));
    let wrong = grant(&api, "grant_type=password&username=nobody&password=x&client_id=GrantValidatorClient");
    assert_eq!(
        wrong.text,
        r#"{"error":"invalid_grant","error_description":"invalid_username_or_password","error_code":"InvalidCredentials"}"#
    );
    assert_eq!(wrong.status, 400);
    for (form, error) in [
        ("grant_type=device_code&client_id=VmsClient", "unsupported_grant_type"),
        ("grant_type=password&username=admin&password=admin-password&client_id=x", "invalid_client"),
        ("grant_type=client_credentials&client_id=svc1&client_secret=x", "invalid_client"),
        ("grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret&scope=x", "invalid_scope"),
        ("grant_type=refresh_token&client_id=VmsClient&refresh_token=x", "invalid_grant"),
        ("", "invalid_request"),
    ] {
        assert_eq!(grant(&api, form).expect(400)["error"], error, "{form}");
    }
    let windows = grant(&api, "grant_type=windows_credentials&client_id=GrantValidatorClient");
    assert_eq!(windows.status, 401);
    assert_eq!(windows.headers.get_all("www-authenticate").iter().count(), 2);
}

#[test]
fn refresh_tokens_rotate() {
    let form = "grant_type=password&username=user1&password=user1-password&client_id=VmsClient";
    let refresh = |token: &Value| {
        format!("grant_type=refresh_token&client_id=VmsClient&refresh_token={}", token.as_str().unwrap())
    };
    let api = api(|_| {});
    let first = grant(&api, form).expect(200);
    assert_eq!(api.session_count(), 1);
    let second = grant(&api, &refresh(&first["refresh_token"])).expect(200);
    assert_eq!(api.authenticate(second["access_token"].as_str().unwrap()).unwrap().user, "user1");
    assert_eq!(grant(&api, &refresh(&first["refresh_token"])).expect(400)["error"], "invalid_grant");
    assert_eq!(api.session_count(), 1);
}

#[test]
fn services_log_in_with_and_without_scope() {
    let api = shared();
    for scope in ["", "&scope=managementserver"] {
        let form = format!("grant_type=client_credentials&client_id=svc1&client_secret=svc1-secret{scope}");
        let body = grant(&api, &form).expect(200);
        let caller = api.authenticate(body["access_token"].as_str().unwrap()).unwrap();
        assert_eq!((caller.user.as_str(), caller.role), ("svc1", Role::Service));
    }
}

#[test]
fn wrong_passwords_lock_a_user_out_for_a_while() {
    let api = api(|settings| settings.switches.set("lockout-threshold=3").unwrap());
    let form =
        |password| format!("grant_type=password&username=user1&password={password}&client_id=VmsClient");
    for code in ["InvalidCredentials", "InvalidCredentials", "LockedOut"] {
        assert_eq!(grant(&api, &form("x")).expect(400)["error_code"], code);
    }
    assert_eq!(grant(&api, &form("user1-password")).expect(400)["error_code"], "LockedOut");
    let admin = Client::new(api.clone(), "admin");
    let id = admin.id_of("basicUsers", "user1");
    assert_eq!(admin.get(&format!("basicUsers/{id}")).expect(200)["data"]["status"], "LockedOutBySystem");
    api.set_clock_offset(301);
    grant(&api, &form("user1-password")).expect(200);
    assert_eq!(admin.get(&format!("basicUsers/{id}")).expect(200)["data"]["status"], "Enabled");
}

#[test]
fn a_forced_password_change_is_said() {
    let admin = Client::new(api(|_| {}), "admin");
    let id = admin.id_of("basicUsers", "user1");
    admin.call("PATCH", &format!("basicUsers/{id}"), &json!({ "forcePasswordChange": true })).expect(200);
    let form = "grant_type=password&username=user1&password=user1-password&client_id=VmsClient";
    assert_eq!(grant(&admin.api, form).expect(400)["error_code"], "ChangePassword");
}

#[test]
fn cross_origin_requests_are_a_switch() {
    let preflight = || {
        let request =
            Request::builder().method("OPTIONS").uri("/API/IDP/connect/token").header("origin", "http://x");
        request.header("access-control-request-method", "POST").body(Bytes::new()).unwrap()
    };
    assert!(shared().handle(preflight()).headers().get("access-control-allow-origin").is_none());
    let of = |minor| {
        api(|settings| {
            settings.switches.set("cors=on").unwrap();
            settings.version = Version { major: 22, minor };
        })
    };
    assert_ne!(of(2).handle(preflight()).status(), 204, "not yet known");
    let api = of(3);
    let response = api.handle(preflight());
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://x");
    let allowed = response.headers()["access-control-allow-headers"].to_str().unwrap();
    assert!(allowed.contains("Authorization") && allowed.contains("Content-Type"));
    // Whatever the answer is, a script may read it.
    for (method, path, status) in [
        ("POST", "/IDP/connect/token", 400),
        ("GET", "/IDP/.well-known/openid-configuration", 200),
        ("GET", "/API/rest/v1/sites", 401),
        ("GET", "/API/.well-known/uris", 200),
        ("GET", "/nothing", 404),
    ] {
        let reply = ask(&api, method, path, &[("origin", "http://x")], "");
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["access-control-allow-origin"], "http://x", "{path}");
    }
}

#[test]
fn the_event_clock_sees_one_physical_site() {
    let (one, other) = (shared(), api(|settings| (settings.name, settings.diverge) = ("B".to_owned(), 0.3)));
    let (cameras, fewer) = (one.cameras(), other.cameras());
    assert_eq!(cameras.iter().map(|camera| camera.physical).collect::<Vec<_>>(), (0..50).collect::<Vec<_>>());
    assert!(fewer.len() < 50 && cameras.iter().any(|camera| !camera.enabled));
    let ids: BTreeSet<_> = cameras.iter().map(|camera| &camera.id).collect();
    assert!(fewer.iter().all(|camera| !ids.contains(&camera.id)));
    let motion = one.event_types().into_iter().find(|kind| kind.id.starts_with("6eb95dd6")).unwrap();
    assert_eq!(motion.state_group.as_deref(), Some("720ef62a-78be-418a-8e4c-ee04ffca6429"));
    assert!(one.user_defined_events().len() > 3);
    assert_eq!(one.object_counts()["cameras"], 50);
}

#[test]
fn the_rights_filter_is_the_same_for_sockets() {
    let api = shared();
    let caller = |user| api.authenticate(&login(&api, user)).unwrap();
    let (first, last) = (&api.cameras()[0], &api.cameras()[49]);
    assert!(api.may_see(&caller("user1"), "cameras", &last.id));
    assert!(api.may_see(&caller("user2"), "Cameras", &first.id.to_uppercase()));
    assert!(!api.may_see(&caller("user2"), "cameras", &last.id));
    assert!(!api.may_see(&caller("user2"), "hardware", &last.hardware_id));
    assert!(!api.may_see(&caller("admin"), "cameras", "nonsense"));
    assert!(!api.may_see(&caller("admin"), "nonsense", &first.id));
}

#[test]
fn an_open_socket_loses_what_its_user_loses() {
    let admin = Client::new(api(|settings| settings.cameras = 2), "admin");
    let user = admin.api.authenticate(&login(&admin.api, "user1")).unwrap();
    let camera = admin.ids("cameras")[0].clone();
    assert!(admin.api.may_see(&user, "cameras", &camera));
    let role = admin.id_of("roles", "Operators");
    let remove = json!({ "itemSelection": format!("users/{}", user.sid.to_lowercase()) });
    admin.call("POST", &format!("roles/{role}/users?task=RemoveRoleMember"), &remove).expect(200);
    assert!(!admin.api.may_see(&user, "cameras", &camera));
}

#[test]
fn a_large_site_starts_quickly() {
    let start = Instant::now();
    let api = api(|settings| settings.cameras = 5000);
    assert_eq!(api.cameras().len(), 5000);
    // Three seconds on an idle machine; the test machine may be busy.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    println!("5000 cameras: {:?}", start.elapsed());
}

#[test]
fn settings_out_of_range_are_refused() {
    let settings = Settings { diverge: 1.5, ..Settings::default() };
    assert!(matches!(Api::new(settings), Err(ApiError::Setting(_))));
}
