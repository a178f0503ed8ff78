//! Tokens end: the client's, the twin's.

use serde_json::Value;

use crate::support::until;
use crate::world::{World, cameras, is_expired, status};

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_expired_on_the_twin_too() {
    let mut world = World::of(&["--token-lifetime", "4s"], &[], |c| c).await;
    let http = world.gatekeeper.h1();
    let login = world.twinned("user1").await;
    world.a.kill();
    assert_eq!(status(&http, &login.token).await, 200);
    until("it has expired", async || status(&http, &login.token).await == 401).await;
    is_expired(http.send(cameras(&login.token)).await.unwrap());
    let seen = world.b.requests_with("GET /API/rest/v1/cameras").await;
    is_expired(http.send(cameras(&login.token)).await.unwrap());
    assert_eq!(
        world.b.requests_with("GET /API/rest/v1/cameras").await,
        seen,
        "b was asked for an expired login"
    );
}

/// Its instance gives shorter lives; nobody has renewed it. The client is told in words that it knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_twin_that_ends_first_is_no_mystery() {
    let mut world = World::of(&[], &["--token-lifetime", "3s"], |c| c).await;
    let http = world.gatekeeper.h1();
    let login = world.twinned("user1").await;
    world.a.kill();
    assert_eq!(status(&http, &login.token).await, 200);
    until("the twin has ended", async || status(&http, &login.token).await == 401).await;
    is_expired(http.send(cameras(&login.token)).await.unwrap());
    let told: Value = serde_json::from_str(&world.gatekeeper.succeed(&["sessions", "--json"])).unwrap();
    let stuck = &told["cannot_fail_over"][0];
    // By our clock it has expired, or its instance was the first to say so.
    let reason = stuck["reason"].as_str().unwrap_or_default();
    assert!(stuck["user"] == "user1" && ["expired", "lost"].contains(&reason), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_login_lives_longer_than_its_first_token() {
    let mut world = World::with(&["--token-lifetime", "4s"], |c| c).await;
    let http = world.gatekeeper.h1();
    let first = world.twinned("user1").await;
    let form = format!(
        "grant_type=refresh_token&client_id=VmsClient&refresh_token={}",
        first.refresh.as_ref().unwrap()
    );
    until("the first has expired", async || status(&http, &first.token).await == 401).await;
    let renewed = crate::support::client::call("POST", crate::world::TOKEN).form(&form);
    let renewed = crate::world::login(&http.send(renewed).await.unwrap().expect(200));
    world.twins(2).await;
    world.a.kill();
    assert_eq!(status(&http, &renewed.token).await, 200);
    is_expired(http.send(cameras(&first.token)).await.unwrap());
}
