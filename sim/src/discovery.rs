//! Discovery documents (sheet 1.1 and 1.2). Every address comes from the settings, none from the request.

use serde_json::{Map, Value, json};

use crate::{identity::Identity, settings::Settings, switches::JWKS};

/// `/API/.well-known/uris`.
pub fn uris(settings: &Settings) -> Value {
    let url = &settings.public_url;
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let secure = url.starts_with("https://");
    // An instance without TLS has no secure address (sheet 0: encryption is one setting for the whole site).
    json!({
        "ProductVersion": settings.version.product(),
        "UnsecureManagementServer": format!("http://{rest}/"),
        "SecureManagementServer": if secure { format!("https://{rest}/") } else { String::new() },
        "IdentityProvider": format!("{url}/IDP"),
        "ApiGateways": [format!("{url}/API/")],
    })
}

/// `/IDP/.well-known/openid-configuration`. Names nothing that this instance does not serve.
pub fn openid(settings: &Settings, identity: &Identity) -> Value {
    let idp = format!("{}/IDP", settings.public_url);
    let mut document = Map::new();
    let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
    add("issuer", identity.issuer.clone().into());
    if settings.switches.on(&JWKS) {
        add("jwks_uri", format!("{idp}/.well-known/openid-configuration/jwks").into());
    }
    add("authorization_endpoint", format!("{idp}/connect/authorize").into());
    add("token_endpoint", format!("{idp}/connect/token").into());
    add("userinfo_endpoint", format!("{idp}/connect/userinfo").into());
    add("end_session_endpoint", format!("{idp}/connect/endsession").into());
    add("revocation_endpoint", format!("{idp}/connect/revocation").into());
    add("external_providers_uri", format!("{idp}/externalProviders").into());
    add("scopes_supported", json!(["managementserver", "openid", "profile", "offline_access"]));
    add(
        "grant_types_supported",
        json!([
            "password",
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "windows_credentials",
            "windows_auth"
        ]),
    );
    add("response_types_supported", json!(["code"]));
    add("response_modes_supported", json!(["query"]));
    add("code_challenge_methods_supported", json!(["S256"]));
    add(
        "token_endpoint_auth_methods_supported",
        json!(["none", "client_secret_post", "client_secret_basic"]),
    );
    add("revocation_endpoint_auth_methods_supported", json!(["none"]));
    add("claims_supported", json!(["sub", "name", "auth_time", "idp", "amr"]));
    add("id_token_signing_alg_values_supported", json!(["RS256"]));
    add("subject_types_supported", json!(["public"]));
    add("server_version", settings.version.product().into());
    document.into()
}
