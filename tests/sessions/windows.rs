//! Windows users: their login cannot be repeated elsewhere.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ntlm_client::{Credentials, authenticate, negotiate};
use crate::support::client::{Http, call};
use crate::world::{World, cameras, is_expired, issued, log_in, login, status};

/// Logs in with NTLM; gives the token.
pub async fn log_in_by_ntlm(http: &Http, user: &str) -> String {
    let form = "grant_type=windows_credentials&client_id=GrantValidatorClient";
    let ask = |message: Vec<u8>| {
        let value = format!("NTLM {}", STANDARD.encode(message));
        call("POST", "/IDP/connect/token").form(form).header("authorization", &value)
    };
    let mut connection = http.connect().await.unwrap();
    let first = connection.send(&http.host, ask(negotiate())).await.unwrap().expect(401);
    let challenge = first.header("www-authenticate").strip_prefix("NTLM ").expect("a challenge");
    let password = format!("{user}-password");
    let who = Credentials { domain: "VMS", user, password: &password };
    let answer = authenticate(&STANDARD.decode(challenge).unwrap(), who);
    login(&connection.send(&http.host, ask(answer)).await.unwrap().expect(200)).token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_windows_user_is_told_to_log_in_again() {
    let mut world = World::start().await;
    let http = world.gatekeeper.h1();
    let windows = log_in_by_ntlm(&http, "win1").await;
    http.send(cameras(&windows)).await.unwrap().expect(200);
    world.a.kill();
    is_expired(http.send(cameras(&windows)).await.unwrap());
    world.gatekeeper.wait_serving("identity", "b").await;
    assert_eq!(issued(&world.b).await, 0);
    let again = log_in_by_ntlm(&http, "win1").await;
    http.send(cameras(&again)).await.unwrap().expect(200);
    assert_eq!(world.b.requests_with(&windows).await, 0, "b was shown a token of a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_instance_keeps_its_windows_users() {
    let world = World::start().await;
    let http = world.gatekeeper.h1();
    let (windows, twinned) = (log_in_by_ntlm(&http, "win1").await, world.twinned("user1").await);
    world.gatekeeper.succeed(&["drain", "a", "--reason", "test"]);
    world.gatekeeper.wait_serving("config", "b").await;
    assert_eq!(status(&http, &windows).await, 200);
    assert_eq!(status(&http, &twinned.token).await, 200);
    assert!(world.a.requests_with(&windows).await > 0);
    assert_eq!(world.a.requests_with(&twinned.token).await, 0, "it has a twin and moves");
    assert_eq!(world.b.requests_with(&windows).await, 0);
    // Who comes now, logs in at the other one.
    let fresh = log_in(&http, "user2").await;
    assert!(crate::world::is_from(&fresh.token, &world.b).await);
    assert_eq!(status(&http, &fresh.token).await, 200);
}
