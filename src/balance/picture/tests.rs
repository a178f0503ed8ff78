#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;
use crate::clock::Moment;
use crate::config::types::FailbackMode;
use crate::health::fixtures::pure_config;

const HQ: SiteId = SiteId(0);
const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);

fn initial(instances: usize) -> Picture {
    let config = Arc::new(pure_config(instances, FailbackMode::Manual));
    Picture::initial(config, Vec::new(), Moment::default())
}

fn documents(issuer: &str, kid: &str) -> Option<Arc<Documents>> {
    let openid = json!({"issuer": issuer, "token_endpoint": format!("{issuer}/connect/token")});
    let jwks = json!({"keys": [{"kid": kid}]});
    Documents::assemble(openid, Some(jwks), None, Moment::default()).map(Arc::new)
}

#[test]
fn a_token_s_home_is_found_by_key_and_issuer() {
    let mut p = initial(2);
    p.documents = vec![documents("https://a/IDP", "KA"), documents("https://b/IDP", "KB")];
    assert_eq!(p.home_of_kid(HQ, "KB"), Some(B));
    assert_eq!(p.home_of_kid(HQ, "KC"), None);
    assert_eq!(p.home_of_issuer(HQ, "https://a/IDP"), Some(A));
    p.documents = vec![documents("https://x/IDP", "KA"), documents("https://x/IDP", "KB")];
    assert_eq!(p.home_of_issuer(HQ, "https://x/IDP"), None, "two claim it: nobody gets it");
    p.documents = vec![documents("https://a/IDP", "KA"), documents("https://b/IDP", "KA")];
    assert_eq!(p.home_of_kid(HQ, "KA"), None, "so with keys");
    assert_eq!(p.home_of_issuer(HQ, "https://a/IDP"), Some(A), "the issuer decides then");
}

#[test]
fn changes_are_told_by_name_across_a_reload() {
    let before = initial(2);
    let mut config = pure_config(2, FailbackMode::Manual);
    config.instances[0].name = "z".into();
    let after = Picture::initial(Arc::new(config), Vec::new(), Moment::default());
    let changes = after.changes_since(&before);
    assert_eq!(changes.len(), Service::XPROTECT.len());
    assert_eq!((changes[0].from.as_deref(), changes[0].to.as_deref()), (Some("a"), Some("z")));
    assert!(changes.iter().all(|c| c.home), "the primary under another name");
    assert!(after.changes_since(&after).is_empty());
}

#[test]
fn overrides_hold_by_name() {
    let config = Arc::new(pure_config(2, FailbackMode::Manual));
    let drain = |instance: &str, kind| Override {
        instance: instance.into(),
        kind,
        reason: "r".into(),
        by: "b".into(),
        since_unix: 1,
    };
    let overrides = vec![drain("b", OverrideKind::Quarantine), drain("gone", OverrideKind::Drain)];
    let p = Picture::initial(config, overrides, Moment::default());
    assert!(p.quarantined(B) && !p.quarantined(A));
    assert!(!p.usable(B, Service::Config) && p.usable(A, Service::Config));
    let json = serde_json::to_string(&p.overrides[0]).unwrap();
    assert_eq!(json, r#"{"instance":"b","kind":"quarantine","reason":"r","by":"b","since_unix":1}"#);
    assert_eq!(serde_json::from_str::<Override>(&json).unwrap(), p.overrides[0]);
}
