#![allow(clippy::unwrap_used)]
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::balance::overrides::Override;
use crate::balance::{OverrideKind, Picture};
use crate::clock::Moment;
use crate::testing;
use crate::testing::signer::{Signer, base64, claims};

const HQ: SiteId = SiteId(0);
const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);
const ISS_A: &str = "https://a.example/IDP";
const ISS_B: &str = "https://b.example/IDP";
const NOW: i64 = 1_900_000_000;

static KEY_A: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("KA"));
static KEY_B: LazyLock<Signer> = LazyLock::new(|| Signer::p256("KB"));

fn documents(issuer: &str, jwks: Option<Value>) -> Option<Arc<Documents>> {
    let openid = json!({"issuer": issuer, "token_endpoint": "t", "jwks_uri": "https://x/keys"});
    Documents::assemble(openid, jwks, None, Moment::default()).map(Arc::new)
}

fn picture_of(validate: Validate, quarantined: &[&str]) -> Picture {
    let mut config = testing::config("hq", &["a", "b"]);
    config.validate = validate;
    let hold = |name: &&str| Override {
        instance: (*name).into(),
        kind: OverrideKind::Quarantine,
        reason: "r".into(),
        by: "b".into(),
        since_unix: 1,
    };
    let overrides = quarantined.iter().map(hold).collect();
    let mut picture = Picture::initial(Arc::new(config), overrides, Moment::default());
    picture.documents = vec![documents(ISS_A, Some(KEY_A.jwks())), documents(ISS_B, Some(KEY_B.jwks()))];
    picture
}

fn picture() -> Picture {
    picture_of(Validate::Auto, &[])
}

fn judge(token: &str) -> Result<InstanceId, Refusal> {
    judge_in(&picture(), token)
}

fn judge_in(picture: &Picture, token: &str) -> Result<InstanceId, Refusal> {
    validate(picture, HQ, token, NOW).map(|(accepted, _)| accepted.home)
}

/// A token of A whose claims are changed first.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut all = claims(ISS_A, NOW);
    change(&mut all);
    KEY_A.token("RS256", &all)
}

fn with(name: &str, value: Value) -> String {
    changed(|all| all[name] = value)
}

#[test]
fn good_tokens_find_their_home_and_say_who_it_is() {
    for (token, home) in [
        (KEY_A.token("RS256", &claims(ISS_A, NOW)), A),
        (KEY_A.token("PS256", &claims(ISS_A, NOW)), A),
        (KEY_B.token("ES256", &claims(ISS_B, NOW)), B),
    ] {
        assert_eq!(judge(&token), Ok(home));
    }
    let picture = picture();
    let (accepted, keys) = validate(&picture, HQ, &changed(|_| {}), NOW).unwrap();
    let said = accepted.claims.unwrap();
    assert_eq!((&*said.kid, said.name.as_deref(), said.idp.as_deref()), ("KA", Some("user1"), Some("local")));
    assert_eq!(said.subject.as_deref(), Some("0F5C0E5B-2C0B-4C3C-9C9F-3C0F1E7B9A10"));
    assert_eq!((said.not_before, said.expires), (Some(NOW), NOW + 3600));
    assert_eq!(said.amr.iter().map(|a| &**a).collect::<Vec<_>>(), ["pwd"]);
    assert!(Arc::ptr_eq(&keys.unwrap(), picture.documents(A).unwrap().keys.set().unwrap()));
}

#[test]
fn what_real_tokens_may_leave_out_or_write_otherwise() {
    // A service token has no user; an audience may stand alone.
    let service = changed(|all| {
        for name in ["sub", "name", "amr", "idp", "auth_time", "updated_at", "nbf"] {
            all.as_object_mut().unwrap().remove(name);
        }
    });
    for good in [
        service,
        with("aud", json!("managementserver")),
        with("aud", json!(format!("{ISS_A}/resources"))),
        with("amr", json!("pwd")),
        with("custom", json!({"deep": [1, 2, {"er": null}]})),
        KEY_A.seal(
            "RS256",
            br#"{"alg":"RS256","kid":"KA","typ":"at+jwt"}"#,
            claims(ISS_A, NOW).to_string().as_bytes(),
        ),
    ] {
        assert_eq!(judge(&good), Ok(A));
    }
}

