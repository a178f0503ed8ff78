#![allow(clippy::unwrap_used)]
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::rsa_jwk;
use crate::testing::signer::{Signer, base64};

fn skipped(jwk: &Value) -> Vec<Skipped> {
    let set = KeySet::parse(&json!({"keys": [jwk]}));
    assert!(set.is_empty(), "{jwk}");
    set.skipped().to_vec()
}

fn with(member: &str, value: Value) -> Value {
    let mut jwk = rsa_jwk("K");
    jwk[member] = value;
    jwk
}

#[test]
fn a_key_serves_its_own_algorithms() {
    let (rsa, p256) = (Signer::rsa("R"), Signer::p256("E"));
    let set = KeySet::parse(&json!({"keys": [rsa.jwk(), p256.jwk()]}));
    assert_eq!(set.skipped(), []);
    for (signer, name, algorithm) in [
        (&rsa, "RS256", Algorithm::Rs256),
        (&rsa, "PS256", Algorithm::Ps256),
        (&p256, "ES256", Algorithm::Es256),
    ] {
        assert_eq!(Algorithm::from_name(name), Some(algorithm));
        let token = signer.token(name, &json!({}));
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let key = set.find(&signer.kid).unwrap();
        for other in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256] {
            let checked = key.check(other, message.as_bytes(), &signature);
            assert_eq!(checked.is_ok(), other == algorithm, "{name} as {other:?}");
        }
        let bent = message.replace('.', ",");
        assert_eq!(key.check(algorithm, bent.as_bytes(), &signature), Err(CheckError::Signature));
    }
    assert!(set.find("X").is_none());
}

#[test]
fn a_key_that_names_an_algorithm_serves_no_other() {
    let signer = Signer::rsa("R");
    let mut jwk = signer.jwk();
    jwk["alg"] = "RS256".into();
    let set = KeySet::parse(&json!({"keys": [jwk]}));
    assert_eq!(set.find("R").unwrap().check(Algorithm::Ps256, b"", b""), Err(CheckError::Algorithm));
}

#[test]
fn what_cannot_check_a_token_is_left_out() {
    for (jwk, why) in [
        (json!(null), Skipped::NoId),
        (json!({"kty": "RSA"}), Skipped::NoId),
        (with("kid", json!("")), Skipped::NoId),
        (with("kid", json!("x".repeat(MAX_ID + 1))), Skipped::NoId),
        (with("kid", json!(5)), Skipped::NoId),
        (with("use", json!("enc")), Skipped::OtherUse),
        (with("kty", json!("oct")), Skipped::OtherType),
        (with("kty", json!("OKP")), Skipped::OtherType),
        (with("alg", json!("RS512")), Skipped::OtherAlgorithm),
        (with("alg", json!("HS256")), Skipped::OtherAlgorithm),
        (with("alg", json!("none")), Skipped::OtherAlgorithm),
        (with("alg", json!("ES256")), Skipped::OtherAlgorithm),
        (with("n", json!(null)), Skipped::Broken),
        (with("n", json!("!")), Skipped::Broken),
        (with("n", json!(base64(&[0xff; 128]))), Skipped::Size),
        (with("n", json!(base64(&[&[1][..], &[0xff; 1024]].concat()))), Skipped::Size),
        (with("n", json!("A".repeat(1 << 20))), Skipped::Size),
        (with("n", json!(base64(&[0xfe; 256]))), Skipped::Broken),
        (with("e", json!("AQ")), Skipped::Broken),
        (with("e", json!("Ag")), Skipped::Broken),
        (with("e", json!("")), Skipped::Broken),
        (with("e", json!(base64(&[0xff; 8]))), Skipped::Broken),
        (json!({"kty": "EC", "crv": "P-384", "kid": "K"}), Skipped::OtherType),
        (json!({"kty": "EC", "crv": "P-256", "kid": "K", "x": "AA", "y": "AA"}), Skipped::Broken),
        (
            json!({"kty": "EC", "crv": "P-256", "kid": "K", "x": base64(&[1; 32]), "y": base64(&[1; 32])}),
            Skipped::Broken,
        ),
    ] {
        assert_eq!(skipped(&jwk), [why], "{jwk}");
    }
    for document in [json!(null), json!([]), json!({"keys": {}}), json!("keys")] {
        assert_eq!(KeySet::parse(&document).skipped(), [Skipped::NoList]);
    }
}

#[test]
fn the_sign_byte_of_a_number_does_no_harm() {
    let n = URL_SAFE_NO_PAD.decode(rsa_jwk("K")["n"].as_str().unwrap()).unwrap();
    let padded = with("n", json!(base64(&[&[0][..], &n].concat())));
    let set = |jwk: Value| KeySet::parse(&json!({"keys": [jwk]}));
    assert!(set(padded.clone()).find("K").is_some());
    assert_eq!(set(padded), set(rsa_jwk("K")));
}

#[test]
fn two_keys_under_one_id_are_none() {
    let (one, other) = (rsa_jwk("K"), Signer::p256("K").jwk());
    let set = KeySet::parse(&json!({"keys": [one, other, one, rsa_jwk("L")]}));
    assert!(set.find("K").is_none());
    assert!(set.find("L").is_some());
    assert_eq!(set.skipped(), [Skipped::SameId]);
    let twice = KeySet::parse(&json!({"keys": [one, one]}));
    assert!(twice.find("K").is_some(), "the same key twice is one key");
}

#[test]
fn the_number_of_keys_is_bounded() {
    let keys: Vec<Value> = (0..1000).map(|n| rsa_jwk(&n.to_string())).collect();
    let set = KeySet::parse(&json!({ "keys": keys }));
    assert_eq!(set.keys.len(), MAX_KEYS);
    assert_eq!(set.skipped(), [Skipped::TooMany]);
}

proptest! {
    #[test]
    fn any_members_are_read_without_panic(
        kty in prop::sample::select(vec!["RSA", "EC", "oct", ""]),
        n in "[A-Za-z0-9_-]{0,400}", e in "[A-Za-z0-9_-]{0,8}",
        x in prop::collection::vec(any::<u8>(), 30..34), y in prop::collection::vec(any::<u8>(), 30..34),
    ) {
        let jwk = json!({
            "kid": "K", "kty": kty, "crv": "P-256", "n": n, "e": e, "x": base64(&x), "y": base64(&y),
        });
        let set = KeySet::parse(&json!({ "keys": [jwk] }));
        if let Some(key) = set.find("K") {
            for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256] {
                prop_assert!(key.check(algorithm, b"m", &[0; 256]).is_err());
            }
        }
    }
}
