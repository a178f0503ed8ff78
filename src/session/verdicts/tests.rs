#![allow(clippy::unwrap_used)]
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::balance::OverrideKind;
use crate::balance::overrides::Override;
use crate::clock::Moment;
use crate::session::validate::LEEWAY;
use crate::testing;
use crate::testing::signer::{Signer, claims};
use crate::vms::documents::Documents;

const HQ: SiteId = SiteId(0);
const NOW: i64 = 1_900_000_000;
static KEY: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("K"));

fn documents(issuer: &str, jwks: Value) -> Documents {
    let openid = json!({"issuer": issuer, "token_endpoint": "t"});
    Documents::assemble(openid, Some(jwks), None, Moment::default()).unwrap()
}

fn picture(first: &str) -> Picture {
    let config = testing::config("hq", &[first, "other"]);
    Picture::initial(Arc::new(config), Vec::new(), Moment::default())
}

struct Case {
    verdicts: Verdicts,
    token: String,
    hash: Hash,
    picture: Picture,
}

/// A token of the first instance that has been found good.
fn case() -> Case {
    let token = KEY.token("RS256", &claims("https://a/IDP", NOW));
    let hash = Hash::of(token.as_bytes());
    let mut picture = picture("a");
    picture.documents[0] = Some(Arc::new(documents("https://a/IDP", KEY.jwks())));
    let case = Case { verdicts: Verdicts::default(), token, hash, picture };
    case.verdicts.check(&case.picture, HQ, &case.token, case.hash, NOW).unwrap();
    assert!(case.is_known(&case.picture, NOW));
    case
}

impl Case {
    /// A text that is no token passes only if the verdict is remembered under this fingerprint.
    fn is_known(&self, picture: &Picture, now: i64) -> bool {
        self.verdicts.check(picture, HQ, "", self.hash, now).is_ok()
    }
}

#[test]
fn a_verdict_ends_with_its_token() {
    let case = case();
    let end = NOW + 3600 + LEEWAY;
    assert!(case.is_known(&case.picture, end - 1));
    assert!(!case.is_known(&case.picture, end));
}

#[test]
fn a_verdict_ends_with_the_keys_that_it_came_from() {
    let case = case();
    let mut next = case.picture.clone();
    let renew = |picture: &mut Picture, issuer: &str, jwks: Value| {
        let old = case.picture.documents(InstanceId(0)).unwrap();
        picture.documents[0] = Some(Arc::new(documents(issuer, jwks).or_from(old)));
    };
    renew(&mut next, "https://a/IDP", KEY.jwks());
    assert!(case.is_known(&next, NOW), "read again, the same");
    renew(&mut next, "https://a/IDP", json!({"keys": [KEY.jwk(), testing::rsa_jwk("L")]}));
    assert!(!case.is_known(&next, NOW), "another set");
    assert!(
        case.verdicts.check(&next, HQ, &case.token, case.hash, NOW).is_ok(),
        "but the key is still in it"
    );
    renew(&mut next, "https://a/IDP", json!({"keys": [testing::rsa_jwk("L")]}));
    assert_eq!(case.verdicts.check(&next, HQ, &case.token, case.hash, NOW).unwrap_err(), Refusal::UnknownKey);
    renew(&mut next, "https://rebuilt/IDP", KEY.jwks());
    assert!(!case.is_known(&next, NOW), "another issuer");
}

#[test]
fn a_verdict_is_for_the_instance_not_for_its_place() {
    let case = case();
    let mut turned = picture("x");
    turned.documents[1] = case.picture.documents[0].clone();
    let accepted = case.verdicts.check(&turned, HQ, "", case.hash, NOW).unwrap();
    assert_eq!(accepted.home, InstanceId(1));
    assert!(!case.is_known(&picture("x"), NOW), "the instance has left the site");
}

#[test]
fn a_rival_or_a_quarantine_makes_the_token_be_judged_anew() {
    let case = case();
    let mut rival = case.picture.clone();
    rival.documents[1] = Some(Arc::new(documents("https://a/IDP", KEY.jwks())));
    assert!(!case.is_known(&rival, NOW));
    let hold = Override {
        instance: "a".into(),
        kind: OverrideKind::Quarantine,
        reason: "r".into(),
        by: "b".into(),
        since_unix: 1,
    };
    let mut held = Picture::initial(Arc::clone(&case.picture.config), vec![hold], Moment::default());
    held.documents = case.picture.documents.clone();
    assert_eq!(
        case.verdicts.check(&held, HQ, &case.token, case.hash, NOW).unwrap_err(),
        Refusal::Quarantined
    );
}

#[test]
fn the_table_is_bounded() {
    let case = case();
    let claims = Arc::clone(&case.verdicts.0.borrow().get(&case.hash).unwrap().claims);
    let keys = Arc::clone(case.picture.documents(InstanceId(0)).unwrap().keys.set().unwrap());
    let verdict = || Verdict { claims: Arc::clone(&claims), keys: Arc::clone(&keys) };
    for n in 0..3 * GENERATION {
        case.verdicts.0.borrow_mut().insert(Hash::of(&n.to_le_bytes()), verdict());
    }
    let size = case.verdicts.0.borrow().len();
    assert!(size <= 2 * GENERATION, "{size}");
    assert!(!case.is_known(&case.picture, NOW), "the oldest are forgotten first");
}