#[test]
fn the_clocks_may_differ_by_a_minute() {
    for (name, value, judged) in [
        ("exp", NOW - LEEWAY + 1, Ok(A)),
        ("exp", NOW - LEEWAY, Err(Refusal::Expired)),
        ("exp", i64::MIN, Err(Refusal::Expired)),
        ("exp", i64::MAX, Ok(A)),
        ("nbf", NOW + LEEWAY, Ok(A)),
        ("nbf", NOW + LEEWAY + 1, Err(Refusal::NotYet)),
        ("nbf", i64::MAX, Err(Refusal::NotYet)),
    ] {
        assert_eq!(judge(&with(name, json!(value))), judged, "{name} {value}");
    }
}

#[test]
fn claims_that_are_wrong_though_signed() {
    let remove = |name: &'static str| changed(move |all| drop(all.as_object_mut().unwrap().remove(name)));
    for (token, why) in [
        (with("aud", json!("VmsClient")), Refusal::Audience),
        (with("aud", json!(["other", "https://b.example/IDP/resources"])), Refusal::Audience),
        (with("aud", json!("https://a.example/IDP/resources/x")), Refusal::Audience),
        (with("aud", json!([])), Refusal::Audience),
        (remove("aud"), Refusal::Audience),
        (with("aud", json!(5)), Refusal::Malformed),
        (with("iss", json!(ISS_B)), Refusal::Issuer),
        (with("iss", json!("https://A.example/IDP")), Refusal::Issuer),
        (remove("iss"), Refusal::Issuer),
        (remove("exp"), Refusal::Malformed),
        (with("exp", json!("soon")), Refusal::Malformed),
        (with("exp", json!(1e300)), Refusal::Malformed),
        (with("name", json!("x".repeat(MAX_TEXT + 1))), Refusal::Malformed),
        (with("amr", json!(vec!["x"; MAX_TEXT + 1])), Refusal::Malformed),
        (with("name", json!("x".repeat(MAX_TOKEN))), Refusal::TooLarge),
    ] {
        assert_eq!(judge(&token), Err(why), "{}", &token[..token.len().min(400)]);
    }
}

