//! Every kind of bad token, over every kind of request.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::client::{Reply, call, login};
use crate::support::signer::{Signer, base64};
use crate::support::ws::Events;
use crate::{Stage, cameras, claims, key_of};

struct Bad {
    name: &'static str,
    reason: &'static str,
    token: String,
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Tokens that differ from the good one of a in one thing.
fn cases(good: &str) -> Vec<Bad> {
    let (a, b, said) = (key_of("a"), key_of("b"), claims(good));
    let text = said.to_string();
    let with = |name: &str, value: Value| {
        let mut all = said.clone();
        all[name] = value;
        a.token("RS256", &all)
    };
    let header =
        |text: &str| a.seal("RS256", text.replace("KID", &a.kid).as_bytes(), said.to_string().as_bytes());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let hmac = {
        let message = format!(
            "{}.{}",
            base64(json!({"alg": "HS256", "kid": a.kid}).to_string().as_bytes()),
            base64(text.as_bytes())
        );
        let secret = aws_lc_rs::hmac::Key::new(
            aws_lc_rs::hmac::HMAC_SHA256,
            a.jwk()["n"].as_str().unwrap().as_bytes(),
        );
        format!("{message}.{}", base64(aws_lc_rs::hmac::sign(&secret, message.as_bytes()).as_ref()))
    };
    let none = format!(
        "{}.{}.",
        base64(json!({"alg": "none", "kid": a.kid}).to_string().as_bytes()),
        base64(text.as_bytes())
    );
    let twice = format!("{{\"sub\":\"S-1-5-18\",{}", &text[1..]);
    let under = |signer: &Signer, kid: &str| {
        signer.seal("RS256", json!({"alg": "RS256", "kid": kid}).to_string().as_bytes(), text.as_bytes())
    };
    let flipped =
        format!("{message}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    let bad = |name, reason, token: String| Bad { name, reason, token };
    vec![
        bad("none", "invalid-token", none),
        bad("hmac-with-public-key", "invalid-token", hmac),
        bad("rs512", "invalid-token", header(r#"{"alg":"RS512","kid":"KID"}"#)),
        bad("es256-for-an-rsa-key", "invalid-token", header(r#"{"alg":"ES256","kid":"KID"}"#)),
        bad("algorithm-twice", "invalid-token", header(r#"{"alg":"RS256","alg":"none","kid":"KID"}"#)),
        bad(
            "critical-extension",
            "invalid-token",
            header(r#"{"alg":"RS256","kid":"KID","crit":["x"],"x":1}"#),
        ),
        bad("no-kid", "invalid-token", header(r#"{"alg":"RS256"}"#)),
        bad(
            "subject-twice",
            "invalid-token",
            a.seal("RS256", json!({"alg": "RS256", "kid": a.kid}).to_string().as_bytes(), twice.as_bytes()),
        ),
        bad("another-audience", "invalid-token", with("aud", json!(["VmsClient"]))),
        bad("no-audience", "invalid-token", with("aud", json!([]))),
        bad("audience-of-b", "invalid-token", with("aud", json!(["https://b.vms.example/IDP/resources"]))),
        bad("issuer-b", "unknown-token", with("iss", json!("https://b.vms.example/IDP"))),
        bad("not-yet", "token-too-early", with("nbf", json!(now() + 3600))),
        bad("expired", "token-expired", with("exp", json!(now() - 3600))),
        bad("never-ends", "invalid-token", with("exp", json!(1e300))),
        bad("huge-name", "invalid-token", with("name", json!("n".repeat(5000)))),
        bad("huge-claims", "invalid-token", with("padding", json!("p".repeat(30_000)))),
        bad("signature-changed", "unknown-token", flipped),
        bad("signature-cut", "unknown-token", good[..good.len() - 2].to_owned()),
        bad("signature-missing", "unknown-token", format!("{message}.")),
        bad("two-parts", "invalid-token", message.to_owned()),
        bad("half", "invalid-token", good[..good.len() / 2].to_owned()),
        bad("five-parts", "invalid-token", format!("{good}.x.y")),
        bad("signed-by-b", "unknown-token", under(&b, &a.kid)),
        bad("kid-of-b", "unknown-token", under(&a, &b.kid)),
        bad("signed-by-a-stranger", "unknown-token", under(&Signer::rsa("KX"), "KX")),
        bad("garbage", "invalid-token", "garbage".to_owned()),
        bad("empty", "invalid-token", String::new()),
        bad("kilobytes", "invalid-token", "k".repeat(64 * 1024)),
        bad("kilobytes-with-dots", "invalid-token", "k.".repeat(32 * 1024)),
    ]
}

/// A soap call of the kind that takes tokens.
fn soap(mark: &str, token: &str) -> crate::support::client::Call {
    call("POST", &format!("/ManagementServer/ServerCommandServiceOAuth.svc?mark={mark}"))
        .header("content-type", "text/xml; charset=utf-8")
        .bearer(token)
        .body("<s:Envelope/>")
}

fn check(reply: Reply, what: &str, reason: &str) -> Reply {
    assert_eq!(reply.status, 401, "{what}: {}", reply.text());
    assert_eq!(reply.header("gatekeeper-reason"), reason, "{what}");
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_tokens_reach_nobody() {
    let stage = Stage::new().await;
    let good = login(&stage.a.http()).await;
    let (h1, h2) = (stage.gatekeeper.h1(), stage.gatekeeper.h2());
    for case in cases(&good) {
        let Bad { name, reason, token } = &case;
        let mark = format!("bad-{name}-end");
        let rest = check(h1.send(cameras(&mark, token)).await.unwrap(), name, reason).json();
        assert_eq!(rest["error"]["httpCode"], 401, "{name}");
        let text = rest["error"]["details"][0]["errorText"].as_str().unwrap().to_owned();
        assert!(text.starts_with("Token validation failed: the token is "), "{name}: {text}");
        if *name == "expired" {
            assert!(text.ends_with("the token is expired."), "{text}");
        }
        check(h2.send(cameras(&mark, token)).await.unwrap(), name, reason);
        let fault = check(h1.send(soap(&mark, token)).await.unwrap(), name, reason);
        assert!(fault.text().contains("<faultstring>Token validation failed"), "{name}: {}", fault.text());
        let idp = format!("/IDP/connect/userinfo?mark={mark}");
        let idp =
            check(h1.send(crate::support::client::get(&idp).bearer(token)).await.unwrap(), name, reason);
        assert_eq!(idp.json()["error"], "invalid_token", "{name}");
        let socket = Events::connect(&h1, &format!("/API/ws/events/v1?mark={mark}"), Some(token)).await;
        assert_eq!(socket.map(|_| ()).unwrap_err().0, 401, "{name}");
        assert_eq!(stage.arrived(&mark).await, (0, 0), "{name}");
    }
    // The log of arrivals is not simply empty.
    let mark = "bad-none-at-all";
    h1.send(cameras(mark, &good)).await.unwrap().expect(200);
    h1.send(soap(mark, &good)).await.unwrap();
    assert!(Events::connect(&h1, &format!("/API/ws/events/v1?mark={mark}"), Some(&good)).await.is_ok());
    assert_eq!(stage.arrived(mark).await, (3, 0));
    assert_eq!(stage.b.requests_with("mark=").await, 0);
}

/// Ways to write the header: what a generous server could take for a token is one.
#[tokio::test(flavor = "multi_thread")]
async fn schemes_in_disguise_reach_nobody() {
    let stage = Stage::new().await;
    let h1 = stage.gatekeeper.h1();
    for value in ["Bearer", "bearer  ", "BEARER a.b.c", "Bearer\ta.b.c", "Bearer,a.b.c", "Bearer \u{e9}"] {
        let reply = h1
            .send(
                crate::support::client::get("/API/rest/v1/cameras?mark=disguise")
                    .header("authorization", value),
            )
            .await
            .unwrap();
        check(reply, value, "invalid-token");
    }
    let of_b = login(&stage.b.http()).await;
    h1.send(
        crate::support::client::get("/API/rest/v1/cameras?mark=plain")
            .header("authorization", &format!("bEARER   {of_b}")),
    )
    .await
    .unwrap()
    .expect(200);
    assert_eq!(stage.arrived("mark=disguise").await, (0, 0));
    assert_eq!(stage.arrived("mark=plain").await, (0, 1));
}
