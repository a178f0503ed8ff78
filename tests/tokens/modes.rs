//! Where nothing can or shall be checked: opaque tokens, `validate = "never"`, quarantine.

use crate::support::client::login;
use crate::support::config::Config;
use crate::support::signer::base64;
use crate::{Stage, cameras, claims, key_of};

/// A token of the instance with this name, but for its signature.
fn unsigned(good: &str) -> String {
    let (message, _) = good.rsplit_once('.').unwrap();
    format!("{message}.{}", base64(&[7; 256]))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_published_keys_only_the_home_is_asked() {
    let stage = Stage::with(&["--set", "jwks=off"], |config| config).await;
    stage.gatekeeper.wait_log(&["WARN", "discovery names no key set", "\"instance\":\"a\""]).await;
    let (of_a, of_b) = (login(&stage.a.http()).await, login(&stage.b.http()).await);
    stage.send(cameras("opaque-good", &of_a)).await.expect(200);
    let refused = stage.send(cameras("opaque-forged", &unsigned(&of_a))).await.expect(401);
    assert_eq!(refused.header("gatekeeper-reason"), "", "the instance itself says so");
    assert_eq!(stage.arrived("opaque-").await, (2, 0));
    let status = stage.gatekeeper.status().await;
    assert_eq!(
        (&status["instances"][0]["tokens"], &status["instances"][1]["tokens"]),
        (&"opaque".into(), &"checked".into())
    );
    // The other instance's tokens are checked as ever.
    stage.send(cameras("checked-good", &of_b)).await.expect(200);
    stage.send(cameras("checked-forged", &unsigned(&of_b))).await.expect(401);
    stage.send(cameras("checked-nobody", "0123456789abcdef")).await.expect(401);
    assert_eq!(stage.arrived("checked-").await, (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn unchecked_tokens_go_to_their_home_alone() {
    let never = |config: Config| config.table("session", "validate = \"never\"");
    let stage = Stage::with(&[], never).await;
    let of_b = login(&stage.b.http()).await;
    let mut old = claims(&of_b);
    old["exp"] = 1.into();
    for (n, token) in [of_b.clone(), unsigned(&of_b), key_of("b").token("RS256", &old)].iter().enumerate() {
        let reply = stage.send(cameras(&format!("never-{n}"), token)).await;
        assert_eq!(reply.status, if n == 0 { 200 } else { 401 });
        assert_eq!(reply.header("gatekeeper-reason"), "");
    }
    assert_eq!(stage.arrived("never-").await, (0, 3));
    stage.send(cameras("nobody", "garbage")).await.expect(401);
    assert_eq!(stage.arrived("nobody").await, (0, 0));
}

/// Also a token that has been found good a moment ago.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_an_instance_in_quarantine_are_worth_nothing() {
    let stage = Stage::new().await;
    let (of_a, of_b) = (login(&stage.a.http()).await, login(&stage.b.http()).await);
    stage.send(cameras("before", &of_b)).await.expect(200);
    stage.gatekeeper.succeed(&["quarantine", "b", "--reason", "test"]);
    for token in [&of_b, &key_of("b").token("RS256", &claims(&of_b))] {
        let refused = stage.send(cameras("during", token)).await.expect(401);
        assert!(refused.text().contains("the token is expired."), "{}", refused.text());
    }
    stage.send(cameras("other", &of_a)).await.expect(200);
    assert_eq!(stage.arrived("during").await, (0, 0));
    stage.gatekeeper.succeed(&["release", "b", "--reason", "test"]);
    stage.send(cameras("after", &of_b)).await.expect(200);
}