#[test]
fn members_that_stand_twice_are_not_guessed_at() {
    let body = claims(ISS_A, NOW).to_string();
    let twice = |member: &str| {
        let body = format!("{{{member},{}", &body[1..]);
        KEY_A.seal("RS256", br#"{"alg":"RS256","kid":"KA"}"#, body.as_bytes())
    };
    for member in [
        "\"iss\":\"x\"",
        "\"exp\":1",
        "\"aud\":\"managementserver\"",
        "\"sub\":\"\\u0041\"",
        "\"n\\u0061me\":\"y\"",
    ] {
        assert_eq!(judge(&twice(member)), Err(Refusal::Malformed), "{member}");
    }
    for header in [
        r#"{"alg":"RS256","alg":"RS256","kid":"KA"}"#,
        r#"{"alg":"RS256","kid":"KB","kid":"KA"}"#,
        r#"{"alg":"RS256","kid":"KA","crit":["exp"]}"#,
        r#"{"alg":"RS256"}"#,
        r#"{"kid":"KA"}"#,
        r#"["RS256","KA",null]x"#,
        "",
    ] {
        assert_eq!(
            judge(&KEY_A.seal("RS256", header.as_bytes(), body.as_bytes())),
            Err(Refusal::Malformed),
            "{header}"
        );
    }
}

#[test]
fn algorithms() {
    let body = claims(ISS_A, NOW).to_string();
    let named = |alg: &str| {
        let header = json!({"alg": alg, "kid": "KA"}).to_string();
        KEY_A.seal("RS256", header.as_bytes(), body.as_bytes())
    };
    for alg in
        ["none", "None", "NONE", "nOnE", "HS256", "HS512", "RS512", "RS384", "ES384", "EdDSA", "rs256", ""]
    {
        assert_eq!(judge(&named(alg)), Err(Refusal::Algorithm), "{alg}");
    }
    assert_eq!(judge(&named("PS256")), Err(Refusal::Signature), "RS256 called PS256");
    assert_eq!(judge(&named("ES256")), Err(Refusal::Algorithm), "an RSA key does not do ES256");
    // The classic: the public key, which everybody has, as the secret of an HMAC.
    let unsigned = format!("{}.{}", base64(br#"{"alg":"HS256","kid":"KA"}"#), base64(body.as_bytes()));
    let public = KEY_A.jwk()["n"].as_str().unwrap().to_owned();
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&secret, unsigned.as_bytes());
    assert_eq!(judge(&format!("{unsigned}.{}", base64(tag.as_ref()))), Err(Refusal::Algorithm));
    let none = format!("{}.{}.", base64(br#"{"alg":"none","kid":"KA"}"#), base64(body.as_bytes()));
    assert_eq!(judge(&none), Err(Refusal::Algorithm));
}

#[test]
fn keys_and_signatures_of_others() {
    let (stranger, again) = (Signer::rsa("KX"), Signer::rsa("KA"));
    assert_eq!(judge(&stranger.token("RS256", &claims(ISS_A, NOW))), Err(Refusal::UnknownKey));
    assert_eq!(judge(&again.token("RS256", &claims(ISS_A, NOW))), Err(Refusal::Signature));
    // B signs what it calls a token of A, under either key's name.
    assert_eq!(judge(&KEY_B.token("ES256", &claims(ISS_A, NOW))), Err(Refusal::Issuer));
    let forged =
        KEY_B.seal("ES256", br#"{"alg":"ES256","kid":"KA"}"#, claims(ISS_A, NOW).to_string().as_bytes());
    assert_eq!(judge(&forged), Err(Refusal::Algorithm));
    let good = changed(|_| {});
    let (message, _) = good.rsplit_once('.').unwrap();
    for cut in [message, &good[..good.len() - 1], &good[1..], &good[..40], "", ".", "..", "...", "a.b.c"] {
        assert!(judge(cut).is_err(), "{cut}");
    }
    assert_eq!(judge(&format!("{message}.")), Err(Refusal::Signature));
    assert_eq!(judge(&format!("{good}=")), Err(Refusal::Malformed), "padded");
    assert_eq!(judge(&format!("{good}.x")), Err(Refusal::Malformed), "five parts are encrypted tokens");
    assert_eq!(judge(&"x".repeat(64 * 1024)), Err(Refusal::TooLarge));
}

#[test]
fn a_key_that_both_claim_belongs_to_the_issuer() {
    let mut picture = picture();
    let good = changed(|_| {});
    picture.documents[1] = documents(ISS_B, Some(KEY_A.jwks()));
    assert_eq!(
        judge_in(&picture, &good),
        Ok(A),
        "publishing another's key does not make its tokens unusable"
    );
    picture.documents[1] = documents(ISS_A, Some(KEY_A.jwks()));
    assert_eq!(judge_in(&picture, &good), Err(Refusal::UnknownKey), "two with one name: nobody gets it");
    picture.documents[1] = documents(ISS_A, Some(KEY_B.jwks()));
    assert_eq!(judge_in(&picture, &good), Ok(A), "a copied machine with keys of its own");
    let mut claimed = KEY_B.jwks();
    claimed["keys"][0]["kid"] = json!("KA");
    picture.documents[1] = documents(ISS_A, Some(claimed));
    assert_eq!(judge_in(&picture, &good), Ok(A), "the name and the key's id, but not the key");
    let forged =
        KEY_B.seal("ES256", br#"{"alg":"ES256","kid":"KA"}"#, claims(ISS_A, NOW).to_string().as_bytes());
    assert_eq!(judge_in(&picture, &forged), Ok(B), "who has signed it may have it");
}

#[test]
fn a_hostile_home_proves_nothing_and_disturbs_nobody() {
    let (of_a, of_b) = (changed(|_| {}), KEY_B.token("ES256", &claims(ISS_B, NOW)));
    let mut picture = picture_of(Validate::Auto, &["b"]);
    assert_eq!(judge_in(&picture, &of_b), Err(Refusal::Quarantined));
    assert_eq!(judge_in(&picture, &of_a), Ok(A));
    picture.documents[1] = documents(ISS_A, Some(KEY_A.jwks()));
    assert_eq!(judge_in(&picture, &of_a), Ok(A), "its claim on another's tokens ends with the quarantine");
}

#[test]
fn unread_keys_and_opaque_tokens() {
    let mut picture = picture();
    let of_a = changed(|_| {});
    picture.documents[0] = documents(ISS_A, None);
    assert_eq!(judge_in(&picture, &of_a), Err(Refusal::UnknownKey), "the keys may come");
    let openid = json!({"issuer": ISS_A, "token_endpoint": "t"});
    picture.documents[0] = Documents::assemble(openid, None, None, Moment::default()).map(Arc::new);
    let (accepted, keys) = validate(&picture, HQ, &of_a, NOW).unwrap();
    assert_eq!((accepted.home, accepted.claims.is_none(), keys.is_none()), (A, true, true));
    let bent = format!("{}x", of_a);
    assert_eq!(judge_in(&picture, &bent), Ok(A), "only A can tell");
    // What B issues is still checked; what names nobody goes nowhere.
    assert_eq!(judge_in(&picture, &KEY_B.token("ES256", &claims(ISS_B, NOW))), Ok(B));
    let forged =
        KEY_A.seal("RS256", br#"{"alg":"RS256","kid":"KB"}"#, claims(ISS_B, NOW).to_string().as_bytes());
    assert!(judge_in(&picture, &forged).is_err());
    assert_eq!(judge_in(&picture, "0123456789abcdef"), Err(Refusal::Malformed));
}

#[test]
fn unchecked_on_request() {
    let mut picture = picture_of(Validate::Never, &[]);
    let expired = with("exp", json!(1));
    assert_eq!(judge_in(&picture, &expired), Ok(A));
    assert_eq!(judge_in(&picture, &Signer::rsa("KX").token("RS256", &claims(ISS_B, NOW))), Ok(B));
    assert!(judge_in(&picture, "opaque").is_err());
    picture = picture_of(Validate::Never, &["a"]);
    assert_eq!(judge_in(&picture, &expired), Err(Refusal::Quarantined));
}

proptest! {
    /// Nothing that differs from a good token in any bit is good.
    #[test]
    fn a_changed_token_is_refused(which in 0..3_usize, at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let tokens = [
            KEY_A.token("RS256", &claims(ISS_A, NOW)),
            KEY_A.token("PS256", &claims(ISS_A, NOW)),
            KEY_B.token("ES256", &claims(ISS_B, NOW)),
        ];
        let mut bytes = tokens[which].clone().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(judge(&text).is_err(), "byte {at} bit {bit}");
        }
    }

    #[test]
    fn pieces_of_tokens_are_refused(from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(), twice in any::<bool>()) {
        let good = changed(|_| {});
        let (from, to) = (from.index(good.len()), to.index(good.len()));
        let piece = &good[from.min(to)..from.max(to)];
        prop_assert!(judge(piece).is_err());
        if twice {
            let longer = [&*good, piece].concat();
            prop_assert!(judge(&longer).is_err() || piece.is_empty());
        }
    }

    #[test]
    fn any_text_is_refused_without_panic(header in "\\PC{0,60}", body in "\\PC{0,60}", rest in "\\PC{0,60}") {
        prop_assert!(judge(&rest).is_err());
        let sealed = KEY_B.seal("ES256", header.as_bytes(), body.as_bytes());
        prop_assert!(judge(&sealed).is_err());
    }
}
